// SPDX-License-Identifier: BSL-1.0
// Servers that lose their directories in a simulation and come back in other lives: what happens, and the laws about it.
#include "support/builders.hpp"
#include "support/calm_scenario.hpp"
#include "support/log_entries.hpp"
#include "support/simulated.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/members/drawn_members.hpp"
#include "totora/testing/simulate/network/endpoint.hpp"
#include "totora/testing/simulate/simulation_totals.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace totora::test::simulator_lives_tests
{
namespace
{

using boost::unit_test::label;
using simulate::Checks;
using simulate::MemberCount;

constexpr auto another = Incarnation{77};

/// Voters in their first life, of which S2 may be in another.
[[nodiscard]] std::vector<Peer> voters(std::vector<std::uint64_t> const& ids, Incarnation of_s2 = first_incarnation)
{
    auto peers = std::vector<Peer>{};
    for (auto const id : ids)
        peers.push_back({{ServerId{id}, id == 2 ? of_s2 : first_incarnation, MemberKind::voter}, "at"});
    return peers;
}

/// Three servers, all of them members.
[[nodiscard]] Checks three()
{
    auto checks = Checks{};
    checks.has_servers(5);
    checks.begins_with(voters({1, 2, 3}));
    return checks;
}

/// S1 appends a configuration at index 1 of term 1.
void names(Checks& checks, std::vector<Peer> const& peers)
{
    auto const payload = encode_configuration(Abilities{}, peers);
    auto       entries = Entries{};
    entries.add(conformance::entry_slice(Index{1}, Term{1}, payload, EntryKind::configuration), 1);
    checks.appended(0, {}, entries);
}

void keeps(Checks& checks, ServerId id, LogPosition last)
{
    checks.vote_written(id.value - 1, WriteNumber{1}, Term{1}, S1);
    checks.append_written(id.value - 1, WriteNumber{1}, last);
    checks.durable_reported(id.value - 1, WriteNumber{1});
}

/// S1 with a configuration at index 1.
[[nodiscard]] State holds(std::vector<Peer> const& peers, Index commit)
{
    auto state = follower(S1, Term{1}, {{Term{1}, Index{1}, 1}});
    state.configurations.append({Index{1}, members_of(peers)});
    state.commit_index = commit;
    return state;
}

// --- Laws ----------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_promise_of_a_life_that_no_configuration_names_is_seen, *label("case_45"))
{
    constexpr auto law = "a life of a server that no configuration names neither votes nor acknowledges";
    auto const     vote = Rpc{RequestVoteResponse{Term{1}, true}};
    auto const     acknowledgement = Rpc{AppendEntriesResponse{.term = Term{1},
                                                               .success = true,
                                                               .match = Index{1},
                                                               .conflict_hint = {},
                                                               .round = {},
                                                               .number = AppendNumber{1},
                                                               .no_room = false}};
    auto const     send = [](Rpc const& rpc, bool is_other, bool is_named) {
        auto checks = three();
        if (is_other)
            checks.begin_life(1, another);
        names(checks, voters({1, 2, 3}, is_named ? another : first_incarnation));
        keeps(checks, S2, {Term{1}, Index{1}});
        checks.sent(1, S1, rpc);
        return checks.broken();
    };
    for (auto const& rpc : {vote, acknowledgement}) {
        BOOST_TEST(send(rpc, false, false) == "");
        BOOST_TEST(send(rpc, true, true) == "");
        BOOST_TEST(send(rpc, true, false) == law);
    }
    BOOST_TEST(send(RequestVoteResponse{Term{1}, false}, true, false) == "", "a refusal promises nothing");
}

BOOST_AUTO_TEST_CASE(a_member_that_is_in_another_life_without_having_been_removed_is_seen, *label("case_45"))
{
    auto const step = [](std::vector<Peer> const& earlier, std::vector<Peer> const& later) {
        auto checks = three();
        auto before = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}));
        before.configurations.append({Index{1}, members_of(earlier)});
        auto after = before;
        after.configurations.append({Index{2}, members_of(later)});
        checks.stepped(0, before, after);
        return checks.broken();
    };
    BOOST_TEST(step(voters({1, 2, 3}), voters({1, 3})) == "");
    BOOST_TEST(step(voters({1, 3}), voters({1, 2, 3}, another)) == "");
    BOOST_TEST(step(voters({1, 2, 3}), voters({1, 2, 3}, another)) ==
               "a server is removed in one life before it is a member in another");
}

BOOST_AUTO_TEST_CASE(an_answer_of_another_life_that_a_transport_takes_is_seen, *label("case_45"))
{
    auto const take = [](Incarnation life, Rpc const& rpc) {
        auto checks = three();
        checks.taken(holds(voters({1, 2, 3}), Index{}), {S2, life, {}}, rpc);
        return checks.broken();
    };
    BOOST_TEST(take(first_incarnation, RequestVoteResponse{}) == "");
    BOOST_TEST(take(another, RequestVote{}) == "", "whoever asks is answered");
    BOOST_TEST(take(another, RequestVoteResponse{}) ==
               "an answer counts for the life of a server that the log of its receiver names");
}

BOOST_AUTO_TEST_CASE(what_is_committed_is_counted_in_the_lives_that_the_configuration_names, *label("case_45"))
{
    auto const commit = [](bool is_stored_before, Incarnation named) {
        auto checks = three();
        names(checks, voters({1, 2, 3}, named));
        keeps(checks, S1, {Term{1}, Index{1}});
        if (is_stored_before)
            keeps(checks, S2, {Term{1}, Index{1}});
        checks.begin_life(1, another);
        if (not is_stored_before)
            keeps(checks, S2, {Term{1}, Index{1}});
        checks.after_event(0, holds(voters({1, 2, 3}, named), Index{1}));
        return checks.broken();
    };
    constexpr auto law = "what is committed is durable on a majority";
    BOOST_TEST(commit(true, first_incarnation) == "", "it was, before the directory was lost");
    BOOST_TEST(commit(false, another) == "");
    BOOST_TEST(commit(false, first_incarnation) == law);
    BOOST_TEST(commit(true, another) == law);
}

// --- What is planned -------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(no_more_members_lose_their_directories_than_a_quorum_can_do_without)
{
    auto checks = three();
    BOOST_TEST(checks.may_lose_directory(1));
    BOOST_TEST(not checks.may_lose_directory(3), "it is no member");

    checks.begin_life(1, another);
    BOOST_TEST(not checks.may_lose_directory(1), "it waits to be let in");
    BOOST_TEST(not checks.may_lose_directory(2));
    BOOST_TEST(checks.may_be_asked_for(voters({1, 2, 3})));
    BOOST_TEST(not checks.may_be_asked_for(voters({1, 2})));
    BOOST_TEST(checks.may_be_asked_for(voters({1, 2}, another)));
}

BOOST_AUTO_TEST_CASE(a_request_for_members_that_is_open_keeps_their_directories)
{
    auto checks = three();
    (void)checks.asked(0, voters({1, 2}));
    BOOST_TEST(not checks.may_lose_directory(1));
    BOOST_TEST(checks.may_lose_directory(2));
}

BOOST_AUTO_TEST_CASE(members_in_lives_that_have_ended_are_removed_and_servers_added_in_the_life_they_are_in)
{
    auto const lives = std::vector<Incarnation>{first_incarnation, another, first_incarnation};
    auto       random = testing::Prng{1};
    auto       removed = 0;
    auto       added = 0;
    for (auto left = 200; left > 0; --left) {
        auto const with_old = leader(holds(voters({1, 2, 3}), Index{1}));
        auto const without = leader(holds(voters({1, 3}), Index{1}));
        removed +=
            members_of(simulate::DrawnMembers{with_old, 3, random, lives}.draw().peers) == members_of(voters({1, 3}))
                ? 1
                : 0;
        added += members_of(simulate::DrawnMembers{without, 3, random, lives}.draw().peers) ==
                         members_of(voters({1, 3, 2}, another))
                     ? 1
                     : 0;
    }
    BOOST_TEST(removed > 60);
    BOOST_TEST(added > 10);
}

// --- The network -----------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(an_endpoint_takes_answers_of_the_life_that_was_named_alone, *label("case_45"))
{
    auto const now_us = std::uint64_t{0};
    auto       counts = simulate::FaultCounts{};
    auto       network = simulate::Network{cluster_of("any"), {}, testing::Prng{1}, now_us, counts};
    auto       endpoint = simulate::Endpoint{network, 0};
    auto const answer = Rpc{RequestVoteResponse{}};
    BOOST_TEST(endpoint.takes({S2, another}, answer), "nobody named S2");

    endpoint.update(S2, first_incarnation, "");
    BOOST_TEST(endpoint.takes({S2, first_incarnation}, answer));
    BOOST_TEST(not endpoint.takes({S2, another}, answer));
    BOOST_TEST(endpoint.takes({S2, another}, RequestVote{}));
}

// --- Whole runs ------------------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_member_that_loses_its_directory_is_removed_and_let_in_again, *label("case_45"))
{
    auto scenario = calm_scenario(1, 10'000, 5);
    scenario.members_change = true;
    plan_often(scenario, simulate::Fault::directory_lost, 2);

    auto const report = simulated(scenario);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.faults[simulate::Fault::directory_lost] == 2U);
    auto members = report.members;
    BOOST_TEST(members[MemberCount::lives_let_in] == 2U);
    BOOST_TEST(members[MemberCount::promises_of_later_lives] > 0U);
    BOOST_TEST(members[MemberCount::frames_of_other_lives] > 0U);
}

BOOST_AUTO_TEST_CASE(directories_are_lost_in_the_middle_of_everything, *label("case_45"))
{
    auto totals = simulate::SimulationTotals{};
    for (auto seed = std::uint64_t{1}; seed <= 30; ++seed) {
        auto scenario = simulate::make_scenario(seed, {.events = 10'000});
        auto is_lost = false;
        for (auto const& fault : scenario.plan)
            is_lost = is_lost or fault.kind == simulate::Fault::directory_lost;
        BOOST_TEST((scenario.members_change or not is_lost));
        if (not is_lost)
            continue;
        auto const report = simulated(scenario);
        BOOST_TEST(report.broken == "", "seed " << seed << ": " << report.broken);
        totals.add(report);
    }
    BOOST_TEST(totals.faults[simulate::Fault::directory_lost] > 5U);
    BOOST_TEST(totals.members[MemberCount::lives_let_in] > 2U);
    BOOST_TEST(totals.members[MemberCount::promises_of_later_lives] > 100U);
}

} // namespace
} // namespace totora::test::simulator_lives_tests
