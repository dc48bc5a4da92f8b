// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/snapshot_settings.hpp"

#include <algorithm>
#include <cstdint>

namespace totora::inline v0
{

/// How far a follower is with the snapshot that it is sent: so many chunks may be on their way to it at a time.
///
/// It takes chunks in order and answers each with the offset that it needs next, which the core hands on as `ChunkWanted`. The same
/// offset again is no news: one answer repeats it when the leader asks. Twice again, and the chunk there is lost: what follows it was
/// not taken either, and all of that is sent again.
class ChunkWindow
{
public:
    ChunkWindow() = default;
    ChunkWindow(ServerId server, SnapshotId const& snapshot, std::uint64_t offset)
        : server_(server), snapshot_(snapshot), needed_(offset), next_(offset)
    {}

    [[nodiscard]] ServerId          server() const { return server_; }
    [[nodiscard]] SnapshotId const& snapshot() const { return snapshot_; }
    [[nodiscard]] std::uint64_t     next() const { return next_; } ///< Where the next chunk begins.

    /// The follower needs `offset` next.
    void need(std::uint64_t offset)
    {
        auto const is_news = offset != needed_;
        auto const went_back = offset < needed_;
        needed_ = offset;
        if (is_news)
            repeated_ = 0;
        else if (next_ > offset)
            ++repeated_;
        if (went_back or repeated_ >= repeats_of_a_loss) {
            next_ = offset;
            repeated_ = 0;
        }
        next_ = std::max(next_, offset);
    }

    /// How long the next chunk is; 0 if none may be sent now.
    [[nodiscard]] std::uint64_t chunk_bytes(SnapshotSettings const& settings) const
    {
        auto const in_flight = next_ - needed_;
        if (in_flight > settings.chunk_bytes * (settings.chunks_in_flight - 1))
            return 0;
        return std::min(settings.chunk_bytes, snapshot_.bytes - std::min(snapshot_.bytes, next_));
    }

    void sent(std::uint64_t bytes) { next_ += bytes; }

    friend bool operator==(ChunkWindow const&, ChunkWindow const&) = default;

private:
    static constexpr int repeats_of_a_loss = 2;

    ServerId      server_;
    SnapshotId    snapshot_;
    std::uint64_t needed_ = 0;
    std::uint64_t next_ = 0;
    int           repeated_ = 0;
};

} // namespace totora::inline v0
