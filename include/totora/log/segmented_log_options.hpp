// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/log/segmented/entry_index.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>

namespace totora::inline v0
{

/// How much of a log a recovery has read.
struct RecoveryProgress
{
    std::uint64_t bytes = 0;
    std::uint64_t bytes_total = 0;
    Index         last; ///< The last entry found so far.
};

/// How a `SegmentedLog` uses disk and memory.
///
/// Invariants: sizes are in bytes and above 0, except `cache_bytes`, `cold_bytes`, `snapshot_sync_bytes` and `scrub_bytes_per_second`, which may be
/// 0. All may differ from start to start: the files of a log do not depend on them.
struct SegmentedLogOptions
{
    std::uint64_t segment_bytes = std::uint64_t{64} << 20U; ///< Of a segment; a larger entry gets a larger one.
    std::uint64_t cache_bytes = std::uint64_t{32} << 20U;   ///< Of durable entries that are kept in memory.
    /// Of entries that are no longer in that memory, what is kept after it was read for a follower. They are read on a thread, and
    /// `read` answers `not_now` meanwhile; with 0, or a syncer without a thread, they are read at once.
    std::uint64_t cold_bytes = std::uint64_t{8} << 20U;
    std::uint64_t record_bytes_max = std::uint64_t{1} << 20U; ///< Of the entries of one record, if there are several.
    /// Of the next segment, the least that is prepared between two syncs; at least the 256th part of a segment, since
    /// each part is synced separately.
    std::uint64_t             prepare_bytes = std::uint64_t{1} << 18U;
    std::chrono::milliseconds retry_after{100}; ///< After a segment could not be prepared; at most a day.
    /// A snapshot is synced whenever so many of its bytes were written. One that is received goes on from there after a restart.
    std::uint64_t snapshot_sync_bytes = std::uint64_t{1} << 20U;

    /// Of sealed segments and snapshots, what is read and checked in a second, in the background; 0 for none. Needs a thread.
    std::uint64_t             scrub_bytes_per_second = 0;
    std::chrono::milliseconds scrub_pause = std::chrono::hours{24}; ///< After all were read, before they are again.

    /// Called after each segment that `open` has read, on its thread; a long log takes long. Must not throw.
    std::function<void(RecoveryProgress const&)> on_progress = nullptr;
};

/// What keeps a log from being opened with these options; empty if nothing does.
[[nodiscard]] inline std::string_view fault_in(SegmentedLogOptions const& options)
{
    if (options.segment_bytes == 0 or options.record_bytes_max == 0 or options.prepare_bytes == 0)
        return "segment_bytes, record_bytes_max and prepare_bytes must be more than 0.";
    if (options.segment_bytes >= segment_size_end or options.record_bytes_max >= segment_size_end)
        return "segment_bytes and record_bytes_max must be less than 4 GiB.";
    return {};
}

} // namespace totora::inline v0
