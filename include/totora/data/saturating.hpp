// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <limits>

namespace totora::inline v0
{

// Settings may be as large as a number can be, to say "never" or "without a limit": what is computed from them must not wrap.
// The names of C++26.

/// The sum, or the largest number if it is above that.
[[nodiscard]] constexpr std::uint64_t add_sat(std::uint64_t one, std::uint64_t other)
{
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    return other > largest - one ? largest : one + other;
}

/// The product, or the largest number if it is above that.
[[nodiscard]] constexpr std::uint64_t mul_sat(std::uint64_t one, std::uint64_t other)
{
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    return one != 0 and other > largest / one ? largest : one * other;
}

} // namespace totora::inline v0
