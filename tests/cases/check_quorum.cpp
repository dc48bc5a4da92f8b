// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter H: leaders without responses, and servers without a leader. A is S1, B is S2, C is S3.

namespace totora::test::check_quorum_tests
{
namespace
{

constexpr auto a_leader_that_reaches_no_majority_steps_down = [] {
    auto cluster = Cluster{5};
    cluster.campaigns(S1, {S1, S2, S3, S4, S5});
    cluster.rings(S1, Alarm::quorum_check);
    require(is_leader(cluster[S1]), "everybody answered in the first interval");
    for (auto beat = 0; beat < 5; ++beat) { // A is cut off from C, D and E, and still reaches B.
        cluster.rings(S1, Alarm::heartbeat);
        cluster.settle({S1, S2});
    }
    auto const before = cluster[S1];

    cluster.rings(S1, Alarm::quorum_check);

    require(is_follower(cluster[S1]) and known_leader(cluster[S1]) == nobody, "A follows, and knows no leader");
    require(cluster[S1].current_term == before.current_term and cluster[S1].voted_for == S1, "in the same term");
    require(cluster.outgoing().decisions == decisions_of({Decision::stepped_down_no_quorum}), "by this name");
    require(cluster.outgoing().messages.empty() and cluster.outgoing().writes.empty(), "and sends and writes nothing");
    require(arms(cluster.outgoing(), Alarm::election) and not arms(cluster.outgoing(), Alarm::heartbeat), "and waits");
    require(cluster.happens(S1, Proposed{1}).answer == Answer{Refused{Refusal::not_leader, nobody}},
            "2: clients are refused");
    require(cluster.happens(S1, ReadRequested{}).answer == Answer{Refused{Refusal::not_leader, nobody}}, "readers too");
};
TOTORA_PROVE(a_leader_that_reaches_no_majority_steps_down, "dissertation 6.2", "case_54");

constexpr auto a_leader_that_is_answered_within_each_interval_stays = [] {
    auto cluster = Cluster{5};
    cluster.campaigns(S1, {S1, S2, S3, S4, S5});
    cluster.rings(S1, Alarm::quorum_check);
    for (auto interval = 0; interval < 4; ++interval) {
        cluster.rings(S1, Alarm::heartbeat);
        cluster.settle({S1, S2, interval % 2 == 0 ? S3 : S4}); // Another majority each time, once in an interval.
        cluster.rings(S1, Alarm::quorum_check);
        require(is_leader(cluster[S1]), "A stays leader");
        require(cluster.outgoing().alarms.size() == 1 and arms(cluster.outgoing(), Alarm::quorum_check),
                "and asks again");
    }
    cluster.rings(S1, Alarm::quorum_check);
    require(not is_leader(cluster[S1]), "one interval without an answer is enough");
};
TOTORA_PROVE(a_leader_that_is_answered_within_each_interval_stays, "dissertation 6.2", "case_54");

/// Case 105: A reaches B alone, which reaches all. B is sticky to A only as long as a quorum answers A.
constexpr auto a_leader_without_a_quorum_renews_no_stickiness = [] {
    auto cluster = Cluster{5};
    cluster.campaigns(S1, {S1, S2, S3, S4, S5});
    cluster.rings(S1, Alarm::quorum_check);
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2});
    for (auto const server : {S3, S4, S5})
        cluster.finds_leader_silent(server);

    cluster.rings(S3, Alarm::election);
    cluster.settle({S2, S3, S4, S5});
    require(is_pre_candidate(cluster[S3]) or is_leader(cluster[S3]), "C asks");
    cluster.rings(S1, Alarm::quorum_check);
    require(is_follower(cluster[S1]), "A steps down, and sends no heartbeats any more");

    cluster.campaigns(S4, {S2, S3, S4, S5});
    require(is_leader(cluster[S4]), "so that B grants the next one that asks");
};
TOTORA_PROVE(a_leader_without_a_quorum_renews_no_stickiness, "dissertation 6.2", "case_105");

/// Case 55: C reached term 5 while it was cut off; A leads term 2, which is 1 here.
constexpr auto a_server_stuck_in_a_newer_term_is_freed_by_its_answer = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.settle({S1, S2, S3});
    auto servers = std::vector<State>{cluster[S1], cluster[S2], candidate(server(S3, Term{4}, cluster[S1].log))};
    require(servers[2].current_term == Term{5}, "1: C is a candidate of term 5");
    cluster = Cluster{std::move(servers)};

    for (auto const receiver : {S1, S2}) {
        cluster.arrives(receiver, from(S3, RequestVote{Term{5}, {Term{1}, Index{1}}}));
        require(did_nothing(cluster.outgoing()) and cluster[receiver].current_term == Term{1}, "2: A and B ignore it");
    }
    cluster.rings(S1, Alarm::heartbeat);
    cluster.deliver(S1, S3);
    require(cluster.outgoing().messages == just(S1, refused_by_newer_term(Term{5})), "3: C answers");
    cluster.deliver(S3, S1);
    require(is_follower(cluster[S1]) and cluster[S1].current_term == Term{5}, "and A steps down, into term 5");

    cluster.drop_all();
    cluster.persists(S1);
    cluster.campaigns(S1, {S1, S2, S3});
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{6}, "one election");
    for (auto const server : {S1, S2, S3})
        require(cluster[server].current_term == Term{6}, "all in one term");
};
TOTORA_PROVE(a_server_stuck_in_a_newer_term_is_freed_by_its_answer, "dissertation 4.2.3", "case_55");

constexpr auto a_pre_vote_leaves_no_trace = [] {
    auto c = follower(S3, Term{2}, {{Term{1}, Index{1}, 1}});
    c = step(c, from(S2, RequestVote{Term{3}, {Term{1}, Index{1}}})).state;
    c = step(c, persisted(c)).state;
    require(c.current_term == Term{3} and c.voted_for == S2, "1: C voted for B in term 3");

    auto const asking = checked_step(c, ring(c, Alarm::election));
    require(is_pre_candidate(asking.state), "2: C asks");
    require(asking.state.current_term == Term{3} and asking.state.voted_for == S2, "and keeps its term and its vote");
    require(asking.outgoing.writes.empty(), "so that nothing is written");
    auto const lost = checked_step(asking.state, from(S1, RequestPreVoteResponse{Term{3}, Round{1}, false})).state;
    require(lost == asking.state, "a refusal changes nothing");

    auto const late = checked_step(lost, from(S1, RequestVote{Term{3}, {Term{1}, Index{9}}}));
    require(late.state == lost, "3: the vote of term 3 is still B's");
    require(late.outgoing.messages == just(S1, RequestVoteResponse{Term{3}, false}), "and A is refused");
};
TOTORA_PROVE(a_pre_vote_leaves_no_trace, "dissertation 9.6", "case_56");

constexpr auto two_servers_may_grant_each_other_pre_votes = [] {
    auto       a = follower(S1, Term{3}, {{Term{1}, Index{1}, 1}}, 5);
    auto       b = follower(S2, Term{3}, {{Term{1}, Index{1}, 1}}, 5);
    auto const asks_a = checked_step(a, ring(a, Alarm::election));
    auto const asks_b = checked_step(b, ring(b, Alarm::election));

    auto const at_b = checked_step(asks_b.state, from(S1, sent<RequestPreVote>(asks_a.outgoing, S2)[0]));
    auto const at_a = checked_step(asks_a.state, from(S2, sent<RequestPreVote>(asks_b.outgoing, S1)[0]));

    require(at_a.state == asks_a.state and at_b.state == asks_b.state, "granting leaves no trace");
    require(at_a.outgoing.messages == just(S2, RequestPreVoteResponse{Term{3}, Round{1}, true}), "A grants B");
    require(at_b.outgoing.messages == just(S1, RequestPreVoteResponse{Term{3}, Round{1}, true}), "and B grants A");
    require(at_a.outgoing.alarms.empty() and at_b.outgoing.alarms.empty(), "and nobody waits longer for it");
};
TOTORA_PROVE(two_servers_may_grant_each_other_pre_votes, "dissertation 9.6", "case_56");

constexpr auto a_pre_vote_is_refused_to_a_log_that_could_not_win = [] {
    auto const b = follower(S2, Term{3}, {{Term{1}, Index{1}, 1}, {Term{2}, Index{2}, 2}});
    auto const answer = [&](RequestPreVote const& request) {
        auto const transition = checked_step(b, from(S1, request));
        require(transition.state == b, "without a trace");
        require(transition.outgoing.messages.size() == 1, "it is answered");
        return transition.outgoing.messages[0];
    };
    auto const response = [](bool granted) {
        return Envelope{S1, Rpc{RequestPreVoteResponse{Term{3}, Round{7}, granted}}, Release::at_once()};
    };

    require(answer({Term{3}, {Term{2}, Index{3}}, Round{7}}) == response(true), "an equal log is up to date");
    require(answer({Term{9}, {Term{2}, Index{4}}, Round{7}}) == response(true), "so is a longer one of a later term");
    require(answer({Term{3}, {Term{2}, Index{2}}, Round{7}}) == response(false), "a shorter one is not");
    require(answer({Term{3}, {Term{1}, Index{9}}, Round{7}}) == response(false), "nor one of an older last term");
    require(answer({Term{2}, {Term{2}, Index{9}}, Round{7}}) == response(false),
            "nor an asker of an older term, who learns ours");
};
TOTORA_PROVE(a_pre_vote_is_refused_to_a_log_that_could_not_win, "dissertation 9.6", "5.4.1");

} // namespace
} // namespace totora::test::check_quorum_tests
