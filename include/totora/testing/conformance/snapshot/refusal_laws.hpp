// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/snapshot/capture_demands.hpp"
#include "totora/testing/conformance/snapshot/machine_bytes.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_runs.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of machines that are to be restored from what is no snapshot of theirs, and of what a capture copies. See
/// `check_state_machine`.
template <typename Make>
class RefusalLaws
{
public:
    using Runs = SnapshotMachineRuns<Make>;
    using Machine = typename Runs::Machine;
    using Results = typename Runs::Results;
    using End = typename Runs::User::End;

    RefusalLaws(Runs& runs, CaptureDemands const& demands, Violations& violations)
        : runs_(runs), demands_(demands), violations_(violations)
    {}

    /// Cut at each length.
    void a_short_source_restores_nothing()
    {
        auto const written = runs_.captured_after(place());
        if (not written)
            return;
        auto const bytes = std::span{written->bytes};
        offer("a short source restores nothing", sampled_places(bytes.size(), places_max), true,
              [&](Machine& machine, std::size_t length) { return runs_.user().restore(machine, bytes.first(length)); });
    }

    void an_unknown_format_restores_nothing()
    {
        auto const written = runs_.captured_after(place());
        if (not written)
            return;
        offer("an unknown format restores nothing", {0, 1}, true, [&](Machine& machine, std::size_t which) {
            auto const known = refined<TakesCaptures>(machine).snapshot_format();
            auto const unknown = which == 0 ? known + 1'000'000 : std::numeric_limits<std::uint32_t>::max() - known % 2;
            return runs_.user().restore(machine, written->bytes, unknown);
        });
    }

    /// Checksums were checked before: what a machine does not notice it may take. But all of it, or nothing.
    void a_damaged_source_restores_all_or_nothing()
    {
        auto const written = runs_.captured_after(place());
        if (not written)
            return;
        offer(demands_.refuses_damage ? "a damaged source restores nothing" : "what is refused changes nothing",
              sampled_places(written->bytes.size(), places_max), demands_.refuses_damage,
              [&](Machine& machine, std::size_t at) {
                  auto damaged = written->bytes;
                  damaged[at] ^= std::byte{1} << (at % 8);
                  violations_.call("damage of byte " + std::to_string(at));
                  return runs_.user().restore(machine, damaged);
              });
    }

    /// Counted when the machine is so large that a copy of it would be seen.
    void a_capture_copies_little()
    {
        if (not demands_.allocated_bytes or not demands_.growing)
            return;
        violations_.begin("a new machine, given commands until it is large");
        auto machine = runs_.make()();
        auto results = Results{violations_};
        auto written = std::uint64_t{0};
        auto copied = std::uint64_t{0};
        auto given = std::size_t{0};
        for (auto count = std::size_t{1000}; written < demands_.written_bytes and count <= 256'000; count *= 2) {
            auto commands = std::vector<Command>{};
            for (; given < count; ++given)
                commands.push_back(demands_.growing(given));
            grow(machine, commands);
            auto const before = demands_.allocated_bytes();
            auto const capture = runs_.user().capture(machine);
            copied = demands_.allocated_bytes() - before;
            if (not capture)
                return;
            auto sink = CountedBytes{};
            capture->write(sink);
            written = sink.count;
        }
        violations_.expect(written >= demands_.written_bytes, "a machine grows by the commands that are to do so",
                           "Its capture writes no more than " + std::to_string(written) + " bytes after them.");
        violations_.expect(copied <= demands_.copied_bytes_max, "a capture copies little",
                           "capture() of a machine that writes " + std::to_string(written) + " bytes allocated " +
                               std::to_string(copied) + ".");
    }

private:
    static constexpr std::size_t places_max = 600;

    [[nodiscard]] std::size_t place() const { return runs_.commands().size() / 2; }

    /// Offers machines what they should refuse, and gives them a command after each, so that what has changed is seen.
    template <typename Restore>
    void offer(std::string const& law, std::vector<std::size_t> const& sources, bool must_refuse, Restore restore)
    {
        auto const& all = runs_.commands();
        auto        next = sources.begin();
        while (next != sources.end() and not violations_.is_broken(law)) {
            violations_.begin("a new machine");
            auto machine = runs_.make()();
            auto results = Results{violations_, law};
            auto given = place() / 2;
            results.look_at(machine, 0);
            results.give(machine, all, 0, given, {1, true});
            auto end = End::refused;
            for (; next != sources.end() and given < all.size() and end == End::refused; ++next, ++given) {
                end = restore(machine, *next);
                if (end != End::refused)
                    break;
                results.look_at(machine, given);
                results.give(machine, all, given, given + 1, {1, true});
            }
            if (end == End::threw)
                return;
            expect_the_same(violations_, runs_.first(), results, 0, law, law, given);
            violations_.expect(end == End::refused or not must_refuse, law, "It was taken for a snapshot.");
            if (end == End::restored)
                ++next;
        }
    }

    /// Without the record of it that `Applied` makes.
    void grow(Machine& machine, std::vector<Command> const& commands)
    {
        auto responses = std::vector<typename Machine::Response>{};
        for (auto const& command : commands) {
            last_ = last_ ? Index{last_->value + 1} : Index{machine.applied_index().value + 1};
            auto const slice = entry_slice(*last_, Term{1}, command);
            auto const views = std::vector<EntryView>{*view_entry(slice.bytes)};
            responses.clear();
            machine.apply(views, responses);
        }
    }

    Runs&                 runs_;
    CaptureDemands const& demands_;
    Violations&           violations_;
    std::optional<Index>  last_; ///< Of the commands by which a machine grows.
};

} // namespace totora::inline v0::conformance
