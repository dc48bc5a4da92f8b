// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/snapshot_format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// Where a log begins: after the entries that a snapshot stands for.
struct LogBoundary
{
    LogPosition    base;           ///< The last entry that is no longer in the log; of index 0 if the log is whole.
    Configurations configurations; ///< In force there, and before. Of a log that is whole those of its identity count.
    KnownPeers     peers;          ///< Their members.
    SnapshotId
         installed; ///< The received snapshot that took the place of the log there; none if the log was compacted.
    bool is_kept_by_machine = false; ///< The state machine keeps itself: no snapshot need stand for what is gone.

    friend bool operator==(LogBoundary const&, LogBoundary const&) = default;
};

// A boundary as bytes, without its base, which stands beside it:
//
// offset | size | field
// ---|---|---
// 0 | 8 | length of the snapshot that took the place of the log; 0 if it was compacted
// 8 | 8 | checksum of that snapshot
// 16 | 8 | time of the log, 0 so far
// 24 | 4 | 0
// 28 | 4 | bit 0: the state machine keeps itself, and no snapshot stands for what is gone
// 32 | | the configuration in force there, and the one before, as in a snapshot

inline constexpr std::size_t boundary_numbers_size = 32; ///< Before the configurations.

inline constexpr std::uint32_t boundary_kept_by_machine = 1;

/// How long the bytes of a boundary can be.
inline constexpr std::size_t boundary_size_max = boundary_numbers_size + 2 * configuration_size_max;

/// How long a configuration is in a boundary whose entry this is.
[[nodiscard]] inline std::size_t configuration_size_of(EntryView const& entry)
{
    return std::min(entry.payload.size() + 7, configuration_size_max); // An index more, and a shorter count.
}

/// How long the bytes of a boundary are.
[[nodiscard]] inline std::size_t encoded_size(LogBoundary const& boundary)
{
    auto const& [in_force, previous] = boundary.configurations;
    return boundary_numbers_size + encoded_size(in_force, boundary.peers.in_force) +
           encoded_size(previous, boundary.peers.previous);
}

[[nodiscard]] inline std::vector<std::byte> encode_boundary(LogBoundary const& boundary)
{
    auto  bytes = std::vector<std::byte>(encoded_size(boundary));
    auto* to = put(put(bytes.data(), boundary.installed.bytes), boundary.installed.checksum) + 16;
    put(bytes.data() + 28, boundary.is_kept_by_machine ? boundary_kept_by_machine : 0U);
    put_configurations(to, boundary.configurations, boundary.peers);
    return bytes;
}

/// The boundary after `base`; nothing if it has something that this version does not know.
[[nodiscard]] inline std::optional<LogBoundary> decode_boundary(std::span<std::byte const> bytes, LogPosition base)
{
    if (bytes.size() < boundary_numbers_size or get<std::uint32_t>(bytes.data() + 24) != 0)
        return std::nullopt;
    auto const flags = get<std::uint32_t>(bytes.data() + 28);
    if ((flags & ~boundary_kept_by_machine) != 0)
        return std::nullopt;
    auto boundary = LogBoundary{.base = base, .configurations = {}, .peers = {}, .installed = {}};
    boundary.is_kept_by_machine = flags == boundary_kept_by_machine;
    if (not read_configurations(bytes.subspan(boundary_numbers_size), boundary.configurations, boundary.peers))
        return std::nullopt;
    if (auto const size = get<std::uint64_t>(bytes.data()); size > 0)
        boundary.installed = {base, size, get<std::uint64_t>(bytes.data() + 8)};
    return boundary;
}

} // namespace totora::inline v0
