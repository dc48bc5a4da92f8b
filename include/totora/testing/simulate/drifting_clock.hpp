// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/clock/alarm_board.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/policy/clock.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// How a server's time passes with virtual time: faster or slower, stopped, with jumps forward. Never back.
class LocalTime
{
public:
    /// Microseconds of local time in 1024 of virtual time.
    static constexpr std::uint64_t true_rate = 1024;
    static constexpr std::uint64_t drift_max = 20; ///< Of clocks without faults.

    explicit LocalTime(std::uint64_t const& now_us) : now_us_(&now_us) {}

    [[nodiscard]] std::uint64_t local_us() const
    {
        return local_us_ + (*now_us_ - since_us_ + spent_us_) * rate_ / true_rate;
    }

    [[nodiscard]] std::uint64_t now_us() const { return *now_us_; }

    /// Something takes the server's thread time within a turn, while nothing else happens anywhere.
    void spend(std::uint64_t us) { spent_us_ += us; }

    /// The turn has ended. The virtual time that it took, which everything else must be given before the next one.
    [[nodiscard]] std::uint64_t settle() { return std::exchange(spent_us_, 0); }

    void set_rate(std::uint64_t rate)
    {
        jump_us(0);
        rate_ = rate;
    }

    void jump_us(std::uint64_t forward)
    {
        local_us_ = local_us() + forward;
        since_us_ = *now_us_;
    }

    /// Whether it goes as fast as virtual time, or is off by no more than clocks always are.
    [[nodiscard]] bool is_nearly_true() const
    {
        return rate_ + drift_max >= true_rate and rate_ <= true_rate + drift_max;
    }

    /// The first moment of virtual time at which local time is at least this; never, if it is stopped.
    [[nodiscard]] std::uint64_t when_us(std::uint64_t local) const
    {
        if (local <= local_us_)
            return since_us_;
        if (rate_ == 0)
            return std::numeric_limits<std::uint64_t>::max();
        return since_us_ + ((local - local_us_) * true_rate + rate_ - 1) / rate_;
    }

private:
    std::uint64_t const* now_us_;
    std::uint64_t        since_us_ = 0; ///< When the rate last changed, in virtual time.
    std::uint64_t        local_us_ = 0; ///< Local time then.
    std::uint64_t        rate_ = true_rate;
    std::uint64_t        spent_us_ = 0; ///< In the turn that runs.
};

/// The clock policy of a simulated server.
class DriftingClock
{
public:
    /// `time` outlives it; it continues while processes start and end.
    DriftingClock(LocalTime const& time, std::uint64_t seed) : time_(&time), board_(seed) {}

    void arm(Alarm alarm, Arming arming, Delay delay)
    {
        board_.arm(alarm, arming, delay, std::max(newest_ms_, (time_->local_us() + 999) / 1000));
    }
    void cancel(Alarm alarm) { board_.cancel(alarm); }

    [[nodiscard]] std::optional<AlarmRang> ring()
    {
        auto rang = board_.ring(now_ms());
        if (rang) {
            ++rang_;
            last_rang_ = rang->alarm;
        }
        return rang;
    }

    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return board_.next_ring_ms(); }

    /// Does not go back where a clock was made slower while a turn took its time.
    [[nodiscard]] std::uint64_t now_ms() const { return newest_ms_ = std::max(newest_ms_, time_->local_us() / 1000); }

    /// How many alarms have rung.
    [[nodiscard]] std::uint64_t rang() const { return rang_; }
    [[nodiscard]] Alarm         last_rang() const { return last_rang_; }

private:
    LocalTime const*      time_;
    AlarmBoard            board_;
    std::uint64_t         rang_ = 0;
    Alarm                 last_rang_{};
    mutable std::uint64_t newest_ms_ = 0;
};

static_assert(alarm_clock<DriftingClock>);

} // namespace totora::inline v0::simulate
