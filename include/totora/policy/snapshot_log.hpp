// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/payload.hpp"
#include "totora/policy/log.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// A snapshot that is whole, verified, and durable under its own name.
struct StoredSnapshot
{
    SnapshotId     id;
    Configurations configurations;     ///< That in force at its last entry, and the one before; from its header.
    KnownPeers     peers;              ///< Their members; from there, too.
    bool           is_received = false; ///< Of another server, and no `install` of it was written. Of one up to where the log begins it may say either.

    friend bool operator==(StoredSnapshot const&, StoredSnapshot const&) = default;
};

/// The end of an attempt to store a snapshot.
struct SnapshotEnd
{
    SnapshotId              id;
    bool                    is_received = false; ///< Of chunks.
    std::optional<LogError> failure;             ///< Nothing: it is among `snapshots` now. Otherwise nothing is left of it.
};

/// A log that keeps snapshots, and can begin after what they stand for (§7).
///
/// Their bytes are data/snapshot_format.hpp's. Files are no numbered writes: what is durable of them the log reports by `snapshot_end`. At
/// most one snapshot of the server's own is being written, and one is being received; a file being finished hinders neither. All
/// calls come from the node's thread; none throws, and those that may take long go on in the background, with the log's wake-up at
/// their end.
///
/// One that writes in the background may have `snapshot_backlog() -> std::uint64_t`: how many bytes of snapshots wait in memory. A node gives it
/// no more while these are many, and is woken when they are few.
///
/// One that keeps what is compacted until a snapshot stands for it has `rely_on_machine() -> std::optional<LogError>`, called after
/// `recover` and before any write if the server's state machine keeps itself (`durable_machine`): from then on no snapshot need stand for
/// what is compacted, and the log says so, durably when it returns.
///
/// One whose files are read slowly may have `read_snapshot_aside(id, offset, bytes)`: as `read_snapshot`, or `not_now` while these bytes are being
/// read, with the log's wake-up when they are there. A node sends snapshots by it, and checks by it what it has received; with
/// `read_snapshot` it waits.
///
/// What the compiler cannot check: a snapshot among `snapshots` survives any crash, until it is removed. Recovery finds the newest
/// boundary, by `compact` or `install`, that is durable; `Recovered::entries` begins there, and with it `Recovered::configuration` and
/// `Recovered::peers`. An
/// `install` that is durable makes its snapshot one of the server's own, in the same write. What cannot be stored for
/// want of room ends the attempt, and frees its space; it is no failure of the log. That a reception has failed may be reported at once: it
/// has no other end then, and what still comes of it is ignored, up to the next chunk at offset 0.
template <typename T>
concept snapshot_log = durable_log<T> and requires(T& log, T const& readable, WriteNumber write, LogPosition base, SnapshotId const& id,
                                                   Configurations const& configurations, KnownPeers const& peers,
                                                   std::span<std::byte const> bytes, std::uint64_t offset) {
    /// Lets the log begin after `base`, which it holds: what comes before is gone when this write is durable. `configurations` are
    /// those in force there and before, `peers` their members.
    { log.compact(write, base, configurations, peers) } -> std::same_as<void>;
    /// Puts a received snapshot in place of the whole log: it begins and ends at `id.last`.
    { log.install(write, id, configurations, peers) } -> std::same_as<void>;

    /// Begins a snapshot of the server's own. What was written of an earlier one is dropped.
    { log.begin_snapshot() } -> std::same_as<void>;
    /// Its next bytes.
    { log.write_snapshot(bytes) } -> std::same_as<void>;
    /// It is complete, and is to be made durable: `snapshot_end` reports it.
    { log.finish_snapshot(id) } -> std::same_as<void>;
    /// Drops what was written.
    { log.drop_snapshot() } -> std::same_as<void>;

    /// Stores a chunk of a snapshot that is received, after those before it. At offset 0 what was stored of another is dropped.
    { log.store_chunk(id, offset, bytes) } -> std::same_as<void>;
    /// All chunks are there. They are to be verified, by the checksum of the whole, and made durable: `snapshot_end` reports it.
    { log.finish_chunks(id) } -> std::same_as<void>;
    /// Drops the chunks that were stored.
    { log.drop_chunks() } -> std::same_as<void>;

    /// The next attempt that has ended and was not reported yet.
    { log.snapshot_end() } -> std::same_as<std::optional<SnapshotEnd>>;

    /// Those that it keeps, in the order of their indexes.
    { readable.snapshots() } -> std::same_as<std::vector<StoredSnapshot> const&>;
    /// What of a snapshot that was being received is there, and verified. Asked after `recover`.
    { readable.reception() } -> std::same_as<SnapshotReception>;
    /// Up to `bytes` bytes of one of them; at least one, if there is one at `offset`.
    { log.read_snapshot(id, offset, offset) } -> std::same_as<Result<PinnedBytes, LogError>>;
    /// Removes one of them. What was read of it stays readable.
    { log.remove_snapshot(id) } -> std::same_as<void>;

    /// Only after `recover`, before any write: puts a received snapshot in place of the whole log, durably when it returns. Returns what
    /// went wrong, if anything did.
    { log.finish_install(id) } -> std::same_as<std::optional<LogError>>;
};

} // namespace totora::inline v0
