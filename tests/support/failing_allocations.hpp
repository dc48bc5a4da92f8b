// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <limits>
#include <utility>

/// Memory that runs out at one allocation: the test program's `operator new` (failing_allocations.cpp) asks here.
namespace totora::test
{

/// The allocations of one thread while it runs what is tested. One of them fails, if a test selects it.
struct Allocations
{
    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

    bool          watched = false;
    std::uint64_t count = 0;       ///< Of those that were watched.
    std::uint64_t fails_at = none; ///< Counted from 0.
    bool          lasts = false;   ///< All that follow fail too.
};

[[nodiscard]] Allocations& allocations();

/// The allocations are watched while `act` runs.
template <typename Act>
decltype(auto) watching_allocations(Act act)
{
    struct Watch
    {
        bool before = std::exchange(allocations().watched, true);

        ~Watch() { allocations().watched = before; }
    };
    auto const watch = Watch{};
    return act();
}

} // namespace totora::test
