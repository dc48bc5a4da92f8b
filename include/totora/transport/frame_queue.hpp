// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/entry.hpp"
#include "totora/wire/encode.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace totora
{

/// How much may wait for one server.
struct QueueLimits
{
    std::uint64_t bytes_max = 32U << 20U;
    std::size_t   frames_max = 1024;
    std::size_t   frames_reserved = 256; ///< Beyond the maximum, for frames without entries.
};

/// Frames that wait for one connection, in order; their entries are pinned, not copied.
///
/// Bounded, and never blocks: what does not fit is dropped. Frames without entries (heartbeats, votes, answers) still
/// fit when those with entries do not, so that a slow follower does not look like a dead leader.
class FrameQueue
{
public:
    explicit FrameQueue(QueueLimits limits) : limits_(limits) {}

    /// Queues a frame. False: it did not fit, and was dropped. A frame of any size fits into an empty queue.
    [[nodiscard]] bool push(FrameHead const& head, Entries entries)
    {
        auto const size = head.bytes().size() + entries.bytes();
        auto const full = frames_.size() >= limits_.frames_max or bytes_ + size > limits_.bytes_max;
        auto const reserve_full = frames_.size() >= limits_.frames_max + limits_.frames_reserved;
        if (not frames_.empty() and (entries.empty() ? reserve_full : full))
            return false;
        bytes_ += size;
        frames_.push_back({head, std::move(entries)});
        return true;
    }

    /// The bytes to be written next, as at most `parts_max` parts. They stay where they are until `written` takes them.
    void gather(std::vector<std::span<std::byte const>>& parts, std::size_t parts_max) const
    {
        parts.clear();
        auto       skip = written_of_front_;
        auto const add = [&](std::span<std::byte const> part) {
            auto const skipped = part.size() < skip ? part.size() : skip;
            skip -= skipped;
            if (skipped < part.size())
                parts.push_back(part.subspan(skipped));
        };
        for (auto const& [head, entries] : frames_) {
            if (parts.size() >= parts_max)
                return;
            add(head.bytes());
            for (auto at = std::size_t{0}; at < entries.slice_count() and parts.size() < parts_max; ++at)
                add(entries.slice(at).bytes);
        }
    }

    /// Takes away the first `count` bytes, and what they pinned once a frame is through. Returns how many frames are.
    std::size_t written(std::size_t count)
    {
        auto through = std::size_t{0};
        bytes_ -= count;
        written_of_front_ += count;
        while (not frames_.empty() and written_of_front_ >= frames_.front().size()) {
            written_of_front_ -= frames_.front().size();
            frames_.pop_front();
            ++through;
        }
        return through;
    }

    [[nodiscard]] bool          empty() const { return frames_.empty(); }
    [[nodiscard]] std::size_t   frames() const { return frames_.size(); }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; } ///< Not yet written.

    /// Whether there is room again for a good while.
    [[nodiscard]] bool below_half() const
    {
        return frames_.size() <= limits_.frames_max / 2 and bytes_ <= limits_.bytes_max / 2;
    }

private:
    struct Queued
    {
        FrameHead head;
        Entries   entries;

        [[nodiscard]] std::size_t size() const
        {
            return head.bytes().size() + static_cast<std::size_t>(entries.bytes());
        }
    };

    QueueLimits        limits_;
    std::deque<Queued> frames_; ///< A deque leaves frames where they are while others come and go.
    std::uint64_t      bytes_ = 0;
    std::size_t        written_of_front_ = 0;
};

} // namespace totora
