// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/payload.hpp"
#include "totora/wire/decode.hpp"
#include "totora/wire/encode.hpp"
#include "totora/wire/frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The most that may wait for one server.
struct QueueLimits
{
    std::uint64_t bytes_max = 32U << 20U;   ///< Of bulk.
    std::size_t   frames_max = 1024;        ///< Of bulk.
    std::size_t   urgent_frames_max = 1024; ///< They are short: none carries entries.
};

/// The frames that a frame waits for.
enum class Lane : std::uint8_t
{
    urgent, ///< Other urgent ones only: heartbeats, votes, responses.
    bulk,   ///< All that were queued earlier, and urgent ones that were queued later.
};

/// Frames that wait for one connection; their payload is pinned, not copied.
///
/// Two lanes, each in its own order. A frame of bulk that is longer than `whole_frame_max` leaves in pieces, and urgent
/// frames go between two pieces: a leader that is sending entries still sends heartbeats in time (case 94). Bounded,
/// and never blocks: what does not fit into its lane is dropped, and neither lane takes the other's room.
///
/// Invariant: what is begun is written to its end before anything else.
class FrameQueue
{
public:
    /// What `written` removed.
    struct Through
    {
        std::size_t   frames = 0;     ///< That were written to their end.
        std::uint64_t bulk_bytes = 0; ///< Bytes of the bulk lane.
    };

    explicit FrameQueue(QueueLimits limits) : limits_(limits) {}

    /// Queues a frame. False: it did not fit, and was dropped. A frame of any size fits into an empty lane.
    [[nodiscard]] bool push(FrameHead const& head, Payload payload, Lane lane)
    {
        auto queued = Queued{head, std::move(payload)};
        if (lane == Lane::urgent) {
            if (not urgent_.empty() and urgent_.size() >= limits_.urgent_frames_max)
                return false;
            urgent_.push_back(std::move(queued));
            return true;
        }
        auto const size = queued.size();
        if (not bulk_.empty() and (bulk_.size() >= limits_.frames_max or bulk_bytes_ + size > limits_.bytes_max))
            return false;
        bulk_.push_back(std::move(queued));
        bulk_bytes_ += size;
        return true;
    }

    /// The bytes to be written next, as about `parts_max` parts and about `whole_frame_max` bytes of bulk: the rest of
    /// what is begun, everything urgent, then bulk. They stay where they are until `written` takes them.
    void gather(std::vector<std::span<std::byte const>>& parts, std::size_t parts_max)
    {
        plan();
        parts.clear();
        auto urgent = std::size_t{0};
        auto bulk = std::size_t{0};
        auto skip = begun_bytes_;
        for (auto const& unit : units_) {
            if (parts.size() >= parts_max)
                return;
            auto const& queued = unit.lane == Lane::urgent ? urgent_[urgent++] : bulk_[bulk++];
            auto const  add = [&](std::span<std::byte const> part) { take_part(parts, part, skip, SIZE_MAX); };
            if (unit.of_frame == 0) {
                queued.for_each_part([&](std::span<std::byte const> part) {
                    if (parts.size() < parts_max)
                        add(part);
                });
                continue;
            }
            add(piece_head_.bytes());
            auto before = cut_; // Bytes of the frame that earlier pieces carried.
            before += std::exchange(skip, 0);
            auto left = unit.of_frame - (before - cut_);
            queued.for_each_part([&](std::span<std::byte const> part) {
                if (parts.size() < parts_max and left > 0)
                    left -= take_part(parts, part, before, left);
            });
        }
    }

    /// Removes the first `count` bytes of what was gathered last; a frame that is written to its end releases its pins.
    Through written(std::size_t count)
    {
        auto through = Through{};
        auto done = std::size_t{0}; // Units.
        while (count > 0 and done < units_.size()) {
            auto const unit = units_[done];
            auto const taken = std::min(count, unit.size - begun_bytes_);
            count -= taken;
            begun_bytes_ += taken;
            through.bulk_bytes += unit.lane == Lane::bulk ? taken : 0;
            if (begun_bytes_ < unit.size)
                break;
            begun_bytes_ = 0;
            ++done;
            through.frames += finish(unit) ? 1U : 0U;
        }
        units_.erase(units_.begin(), units_.begin() + static_cast<std::ptrdiff_t>(done));
        return through;
    }

    [[nodiscard]] bool          empty() const { return urgent_.empty() and bulk_.empty(); }
    [[nodiscard]] std::size_t   frames() const { return urgent_.size() + bulk_.size(); }
    [[nodiscard]] std::uint64_t bulk_bytes() const
    {
        return bulk_bytes_;
    } ///< Of bulk, in frames and pieces not yet through.

    /// Whether the bulk lane is less than half full.
    [[nodiscard]] bool below_half() const
    {
        return bulk_.size() <= limits_.frames_max / 2 and bulk_bytes_ <= limits_.bytes_max / 2;
    }

private:
    struct Queued
    {
        FrameHead head;
        Payload   payload;

        [[nodiscard]] std::size_t size() const
        {
            return head.bytes().size() + static_cast<std::size_t>(payload.bytes());
        }

        template <typename Visit>
        void for_each_part(Visit visit) const
        {
            visit(head.bytes());
            for (auto at = std::size_t{0}; at < payload.slice_count(); ++at)
                visit(payload.slice(at).bytes);
        }
    };

    /// What is written without a gap: a frame or a piece of one.
    struct Unit
    {
        Lane        lane{};
        std::size_t size = 0;     ///< On the wire.
        std::size_t of_frame = 0; ///< How many bytes of its frame a piece carries; 0 for a whole frame.
    };

    /// Adds a part without its first `skip` bytes, and of the rest at most `most`. Returns how many bytes that is.
    static std::size_t take_part(std::vector<std::span<std::byte const>>& parts, std::span<std::byte const> part,
                                 std::size_t& skip, std::size_t most)
    {
        auto const skipped = std::min(part.size(), skip);
        skip -= skipped;
        part = part.subspan(skipped);
        part = part.first(std::min(part.size(), most));
        if (not part.empty())
            parts.push_back(part);
        return part.size();
    }

    /// Chooses again what follows the unit that is begun, because more may have become urgent.
    void plan()
    {
        units_.resize(begun_bytes_ > 0 ? 1 : 0);
        auto const begun_bulk = not units_.empty() and units_.front().lane == Lane::bulk;
        auto const begun_urgent = not units_.empty() and not begun_bulk;
        for (auto at = std::size_t{begun_urgent ? 1U : 0U}; at < urgent_.size(); ++at)
            units_.push_back({Lane::urgent, urgent_[at].size(), 0});
        if (begun_bulk or bulk_.empty())
            return;
        if (bulk_.front().size() > whole_frame_max)
            return plan_piece();
        auto bytes = std::size_t{0};
        for (auto at = std::size_t{0}; at < bulk_.size() and bytes + bulk_[at].size() <= whole_frame_max; ++at) {
            units_.push_back({Lane::bulk, bulk_[at].size(), 0});
            bytes += bulk_[at].size();
        }
    }

    void plan_piece()
    {
        auto const& frame = bulk_.front();
        auto const  count = std::min<std::size_t>(piece_bytes_max, frame.size() - cut_);
        auto const  header = *decode_header(frame.head.bytes(), UINT32_MAX); // Made by this side.
        piece_head_ =
            encode(header.route, Piece{static_cast<std::uint32_t>(cut_), static_cast<std::uint32_t>(frame.size())},
                   static_cast<std::uint32_t>(count), header.version);
        units_.push_back({Lane::bulk, piece_head_.bytes().size() + count, count});
    }

    /// Removes a unit that is written. Whether its frame is complete.
    [[nodiscard]] bool finish(Unit const& unit)
    {
        if (unit.lane == Lane::urgent) {
            urgent_.pop_front();
            return true;
        }
        auto const of_frame = unit.of_frame == 0 ? unit.size : unit.of_frame;
        bulk_bytes_ -= of_frame;
        cut_ += of_frame;
        if (cut_ < bulk_.front().size())
            return false;
        cut_ = 0;
        bulk_.pop_front();
        return true;
    }

    QueueLimits        limits_;
    std::deque<Queued> urgent_; ///< A deque keeps frames in place while others are added and removed.
    std::deque<Queued> bulk_;
    std::uint64_t      bulk_bytes_ = 0;

    std::vector<Unit> units_;           ///< What was gathered last and is not written yet.
    std::size_t       begun_bytes_ = 0; ///< Of the first unit, that are written.
    FrameHead         piece_head_;      ///< Of the one unit that is a piece.
    std::size_t       cut_ = 0;         ///< Bytes of the first frame of bulk whose pieces are written.
};

} // namespace totora::inline v0
