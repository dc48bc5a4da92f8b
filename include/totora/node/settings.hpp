// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/node/snapshot_settings.hpp"

#include <cstdint>

namespace totora::inline v0
{

/// Limits and timing of a node. All members of a cluster should have the same limits; timing may differ a little. No limit may be
/// 0: `RaftNode::start` refuses that. Bytes are those of encoded entries, header included, unless stated otherwise.
struct NodeSettings
{
    /// Timing and flow of the protocol.
    Settings core = {};

    /// The largest payload of one entry; a larger proposal is refused as `entry_too_large`. The transport must be able to
    /// carry it: `FrameLimits::entry_bytes_max` not less, and `frame_bytes_max` at least `frame_bytes_for` it.
    std::uint64_t entry_bytes_max = std::uint64_t{8} << 20U;

    /// What a leader may have taken on that is not yet committed, durable here and applied here, all three; more is refused as
    /// `too_much_pending`. A proposal may be larger if nothing else waits. What the node appends itself is never refused.
    std::uint64_t uncommitted_bytes_max = std::uint64_t{64} << 20U;

    /// The entries of one message; a single larger entry goes alone.
    std::uint64_t append_bytes_max = std::uint64_t{1} << 20U;

    /// The entries sent to one follower that it has not acknowledged; one larger entry goes alone. So much may be pinned in
    /// memory for each follower, here and there. The bound in entries is `core.window`.
    std::uint64_t window_bytes = std::uint64_t{16} << 20U;

    /// What one turn reads from disk, for followers and the state machine together; one larger entry is read alone.
    std::uint64_t cold_bytes_max = std::uint64_t{1} << 20U;

    /// What the state machine is given in one turn; a single larger entry is given alone.
    std::uint64_t apply_bytes_max = std::uint64_t{4} << 20U;

    /// How many entries the state machine is given in one turn: as many responses are in memory at a time, on every server.
    std::uint64_t apply_entries_max = 1024;

    /// For how long the state machine is given entries in one turn, in milliseconds; a single entry may take longer. It ends
    /// earlier when an alarm is due, so that heartbeats leave in time however slow the machine is.
    std::uint64_t apply_ms_max = 10;

    /// The messages taken from the transport in one turn.
    std::uint64_t receive_max = 1024;

    /// Of a node whose state machine, log and transport all have snapshots.
    SnapshotSettings snapshots = {};
};

/// Whether no limit is 0.
[[nodiscard]] constexpr bool has_limits(NodeSettings const& settings)
{
    return settings.entry_bytes_max > 0 and settings.uncommitted_bytes_max > 0 and settings.append_bytes_max > 0 and
           settings.window_bytes > 0 and settings.cold_bytes_max > 0 and settings.apply_bytes_max > 0 and
           settings.apply_entries_max > 0 and settings.apply_ms_max > 0 and settings.receive_max > 0 and
           settings.snapshots.chunk_bytes > 0 and settings.snapshots.chunks_in_flight > 0 and
           settings.snapshots.transfers_max > 0;
}

} // namespace totora::inline v0
