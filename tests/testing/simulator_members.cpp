// SPDX-License-Identifier: BSL-1.0
// Members that change in a simulation: what is drawn, what happens, and the laws about it, each with what it must detect.
#include "support/builders.hpp"
#include "support/calm_scenario.hpp"
#include "support/log_entries.hpp"
#include "support/simulated.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/members/drawn_members.hpp"
#include "totora/testing/simulate/simulation_totals.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace totora::test::simulator_members_tests
{
namespace
{

using boost::unit_test::label;
using simulate::Checks;

/// Voters with an address each.
[[nodiscard]] std::vector<Peer> named(std::vector<std::uint64_t> const& ids)
{
    auto peers = std::vector<Peer>{};
    for (auto const id : ids)
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, "at" + std::to_string(id)});
    return peers;
}

[[nodiscard]] Members members_of_ids(std::vector<std::uint64_t> const& ids) { return members_of(named(ids)); }

/// A cluster of three, of which S1 has appended a configuration of these voters at index 1 of term 1.
void makes(Checks& checks, std::vector<std::uint64_t> const& ids)
{
    checks.has_servers(5);
    checks.begins_with(named({1, 2, 3}));
    auto const payload = encode_configuration(Abilities{}, named(ids));
    auto       entries = Entries{};
    entries.add(conformance::entry_slice(Index{1}, Term{1}, payload, EntryKind::configuration), 1);
    checks.appended(0, {}, entries);
}

/// S1 with that entry, which is committed or not.
[[nodiscard]] State holds(std::vector<std::uint64_t> const& ids, Index commit)
{
    auto state = follower(S1, Term{1}, {{Term{1}, Index{1}, 1}});
    state.configurations.append({Index{1}, members_of_ids(ids)});
    state.commit_index = commit;
    return state;
}

void keeps(Checks& checks, ServerId id, LogPosition last)
{
    checks.append_written(id.value - 1, WriteNumber{1}, last);
    checks.durable_reported(id.value - 1, WriteNumber{1});
}

// --- Commitment ----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(in_a_joint_configuration_a_commit_that_one_half_has_not_is_seen, *label("6"))
{
    auto members = members_of_ids({1, 2, 3, 4, 5});
    for (auto at = std::size_t{0}; at < 5; ++at)
        members[at].kind = at == 0 ? MemberKind::voter : at < 3 ? MemberKind::leaving : MemberKind::joining;
    auto state = holds({1, 2, 3}, Index{1});
    state.configurations.in_force.members = members;

    for (auto const is_on_both : {false, true}) {
        auto checks = Checks{};
        makes(checks, {1, 2, 3});
        keeps(checks, S1, {Term{1}, Index{1}});
        keeps(checks, S2, {Term{1}, Index{1}});
        if (is_on_both)
            keeps(checks, S4, {Term{1}, Index{1}});
        checks.after_event(0, state);
        BOOST_TEST(checks.broken() == (is_on_both ? "" : "what is committed is durable on a majority"));
    }
}

BOOST_AUTO_TEST_CASE(a_follower_that_commits_before_any_leader_is_seen, *label("5.3"))
{
    auto checks = Checks{};
    makes(checks, {1, 2, 3});
    keeps(checks, S1, {Term{1}, Index{1}});
    keeps(checks, S2, {Term{1}, Index{1}});
    checks.stepped(0, holds({1, 2, 3}, Index{}), holds({1, 2, 3}, Index{1}));
    BOOST_TEST(checks.broken() == "nobody but a leader commits what was not committed before");
}

BOOST_AUTO_TEST_CASE(a_leader_may_commit_by_the_configuration_before_the_one_that_it_appends_in_the_same_step,
                     *label("6"))
{
    auto checks = Checks{};
    makes(checks, {1, 2, 3});
    keeps(checks, S1, {Term{1}, Index{1}});
    keeps(checks, S2, {Term{1}, Index{1}});
    auto const before = leader(holds({1, 2, 3}, Index{}));
    auto       after = before;
    after.commit_index = Index{1};
    after.configurations.append({Index{1}, members_of_ids({3, 4, 5})});
    checks.stepped(0, before, after);
    BOOST_TEST(checks.broken() == "");
}

// --- Operators -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_request_of_an_operator_that_ends_twice_is_seen)
{
    auto       checks = Checks{};
    auto const request = checks.asked(0, named({1, 2}));
    BOOST_TEST(checks.requests_at(0) == 1U);
    checks.change_ended(request, ChangeUnknown{});
    BOOST_TEST(checks.requests_at(0) == 0U);
    BOOST_TEST(checks.broken() == "");
    checks.change_ended(request, ChangeUnknown{});
    BOOST_TEST(checks.broken() == "every request of an operator ends exactly once");
}

BOOST_AUTO_TEST_CASE(a_request_that_ends_with_its_process_and_again_is_seen)
{
    auto       checks = Checks{};
    auto const request = checks.asked(1);
    checks.requests_gone(0);
    BOOST_TEST(checks.is_open(request));
    checks.requests_gone(1);
    BOOST_TEST(not checks.is_open(request));
    checks.transfer_ended(request, TransferRefused{}, false);
    BOOST_TEST(checks.broken() == "every request of an operator ends exactly once");
}

BOOST_AUTO_TEST_CASE(a_change_that_is_done_without_its_members_being_committed_is_seen, *label("6"))
{
    constexpr auto law = "a change that is done has put its members in force, and that is committed";
    auto const     end = [](std::vector<std::uint64_t> const& wanted, bool is_committed) {
        auto checks = Checks{};
        makes(checks, {1, 2, 4});
        keeps(checks, S1, {Term{1}, Index{1}});
        keeps(checks, S2, {Term{1}, Index{1}});
        if (is_committed)
            checks.after_event(0, leader(holds({1, 2, 4}, Index{1})));
        checks.change_ended(checks.asked(0, named(wanted)), MembersChanged{Index{1}});
        return checks.broken();
    };
    BOOST_TEST(end({4, 2, 1}, true) == "");
    BOOST_TEST(end({1, 2, 4}, false) == law);
    BOOST_TEST(end({1, 2, 3}, true) == law);
    BOOST_TEST(end({1, 2}, true) == law);
}

BOOST_AUTO_TEST_CASE(a_leader_that_has_handed_over_and_leads_is_seen, *label("dissertation 3.10"))
{
    auto checks = Checks{};
    checks.transfer_ended(checks.asked(0), TransferFailed{}, true);
    checks.transfer_ended(checks.asked(0), HandedOver{}, false);
    BOOST_TEST(checks.broken() == "");
    checks.transfer_ended(checks.asked(0), HandedOver{}, true);
    BOOST_TEST(checks.broken() == "a server that has handed over does not lead");
}

// --- Addresses -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_transport_that_does_not_know_a_member_or_knows_another_one_is_seen)
{
    auto const look = [](std::vector<Peer> const& known) {
        auto checks = Checks{};
        makes(checks, {1, 2, 4});
        for (auto const& peer : known)
            checks.introduced(0, peer);
        checks.look_at_addresses(0, holds({1, 2, 4}, Index{}));
        return checks.broken();
    };
    auto moved = named({2, 4});
    moved[0].address = "elsewhere";
    BOOST_TEST(look(named({2, 4})) == "");
    BOOST_TEST(look(named({2, 3, 4})) == "", "a member of the configuration before");
    BOOST_TEST(look(named({2})) == "a transport knows where the members are to be found");
    BOOST_TEST(look(moved) == "a transport knows where the members are to be found");
    BOOST_TEST(look(named({2, 4, 5})) == "a transport knows nobody whom no configuration names");
}

// --- Who may count ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_leader_to_come_may_count_the_members_of_what_is_committed_and_of_what_follows_it, *label("6"))
{
    auto checks = Checks{};
    makes(checks, {1, 4});
    BOOST_TEST((checks.servers_that_may_count() == std::vector{S1, S2, S3, S4}));

    keeps(checks, S1, {Term{1}, Index{1}});
    keeps(checks, S4, {Term{1}, Index{1}});
    checks.after_event(0, leader(holds({1, 4}, Index{1})));
    BOOST_TEST((checks.servers_that_may_count() == std::vector{S1, S4}));
    BOOST_TEST(checks.broken() == "");
}

// --- What is drawn ---------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(the_members_of_two_thirds_of_the_seeds_change)
{
    auto changing = 0;
    auto joiners = 0;
    for (auto seed = std::uint64_t{1}; seed <= 100; ++seed) {
        auto const scenario = simulate::make_scenario(seed, {});
        auto const is_asked = std::any_of(scenario.plan.begin(), scenario.plan.end(), [](auto const& fault) {
            return fault.kind == simulate::Fault::members_changed;
        });
        BOOST_TEST(is_asked == scenario.members_change, "seed " << seed);
        changing += scenario.members_change ? 1 : 0;
        joiners += scenario.first_members > 0 and scenario.first_members < scenario.servers ? 1 : 0;
        BOOST_TEST((not scenario.members_change or scenario.damageable == 0));
    }
    BOOST_TEST(changing > 50);
    BOOST_TEST(changing < 80);
    BOOST_TEST(joiners > 10);
}

BOOST_AUTO_TEST_CASE(members_are_drawn_that_can_be_asked_for_and_some_that_cannot)
{
    auto const state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}));
    auto       random = testing::Prng{1};
    auto       sound = 0;
    auto       unsound = 0;
    for (auto left = 200; left > 0; --left) {
        auto const wanted = simulate::DrawnMembers{state, 5, random}.draw();
        ++(can_be_asked_for(members_of(wanted.peers)) ? sound : unsound);
    }
    BOOST_TEST(sound > 100);
    BOOST_TEST(unsound > 5);

    auto const all = simulate::DrawnMembers{state, 5, random}.draw({S2, S5});
    BOOST_TEST(all.peers.size() == 2U);
    BOOST_TEST(can_be_asked_for(members_of(all.peers)));
}

/// A number with which an operator asks a leader of S1 to S4 for these members, and nothing else.
[[nodiscard]] std::uint64_t number_that_asks_for(std::vector<std::uint64_t> const& ids)
{
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}));
    state.configurations.in_force.members = members_of_ids({1, 2, 3, 4});
    auto const asks = [&](std::uint64_t number) {
        auto       random = testing::Prng{number};
        auto const wanted = simulate::DrawnMembers{state, 4, random}.draw();
        return wanted.expected == state.configurations.in_force.index and
               members_of(wanted.peers) == members_of_ids(ids);
    };
    auto number = std::uint64_t{1};
    while (number % 16 == 0 or not asks(number))
        ++number;
    return number;
}

BOOST_AUTO_TEST_CASE(a_removed_server_may_be_in_a_later_term_than_the_leader_of_a_healed_quorum,
                     *label("dissertation 4.2.3"))
{
    auto scenario = calm_scenario(1, 4'000, 4);
    scenario.settings.core.pre_vote = false;
    scenario.settings.core.sticky = scenario.settings.core.check_quorum = true;
    scenario.members_change = true;
    scenario.plan = {{.number = 1,
                      .at_event = 1'000,
                      .kind = simulate::Fault::isolate_one,
                      .server = 2,
                      .lasts_us = 1'000'000'000'000},
                     {.number = 2,
                      .at_event = 3'998,
                      .kind = simulate::Fault::members_changed,
                      .seed = number_that_asks_for({1, 2, 4})}};

    auto const report = simulated(scenario);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.decisions[static_cast<std::size_t>(Decision::vote_withheld_sticky_to_leader)] > 0U);
}

BOOST_AUTO_TEST_CASE(members_change_in_the_middle_of_everything, *label("6"))
{
    auto totals = simulate::SimulationTotals{};
    for (auto seed = std::uint64_t{1}; seed <= 30; ++seed) {
        auto scenario = simulate::make_scenario(seed, {.events = 10'000});
        if (not scenario.members_change)
            continue;
        auto const report = simulated(scenario);
        BOOST_TEST(report.broken == "", "seed " << seed << ": " << report.broken);
        totals.add(report);
    }
    BOOST_TEST(totals.members[simulate::MemberCount::changes_done] > 40U);
    BOOST_TEST(totals.members[simulate::MemberCount::changes_refused] > 40U);
    BOOST_TEST(totals.members[simulate::MemberCount::transfers_done] > 0U);
    for (auto const decision : {Decision::configuration_appended, Decision::joint_configuration_appended,
                                Decision::stepped_down_removed, Decision::timeout_now_sent})
        BOOST_TEST(totals.decisions[static_cast<std::size_t>(decision)] > 0U, to_string(decision));
}

} // namespace
} // namespace totora::test::simulator_members_tests
