// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/safety.hpp"
#include "totora/testing/simulate/checks/entry_registry.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// Everything that any server ever took for committed, and the results of applying it. It only grows.
///
/// Figure 3 is checked by `testing::Safety`; here are the bytes and the machines, which the core does not see.
class CommittedLog
{
public:
    [[nodiscard]] Index last() const { return safety_.committed.last().index; }

    /// A server takes its log for committed up to its commit index, and did so up to `known` before.
    [[nodiscard]] std::optional<std::string_view> learn(State const& state, Index known, EntryRegistry const& registry)
    {
        if (not safety_.commit(state, known))
            return testing::figure_3::state_machine_safety;
        while (entries_.size() < last().value) {
            auto const index = Index{entries_.size() + 1};
            auto const checksum = registry.checksum({*safety_.committed.term_at(index), index});
            if (not checksum)
                return "what is committed was made by a leader";
            entries_.push_back({*checksum, 0, false, std::nullopt});
        }
        return std::nullopt;
    }

    /// A server has become a leader.
    [[nodiscard]] std::optional<std::string_view> elect(State const& leader)
    {
        if (not safety_.elect(leader.current_term, leader.own.id))
            return testing::figure_3::election_safety;
        if (not safety_.is_complete(leader))
            return testing::figure_3::leader_completeness;
        return std::nullopt;
    }

    /// Whether a log agrees up to here.
    [[nodiscard]] bool agrees(TermRuns const& log, Index through) const
    {
        return through <= last() and agree_through(safety_.committed, log, through);
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

    [[nodiscard]] TermRuns const& log() const { return safety_.committed; }

    /// Whether the command of this number was committed and applied at this position.
    [[nodiscard]] bool holds(LogPosition position, std::uint64_t number) const
    {
        if (position.index > last() or not safety_.committed.holds(position) or position.index == Index{})
            return false;
        auto const& entry = entries_[position.index.value - 1];
        return entry.applied and entry.number == number;
    }

private:
    struct Entry
    {
        std::uint32_t checksum = 0;
        std::uint64_t number = 0; ///< Of the command.
        bool          applied = false;
        /// Of machines that have applied it last.
        std::optional<std::uint64_t> digest;
    };

    testing::Safety    safety_;
    std::vector<Entry> entries_; ///< By index, from 1 on.
};

} // namespace totora::inline v0::simulate
