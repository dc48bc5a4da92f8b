// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The members of two configurations, with their addresses: it stands beside a `Configurations` wherever that is kept, because
/// the core holds no addresses.
struct KnownPeers
{
    std::vector<Peer> in_force; ///< Of the newest configuration in the log.
    std::vector<Peer> previous; ///< Of the one before, which is in force again if the newest is truncated.

    /// Puts the members of a configuration in force that is appended to the log.
    void append(std::vector<Peer> peers) { previous = std::exchange(in_force, std::move(peers)); }

    friend bool operator==(KnownPeers const&, KnownPeers const&) = default;
};

/// Whether these are the members of these configurations.
[[nodiscard]] inline bool are_members(KnownPeers const& peers, Configurations const& configurations)
{
    return members_of(peers.in_force) == configurations.in_force.members and
           members_of(peers.previous) == configurations.previous.members;
}

/// The address of a member, in this life of its log; empty if none of these peers is it. Never longer than `address_size_max`.
[[nodiscard]] inline std::string_view address_beside(Member const& member, std::span<Peer const> peers)
{
    for (auto const& peer : peers)
        if (peer.member.id == member.id and peer.member.incarnation == member.incarnation)
            return std::string_view{peer.address}.substr(0, address_size_max);
    return {};
}

/// The members of a configuration with the addresses that these peers have; without one where they have none.
[[nodiscard]] inline std::vector<Peer> peers_of(Configuration const& configuration, std::span<Peer const> peers)
{
    auto found = std::vector<Peer>{};
    for (auto const& member : configuration.members)
        found.push_back({member, std::string{address_beside(member, peers)}});
    return found;
}

/// The members of `first_configuration(identity)`.
[[nodiscard]] inline std::vector<Peer> first_peers(Identity const& identity)
{
    return peers_of(first_configuration(identity), identity.first_members);
}

} // namespace totora::inline v0
