// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace totora::inline v0
{

/// The armed alarms of one server and when they ring: one place for each kind, so that arming again is an assignment.
class AlarmBoard
{
public:
    /// Servers of a cluster need different seeds: with equal ones their elections would collide again and again (§5.2).
    explicit AlarmBoard(std::uint64_t seed) : random_(seed) {}

    /// Draws the moment again, uniformly in the range; `at_least_ms` is not above `at_most_ms`. The time here is rounded up to
    /// milliseconds, and that of `ring` down: no alarm is early, and one is less than a millisecond late by it.
    void arm(Alarm alarm, Arming arming, Delay delay, std::uint64_t from_ms)
    {
        auto const range = delay.at_most_ms - delay.at_least_ms + 1;
        armed_[static_cast<std::size_t>(alarm)] = {arming,
                                                   from_ms + delay.at_least_ms + (range > 1 ? draw() % range : 0)};
    }

    void cancel(Alarm alarm) { armed_[static_cast<std::size_t>(alarm)] = {}; }

    /// The alarm that is due first, disarming it; nothing if none is due.
    [[nodiscard]] std::optional<AlarmRang> ring(std::uint64_t now_ms)
    {
        auto const first = earliest();
        if (armed_[first].at_ms > now_ms or armed_[first].at_ms == not_armed)
            return std::nullopt;
        return AlarmRang{static_cast<Alarm>(first), std::exchange(armed_[first], {}).arming};
    }

    /// When the next alarm is due, on the scale of `now_ms`; nothing if none is armed.
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const
    {
        auto const at_ms = armed_[earliest()].at_ms;
        return at_ms != not_armed ? std::optional{at_ms} : std::nullopt;
    }

private:
    static constexpr auto not_armed = std::numeric_limits<std::uint64_t>::max();

    struct Armed
    {
        Arming        arming;
        std::uint64_t at_ms = not_armed;
    };

    /// Asked in every turn of a node.
    [[nodiscard]] std::size_t earliest() const
    {
        auto first = std::size_t{0};
        for (auto at = std::size_t{1}; at < armed_.size(); ++at)
            if (armed_[at].at_ms < armed_[first].at_ms)
                first = at;
        return first;
    }

    /// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
    std::uint64_t draw()
    {
        random_ += 0x9E3779B97F4A7C15U;
        auto mixed = random_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }

    std::array<Armed, alarm_kinds> armed_;
    std::uint64_t                  random_;
};

} // namespace totora::inline v0
