// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/commitment.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/progress.hpp"
#include "totora/core/state.hpp"
#include "totora/core/writes.hpp"

#include <optional>

namespace totora
{

// §5.3, the leader's side: what it sends to its followers. What it makes of their answers is in append_response.hpp.

/// How many appends a leader sends to one follower in one step; the answers ask for more.
inline constexpr int appends_per_step = 4;

/// Sends one AppendEntries with at most `count_max` entries from `next` on (Figure 2, "AppendEntries RPC").
///
/// It leaves at once: an append promises nothing, and the leader writes while it sends (dissertation §10.2.1).
constexpr void
send_append(State const& state, Outgoing& outgoing, Round round, Progress& progress, std::uint64_t count_max)
{
    auto const previous = before(progress.next);
    auto const previous_term = state.log.term_at(previous).value_or(Term{});
    auto       entries = state.log.run_from(progress.next, count_max);
    if (entries.count == 0)
        entries.term = state.current_term;

    ++progress.sent.value;
    send(outgoing, progress.server,
         AppendEntries{.term = state.current_term,
                       .previous = {previous_term, previous},
                       .entries = entries,
                       .leader_commit = state.commit_index,
                       .round = round,
                       .number = progress.sent},
         Release::at_once());

    if (entries.count == 0)
        return;
    progress.loaded = progress.sent;
    if (auto* probe = std::get_if<Probe>(&progress.flow))
        probe->awaiting = true;
    else
        progress.next = next(last_of(entries));
}

/// Sends a follower the entries that it lacks, as far as its window goes.
constexpr void replicate(State const& state, Outgoing& outgoing, Round round, Progress& progress)
{
    for (auto sent = 0; sent < appends_per_step; ++sent) {
        if (progress.next > last_index(state) or not may_send_entries(progress, state.settings.window))
            return;
        send_append(state, outgoing, round, progress, state.settings.append_entries_max);
    }
}

/// Sends an append without entries to every follower: says that the leader lives, carries its commit index and its newest
/// read round, and tests the place where the next entries would go. So a lost append is found out by the next heartbeat.
constexpr void send_heartbeats(State const& state, Outgoing& outgoing, Leader& leader)
{
    for (auto& progress : leader.followers)
        send_append(state, outgoing, leader.round, progress, 0);
}

/// Appends entries of its own term to a leader's log and begins to replicate them.
constexpr Run append_as_leader(State& state, Outgoing& outgoing, Leader& leader, std::uint64_t count)
{
    auto const entries = Run{state.current_term, next(last_index(state)), count};
    append(state, outgoing, entries);
    for (auto& progress : leader.followers)
        replicate(state, outgoing, leader.round, progress);
    advance_commit_index(state, outgoing, leader);
    return entries;
}

/// Appends what clients propose, if this server leads (Figure 2, "Leaders").
constexpr Answer decide_proposal(State const& state, Proposed const& proposed)
{
    if (not is_leader(state))
        return Answer{Refused{Refusal::not_leader, known_leader(state)}};
    if (proposed.count == 0)
        return Answer{Refused{Refusal::empty_proposal, nobody}};
    if (proposed.count > number_max - last_index(state).value)
        return Answer{Refused{Refusal::log_exhausted, nobody}};
    return Answer{Accepted{{state.current_term, next(last_index(state)), proposed.count}}};
}

constexpr void receive(State& state, Outgoing& outgoing, Proposed const& proposed)
{
    auto const answer = decide_proposal(state, proposed);
    outgoing.answer = std::optional<Answer>{answer};
    if (std::holds_alternative<Accepted>(answer))
        append_as_leader(state, outgoing, *std::get_if<Leader>(&state.role), proposed.count);
}

/// The way to a follower has changed. What was on it may be lost, so that the place of agreement is looked for again.
constexpr void receive(State& state, Outgoing& outgoing, LinkChanged const& changed)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    auto* const progress = leader != nullptr ? find_progress(*leader, changed.server) : nullptr;
    if (progress == nullptr)
        return;
    progress->full = changed.link == Link::full;
    if (changed.link == Link::full)
        return;
    probe_from(*progress, next(progress->match));
    if (changed.link == Link::open)
        replicate(state, outgoing, leader->round, *progress);
}

} // namespace totora
