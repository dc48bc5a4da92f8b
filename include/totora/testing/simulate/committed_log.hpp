// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/simulate/entry_registry.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// Everything that any server ever took for committed, and what applying it led to. It only grows: Leader Completeness and State
/// Machine Safety (Figure 3) are asked of it.
class CommittedLog
{
public:
    [[nodiscard]] Index last() const { return runs_.last().index; }

    /// A server of this term takes its log for committed up to `commit`, and did so up to `known` before.
    [[nodiscard]] std::optional<std::string_view>
    learn(TermRuns const& log, Index known, Index commit, Term term, EntryRegistry const& registry)
    {
        for (auto first = next(known); first <= commit;) {
            auto run = log.run_from(first, commit.value - first.value + 1);
            if (first <= last()) {
                auto const held = runs_.run_from(first, run.count);
                if (held.term != run.term)
                    return "servers agree on what is committed";
                run.count = std::min(run.count, held.count);
            } else {
                for (auto index = run.first; index <= last_of(run); index = next(index)) {
                    auto const checksum = registry.checksum({run.term, index});
                    if (not checksum)
                        return "what is committed was made by a leader";
                    entries_.push_back({*checksum, term, 0, false, std::nullopt});
                }
                runs_.append(run);
            }
            first = next(last_of(run));
        }
        return std::nullopt;
    }

    /// Whether a log that leads `term` holds everything that was committed in earlier terms.
    [[nodiscard]] bool is_complete(TermRuns const& log, Term term) const
    {
        auto through = last();
        while (through > Index{} and of(through).in_term >= term)
            through = before(through);
        return agree_through(runs_, log, through);
    }

    /// Whether a log agrees up to here.
    [[nodiscard]] bool agrees(TermRuns const& log, Index through) const
    {
        return through <= last() and agree_through(runs_, log, through);
    }

    /// A server applies the entry at `index` of this checksum, which is the command of this number.
    [[nodiscard]] std::optional<std::string_view> apply(Index index, std::uint32_t checksum, std::uint64_t number)
    {
        if (index > last())
            return "nothing is applied before it is committed";
        auto& entry = entries_[index.value - 1];
        if (entry.checksum != checksum)
            return "servers apply the same entry at each index";
        if (not std::exchange(entry.applied, true))
            entry.number = number;
        return std::nullopt;
    }

    /// A machine that has applied everything up to `index` has this digest.
    [[nodiscard]] std::optional<std::string_view> compare(Index index, std::uint64_t digest)
    {
        if (index > last())
            return "nothing is applied before it is committed";
        auto& known = entries_[index.value - 1].digest;
        if (known.value_or(digest) != digest)
            return "machines that have applied the same entries are equal";
        known = digest;
        return std::nullopt;
    }

    /// Whether the command of this number was committed and applied at this position.
    [[nodiscard]] bool holds(LogPosition position, std::uint64_t number) const
    {
        return runs_.term_at(position.index) == position.term and position.index <= last() and
               of(position.index).applied and of(position.index).number == number;
    }

private:
    struct Entry
    {
        std::uint32_t checksum = 0;
        Term          in_term;    ///< Of the server that first took it for committed, which led it.
        std::uint64_t number = 0; ///< Of the command.
        bool          applied = false;
        /// Of machines that have applied it last.
        std::optional<std::uint64_t> digest;
    };

    [[nodiscard]] Entry const& of(Index index) const { return entries_[index.value - 1]; }

    TermRuns           runs_;
    std::vector<Entry> entries_; ///< By index, from 1 on.
};

} // namespace totora::inline v0::simulate
