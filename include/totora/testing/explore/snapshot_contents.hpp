// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/testing/replica_snapshots.hpp"

#include <cstdint>
#include <optional>

namespace totora::inline v0::explore
{

// Where members change, the checksum of a snapshot is its content: the configuration that stands in its header, and the term of who took
// it. So what is in a snapshot travels with it, from server to server and across losses of power, and nobody need remember it. A header
// names the configuration in force at its last entry twice, as the shell writes it (node/snapshots/snapshot_taker.hpp).
//
// Bits, from the lowest on: 8 of the term, 8 of the configuration's index, 2 of the agreed version of the machine, and for each server 3 of its kind (0 if it is no member) and 3 of
// its incarnation.

inline constexpr unsigned bits_of_number = 8;
inline constexpr unsigned bits_of_version = 2;
inline constexpr unsigned bits_of_member = 6;
inline constexpr unsigned bits_before_members = 2 * bits_of_number + bits_of_version;
inline constexpr unsigned members_of_contents_max = (64 - bits_before_members) / bits_of_member;

[[nodiscard]] constexpr std::uint64_t contents_of(Term term, Configuration const& configuration)
{
    auto contents = term.value | configuration.index.value << bits_of_number |
                    std::uint64_t{configuration.agreed.machine} << 2 * bits_of_number;
    for (auto const& member : configuration.members) {
        auto const bits = static_cast<std::uint64_t>(member.kind) | member.incarnation.value << 3U;
        contents |= bits << (bits_before_members + bits_of_member * (member.id.value - 1));
    }
    return contents;
}

/// The configurations that stand in a snapshot.
[[nodiscard]] constexpr Configurations configurations_in(SnapshotId const& snapshot)
{
    auto configuration = Configuration{.index = Index{snapshot.checksum >> bits_of_number & 255U}, .members = {}};
    configuration.agreed.machine = static_cast<std::uint32_t>(snapshot.checksum >> 2 * bits_of_number & 3U);
    auto rest = snapshot.checksum >> bits_before_members;
    for (auto id = std::uint64_t{1}; rest != 0; ++id, rest >>= bits_of_member)
        if (auto const kind = rest & 7U; kind != 0)
            configuration.members.push_back(
                {ServerId{id}, Incarnation{rest >> 3U & 7U}, static_cast<MemberKind>(kind)});
    return {.in_force = configuration, .previous = configuration};
}

/// A snapshot of what a server has applied; none if it has forgotten what was in force there (case 31).
[[nodiscard]] constexpr std::optional<SnapshotId> snapshot_of_members(State const& state, std::uint64_t bytes)
{
    auto const known = configurations_at(state.configurations, state.apply_index);
    if (not known)
        return std::nullopt;
    auto snapshot = testing::snapshot_of(state, bytes);
    snapshot.checksum = contents_of(state.current_term, known->in_force);
    return snapshot;
}

} // namespace totora::inline v0::explore
