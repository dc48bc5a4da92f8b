// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/local.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora
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
        place(alarm) = Armed{arming, from_ms + delay.at_least_ms + (range > 1 ? draw() % range : 0)};
    }

    void cancel(Alarm alarm) { place(alarm).reset(); }

    /// The alarm that is due first, disarming it; nothing if none is due.
    [[nodiscard]] std::optional<AlarmRang> ring(std::uint64_t now_ms)
    {
        auto const first = earliest();
        if (not first or armed_[*first]->at_ms > now_ms)
            return std::nullopt;
        auto const rang = AlarmRang{static_cast<Alarm>(*first), armed_[*first]->arming};
        armed_[*first].reset();
        return rang;
    }

    /// When the next alarm is due, on the scale of `now_ms`; nothing if none is armed.
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const
    {
        auto const first = earliest();
        return first ? std::optional{armed_[*first]->at_ms} : std::nullopt;
    }

private:
    struct Armed
    {
        Arming        arming;
        std::uint64_t at_ms = 0;
    };

    [[nodiscard]] std::optional<Armed>& place(Alarm alarm) { return armed_[static_cast<std::size_t>(alarm)]; }

    [[nodiscard]] std::optional<std::size_t> earliest() const
    {
        auto first = std::optional<std::size_t>{};
        for (auto at = std::size_t{0}; at < armed_.size(); ++at)
            if (armed_[at] and (not first or armed_[at]->at_ms < armed_[*first]->at_ms))
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

    std::array<std::optional<Armed>, alarm_kinds> armed_;
    std::uint64_t                                 random_;
};

} // namespace totora
