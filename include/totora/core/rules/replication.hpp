// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/rules/commitment.hpp"
#include "totora/core/rules/snapshot_flow.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress_flow.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>

namespace totora::inline v0::core
{

// §5.3, the leader's side: what it sends to its followers. What it makes of their answers is in append_entries.hpp.

/// How many appends a leader sends to one follower in one step; the answers ask for more.
inline constexpr int appends_per_step = 4;

/// Sends one numbered AppendEntries with at most `count_max` entries from `next` on (Figure 2, "AppendEntries RPC").
/// Without entries it tests the place where they would go.
///
/// It leaves at once: an append promises nothing, and the leader writes while it sends (dissertation §10.2.1).
constexpr void
send_append(State const& state, Outgoing& outgoing, Round round, Progress& progress, std::uint64_t count_max)
{
    auto const previous = before(progress.next);
    auto const previous_term =
        state.log.term_at(previous).value_or(Term{}); // Known: nothing that `is_compacted` is sent.
    auto entries = state.log.run_from(progress.next, count_max);
    if (entries.count == 0)
        entries.term = state.current_term;

    auto const number = progress.on_sent(entries);
    send(outgoing, progress.server,
         AppendEntries{.term = state.current_term,
                       .previous = {previous_term, previous},
                       .entries = entries,
                       .leader_commit = state.commit_index,
                       .round = round,
                       .number = number,
                       .committed = state.commit_index},
         Release::at_once());
}

/// Sends an append without entries and without a number: a sign of the leader that carries its newest read round.
///
/// Differs: Figure 2 has one AppendEntries for all. A heartbeat may overtake entries (case 94), so that it tests nothing beyond
/// what the follower has acknowledged, and its commit index is at most that. A lost append is found by `test_what_was_sent`.
constexpr void send_heartbeat(State const& state, Outgoing& outgoing, Round round, Progress const& progress)
{
    auto const term =
        state.log.term_at(progress.match); // Not known if it is compacted: every log holds what comes before the first.
    auto const match = term ? LogPosition{*term, progress.match} : LogPosition{};
    send(outgoing, progress.server,
         AppendEntries{.term = state.current_term,
                       .previous = match,
                       .entries = {state.current_term, next(match.index), 0},
                       .leader_commit = std::min(state.commit_index, match.index),
                       .round = round,
                       .number = {},
                       .committed = state.commit_index},
         Release::at_once());
}

constexpr void send_heartbeats(State const& state, Outgoing& outgoing, Leader const& leader)
{
    for (auto const& progress : state.followers)
        send_heartbeat(state, outgoing, leader.reads.newest, progress);
}

/// Sends a follower the entries that it lacks, as far as its window goes. A probe carries one at most: what is refused would be
/// sent again. It carries one so that each search has brought the follower further, also in a network that reorders.
constexpr void replicate(State const& state, Outgoing& outgoing, Round round, Progress& progress)
{
    auto const last = last_index(state);
    if ((is_compacted(state, progress) or is_sent_snapshot(progress)) and
        is_kept_on_snapshot(state, outgoing, progress))
        return;
    for (auto sent = 0; sent < appends_per_step; ++sent) {
        if (not may_send_append(progress, state.settings.window))
            return;
        auto const room = state.settings.window - in_flight(progress);
        if (auto const* probe = std::get_if<Probe>(&progress.mode))
            return send_append(state, outgoing, round, progress, probe->only_asks or room == 0 ? 0 : 1);
        if (progress.next > last)
            return;
        send_append(state, outgoing, round, progress, std::min(room, state.settings.append_entries_max));
    }
}

/// Asks about what was sent, if no append was answered since the last heartbeat alarm. The append is numbered: it follows the
/// entries on their way, so that its refusal shows a loss, and its acceptance that they only take time (etcd probes on the
/// answer to a heartbeat in the same way). It carries nothing, and so costs nothing on a slow link.
constexpr void test_what_was_sent(State const& state, Outgoing& outgoing, Round round, Progress& progress)
{
    auto const answered = progress.take_acknowledged();
    if (answered or progress.link_full or progress.no_room)
        return;
    if (is_sent_snapshot(progress))
        return ask_about_chunks(state, outgoing, progress);
    if (is_compacted(state, progress))
        return begin_snapshot(state, outgoing, progress);
    auto const* const probe = std::get_if<Probe>(&progress.mode);
    if (probe != nullptr ? probe->awaiting or progress.paused : in_flight(progress) > 0)
        send_append(state, outgoing, round, progress, 0);
}

/// The heartbeat alarm rang.
constexpr void keep_followers(State& state, Outgoing& outgoing, Leader const& leader)
{
    send_heartbeats(state, outgoing, leader);
    for (auto& progress : state.followers)
        test_what_was_sent(state, outgoing, leader.reads.newest, progress);
    arm(state, outgoing, Alarm::heartbeat, Delay{state.settings.heartbeat_ms, state.settings.heartbeat_ms});
}

/// Appends entries of its own term to a leader's log and begins to replicate them.
constexpr Run
append_as_leader(State& state, Outgoing& outgoing, Leader const& leader, std::uint64_t count, EntryKind kind)
{
    auto const entries = Run{state.current_term, next(last_index(state)), count};
    append(state, outgoing, entries, kind);
    for (auto& progress : state.followers)
        replicate(state, outgoing, leader.reads.newest, progress);
    return entries; // What is committed changes once something is durable, here or there.
}

/// What a client is answered: the indexes and the term that its entries get, or why it is refused. Changes nothing.
constexpr Answer decide_proposal(State const& state, Proposed const& proposed)
{
    if (not is_leader(state))
        return Answer{Refused{Refusal::not_leader, known_leader(state)}};
    if (proposed.count == 0)
        return Answer{Refused{Refusal::empty_proposal, nobody}};
    if (auto const successor = std::get_if<Leader>(&state.role)->successor; successor != nobody)
        return Answer{Refused{Refusal::transfer_under_way, successor}};
    if (proposed.count > number_max - last_index(state).value)
        return Answer{Refused{Refusal::log_exhausted, nobody}};
    return Answer{Accepted{{state.current_term, next(last_index(state)), proposed.count}}};
}

/// Figure 2, "Leaders": appends what clients propose.
constexpr void receive(State& state, Outgoing& outgoing, Proposed const& proposed)
{
    auto const answer = decide_proposal(state, proposed);
    outgoing.answer = std::optional<Answer>{answer};
    if (std::holds_alternative<Accepted>(answer))
        append_as_leader(state, outgoing, *std::get_if<Leader>(&state.role), proposed.count, EntryKind::command);
}

/// What must hold of a progress before and after it moves: `match < first <= next`, and nothing is sent beyond the log.
constexpr void assert_progress(State& state, Progress const& progress)
{
    TOTORA_INVARIANT(state, progress.match < progress.first);
    TOTORA_INVARIANT(state, progress.first <= progress.next);
    TOTORA_INVARIANT(state, progress.next <= next(last_index(state)));
}

/// The connection to a follower changed state; appends in flight may be lost, or may have arrived. The leader asks where it is
/// sending: a new connection proves nothing about the follower's log (case 88).
constexpr void receive(State& state, Outgoing& outgoing, LinkChanged const& changed)
{
    auto* const progress = find_progress(state, changed.server);
    if (progress == nullptr)
        return;
    if (changed.link == Link::full)
        return progress->link_filled();
    progress->link_reset();
    assert_progress(state, *progress);
    if (changed.link == Link::open and is_sent_snapshot(*progress))
        return want_chunk(state, outgoing, *progress);
    if (changed.link == Link::open)
        replicate(state, outgoing, std::get_if<Leader>(&state.role)->reads.newest, *progress);
}

/// `next` moves back to what was really sent (case 89).
constexpr void receive(State& state, Outgoing&, AppendsCut const& cut)
{
    auto* const progress = find_progress(state, cut.server);
    if (progress == nullptr)
        return;
    assert_progress(state, *progress);
    progress->cut_after(cut.sent);
    assert_progress(state, *progress);
}

constexpr void receive(State& state, Outgoing& outgoing, AppendsResumed const& resumed)
{
    auto* const progress = find_progress(state, resumed.server);
    if (progress == nullptr)
        return;
    progress->resume();
    assert_progress(state, *progress);
    replicate(state, outgoing, std::get_if<Leader>(&state.role)->reads.newest, *progress);
}

constexpr void receive(State& state, Outgoing&, LinkMoved const& moved)
{
    if (auto* const progress = find_progress(state, moved.server))
        progress->moved();
}

} // namespace totora::inline v0::core
