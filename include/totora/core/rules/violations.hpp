// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/rules/append_entries.hpp"
#include "totora/core/rules/election.hpp"
#include "totora/core/state.hpp"

#include <algorithm>
#include <optional>

namespace totora::inline v0::core
{

// What no correct server can send. It is found before anything else is done with a message, so that it changes nothing:
// the core is total, whatever arrives.

[[nodiscard]] constexpr bool is_in_range(Term term) { return term.value <= number_max; }
[[nodiscard]] constexpr bool is_in_range(Index index) { return index.value <= number_max; }

/// Whether a term lies further above this server's than elections can have brought it while this server was away. It would be
/// adopted, written, and passed on, and there are no terms after the last one: nobody would ever be elected again.
[[nodiscard]] constexpr bool is_term_jump(State const& state, Term term)
{
    auto const own = state.current_term.value;
    return own == 0 ? term.value >= first_term_end : term.value > own and term.value - own > term_jump_max;
}

/// Whether an entry can be at this position: term 0 belongs to index 0, and to it alone.
[[nodiscard]] constexpr bool is_sound(LogPosition position)
{
    return is_in_range(position.term) and is_in_range(position.index) and
           (position.term.value == 0) == (position.index.value == 0);
}

[[nodiscard]] constexpr std::optional<Decision>
find_violation(State const& state, ServerId, RequestPreVote const& request)
{
    if (not is_in_range(request.term) or not is_sound(request.last_log) or request.round.value > number_max)
        return Decision::violation_number;
    if (is_term_jump(state, request.term))
        return Decision::violation_term_jump;
    if (request.last_log.term > request.term)
        return Decision::violation_shape;
    return std::nullopt;
}

[[nodiscard]] constexpr std::optional<Decision>
find_violation(State const& state, ServerId, RequestPreVoteResponse const& response)
{
    if (not is_in_range(response.term) or response.round.value > number_max or not is_sound(response.not_a_member))
        return Decision::violation_number;
    if (is_term_jump(state, response.term))
        return Decision::violation_term_jump;
    if (response.not_a_member.term > response.term)
        return Decision::violation_shape;
    return std::nullopt;
}

[[nodiscard]] constexpr std::optional<Decision> find_violation(State const& state, ServerId, RequestVote const& request)
{
    if (not is_in_range(request.term) or not is_sound(request.last_log))
        return Decision::violation_number;
    if (is_term_jump(state, request.term))
        return Decision::violation_term_jump;
    if (request.last_log.term >= request.term)
        return Decision::violation_shape;
    return std::nullopt;
}

[[nodiscard]] constexpr std::optional<Decision>
find_violation(State const& state, ServerId, RequestVoteResponse const& response)
{
    if (not is_in_range(response.term))
        return Decision::violation_number;
    if (is_term_jump(state, response.term))
        return Decision::violation_term_jump;
    return std::nullopt;
}

/// The verdict on an append: a violation, accepted, or refused. It is decided before the append changes anything, and
/// once: nothing that is done for its term (`adopt_term`) changes the log.
[[nodiscard]] constexpr Decision decide(State const& state, ServerId leader, AppendEntries const& append)
{
    auto const& entries = append.entries;
    if (not is_in_range(append.term) or not is_sound(append.previous) or not is_in_range(append.leader_commit) or
        not is_in_range(append.committed) or not is_in_range(entries.term) or append.round.value > number_max or
        append.number.value > number_max or entries.count > number_max - append.previous.index.value)
        return Decision::violation_number;
    if (is_term_jump(state, append.term))
        return Decision::violation_term_jump;
    if (append.term.value == 0 or append.previous.term > append.term or entries.term > append.term or
        entries.first != next(append.previous.index))
        return Decision::violation_shape;
    if (entries.count > 0 and (entries.term.value == 0 or entries.term < append.previous.term))
        return Decision::violation_shape;
    if (append.term < state.current_term)
        return Decision::append_refused_stale_term;
    if (append.term == state.current_term and known_leader(state) != nobody and known_leader(state) != leader)
        return Decision::violation_second_leader;
    return decide_append(state, append);
}

/// Whether less is agreed in the configuration of an append than in the one that it follows, or than is in force.
[[nodiscard]] constexpr bool lowers_what_is_agreed(State const& state, AppendConfiguration const& append)
{
    auto const& configuration = append.configuration;
    auto const& in_force = state.configurations.in_force;
    if (configuration.index <= in_force.index and configuration.index <= state.commit_index)
        return false; // It is known.
    auto const stays =
        in_force.index < append.entries.first or
        (in_force.index < configuration.index and state.log.term_at(in_force.index) == append.entries.term);
    return not cover(configuration.agreed, agreed(state)) or
           (stays and not cover(configuration.agreed, in_force.agreed));
}

[[nodiscard]] constexpr Decision decide(State const& state, ServerId leader, AppendConfiguration const& append)
{
    auto const decision = decide(state, leader, static_cast<AppendEntries const&>(append));
    if (is_violation(decision))
        return decision;
    auto const& configuration = append.configuration;
    if (configuration.index < append.entries.first or configuration.index > last_of(append.entries) or
        not is_sound(configuration) or lowers_what_is_agreed(state, append))
        return Decision::violation_configuration;
    return decision;
}

[[nodiscard]] constexpr std::optional<Decision>
find_violation(State const& state, ServerId follower, AppendEntriesResponse const& response)
{
    if (not is_in_range(response.term) or not is_in_range(response.match) or
        not is_in_range(response.conflict_hint.term) or not is_in_range(response.conflict_hint.index) or
        response.round.value > number_max or response.number.value > number_max)
        return Decision::violation_number;
    if (is_term_jump(state, response.term))
        return Decision::violation_term_jump;
    auto const* leader = std::get_if<Leader>(&state.role);
    auto const* progress = find_progress(state, follower);
    if (leader == nullptr or progress == nullptr or response.term != state.current_term)
        return std::nullopt;
    if (response.number > progress->sent or response.round > leader->reads.newest or response.match > last_index(state))
        return Decision::violation_never_sent;
    return std::nullopt;
}

[[nodiscard]] constexpr std::optional<Decision> find_violation(State const& state, ServerId, TimeoutNow const& request)
{
    if (not is_in_range(request.term) or not is_sound(request.last_log))
        return Decision::violation_number;
    if (is_term_jump(state, request.term))
        return Decision::violation_term_jump;
    if (request.term.value == 0 or request.last_log.term > request.term)
        return Decision::violation_shape;
    if (request.term == state.current_term and is_leader(state))
        return Decision::violation_second_leader;
    return std::nullopt;
}

/// Whether a snapshot can be: it has an end in a log, and bytes.
[[nodiscard]] constexpr bool is_sound(SnapshotId const& snapshot)
{
    return is_sound(snapshot.last) and snapshot.last.index > Index{} and snapshot.bytes > 0 and
           snapshot.bytes <= number_max;
}

/// Whether a snapshot ends with another entry than the one that is committed there.
[[nodiscard]] constexpr bool contradicts_committed(State const& state, LogPosition last)
{
    auto const term = state.log.term_at(last.index);
    return last.index <= std::max(state.commit_index, state.configurations.committed_index()) and term and
           *term != last.term;
}

[[nodiscard]] constexpr std::optional<Decision>
find_violation(State const& state, ServerId leader, InstallSnapshot const& chunk)
{
    if (not is_in_range(chunk.term) or not is_sound(chunk.snapshot) or
        not has_chunk(chunk.snapshot, chunk.offset, chunk.bytes))
        return Decision::violation_number;
    if (is_term_jump(state, chunk.term))
        return Decision::violation_term_jump;
    if (chunk.snapshot.last.term > chunk.term)
        return Decision::violation_shape;
    if (chunk.term < state.current_term)
        return std::nullopt;
    if (chunk.term == state.current_term and known_leader(state) != nobody and known_leader(state) != leader)
        return Decision::violation_second_leader;
    if (contradicts_committed(state, chunk.snapshot.last))
        return Decision::violation_conflict_committed;
    return std::nullopt;
}

[[nodiscard]] constexpr std::optional<Decision>
find_violation(State const& state, ServerId follower, InstallSnapshotResponse const& response)
{
    if (not is_in_range(response.term) or not is_in_range(response.match) or not is_sound(response.snapshot.last) or
        response.snapshot.bytes > number_max)
        return Decision::violation_number;
    if (is_term_jump(state, response.term))
        return Decision::violation_term_jump;
    if (response.next > response.snapshot.bytes)
        return Decision::violation_shape;
    if (find_progress(state, follower) != nullptr and response.term == state.current_term and
        response.match > last_index(state))
        return Decision::violation_never_sent;
    return std::nullopt;
}

} // namespace totora::inline v0::core
