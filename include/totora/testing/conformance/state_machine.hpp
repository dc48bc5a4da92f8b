// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/state_machine.hpp"
#include "totora/testing/conformance/applied_commands.hpp"
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
                compare(*first, results, 0, "whatever was proposed is answered", "whatever was proposed is answered");
            else
                first.emplace(std::move(results));
        }
    }

    void expect_the_same(Feeding feeding, std::string const& law) { compare(first_, run(feeding), 0, law, law); }

    void the_same_commands_give_the_same()
    {
        compare(first_, run({1, false}), 0, "the same commands give the same responses",
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
            compare(first_, again, *kept, law, law);
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

    /// Compares with the result of applying the commands one by one for the first time, after `given` commands.
    void compare(Results const& first, Results const& other, std::size_t given, std::string const& law,
                 std::string const& law_of_states)
    {
        if (not first.ended or not other.ended)
            return;
        if constexpr (std::equality_comparable<typename Machine::Response>) {
            auto const begin =
                first.responses.begin() + static_cast<std::ptrdiff_t>(std::min(given, first.responses.size()));
            auto const differs =
                std::mismatch(begin, first.responses.end(), other.responses.begin(), other.responses.end()).first;
            violations_.expect(std::equal(begin, first.responses.end(), other.responses.begin(), other.responses.end()),
                               law,
                               "The response to command " + std::to_string(differs - first.responses.begin() + 1) +
                                   " is another one than when they were applied one by one for the first time.");
        }
        for (auto const& [count, digest] : other.digests)
            violations_.expect(
                count >= first.digests.size() or first.digests[count].second == digest, law_of_states,
                "After " + std::to_string(count) +
                    " commands the digest is another one than when they were applied one by one for the first time.");
    }

    Make&          make_;
    Violations&    violations_;
    PlacedCommands commands_;
    Results        first_;
};

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
/// one of `make()` has ended.
template <typename Make, typename Restart = std::nullptr_t>
[[nodiscard]] LawViolations check_state_machine(Make make, std::vector<Command> const& commands, Restart restart = {})
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
        checks.expect_the_same({batch, false}, "batches make no difference");
    checks.expect_the_same({1, true}, "no bytes are kept");
    if (violations.broken().empty()) // It would find the same again.
        checks.nothing_that_is_proposed_ends_it(commands);
    if constexpr (not std::same_as<Restart, std::nullptr_t>)
        checks.a_restart_continues_after_the_applied_index(restart);
    else
        static_cast<void>(restart);
    return violations.broken();
}

} // namespace totora::inline v0::conformance
