// SPDX-License-Identifier: BSL-1.0
// Simulated messages that no correct server can send.
#include "support/builders.hpp"
#include "support/calm_scenario.hpp"
#include "support/simulated.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/faults/hostile_messages.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace totora::test::simulator_hostile_tests
{
namespace
{

using boost::unit_test::label;

[[nodiscard]] State log_of_two_terms()
{
    auto state = follower(S1, Term{3}, {{Term{1}, Index{1}, 3}, {Term{3}, Index{4}, 2}});
    state.commit_index = state.apply_index = Index{4};
    return state;
}

/// A server of each role, and one that has only started.
[[nodiscard]] std::vector<State> servers_of_each_role()
{
    auto follows = log_of_two_terms();
    follows.role = Role{Follower{S2}};
    auto asks = step(log_of_two_terms(), ring(log_of_two_terms(), Alarm::election)).state;
    return {follows, asks, candidate(log_of_two_terms()), leader(log_of_two_terms()), follower(S1, Term{}, {})};
}

BOOST_AUTO_TEST_CASE(the_core_notes_each_hostile_message_and_does_nothing, *label("case_78"))
{
    auto noted = std::set<Decision>{};
    auto random = testing::Prng{1};
    for (auto const& state : servers_of_each_role())
        for (auto drawn = 0; drawn < 2'000; ++drawn) {
            auto const hostile = simulate::HostileMessages{state, 3, random}.draw();
            // The node checks what is wrong with entries.
            if (not hostile or not hostile->noted or hostile->noted == Decision::violation_configuration)
                continue;
            auto const [after, outgoing] = step(state, message_from(hostile->received.from, hostile->received.rpc));
            BOOST_TEST((after == state));
            BOOST_TEST(outgoing.messages.empty());
            BOOST_TEST((outgoing.decisions.size() == 1U and *outgoing.decisions.begin() == *hostile->noted),
                       to_string(*hostile->noted));
            noted.insert(*hostile->noted);
        }
    BOOST_TEST(noted.size() == 8U);
}

BOOST_AUTO_TEST_CASE(whole_clusters_tolerate_hostile_messages_of_every_kind, *label("case_78"))
{
    auto scenario = calm_scenario(1, 10'000);
    plan_often(scenario, simulate::Fault::hostile_message, 100);

    auto const report = simulated(scenario);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.faults[simulate::Fault::hostile_message] == 100U);
    for (auto outcome = std::size_t{0}; outcome < decision_count; ++outcome)
        if (auto const which = static_cast<Decision>(outcome);
            is_violation(which) or which == Decision::response_from_non_member)
            BOOST_TEST(report.decisions[outcome] > 0U, to_string(which) << " never happened");
}

BOOST_AUTO_TEST_CASE(a_hostile_message_that_changes_something_is_seen)
{
    auto       checks = simulate::Checks{};
    auto const state = log_of_two_terms();
    checks.received_hostile(state, state, true, true);
    BOOST_TEST(checks.broken() == "");

    auto changed = state;
    changed.voted_for = S2;
    checks.received_hostile(state, changed, true, true);
    BOOST_TEST(checks.broken() == "what no correct server can send changes nothing");
}

BOOST_AUTO_TEST_CASE(a_hostile_message_that_is_answered_is_seen)
{
    auto       checks = simulate::Checks{};
    auto const state = log_of_two_terms();
    checks.received_hostile(state, state, true, false);
    BOOST_TEST(checks.broken() == "what no correct server can send is not answered");
}

BOOST_AUTO_TEST_CASE(a_hostile_message_that_is_not_noted_is_seen)
{
    auto       checks = simulate::Checks{};
    auto const state = log_of_two_terms();
    checks.received_hostile(state, state, false, true);
    BOOST_TEST(checks.broken() == "what no correct server can send is noted, by its name and sender");
}

BOOST_AUTO_TEST_CASE(no_server_campaigns_beyond_the_last_term, *label("case_78"))
{
    auto scenario = calm_scenario(1, 2'000);
    scenario.terms_end = true;

    auto const report = simulated(scenario);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.decisions[static_cast<std::size_t>(Decision::campaign_withheld_exhausted)] > 0U);
}

BOOST_AUTO_TEST_CASE(a_campaign_beyond_the_last_term_is_seen, *label("case_78"))
{
    auto checks = simulate::Checks{};
    checks.sent(0, S2, RequestVote{Term{number_max + 1}, {}});
    BOOST_TEST(checks.broken() == "no server requests votes beyond the last term");
}

} // namespace
} // namespace totora::test::simulator_hostile_tests
