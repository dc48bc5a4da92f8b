// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/attempt.hpp"
#include "totora/policy/snapshot_machine.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/snapshot/machine_bytes.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_runs.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace totora::inline v0::conformance
{

/// The laws of what captures hold, and of machines that are restored from them. See `check_state_machine`.
template <typename Make>
class SnapshotMachineLaws
{
public:
    using Runs = SnapshotMachineRuns<Make>;
    using Machine = typename Runs::Machine;
    using Results = typename Runs::Results;
    using Capture = typename Runs::Capture;
    using Written = typename Runs::Written;

    explicit SnapshotMachineLaws(Runs& runs) : runs_(runs) {}

    void a_restored_machine_is_the_captured_one()
    {
        for (auto const place : runs_.places())
            if (auto const written = runs_.captured_after(place))
                runs_.expect_captured(*written, "a restored machine is the captured one");
    }

    /// Also what is in a machine that is beyond the snapshot, or that was given something else.
    void a_snapshot_replaces_all()
    {
        for (auto const place : runs_.places()) {
            auto const written = runs_.captured_after(place);
            for (auto const count : {place / 2, runs_.others().size()})
                if (written)
                    runs_.expect_captured(*written, "a snapshot replaces all", [&](Machine& machine) {
                        auto other = Results{runs_.violations()};
                        other.give(machine, runs_.others(), 0, count, {3, true});
                    });
        }
    }

    /// Servers that replayed the log, and those that were restored, perhaps from what another restored one captured.
    void by_snapshot_is_as_by_log()
    {
        constexpr auto law = "by snapshot is as by log";
        auto const     half = runs_.commands().size() / 2;
        auto           written = runs_.captured_after(half / 2 + 1);
        for (auto const end : {half, half + 1, half + half / 2 + 1})
            if (written and end > written->place and end <= runs_.commands().size() and
                not runs_.violations().is_broken(law))
                written = runs_.continued(*written, end, law);
        if (written)
            runs_.expect_captured(*written, law);
    }

    void a_capture_stays_as_it_is()
    {
        for (auto const place : runs_.places()) {
            auto       again = std::optional<Written>{};
            auto const written = runs_.captured(place, [&](Machine& machine, Results& results, Capture const& capture) {
                runs_.give_the_rest(machine, results, place);
                again = runs_.write_all(capture, place);
                return runs_.write_all(capture, place);
            });
            if (again)
                runs_.expect_captured(*again, "a capture stays as it is");
            if (written)
                runs_.expect_captured(*written, "a capture stays as it is");
        }
    }

    /// One part in a turn, and commands between them.
    void parts_are_the_whole()
    {
        if constexpr (requires(Capture const& capture, SnapshotSink& sink) {
                          capture.write_part(sink, std::uint64_t{0});
                      })
            for (auto const place : runs_.places()) {
                auto const written =
                    runs_.captured(place, [&](Machine& machine, Results& results, Capture const& capture) {
                        auto next = place;
                        auto bytes = runs_.user().write_parts(capture, [&] {
                            auto const end = std::min(next + 1, runs_.commands().size());
                            results.give(machine, runs_.commands(), next, end, {1, true});
                            next = end;
                        });
                        return bytes ? std::optional{Written{*std::move(bytes), place, runs_.captured_index()}}
                                     : std::nullopt;
                    });
                if (written)
                    runs_.expect_captured(*written, "parts are the whole");
            }
    }

    /// What this cannot see, a thread sanitizer does.
    void any_thread_may_write()
    {
        if (runs_.violations().is_broken("a capture stays as it is"))
            return; // It would be a race.
        auto const place = runs_.places().back();
        auto const written = runs_.captured(place, [&](Machine& machine, Results& results, Capture const& capture) {
            auto sink = GatheredBytes{};
            auto thrown = std::optional<std::string>{};
            runs_.violations().call("write(), by another thread");
            auto writer = std::thread{[&] { thrown = attempt("The capture", [&] { capture.write(sink); }); }};
            runs_.give_the_rest(machine, results, place);
            writer.join();
            runs_.violations().expect(not thrown, "any thread may write", thrown.value_or(""));
            return thrown ? std::nullopt : std::optional{Written{std::move(sink.bytes), place, runs_.captured_index()}};
        });
        if (written)
            runs_.expect_captured(*written, "any thread may write");
    }

    /// The process ends after a machine was restored and given more; the next one continues after what it kept.
    template <typename Restart>
    void a_restored_machine_survives_a_restart(Restart& restart)
    {
        constexpr auto law = "a restart continues after what was restored";
        auto const     place = runs_.places().back();
        auto const     written = runs_.captured_after(place);
        for (auto const more : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
            if (not written)
                return;
            runs_.violations().begin("a new machine");
            {
                auto machine = runs_.make()();
                auto results = Results{runs_.violations(), law};
                results.give(machine, runs_.commands(), 0, place / 2, {2, true});
                if (not runs_.takes(machine, *written, law))
                    return;
                results.give(machine, runs_.commands(), place, place + more, {1, true});
            }
            runs_.violations().call("restart");
            auto       machine = restart();
            auto const kept = runs_.commands().count_through(machine.applied_index());
            runs_.violations().expect(kept and *kept <= place + more, law,
                                      "After a restart the applied index is " +
                                          std::to_string(machine.applied_index().value) +
                                          ", that of no command that was applied or restored.");
            if (not kept)
                return;
            auto again = Results{runs_.violations(), law};
            again.look_at(machine, *kept);
            again.give(machine, runs_.commands(), *kept, runs_.commands().size(), {1, true});
            expect_the_same(runs_.violations(), runs_.first(), again, *kept, law, law);
        }
    }

private:
    Runs& runs_;
};

} // namespace totora::inline v0::conformance
