// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <cstddef>
#include <optional>
#include <variant>

namespace totora::inline v0::laws
{

// §5.2 and §5.4.1; dissertation §4.2.3 and §9.6: which candidate gets a vote, and what a server does with the votes it
// gets.

/// §5.4.1: the later last term, and with equal ones the longer log.
[[nodiscard]] constexpr bool is_up_to_date(LogPosition last, LogPosition own)
{
    return last.term != own.term ? last.term > own.term : last.index >= own.index;
}

/// Whether a server is sticky to its leader, or to itself, against this candidate.
[[nodiscard]] constexpr bool protects_leader(State const& state, ServerId asker)
{
    if (not state.settings.sticky)
        return false;
    if (is<Leader>(state))
        return true;
    auto const* follower = std::get_if<Follower>(&state.role);
    return state.leader_recently_active and (follower == nullptr or follower->leader != asker);
}

/// What a vote and a pre-vote have in common.
[[nodiscard]] constexpr bool may_vote(State const& voter, Term term, LogPosition last)
{
    auto const was_let_in =
        has(voter.configurations.in_force, voter.own) or has(voter.configurations.previous, voter.own);
    return term >= voter.current_term and was_let_in and voter.room != LogRoom::nothing and
           is_up_to_date(last, voter.log.last());
}

constexpr void check(Step const& step, RequestVote const& request, StepVerdict& verdict)
{
    auto const& before = step.before;
    verdict.expect(can_have_been_reached(before, request.term), "a term far above the own one is not accepted");
    if (request.term >= before.current_term and not request.transfer and protects_leader(before, step.from))
        return verdict.expect(changes_nothing(step), "a server with a leader ignores candidates");
    if (check_newer_term(step, request.term, true, verdict))
        return;
    auto const  is_free = request.term > before.current_term or not before.voted_for or before.voted_for == step.from;
    auto const  granted = is_free and may_vote(before, request.term, request.last_log);
    auto const* response = only_message<RequestVoteResponse>(step.outgoing, step.from);
    verdict.expect(response != nullptr and response->term == step.after.current_term, "a candidate is answered");
    verdict.expect(response == nullptr or response->vote_granted == granted,
                   "a vote goes to the first candidate of its term whose log is up to date, and to no other");
    verdict.expect(is_noted(step.outgoing, Decision::vote_granted) == granted, "a vote that is granted is noted");
    if (granted) {
        verdict.expect(step.after.voted_for == step.from, "a vote that is granted is cast");
        verdict.expect(not is<PreCandidate>(step.after), "a server that grants its vote ends its own campaign");
        verdict.expect(is_armed_by(step.outgoing, Alarm::election),
                       "a server that grants its vote waits for the one elected");
    } else if (request.term <= before.current_term) {
        verdict.expect(step.after.voted_for == before.voted_for and step.outgoing.writes.empty(),
                       "a vote that is not granted is not cast");
    }
}

/// The last entry that a server knows to be committed.
[[nodiscard]] constexpr LogPosition last_committed(State const& state)
{
    return {state.log.term_at(state.commit_index).value_or(Term{}), state.commit_index};
}

/// Where the configuration in force stands; of a compacted one it is known that it is at most the base.
[[nodiscard]] constexpr LogPosition last_configured(State const& state)
{
    auto const index = state.configurations.in_force.index;
    auto const term = state.log.term_at(index);
    return term ? LogPosition{*term, index} : state.log.base();
}

/// Whether a server can say that another is no member: by a configuration that is committed.
[[nodiscard]] constexpr bool knows_no_member(State const& state, ServerId server)
{
    auto const& members = state.configurations.in_force.members;
    return not members.empty() and state.configurations.in_force.index <= state.commit_index and
           not is_member(state, server) and state.commit_index > Index{};
}

/// Whether this configuration has a server, in this incarnation, as a voter.
[[nodiscard]] constexpr bool lets_vote(Configuration const& configuration, Member const& own)
{
    return std::any_of(configuration.members.begin(), configuration.members.end(), [&](Member const& member) {
        return member.id == own.id and member.incarnation == own.incarnation and member.kind != MemberKind::learner;
    });
}

constexpr void check(Step const& step, RequestPreVote const& request, StepVerdict& verdict)
{
    auto const& before = step.before;
    verdict.expect(can_have_been_reached(before, request.term), "a term far above the own one is not accepted");
    verdict.expect(before == step.after and step.outgoing.writes.empty(), "a pre-vote leaves no trace");
    auto const* response = only_message<RequestPreVoteResponse>(step.outgoing, step.from);
    verdict.expect(response != nullptr and response->term == before.current_term and response->round == request.round,
                   "a pre-vote is answered");
    verdict.expect(response == nullptr or response->vote_granted == (not protects_leader(before, step.from) and
                                                                     may_vote(before, request.term, request.last_log)),
                   "a pre-vote is granted if the vote would be, and no leader is active");
    verdict.expect(response == nullptr or
                       response->not_a_member ==
                           (knows_no_member(before, step.from) ? last_committed(before) : LogPosition{}),
                   "who is no member is told so, as of what is committed");
}

/// What a campaign requests of the other voters: once each, with the candidate's last entry.
template <typename Request>
constexpr void check_requests(Step const& step, StepVerdict& verdict)
{
    auto const others =
        count_voters(step.after.configurations.in_force, [&](ServerId voter) { return voter != step.after.own.id; });
    auto asked = std::size_t{0};
    for (auto const& envelope : step.outgoing.messages) {
        auto const* request = std::get_if<Request>(&envelope.rpc());
        verdict.expect(request != nullptr and request->term == step.after.current_term and
                           request->last_log == step.after.log.last() and votes(step.after, envelope.to()),
                       "a campaign sends requests to voters, in its term, and names its last entry");
        ++asked;
    }
    verdict.expect(asked == others, "a campaign sends a request to every other voter");
}

/// A campaign has begun in this step.
constexpr void check_candidacy(Step const& step, StepVerdict& verdict)
{
    verdict.expect(step.after.current_term.value == step.before.current_term.value + 1,
                   "a campaign begins the next term");
    verdict.expect(step.after.voted_for == step.after.own.id, "a candidate votes for itself");
    verdict.expect(is<Candidate>(step.after) and step.after.votes.empty(),
                   "a candidate's own vote counts when it is durable");
    verdict.expect(is_armed_by(step.outgoing, Alarm::election), "a campaign has an end");
    check_requests<RequestVote>(step, verdict);
}

/// Whether a server may campaign at all.
[[nodiscard]] constexpr bool may_campaign(State const& state)
{
    auto const is_removal_open = state.configurations.in_force.index > state.commit_index;
    auto const is_a_voter = lets_vote(state.configurations.in_force, state.own) or
                            (is_removal_open and lets_vote(state.configurations.previous, state.own));
    return is_a_voter and not(last_configured(state) < state.not_a_member) and state.current_term.value < number_max and
           state.log.last().index.value < number_max and not state.writes.watch.late and state.room != LogRoom::nothing;
}

/// The election alarm rang on a server that does not lead.
constexpr void check_campaign(Step const& step, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const  may = may_campaign(before);
    verdict.expect(is_armed_by(step.outgoing, Alarm::election), "a server that waits for a leader continues to wait");
    verdict.expect(is_noted(step.outgoing, Decision::campaign_started) == may,
                   "who is a voter, and whose disk is well, campaigns");
    if (not may)
        return verdict.expect(before.role == step.after.role and before.current_term == step.after.current_term and
                                  step.outgoing.messages.empty(),
                              "who may not campaign stays as it is");
    if (not before.settings.pre_vote)
        return check_candidacy(step, verdict);
    verdict.expect(step.after.pre_vote_round.value == before.pre_vote_round.value + 1, "each pre-vote has its round");
    if (is_majority(before.configurations.in_force, [&](ServerId voter) { return voter == before.own.id; }))
        return;
    auto const* asking = std::get_if<PreCandidate>(&step.after.role);
    verdict.expect(asking != nullptr and asking->round == step.after.pre_vote_round and step.after.votes.size() == 1,
                   "a pre-candidate begins with its own grant");
    verdict.expect(before.current_term == step.after.current_term and before.voted_for == step.after.voted_for,
                   "a pre-candidate keeps its term and its vote");
    check_requests<RequestPreVote>(step, verdict);
    for (auto const& envelope : step.outgoing.messages)
        if (auto const* request = std::get_if<RequestPreVote>(&envelope.rpc()))
            verdict.expect(request->round == step.after.pre_vote_round, "a pre-vote names its round");
}

/// Whether the voters that granted something, and one more, are a majority.
[[nodiscard]] constexpr bool is_enough(State const& state, ServerSet const& granted, ServerId another)
{
    return is_majority(state.configurations.in_force,
                       [&](ServerId voter) { return voter == another or granted.contains(voter); });
}

constexpr void check(Step const& step, RequestPreVoteResponse const& response, StepVerdict& verdict)
{
    if (check_newer_term(step, response.term, is_member(step.before, step.from), verdict))
        return;
    auto const* asking = std::get_if<PreCandidate>(&step.before.role);
    if (response.term > step.before.current_term)
        return;
    if (asking != nullptr and response.round == asking->round and last_configured(step.before) < response.not_a_member)
        return verdict.expect(is<Follower>(step.after) and step.after.not_a_member == response.not_a_member and
                                  step.outgoing.messages.empty() and step.outgoing.writes.empty(),
                              "who learns that it is no member asks no more, and erases nothing");
    if (asking == nullptr or response.round != asking->round or not votes(step.before, step.from) or
        not response.vote_granted)
        return verdict.expect(changes_nothing(step), "only grants of this pre-vote count, and only those of voters");
    if (is_enough(step.before, step.before.votes, step.from))
        return check_candidacy(step, verdict);
    verdict.expect(is<PreCandidate>(step.after) and step.after.votes.contains(step.from) and
                       step.outgoing.messages.empty() and step.before.current_term == step.after.current_term,
                   "a pre-candidate waits for a majority");
}

constexpr void check(Step const& step, RequestVoteResponse const& response, StepVerdict& verdict)
{
    if (check_newer_term(step, response.term, is_member(step.before, step.from), verdict) or
        response.term > step.before.current_term)
        return;
    if (not is<Candidate>(step.before) or response.term != step.before.current_term or
        not votes(step.before, step.from) or not response.vote_granted)
        return verdict.expect(changes_nothing(step), "only votes of this term count, and only those of voters");
    if (is_enough(step.before, step.before.votes, step.from))
        return verdict.expect(is<Leader>(step.after), "a majority of the voters elects");
    verdict.expect(is<Candidate>(step.after) and step.after.votes.contains(step.from) and
                       step.outgoing.messages.empty(),
                   "a candidate waits for a majority");
}

/// Every step: no server leads that was not elected in it, and no vote changes otherwise.
constexpr void check_roles(Step const& step, StepVerdict& verdict)
{
    auto const& after = step.after;
    auto const  vote_changed =
        step.before.current_term != after.current_term or step.before.voted_for != after.voted_for;
    auto const* saved = saved_vote(step.outgoing);
    verdict.expect(vote_changed == (saved != nullptr), "term and vote are written when they change, and only then");
    verdict.expect(saved == nullptr or (saved->term == after.current_term and saved->voted_for == after.voted_for and
                                        saved->write == after.writes.of_term),
                   "what is written of term and vote is what they are");
    if (is<Leader>(after) and not is<Leader>(step.before)) {
        auto const* candidate = std::get_if<Candidate>(&step.before.role);
        verdict.expect(candidate != nullptr and step.before.current_term == after.current_term,
                       "only a candidate is elected, and in its term");
        verdict.expect(candidate == nullptr or is_majority(after.configurations.in_force,
                                                           [&](ServerId voter) {
                                                               return step.before.votes.contains(voter) or
                                                                      voter == step.from or
                                                                      (voter == after.own.id and
                                                                       after.writes.of_term <= after.writes.durable);
                                                           }),
                       "a leader has the votes of a majority, and its own only if it is durable");
        verdict.expect(is_armed_by(step.outgoing, Alarm::heartbeat) and is_disarmed_by(step.outgoing, Alarm::election),
                       "a leader has heartbeats to send, and waits for no leader");
        verdict.expect(is_armed_by(step.outgoing, Alarm::quorum_check) == after.settings.check_quorum,
                       "a leader checks its quorum, if that is set");
    }
    if (is<Leader>(step.before) and not is<Leader>(after))
        verdict.expect(is_armed_by(step.outgoing, Alarm::election) and is_disarmed_by(step.outgoing, Alarm::heartbeat),
                       "who has led waits for another leader");
    if (auto const* order = order_to(step.outgoing, Alarm::election); order != nullptr and order->delay) {
        auto const times = after.replaying ? 3U : 1U;
        auto const more = after.room == LogRoom::enough ? 0U : after.settings.election.at_most_ms;
        verdict.expect(order->delay->at_least_ms == times * after.settings.election.at_least_ms + more and
                           order->delay->at_most_ms == times * after.settings.election.at_most_ms + more,
                       "only a server that could not serve at once waits longer for a leader");
    }
}

} // namespace totora::inline v0::laws
