// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/local.hpp"

#include <concepts>
#include <cstdint>
#include <optional>

namespace totora
{

/// Where a node gets its sense of time; the core never sees it.
///
/// What the compiler cannot check: time is monotone; an alarm never rings before the least time asked for (later is
/// allowed); arming an armed alarm replaces it; an alarm rings at most once per arming. The random moment is drawn anew at each arming,
/// from a stream that no other server shares, so that elections do not collide for ever (§5.2).
template <typename T>
concept alarm_clock = requires(T& clock, T const& readable, Alarm alarm, Arming arming, Delay delay) {
    { clock.arm(alarm, arming, delay) } -> std::same_as<void>;
    { clock.cancel(alarm) } -> std::same_as<void>;
    /// The next alarm that is due, disarming it; nothing if none is.
    { clock.ring() } -> std::same_as<std::optional<AlarmRang>>;
    /// When the next alarm rings, nothing if none is armed.
    { readable.next_ring_ms() } -> std::same_as<std::optional<std::uint64_t>>;
    /// Milliseconds since any fixed moment.
    { readable.now_ms() } -> std::same_as<std::uint64_t>;
};

} // namespace totora
