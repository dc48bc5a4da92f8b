// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace totora::test
{

/// How often what was decided, by the nodes that were added.
class DecisionTotals
{
public:
    /// `node` may be null, and is counted once.
    template <typename NodePointer>
    void add(NodePointer const& node)
    {
        if (node == nullptr)
            return;
        auto const decisions = node->status().decisions;
        for (auto at = std::size_t{0}; at < decisions.size(); ++at)
            counts_[at] += decisions[at];
    }

    void add(DecisionTotals const& others)
    {
        for (auto at = std::size_t{0}; at < counts_.size(); ++at)
            counts_[at] += others.counts_[at];
    }

    [[nodiscard]] std::uint64_t operator[](Decision decision) const
    {
        return counts_[static_cast<std::size_t>(decision)];
    }

private:
    std::array<std::uint64_t, decision_count> counts_{};
};

} // namespace totora::test
