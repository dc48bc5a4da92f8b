// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter A: votes and what must be durable before they leave. A is S1, B is S2, C is S3.

namespace totora::test::votes_tests
{
namespace
{

/// Three servers in term 1 with one entry, which campaign without asking first.
constexpr auto three_in_term_1 = [] {
    auto servers = std::vector<State>{};
    for (auto const id : {S1, S2, S3}) {
        servers.push_back(follower(id, Term{1}, {{Term{1}, Index{1}, 1}}));
        servers.back().settings.pre_vote = false;
    }
    return Cluster{std::move(servers)};
};

/// Steps 1 and 2: A and C are candidates of term 2, and B has given its vote to A without being durable.
constexpr auto b_has_voted_for_a = [] {
    auto cluster = three_in_term_1();
    for (auto const candidate : {S1, S3}) {
        cluster.rings(candidate, Alarm::election);
        cluster.persists(candidate);
    }
    cluster.deliver(S1, S2);
    require(cluster[S2].voted_for == S1, "B has voted for A");
    require(cluster.messages_in_flight(S2, S1).empty(), "and its answer has not left");
    return cluster;
};

constexpr auto a_vote_lost_with_the_power_never_left = [] {
    auto cluster = b_has_voted_for_a();

    cluster.loses_power(S2);
    require(cluster[S2].current_term == Term{1} and not cluster[S2].voted_for, "B restarts in term 1, its vote free");
    cluster.finds_leader_silent(S2);
    cluster.deliver(S3, S2);
    cluster.persists(S2);
    cluster.deliver(S2, S3);

    require(is_leader(cluster[S3]), "C has two votes");
    require(is_candidate(cluster[S1]) and cluster.messages_in_flight(S2, S1).empty(), "A has only its own");
};
TOTORA_PROVE(a_vote_lost_with_the_power_never_left, "5.2", "case_1");

constexpr auto a_vote_that_left_is_remembered = [] {
    auto cluster = b_has_voted_for_a();

    cluster.persists(S2);
    cluster.loses_power(S2);
    require(cluster[S2].current_term == Term{2} and cluster[S2].voted_for == S1, "B restarts in term 2 with its vote");
    cluster.finds_leader_silent(S2);
    cluster.deliver(S3, S2);
    cluster.deliver(S2, S1);
    cluster.deliver(S2, S3);

    require(is_leader(cluster[S1]), "A has two votes");
    require(is_candidate(cluster[S3]), "C was refused");
};
TOTORA_PROVE(a_vote_that_left_is_remembered, "5.2", "case_1");

/// The variant: a candidate's requests carry its own vote.
constexpr auto a_campaign_lost_with_the_power_has_sent_nothing = [] {
    auto cluster = three_in_term_1();

    cluster.rings(S1, Alarm::election);
    require(cluster.messages_in_flight(S1, S2).empty() and cluster.messages_in_flight(S1, S3).empty(),
            "no request has left");
    cluster.loses_power(S1);
    cluster.finds_leader_silent(S1);
    require(cluster[S1].current_term == Term{1} and not cluster[S1].voted_for, "A restarts in term 1");
    cluster.rings(S2, Alarm::election);
    cluster.persists(S2);
    cluster.deliver(S2, S1);

    require(cluster[S1].voted_for == S2 and cluster[S1].current_term == Term{2}, "it may vote for B in term 2");
    require(cluster.messages_in_flight(S1, S2).empty(), "when that is durable");
};
TOTORA_PROVE(a_campaign_lost_with_the_power_has_sent_nothing, "5.2", "case_1");

constexpr auto a_campaign_that_has_sent_its_requests_is_remembered = [] {
    auto cluster = three_in_term_1();

    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    require(cluster.messages_in_flight(S1, S2).size() == 1, "the request has left");
    cluster.loses_power(S1);
    cluster.finds_leader_silent(S1);
    cluster.rings(S2, Alarm::election);
    cluster.persists(S2);
    cluster.deliver(S2, S1);

    require(cluster[S1].current_term == Term{2} and cluster[S1].voted_for == S1, "A's vote in term 2 is its own");
    require(cluster.messages_in_flight(S1, S2) == std::vector<Rpc>{Rpc{RequestVote{Term{2}, {Term{1}, Index{1}}}},
                                                                   Rpc{RequestVoteResponse{Term{2}, false}}},
            "B does not get it");
};
TOTORA_PROVE(a_campaign_that_has_sent_its_requests_is_remembered, "5.2", "case_1");

/// The last term of the log first, then its length; equality is enough.
constexpr auto logs_are_compared_by_last_term_then_by_length = [] {
    auto const short_and_new = log_of({{Term{1}, Index{1}, 1}, {Term{3}, Index{2}, 1}});
    auto const long_and_old = log_of({{Term{1}, Index{1}, 4}});
    auto       a = server(S1, Term{3}, long_and_old);
    auto       b = server(S2, Term{3}, short_and_new);
    auto const asks = [](State const& voter, ServerId candidate, Term term, TermRuns const& log) {
        return checked_step(voter, from(candidate, RequestVote{term, log.last()}));
    };

    auto const second = asks(b, S1, Term{4}, long_and_old);
    require(second.outgoing.messages == just(S1, RequestVoteResponse{Term{4}, false}), "2: A is longer, and older");
    auto const third = asks(a, S2, Term{5}, short_and_new);
    require(third.state.voted_for == S2, "3: B is shorter, and newer");
    require(third.outgoing.messages ==
                just(S2, RequestVoteResponse{Term{5}, true}, Release::once_durable(WriteNumber{1})),
            "and gets the vote");
    auto const fourth = asks(second.state, S3, Term{6}, short_and_new);
    require(fourth.state.voted_for == S3, "4: an equal log is as up to date");
    auto const fifth = asks(fourth.state, S1, Term{7}, log_of({{Term{3}, Index{1}, 1}}));
    require(fifth.outgoing.messages == just(S1, RequestVoteResponse{Term{7}, false}), "5: same last term, and shorter");
};
TOTORA_PROVE(logs_are_compared_by_last_term_then_by_length, "5.4.1", "case_2");

constexpr auto a_candidate_whose_vote_was_lost_on_the_way_asks_again = [] {
    auto cluster = three_in_term_1();
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    auto const request = cluster.take(S1, S2);

    cluster.arrives(S2, request);
    cluster.persists(S2);
    cluster.drop(S2, S1);
    cluster.arrives(S2, request);
    require(cluster.messages_in_flight(S2, S1) == std::vector<Rpc>{Rpc{RequestVoteResponse{Term{2}, true}}},
            "granted again");
    cluster.rings(S3, Alarm::election);
    cluster.persists(S3);
    cluster.deliver(S3, S2);
    require(cluster.messages_in_flight(S2, S3) == std::vector<Rpc>{Rpc{RequestVoteResponse{Term{2}, false}}},
            "C is refused");
    cluster.deliver(S2, S1);

    require(is_leader(cluster[S1]), "A wins in spite of one lost answer");
};
TOTORA_PROVE(a_candidate_whose_vote_was_lost_on_the_way_asks_again, "5.2", "case_3");

constexpr auto votes_of_an_earlier_term_do_not_count = [] {
    auto cluster = three_in_term_1();
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    cluster.deliver(S1, S2);
    cluster.persists(S2);
    auto const late = cluster.take(S2, S1);
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    require(cluster[S1].current_term == Term{3} and is_candidate(cluster[S1]), "A campaigns in term 3");

    auto const before = cluster[S1];
    require_nothing_but(Decision::response_outdated, before, checked_step(before, late));
};
TOTORA_PROVE(votes_of_an_earlier_term_do_not_count, "5.2", "case_4");

constexpr auto a_late_refusal_of_a_newer_term_ends_a_pre_vote = [] {
    auto const server = follower(S1, Term{3}, {{Term{1}, Index{1}, 1}});
    auto const asking = step(server, ring(server, Alarm::election)).state;
    require(is_pre_candidate(asking) and asking.current_term == Term{3}, "A asks for term 4, in term 3");

    auto const [after, outgoing] = checked_step(asking, from(S2, RequestVoteResponse{Term{6}, false}));

    require(is_follower(after) and after.current_term == Term{6}, "the term is adopted");
    require(outgoing.messages.empty(), "and nothing is sent");
    require(outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{6}, std::nullopt}}), "it is written");
};
TOTORA_PROVE(a_late_refusal_of_a_newer_term_ends_a_pre_vote, "5.1", "case_4");

constexpr auto a_pre_vote_is_not_a_vote = [] {
    auto const server = follower(S1, Term{3}, {{Term{1}, Index{1}, 1}}, 5);
    auto const asking = step(server, ring(server, Alarm::election)).state;
    auto const one = step(asking, from(S2, RequestPreVoteResponse{Term{3}, Round{1}, true})).state;
    auto const campaigning = step(one, from(S3, RequestPreVoteResponse{Term{3}, Round{1}, true})).state;
    auto const candidate = step(campaigning, persisted(campaigning)).state;
    require(is_candidate(candidate) and candidate.current_term == Term{4}, "A is a candidate with its own vote");

    for (auto const late : {S4, S5})
        require_nothing_but(Decision::response_outdated, candidate,
                            checked_step(candidate, from(late, RequestPreVoteResponse{Term{3}, Round{1}, true})));

    auto const again = step(asking, ring(asking, Alarm::election)).state;
    require(is_pre_candidate(again) and again.pre_vote_round == Round{2}, "and in a later round of asking");
    require_nothing_but(Decision::response_outdated, again,
                        checked_step(again, from(S2, RequestPreVoteResponse{Term{3}, Round{1}, true})));
    require_nothing_but(Decision::response_outdated, again,
                        checked_step(again, from(S2, RequestVoteResponse{Term{3}, true})));
};
TOTORA_PROVE(a_pre_vote_is_not_a_vote, "dissertation 9.6", "case_4");

/// Both ask in term 2, which nobody has voted in. A wins its pre-vote late, and B grants it the vote of term 2.
constexpr auto a_pre_candidate_that_grants_a_vote_gives_up_its_own_campaign = [] {
    auto const server = follower(S2, Term{2}, {{Term{1}, Index{1}, 1}});
    auto const asking = step(server, ring(server, Alarm::election)).state;
    require(is_pre_candidate(asking), "B asks for term 3");
    auto const request = from(S1, RequestVote{Term{2}, {Term{1}, Index{1}}});

    auto const [granted, outgoing] = checked_step(asking, request);

    require(is_follower(granted) and granted.voted_for == S1, "B follows");
    require(outgoing.messages == just(S1, RequestVoteResponse{Term{2}, true}, Release::once_durable(WriteNumber{1})),
            "A gets its vote");
    require(arms(outgoing, Alarm::election), "and an election timeout of time to win");
    for (auto const voter : {S1, S3})
        require_nothing_but(
            Decision::response_outdated, granted,
            checked_step(granted, from(voter, RequestPreVoteResponse{Term{2}, asking.pre_vote_round, true})));

    auto const asks_again = step(granted, ring(granted, Alarm::election)).state;
    require(is_pre_candidate(asks_again), "A was silent: B asks again");
    require(is_follower(checked_step(asks_again, request).state), "and gives up again when A repeats its request");
    auto const refuses = checked_step(asking, from(S1, RequestVote{Term{2}, {}})).state;
    require(is_pre_candidate(refuses), "who refuses a vote goes on asking");
};
TOTORA_PROVE(a_pre_candidate_that_grants_a_vote_gives_up_its_own_campaign, "dissertation 9.6", "5.2");

/// The whole story: B's grants arrive after A leads.
constexpr auto a_server_that_was_just_elected_is_not_deposed_by_its_voter = [] {
    auto servers = std::vector<State>{};
    for (auto const id : {S1, S2, S3})
        servers.push_back(follower(id, Term{1}, {{Term{1}, Index{1}, 1}}));
    servers[0].settings.pre_vote = false;
    auto cluster = Cluster{std::move(servers)};
    cluster.rings(S1, Alarm::election);
    cluster.arrives(S2, from(S3, RequestVoteResponse{Term{2}, false}));
    cluster.persists(S2);
    cluster.rings(S2, Alarm::election);
    require(is_pre_candidate(cluster[S2]) and cluster[S2].current_term == Term{2},
            "B knows term 2 and asks for term 3");
    cluster.deliver(S2, S3);
    cluster.persists(S1);
    cluster.deliver(S1, S2);
    cluster.persists(S2);
    require(cluster[S2].voted_for == S1, "B votes for A");
    cluster.deliver_all(S2, S1);
    require(is_leader(cluster[S1]), "A leads");
    cluster.deliver_all(S3, S2);

    require(is_leader(cluster[S1]) and is_follower(cluster[S2]), "and goes on leading");
    require(cluster[S2].current_term == Term{2}, "there is no term 3");
};
TOTORA_PROVE(a_server_that_was_just_elected_is_not_deposed_by_its_voter, "dissertation 9.6", "5.2");

/// A is ahead of B and C, which never received its term: their grants name their own. Were they taken for late ones, servers of
/// different terms would wait permanently, since a pre-vote raises nobody's term.
constexpr auto a_pre_vote_of_a_server_of_a_lower_term_counts = [] {
    auto servers = std::vector<State>{};
    servers.push_back(follower(S1, Term{5}, {{Term{1}, Index{1}, 1}}));
    for (auto const id : {S2, S3})
        servers.push_back(follower(id, Term{3}, {{Term{1}, Index{1}, 1}}));
    auto cluster = Cluster{std::move(servers)};
    cluster.rings(S1, Alarm::election);
    require(is_pre_candidate(cluster[S1]), "A asks for term 6");

    cluster.deliver(S1, S2);
    require(cluster.outgoing().messages == just(S1, RequestPreVoteResponse{Term{3}, Round{1}, true}),
            "B grants it, in term 3");
    cluster.deliver(S2, S1);
    require(is_candidate(cluster[S1]) and cluster[S1].current_term == Term{6}, "A campaigns in term 6");
    cluster.settle({S1, S2, S3});

    require(is_leader(cluster[S1]) and cluster[S2].current_term == Term{6}, "and leads all of them");
};
TOTORA_PROVE(a_pre_vote_of_a_server_of_a_lower_term_counts, "dissertation 9.6", "case_4");

/// Messages may be repeated: what counts is how many servers vote, not how often.
constexpr auto the_same_vote_three_times_elects_nobody = [] {
    auto asking = follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}, 5);
    asking = step(asking, ring(asking, Alarm::election)).state;
    for (auto time = 0; time < 3; ++time)
        asking = checked_step(asking, from(S2, RequestPreVoteResponse{Term{1}, Round{1}, true})).state;
    require(is_pre_candidate(asking), "two of five would vote for A");

    auto a = candidate(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}, 5));
    for (auto time = 0; time < 3; ++time)
        a = checked_step(a, from(S2, RequestVoteResponse{Term{2}, true})).state;
    require(is_candidate(a), "two of five have voted for A");

    require(is_leader(checked_step(a, from(S3, RequestVoteResponse{Term{2}, true})).state), "three are enough");
};
TOTORA_PROVE(the_same_vote_three_times_elects_nobody, "5.2", "case_4");

constexpr auto a_vote_that_is_repeated_gives_its_candidate_time_again = [] {
    auto       b = follower(S2, Term{1}, {{Term{1}, Index{1}, 1}});
    auto const request = from(S1, RequestVote{Term{2}, {Term{1}, Index{1}}});
    b = checked_step(b, request).state;

    auto const again = checked_step(b, request);

    require(arms(again.outgoing, Alarm::election) and again.outgoing.writes.empty(),
            "B waits for A, and writes nothing");
};
TOTORA_PROVE(a_vote_that_is_repeated_gives_its_candidate_time_again, "5.2", "case_3");

} // namespace
} // namespace totora::test::votes_tests
