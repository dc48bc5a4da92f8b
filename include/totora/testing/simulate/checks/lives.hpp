// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <array>
#include <cstddef>
#include <map>

namespace totora::inline v0::simulate
{

/// The life that each server is in, and what was durable in those that have ended. Servers are counted from 0.
class Lives
{
public:
    /// A server lost its directory, in which all up to `durable` was, and is in another life now.
    void begin(std::size_t server, Incarnation life, LogPosition durable)
    {
        auto& of_server = servers_[server];
        of_server.ended.insert_or_assign(of_server.now, durable);
        of_server.now = life;
    }

    /// The life that a server is in.
    [[nodiscard]] Incarnation now(std::size_t server) const { return servers_[server].now; }

    /// Whether this is a member in the life that it is in.
    [[nodiscard]] bool is_now(Member const& member) const { return member.incarnation == now(place_of(member.id)); }

    /// The last entry that was ever durable in the life of a server that a configuration names. `durable` is that of the life it is
    /// in, which is meant if the configuration does not name the server.
    [[nodiscard]] LogPosition
    durable_by(Configuration const& configuration, std::size_t server, LogPosition durable) const
    {
        auto const* const member = find_member(configuration, ServerId{server + 1});
        if (member == nullptr or is_now(*member))
            return durable;
        auto const ended = servers_[server].ended.find(member->incarnation);
        return ended != servers_[server].ended.end() ? ended->second : LogPosition{};
    }

private:
    struct OfServer
    {
        Incarnation                        now = first_incarnation;
        std::map<Incarnation, LogPosition> ended;
    };

    [[nodiscard]] static std::size_t place_of(ServerId server) { return static_cast<std::size_t>(server.value - 1); }

    std::array<OfServer, simulated_servers_max> servers_;
};

} // namespace totora::inline v0::simulate
