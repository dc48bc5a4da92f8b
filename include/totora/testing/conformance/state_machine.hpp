// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
#include "totora/testing/conformance/snapshot/capture_demands.hpp"
#include "totora/testing/conformance/snapshot/refusal_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_machine_runs.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <range/v3/algorithm/any_of.hpp>
#include <range/v3/view/map.hpp>
#include <range/v3/view/sliding.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The checks of a state machine. Use `check_state_machine`.
template <typename Make>
class StateMachineChecks
{
public:
    using Machine = decltype(std::declval<Make&>()());
    using Results = Applied<Machine>;

    StateMachineChecks(Make& make, std::vector<Command> const& commands, Violations& violations)
        : make_(make), violations_(violations), commands_(commands, make().applied_index()), first_(run({1, false}))
    {}

    void the_digest_distinguishes_states()
    {
        auto const differ = [](auto const& pair) { return pair[0] != pair[1]; };
        auto const digests = first_.digests | ranges::views::values;
        violations_.expect(not has_digest<Machine> or ranges::any_of(digests | ranges::views::sliding(2), differ),
                           "the digest distinguishes states",
                           "It is the same before the first command, after each of them and after the last.");
    }

    /// Whatever is committed is applied, on every server and after every start: a command that ends a machine ends the
    /// cluster.
    void nothing_that_is_proposed_ends_it(std::vector<Command> const& commands)
    {
        auto broken = std::vector<Command>{{}, Command(1, std::byte{0xFF}), Command(3000, std::byte{0})};
        for (auto const& command : commands) {
            broken.push_back(command);
            broken.push_back(command);
            broken.back().resize(command.size() / 2);
            if (command.empty())
                continue;
            broken.push_back(command);
            broken.back()[command.size() / 3] ^= std::byte{0xFF};
            broken.push_back(command);
            broken.back().push_back(std::byte{7});
        }
        auto first = std::optional<Results>{};
        for (auto const batch : {std::size_t{1}, std::size_t{5}}) {
            violations_.begin("a new machine, given commands that are cut, altered or lengthened, " +
                              std::to_string(batch) + " at a time");
            auto machine = make_();
            auto results = Results{violations_, "whatever was proposed is answered"};
            results.look_at(machine, 0);
            results.give(machine, PlacedCommands{broken, machine.applied_index()}, 0, broken.size(), {batch, true});
            if (first)
                expect_the_same(violations_, *first, results, 0, "whatever was proposed is answered",
                                "whatever was proposed is answered");
            else
                first.emplace(std::move(results));
        }
    }

    void feeding_makes_no_difference(Feeding feeding, std::string const& law)
    {
        expect_the_same(violations_, first_, run(feeding), 0, law, law);
    }

    void the_same_commands_give_the_same()
    {
        expect_the_same(violations_, first_, run({1, false}), 0, "the same commands give the same responses",
                        "the same commands give the same state");
    }

    /// The process ends after some of the commands; the machine of the next one is then given what follows its applied
    /// index.
    template <typename Restart>
    void a_restart_continues_after_the_applied_index(Restart& restart)
    {
        constexpr auto law = "a restart continues after the applied index";
        for (auto const end : {std::size_t{1}, commands_.size() / 2, commands_.size() - 1, commands_.size()}) {
            violations_.begin("a new machine");
            auto results = Results{violations_};
            {
                auto machine = make_();
                results.give(machine, commands_, 0, end, {2, true});
                if (not results.ended)
                    return;
            }
            violations_.call("restart");
            auto       machine = restart();
            auto const kept = commands_.count_through(machine.applied_index());
            violations_.expect(kept and *kept <= end, law,
                               "After a restart the applied index is " + std::to_string(machine.applied_index().value) +
                                   ", that of no command that was applied.");
            if (not kept)
                return;
            auto again = Results{violations_};
            again.look_at(machine, *kept);
            again.give(machine, commands_, *kept, commands_.size(), {1, true});
            expect_the_same(violations_, first_, again, *kept, law, law);
        }
    }

private:
    [[nodiscard]] Results run(Feeding feeding)
    {
        violations_.begin("a new machine, given " + std::to_string(feeding.batch) + " commands at a time" +
                          (feeding.overwrites ? ", whose bytes are overwritten afterwards" : ""));
        auto machine = make_();
        auto results = Results{violations_};
        results.look_at(machine, 0);
        results.give(machine, commands_, 0, commands_.size(), feeding);
        return results;
    }

    Make&          make_;
    Violations&    violations_;
    PlacedCommands commands_;
    Results        first_;
};

/// The laws of captures and of machines that are restored from them.
template <typename Make, typename Restart>
void check_snapshots(Make& make, std::vector<Command> const& commands, Restart& restart, CaptureDemands const& demands,
                     Violations& violations)
{
    auto runs = SnapshotMachineRuns<Make>{make, commands, violations};
    auto laws = SnapshotMachineLaws<Make>{runs};
    laws.a_restored_machine_is_the_captured_one();
    if (not violations.broken().empty())
        return; // The others would find the same again.
    laws.a_snapshot_replaces_all();
    laws.by_snapshot_is_as_by_log();
    laws.a_capture_stays_as_it_is();
    laws.parts_are_the_whole();
    laws.any_thread_may_write();
    if constexpr (not std::same_as<Restart, std::nullptr_t>)
        laws.a_restored_machine_survives_a_restart(restart);
    else
        static_cast<void>(restart);
    auto refusals = RefusalLaws<Make>{runs, demands, violations};
    refusals.a_short_source_restores_nothing();
    refusals.an_unknown_format_restores_nothing();
    refusals.a_damaged_source_restores_all_or_nothing();
    refusals.a_capture_copies_little();
}

/// The laws of `state_machine` that the compiler cannot check: it is deterministic, however the commands are cut into batches;
/// it answers each; it keeps none of their bytes; its applied index is that of a command that was applied.
///
/// `make()` gives a machine in its first state. `commands` should reach everything that it can do; from them the kit
/// derives what a wrong client could propose. They are applied in this order, after `applied_index()`. Between their
/// indexes there are gaps, as other entries leave them.
///
/// Two machines are the same if they give the same responses and, if they have one, the same `digest()`, which the
/// simulator requires as well. Without it, a difference in the state that shows in no response is not found; so a
/// machine whose responses cannot be compared needs one.
///
/// For a machine whose state survives restarts, `restart()` gives the one that a new process would find after the last
/// one of `make()` has ended. `nullptr` if it does not.
///
/// Of a `snapshot_machine` its laws are checked, too: what is captured stays as it is, and a machine that was restored from it is
/// as one that was given the log; what is refused changes nothing.
template <typename Make, typename Restart = std::nullptr_t>
[[nodiscard]] LawViolations check_state_machine(Make make, std::vector<Command> const& commands, Restart restart = {},
                                                CaptureDemands const& demands = {})
{
    using Machine = decltype(make());
    static_assert(state_machine<Machine>, "policy/state_machine.hpp lists what a state machine needs");
    static_assert(std::equality_comparable<typename Machine::Response> or has_digest<Machine>,
                  "responses that can be compared, or a digest(), without which nothing could be seen");
    auto violations = Violations{};
    violations.begin("no machine");
    violations.expect(not commands.empty(), "there is a command to apply",
                      "The kit was given none, and can see nothing.");
    if (commands.empty())
        return violations.broken();
    auto checks = StateMachineChecks<Make>{make, commands, violations};
    checks.the_digest_distinguishes_states();
    checks.the_same_commands_give_the_same();
    for (auto const batch : {std::size_t{2}, std::size_t{7}, std::max<std::size_t>(1, commands.size())})
        checks.feeding_makes_no_difference({batch, false}, "batches make no difference");
    checks.feeding_makes_no_difference({1, true}, "no bytes are kept");
    if (violations.broken().empty()) // It would find the same again.
        checks.nothing_that_is_proposed_ends_it(commands);
    if constexpr (not std::same_as<Restart, std::nullptr_t>)
        checks.a_restart_continues_after_the_applied_index(restart);
    if constexpr (offers<Machine, TakesCaptures>())
        if (violations.broken().empty())
            check_snapshots(make, commands, restart, demands, violations);
    static_cast<void>(restart);
    static_cast<void>(demands);
    return violations.broken();
}

} // namespace totora::inline v0::conformance
