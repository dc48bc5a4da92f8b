// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace totora::inline v0
{

/// Where a term begins in a log.
struct TermStart
{
    Index first;
    Term  term;

    friend constexpr bool operator==(TermStart const&, TermStart const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("first", self.first);
        visit("term", self.term);
    }
};
static_assert(lists_its_fields<TermStart>());

/// The term of every index of a log, as runs: all that Raft's decisions need to know of it (§5.3, §5.4.1).
///
/// Differs: the paper's log has the commands; here the shell keeps them.
/// The idea is Kafka's leader-epoch cache. It costs 16 bytes a term that left an entry, whatever the number of entries.
/// Invariants: runs are in order of index and of term; the first begins after `base`; none is empty.
class TermRuns
{
public:
    constexpr TermRuns() = default;

    /// A log whose entries up to `base` are gone.
    constexpr explicit TermRuns(LogPosition base) : base_(base), last_(base.index) {}

    /// The last entry that is no longer in the log; index 0 if the log is whole.
    [[nodiscard]] constexpr LogPosition base() const { return base_; }

    /// The last entry, or `base()` if there is none.
    [[nodiscard]] constexpr LogPosition last() const
    {
        return {starts_.empty() ? base_.term : starts_.back().term, last_};
    }

    [[nodiscard]] constexpr std::vector<TermStart> const& starts() const { return starts_; }

    /// The term at an index from `base().index` to `last().index`, nothing elsewhere.
    [[nodiscard]] constexpr std::optional<Term> term_at(Index index) const
    {
        if (index < base_.index or index > last_)
            return std::nullopt;
        return term_of(index);
    }

    /// Whether the log holds exactly this entry (or is based on it). Every log holds what comes before the first entry, compacted
    /// ones too; of an entry below the base the term is not known, and equals no other.
    [[nodiscard]] constexpr bool holds(LogPosition position) const
    {
        return term_at(position.index) == position.term or position == LogPosition{};
    }

    /// The last position whose index and whose term are both at most those given: the furthest that a log
    /// which holds `limit` can agree with this one (end of §5.3). Never below `base()`.
    [[nodiscard]] constexpr LogPosition find_conflict_by_term(LogPosition limit) const
    {
        auto index = std::min(limit.index, last_);
        while (index > base_.index and term_of(index) > limit.term)
            index = before(start_of(index));
        if (index <= base_.index)
            return base_;
        return {term_of(index), index};
    }

    /// The neighbouring entries of one term from `first` on, at most `count_max` of them.
    [[nodiscard]] constexpr Run run_from(Index first, std::uint64_t count_max) const
    {
        if (first <= base_.index or first > last_)
            return {last().term, first, 0};
        auto const after = find_after(first);
        auto const end = after == starts_.size() ? next(last_) : starts_[after].first;
        return {starts_[after - 1].term, first, std::min(end.value - first.value, count_max)};
    }

    /// The part of `run` that lies above `base()`.
    [[nodiscard]] constexpr Run above_base(Run const& run) const
    {
        if (run.first > base_.index)
            return run;
        auto const below = std::min(run.count, base_.index.value - run.first.value + 1);
        return {run.term, run.first + below, run.count - below};
    }

    /// The entries of `run` from the first one that this log does not hold on; empty if it holds them all. What lies at or below
    /// `base()` counts as held. `run` begins at most one after `last()`.
    [[nodiscard]] constexpr Run missing_from(Run const& wanted) const
    {
        auto const run = above_base(wanted);
        auto const held = run_from(run.first, run.count);
        auto const agreed = held.term == run.term ? held.count : 0;
        return {run.term, run.first + agreed, run.count - agreed};
    }

    /// Appends a run that begins right after `last()` in a term that is not older.
    constexpr void append(Run const& run)
    {
        if (run.count == 0)
            return;
        if (starts_.empty() or starts_.back().term != run.term)
            starts_.push_back({run.first, run.term});
        last_ = last_of(run);
    }

    /// Removes the entry at `first` and all following ones. `first` lies after `base()`.
    constexpr void truncate(Index first)
    {
        while (not starts_.empty() and starts_.back().first >= first)
            starts_.pop_back();
        last_ = std::min(last_, before(first));
    }

    /// Forgets the entries up to `base`, which this log holds.
    constexpr void compact(LogPosition base)
    {
        auto const kept = find_after(next(base.index)); // One after the run of the first entry that is kept.
        base_ = base;
        if (base.index >= last_)
            return starts_.clear();
        starts_.erase(starts_.begin(), starts_.begin() + static_cast<std::ptrdiff_t>(kept - 1));
        starts_.front().first = next(base.index);
    }

    /// Forgets all entries: a snapshot up to `base` takes their place.
    constexpr void restore(LogPosition base) { *this = TermRuns{base}; }

    friend constexpr bool operator==(TermRuns const&, TermRuns const&) = default;

private:
    /// The position in `starts_` of the first run that begins after `index`.
    [[nodiscard]] constexpr std::size_t find_after(Index index) const
    {
        // Nearly every question is about the newest terms, so the search begins there.
        auto after = starts_.size();
        for (auto looked = 0; looked < 4 and after > 0 and starts_[after - 1].first > index; ++looked)
            --after;
        if (after == 0 or starts_[after - 1].first <= index)
            return after;
        return core::count_while(starts_, after, [&](TermStart const& start) { return start.first <= index; });
    }

    [[nodiscard]] constexpr Term term_of(Index index) const
    {
        auto const after = find_after(index);
        return after == 0 ? base_.term : starts_[after - 1].term;
    }

    [[nodiscard]] constexpr Index start_of(Index index) const { return starts_[find_after(index) - 1].first; }

    LogPosition            base_;
    Index                  last_;
    std::vector<TermStart> starts_;
};

/// The invariant of the terms of a log that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(TermRuns const& log)
{
    auto start = TermStart{log.base().index, log.base().term};
    for (auto const& run : log.starts()) {
        auto const is_first = &run == log.starts().data();
        if (run.first <= start.first or (is_first ? run.term < start.term : run.term <= start.term) or
            run.first > log.last().index)
            return "terms go up along the log";
        start = run;
    }
    return std::nullopt;
}

} // namespace totora::inline v0
