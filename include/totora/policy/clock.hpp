// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"

#include <concepts>
#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// Where a node gets its sense of time; the core never sees it.
///
/// All calls come from the node's thread, and none throws.
///
/// What the compiler cannot check: time is monotone; an alarm never rings before the least time asked for (later is
/// allowed); arming an armed alarm replaces it; an alarm rings at most once per arming. The random moment is drawn again at each arming,
/// from a stream that no other server shares, so that elections do not collide permanently (§5.2).
template <typename T>
concept alarm_clock = requires(T& clock, T const& readable, Alarm alarm, Arming arming, Delay delay) {
    /// Lets the alarm ring once, between `delay.at_least_ms` and `delay.at_most_ms` from now, both included and possibly equal, and
    /// not a fraction of a millisecond earlier: leases rest on it. `arming` comes back with the ring.
    { clock.arm(alarm, arming, delay) } -> std::same_as<void>;
    /// Disarms it; nothing happens if it is not armed.
    { clock.cancel(alarm) } -> std::same_as<void>;
    /// The next alarm that is due, disarming it; nothing if none is.
    { clock.ring() } -> std::same_as<std::optional<AlarmRang>>;
    /// When the next alarm rings, by `now_ms`; nothing if none is armed. It is due from the moment at which `now_ms` gives that.
    { readable.next_ring_ms() } -> std::same_as<std::optional<std::uint64_t>>;
    /// Milliseconds since any fixed moment, rounded down. What must not be early counts from the next one. The deadlines of proposals and reads are taken from it too.
    { readable.now_ms() } -> std::same_as<std::uint64_t>;
};

} // namespace totora::inline v0
