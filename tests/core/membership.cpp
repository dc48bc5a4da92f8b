// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/joint.hpp"

#include "support/cluster.hpp"
#include "support/prove.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <variant>
#include <vector>

// docs/cases.md, chapter F: how the members change (§6, dissertation §4). A is S1, B is S2, and so on.

namespace totora::test::membership_tests
{
namespace
{

/// A set that can be asked for.
[[nodiscard]] constexpr Members
members(std::initializer_list<ServerId> voters, std::initializer_list<ServerId> learners = {})
{
    auto set = Members{};
    for (auto const voter : voters)
        set.push_back({voter, Incarnation{1}, MemberKind::voter});
    for (auto const learner : learners)
        set.push_back({learner, Incarnation{1}, MemberKind::learner});
    return in_order(set);
}

/// A change of the configuration in force on a server.
[[nodiscard]] constexpr ChangeRequested change_of(State const& leader, Members const& target, bool forced = false)
{
    return {leader.configurations.in_force.index, target, forced};
}

[[nodiscard]] constexpr Members in_force(Cluster const& cluster, ServerId server)
{
    return cluster[server].configurations.in_force.members;
}

[[nodiscard]] constexpr bool is_refused(Outgoing const& outgoing, Refusal why)
{
    auto const* refused = outgoing.answer ? std::get_if<Refused>(&*outgoing.answer) : nullptr;
    return refused != nullptr and refused->why == why and outgoing.writes.empty() and outgoing.messages.empty();
}

[[nodiscard]] constexpr bool is_started(Outgoing const& outgoing)
{
    return outgoing.answer == std::optional<Answer>{ChangeStarted{}};
}

[[nodiscard]] constexpr bool has_ended(Outgoing const& outgoing, ChangeEnd how, Index configuration)
{
    return outgoing.change_ended == std::optional<ChangeEnded>{ChangeEnded{how, configuration}};
}

/// The leader, whose heartbeat alarm rings, and these servers receive from each other until nothing moves.
constexpr void beat(Cluster& cluster, ServerId leader, std::initializer_list<ServerId> connected)
{
    cluster.rings(leader, Alarm::heartbeat);
    cluster.settle(connected);
}

/// What is in flight to a follower arrives, becomes durable, and is answered.
constexpr void exchange(Cluster& cluster, ServerId leader, ServerId follower)
{
    cluster.deliver_all(leader, follower);
    cluster.persists(follower);
    cluster.deliver_all(follower, leader);
}

/// S2 asks S3 and S4 for their votes, and S1 for none.
constexpr void elect_b(Cluster& cluster)
{
    for (auto const server : {S2, S3, S4})
        cluster.finds_leader_silent(server);
    cluster.rings(S2, Alarm::election);
    for (auto const voter : {S3, S4, S3, S4}) { // First the pre-vote, then the vote.
        cluster.persists(S2);
        exchange(cluster, S2, voter);
    }
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{2}, "2: B leads");
    cluster.drop_all();
}

/// S1 leads {S1, S2, S3} in term 1 and its no-op is committed; `joiners` more servers wait.
[[nodiscard]] constexpr Cluster led_by_a(std::uint64_t joiners, std::uint64_t voters = 3)
{
    auto cluster = Cluster{voters, Settings{}, joiners};
    if (voters == 2)
        cluster.campaigns(S1, {S1, S2});
    else if (voters == 3)
        cluster.campaigns(S1, {S1, S2, S3});
    else
        cluster.campaigns(S1, {S1, S2, S3, S4});
    require(is_leader(cluster[S1]) and cluster[S1].commit_index == Index{1}, "S1 leads");
    return cluster;
}

constexpr auto all_but_one_voter_are_replaced_by_way_of_a_joint_configuration = [] {
    auto cluster = led_by_a(2);
    cluster.happens(S1, Proposed{3});
    cluster.settle({S1, S2, S3});

    cluster.happens(S1, change_of(cluster[S1], members({S1, S4, S5})));
    require(is_started(cluster.outgoing()) and arms(cluster.outgoing(), Alarm::catch_up), "the change begins");
    require(in_force(cluster, S1) == members({S1, S2, S3}, {S4, S5}), "newcomers are learners at once");
    require(cluster[S1].configurations.in_force.index == Index{5}, "by an entry");
    cluster.settle({S1, S2, S3});
    require(cluster[S1].commit_index == Index{5} and cluster[S1].membership.phase == ChangePhase::catching_up,
            "that is committed, and the newcomers have nothing yet");

    beat(cluster, S1, {S1, S4, S5});
    require(last_position(cluster[S5]) == LogPosition{Term{1}, Index{6}}, "they receive all");
    require(is_joint(cluster[S5].configurations.in_force) and cluster[S1].commit_index == Index{5},
            "and then both halves have to agree, of which one is away");
    require(cluster[S1].membership.phase == ChangePhase::changing, "which is waited for");

    beat(cluster, S1, {S1, S2, S4, S5});
    require(in_force(cluster, S1) == members({S1, S4, S5}), "the joint configuration is left");
    require(cluster[S1].configurations.in_force.index == Index{7}, "by the entry after it");
    require(cluster[S1].commit_index == Index{7} and is_leader(cluster[S1]), "which is committed");
    require(not cluster[S1].membership.is_under_way() and cluster[S1].followers.size() == 2, "and the change over");
    require(in_force(cluster, S4) == members({S1, S4, S5}), "for the newcomers too");
    require(is_joint(cluster[S2].configurations.in_force), "who left is told no more");

    cluster.campaigns(S4, {S4, S5});
    require(is_leader(cluster[S4]), "and the newcomers elect one of theirs");
};
TOTORA_PROVE(all_but_one_voter_are_replaced_by_way_of_a_joint_configuration, "6", "dissertation 4.2.1");

constexpr auto a_joiner_neither_votes_nor_campaigns = [] {
    auto cluster = led_by_a(1);

    cluster.times_out(S4);
    require(cluster.outgoing().decisions == decisions_of({Decision::campaign_withheld_not_electable}), "it waits");
    cluster.arrives(S4, from(S2, RequestVote{.term = Term{2}, .last_log = {Term{1}, Index{1}}}));
    require(noted(cluster.outgoing(), Decision::vote_withheld_not_admitted), "and gives no vote");
};
TOTORA_PROVE(a_joiner_neither_votes_nor_campaigns, "6", "case_86");

/// The cluster of case 18: A leads {A, B}, B is away, and entry 2 is durable at A alone.
constexpr auto where_fewer_are_needed_what_waited_is_committed_at_once = [] {
    auto cluster = led_by_a(0, 2);
    cluster.happens(S1, Proposed{1});
    cluster.persists(S1);
    cluster.drop_all();

    cluster.happens(S1, change_of(cluster[S1], members({S1})));
    require(is_started(cluster.outgoing()), "1: B is removed");
    require(cluster[S1].commit_index == Index{2}, "the command is committed in the same step");
    require(cluster.outgoing().messages.empty() and cluster[S1].followers.empty(), "with nobody's help");

    cluster.persists(S1);
    require(cluster[S1].commit_index == Index{3}, "2: the configuration as soon as it is durable");
    require(has_ended(cluster.outgoing(), ChangeEnd::done, Index{3}), "and the change is over");
};
TOTORA_PROVE(where_fewer_are_needed_what_waited_is_committed_at_once, "6", "case_18");

/// The cluster of cases 34 to 37: D is a learner that has caught up, and A has appended that it votes. Of this entry, at index 3,
/// nobody else knows.
[[nodiscard]] constexpr Cluster with_d_about_to_vote()
{
    auto cluster = led_by_a(1);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3})));
    cluster.settle({S1, S2, S3});
    require(cluster[S1].commit_index == Index{2}, "the same members are a change like others");
    require(not cluster[S1].membership.is_under_way(), "which is over when it is committed");
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4})));
    cluster.settle({S1, S2, S3});
    beat(cluster, S1, {S1, S2, S3});
    cluster.rings(S1, Alarm::heartbeat);
    for (auto turn = 0; turn < 8 and cluster[S1].configurations.in_force.index == Index{3}; ++turn)
        exchange(cluster, S1, S4);
    cluster.drop_all();
    require(cluster[S1].configurations.in_force == Configuration{Index{4}, members({S1, S2, S3, S4})},
            "A has appended that D votes");
    require(cluster[S1].commit_index == Index{3} and last_index(cluster[S2]) == Index{3}, "and nobody knows");
    return cluster;
}

/// Case 34, with D for the fifth server: the members are three and a learner.
constexpr auto a_change_waits_for_an_entry_of_the_leaders_own_term = [] {
    auto cluster = led_by_a(1, 4);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4, S5})));
    cluster.settle({S1, S2, S3, S4});
    beat(cluster, S1, {S1, S2, S3, S4});
    beat(cluster, S1, {S1, S5});
    auto const with_e = members({S1, S2, S3, S4, S5});
    require(in_force(cluster, S1) == with_e and in_force(cluster, S5) == with_e, "1: on A and E five vote");

    elect_b(cluster);
    auto const request = change_of(cluster[S2], members({S2, S3, S4}));
    require(is_refused(cluster.happens(S2, request), Refusal::not_settled), "and may not remove A at once");

    beat(cluster, S2, {S2, S3, S4});
    require(is_started(cluster.happens(S2, request)), "but after three of four have its no-op");
    cluster.settle({S2, S3});
    require(in_force(cluster, S3) == members({S2, S3, S4}) and cluster[S2].commit_index == last_index(cluster[S2]),
            "it is committed");

    cluster.loses_power(S1);
    require(in_force(cluster, S1) == with_e, "A still counts five");
    cluster.campaigns(S1, {S1, S4, S5});
    require(not is_leader(cluster[S1]), "3: A has no majority of five, since D has an entry of term 2");
};
TOTORA_PROVE(a_change_waits_for_an_entry_of_the_leaders_own_term, "dissertation 4.1", "case_34");

constexpr auto one_change_at_a_time_whoever_leads = [] {
    auto       cluster = with_d_about_to_vote();
    auto const other = change_of(cluster[S1], members({S1, S2}));
    require(is_refused(cluster.happens(S1, other), Refusal::change_under_way), "1: A is asked for another");

    cluster.rings(S1, Alarm::heartbeat);
    for (auto turn = 0; turn < 4 and last_index(cluster[S2]) == Index{3}; ++turn)
        exchange(cluster, S1, S2);
    cluster.drop_all();
    require(in_force(cluster, S2) == members({S1, S2, S3, S4}) and cluster[S1].commit_index == Index{3},
            "2: B holds the entry, and it is not committed");
    elect_b(cluster);
    require(cluster[S2].followers.size() == 3, "D among its followers");
    auto const removal = change_of(cluster[S2], members({S1, S2, S4}));
    require(is_refused(cluster.happens(S2, removal), Refusal::change_under_way), "and finishes that change first");

    beat(cluster, S2, {S2, S3, S4});
    require(cluster[S2].commit_index == Index{5} and not cluster[S2].membership.is_under_way(), "which is then over");
    auto const outdated = ChangeRequested{Index{3}, members({S1, S2, S4})};
    require(is_refused(cluster.happens(S2, outdated), Refusal::configuration_changed), "what was made for another one");
    require(is_started(cluster.happens(S2, removal)), "the next change is accepted");
};
TOTORA_PROVE(one_change_at_a_time_whoever_leads, "dissertation 4.1", "case_35");

constexpr auto a_configuration_is_in_force_as_soon_as_it_is_appended = [] {
    auto cluster = with_d_about_to_vote();
    beat(cluster, S1, {S1, S3});
    beat(cluster, S1, {S1, S3});
    require(in_force(cluster, S3) == members({S1, S2, S3, S4}) and cluster[S3].commit_index == Index{3},
            "1: C holds that D votes, uncommitted");

    cluster.campaigns(S3, {S2, S3});
    require(not is_leader(cluster[S3]) and cluster[S3].current_term == Term{1}, "2: two of four do not elect it");
    cluster.campaigns(S3, {S2, S3, S4});
    require(is_leader(cluster[S3]), "three do");
};
TOTORA_PROVE(a_configuration_is_in_force_as_soon_as_it_is_appended, "6", "case_36");

constexpr auto a_configuration_that_is_truncated_is_in_force_no_more = [] {
    auto cluster = with_d_about_to_vote();
    cluster.persists(S1);
    cluster.campaigns(S2, {S2, S3});
    require(is_leader(cluster[S2]) and cluster[S2].commit_index == Index{4}, "2: B leads, and commits what it wrote");

    beat(cluster, S2, {S1, S2, S3});
    beat(cluster, S2, {S1, S2, S3});
    auto const earlier = Configuration{Index{3}, members({S1, S2, S3}, {S4})};
    require(cluster[S1].log == cluster[S2].log and cluster[S1].configurations.in_force == earlier,
            "3: with the entry goes the configuration");
    cluster.loses_power(S1);
    require(cluster[S1].configurations.in_force == earlier, "also after a restart");
};
TOTORA_PROVE(a_configuration_that_is_truncated_is_in_force_no_more, "6", "case_37");

/// A server of {A, B, C}, about to be {C, D, E}: the joint configuration is what its directory was made with.
[[nodiscard]] constexpr State of_both_halves(ServerId id, Settings const& settings = {})
{
    auto const joint = Configuration{Index{}, *joint_of(members({S1, S2, S3}), members({S3, S4, S5}))};
    auto       state = recover(settings, Member{id, Incarnation{1}, MemberKind::voter},
                               {.current_term = {},
                                .voted_for = std::nullopt,
                                .log = TermRuns{},
                                .configuration = joint,
                                .previous_configuration = joint,
                                .commit_index = Index{},
                                .applied_index = Index{}});
    return *std::move(state);
}

constexpr auto both_halves_have_to_elect_a_leader = [] {
    auto servers = std::vector<State>{};
    for (auto const id : {S1, S2, S3, S4, S5})
        servers.push_back(of_both_halves(id));
    auto cluster = Cluster{servers};
    for (auto const id : {S1, S2, S3, S4, S5})
        cluster.happens(id, Started{});

    cluster.campaigns(S3, {S1, S2, S3});
    require(is_pre_candidate(cluster[S3]), "1: all of the old half and one of the new one are not enough");
    cluster.campaigns(S3, {S3, S4, S5});
    require(is_pre_candidate(cluster[S3]), "2: nor are all of the new half, three of five servers");
    cluster.campaigns(S3, {S1, S3, S4});
    require(is_leader(cluster[S3]), "two of each are");
    require(in_force(cluster, S3) == members({S3, S4, S5}) and cluster[S3].commit_index == Index{2},
            "and it leaves the joint configuration");
};
TOTORA_PROVE(both_halves_have_to_elect_a_leader, "6", "case_38");

constexpr auto both_halves_have_to_vote = [] {
    auto settings = Settings{};
    settings.pre_vote = false;
    auto state = candidate(of_both_halves(S3, settings));

    for (auto const voter : {S4, S5}) {
        state = checked_step(state, from(voter, RequestVoteResponse{Term{1}, true})).state;
        require(is_candidate(state), "three of five are no majority of the old half");
    }
    state = checked_step(state, from(S2, RequestVoteResponse{Term{1}, true})).state;
    require(is_leader(state), "the fourth is");
};
TOTORA_PROVE(both_halves_have_to_vote, "6", "case_38");

constexpr auto both_halves_have_to_hold_an_entry = [] {
    auto state = leader(of_both_halves(S3));

    for (auto const follower : {S4, S5}) {
        state = checked_step(state, from(follower, accepted(Term{1}, Index{1}))).state;
        require(state.commit_index == Index{}, "three of five are no majority of the old half");
    }
    state = checked_step(state, from(S2, accepted(Term{1}, Index{1}))).state;
    require(state.commit_index == Index{1}, "3: the fourth is");
};
TOTORA_PROVE(both_halves_have_to_hold_an_entry, "6", "case_38");

constexpr auto a_leader_steps_down_if_either_half_is_silent = [] {
    auto state = leader(of_both_halves(S3));
    for (auto const follower : {S4, S5})
        state = checked_step(state, from(follower, accepted(Term{1}, Index{1}))).state;

    auto const [after, outgoing] = checked_step(state, ring(state, Alarm::quorum_check));

    require(is_follower(after), "4: all of the new half answered, and of the old one nobody else");
    require(noted(outgoing, Decision::stepped_down_no_quorum), "by this name");
};
TOTORA_PROVE(a_leader_steps_down_if_either_half_is_silent, "dissertation 6.2", "case_38");

/// C leads {A, B, C} and has appended the joint configuration with {C, D, E}, at index 3. D and E hold it.
[[nodiscard]] constexpr Cluster with_c_in_a_joint_configuration()
{
    auto cluster = Cluster{3, Settings{}, 2};
    cluster.campaigns(S3, {S1, S2, S3});
    cluster.happens(S3, change_of(cluster[S3], members({S3, S4, S5})));
    cluster.settle({S1, S2, S3});
    beat(cluster, S3, {S3, S4, S5});
    require(is_joint(cluster[S3].configurations.in_force) and last_index(cluster[S4]) == Index{3},
            "the newcomers hold the joint configuration");
    require(cluster[S3].commit_index == Index{2}, "and the others do not");
    return cluster;
}

constexpr auto both_halves_have_to_confirm_a_read = [] {
    auto const cluster = with_c_in_a_joint_configuration();
    auto       state = checked_step(cluster[S3], local(ReadRequested{})).state;
    auto const round = std::get_if<Leader>(&state.role)->reads.newest;

    for (auto const follower : {S1, S2}) {
        auto const transition = checked_step(state, from(follower, accepted(Term{1}, Index{1}, 0, round)));
        state = transition.state;
        require(not transition.outgoing.read_allowed, "all of the old half are not enough");
    }
    auto const transition = checked_step(state, from(S4, accepted(Term{1}, Index{1}, 0, round)));
    require(transition.outgoing.read_allowed == std::optional<ReadAllowed>{ReadAllowed{round, Index{2}}},
            "5: with one more of the new half the read is confirmed");
};
TOTORA_PROVE(both_halves_have_to_confirm_a_read, "6", "case_38");

constexpr auto a_leader_that_is_no_member_leads_until_that_is_committed = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, change_of(cluster[S1], members({S2, S3, S4})));
    cluster.settle({S1, S2, S3});
    beat(cluster, S1, {S1, S4});
    require(is_joint(cluster[S4].configurations.in_force), "two voters change, by way of a joint configuration");

    beat(cluster, S1, {S1, S3});
    require(in_force(cluster, S1) == members({S2, S3, S4}) and is_leader(cluster[S1]), "1: A has left, and leads");
    require(last_index(cluster[S3]) == Index{4} and cluster[S1].writes.durable_index == Index{4}, "2: A and C have it");
    require(cluster[S1].commit_index == Index{3}, "and A counts for nothing");

    cluster.rings(S1, Alarm::heartbeat);
    for (auto turn = 0; turn < 4 and is_leader(cluster[S1]); ++turn)
        exchange(cluster, S1, S4);
    require(cluster[S1].commit_index == Index{4} and is_follower(cluster[S1]), "3: with D it is committed");
    require(noted(cluster.outgoing(), Decision::stepped_down_removed), "and A steps down");
    require(has_ended(cluster.outgoing(), ChangeEnd::done, Index{4}), "its work is done");
    require(sent<AppendEntries>(cluster.outgoing(), S4).back().leader_commit == Index{4}, "which it tells the others");

    cluster.drop_all();
    cluster.campaigns(S4, {S3, S4});
    require(is_leader(cluster[S4]), "who go on");
};
TOTORA_PROVE(a_leader_that_is_no_member_leads_until_that_is_committed, "dissertation 4.2.2", "case_39");

constexpr auto any_leader_leaves_a_joint_configuration = [] {
    auto cluster = with_c_in_a_joint_configuration();
    cluster.loses_power(S3);

    cluster.campaigns(S4, {S2, S4, S5});
    require(is_pre_candidate(cluster[S4]), "2: D needs two of the old half");
    cluster.campaigns(S4, {S1, S2, S4});
    require(is_pre_candidate(cluster[S4]), "and another of the new one");
    cluster.campaigns(S4, {S1, S2, S4, S5});
    require(is_leader(cluster[S4]), "and leads with them");
    require(in_force(cluster, S4) == members({S3, S4, S5}), "it leaves what C has begun");
    require(cluster[S4].configurations.in_force.index == Index{5} and last_index(cluster[S4]) == Index{5}, "once");
    beat(cluster, S4, {S4, S5});
    require(cluster[S4].commit_index == Index{5} and not cluster[S4].membership.is_under_way(), "to the end");
    require(last_index(cluster[S4]) == Index{5}, "and not again");
};
TOTORA_PROVE(any_leader_leaves_a_joint_configuration, "6", "case_40");

constexpr auto a_learner_never_campaigns = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3}, {S4})));
    cluster.settle({S1, S2, S3, S4});
    require(in_force(cluster, S4) == members({S1, S2, S3}, {S4}), "D is a learner");

    for (auto timeout = 0; timeout < 10; ++timeout) {
        cluster.times_out(S4);
        require(cluster.outgoing().decisions == decisions_of({Decision::campaign_withheld_not_electable}), "1: waits");
        require(cluster.outgoing().messages.empty() and cluster[S4].current_term == Term{1}, "and asks nobody");
    }
    cluster.drop_all();
    cluster.campaigns(S2, {S2, S4});
    require(not is_leader(cluster[S2]), "and it counts in no majority");
};
TOTORA_PROVE(a_learner_never_campaigns, "dissertation 4.2.1", "case_42");

constexpr auto a_voter_that_is_demoted_campaigns_until_that_is_committed = [] {
    auto cluster = led_by_a(0);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2}, {S3})));
    cluster.deliver_all(S1, S3);
    cluster.persists(S3);
    require(in_force(cluster, S3) == members({S1, S2}, {S3}), "4: C holds that it is demoted");

    cluster.times_out(S3);
    require(is_pre_candidate(cluster[S3]), "and campaigns: it may be needed");
    cluster.drop(S3, S1);
    cluster.drop(S3, S2);
    cluster.settle({S1, S2, S3});
    beat(cluster, S1, {S1, S2, S3});
    beat(cluster, S1, {S1, S2, S3});
    require(cluster[S3].commit_index == Index{2}, "until that is committed");
    cluster.times_out(S3);
    require(cluster.outgoing().decisions == decisions_of({Decision::campaign_withheld_not_electable}), "then it waits");
};
TOTORA_PROVE(a_voter_that_is_demoted_campaigns_until_that_is_committed, "dissertation 4.2.2", "case_42");

constexpr auto who_alone_knows_of_its_demotion_leads_until_that_is_committed = [] {
    auto cluster = led_by_a(0, 2);
    cluster.happens(S1, change_of(cluster[S1], members({S2}, {S1})));
    cluster.drop_all();
    cluster.persists(S1);
    cluster.drop_all();
    cluster.loses_power(S1);

    cluster.times_out(S1);
    require(is_pre_candidate(cluster[S1]), "5: A does not elect itself");
    cluster.campaigns(S1, {S1, S2});
    require(cluster[S1].log.term_at(Index{3}) == Term{2} and is_follower(cluster[S1]), "it led with the vote of B");
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{3},
            "until B held its demotion, and B leads at once, alone");
    require(cluster[S2].commit_index == Index{4}, "and commits");
};
TOTORA_PROVE(who_alone_knows_of_its_demotion_leads_until_that_is_committed, "dissertation 4.2.2", "case_42");

constexpr auto of_two_servers_the_leader_removes_itself = [] {
    auto cluster = led_by_a(0, 2);
    cluster.happens(S1, change_of(cluster[S1], members({S2})));
    cluster.settle({S1, S2});
    require(is_follower(cluster[S1]) and cluster[S1].commit_index == Index{2}, "A steps down when B has it");
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{2} and cluster[S2].commit_index == Index{3},
            "and hands over to B, which leads alone");
};
TOTORA_PROVE(of_two_servers_the_leader_removes_itself, "dissertation 4.2.2", "case_39");

constexpr auto a_newcomer_votes_only_when_it_has_caught_up = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, Proposed{1000});
    cluster.settle({S1, S2, S3});
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4})));
    cluster.settle({S1, S2, S3});
    require(in_force(cluster, S1) == members({S1, S2, S3}, {S4}), "1: D does not vote yet");

    cluster.happens(S1, Proposed{1});
    cluster.settle({S1, S2});
    require(cluster[S1].commit_index == last_index(cluster[S1]), "2: without C two of three still commit");
    beat(cluster, S1, {S1, S2, S4});
    require(in_force(cluster, S1) == members({S1, S2, S3, S4}), "when D has the log, it votes");
};
TOTORA_PROVE(a_newcomer_votes_only_when_it_has_caught_up, "dissertation 4.2.1", "case_43");

constexpr auto a_newcomer_that_nothing_reaches_is_removed_again = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4})));
    cluster.settle({S1, S2, S3});

    for (auto stall = 1; stall < catch_up_stalls_max; ++stall) {
        cluster.rings(S1, Alarm::catch_up);
        require(arms(cluster.outgoing(), Alarm::catch_up), "it is waited for");
        require(cluster[S1].membership.phase == ChangePhase::catching_up, "for some election timeouts");
    }
    cluster.rings(S1, Alarm::catch_up);
    require(noted(cluster.outgoing(), Decision::change_given_up), "and then no more");
    require(in_force(cluster, S1) == members({S1, S2, S3}), "it is a learner no more");
    cluster.persists(S1);
    cluster.deliver_all(S1, S2);
    cluster.persists(S2);
    cluster.deliver_all(S2, S1);
    require(has_ended(cluster.outgoing(), ChangeEnd::newcomer_stalled, Index{3}), "and the operator is told why");
};
TOTORA_PROVE(a_newcomer_that_nothing_reaches_is_removed_again, "dissertation 4.2.1", "case_43");

constexpr auto a_newcomer_that_is_too_slow_is_removed_again = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4})));
    cluster.settle({S1, S2, S3});

    cluster.rings(S1, Alarm::heartbeat);

    for (auto round = 1; round <= catch_up_rounds_max; ++round) {
        require(cluster[S1].membership.rounds == round - 1, "it gets another round");
        cluster.rings(S1, Alarm::catch_up); // The round lasts longer than an election timeout.
        auto const end = cluster[S1].membership.round_end;
        for (auto turn = 0; turn < 4 and last_index(cluster[S4]) < end; ++turn) {
            cluster.deliver_all(S4, S1);
            cluster.deliver_all(S1, S4);
            cluster.persists(S4);
        }
        cluster.happens(S1, Proposed{1});
        cluster.deliver_all(S4, S1); // When D has all that there was, there is more.
    }
    require(noted(cluster.outgoing(), Decision::change_given_up), "ten rounds are enough");
    require(cluster[S1].membership.end == ChangeEnd::newcomer_slow, "and the operator is told why");
    cluster.settle({S1, S2, S3});
    require(not cluster[S1].membership.is_under_way() and in_force(cluster, S1) == members({S1, S2, S3}),
            "it is a learner no more");
};
TOTORA_PROVE(a_newcomer_that_is_too_slow_is_removed_again, "dissertation 4.2.1", "case_43");

constexpr auto a_round_that_ended_late_is_followed_by_one_of_what_is_new = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4})));
    cluster.settle({S1, S2, S3});
    cluster.rings(S1, Alarm::catch_up);
    require(cluster[S1].membership.round_late, "the first round lasts too long");

    cluster.rings(S1, Alarm::heartbeat);
    for (auto turn = 0; turn < 4 and cluster[S1].membership.phase == ChangePhase::catching_up; ++turn)
        exchange(cluster, S1, S4);

    require(cluster[S1].configurations.in_force == Configuration{Index{3}, members({S1, S2, S3, S4})},
            "nothing is new: D votes in the step in which the first round ends");
    require(not arms(cluster.outgoing(), Alarm::catch_up), "and no other round begins");
    require(progress_of(cluster[S1], S4).match == Index{2}, "when it has the entry that named it");
};
TOTORA_PROVE(a_round_that_ended_late_is_followed_by_one_of_what_is_new, "dissertation 4.2.1", "case_43");

/// A leads {A, B, C}, and C has answered nothing for two quorum checks.
[[nodiscard]] constexpr Cluster without_c(std::uint64_t joiners = 0)
{
    auto cluster = led_by_a(joiners);
    for (auto check = 0; check < 2; ++check) {
        cluster.rings(S1, Alarm::quorum_check);
        beat(cluster, S1, {S1, S2});
    }
    return cluster;
}

constexpr auto a_change_that_would_lose_the_quorum_is_refused = [] {
    auto       cluster = without_c();
    auto const removal = change_of(cluster[S1], members({S1, S3}));

    cluster.happens(S1, removal);
    require(has_ended(cluster.outgoing(), ChangeEnd::quorum_silent, Index{}), "C is away: without B there is none");
    require(cluster.outgoing().writes.empty() and last_index(cluster[S1]) == Index{1}, "nothing is appended");
    require(not cluster[S1].membership.is_under_way(), "and the next change can be asked for");

    auto forced = removal;
    forced.forced = true;
    require(is_started(cluster.happens(S1, forced)), "an operator may insist");
    require(in_force(cluster, S1) == members({S1, S3}), "then it is done");
};
TOTORA_PROVE(a_change_that_would_lose_the_quorum_is_refused, "dissertation 4.2.1", "case_100");

constexpr auto who_answered_before_the_last_quorum_check_still_counts = [] {
    auto cluster = led_by_a(0);
    cluster.rings(S1, Alarm::quorum_check);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S3})));
    require(in_force(cluster, S1) == members({S1, S3}), "C answered within an election timeout or so");
};
TOTORA_PROVE(who_answered_before_the_last_quorum_check_still_counts, "dissertation 4.2.1", "case_100");

constexpr auto a_change_is_taken_back_while_newcomers_catch_up = [] {
    auto cluster = led_by_a(1);
    require(is_refused(cluster.happens(S1, ChangeCancelled{}), Refusal::no_change), "there is nothing to cancel");
    require(is_refused(cluster.happens(S2, ChangeCancelled{}), Refusal::not_leader), "nor here");
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3, S4})));

    cluster.happens(S1, ChangeCancelled{});
    require(is_started(cluster.outgoing()) and in_force(cluster, S1) == members({S1, S2, S3}, {S4}),
            "the learner's entry is not committed yet");
    require(is_refused(cluster.happens(S1, ChangeCancelled{}), Refusal::change_too_far), "once is enough");
    cluster.settle({S1, S2, S3});
    require(in_force(cluster, S1) == members({S1, S2, S3}) and cluster[S1].commit_index == Index{3}, "then it goes");
    require(not cluster[S1].membership.is_under_way(), "and the change is over");
};
TOTORA_PROVE(a_change_is_taken_back_while_newcomers_catch_up, "6");

constexpr auto a_change_is_taken_back_from_a_joint_configuration = [] {
    auto cluster = with_c_in_a_joint_configuration();

    require(is_started(cluster.happens(S3, ChangeCancelled{})), "it is cancelled");
    require(is_joint(cluster[S3].configurations.in_force), "what is appended has to be committed");
    beat(cluster, S3, {S1, S2, S3, S4, S5});
    require(in_force(cluster, S3) == members({S1, S2, S3}), "and is left for its outgoing half");
    require(cluster[S3].commit_index == Index{4} and not cluster[S3].membership.is_under_way(), "to the end");
};
TOTORA_PROVE(a_change_is_taken_back_from_a_joint_configuration, "6");

constexpr auto the_last_step_of_a_change_can_only_be_committed = [] {
    auto cluster = led_by_a(0);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2})));
    require(is_refused(cluster.happens(S1, ChangeCancelled{}), Refusal::change_too_far), "it cannot be taken back");
    cluster.settle({S1, S2});
    require(in_force(cluster, S1) == members({S1, S2}) and cluster[S1].commit_index == Index{2}, "and is done");
};
TOTORA_PROVE(the_last_step_of_a_change_can_only_be_committed, "6");

constexpr auto a_removed_server_is_told_and_waits_to_be_named_again = [] {
    auto cluster = led_by_a(0);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2})));
    cluster.settle({S1, S2});
    require(in_force(cluster, S3) == members({S1, S2, S3}), "C does not know that it is removed");

    cluster.times_out(S3);
    cluster.deliver(S3, S1);
    require(noted(cluster.outgoing(), Decision::asker_not_a_member), "it asks for votes, and is told");
    cluster.deliver(S1, S3);
    require(noted(cluster.outgoing(), Decision::removal_learned) and is_follower(cluster[S3]), "it stops asking");
    require(cluster[S3].not_a_member == LogPosition{Term{1}, Index{2}}, "as of what is committed");
    cluster.times_out(S3);
    require(cluster.outgoing().decisions == decisions_of({Decision::campaign_withheld_removed}), "and asks no more");
    require(in_force(cluster, S3) == members({S1, S2, S3}), "it erases nothing");
    cluster.drop_all();

    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3})));
    cluster.settle({S1, S2});
    beat(cluster, S1, {S1, S2, S3});
    beat(cluster, S1, {S1, S2, S3});
    require(in_force(cluster, S3) == members({S1, S2, S3}) and not was_removed(cluster[S3]), "named again it is back");
    cluster.campaigns(S3, {S2, S3});
    require(is_leader(cluster[S3]), "and may lead");
};
TOTORA_PROVE(a_removed_server_is_told_and_waits_to_be_named_again, "dissertation 4.2.3", "case_101");

constexpr auto a_joint_configuration_survives_a_snapshot_and_a_restart = [] {
    auto cluster = led_by_a(2);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S4, S5})));
    cluster.settle({S1, S2, S3});
    cluster.rings(S1, Alarm::heartbeat);
    for (auto turn = 0; turn < 4 and last_index(cluster[S5]) < Index{2}; ++turn)
        exchange(cluster, S1, S5);
    for (auto turn = 0; turn < 4 and last_index(cluster[S4]) < Index{3}; ++turn)
        exchange(cluster, S1, S4);
    require(is_joint(cluster[S4].configurations.in_force), "1: D holds the joint configuration");
    beat(cluster, S1, {S1, S2});
    require(cluster[S1].commit_index == Index{3} and last_index(cluster[S5]) == Index{2}, "it is committed without E");

    cluster.takes_snapshot(S1);
    require(cluster[S1].log.base().index == Index{3}, "2: a snapshot stands for it");
    cluster.rings(S1, Alarm::heartbeat);
    exchange(cluster, S1, S5);
    cluster.sends_snapshot(S1, S5);
    cluster.receives_snapshot(S5);
    cluster.persists(S5);
    cluster.drop_all();
    cluster.loses_power(S5);
    require(cluster[S5].log.base().index == Index{3} and is_joint(cluster[S5].configurations.in_force),
            "3: E starts from it");

    cluster.campaigns(S5, {S4, S5});
    require(is_pre_candidate(cluster[S5]), "the new half is not enough");
    cluster.campaigns(S5, {S2, S3, S5});
    require(is_pre_candidate(cluster[S5]), "nor is the old one");
    cluster.campaigns(S5, {S2, S3, S4, S5});
    require(is_leader(cluster[S5]), "both are");
};
TOTORA_PROVE(a_joint_configuration_survives_a_snapshot_and_a_restart, "6", "7", "case_32");

constexpr auto learners_count_nowhere = [] {
    auto cluster = led_by_a(2);
    cluster.happens(S1, change_of(cluster[S1], members({S1, S2, S3}, {S4, S5})));
    cluster.settle({S1, S2, S3, S4, S5});
    beat(cluster, S1, {S1, S2, S3, S4, S5});
    auto const committed = cluster[S1].commit_index;

    cluster.happens(S1, Proposed{1}); // 1: B and C are cut off.
    cluster.settle({S1, S4, S5});
    require(last_index(cluster[S4]) > committed and cluster[S1].commit_index == committed, "2: it is not committed");
    cluster.happens(S1, ReadRequested{});
    cluster.deliver_all(S1, S4);
    cluster.deliver_all(S1, S5);
    cluster.deliver_all(S4, S1);
    require(not cluster.outgoing().read_allowed, "3: no read is served");
    cluster.deliver_all(S5, S1);
    require(not cluster.outgoing().read_allowed, "also if both answer");
    cluster.rings(S1, Alarm::quorum_check);
    beat(cluster, S1, {S1, S4, S5});
    cluster.rings(S1, Alarm::quorum_check);
    require(not is_leader(cluster[S1]), "4: and they keep no leader in office");
};
TOTORA_PROVE(learners_count_nowhere, "6", "case_19");

constexpr auto what_cannot_be_done_is_refused_by_name = [] {
    auto       cluster = led_by_a(0);
    auto const index = Index{};
    auto const refuses = [&](Members const& target, Refusal why) {
        return is_refused(cluster.happens(S1, ChangeRequested{index, target}), why);
    };
    require(refuses(Members{}, Refusal::members_unsound), "nobody would vote");
    require(refuses(members({}, {S1, S2}), Refusal::members_unsound), "learners do not");
    require(refuses(members({S1, S1}), Refusal::members_unsound), "each stands there once");
    auto another_life = members({S1, S2});
    another_life[1].incarnation = Incarnation{2};
    require(refuses(another_life, Refusal::two_lives), "a server is replaced in two changes");
    auto many = Members{};
    for (auto id = std::uint64_t{3}; id < 3 + servers_max; ++id)
        many.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
    require(refuses(many, Refusal::too_many_members), "those who leave count too");
    require(is_refused(cluster.happens(S2, change_of(cluster[S2], members({S2}))), Refusal::not_leader), "S1 leads");
};
TOTORA_PROVE(what_cannot_be_done_is_refused_by_name, "6");

} // namespace
} // namespace totora::test::membership_tests
