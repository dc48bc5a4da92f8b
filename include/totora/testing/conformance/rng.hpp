// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"

#include <cstdint>

namespace totora::inline v0::conformance
{

/// Random numbers that are the same everywhere (SplitMix64).
class Rng
{
public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}

    /// A number from 0 to `below` - 1; `below` is at least 1.
    [[nodiscard]] std::uint64_t below(std::uint64_t below)
    {
        auto const drawn = testing::mixed(state_);
        state_ += testing::splitmix_step;
        return drawn % below;
    }

private:
    std::uint64_t state_;
};

} // namespace totora::inline v0::conformance
