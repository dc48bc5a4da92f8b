// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/payload.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/network/wire.hpp"
#include "totora/wire/codec.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// A frame as one block of bytes.
[[nodiscard]] inline FrameInFlight frame_of(FrameHead const& head, Payload const& payload)
{
    auto       frame = FrameInFlight{};
    auto const bytes = head.bytes();
    frame.size = bytes.size() + static_cast<std::size_t>(payload.bytes());
    frame.bytes = std::make_shared_for_overwrite<std::byte[]>(frame.size);
    auto* to = std::copy(bytes.begin(), bytes.end(), frame.bytes.get());
    for (auto const& slice : payload.slices())
        to = std::copy(slice.bytes.begin(), slice.bytes.end(), to);
    return frame;
}

/// Flips one to three bits, in a copy: the bytes may be those of a frame that was repeated.
inline void flip_bits(FrameInFlight& frame, testing::Prng& random)
{
    auto damaged = std::make_shared_for_overwrite<std::byte[]>(frame.size);
    std::copy_n(frame.bytes.get(), frame.size, damaged.get());
    for (auto count = random.between(1, 3); count > 0; --count) {
        auto const bit = static_cast<std::byte>(1U << random.below(8));
        damaged[static_cast<std::ptrdiff_t>(random.below(frame.size))] ^= bit;
    }
    frame.flipped = not std::equal(damaged.get(), damaged.get() + frame.size, frame.bytes.get());
    frame.bytes = std::move(damaged);
}

/// Frames by number, from their departure to their arrival.
class FramesInFlight
{
public:
    [[nodiscard]] std::uint32_t keep(FrameInFlight frame)
    {
        ++size_;
        if (free_.empty()) {
            frames_.push_back(std::move(frame));
            return static_cast<std::uint32_t>(frames_.size() - 1);
        }
        auto const place = free_.back();
        free_.pop_back();
        frames_[place] = std::move(frame);
        return place;
    }

    [[nodiscard]] FrameInFlight take(std::uint32_t frame)
    {
        free_.push_back(frame);
        --size_;
        return std::exchange(frames_[frame], {});
    }

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    std::vector<FrameInFlight> frames_;
    std::vector<std::uint32_t> free_; ///< Places in `frames_`.
    std::size_t                size_ = 0;
};

} // namespace totora::inline v0::simulate
