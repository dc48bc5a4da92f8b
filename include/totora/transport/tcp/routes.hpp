// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp/connection.hpp"
#include "totora/transport/tcp/peer.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The connection that carries a message to a server, by its id: the one dialed to a peer that `update` named, or the
/// accepted one on which the server asked.
///
/// A server asks on an accepted connection when no address of it is known (a leader not yet in the new server's log),
/// or when its incarnation is another than the known one. Invariant: no peer of the same id and incarnation is among
/// the askers after it asked.
class TcpRoutes
{
public:
    [[nodiscard]] TcpPeer* find(ServerId server) const
    {
        auto const peer = peers_.find(server);
        return peer == peers_.end() ? nullptr : peer->second.get();
    }

    /// Whether `update` named this server, in this incarnation.
    [[nodiscard]] bool knows(Party const& party) const
    {
        auto const* const peer = find(party.id);
        return peer != nullptr and peer->party() == party;
    }

    /// The peer that was dialed for this connection; null if it was accepted.
    [[nodiscard]] TcpPeer* peer_of(TcpConnection const& connection) const
    {
        if (not connection.is_dialed())
            return nullptr;
        for (auto const& [id, peer] : peers_)
            if (peer->connection().get() == &connection)
                return peer.get();
        return nullptr;
    }

    /// The connection for a message; null if there is none. A response goes back on the connection of the server that
    /// asked.
    [[nodiscard]] TcpConnection* to(ServerId server, bool is_response) const
    {
        auto const* const peer = find(server);
        auto const        asker = askers_.find(server);
        if (asker != askers_.end() and (is_response or peer == nullptr))
            return asker->second.get();
        return peer == nullptr ? nullptr : peer->connection().get();
    }

    /// Notes a message from a server. False if it is a response from an incarnation that was not asked: a response
    /// counts for the member that was asked, and another incarnation of the server is another member.
    [[nodiscard]] bool note_received(TcpConnection& connection, bool is_response)
    {
        auto const remote = connection.remote();
        if (is_response)
            return find(remote.id) == nullptr or knows(remote);
        if (knows(remote))
            askers_.erase(remote.id);
        else
            askers_.insert_or_assign(remote.id, connection.shared());
        return true;
    }

    void add(std::shared_ptr<TcpPeer> peer)
    {
        auto const id = peer->party().id;
        peers_.insert_or_assign(id, std::move(peer));
    }

    void remove(ServerId server) { peers_.erase(server); }

    /// How many bytes of bulk have arrived at a peer.
    [[nodiscard]] std::uint64_t bytes_taken(ServerId server) const
    {
        auto const* const peer = find(server);
        return peer == nullptr ? 0 : peer->bulk_bytes_arrived();
    }

    /// Closes the connection to a peer.
    void close(ServerId server, std::string_view what) const
    {
        auto const* const peer = find(server);
        if (peer != nullptr and peer->connection() != nullptr)
            peer->connection()->close(what);
    }

    /// Forgets an accepted connection that has ended.
    void forget(TcpConnection const& connection)
    {
        std::erase_if(askers_, [&](auto const& asker) { return asker.second.get() == &connection; });
    }

    /// Calls `visit(TcpPeer&)` for each peer, in the order of their ids.
    template <typename Visit>
    void for_each_peer(Visit visit) const
    {
        for (auto const& [id, peer] : peers_)
            visit(*peer);
    }

    /// The status of each peer, in the order of their ids.
    [[nodiscard]] std::vector<TcpPeerStatus> statuses() const
    {
        auto all = std::vector<TcpPeerStatus>{};
        for_each_peer([&](TcpPeer& peer) { all.push_back(peer.status()); });
        return all;
    }

    /// Ends all dialed connections, and forgets everything. Needs no memory.
    void abandon_all()
    {
        for (auto const& [id, peer] : peers_)
            if (peer->connection() != nullptr)
                peer->connection()->abandon();
        peers_.clear();
        askers_.clear();
    }

private:
    std::map<ServerId, std::shared_ptr<TcpPeer>>       peers_;
    std::map<ServerId, std::shared_ptr<TcpConnection>> askers_; ///< Accepted connections that responses go back on.
};

/// Whether routes know a server.
struct KnownTo
{
    TcpRoutes const* routes;

    [[nodiscard]] bool operator()(Party const& party) const { return routes->knows(party); }
};

} // namespace totora::inline v0
