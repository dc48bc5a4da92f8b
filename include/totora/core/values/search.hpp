// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace totora::inline v0::core
{

// Searches that are cheap to compile: `std::any_of` and `std::upper_bound` are ten to twenty functions at each call, of which a
// build without optimization keeps all.

/// Whether `holds` is true of any of these items.
template <typename Items, typename Holds>
[[nodiscard]] constexpr bool any_of(Items const& items, Holds const& holds)
{
    auto found = false;
    for (auto const& item : items)
        found = found or holds(item);
    return found;
}

/// Of how many items `holds` is true, if of those before `end` it is true of the first ones and of no other. A binary search.
template <typename Items, typename Holds>
[[nodiscard]] constexpr std::size_t count_while(Items const& items, std::size_t end, Holds const& holds)
{
    auto begin = std::size_t{0};
    while (begin < end) {
        auto const middle = begin + (end - begin) / 2;
        if (holds(items[middle]))
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

} // namespace totora::inline v0::core
