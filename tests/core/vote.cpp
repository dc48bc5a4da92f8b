// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

namespace totora::test::vote_tests
{
namespace
{

/// §5.4.1: a later term in the last entry beats a longer log.
constexpr auto a_longer_log_of_an_older_term_gets_no_vote = [] {
    auto const voter = follower(S2, Term{3}, {{Term{1}, Index{1}, 5}, {Term{3}, Index{6}, 2}});

    auto const [after, outgoing] = checked_step(voter, from(S1, RequestVote{Term{4}, {Term{2}, Index{900}}}));

    require(after.current_term == Term{4}, "the voter still adopts the newer term");
    require(not after.voted_for, "the vote stays free for a better candidate");
    require(outgoing.messages == just(S1, RequestVoteResponse{Term{4}, false}),
            "the candidate receives a refusal, and nothing else is sent");
};
TOTORA_PROVE(a_longer_log_of_an_older_term_gets_no_vote, "5.4.1", "case_2");

/// Dissertation §3.10: the leader that is protected asked for this campaign itself. All else that withholds a vote still does.
constexpr auto a_campaign_that_the_leader_asked_for_passes_stickiness_alone = [] {
    auto const voter = follower(S2, Term{3}, {{Term{1}, Index{1}, 5}, {Term{3}, Index{6}, 2}});
    auto const last = last_position(voter);
    auto const led = checked_step(voter, from(S3, heartbeat_of(Term{3}, last))).state;
    auto const asked = [](Term term, LogPosition its_last) {
        return from(S1, RequestVote{.term = term, .last_log = its_last, .transfer = true});
    };
    auto const refuses = [&](State const& state, Message const& request, Decision why) {
        auto const [after, outgoing] = checked_step(state, request);
        require(after.voted_for == state.voted_for and outgoing.decisions == decisions_of({why}), "it gets no vote");
        require(outgoing.messages == just(S1, RequestVoteResponse{after.current_term, false}), "but a refusal");
    };

    require(checked_step(led, asked(Term{4}, last)).state.voted_for == S1, "an active leader keeps nobody from voting");
    refuses(led, asked(Term{4}, {Term{3}, Index{6}}), Decision::vote_withheld_log_outdated);
    refuses(led, asked(Term{4}, {Term{2}, Index{900}}), Decision::vote_withheld_log_outdated);
    refuses(led, asked(Term{2}, {Term{1}, Index{900}}), Decision::vote_withheld_stale_term);
    auto const has_voted = checked_step(led, from(S3, RequestVote{Term{4}, last, true})).state;
    refuses(has_voted, asked(Term{4}, last), Decision::vote_withheld_already_cast);
    auto another_life = led;
    another_life.own.incarnation = Incarnation{2};
    refuses(another_life, asked(Term{4}, last), Decision::vote_withheld_not_admitted);
    auto full = led;
    full.room = LogRoom::nothing;
    refuses(full, asked(Term{3}, {Term{2}, Index{900}}), Decision::vote_withheld_no_room);
};
TOTORA_PROVE(a_campaign_that_the_leader_asked_for_passes_stickiness_alone, "5.4.1", "dissertation 3.10");

/// Dissertation §3.8: a restarted voter must remember its vote.
constexpr auto a_granted_vote_leaves_only_when_it_is_durable = [] {
    auto const voter = follower(S2, Term{3}, {{Term{1}, Index{1}, 5}});

    auto const [after, outgoing] = checked_step(voter, from(S1, RequestVote{Term{4}, {Term{1}, Index{5}}}));

    require(after.voted_for == S1, "the vote is given");
    require(outgoing.writes.size() == 1 and outgoing.writes[0] == Write{SaveVote{WriteNumber{1}, Term{4}, S1}},
            "term and vote are one write");
    require(outgoing.messages == just(S1, RequestVoteResponse{Term{4}, true}, Release::once_durable(WriteNumber{1})),
            "the answer waits for it");
    require(not outgoing.messages[0].open(), "the seal cannot be broken without the log's word");
};
TOTORA_PROVE(a_granted_vote_leaves_only_when_it_is_durable, "5.2", "case_1");

/// §5.2 and §5.3: three servers, one election, one entry, message by message.
constexpr auto an_elected_leader_commits_an_entry_with_one_follower = [] {
    auto one = follower(S1, Term{}, {});
    auto two = follower(S2, Term{}, {});
    auto at_one = step(one, local(Started{}));
    at_one = checked_step(at_one.state, ring(at_one.state, Alarm::leader_silent));
    at_one = checked_step(at_one.state, ring(at_one.state, Alarm::election));
    require(at_one.outgoing.messages.size() == 2, "it asks both others for a pre-vote");

    auto at_two = checked_step(two, from(S1, sent<RequestPreVote>(at_one.outgoing, S2)[0]));
    require(at_two.state == two, "a pre-vote leaves no trace");
    at_one = checked_step(at_one.state, from(S2, sent<RequestPreVoteResponse>(at_two.outgoing, S1)[0]));
    require(at_one.state.current_term == Term{1}, "now it campaigns");

    at_two = checked_step(at_two.state, from(S1, sent<RequestVote>(at_one.outgoing, S2)[0]));
    at_one = checked_step(at_one.state, from(S2, sent<RequestVoteResponse>(at_two.outgoing, S1)[0]));
    require(not is_leader(at_one.state), "its own vote is not durable yet");
    at_one = checked_step(at_one.state, persisted(at_one.state));
    require(is_leader(at_one.state), "two of three have voted");
    auto const append = sent<AppendEntries>(at_one.outgoing, S2)[0];
    require(append.entries == Run{Term{1}, Index{1}, 1}, "its term begins with an entry of its own");

    at_two = checked_step(at_two.state, from(S1, append));
    auto const response = sent<AppendEntriesResponse>(at_two.outgoing, S1)[0];
    require(at_two.outgoing.messages[0].release() == Release::once_durable(WriteNumber{2}), "the promise waits");
    at_one = checked_step(at_one.state, from(S2, response));
    require(at_one.state.commit_index == Index{}, "the leader's own copy is not durable yet");
    at_one = checked_step(at_one.state, persisted(at_one.state));
    require(at_one.state.commit_index == Index{1}, "committed by two of three");
    require(at_one.outgoing.apply_through == Index{1}, "and applied");
};
TOTORA_PROVE(an_elected_leader_commits_an_entry_with_one_follower, "5.2", "5.3", "case_17");

} // namespace
} // namespace totora::test::vote_tests
