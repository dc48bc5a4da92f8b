// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"

#include <optional>

namespace totora::inline v0::core
{

// Figure 4: how a server changes its role. All of it is here.

/// How long this server waits for a leader. One that could not serve at once waits longer, so that those that can go first;
/// where nobody can, it campaigns all the same. One that has yet to apply its log waits three times as long, one without room an
/// election maximum more.
///
/// Differs: §5.2 draws all timeouts from one range. Votes are never withheld for either reason.
[[nodiscard]] constexpr Delay election_timeout(State const& state)
{
    auto const election = state.settings.election;
    auto const times = state.replaying ? 3U : 1U;
    auto const longer_ms = state.room == LogRoom::enough ? 0U : election.at_most_ms;
    return Delay{times * election.at_least_ms + longer_ms, times * election.at_most_ms + longer_ms};
}

/// Waits for a leader, from now on.
constexpr void arm_election(State& state, Outgoing& outgoing)
{
    arm(state, outgoing, Alarm::election, election_timeout(state));
}

/// Becomes a follower without changing term or vote.
constexpr void become_follower(State& state, Outgoing& outgoing, ServerId leader)
{
    if (is_leader(state)) {
        disarm(state, outgoing, Alarm::heartbeat);
        disarm(state, outgoing, Alarm::quorum_check);
        if (state.membership.phase == ChangePhase::catching_up)
            disarm(state, outgoing, Alarm::catch_up);
        if (std::get_if<Leader>(&state.role)->successor != nobody)
            disarm(state, outgoing, Alarm::transfer);
        arm_election(state, outgoing);
    }
    change_role(state, Role{Follower{leader}});
}

/// Ends a pre-vote under way: a server that has voted for another does not depose it in the next term.
constexpr void stop_asking(State& state, Outgoing& outgoing)
{
    if (std::holds_alternative<PreCandidate>(state.role))
        become_follower(state, outgoing, nobody);
}

/// Figure 2, "All Servers": a higher term makes a follower of anybody (§5.1). The vote in it is free.
constexpr void adopt_term(State& state, Outgoing& outgoing, Term term)
{
    if (not std::holds_alternative<Follower>(state.role))
        note(outgoing, Decision::stepped_down_newer_term);
    state.current_term = term;
    state.voted_for = std::optional<ServerId>{};
    save_vote(state, outgoing);
    become_follower(state, outgoing, nobody);
}

/// Follows the leader of the current term, whose message has just arrived.
constexpr void follow(State& state, Outgoing& outgoing, ServerId leader)
{
    become_follower(state, outgoing, leader);
    state.leader_recently_active = true;
    auto const minimum = state.settings.election.at_least_ms;
    arm(state, outgoing, Alarm::leader_silent, Delay{minimum, minimum});
    arm_election(state, outgoing);
}

/// Sends a request to every other voter.
constexpr void ask_voters(State const& state, Outgoing& outgoing, Rpc const& request, Release release)
{
    for (auto const& member : state.configurations.in_force.members)
        if (is_voter(member.kind) and member.id != state.own.id)
            send(outgoing, member.id, request, release);
}

/// Whether the log that a leader begins with holds a change of the members that is not over.
[[nodiscard]] constexpr bool is_change_unfinished(State const& state)
{
    auto const& in_force = state.configurations.in_force;
    return in_force.index > state.commit_index or is_joint(in_force) or not is_voter(in_force, state.own);
}

/// All members may be able to do more than is agreed: never, if this server cannot.
constexpr void begin_to_agree(State const& state, Leader& leader)
{
    leader.may_raise = state.settings.can != state.configurations.in_force.agreed;
}

/// Begins its term: nobody is known to agree with anything yet, and an entry of its own is the first thing that it
/// can commit (§5.3, §5.4.2, §8).
constexpr void become_leader(State& state, Outgoing& outgoing)
{
    note(outgoing, Decision::election_won);
    disarm(state, outgoing, Alarm::election);
    disarm(state, outgoing, Alarm::leader_silent);
    state.leader_recently_active = false;
    change_role(state, Role{Leader{}});
    state.reception = SnapshotReception{};
    TOTORA_INVARIANT(state, state.voted_for == state.own.id);
    state.followers.reserve(state.configurations.in_force.members.size());
    for (auto const& member : state.configurations.in_force.members)
        if (member.id != state.own.id) {
            auto progress = Progress{};
            progress.begin(member.id, next(last_index(state)));
            state.followers.push_back(progress);
        }
    if (is_change_unfinished(state))
        state.membership.phase = ChangePhase::changing;
    begin_to_agree(state, *std::get_if<Leader>(&state.role));
    arm(state, outgoing, Alarm::heartbeat, Delay{state.settings.heartbeat_ms, state.settings.heartbeat_ms});
    if (state.settings.check_quorum)
        arm(state, outgoing, Alarm::quorum_check,
            Delay{state.settings.election.at_least_ms, state.settings.election.at_least_ms});
    append_as_leader(state, outgoing, *std::get_if<Leader>(&state.role), 1, EntryKind::no_op);
    if (state.room != LogRoom::enough)
        note(outgoing, Decision::leading_without_room);
}

/// Leads, if enough voters have given their vote.
constexpr void lead_if_elected(State& state, Outgoing& outgoing)
{
    if (not std::holds_alternative<Candidate>(state.role))
        return;
    if (has_quorum(state.configurations.in_force, [&](ServerId voter) { return state.votes.contains(voter); }))
        become_leader(state, outgoing);
}

/// Figure 2, "Candidates": a new term, its own vote, and requests that carry this vote as soon as it is durable. `transfer`: the
/// leader asked for it, so that nobody is sticky to it.
constexpr void become_candidate(State& state, Outgoing& outgoing, bool transfer = false)
{
    ++state.current_term.value;
    state.voted_for = std::optional<ServerId>{state.own.id};
    save_vote(state, outgoing);
    change_role(state, Role{Candidate{}});
    arm_election(state, outgoing);
    ask_voters(state, outgoing,
               RequestVote{.term = state.current_term, .last_log = last_position(state), .transfer = transfer},
               once_term_durable(state));
}

/// Goes on from a pre-vote to a campaign, if enough voters would vote for it.
constexpr void campaign_if_pre_elected(State& state, Outgoing& outgoing)
{
    if (not std::holds_alternative<PreCandidate>(state.role))
        return;
    if (has_quorum(state.configurations.in_force, [&](ServerId voter) { return state.votes.contains(voter); })) {
        note(outgoing, Decision::pre_vote_won);
        become_candidate(state, outgoing);
    }
}

/// Asks whether it would win: leaves term and vote alone, here and everywhere (dissertation §9.6).
constexpr void become_pre_candidate(State& state, Outgoing& outgoing)
{
    ++state.pre_vote_round.value;
    change_role(state, Role{PreCandidate{.round = state.pre_vote_round}});
    state.votes.insert(state.own.id);
    arm_election(state, outgoing);
    ask_voters(
        state, outgoing,
        RequestPreVote{.term = state.current_term, .last_log = last_position(state), .round = state.pre_vote_round},
        Release::at_once());
    campaign_if_pre_elected(state, outgoing);
}

} // namespace totora::inline v0::core
