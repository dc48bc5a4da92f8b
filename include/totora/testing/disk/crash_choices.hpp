// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace totora::inline v0::conformance
{

/// Whether all choices were visited.
enum class Coverage : std::uint8_t
{
    exhaustive,
    sampled,
};

/// The number of choices, or `limit` + 1 if there are more than `limit`.
[[nodiscard]] inline std::uint64_t number_of_choices(std::span<std::uint32_t const> counts, std::uint64_t limit)
{
    auto number = std::uint64_t{1};
    for (auto const count : counts) {
        number *= count;
        if (number > limit)
            return limit + 1;
    }
    return number;
}

/// Visits every choice of one version for each thing, if there are at most `limit`. If there are more: nothing kept,
/// everything kept, each thing alone kept and alone lost, and then drawn ones, `limit` in all.
template <typename Visit>
Coverage
visit_choices(std::vector<std::uint32_t> const& counts, std::uint64_t limit, testing::SplitMix& random, Visit visit)
{
    auto choice = std::vector<std::uint32_t>(counts.size(), 0);
    if (number_of_choices(counts, limit) <= limit) {
        while (true) {
            visit(choice);
            auto at = std::size_t{0};
            for (; at < counts.size() and ++choice[at] == counts[at]; ++at)
                choice[at] = 0;
            if (at == counts.size())
                return Coverage::exhaustive;
        }
    }
    auto       left = limit;
    auto const take = [&](std::vector<std::uint32_t> const& one) {
        if (left > 0) {
            --left;
            visit(one);
        }
    };
    auto all = counts;
    for (auto& version : all)
        --version;
    take(choice);
    take(all);
    for (auto at = std::size_t{0}; at < counts.size(); ++at) {
        auto one = choice;
        one[at] = all[at];
        take(one);
        one = all;
        one[at] = 0;
        take(one);
    }
    while (left > 0) {
        for (auto at = std::size_t{0}; at < counts.size(); ++at)
            choice[at] = static_cast<std::uint32_t>(random.below(counts[at]));
        take(choice);
    }
    return Coverage::sampled;
}

} // namespace totora::inline v0::conformance
