// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace totora::inline v0
{

/// The delay before the next attempt: doubled each time up to a maximum, with jitter.
class Backoff
{
public:
    Backoff(std::uint64_t least_ms, std::uint64_t most_ms, std::uint64_t seed)
        : least_ms_(least_ms), most_ms_(most_ms), random_(seed)
    {}

    /// Between half of this attempt's longest delay and all of it.
    [[nodiscard]] std::uint64_t next_ms()
    {
        auto const doublings = std::min(attempts_++, 20U);
        auto const longest = least_ms_ > most_ms_ >> doublings ? most_ms_ : least_ms_ << doublings;
        return longest - longest / 2 + draw() % (longest / 2 + 1);
    }

    /// An attempt succeeded.
    void reset() { attempts_ = 0; }

private:
    /// SplitMix64: enough for jitter, and the same everywhere.
    [[nodiscard]] std::uint64_t draw()
    {
        random_ += 0x9E3779B97F4A7C15U;
        auto mixed = random_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }

    std::uint64_t least_ms_;
    std::uint64_t most_ms_;
    std::uint64_t random_;
    unsigned      attempts_ = 0; ///< Since the last one that succeeded.
};

} // namespace totora::inline v0
