// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/clock/clock_by.hpp"

#include <cstdint>

#include <time.h>
#include <unistd.h>

namespace totora::inline v0
{

/// The machine's monotonic clock and its entropy. POSIX's calls, because <chrono> and <random> would cost everybody who includes
/// this a third of a second.
struct MonotonicTime
{
    [[nodiscard]] static std::uint64_t now_ns()
    {
        auto now = timespec{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
    }

    /// Where the system has no entropy, the moment has to do.
    [[nodiscard]] static std::uint64_t seed()
    {
        auto drawn = std::uint64_t{0};
        return ::getentropy(&drawn, sizeof drawn) == 0 ? drawn : now_ns();
    }
};

/// Alarms by the machine's monotonic clock.
using SteadyClock = ClockBy<MonotonicTime>;

} // namespace totora::inline v0
