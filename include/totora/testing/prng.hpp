// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace totora::inline v0::testing
{

/// From one state of SplitMix64 to the next (Steele, Lea, Flood 2014).
inline constexpr std::uint64_t splitmix_step = 0x9E3779B97F4A7C15U;

/// The number that SplitMix64 draws in this state. Also a good mixer of one value.
[[nodiscard]] constexpr std::uint64_t mixed(std::uint64_t value)
{
    value += splitmix_step;
    value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
    value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
    return value ^ (value >> 31U);
}

/// A small generator whose state is one number: SplitMix64. The conformance kits' draws stay the same with it.
class SplitMix
{
public:
    constexpr explicit SplitMix(std::uint64_t seed) : state_(seed) {}

    /// A number from 0 to `end - 1`; `end` is at least 1.
    [[nodiscard]] constexpr std::uint64_t below(std::uint64_t end)
    {
        auto const drawn = mixed(state_);
        state_ += splitmix_step;
        return drawn % end;
    }

private:
    std::uint64_t state_;
};

/// Chances are out of a million.
inline constexpr std::uint32_t a_million = 1'000'000;

/// Random numbers that are the same on every compiler and machine: xoshiro256** (Blackman, Vigna 2018).
class Prng
{
public:
    constexpr explicit Prng(std::uint64_t seed)
    {
        for (auto& word : state_)
            word = seed = mixed(seed);
    }

    [[nodiscard]] constexpr std::uint64_t next()
    {
        auto const result = std::rotl(state_[1] * 5, 7) * 9;
        auto const shifted = state_[1] << 17U;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// A number from 0 to `end - 1`. `end` is from 1 to 2^32.
    [[nodiscard]] constexpr std::uint64_t below(std::uint64_t end) { return ((next() >> 32U) * end) >> 32U; }

    /// A number from `least` to `most`, both included, less than 2^32 apart.
    [[nodiscard]] constexpr std::uint64_t between(std::uint64_t least, std::uint64_t most)
    {
        return least + below(most - least + 1);
    }

    [[nodiscard]] constexpr bool chance(std::uint32_t of_a_million)
    {
        return of_a_million != 0 and below(a_million) < of_a_million;
    }

    /// An independent stream: it does not depend on how often this one is drawn from.
    [[nodiscard]] constexpr Prng split(std::uint64_t stream) const { return Prng{state_[0] ^ mixed(stream)}; }

private:
    std::array<std::uint64_t, 4> state_{};
};

} // namespace totora::inline v0::testing
