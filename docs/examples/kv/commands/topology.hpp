// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../machine/key_value.hpp"
#include "../protocol/resp.hpp"
#include "node_name.hpp"

#include "totora/data/identity.hpp"
#include "totora/node/status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kv
{

/// A server as clients of a cluster see it.
struct Seat
{
    totora::Member member{};
    std::string    host; ///< Where clients find it; empty if it was not announced yet.
    std::uint16_t  port = 0;
    std::uint16_t  peer_port = 0;
    std::uint64_t  offset = 0; ///< How far its log is known to be the leader's, as an index.
    bool           is_leader = false;
    bool           is_self = false;

    [[nodiscard]] bool has_address() const { return not host.empty(); }
};

/// The servers of the cluster, as one of them knows them.
struct Topology
{
    totora::ClusterId cluster;
    totora::Member    self{}; ///< This server, which may be none of the seats: it waits to be let in, or was removed.
    std::uint64_t     term = 0;
    std::uint64_t     offset = 0; ///< How far this server has applied the log, as an index.
    bool              is_leader = false;
    bool              is_loading = false;
    std::vector<Seat> seats{};

    /// The leader, if it is known and clients know where to find it.
    [[nodiscard]] Seat const* leader() const
    {
        auto const found = std::find_if(seats.begin(), seats.end(),
                                        [](Seat const& seat) { return seat.is_leader and seat.has_address(); });
        return found == seats.end() ? nullptr : &*found;
    }
};

/// Whether a follower has this name, so that ANNOUNCE may name it to a leader.
[[nodiscard]] inline bool is_follower(Topology const& topology, std::string_view name)
{
    return std::any_of(topology.seats.begin(), topology.seats.end(), [&](Seat const& seat) {
        return not seat.is_leader and node_name(topology.cluster, seat.member) == name;
    });
}

/// The port after the last colon of an address; 0 if there is none.
[[nodiscard]] inline std::uint16_t port_in(std::string_view address)
{
    auto const port = parse_integer(address.substr(std::min(address.rfind(':') + 1, address.size()))).value_or(0);
    return port > 0 and port <= 65'535 ? static_cast<std::uint16_t>(port) : std::uint16_t{0};
}

/// `peers` are the servers of the cluster, with the addresses at which they find each other.
[[nodiscard]] inline Topology topology_of(totora::ClusterId cluster, std::span<totora::Peer const> peers,
                                          totora::Status const& status, KeyValue const& machine)
{
    auto topology = Topology{.cluster = cluster,
                             .self = {status.id, {}},
                             .term = status.term.value,
                             .offset = status.applied.value,
                             .is_leader = status.role == totora::RoleName::leader};
    for (auto const& peer : peers) {
        auto const address = machine.client_address(peer.member.id);
        auto       seat = Seat{.member = peer.member,
                               .host = std::string{address.substr(0, std::min(address.rfind(':'), address.size()))},
                               .port = port_in(address),
                               .peer_port = port_in(peer.address),
                               .is_leader = status.leader == peer.member.id,
                               .is_self = status.id == peer.member.id};
        if (seat.is_self)
            seat.offset = topology.offset;
        for (auto const& follower : status.followers)
            if (follower.server == peer.member.id)
                seat.offset = follower.match.value;
        topology.seats.push_back(std::move(seat));
    }
    return topology;
}

} // namespace kv
