// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/saturating.hpp"
#include "totora/node/snapshot_settings.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace totora::inline v0
{

/// How far a follower is with the snapshot that it is sent: so many chunks may be on their way to it at a time.
///
/// It takes chunks in order and answers each with the offset that it needs next, which the core hands on as `ChunkWanted`. The same
/// offset again is no news: one answer repeats it when the leader asks. Twice again, and the chunk there is lost: what follows it was
/// not taken either, and all of that is sent again. What was sent before is answered all the same: as many answers of the same offset, or
/// of a lower one, are no news. Otherwise each of them would have a window sent again, and the answers to that as many once more.
class ChunkWindow
{
public:
    ChunkWindow() = default;
    ChunkWindow(ServerId server, SnapshotId const& snapshot, std::uint64_t offset, std::uint64_t now_ms = 0)
        : server_(server), snapshot_(snapshot), needed_(offset), next_(offset), answered_ms_(now_ms)
    {}

    [[nodiscard]] ServerId          server() const { return server_; }
    [[nodiscard]] SnapshotId const& snapshot() const { return snapshot_; }
    [[nodiscard]] std::uint64_t     next() const { return next_; } ///< Where the next chunk begins.
    [[nodiscard]] std::uint64_t     answered_ms() const
    {
        return answered_ms_;
    } ///< When the follower last did, or it began.

    /// The follower has all of it, and checks it.
    void complete() { is_complete_ = true; }
    /// Whether it had, once.
    [[nodiscard]] bool take_complete() { return std::exchange(is_complete_, false); }

    /// The follower needs `offset` next.
    void need(std::uint64_t offset, std::uint64_t now_ms = 0)
    {
        answered_ms_ = now_ms;
        auto const was_needed = needed_;
        auto const is_stale = offset <= needed_ and stale_ > 0;
        auto&      expected = stale_ > 0 ? stale_ : unanswered_;
        expected -= expected > 0 ? 1 : 0;
        if (is_stale)
            return;
        auto const went_back = offset < was_needed;
        if (offset != was_needed)
            repeated_ = 0;
        else if (next_ > offset)
            ++repeated_;
        needed_ = offset;
        if (went_back or repeated_ >= repeats_of_a_loss)
            send_again();
        next_ = std::max(next_, offset);
        if (offset > was_needed)
            expect_no_more();
    }

    /// How long the next chunk is; 0 if none may be sent now.
    [[nodiscard]] std::uint64_t chunk_bytes(SnapshotSettings const& settings) const
    {
        auto const in_flight = next_ - needed_;
        if (in_flight > mul_sat(settings.chunk_bytes, settings.chunks_in_flight - 1))
            return 0;
        return std::min(settings.chunk_bytes, snapshot_.bytes - std::min(snapshot_.bytes, next_));
    }

    void sent(std::uint64_t bytes)
    {
        next_ += bytes;
        longest_ = std::max(longest_, bytes);
        most_ = std::max(most_, in_flight());
        ++unanswered_;
    }

    friend bool operator==(ChunkWindow const&, ChunkWindow const&) = default;

private:
    static constexpr int repeats_of_a_loss = 2;

    /// Chunks between what is needed and what is sent next.
    [[nodiscard]] std::uint64_t in_flight() const { return (next_ - needed_ + longest_ - 1) / longest_; }

    /// Chunks before what is needed now are no news any more: their answers are late, or lost.
    void expect_no_more()
    {
        auto const expected = std::min(unanswered_, in_flight());
        stale_ = std::min(stale_ + unanswered_ - expected, most_);
        unanswered_ = expected;
    }

    void send_again()
    {
        next_ = needed_;
        repeated_ = 0;
        stale_ = std::exchange(unanswered_, 0);
    }

    ServerId      server_;
    SnapshotId    snapshot_;
    std::uint64_t needed_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t answered_ms_ = 0;
    bool          is_complete_ = false;
    int           repeated_ = 0;
    std::uint64_t longest_ = 1;    ///< Chunk.
    std::uint64_t most_ = 0;       ///< Chunks that were in flight.
    std::uint64_t unanswered_ = 0; ///< Chunks that were sent; of which some, or their answers, may be lost.
    std::uint64_t stale_ = 0;      ///< Answers that are no news, and may be on their way.
};

} // namespace totora::inline v0
