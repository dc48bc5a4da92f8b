// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/explore/explore.hpp"
#include "explore/explorations.hpp"
#include "explore/scopes.hpp"
#include "totora/testing/explore/counterexample.hpp"
#include "totora/testing/explore/live.hpp"
#include "totora/testing/explore/random_walk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// What the explorer itself must keep to: it finds all there is in a scope, with its reductions and without.

namespace totora::test::explore_tests
{
namespace
{

BOOST_AUTO_TEST_CASE(one_election_of_three_servers_is_explored_to_its_end)
{
    auto exploration = Exploration{scope_of(1, 0)};
    BOOST_TEST(exploration.run(never).completed);
    BOOST_TEST(exploration.explored().violation == "");
    BOOST_TEST(exploration.explored().depth > 10U);
}

/// How many states of a scope are dead, of how many.
[[nodiscard]] std::pair<std::size_t, std::size_t> dead_states(Scope const& scope, explore::Live::Arrives arrives = {})
{
    auto exploration = Exploration{scope};
    auto live = explore::Live{exploration.transitions(), std::move(arrives)};
    auto dead = std::size_t{0};
    auto all = std::size_t{0};
    exploration.run(never, [&](GlobalState const& global) {
        dead += live.is_live(global) ? 0U : 1U;
        ++all;
    });
    return {dead, all};
}

BOOST_AUTO_TEST_CASE(from_every_state_something_new_can_be_committed)
{
    for (auto const& scope : scopes())
        if (scope.name == "one-server-a-crash" or scope.name == "two-elections" or
            scope.name == "a-snapshot-across-a-leader-change" or scope.name == "two-servers-of-which-one-is-removed" or
            scope.name == "a-joint-change") {
            auto const [dead, all] = dead_states(scope);
            BOOST_TEST(dead == 0U, scope.name);
            BOOST_TEST(all > 100U, scope.name);
        }
}

/// A server that waits longer for a leader, because its log is not applied yet, votes all the same.
BOOST_AUTO_TEST_CASE(from_every_state_of_servers_that_replay_something_new_can_be_committed,
                     *boost::unit_test::label("5.2"))
{
    for (auto const pre_vote : {false, true}) {
        auto scope = scope_of(1, 0);
        scope.unapplied = true;
        scope.pre_vote = pre_vote;
        auto exploration = Exploration{scope};
        auto live = explore::Live{exploration.transitions()};
        auto dead = std::size_t{0};
        auto led = std::size_t{0}; // A server leads, and none has applied anything.
        exploration.run(never, [&](GlobalState const& global) {
            dead += live.is_live(global) ? 0U : 1U;
            auto replaying = std::size_t{0};
            auto leading = std::size_t{0};
            for (auto at = std::size_t{0}; at < scope.servers; ++at) {
                auto const state = exploration.transitions().steps().servers().value_of(global.servers[at]).state;
                replaying += state.replaying ? 1U : 0U;
                leading += is_leader(state) ? 1U : 0U;
            }
            led += replaying == scope.servers and leading > 0 ? 1U : 0U;
        });

        BOOST_TEST(exploration.explored().violation == "");
        BOOST_TEST(dead == 0U);
        BOOST_TEST(led > 10U);
    }
}

BOOST_AUTO_TEST_CASE(states_in_which_nothing_can_be_committed_are_found)
{
    auto const no_votes = [](explore::InFlight const& message) {
        return not std::holds_alternative<RequestVoteResponse>(message.rpc);
    };
    auto const no_answers = [](explore::InFlight const& message) {
        return not std::holds_alternative<AppendEntriesResponse>(message.rpc);
    };
    auto const [without_votes, all] = dead_states(scope_of(1, 0), no_votes);
    auto const [without_answers, as_many] = dead_states(scope_of(1, 0), no_answers);

    BOOST_TEST(all == as_many);
    BOOST_TEST(without_votes > 0U);
    BOOST_TEST(without_votes < all, "where somebody leads already, no vote is needed");
    BOOST_TEST(without_answers > 0U);
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_in_a_term_with_a_proposal)
{
    expect_no_reduction_loses_anything(scope_of(1, 1));
}

BOOST_AUTO_TEST_CASE(without_any_reduction_there_is_no_more)
{
    auto       scope = scope_of(1, 1);
    auto const with_all = what_can_be(scope);
    scope.reductions = {false, false, false, false, false, false, false};
    BOOST_TEST((what_can_be(scope) == with_all));
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_across_a_leader_change)
{
    expect_no_reduction_loses_anything(scope_of(2, 0));
}

BOOST_AUTO_TEST_CASE(snapshots_are_taken_sent_and_installed_across_a_leader_change, *boost::unit_test::label("7"))
{
    auto scope = scope_of(2, 0);
    scope.snapshots = 1;
    BOOST_TEST(count_servers(scope, [](State const& state) { return state.reception.is_complete(); }) > 10U);
    BOOST_TEST(count_servers(scope, [](State const& state) { return state.apply_index < state.log.base().index; }) >
                   10U,
               "a snapshot is installed, and not durable yet");
    BOOST_TEST(count_servers(scope, [](State const& state) {
                   return std::any_of(state.followers.begin(), state.followers.end(), is_sent_snapshot);
               }) > 10U);
}

/// Two servers, one of which is removed, or a newcomer with which one is replaced.
[[nodiscard]] Scope scope_of_changes(std::uint32_t elections, bool has_newcomer)
{
    auto scope = scope_of(elections, 0);
    scope.servers = has_newcomer ? 3 : 2;
    scope.voters = 2;
    scope.changes = 1;
    scope.entries_per_append = 1;
    scope.forced = true;
    scope.targets = has_newcomer ? std::vector{members_of({1, 3}), members_of({2, 3})}
                                 : std::vector{members_of({1}), members_of({2})};
    return scope;
}

BOOST_AUTO_TEST_CASE(members_change_across_a_leader_change, *boost::unit_test::label("6"))
{
    auto const is_about = [](State const& state) { return state.configurations.in_force.index > Index{}; };
    auto const scope = scope_of_changes(2, true);
    BOOST_TEST(count_servers(scope,
                             [](State const& state) {
                                 return is_joint(state.configurations.in_force) and not is_leader(state) and
                                        last_index(state) > state.configurations.in_force.index;
                             }) > 10U,
               "a follower holds a joint configuration, and more");
    BOOST_TEST(count_servers(scope,
                             [&](State const& state) {
                                 return is_about(state) and is_leader(state) and state.current_term > Term{1} and
                                        state.membership.target.empty() and state.membership.is_under_way();
                             }) > 10U,
               "a leader finishes what another has begun");
    BOOST_TEST(count_servers(scope,
                             [&](State const& state) {
                                 return is_leader(state) and not is_voter(state.configurations.in_force, state.own);
                             }) > 10U,
               "a leader that is no member any more leads");
    BOOST_TEST(count_servers(
                   scope, [&](State const& state) { return state.own.id == ServerId{3} and is_leader(state); }) > 10U,
               "the newcomer leads");
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_when_a_server_is_removed)
{
    auto scope = scope_of_changes(2, false);
    scope.crashes = 1;
    expect_no_reduction_loses_anything(scope);
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_in_a_joint_change)
{
    expect_no_reduction_loses_anything(scope_of_changes(1, true));
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_when_a_change_waits_for_answers)
{
    auto scope = scope_of_changes(1, false);
    scope.forced = false;
    scope.cancels = 1;
    scope.changes = 2;
    expect_no_reduction_loses_anything(scope);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_let_in_again_is_sent_numbers_of_its_own)
{
    auto scope = scope_of_changes(1, false);
    scope.changes = 2;
    scope.targets = {members_of({1}), members_of({1, 2})};
    BOOST_TEST(count_servers(scope, [](State const& state) {
                   return is_leader(state) and state.configurations.in_force.members.size() == 2 and
                          state.configurations.previous.members.size() == 2 and
                          state.configurations.in_force.index > Index{3};
               }) > 0U);
    expect_no_reduction_loses_anything(scope);
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_when_two_servers_crash)
{
    auto scope = scope_of(2, 1);
    scope.servers = 2;
    scope.crashes = 1;
    expect_no_reduction_loses_anything(scope);
}

/// How many states hold a response to a pre-vote in flight to a server that requests none now.
[[nodiscard]] std::size_t late_answers_to_pre_votes(Scope const& scope)
{
    auto exploration = Exploration{scope};
    auto found = std::size_t{0};
    exploration.run(never, [&](GlobalState const& global) {
        auto& steps = exploration.transitions().steps();
        found += static_cast<std::size_t>(std::any_of(global.begin(), global.end(), [&](std::uint32_t message) {
            auto const address = steps.address_of(message);
            return address.is_pre_vote_answer and steps.facts_of(global.servers[address.to]).is_follower;
        }));
    });
    return found;
}

BOOST_AUTO_TEST_CASE(a_response_to_a_pre_vote_may_be_of_use_after_a_crash)
{
    auto scope = scope_of(2, 0);
    scope.servers = 2;
    scope.pre_vote = true;
    BOOST_TEST(late_answers_to_pre_votes(scope) == 0U);
    scope.crashes = 1;
    BOOST_TEST(late_answers_to_pre_votes(scope) > 0U);
}

BOOST_AUTO_TEST_CASE(no_reduction_loses_anything_when_a_server_that_requests_pre_votes_crashes)
{
    auto scope = scope_of(2, 0);
    scope.servers = 2;
    scope.pre_vote = true;
    scope.crashes = 1;
    expect_no_reduction_loses_anything(scope);
}

BOOST_AUTO_TEST_CASE(votes_that_are_durable_at_once_lose_nothing_across_a_leader_change_with_a_proposal)
{
    auto       scope = scope_of(2, 1);
    auto const with_all = what_can_be(scope);
    scope.reductions.votes_at_once = false;
    BOOST_TEST((what_can_be(scope) == with_all));
}

BOOST_AUTO_TEST_CASE(a_random_walk_is_the_same_for_the_same_seed_and_has_a_counterexample)
{
    auto const enough = [](Explored const& explored) { return explored.distinct_states > 1000; };
    auto       first = explore::RandomWalk{scope_of(2, 1), 7};
    auto       second = explore::RandomWalk{scope_of(2, 1), 7};
    first.run(enough);
    second.run(enough);
    BOOST_TEST(first.explored().violation == "");
    BOOST_TEST((first.way_to_the_violation() == second.way_to_the_violation()));

    auto const counterexample = explore::CounterexamplePrinter{first.transitions()}.print(first.way_to_the_violation());
    BOOST_TEST(counterexample.test.find("cluster.rings(") != std::string::npos);
    BOOST_TEST(counterexample.lines.size() >
               first.way_to_the_violation().size()); // Votes become durable without a transition of their own.
}

BOOST_AUTO_TEST_CASE(a_counterexample_has_a_line_for_every_transition_if_nothing_happens_by_itself)
{
    auto scope = scope_of(2, 1);
    scope.reductions.votes_at_once = false;
    auto walk = explore::RandomWalk{scope, 7};
    walk.run([](Explored const& explored) { return explored.distinct_states > 1000; });

    auto const counterexample = explore::CounterexamplePrinter{walk.transitions()}.print(walk.way_to_the_violation());

    BOOST_TEST(counterexample.lines.size() == walk.way_to_the_violation().size());
}

} // namespace
} // namespace totora::test::explore_tests
