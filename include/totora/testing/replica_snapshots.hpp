// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/recovery.hpp"
#include "totora/core/state.hpp"
#include "totora/testing/replica_configurations.hpp"
#include "totora/testing/replica_parts.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace totora::inline v0::testing
{

// What a shell does with the snapshots of a server: files that are stored, verified, kept and removed.

/// A chunk is stored after those before it.
constexpr void store(Replica& replica, StoreChunk const& chunk)
{
    replica.file.receive_from(chunk.snapshot, Term{});
    replica.file.received = chunk.offset + chunk.bytes;
}

/// What is received of a snapshot that is of no use any more is removed; what is to be installed is kept until it is.
constexpr void drop_unused_files(Replica& replica)
{
    auto const& snapshot = replica.state.reception.snapshot;
    if (replica.file.snapshot != snapshot)
        replica.file = SnapshotReception{};
    auto const is_installed =
        std::any_of(replica.writes.begin(), replica.writes.end(),
                    [](PendingWrite const& pending) { return std::holds_alternative<Install>(pending.write); });
    if (replica.disk.received and replica.disk.received->snapshot != snapshot and not is_installed)
        replica.disk.received = std::optional<SnapshotReceived>{};
}

/// What a step's effects ask that cannot be done, if anything: a file has no holes, and a machine is restored from what is durable.
[[nodiscard]] constexpr std::optional<std::string_view>
find_broken_effect(Replica const& replica, Outgoing const& outgoing)
{
    if (auto const& chunk = outgoing.store_chunk;
        chunk and chunk->offset != (replica.file.snapshot == chunk->snapshot ? replica.file.received : 0))
        return "chunks are stored in order, each snapshot's alone";
    if (outgoing.restore and replica.snapshot.last != *outgoing.restore)
        return "a state machine is restored from a durable snapshot";
    for (auto const& write : outgoing.writes)
        if (std::holds_alternative<Compact>(write) and not boundary_in(replica.state, write))
            return "what was in force at a boundary is known";
    return std::nullopt;
}

/// Remembers which chunks are wanted, of each follower the newest.
constexpr void want(Replica& replica, ChunkWanted const& wanted)
{
    for (auto& earlier : replica.wanted)
        if (earlier.server == wanted.server) {
            earlier = wanted;
            return;
        }
    replica.wanted.push_back(wanted);
}

/// A snapshot of what a server has applied. Those of two terms differ in their bytes.
[[nodiscard]] constexpr SnapshotId snapshot_of(State const& state, std::uint64_t bytes)
{
    return {.last = {*state.log.term_at(state.apply_index), state.apply_index},
            .bytes = bytes,
            .checksum = state.current_term.value};
}

/// The snapshot that was received is verified, and durable; these configurations stand in its bytes.
[[nodiscard]] constexpr SnapshotReceived verify(Replica& replica, Configurations const& configurations)
{
    auto const received = SnapshotReceived{replica.file.snapshot, configurations};
    replica.disk.received = std::optional<SnapshotReceived>{received};
    return received;
}

/// Where the file of an install was replaced by a newer one before its boundary was durable, what it stood for is in that: the state
/// machine is restored from it, and its install is finished.
constexpr void restore_from_received(Replica& replica)
{
    auto& disk = replica.disk;
    if (not disk.received or replica.snapshot.last.index >= disk.log.base().index)
        return;
    replica.snapshot = disk.received->snapshot;
    disk.applied_index = replica.snapshot.last.index;
    auto const finished = core::finish_install(disk);
    if (finished.log != disk.log)
        replica.configurations = list_of(disk.received->configurations);
    disk.log = finished.log;
    disk.applied_index = Index{};
    disk.received = std::optional<SnapshotReceived>{};
    replica.file = SnapshotReception{};
}

} // namespace totora::inline v0::testing
