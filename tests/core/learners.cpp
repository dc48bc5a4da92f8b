// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"
#include "support/snapshots.hpp"

#include <vector>

// A learner receives the log and counts nowhere (dissertation 4.2.1). Who may vote, which is more servers than may campaign; and who
// is served, which is everybody (dissertation 4.1). Who is counted is in counting.cpp.

namespace totora::test::learners_tests
{
namespace
{

/// A server in term 1, with 1/1. S1 to S3 vote, S4 learns.
constexpr auto member_of_it = [](ServerId id) {
    auto state = follower(id, Term{1}, {{Term{1}, Index{1}, 1}});
    state.configurations.in_force = state.configurations.previous = voters_and_learners(3, 1);
    return state;
};

/// A server in term 1, with 1/1, which removes S3. It may yet be truncated.
constexpr auto without_s3 = [](ServerId id) {
    auto state = follower(id, Term{1}, {{Term{1}, Index{1}, 1}});
    state.configurations.in_force = cluster(2);
    state.configurations.in_force.index = Index{1};
    return state;
};

constexpr auto a_learner_does_not_campaign = [] {
    auto const learner = member_of_it(S4);

    auto const [after, outgoing] = checked_step(learner, ring(learner, Alarm::election));

    require(is_follower(after) and outgoing.messages.empty() and outgoing.writes.empty(), "it asks nobody");
    require(outgoing.decisions == decisions_of({Decision::campaign_withheld_not_electable}), "because it may not lead");
};
TOTORA_PROVE(a_learner_does_not_campaign, "dissertation 4.2.1");

constexpr auto a_learner_is_asked_for_no_vote = [] {
    auto const one = member_of_it(S1);
    auto const asking = checked_step(one, ring(one, Alarm::election));
    require(asking.outgoing.messages.size() == 2 and sent<RequestPreVote>(asking.outgoing, S4).empty(),
            "a pre-vote asks both other voters");

    auto const campaign = checked_step(asking.state, from(S2, RequestPreVoteResponse{Term{1}, Round{1}, true}));

    require(campaign.outgoing.messages.size() == 2 and sent<RequestVote>(campaign.outgoing, S4).empty(),
            "and so does a campaign");
};
TOTORA_PROVE(a_learner_is_asked_for_no_vote, "dissertation 4.2.1");

constexpr auto a_learner_receives_heartbeats_and_entries = [] {
    auto const leading = leader(member_of_it(S1));
    require(is_leader(leading), "S2 and S3 have voted");

    auto const beat = checked_step(leading, ring(leading, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S4).at(0) == heartbeat_of(Term{2}, {}), "a heartbeat");
    auto const agreed = checked_step(leading, from(S4, accepted(Term{2}, Index{2}))).state;
    auto const proposed = checked_step(agreed, local(Proposed{1}));
    require(sent<AppendEntries>(proposed.outgoing, S4).at(0).entries == Run{Term{2}, Index{3}, 1}, "and every entry");
};
TOTORA_PROVE(a_learner_receives_heartbeats_and_entries, "dissertation 4.2.1");

/// The candidate may know of a configuration that this server's log does not hold yet (dissertation 4.2.1): who votes is the
/// candidate's decision. Only a server that no configuration ever named withholds its vote (case 86).
constexpr auto a_server_votes_that_its_own_log_does_not_name_as_a_voter = [] {
    auto const asks = from(S1, RequestVote{Term{2}, {Term{1}, Index{1}}});
    require(checked_step(member_of_it(S4), asks).state.voted_for == S1, "a learner");

    require(checked_step(without_s3(S3), asks).state.voted_for == S1,
            "and one that the newest configuration removes, which may yet be truncated");
};
TOTORA_PROVE(a_server_votes_that_its_own_log_does_not_name_as_a_voter, "dissertation 4.2.1", "6");

constexpr auto a_server_grants_pre_votes_that_its_own_log_does_not_name_as_a_voter = [] {
    for (auto const& asked : std::vector<State>{member_of_it(S4), without_s3(S3)}) {
        auto const [after, outgoing] =
            checked_step(asked, from(S1, RequestPreVote{Term{1}, {Term{1}, Index{1}}, Round{7}}));

        require(after == asked, "without a trace");
        require(outgoing.messages == just(S1, RequestPreVoteResponse{Term{1}, Round{7}, true}),
                "as it would grant the vote: it is the candidate that counts");
    }
};
TOTORA_PROVE(a_server_grants_pre_votes_that_its_own_log_does_not_name_as_a_voter, "dissertation 4.2.1", "6");

/// S2 and the learner are asked by a non-member, S2 by the learner, and by one that is being removed.
constexpr auto a_candidate_is_served_that_the_configuration_does_not_name_as_a_voter = [] {
    struct Asked
    {
        State    voter;
        ServerId candidate;
    };
    for (auto const& [voter, candidate] : std::vector<Asked>{
             {member_of_it(S2), S5}, {member_of_it(S4), S5}, {member_of_it(S2), S4}, {without_s3(S2), S3}}) {
        auto const last = LogPosition{Term{1}, Index{1}};
        auto const pre_vote = checked_step(voter, from(candidate, RequestPreVote{Term{1}, last, Round{7}}));
        auto const vote = checked_step(voter, from(candidate, RequestVote{Term{2}, last}));

        require(pre_vote.outgoing.messages == just(candidate, RequestPreVoteResponse{Term{1}, Round{7}, true}),
                "its log may hold a newer configuration");
        require(vote.state.current_term == Term{2} and vote.state.voted_for == candidate, "it gets the vote");
        require(vote.outgoing.messages ==
                    just(candidate, RequestVoteResponse{Term{2}, true}, Release::once_durable(WriteNumber{1})),
                "as any candidate");
    }
};
TOTORA_PROVE(a_candidate_is_served_that_the_configuration_does_not_name_as_a_voter, "dissertation 4.1", "6");

/// S2 follows a learner, a non-member, and one that is being removed; a learner and one that is being removed follow, too.
constexpr auto whoever_leads_is_followed_by_everybody = [] {
    struct Follows
    {
        State    follower;
        ServerId leader;
    };
    for (auto const& [before, other] : std::vector<Follows>{{member_of_it(S2), S4},
                                                            {member_of_it(S2), S5},
                                                            {without_s3(S2), S3},
                                                            {member_of_it(S4), S1},
                                                            {without_s3(S3), S1}}) {
        auto const append = append_of(Term{2}, {Term{1}, Index{1}}, Term{2}, 1);
        auto const appended = checked_step(before, from(other, append));
        require(known_leader(appended.state) == other and appended.state.leader_recently_active, "it leads term 2");
        require(last_position(appended.state) == LogPosition{Term{2}, Index{2}}, "its entries are appended");
        require(sent<AppendEntriesResponse>(appended.outgoing, other).at(0) == accepted(Term{2}, Index{2}),
                "and acknowledged");

        auto const snapshot = snapshot_at(Term{2}, Index{20});
        auto const chunk = checked_step(before, from(other, chunk_of(Term{2}, snapshot, 0, 4)));
        require(known_leader(chunk.state) == other and arms(chunk.outgoing, Alarm::election), "so is a snapshot");
        require(chunk.outgoing.store_chunk == StoreChunk{snapshot, 0, 4}, "its chunks are stored");
        require(chunk.outgoing.messages == just(other, answer_about(Term{2}, snapshot, 4)), "and answered");
    }
};
TOTORA_PROVE(whoever_leads_is_followed_by_everybody, "dissertation 4.1", "6");

constexpr auto a_learner_is_sent_a_snapshot = [] {
    auto learned_by = follower(S1, Term{1}, {{Term{1}, Index{1}, 9}});
    learned_by.configurations.in_force = learned_by.configurations.previous = voters_and_learners(3, 1);
    auto const leading = leader(compacted(learned_by, Index{5}));

    auto const [after, outgoing] = checked_step(leading, from(S4, refused(Term{2}, Index{9}, {})));

    require(sent_snapshot(after, S4) != nullptr and noted(outgoing, Decision::snapshot_needed), "it has nothing");
    require(outgoing.chunks_wanted.size() == 1 and outgoing.chunks_wanted[0].server == S4, "its first chunk is read");
};
TOTORA_PROVE(a_learner_is_sent_a_snapshot, "dissertation 4.2.1", "7");

/// Otherwise a server that was removed, and campaigns, deposes the leader with the help of whom nobody counts on.
constexpr auto everybody_is_sticky_to_a_leader_and_whoever_campaigns = [] {
    for (auto const& voter : std::vector<State>{member_of_it(S2), member_of_it(S4), without_s3(S3)}) {
        auto const led = checked_step(voter, from(S1, heartbeat_of(Term{1}, {Term{1}, Index{1}}))).state;

        require_nothing_but(Decision::vote_withheld_sticky_to_leader, led,
                            checked_step(led, from(S5, RequestVote{Term{9}, {Term{1}, Index{1}}})));
        auto const asked = checked_step(led, from(S5, RequestPreVote{Term{1}, {Term{1}, Index{1}}, Round{7}}));
        require(asked.state == led, "without a trace");
        require(asked.outgoing.messages == just(S5, RequestPreVoteResponse{Term{1}, Round{7}, false}), "it is refused");
    }
};
TOTORA_PROVE(everybody_is_sticky_to_a_leader_and_whoever_campaigns, "dissertation 4.2.3");

/// Whoever receives the log may deliver a newer term with its responses.
constexpr auto the_newer_term_of_a_learner_is_obeyed = [] {
    auto const leading = leader(member_of_it(S1));

    auto const [after, outgoing] = checked_step(leading, from(S4, refused_by_newer_term(Term{9})));

    require(is_follower(after) and after.current_term == Term{9}, "otherwise it could not be brought back");
    require(noted(outgoing, Decision::stepped_down_newer_term), "by this name");
};
TOTORA_PROVE(the_newer_term_of_a_learner_is_obeyed, "dissertation 4.2.1", "5.1");

} // namespace
} // namespace totora::test::learners_tests
