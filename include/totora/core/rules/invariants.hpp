// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/broken_invariant.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace totora::inline v0
{

// What must hold of every state, and of a state and its successor. Too costly for every build; every test asks it
// after every step.

/// The invariant of one role that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(State const& state, Leader const& leader)
{
    if (state.voted_for != state.own.id)
        return "a leader voted for itself";
    if (auto const broken = find_broken_invariant(leader.reads))
        return broken;
    for (auto const& progress : state.followers) {
        if (auto const broken = find_broken_invariant(progress, last_index(state), leader.reads.newest))
            return broken;
        if (progress.server == state.own.id or progress.server == nobody)
            return "a leader does not follow itself";
        if (find_member(state.configurations.in_force, progress.server) == nullptr)
            return "a leader follows members alone";
    }
    for (auto const& member : state.configurations.in_force.members)
        if (member.id != state.own.id and find_progress(state, member.id) == nullptr)
            return "a leader follows every other member";
    if (not state.membership.is_under_way() and is_joint(state.configurations.in_force))
        return "a leader leaves a joint configuration";
    return find_broken_invariant(state.membership);
}

/// The invariant of a state that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(State const& state)
{
    if (state.current_term.value > number_max)
        return "terms are at most number_max";
    if (last_position(state).term > state.current_term)
        return "no entry is of a later term than the current one";
    if (last_index(state).value > number_max)
        return "indexes are at most number_max";
    if (state.commit_index > last_index(state))
        return "what is committed is in the log";
    if (state.commit_index < state.log.base().index)
        return "what is compacted is committed";
    if (state.apply_index > std::min(state.commit_index, state.writes.durable_index))
        return "what is applied is committed, and durable here";
    if (auto const broken = find_broken_invariant(state.log))
        return broken;
    if (auto const broken = find_broken_invariant(state.writes, last_index(state)))
        return broken;
    if (auto const broken = find_broken_invariant(state.configurations, last_index(state)))
        return broken;
    if (auto const broken = find_broken_invariant(state.reception))
        return broken;
    if (is_leader(state) and state.reception.is_under_way())
        return "a leader receives no snapshot";
    if (std::holds_alternative<Candidate>(state.role) and state.voted_for != state.own.id)
        return "a candidate voted for itself";
    if (auto const* asking = std::get_if<PreCandidate>(&state.role);
        asking != nullptr and asking->round != state.pre_vote_round)
        return "a pre-candidate asks in its newest round";
    if (state.votes.size() > 0 and not std::holds_alternative<PreCandidate>(state.role) and
        not std::holds_alternative<Candidate>(state.role))
        return "votes are counted only by who asks for them";
    if (auto const* leader = std::get_if<Leader>(&state.role))
        return find_broken_invariant(state, *leader);
    if (not state.followers.empty() or state.membership.is_under_way())
        return "only a leader has followers, and changes the members";
    return std::nullopt;
}

/// Whether two logs hold the same entries up to `index`, as far as neither is compacted.
[[nodiscard]] constexpr bool agree_through(TermRuns const& a, TermRuns const& b, Index index)
{
    auto const base = std::max(a.base().index, b.base().index);
    if (base <= index and a.term_at(base) != b.term_at(base))
        return false;
    auto at = next(base);
    while (at <= index) {
        auto const run = a.run_from(at, index.value - at.value + 1);
        if (run.count == 0 or b.missing_from(run).count != 0 or last_of(run) > b.last().index)
            return false;
        at = next(last_of(run));
    }
    return true;
}

/// The invariant of a step that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(State const& earlier, State const& later)
{
    if (later.current_term < earlier.current_term)
        return "terms never go back";
    if (later.current_term == earlier.current_term and earlier.voted_for and later.voted_for != earlier.voted_for)
        return "a vote is given once in a term";
    if (later.commit_index < earlier.commit_index)
        return "what is committed stays committed";
    if (later.apply_index < earlier.apply_index)
        return "what is applied stays applied";
    if (later.log.base().index < earlier.log.base().index)
        return "what is compacted stays compacted";
    if (auto const broken = find_broken_invariant(earlier.writes, later.writes))
        return broken;
    if (auto const broken = find_broken_invariant(earlier.alarms, later.alarms))
        return broken;
    if (not agree_through(earlier.log, later.log, earlier.commit_index))
        return "committed entries never change";
    if (is_leader(earlier) and later.current_term == earlier.current_term and
        not agree_through(earlier.log, later.log, last_index(earlier)))
        return "a leader only appends to its log";
    if (not cover(agreed(later), agreed(earlier)))
        return "what is agreed stays agreed";
    if (later.settings != earlier.settings or later.own != earlier.own)
        return "a server stays who it is";
    return std::nullopt;
}

} // namespace totora::inline v0
