// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What the fields of a message are by default: never a promise, never a privilege; and what its envelope carries.

namespace totora::test::rpc_tests
{
namespace
{

constexpr auto what_is_not_set_is_not_granted = [] {
    require(not RequestPreVoteResponse{}.vote_granted and not RequestVoteResponse{}.vote_granted, "no vote is given");
    require(not AppendEntriesResponse{}.success, "no entry is acknowledged");
    require(not RequestVote{}.transfer, "no leader has asked for the campaign");
};
TOTORA_PROVE(what_is_not_set_is_not_granted, "5.1", "5.2");

/// Else every candidate would pass stickiness, which is there to keep it from deposing a leader that lives.
constexpr auto who_campaigns_of_itself_does_not_claim_that_the_leader_asked_it_to = [] {
    auto state = follower(S1, Term{1}, {});
    state.settings.pre_vote = false;

    auto const campaign = checked_step(state, ring(state, Alarm::election));

    for (auto const voter : {S2, S3}) {
        auto const requests = sent<RequestVote>(campaign.outgoing, voter);
        require(requests.size() == 1 and not requests[0].transfer, "it asks as anybody may");
    }
};
TOTORA_PROVE(who_campaigns_of_itself_does_not_claim_that_the_leader_asked_it_to, "dissertation 3.10", "5.2");

/// The payload that must be pinned beside a message is the one that it names, and there may be none.
constexpr auto an_envelope_names_the_entries_that_it_carries = [] {
    auto const append = append_of(Term{2}, {Term{1}, Index{4}}, Term{2}, 3);

    auto const carrying = Envelope{S2, append, Release::at_once()};
    require(carrying.entries() != nullptr and *carrying.entries() == append.entries, "an append names its run");
    auto const heartbeat = Envelope{S2, heartbeat_of(Term{2}, {Term{1}, Index{4}}), Release::at_once()};
    require(heartbeat.entries() == nullptr, "a heartbeat carries none");
    auto const request = Envelope{S2, RequestVote{}, Release::at_once()};
    require(request.entries() == nullptr, "and what is no append none either");
};
TOTORA_PROVE(an_envelope_names_the_entries_that_it_carries, "5.3", "case_82");

/// An append tests whether those before it arrived by following them: numbered, it must not overtake, with entries or without.
constexpr auto only_what_tests_nothing_may_overtake_entries = [] {
    auto const place = LogPosition{Term{1}, Index{4}};
    require(not may_overtake(Rpc{append_of(Term{2}, place, Term{2}, 1)}), "entries");
    require(not may_overtake(Rpc{heartbeat_of(Term{2}, place, {}, 7)}), "a numbered append without entries");
    require(may_overtake(Rpc{heartbeat_of(Term{2}, place)}), "a heartbeat may");
    require(may_overtake(Rpc{RequestVote{}}) and may_overtake(Rpc{accepted(Term{2}, Index{4})}), "and so may the rest");
};
TOTORA_PROVE(only_what_tests_nothing_may_overtake_entries, "5.2", "case_94");

} // namespace
} // namespace totora::test::rpc_tests
