// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// Figure 2, "RequestVote RPC", receiver implementation: one proof for each way through each rule.

namespace totora::test::figure_2_request_vote_tests
{
namespace
{

constexpr auto four_of_term_2 = [] { return follower(S2, Term{3}, {{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}}); };

/// Rule 1: "Reply false if term < currentTerm."
constexpr auto a_candidate_of_an_older_term_is_refused_with_the_newer_one = [] {
    auto const voter = four_of_term_2();

    auto const [after, outgoing] = checked_step(voter, from(S1, RequestVote{Term{2}, {Term{1}, Index{9}}}));

    require(after == voter, "nothing changes");
    require(outgoing.decisions == decisions_of({Decision::vote_withheld_stale_term}), "the reason is named");
    require(outgoing.messages == just(S1, RequestVoteResponse{Term{3}, false}), "the refusal leaves at once");
    require(outgoing.writes.empty() and outgoing.alarms.empty(), "and does nothing else");
};
TOTORA_PROVE(a_candidate_of_an_older_term_is_refused_with_the_newer_one, "Figure 2", "5.1");

/// Rule 2: "If votedFor is null ... and candidate's log is at least as up-to-date as receiver's log, grant vote."
constexpr auto a_free_vote_is_given_to_a_candidate_whose_log_is_as_up_to_date = [] {
    auto const voter = four_of_term_2();

    auto const [after, outgoing] = checked_step(voter, from(S1, RequestVote{Term{3}, {Term{2}, Index{4}}}));

    require(after.voted_for == S1 and after.current_term == Term{3}, "the vote is given in this term");
    require(outgoing.decisions == decisions_of({Decision::vote_granted}), "by this name");
    require(outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{3}, S1}}), "and written");
    require(outgoing.messages == just(S1, RequestVoteResponse{Term{3}, true}, Release::once_durable(WriteNumber{1})),
            "the answer waits for the write");
    require(outgoing.alarms.size() == 2 and arms(outgoing, Alarm::election), "the voter gives its candidate time");
    require(arms(outgoing, Alarm::storage_stall), "and its disk");
};
TOTORA_PROVE(a_free_vote_is_given_to_a_candidate_whose_log_is_as_up_to_date, "Figure 2", "5.2", "5.4");

/// Rule 2: "votedFor is ... candidateId".
constexpr auto a_vote_is_repeated_to_the_candidate_that_has_it = [] {
    auto voter = four_of_term_2();
    voter = step(voter, from(S1, RequestVote{Term{3}, {Term{2}, Index{4}}})).state;

    auto const [waiting, sealed] = checked_step(voter, from(S1, RequestVote{Term{3}, {Term{2}, Index{4}}}));
    auto const durable = checked_step(waiting, persisted(waiting)).state;
    auto const [after, outgoing] = checked_step(durable, from(S1, RequestVote{Term{3}, {Term{2}, Index{4}}}));

    require(sealed.messages == just(S1, RequestVoteResponse{Term{3}, true}, Release::once_durable(WriteNumber{1})),
            "the repetition waits for the same write");
    require(outgoing.messages == just(S1, RequestVoteResponse{Term{3}, true}), "a durable vote is repeated at once");
    require(sealed.writes.empty() and outgoing.writes.empty(), "nothing is written twice");
    require(after.voted_for == S1, "the vote stays");
};
TOTORA_PROVE(a_vote_is_repeated_to_the_candidate_that_has_it, "Figure 2", "5.2", "case_3");

/// Rule 2: no vote if it belongs to another; "first-come-first-served" (§5.2).
constexpr auto a_vote_that_is_given_is_given_to_nobody_else = [] {
    auto voter = four_of_term_2();
    voter = step(voter, from(S1, RequestVote{Term{3}, {Term{2}, Index{4}}})).state;

    auto const [after, outgoing] = checked_step(voter, from(S3, RequestVote{Term{3}, {Term{2}, Index{900}}}));

    require(after == voter, "nothing changes");
    require(outgoing.decisions == decisions_of({Decision::vote_withheld_already_cast}), "by this name");
    require(outgoing.messages == just(S3, RequestVoteResponse{Term{3}, false}), "the better log does not help");
    require(outgoing.writes.empty() and outgoing.alarms.empty(), "a refusal gives nobody time");
};
TOTORA_PROVE(a_vote_that_is_given_is_given_to_nobody_else, "Figure 2", "5.2");

/// Rule 2: no vote for a log that is less up-to-date, by term first and by length then (§5.4.1).
constexpr auto a_candidate_whose_log_is_less_up_to_date_is_refused = [] {
    auto const voter = four_of_term_2();
    for (auto const last : {LogPosition{Term{1}, Index{900}}, LogPosition{Term{2}, Index{3}}, LogPosition{}}) {
        auto const [after, outgoing] = checked_step(voter, from(S1, RequestVote{Term{3}, last}));

        require(after == voter, "nothing changes");
        require(outgoing.decisions == decisions_of({Decision::vote_withheld_log_outdated}), "by this name");
        require(outgoing.messages == just(S1, RequestVoteResponse{Term{3}, false}), "a refusal, at once");
        require(outgoing.writes.empty() and outgoing.alarms.empty(), "and nothing else");
    }
};
TOTORA_PROVE(a_candidate_whose_log_is_less_up_to_date_is_refused, "Figure 2", "5.4.1");

/// "All Servers" before rule 2: a newer term frees the vote, and both are one write.
constexpr auto a_newer_term_frees_the_vote = [] {
    auto voter = four_of_term_2();
    voter.voted_for = std::optional<ServerId>{S3};

    auto const [after, outgoing] = checked_step(voter, from(S1, RequestVote{Term{4}, {Term{3}, Index{1}}}));

    require(after.current_term == Term{4} and after.voted_for == S1, "the vote of the newer term");
    require(outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{4}, S1}}), "term and vote are one write");
};
TOTORA_PROVE(a_newer_term_frees_the_vote, "Figure 2", "5.1", "5.2");

} // namespace
} // namespace totora::test::figure_2_request_vote_tests
