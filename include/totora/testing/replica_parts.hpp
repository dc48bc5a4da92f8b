// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/write.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace totora::inline v0::testing
{

/// A log that reports every write durable at once: only a log can release what waits for a write.
struct TestDurable : DurableSource
{
    [[nodiscard]] static constexpr Durable through(WriteNumber write) { return durable_through(write); }
};

/// A message that has left its sender and has not arrived.
struct InFlight
{
    ServerId                   from;
    ServerId                   to;
    Rpc                        rpc;
    std::vector<Configuration> configurations = {}; ///< Among the entries of an append, in their order.

    friend constexpr bool operator==(InFlight const&, InFlight const&) = default;
};

/// A write that was made and is not durable, with the configuration that its entries hold, or those that stand beside its boundary.
struct PendingWrite
{
    Write                         write;
    std::optional<Configuration>  configuration;
    std::optional<Configurations> boundary = {};

    friend constexpr bool operator==(PendingWrite const&, PendingWrite const&) = default;
};

/// A server with everything around it that is its own: its disk, the writes in flight, the messages that wait for them,
/// and its alarms.
///
/// Nothing happens by itself: the driver (a proof, the explorer, a story) calls the functions below.
struct Replica
{
    State state;
    RecoveredState
        disk; ///< What survives a loss of power, but for `configurations`. Commit and applied index are not saved.
    /// Those of the disk's log, oldest first: one or two that were in force where it begins, and those of its entries.
    std::vector<Configuration> configurations;
    SnapshotId                 snapshot;  ///< The newest durable snapshot of this server, taken here or installed.
    SnapshotReception          file;      ///< What is stored of a snapshot of another server, and not durable.
    std::vector<ChunkWanted>   wanted;    ///< The chunks that its followers need, at most one each.
    std::vector<PendingWrite>  writes;    ///< Made and not durable, in their order.
    std::vector<Envelope>      sealed;    ///< Messages that wait for one of `writes`.
    std::uint8_t               armed = 0; ///< A bit for each kind of alarm that can ring.

    friend constexpr bool operator==(Replica const&, Replica const&) = default;
};

} // namespace totora::inline v0::testing
