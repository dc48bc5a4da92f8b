// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"

#include <optional>
#include <variant>

namespace totora::inline v0::core
{

// Figure 2, "Persistent state": how the core writes to its log, and what it may rely on. Every write has a number; the
// log may be slow, but what is durable is always a prefix of the sequence. A message that promises something waits for
// the newest write that it rests on.

/// Watches the disk, if something is in flight and nothing is watched yet.
constexpr void watch_storage(State& state, Outgoing& outgoing)
{
    if (not state.settings.watch_storage or state.writes.is_watched() or not state.writes.is_busy())
        return;
    auto const& settings = state.settings;
    auto const  stall_ms = settings.storage_stall_ms > 0 ? settings.storage_stall_ms : settings.election.at_most_ms;
    state.writes.watch_oldest();
    arm(state, outgoing, Alarm::storage_stall, Delay{stall_ms, stall_ms});
}

/// Writes term and vote. A step that adopts a term and then votes in it makes one write of both.
constexpr void save_vote(State& state, Outgoing& outgoing)
{
    auto* const earlier = outgoing.writes.empty() ? nullptr : std::get_if<SaveVote>(&outgoing.writes.back());
    if (earlier != nullptr) {
        *earlier = SaveVote{earlier->write, state.current_term, state.voted_for};
        return;
    }
    outgoing.writes.push_back(Write{SaveVote{state.writes.begin_term_write(), state.current_term, state.voted_for}});
    watch_storage(state, outgoing);
}

/// Appends entries after the last one. `kind` is that of a leader's own entries.
constexpr void append(State& state, Outgoing& outgoing, Run const& entries, std::optional<EntryKind> kind)
{
    TOTORA_INVARIANT(state, entries.first == next(last_index(state)));
    TOTORA_INVARIANT(state, entries.term <= state.current_term);
    state.log.append(entries);
    outgoing.writes.push_back(Write{Append{state.writes.begin_append(last_of(entries)), entries, kind}});
    watch_storage(state, outgoing);
}

/// Removes the entry at `first` and all following ones.
constexpr void truncate(State& state, Outgoing& outgoing, Index first)
{
    TOTORA_INVARIANT(state, first > state.commit_index);
    TOTORA_INVARIANT(state, not is_leader(state));
    state.log.truncate(first);
    state.configurations.truncate(first);
    TOTORA_INVARIANT(state, state.configurations.in_force.index < first);
    outgoing.writes.push_back(Write{Truncate{state.writes.begin_truncation(first), first}});
    watch_storage(state, outgoing);
}

/// Forgets the entries up to `base`, which are committed, applied and durable here.
constexpr void compact(State& state, Outgoing& outgoing, LogPosition base)
{
    TOTORA_INVARIANT(state, state.log.holds(base));
    TOTORA_INVARIANT(state, base.index <= state.apply_index);
    state.log.compact(base);
    outgoing.writes.push_back(Write{Compact{state.writes.begin_write(), base}});
    watch_storage(state, outgoing);
}

/// Puts a snapshot in place of the log.
constexpr void install(State& state, Outgoing& outgoing, SnapshotReceived const& received)
{
    auto const& last = received.snapshot.last;
    TOTORA_INVARIANT(state, last.index > state.commit_index);
    TOTORA_INVARIANT(state, last.term <= state.current_term);
    TOTORA_INVARIANT(state, not is_leader(state));
    state.log.restore(last);
    state.configurations = received.configurations;
    auto const write = state.writes.begin_install(state.commit_index, last.index);
    outgoing.writes.push_back(Write{Install{write, received.snapshot}});
    watch_storage(state, outgoing);
}

/// What was watched is durable: it is not late, and the next write in flight is the oldest.
constexpr void watch_next_write(State& state, Outgoing& outgoing)
{
    state.writes.watch = StorageWatch{};
    watch_storage(state, outgoing);
}

/// Every write up to `write` is durable.
constexpr void on_persisted(State& state, Outgoing& outgoing, WriteNumber write)
{
    state.writes.on_persisted(write);
    TOTORA_INVARIANT(state, state.writes.durable <= state.writes.last);
    TOTORA_INVARIANT(state, state.writes.durable_index <= last_index(state));
    if (state.writes.watch.late and state.writes.is_watched_write_durable())
        watch_next_write(state, outgoing);
}

/// When a message that rests on a write may leave.
[[nodiscard]] constexpr Release once_durable(State const& state, WriteNumber write)
{
    return write <= state.writes.durable ? Release::at_once() : Release::once_durable(write);
}

/// When a message that rests on term and vote alone may leave.
[[nodiscard]] constexpr Release once_term_durable(State const& state)
{
    return once_durable(state, state.writes.of_term);
}

/// When a message that rests on term and vote and on the log up to `index` may leave.
[[nodiscard]] constexpr Release once_log_durable(State const& state, Index index)
{
    return once_durable(state, state.writes.newest_for(index));
}

} // namespace totora::inline v0::core
