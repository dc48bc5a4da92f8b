// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/network/wire.hpp"
#include "totora/wire/codec.hpp"
#include "totora/wire/frame.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

namespace totora::inline v0::simulate
{

/// A message that was taken off the wire, and which life of its sender sent it.
struct Arrived
{
    Received    message;
    Incarnation sender;
};

/// Who runs at the address of each server: of which cluster, and in which life. Servers are counted from 0.
class Residents
{
public:
    explicit Residents(ClusterId cluster) : cluster_(cluster) { lives_.fill(first_incarnation); }

    /// At the address of a server there is one that was started with other members, and so is of another cluster.
    void               set_foreign(std::size_t server, bool is_foreign) { foreign_[server] = is_foreign; }
    [[nodiscard]] bool is_foreign(std::size_t server) const { return foreign_[server]; }

    /// A server begins another life of its log.
    void                      begin_life(std::size_t server, Incarnation life) { lives_[server] = life; }
    [[nodiscard]] Incarnation life_of(std::size_t server) const { return lives_[server]; }

    [[nodiscard]] std::span<Incarnation const> lives() const { return lives_; }

    /// The route of a message to a server, in the life that its sender means.
    [[nodiscard]] Route route(std::size_t from, Party const& to) const
    {
        return {.cluster = cluster_at(from), .group = 0, .sender = party_at(from), .addressee = to};
    }

    /// What the receiver decodes from a frame, or why it rejects it.
    [[nodiscard]] Result<Arrived, FrameError> read(FrameInFlight const& frame) const
    {
        auto decoded = decode({frame.bytes.get(), frame.size}, frame.bytes);
        if (not decoded)
            return Unexpected{decoded.error()};
        if (auto const why = refuse_route(decoded->route, cluster_at(frame.to), party_at(frame.to)))
            return Unexpected{*why};
        auto* const rpc = std::get_if<Rpc>(&decoded->content);
        if (rpc == nullptr)
            return Unexpected{FrameError::unknown_kind};
        auto const [id, life] = decoded->route.sender;
        return Arrived{{id, *rpc, std::move(decoded->entries), std::move(decoded->chunk)}, life};
    }

private:
    /// The cluster of which a server is now; wrong ones are different for every server.
    [[nodiscard]] ClusterId cluster_at(std::size_t server) const
    {
        return foreign_[server] ? cluster_of(std::string_view{"0123456"}.substr(server, 1)) : cluster_;
    }

    [[nodiscard]] Party party_at(std::size_t server) const { return {ServerId{server + 1}, lives_[server]}; }

    ClusterId                                      cluster_;
    std::array<bool, simulated_servers_max>        foreign_{};
    std::array<Incarnation, simulated_servers_max> lives_{};
};

} // namespace totora::inline v0::simulate
