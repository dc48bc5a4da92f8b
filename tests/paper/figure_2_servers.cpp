// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// Figure 2, "Rules for Servers": all servers, followers and candidates. Leaders have a file of their own.

namespace totora::test::figure_2_servers_tests
{
namespace
{

/// 1/1 to 4/1 in term 2, all of it durable.
constexpr auto four_entries = [](ServerId id) { return follower(id, Term{2}, {{Term{1}, Index{1}, 4}}); };

/// All servers: "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine."
constexpr auto what_is_committed_is_applied_once = [] {
    auto const server = four_entries(S2);

    auto const first = checked_step(server, from(S1, heartbeat_of(Term{2}, {Term{1}, Index{4}}, Index{3})));
    auto const again = checked_step(first.state, from(S1, heartbeat_of(Term{2}, {Term{1}, Index{4}}, Index{3})));
    auto const more = checked_step(again.state, from(S1, heartbeat_of(Term{2}, {Term{1}, Index{4}}, Index{4})));

    require(first.outgoing.apply_through == Index{3} and first.state.apply_index == Index{3}, "applied as committed");
    require(not again.outgoing.apply_through, "not a second time");
    require(more.outgoing.apply_through == Index{4} and more.state.apply_index == Index{4}, "only what is new");
};
TOTORA_PROVE(what_is_committed_is_applied_once, "Figure 2", "5.3");

/// All servers, with our addition: nothing is applied that this server's own disk could lose.
constexpr auto what_is_committed_waits_for_the_own_disk_to_be_applied = [] {
    auto const server = four_entries(S2);

    auto const waiting = checked_step(server, from(S1, append_of(Term{2}, {Term{1}, Index{4}}, Term{2}, 2, Index{6})));
    auto const durable = checked_step(waiting.state, persisted(waiting.state));

    require(waiting.state.commit_index == Index{6}, "six are committed");
    require(waiting.outgoing.apply_through == Index{4}, "four are durable here");
    require(durable.outgoing.apply_through == Index{6}, "the others follow when they are");
    require(durable.outgoing.messages.empty() and durable.outgoing.writes.empty(), "nothing else follows");
};
TOTORA_PROVE(what_is_committed_waits_for_the_own_disk_to_be_applied, "Figure 2", "case_83");

/// All servers: "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower", for
/// every role and every kind of message, except that a pre-vote has no term of its own.
constexpr auto a_newer_term_makes_a_follower_of_anybody = [] {
    auto settings = Settings{};
    settings.sticky = false;
    auto base = four_entries(S2);
    base.settings = settings;
    auto pre_candidate = step(base, ring(base, Alarm::election)).state;
    require(is_pre_candidate(pre_candidate) and is_candidate(candidate(base)) and is_leader(leader(base)), "each role");
    for (auto const& server : {base, pre_candidate, candidate(base), leader(base)})
        for (auto const& message :
             {from(S1, RequestVote{Term{9}, {Term{1}, Index{1}}}), from(S1, RequestVoteResponse{Term{9}, false}),
              from(S1, RequestPreVoteResponse{Term{9}, Round{0}, false}),
              from(S1, append_of(Term{9}, {Term{8}, Index{99}}, Term{9}, 1)),
              from(S1, refused(Term{9}, Index{1}, {}))}) {
            auto const [after, outgoing] = checked_step(server, message);

            require(after.current_term == Term{9}, "the newer term is the current one");
            require(is_follower(after), "and the server a follower in it");
            require(not after.voted_for, "whose vote is free");
            require(outgoing.writes == writes_of({SaveVote{next(server.writes.last), Term{9}, std::nullopt}}),
                    "the term is written");
            require(after.log == server.log and after.commit_index == server.commit_index, "the log stays");
        }
};
TOTORA_PROVE(a_newer_term_makes_a_follower_of_anybody, "Figure 2", "5.1");

constexpr auto a_pre_vote_of_a_newer_term_makes_nobody_a_follower = [] {
    auto const base = four_entries(S2);
    for (auto const& server : {base, candidate(base), leader(base)}) {
        auto const [after, outgoing] =
            checked_step(server, from(S1, RequestPreVote{Term{9}, {Term{8}, Index{9}}, Round{1}}));

        require(after == server, "a pre-vote leaves no trace");
        require(outgoing.writes.empty() and outgoing.alarms.empty() and outgoing.messages.size() == 1,
                "and gets one answer");
    }
};
TOTORA_PROVE(a_pre_vote_of_a_newer_term_makes_nobody_a_follower, "dissertation 9.6", "case_56");

/// Followers: "If election timeout elapses without receiving AppendEntries RPC from current leader or granting vote to
/// candidate: convert to candidate." Both are what arms the alarm; a ring from before them is out of date.
constexpr auto a_follower_campaigns_unless_a_leader_or_a_candidate_gave_it_a_reason_to_wait = [] {
    auto server = four_entries(S2);
    server.settings.pre_vote = false;
    auto const early = ring(server, Alarm::election);
    auto const by_leader = step(server, from(S1, heartbeat_of(Term{2}, {}))).state;
    auto const by_candidate = step(server, from(S1, RequestVote{Term{3}, {Term{1}, Index{4}}})).state;
    auto const by_refusal = step(server, from(S1, RequestVote{Term{3}, {Term{1}, Index{3}}})).state;
    auto const by_stale_leader = step(server, from(S1, heartbeat_of(Term{1}, {}))).state;

    require(is_candidate(step(server, early).state), "without either it campaigns");
    require_nothing_but(Decision::ring_outdated, by_leader, checked_step(by_leader, early));
    require_nothing_but(Decision::ring_outdated, by_candidate, checked_step(by_candidate, early));
    require(is_candidate(step(by_refusal, early).state), "a candidate that gets no vote is no reason");
    require(is_candidate(step(by_stale_leader, early).state), "nor is a leader of an older term");
};
TOTORA_PROVE(a_follower_campaigns_unless_a_leader_or_a_candidate_gave_it_a_reason_to_wait, "Figure 2", "5.2");

/// Candidates: "On conversion to candidate, start election: increment currentTerm, vote for self, reset election timer, send
/// RequestVote RPCs to all other servers."
constexpr auto a_candidate_begins_a_term_with_its_own_vote = [] {
    auto server = four_entries(S2);
    server.settings.pre_vote = false;

    auto const [after, outgoing] = checked_step(server, ring(server, Alarm::election));

    require(after.current_term == Term{3} and after.voted_for == S2 and is_candidate(after),
            "a candidate of a new term");
    require(outgoing.decisions == decisions_of({Decision::campaign_started}), "by this name");
    require(outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{3}, S2}}), "its vote is written");
    require(outgoing.alarms.size() == 2 and order_for(outgoing, Alarm::election)->delay == Settings{}.election,
            "the timeout is drawn again");
    require(arms(outgoing, Alarm::storage_stall), "and its disk is watched");
    auto const request = RequestVote{Term{3}, {Term{1}, Index{4}}};
    auto const durable = Release::once_durable(WriteNumber{1});
    require(outgoing.messages == exactly({{S1, Rpc{request}, durable}, {S3, Rpc{request}, durable}}),
            "the requests wait for the vote that they carry");
};
TOTORA_PROVE(a_candidate_begins_a_term_with_its_own_vote, "Figure 2", "5.2");

/// Candidates: "If votes received from majority of servers: become leader."
constexpr auto a_candidate_leads_with_a_majority_and_not_with_less = [] {
    auto const five = candidate(follower(S2, Term{2}, {{Term{1}, Index{1}, 4}}, 5));

    auto const two = checked_step(five, from(S1, RequestVoteResponse{Term{3}, true})).state;
    auto const again = checked_step(two, from(S1, RequestVoteResponse{Term{3}, true})).state;
    auto const refusal = checked_step(again, from(S4, RequestVoteResponse{Term{3}, false})).state;
    auto const [three, outgoing] = checked_step(refusal, from(S3, RequestVoteResponse{Term{3}, true}));

    require(is_candidate(two), "two of five are too few");
    require(is_candidate(again), "one voter counts once");
    require(is_candidate(refusal), "a refusal is no vote");
    require(is_leader(three) and three.current_term == Term{3}, "three of five are enough");
    require(noted(outgoing, Decision::election_won), "by this name");
};
TOTORA_PROVE(a_candidate_leads_with_a_majority_and_not_with_less, "Figure 2", "5.2");

/// Candidates: "If AppendEntries RPC received from new leader: convert to follower." The vote stays.
constexpr auto a_candidate_follows_the_leader_of_its_own_term = [] {
    auto const server = candidate(four_entries(S2));

    auto const [after, outgoing] = checked_step(server, from(S1, heartbeat_of(Term{3}, {Term{1}, Index{4}})));

    require(is_follower(after) and known_leader(after) == S1, "it follows");
    require(after.current_term == Term{3} and after.voted_for == S2, "in the same term, its vote given");
    require(outgoing.writes.empty(), "so that there is nothing to write");
    require(outgoing.messages == just(S1, accepted(Term{3}, Index{4}, 0)), "and it answers");
};
TOTORA_PROVE(a_candidate_follows_the_leader_of_its_own_term, "Figure 2", "5.2", "case_5");

/// Candidates: "If election timeout elapses: start new election."
constexpr auto a_candidate_without_a_result_tries_again = [] {
    auto server = four_entries(S2);
    server.settings.pre_vote = false;
    server = candidate(server);

    auto const [after, outgoing] = checked_step(server, ring(server, Alarm::election));

    require(is_candidate(after) and after.current_term == Term{4}, "in the next term");
    require(after.votes.size() == 0, "with no votes of the earlier one, not even its own");
    require(sent<RequestVote>(outgoing, S1).size() == 1 and sent<RequestVote>(outgoing, S3).size() == 1,
            "it asks everybody again");
};
TOTORA_PROVE(a_candidate_without_a_result_tries_again, "Figure 2", "5.2");

/// The same with pre-vote: a failed campaign goes back to asking, and the term goes no further (dissertation §9.6).
constexpr auto a_candidate_without_a_result_asks_before_it_tries_again = [] {
    auto server = candidate(four_entries(S2));
    server.settings.pre_vote = true;

    auto const [after, outgoing] = checked_step(server, ring(server, Alarm::election));

    require(is_pre_candidate(after) and after.current_term == Term{3} and after.voted_for == S2, "term and vote stay");
    auto const request = RequestPreVote{Term{3}, {Term{1}, Index{4}}, Round{1}};
    require(outgoing.messages ==
                exactly({{S1, Rpc{request}, Release::at_once()}, {S3, Rpc{request}, Release::at_once()}}),
            "it asks, at once");
    require(outgoing.writes.empty(), "and writes nothing");
};
TOTORA_PROVE(a_candidate_without_a_result_asks_before_it_tries_again, "dissertation 9.6");

} // namespace
} // namespace totora::test::figure_2_servers_tests
