// SPDX-License-Identifier: BSL-1.0
// What the simulator must detect: parts of a cluster with one fault each, found within a few seeds.
#include "support/calm_scenario.hpp"
#include "support/sabotage.hpp"
#include "totora/testing/simulate/shrink.hpp"
#include "totora/testing/simulate/simulation.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

namespace totora::test::simulator_sabotage_tests
{
namespace
{

using boost::unit_test::label;

[[nodiscard]] std::string run(std::uint64_t seed, simulate::SimulationOptions const& options)
{
    return simulate::Simulation<SabotagedParts>{simulate::make_scenario(seed, options)}.run().broken;
}

/// What is found first, in so many seeds.
[[nodiscard]] std::string find(Sabotage which, std::uint64_t seeds)
{
    auto const wrong = WithSabotage{which};
    auto const options = simulate::SimulationOptions{.events = 10'000};
    for (auto seed = std::uint64_t{1}; seed <= seeds; ++seed)
        if (auto broken = run(seed, options); not broken.empty())
            return broken;
    return {};
}

BOOST_AUTO_TEST_CASE(parts_that_are_right_raise_no_alarm) { BOOST_TEST(find(Sabotage::none, 6) == ""); }

BOOST_AUTO_TEST_CASE(syncs_that_report_success_and_do_nothing_are_detected, *label("case_63"))
{
    BOOST_TEST(find(Sabotage::syncs_lie, 6) != "");
}

BOOST_AUTO_TEST_CASE(votes_that_do_not_survive_are_detected, *label("case_1"))
{
    BOOST_TEST(find(Sabotage::votes_are_forgotten, 12) == "a vote survives a crash");
}

BOOST_AUTO_TEST_CASE(a_machine_that_skips_a_command_is_detected)
{
    BOOST_TEST(find(Sabotage::a_machine_skips, 3) == "machines that have applied the same entries are equal");
}

BOOST_AUTO_TEST_CASE(entries_that_change_in_flight_are_detected)
{
    BOOST_TEST(find(Sabotage::entries_are_forged, 3) == "two entries of one index and one term differ");
}

BOOST_AUTO_TEST_CASE(reads_that_may_be_stale_are_detected, *label("case_46"))
{
    BOOST_TEST(find(Sabotage::reads_are_stale, 6).starts_with("the clients' history is not linearizable"));
}

BOOST_AUTO_TEST_CASE(a_quorum_that_elects_no_leader_is_detected)
{
    BOOST_TEST(find(Sabotage::votes_do_not_arrive, 1) ==
               "a healed quorum has a leader within 10 election timeouts, or 20 where votes collide");
}

BOOST_AUTO_TEST_CASE(a_quorum_that_commits_nothing_is_detected)
{
    BOOST_TEST(find(Sabotage::appends_do_not_arrive, 3) != "");
}

BOOST_AUTO_TEST_CASE(an_election_without_a_reason_in_the_simulation_is_detected, *label("case_94"))
{
    auto const wrong = WithSabotage{Sabotage::leaders_fall_silent};
    auto const report = simulate::Simulation<SabotagedParts>{calm_scenario(1, 10'000)}.run();

    BOOST_TEST(report.broken == "no election while a leader and a quorum with it are well, and their links and disks");
}

BOOST_AUTO_TEST_CASE(links_that_report_taking_what_they_do_not_are_detected, *label("case_94"))
{
    auto const wrong = WithSabotage{Sabotage::links_lie};
    auto       scenario = calm_scenario(1, 40'000);
    scenario.settings.core.check_quorum = true;
    plan_often(scenario, simulate::Fault::bulk_stopped, 20);

    BOOST_TEST(simulate::Simulation<SabotagedParts>{scenario}.run().broken ==
               "a leader whose entries get through to no quorum steps down");
}

BOOST_AUTO_TEST_CASE(a_life_that_is_taken_for_the_one_before_is_detected, *label("case_45"))
{
    auto const wrong = WithSabotage{Sabotage::lives_are_one};
    auto       scenario = calm_scenario(1, 10'000);
    scenario.members_change = true;
    plan_often(scenario, simulate::Fault::directory_lost, 1);

    // Whichever comes first.
    auto const broken = simulate::Simulation<SabotagedParts>{scenario}.run().broken;
    BOOST_TEST((broken == "a life of a server that no configuration names neither votes nor acknowledges" or
                broken == "an answer counts for the life of a server that the log of its receiver names"),
               broken);
}

BOOST_AUTO_TEST_CASE(few_faults_are_left_of_a_seed_that_fails)
{
    auto const wrong = WithSabotage{Sabotage::syncs_lie};
    auto const options = simulate::SimulationOptions{.servers_most = 3, .events = 5'000};
    auto       seed = std::uint64_t{1};
    while (run(seed, options).empty())
        ++seed;

    auto const fails = [&](simulate::SimulationOptions const& fewer) { return not run(seed, fewer).empty(); };
    auto const smallest = simulate::Shrinker{seed, options, fails}.shrink();

    BOOST_TEST(fails(smallest));
    BOOST_TEST(simulate::make_scenario(seed, options).plan.size() > 10);
    BOOST_TEST(simulate::make_scenario(seed, smallest).plan.size() <= 3);
}

} // namespace
} // namespace totora::test::simulator_sabotage_tests
