// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// A frame in flight.
struct FrameInFlight
{
    std::shared_ptr<std::byte[]> bytes;
    std::size_t                  size = 0;
    std::size_t                  from = 0;
    std::size_t                  to = 0;
    bool                         flipped = false;
    bool                         foreign = false;     ///< Of another cluster.
    bool                         faulty = false;      ///< More may go wrong with it.
    bool                         overtakes = false;   ///< It goes ahead of what does not.
    bool                         has_payload = false; ///< Entries, or a chunk of a snapshot.
};

/// What waits for one direction of a link that takes time for every byte: two queues, of which the one of frames that may
/// overtake goes first, and the frame that is being sent. Bounded as the queues of the TCP transport are.
class Wire
{
public:
    static constexpr std::size_t frames_max = 1024; ///< Without a payload.

    enum class Taken
    {
        queued,
        dropped,
        dropped_first, ///< And its sender was not notified yet that this wire is full.
    };

    /// Puts a frame into its queue. One with a payload of any size fits into an empty one.
    [[nodiscard]] Taken push(FrameInFlight frame, std::uint64_t bytes_max)
    {
        auto const is_full = frame.has_payload ? bytes_ > 0 and bytes_ + frame.size > bytes_max
                                               : urgent_.size() + bulk_.size() >= frames_max;
        if (is_full)
            return std::exchange(full_, true) ? Taken::dropped : Taken::dropped_first;
        bytes_ += frame.size;
        (frame.overtakes ? urgent_ : bulk_).push_back(std::move(frame));
        return Taken::queued;
    }

    /// Begins to send the next frame, if none is being sent; its size.
    [[nodiscard]] std::optional<std::size_t> begin()
    {
        auto& queue = urgent_.empty() ? bulk_ : urgent_;
        if (sending_ or queue.empty())
            return std::nullopt;
        sending_ = std::move(queue.front());
        queue.pop_front();
        return sending_->size;
    }

    /// The frame that was being sent is sent.
    [[nodiscard]] FrameInFlight finish()
    {
        auto sent = *std::move(sending_);
        sending_.reset();
        bytes_ -= sent.size;
        return sent;
    }

    /// Whether there is room again for a good while, after the sender was notified that there is none. True once.
    [[nodiscard]] bool opens(std::uint64_t bytes_max)
    {
        auto const opens = full_ and bytes_ <= bytes_max / 2 and urgent_.size() + bulk_.size() <= frames_max / 2;
        full_ = full_ and not opens;
        return opens;
    }

    [[nodiscard]] bool          idle() const { return bytes_ == 0; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    /// Which sender uses it: what was planned for an earlier one is outdated.
    [[nodiscard]] std::uint32_t life() const { return life_; }

    /// Its sender has ended, and with it all that waited.
    void forget()
    {
        auto const life = life_;
        *this = {};
        life_ = life + 1;
    }

private:
    std::deque<FrameInFlight>    urgent_;
    std::deque<FrameInFlight>    bulk_;
    std::optional<FrameInFlight> sending_;
    std::uint64_t                bytes_ = 0; ///< Of all three.
    std::uint32_t                life_ = 0;
    bool                         full_ = false; ///< The sender was notified of it.
};

} // namespace totora::inline v0::simulate
