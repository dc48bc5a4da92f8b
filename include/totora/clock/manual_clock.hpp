// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/clock/alarm_board.hpp"
#include "totora/core/messages/local.hpp"

#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// A clock that moves only by `advance_ms`, for tests and simulations; it begins at 0. Deterministic for a given seed, which
/// differs from server to server.
class ManualClock
{
public:
    explicit ManualClock(std::uint64_t seed) : board_(seed) {}

    void arm(Alarm alarm, Arming arming, Delay delay) { board_.arm(alarm, arming, delay, now_ms_); }
    void cancel(Alarm alarm) { board_.cancel(alarm); }
    [[nodiscard]] std::optional<AlarmRang>     ring() { return board_.ring(now_ms_); }
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return board_.next_ring_ms(); }
    [[nodiscard]] std::uint64_t                now_ms() const { return now_ms_; }

    /// Lets time pass. What becomes due rings when it is asked for.
    void advance_ms(std::uint64_t passed_ms) { now_ms_ += passed_ms; }

private:
    AlarmBoard    board_;
    std::uint64_t now_ms_ = 0;
};

} // namespace totora::inline v0
