// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter H, case 57: pre-votes while a leader is active, and by the leader itself. A is S1, B is S2, C is S3.

namespace totora::test::pre_vote_and_an_active_leader_tests
{
namespace
{

/// C receives nothing from A, and A and B receive from C: it asks again and again.
constexpr void a_deaf_server_asks(int rounds)
{
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    for (auto round = 0; round < rounds; ++round) {
        cluster.rings(S1, Alarm::heartbeat);
        cluster.drop(S1, S3);
        cluster.deliver_all(S1, S2);
        cluster.deliver_all(S2, S1);
        cluster.times_out(S3);
        cluster.deliver_all(S3, S1);
        cluster.drop(S1, S3);
        cluster.deliver_all(S3, S2);
        cluster.deliver_all(S2, S3);
        cluster.rings(S1, Alarm::quorum_check);
        require(is_leader(cluster[S1]), "A stays leader");
        require(is_pre_candidate(cluster[S3]), "C goes on asking");
    }
    for (auto const server : {S1, S2, S3})
        require(cluster[server].current_term == Term{1}, "the term is constant");
}

constexpr auto a_server_that_receives_nothing_from_the_leader_disturbs_nobody = [] { a_deaf_server_asks(20); };
TOTORA_PROVE(a_server_that_receives_nothing_from_the_leader_disturbs_nobody, "dissertation 9.6", "case_57");

BOOST_AUTO_TEST_CASE(a_server_that_receives_nothing_from_the_leader_disturbs_nobody_in_a_thousand_rounds,
                     TOTORA_LABELS("dissertation 9.6", "case_57"))
{
    a_deaf_server_asks(1000);
}

constexpr auto a_leader_that_restarts_gets_a_pre_vote_from_its_followers = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});

    cluster.loses_power(S1);
    require(known_leader(cluster[S2]) == S1 and cluster[S2].leader_recently_active, "3: B still lists A as leader");
    cluster.times_out(S1);
    cluster.deliver(S1, S2);
    require(cluster.outgoing().messages == just(S1, RequestPreVoteResponse{Term{1}, Round{1}, true}), "B grants A");
    cluster.arrives(S2, from(S3, RequestPreVote{Term{1}, {Term{1}, Index{1}}, Round{1}}));
    require(cluster.outgoing().messages == just(S3, RequestPreVoteResponse{Term{1}, Round{1}, false}),
            "and nobody else");
    cluster.settle({S1, S2});

    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{2}, "A leads again");
};
TOTORA_PROVE(a_leader_that_restarts_gets_a_pre_vote_from_its_followers, "dissertation 9.6", "case_57");

constexpr auto a_leader_grants_nobody_a_pre_vote = [] {
    auto const a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}));

    auto const [after, outgoing] = checked_step(a, from(S3, RequestPreVote{Term{2}, {Term{2}, Index{9}}, Round{1}}));

    require(after == a, "it leads on");
    require(outgoing.messages == just(S3, RequestPreVoteResponse{Term{2}, Round{1}, false}), "and refuses");
    require(outgoing.decisions == decisions_of({Decision::vote_withheld_sticky_to_leader}), "because it leads");
};
TOTORA_PROVE(a_leader_grants_nobody_a_pre_vote, "dissertation 9.6", "case_57");

/// Exactly the minimum election timeout, from the leader's last message: stickiness ends there and nowhere else.
constexpr auto stickiness_lasts_for_the_minimum_election_timeout = [] {
    auto       b = follower(S2, Term{1}, {{Term{1}, Index{1}, 1}});
    auto const asks = from(S3, RequestPreVote{Term{1}, {Term{1}, Index{1}}, Round{1}});
    auto const is_granted = [&](State const& voter) {
        return checked_step(voter, asks).outgoing.messages == just(S3, RequestPreVoteResponse{Term{1}, Round{1}, true});
    };
    require(is_granted(b), "it has no leader");

    auto const followed = checked_step(b, from(S1, heartbeat_of(Term{1}, {Term{1}, Index{1}})));
    auto const minimum = Settings{}.election.at_least_ms;
    require(order_for(followed.outgoing, Alarm::leader_silent)->delay == Delay{minimum, minimum},
            "exactly the minimum");
    require(not is_granted(followed.state), "it has a leader");
    auto const early = checked_step(followed.state, local(AlarmRang{Alarm::leader_silent, Arming{0}}));
    require_nothing_but(Decision::ring_outdated, followed.state, early);
    auto const silent = checked_step(followed.state, ring(followed.state, Alarm::leader_silent));
    require(did_nothing(silent.outgoing) and is_granted(silent.state), "until the alarm rings");
    auto const started = checked_step(b, local(Started{}));
    require(not is_granted(started.state), "a server that starts is sticky as if it had one");
};
TOTORA_PROVE(stickiness_lasts_for_the_minimum_election_timeout, "dissertation 4.2.3", "case_41", "case_57");

/// B received from A a moment ago, and learns of a term that C reached while it was cut off. That is no reason to help C: A, which leads,
/// will receive the term, too.
constexpr auto a_newer_term_does_not_end_stickiness = [] {
    auto b = follower(S2, Term{1}, {{Term{1}, Index{1}, 1}});
    b = checked_step(b, from(S1, heartbeat_of(Term{1}, {Term{1}, Index{1}}))).state;
    b = checked_step(b, from(S3, RequestVoteResponse{Term{5}, false})).state;
    require(b.current_term == Term{5} and b.leader_recently_active, "B is in term 5");

    auto const asked = checked_step(b, from(S3, RequestVote{Term{6}, {Term{1}, Index{1}}}));
    require_nothing_but(Decision::vote_withheld_sticky_to_leader, b, asked);

    auto const silent = checked_step(b, ring(b, Alarm::leader_silent)).state;
    require(checked_step(silent, from(S3, RequestVote{Term{6}, {Term{1}, Index{1}}})).state.voted_for == S3,
            "until the least election timeout has passed without a leader");
};
TOTORA_PROVE(a_newer_term_does_not_end_stickiness, "dissertation 4.2.3", "case_41");

} // namespace
} // namespace totora::test::pre_vote_and_an_active_leader_tests
