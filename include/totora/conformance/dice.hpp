// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace totora::conformance
{

/// Random numbers that are the same everywhere (splitmix64).
class Dice
{
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    /// A number from 0 to `below` - 1; `below` is at least 1.
    [[nodiscard]] std::uint64_t roll(std::uint64_t below)
    {
        state_ += 0x9E3779B97F4A7C15U;
        auto mixed = state_;
        mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
        return (mixed ^ mixed >> 31U) % below;
    }

private:
    std::uint64_t state_;
};

} // namespace totora::conformance
