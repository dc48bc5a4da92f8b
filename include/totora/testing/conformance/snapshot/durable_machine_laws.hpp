// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/snapshot/machine_bytes.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_runs.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

namespace totora::inline v0::conformance
{

/// The bytes of a snapshot, with something done before each read.
class InterruptedBytes final : public SnapshotSource
{
public:
    InterruptedBytes(std::span<std::byte const> bytes, std::uint32_t format, std::function<void()> before_read)
        : SnapshotSource(format), bytes_(bytes, format), before_read_(std::move(before_read))
    {}

    [[nodiscard]] std::size_t read(std::span<std::byte> into) override
    {
        before_read_();
        return bytes_.read(into);
    }

private:
    BytesSource           bytes_;
    std::function<void()> before_read_;
};

/// The laws of `durable_machine`. See `check_durable_machine`.
template <typename Make, typename Crash>
class DurableMachineLaws
{
public:
    using Runs = SnapshotMachineRuns<Make>;
    using Machine = typename Runs::Machine;
    using Results = typename Runs::Results;

    DurableMachineLaws(Runs& runs, Crash& crash) : runs_(runs), crash_(crash) {}

    void the_durable_index_is_of_what_was_applied()
    {
        for (auto const batch : {std::size_t{1}, std::size_t{3}}) {
            runs_.violations().begin("a new machine");
            auto machine = runs_.make()();
            auto results = Results{runs_.violations()};
            auto durable = durable_index(machine);
            for (auto at = std::size_t{0}; at < runs_.commands().size(); at += batch) {
                auto const end = std::min(at + batch, runs_.commands().size());
                results.give(machine, runs_.commands(), at, end, {batch, true});
                durable = grown(machine, durable, end);
            }
        }
    }

    /// The power fails after some commands; the next process is given what follows its applied index.
    void a_crash_leaves_what_was_durable()
    {
        constexpr auto law = "a crash leaves what was durable";
        runs_.violations().begin("a new machine");
        auto       machine = runs_.make()();
        auto       results = Results{runs_.violations()};
        auto const last = runs_.places().back();
        for (auto at = std::size_t{0}; at <= last and not runs_.violations().is_broken(law); ++at) {
            survives(durable_index(machine), at, law);
            if (at < last)
                results.give(machine, runs_.commands(), at, at + 1, {1, true});
        }
    }

    /// The power fails while a machine is restored, and after it: what is there is all of the one state, or all of the other.
    void a_restore_is_all_or_nothing_across_a_crash()
    {
        constexpr auto law = "a restore is all or nothing across a crash";
        auto const     place = runs_.places().back();
        auto const     written = runs_.captured_after(place);
        for (auto const before : {std::size_t{0}, place / 2}) {
            if (not written or runs_.violations().is_broken(law))
                return;
            runs_.violations().begin("a new machine");
            auto machine = runs_.make()();
            auto results = Results{runs_.violations(), law};
            results.give(machine, runs_.commands(), 0, before, {2, true});
            auto const durable = durable_index(machine);
            auto       source = InterruptedBytes{written->bytes, refined<TakesCaptures>(machine).snapshot_format(),
                                           [&] { survives(durable, place, law); }};
            runs_.violations().call("restore(), with a crash before each read");
            auto const refusal = refined<TakesCaptures>(machine).restore(source);
            runs_.violations().expect(not refusal, law, "What a capture wrote was refused.");
            survives(grown(machine, durable, place), place, law);
            results.give(machine, runs_.commands(), place, place + 1, {1, true});
            survives(grown(machine, durable, place + 1), place + 1, law);
        }
    }

private:
    [[nodiscard]] Index durable_index(Machine& machine)
    {
        runs_.violations().call("durable_index()");
        return std::as_const(refined<KeepsItself>(machine)).durable_index();
    }

    /// The durable index of a machine that was given commands up to `end`, and had this one before.
    [[nodiscard]] Index grown(Machine& machine, Index before, std::size_t end)
    {
        auto const now = durable_index(machine);
        auto const text = "It is " + std::to_string(now.value) + ", and ";
        runs_.violations().expect(now >= before, "the durable index never goes back",
                                  text + "was " + std::to_string(before.value) + ".");
        runs_.violations().expect(
            now <= runs_.commands().index(end - 1), "the durable index is never above what was applied",
            text + "the last command was that at " + std::to_string(runs_.commands().index(end - 1).value) + ".");
        return now;
    }

    /// The power fails now: what is left is the state after some of the commands up to `end`, and not one of before `durable`; with all that
    /// follows it is the state that it must be.
    void survives(Index durable, std::size_t end, std::string const& law)
    {
        runs_.violations().call("crash");
        auto       machine = crash_();
        auto const index = machine.applied_index();
        auto const kept = runs_.commands().count_through(index);
        runs_.violations().expect(kept and *kept <= end and index >= durable, law,
                                  "The applied index is " + std::to_string(index.value) +
                                      " then, and the durable one was " + std::to_string(durable.value) + ".");
        if (not kept)
            return;
        auto results = Results{runs_.violations(), law};
        results.look_at(machine, *kept);
        results.give(machine, runs_.commands(), *kept, runs_.commands().size(), {3, true});
        expect_the_same(runs_.violations(), runs_.first(), results, *kept, law, law);
    }

    Runs&  runs_;
    Crash& crash_;
};

} // namespace totora::inline v0::conformance
