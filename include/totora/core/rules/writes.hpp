// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <variant>

namespace totora::inline v0::core
{

// Figure 2, "Persistent state": how the core writes to its log, and what it may rely on. Every write has a number; the
// log may be slow, but what is durable is always a prefix of the sequence. A message that promises something waits for
// the newest write that it rests on.

/// Begins to watch the disk, if nothing is watched yet: something is in flight.
constexpr void watch_storage(State& state, Outgoing& outgoing)
{
    if (not state.settings.watch_storage or state.storage.oldest != WriteNumber{})
        return;
    auto const& settings = state.settings;
    auto const  stall_ms = settings.storage_stall_ms > 0 ? settings.storage_stall_ms : settings.election.at_most_ms;
    state.storage = StorageWatch{next(state.durable_write), false};
    arm(state, outgoing, Alarm::storage_stall, Delay{stall_ms, stall_ms});
}

/// The number of a write that is made now.
[[nodiscard]] constexpr WriteNumber number_write(State& state, Outgoing& outgoing)
{
    state.last_write = next(state.last_write);
    watch_storage(state, outgoing);
    return state.last_write;
}

/// Writes term and vote. A step that adopts a term and then votes in it makes one write of both.
constexpr void save_vote(State& state, Outgoing& outgoing)
{
    auto* const earlier = outgoing.writes.empty() ? nullptr : std::get_if<SaveVote>(&outgoing.writes.back());
    if (earlier != nullptr) {
        *earlier = SaveVote{earlier->write, state.current_term, state.voted_for};
        return;
    }
    state.term_write = number_write(state, outgoing);
    outgoing.writes.push_back(Write{SaveVote{state.last_write, state.current_term, state.voted_for}});
}

/// Appends entries after the last one. `kind` is that of a leader's own entries.
constexpr void append(State& state, Outgoing& outgoing, Run const& entries, std::optional<EntryKind> kind)
{
    TOTORA_INVARIANT(state, entries.first == next(last_index(state)));
    TOTORA_INVARIANT(state, entries.term <= state.current_term);
    state.log.append(entries);
    auto const write = number_write(state, outgoing);
    state.pending_appends.push_back(PendingAppend{write, last_of(entries)});
    outgoing.writes.push_back(Write{Append{write, entries, kind}});
}

/// The first pending append that reaches `index`, or the end.
template <typename Appends>
[[nodiscard]] constexpr auto first_that_reaches(Appends& pending_appends, Index index)
{
    return std::lower_bound(pending_appends.begin(), pending_appends.end(), index,
                            [](PendingAppend const& pending, Index wanted) { return pending.last < wanted; });
}

/// Whatever an earlier write confirms later, the log is durable only below `first`: another entry may stand there by then.
/// Of the pending appends that went beyond, the oldest is the one that makes the entry before `first` durable.
constexpr void confirm_only_below(State& state, Index first)
{
    auto const last = before(first);
    state.durable_index = std::min(state.durable_index, last);
    auto& pending_appends = state.pending_appends;
    auto  oldest = first_that_reaches(pending_appends, last);
    if (oldest != pending_appends.end() and last > state.durable_index) {
        oldest->last = last;
        ++oldest;
    }
    pending_appends.erase(oldest, pending_appends.end());
}

/// Removes the entry at `first` and all following ones.
constexpr void truncate(State& state, Outgoing& outgoing, Index first)
{
    TOTORA_INVARIANT(state, first > state.commit_index);
    TOTORA_INVARIANT(state, not is_leader(state));
    state.log.truncate(first);
    confirm_only_below(state, first);
    if (state.configuration.index >= first)
        state.configuration = state.previous_configuration;
    outgoing.writes.push_back(Write{Truncate{number_write(state, outgoing), first}});
}

/// What was watched is durable: it is not late, and the next write in flight is the oldest.
constexpr void watch_next_write(State& state, Outgoing& outgoing)
{
    if (state.durable_write < state.storage.oldest)
        return;
    state.storage = StorageWatch{};
    if (state.durable_write < state.last_write)
        watch_storage(state, outgoing);
}

/// Learns that every write up to `write` is durable.
constexpr void on_persisted(State& state, Outgoing& outgoing, WriteNumber write)
{
    state.durable_write = write;
    if (state.storage.late)
        watch_next_write(state, outgoing);
    auto confirmed = state.pending_appends.begin(); // Mostly there is one.
    for (; confirmed != state.pending_appends.end() and confirmed->write <= write; ++confirmed)
        state.durable_index = confirmed->last;
    if (confirmed != state.pending_appends.begin())
        state.pending_appends.erase(state.pending_appends.begin(), confirmed);
}

/// When a message that rests on a write may leave.
[[nodiscard]] constexpr Release once_durable(State const& state, WriteNumber write)
{
    return write <= state.durable_write ? Release::at_once() : Release::once_durable(write);
}

/// When a message that rests on term and vote alone may leave.
[[nodiscard]] constexpr Release once_term_durable(State const& state) { return once_durable(state, state.term_write); }

/// When a message that rests on term and vote and on the log up to `index` may leave.
[[nodiscard]] constexpr Release once_log_durable(State const& state, Index index)
{
    if (index <= state.durable_index)
        return once_term_durable(state);
    auto const pending = first_that_reaches(state.pending_appends, index);
    auto const write = pending != state.pending_appends.end() ? pending->write : state.last_write;
    return once_durable(state, std::max(write, state.term_write));
}

} // namespace totora::inline v0::core
