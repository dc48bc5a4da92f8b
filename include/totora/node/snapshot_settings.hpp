// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/saturating.hpp"

#include <algorithm>
#include <cstdint>

namespace totora::inline v0
{

/// When a server takes snapshots of its own, how much of the log it keeps all the same, and how snapshots travel.
///
/// The defaults write no more into snapshots than into the log, once it is longer than `log_bytes_min`. A number may be as large as it can be:
/// a pause that never ends, a size that is never reached.
struct SnapshotSettings
{
    bool automatic = true; ///< Otherwise only when `RaftNode::take_snapshot` asks for one.

    /// So many bytes of entries that were applied since the last snapshot are due to another one...
    std::uint64_t log_bytes_min = std::uint64_t{64} << 20U;
    /// ... but no fewer than so many percent of the last snapshot's.
    std::uint64_t log_percent_min = 100;
    /// So many entries are due to one, however short they are.
    std::uint64_t entries_max = 10'000'000;

    /// So many entries before a snapshot are kept for followers that lag, if these are no more than `follower_bytes_max` bytes.
    std::uint64_t trailing_entries = 10'000;

    /// What a follower within reach still needs is kept, up to so many bytes of entries.
    std::uint64_t follower_bytes_max = std::uint64_t{64} << 20U;

    /// After a failed attempt to write a snapshot, or to store one that is received, the next one waits for so long.
    std::uint64_t pause_ms = 10'000;

    /// The bytes of one chunk. The transport must be able to carry them.
    std::uint64_t chunk_bytes = std::uint64_t{256} << 10U;
    /// How many chunks a follower may be sent that it has not answered.
    std::uint64_t chunks_in_flight = 4;

    /// How many followers are sent snapshots at a time; others wait, but for one that a follower which is silent makes place for.
    std::uint64_t transfers_max = 2;
    /// How many bytes of snapshots leave in a second, to all followers together; 0 for as many as the links take.
    std::uint64_t transfer_bytes_per_second = 0;
};

/// What a decision about a snapshot is made from.
struct SnapshotFacts
{
    ServerId      server;
    std::uint64_t entries = 0;        ///< Applied since the last snapshot.
    std::uint64_t log_bytes = 0;      ///< Of these entries.
    std::uint64_t snapshot_bytes = 0; ///< Of the last snapshot.
};

/// Up to a quarter more than `least`, by the server: so that those of a cluster do not all take snapshots at the same time.
[[nodiscard]] constexpr std::uint64_t spread(std::uint64_t least, ServerId server)
{
    auto const share = server.value * 0x9E3779B97F4A7C15U >> 56U; // Any server's, out of 256.
    return add_sat(least, least / 1024 * share + least % 1024 * share / 1024);
}

/// Whether it is time for a snapshot.
[[nodiscard]] constexpr bool is_snapshot_due(SnapshotSettings const& settings, SnapshotFacts const& facts)
{
    if (not settings.automatic or facts.entries == 0)
        return false;
    auto const by_snapshot = mul_sat(facts.snapshot_bytes / 100, settings.log_percent_min);
    return facts.log_bytes >= spread(std::max(settings.log_bytes_min, by_snapshot), facts.server) or
           facts.entries >= spread(settings.entries_max, facts.server);
}

/// Up to where the log can be compacted when there is a snapshot up to `snapshot`.
[[nodiscard]] constexpr Index compactable(SnapshotSettings const& settings, Index snapshot)
{
    return Index{snapshot.value - std::min(snapshot.value, settings.trailing_entries)};
}

} // namespace totora::inline v0
