// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/clock/alarm_board.hpp"
#include "totora/core/messages/local.hpp"

#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// Alarms by a source of time that never goes back. Keeps no thread and no timer: the loop that runs the node asks for `next_ring_ms`.
///
/// `Time` has `now_ns()`, nanoseconds since any moment, and `seed()`, which differs from server to server.
template <typename Time>
class ClockBy
{
public:
    /// With a seed of the source's, so that no two servers draw the same timeouts.
    ClockBy() : board_(Time::seed()) {}

    /// With a seed that differs from server to server.
    explicit ClockBy(std::uint64_t seed) : board_(seed) {}

    void arm(Alarm alarm, Arming arming, Delay delay)
    {
        board_.arm(alarm, arming, delay, (Time::now_ns() + ns_per_ms - 1) / ns_per_ms);
    }

    void                                       cancel(Alarm alarm) { board_.cancel(alarm); }
    [[nodiscard]] std::optional<AlarmRang>     ring() { return board_.ring(now_ms()); }
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return board_.next_ring_ms(); }

    [[nodiscard]] std::uint64_t now_ms() const { return Time::now_ns() / ns_per_ms; }

private:
    static constexpr std::uint64_t ns_per_ms = 1'000'000;

    AlarmBoard board_;
};

} // namespace totora::inline v0
