// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace totora::inline v0
{

/// A write of entries that is on its way to the disk: when it is durable, the log is durable up to `last`.
struct PendingAppend
{
    WriteNumber write;
    Index       last;

    friend constexpr bool operator==(PendingAppend const&, PendingAppend const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("write", self.write);
        visit("last", self.last);
    }
};
static_assert(lists_its_fields<PendingAppend>());

/// The place of the first pending append that reaches `index`, or the end.
[[nodiscard]] constexpr std::size_t first_that_reaches(std::vector<PendingAppend> const& appends, Index index)
{
    return core::count_while(appends, appends.size(), [&](PendingAppend const& append) { return append.last < index; });
}

/// How the disk of a server keeps up. A disk is watched from a write that is in flight to a ring of the alarm: if that write is
/// not durable then, it is late. So an alarm is armed once in a `storage_stall` on a busy server, and never on an idle one.
struct StorageWatch
{
    WriteNumber oldest;       ///< The oldest write in flight when the alarm was armed; 0 if it is not armed.
    bool        late = false; ///< It was in flight for longer than `storage_stall`, and still is.

    friend constexpr bool operator==(StorageWatch const&, StorageWatch const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("oldest", self.oldest);
        visit("late", self.late);
    }
};
static_assert(lists_its_fields<StorageWatch>());

/// The writes of a server to its log, in one numbered sequence, and how far the disk is with them.
///
/// Figure 2, "Persistent state"; dissertation §10.2.1. What is durable is always a prefix of the sequence, whatever the log writes
/// at once. Differs: the paper's servers wait for their disk before they respond; here a message waits for the write it rests on.
struct WritePipeline
{
    WriteNumber last;          ///< The newest write made.
    WriteNumber of_term;       ///< The newest one that wrote term and vote.
    WriteNumber durable;       ///< Every write up to this one is durable.
    Index       durable_index; ///< The log is durable up to here.
    /// In ascending order of writes and of indexes, all above `durable_index`: never more than there are entries that are
    /// not durable, so that what bounds these bounds this.
    std::vector<PendingAppend> pending;
    StorageWatch               watch;

    /// Whether a write is in flight.
    [[nodiscard]] constexpr bool is_busy() const { return durable < last; }

    /// Numbers a write that is made now.
    constexpr WriteNumber begin_write()
    {
        last = next(last);
        return last;
    }

    /// Numbers a write of term and vote.
    constexpr WriteNumber begin_term_write()
    {
        of_term = begin_write();
        return of_term;
    }

    /// Numbers a write of entries that end at `last_entry`.
    constexpr WriteNumber begin_append(Index last_entry)
    {
        pending.push_back(PendingAppend{begin_write(), last_entry});
        return last;
    }

    /// Numbers a write that removes the entry at `first` and all following ones.
    ///
    /// Whatever an earlier write confirms later, the log is durable only below `first`: another entry may stand there by then.
    /// Of the pending appends that went beyond, the oldest is the one that makes the entry before `first` durable.
    constexpr WriteNumber begin_truncation(Index first)
    {
        auto const kept = before(first);
        durable_index = std::min(durable_index, kept);
        auto oldest = first_that_reaches(pending, kept);
        if (oldest < pending.size() and kept > durable_index)
            pending[oldest++].last = kept;
        while (pending.size() > oldest)
            pending.pop_back();
        return begin_write();
    }

    /// Numbers a write that puts a snapshot up to `last` in place of the log, of which everything up to `committed` is committed.
    ///
    /// What is committed stays durable: until the write is made it is in the old log, and then in the snapshot. Nothing else of the
    /// old log is of any use, whatever an earlier write of it confirms.
    constexpr WriteNumber begin_install(Index committed, Index last_entry)
    {
        durable_index = std::min(durable_index, committed);
        pending.clear();
        return begin_append(last_entry);
    }

    /// Every write up to `write` is durable.
    constexpr void on_persisted(WriteNumber write)
    {
        durable = write;
        auto confirmed = pending.begin(); // Mostly there is one.
        for (; confirmed != pending.end() and confirmed->write <= write; ++confirmed)
            durable_index = confirmed->last;
        if (confirmed != pending.begin())
            pending.erase(pending.begin(), confirmed);
    }

    /// The newest write that term, vote and the log up to `index` rest on.
    [[nodiscard]] constexpr WriteNumber newest_for(Index index) const
    {
        if (index <= durable_index)
            return of_term;
        auto const append = first_that_reaches(pending, index);
        return std::max(append < pending.size() ? pending[append].write : last, of_term);
    }

    /// Whether the disk is watched.
    [[nodiscard]] constexpr bool is_watched() const { return watch.oldest != WriteNumber{}; }

    /// Whether what is watched is durable (or nothing is).
    [[nodiscard]] constexpr bool is_watched_write_durable() const { return durable >= watch.oldest; }

    /// Watches the oldest write in flight.
    constexpr void watch_oldest() { watch = StorageWatch{next(durable), false}; }

    friend constexpr bool operator==(WritePipeline const&, WritePipeline const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("last", self.last);
        visit("of_term", self.of_term);
        visit("durable", self.durable);
        visit("durable_index", self.durable_index);
        visit("pending", self.pending);
        visit("watch", self.watch);
    }
};
static_assert(lists_its_fields<WritePipeline>());

/// The invariant of the writes of a log that ends at `last_entry` that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(WritePipeline const& writes, Index last_entry)
{
    if (writes.durable_index > last_entry)
        return "what is durable is in the log";
    if (writes.of_term > writes.last or writes.durable > writes.last)
        return "what is durable was written";
    auto earlier = PendingAppend{writes.durable, writes.durable_index};
    for (auto const& append : writes.pending) {
        if (append.write <= earlier.write or append.last <= earlier.last or append.last > last_entry)
            return "pending appends are in order, above what is durable, and in the log";
        earlier = append;
    }
    if (earlier.last != last_entry)
        return "what is not durable is being written";
    if (earlier.write > writes.last)
        return "what is being written was numbered";
    if (writes.watch.oldest > writes.last)
        return "what is watched was written";
    if (writes.watch.late and writes.is_watched_write_durable())
        return "what is durable is not late";
    return std::nullopt;
}

/// The invariant of a change of the writes that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(WritePipeline const& earlier, WritePipeline const& later)
{
    if (later.durable < earlier.durable or later.last < earlier.last or later.of_term < earlier.of_term)
        return "writes never go back";
    return std::nullopt;
}

} // namespace totora::inline v0
