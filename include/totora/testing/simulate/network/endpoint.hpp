// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/queue.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/network/network.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace totora::inline v0::simulate
{

/// One server's end of a network, as its node sees it.
class Endpoint
{
public:
    Endpoint(Network& network, std::size_t server) : network_(&network), server_(server) {}

    void send(Released const& message, Entries const& entries) { network_->send(server_, message, entries); }
    void send_chunk(Released const& message, PinnedBytes const& chunk)
    {
        network_->send(server_, message, Payload{chunk});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (arrived_.empty())
            return std::nullopt;
        return arrived_.pop_front();
    }

    void update(ServerId, Incarnation, std::string_view) {}

    [[nodiscard]] std::uint64_t bytes_taken(ServerId server) const
    {
        return network_->bulk_bytes(server_, static_cast<std::size_t>(server.value - 1));
    }

    void renew(ServerId server) { network_->renew(server_, static_cast<std::size_t>(server.value - 1)); }

    /// Something has arrived, for the node to take.
    void arrive(TransportEvent event) { arrived_.push_back(std::move(event)); }

    [[nodiscard]] std::size_t waiting() const { return arrived_.size(); }

private:
    Network*              network_;
    std::size_t           server_;
    Queue<TransportEvent> arrived_;
};

static_assert(chunk_transport<Endpoint>);

} // namespace totora::inline v0::simulate
