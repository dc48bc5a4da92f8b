// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/queue.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/network/network.hpp"
#include "totora/wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace totora::inline v0::simulate
{

/// One server's end of a network, as its node sees it. Lives of servers are told apart as the TCP transport does it
/// (`transport/tcp/routes.hpp`).
class Endpoint
{
public:
    Endpoint(Network& network, std::size_t server) : network_(&network), server_(server) {}

    void send(Released const& message, Entries const& entries) { send_payload(message, entries); }
    void send_chunk(Released const& message, PinnedBytes const& chunk) { send_payload(message, Payload{chunk}); }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (arrived_.empty())
            return std::nullopt;
        return arrived_.pop_front();
    }

    void update(ServerId server, Incarnation life, std::string_view) { known_.insert_or_assign(server, life); }
    void remove(ServerId server) { known_.erase(server); }

    [[nodiscard]] std::uint64_t bytes_taken(ServerId server) const
    {
        return network_->bulk_bytes(server_, static_cast<std::size_t>(server.value - 1));
    }

    void renew(ServerId server) { network_->renew(server_, static_cast<std::size_t>(server.value - 1)); }

    /// Whether this end takes a message of this life of a server: a response counts for the life that was asked. Notes where
    /// the response to a request goes.
    [[nodiscard]] bool takes(Party sender, Rpc const& rpc)
    {
        auto const known = known_.find(sender.id);
        auto const is_known = known != known_.end() and known->second == sender.incarnation;
        if (is_response(rpc))
            return is_known or known == known_.end();
        if (is_known)
            askers_.erase(sender.id);
        else
            askers_.insert_or_assign(sender.id, sender.incarnation);
        return true;
    }

    /// Something has arrived, for the node to take.
    void arrive(TransportEvent event) { arrived_.push_back(std::move(event)); }

    [[nodiscard]] std::size_t waiting() const { return arrived_.size(); }

protected:
    /// Sends a message to this life of its addressee.
    void send_to(Incarnation life, Released const& message, Payload const& payload)
    {
        network_->send(server_, life, message, payload);
    }

    /// The life that a server really has.
    [[nodiscard]] Incarnation life_of(ServerId server) const
    {
        return network_->residents.life_of(static_cast<std::size_t>(server.value - 1));
    }

private:
    using Lives = std::map<ServerId, Incarnation>;

    /// A response goes to the life that asked. What is for nobody that is known is dropped.
    void send_payload(Released const& message, Payload const& payload)
    {
        auto const known = known_.find(message.to());
        auto const asker = askers_.find(message.to());
        if (asker != askers_.end() and (is_response(message.rpc()) or known == known_.end()))
            send_to(asker->second, message, payload);
        else if (known != known_.end())
            send_to(known->second, message, payload);
    }

    Network*              network_;
    std::size_t           server_;
    Lives                 known_;  ///< That the node named.
    Lives                 askers_; ///< Of which the node named another life, or none.
    Queue<TransportEvent> arrived_;
};

static_assert(chunk_transport<Endpoint>);

} // namespace totora::inline v0::simulate
