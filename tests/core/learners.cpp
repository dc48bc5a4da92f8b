// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// A learner receives the log and counts nowhere (dissertation 4.2.1); and who may vote, which is more servers than may campaign.

namespace totora::test::learners_tests
{
namespace
{

/// S1 to S3 vote, S4 learns.
constexpr auto three_voters_and_a_learner = [] {
    auto configuration = cluster(4);
    configuration.members[3].kind = MemberKind::learner;
    return configuration;
};

/// A server of such a cluster in term 1, with 1/1.
constexpr auto member_of_it = [](ServerId id) {
    auto state = follower(id, Term{1}, {{Term{1}, Index{1}, 1}});
    state.configurations.in_force = state.configurations.previous = three_voters_and_a_learner();
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

    auto removed = follower(S3, Term{1}, {{Term{1}, Index{1}, 1}});
    removed.configurations.in_force = cluster(2);
    removed.configurations.in_force.index = Index{1};
    require(checked_step(removed, asks).state.voted_for == S1,
            "and one that the newest configuration removes, which may yet be truncated");
};
TOTORA_PROVE(a_server_votes_that_its_own_log_does_not_name_as_a_voter, "dissertation 4.2.1", "6");

} // namespace
} // namespace totora::test::learners_tests
