// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/commitment.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"

#include <algorithm>
#include <optional>

namespace totora::inline v0::core
{

// §5.3, the follower's side: Figure 2, "AppendEntries RPC, receiver implementation"; and what the leader makes of
// the answers.

/// Whether an append that begins below the log's base agrees with it, as far as that is known. What is compacted is committed, so that
/// the leader of any later term holds the same entries: the append is a late one (case 9).
[[nodiscard]] constexpr bool agrees_with_base(TermRuns const& log, AppendEntries const& append)
{
    auto const base = log.base();
    if (last_of(append.entries) < base.index)
        return append.previous.term <= base.term and (append.entries.count == 0 or append.entries.term <= base.term);
    return append.entries.term == base.term;
}

/// What a server does with the entries of an append that its log agrees with up to `previous`.
[[nodiscard]] constexpr Decision decide_entries(State const& follower, AppendEntries const& append)
{
    auto const missing = follower.log.missing_from(append.entries);
    if (missing.count == 0 or missing.first > last_index(follower))
        return Decision::append_accepted;
    // Neither what is committed nor the configuration before the newest can be given up: the newest could be
    // appended only when that one was committed.
    if (missing.first <= std::max(follower.commit_index, follower.configurations.committed_index()))
        return Decision::violation_conflict_committed;
    return Decision::conflict_truncated;
}

/// What a server does with an append of its own or a newer term.
[[nodiscard]] constexpr Decision decide_append(State const& follower, AppendEntries const& append)
{
    if (append.previous == last_position(follower)) // Nearly always.
        return Decision::append_accepted;
    if (append.previous.index < follower.log.base().index and not agrees_with_base(follower.log, append))
        return Decision::violation_conflict_committed;
    if (append.previous.index < follower.log.base().index)
        return decide_entries(follower, append);
    if (not follower.log.holds(append.previous))
        return append.previous.index <= follower.commit_index ? Decision::violation_conflict_committed
                                                              : Decision::append_refused_mismatch;
    return decide_entries(follower, append);
}

/// Refuses an append of an older term. The answer holds the term alone: it carries no number, since the server that it
/// goes to may lead the newer term by the time it arrives, and must not take it for an answer to an append of that term.
constexpr void refuse_stale_term(State const& follower, Outgoing& outgoing, ServerId leader)
{
    send(outgoing, leader,
         AppendEntriesResponse{.term = follower.current_term,
                               .success = false,
                               .match = {},
                               .conflict_hint = {},
                               .round = {},
                               .number = {}},
         Release::at_once());
}

/// Refuses an append, with a hint where this log may agree with the leader's (end of §5.3).
constexpr void refuse_append(State const& follower, Outgoing& outgoing, ServerId leader, AppendEntries const& append)
{
    send(outgoing, leader,
         AppendEntriesResponse{.term = follower.current_term,
                               .success = false,
                               .match = append.previous.index,
                               .conflict_hint = follower.log.find_conflict_by_term(append.previous),
                               .round = append.round,
                               .number = append.number,
                               .no_room = lacks_room(follower)},
         Release::at_once());
}

/// Figure 2, steps 3 to 5, on a log that agrees with the leader's up to `previous`.
constexpr void accept_append(State& follower, Outgoing& outgoing, ServerId leader, AppendEntries const& request,
                             Configuration const* configuration)
{
    auto const missing = follower.log.missing_from(request.entries);
    if (missing.count > 0) {
        if (missing.first <= last_index(follower))
            truncate(follower, outgoing, missing.first);
        append(follower, outgoing, missing, std::nullopt);
        if (configuration != nullptr and configuration->index >= missing.first) {
            TOTORA_INVARIANT(follower, configuration->index > follower.configurations.in_force.index);
            TOTORA_INVARIANT(follower, configuration->index <= last_index(follower));
            follower.configurations.append(*configuration);
        }
    }

    // What follows the entries of this request was not compared with the leader's log: it may be of a leader
    // that never got it committed (case 15).
    auto const verified = last_of(request.entries);
    advance_commit_to(follower, outgoing, std::min(request.leader_commit, verified));

    // Differs: the answer to a heartbeat acknowledges only what is durable already, so that reads and the quorum check wait for no
    // data (Figure 2 would have it wait for the disk).
    auto const match = request.entries.count > 0 ? verified : std::min(verified, follower.writes.durable_index);
    send(outgoing, leader,
         AppendEntriesResponse{.term = follower.current_term,
                               .success = true,
                               .match = match,
                               .conflict_hint = lacks_room(follower) ? request.previous : LogPosition{},
                               .round = request.round,
                               .number = request.number,
                               .no_room = lacks_room(follower)},
         once_log_durable(follower, match));
}

/// Figure 2, "AppendEntries RPC, receiver implementation". `configuration` is the one among the entries; null if there is none.
constexpr void receive_append(State& state, Outgoing& outgoing, ServerId leader, AppendEntries const& append,
                              Configuration const* configuration, Decision decision)
{
    note(outgoing, decision);
    if (decision == Decision::append_refused_stale_term)
        return refuse_stale_term(state, outgoing, leader);
    follow(state, outgoing, leader);
    if (decision == Decision::append_refused_mismatch)
        refuse_append(state, outgoing, leader, append);
    else
        accept_append(state, outgoing, leader, append, configuration);
}

constexpr void
receive(State& state, Outgoing& outgoing, ServerId leader, AppendEntries const& append, Decision decision)
{
    receive_append(state, outgoing, leader, append, nullptr, decision);
}

constexpr void
receive(State& state, Outgoing& outgoing, ServerId leader, AppendConfiguration const& append, Decision decision)
{
    receive_append(state, outgoing, leader, append, &append.configuration, decision);
}

/// The follower does not hold what came before an append.
constexpr void reject(State const& state, Outgoing& outgoing, Progress& progress, AppendEntriesResponse const& response)
{
    if (not is_outstanding(progress, response.match, response.number))
        return note(outgoing, Decision::refusal_outdated);
    note(outgoing, Decision::probe_moved_back);
    // What the follower may have in common with a leader lies below what the leader can compare: no search finds it.
    if (response.conflict_hint.index < state.log.base().index)
        return progress.rejected(response.match, response.conflict_hint.index);
    progress.rejected(response.match, state.log.find_conflict_by_term(response.conflict_hint).index);
}

constexpr void receive(State& state, Outgoing& outgoing, ServerId follower, AppendEntriesResponse const& response)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    if (leader == nullptr or response.term != state.current_term)
        return note(outgoing, Decision::response_outdated);
    auto* const progress = find_progress(state, follower);
    if (progress == nullptr)
        return note(outgoing, Decision::response_from_non_member);

    assert_progress(state, *progress);
    auto const current = is_current(*progress, response.number);
    progress->on_response(response.round, current);
    if (progress->on_room(response.no_room))
        note(outgoing, response.no_room ? Decision::follower_without_room : Decision::follower_with_room_again);
    if (response.success)
        progress->accepted(response.match, current);
    if (response.no_room and current) {
        if (state.log.holds(response.conflict_hint))
            progress->rejected_for_room(response.conflict_hint.index);
    } else if (not response.success)
        reject(state, outgoing, *progress, response);
    assert_progress(state, *progress);
    advance_commit_index(state, outgoing);
    confirm_reads(state, outgoing, *leader);
    replicate(state, outgoing, leader->reads.newest, *progress);
}

} // namespace totora::inline v0::core
