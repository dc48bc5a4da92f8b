// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/clock/alarm_board.hpp"
#include "totora/core/messages/local.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace totora::inline v0
{

/// Alarms by a clock with the functions of those in <chrono>, which may not go back. Keeps no thread and no timer: whoever
/// runs the node asks for `next_ring_ms`.
template <typename Source>
class ClockBy
{
    static_assert(Source::is_steady, "time that goes back would let alarms ring early");

public:
    /// Draws its seed from the system's entropy, so that no two servers share a stream.
    ClockBy() : board_((std::uint64_t{std::random_device{}()} << 32U) ^ std::random_device{}()) {}

    /// With a seed that differs from server to server.
    explicit ClockBy(std::uint64_t seed) : board_(seed) {}

    void arm(Alarm alarm, Arming arming, Delay delay)
    {
        board_.arm(alarm, arming, delay, in_ms(std::chrono::ceil<Milliseconds>(since_epoch())));
    }

    void                                       cancel(Alarm alarm) { board_.cancel(alarm); }
    [[nodiscard]] std::optional<AlarmRang>     ring() { return board_.ring(now_ms()); }
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return board_.next_ring_ms(); }

    [[nodiscard]] std::uint64_t now_ms() const { return in_ms(std::chrono::floor<Milliseconds>(since_epoch())); }

private:
    using Milliseconds = std::chrono::milliseconds;

    [[nodiscard]] static auto          since_epoch() { return Source::now().time_since_epoch(); }
    [[nodiscard]] static std::uint64_t in_ms(Milliseconds time) { return static_cast<std::uint64_t>(time.count()); }

    AlarmBoard board_;
};

/// The machine's monotonic clock.
using SteadyClock = ClockBy<std::chrono::steady_clock>;

} // namespace totora::inline v0
