// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/identity.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace kv
{

/// What INFO reports beside what the node and the state machine know themselves.
struct ServerFacts
{
    std::uint16_t       client_port = 0;
    std::string         client_address; ///< Where clients find this server, according to itself.
    std::uint64_t       uptime_seconds = 0;
    std::size_t         connections = 0;
    std::uint64_t       connections_taken = 0;
    std::uint64_t       requests = 0;
    std::size_t         connections_max = 0;
    std::uint64_t       clients_turned_away = 0;
    std::size_t         clients_memory_bytes = 0;
    std::size_t         clients_memory_bytes_max = 0;
    std::uint64_t       clients_evicted = 0;
    std::uint64_t       http_refused = 0;
    bool                loading = false; ///< Clients are answered LOADING.
    totora::ClusterId   cluster = {};
    totora::Incarnation incarnation = {};
};

/// What the clients' port of a server that has been up for so long knows.
template <typename Server>
[[nodiscard]] ServerFacts
facts_of(Server const& server, totora::Identity const& identity, std::string const& client_address, bool is_loading,
         std::chrono::steady_clock::duration uptime)
{
    return {.client_port = server.port(),
            .client_address = client_address,
            .uptime_seconds =
                static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(uptime).count()),
            .connections = server.connections(),
            .connections_taken = server.connections_taken(),
            .requests = server.requests(),
            .connections_max = server.limits().connections,
            .clients_turned_away = server.turned_away(),
            .clients_memory_bytes = server.memory_bytes(),
            .clients_memory_bytes_max = server.limits().memory_bytes,
            .clients_evicted = server.evictions(),
            .http_refused = server.http_refused(),
            .loading = is_loading,
            .cluster = identity.cluster,
            .incarnation = identity.incarnation};
}

} // namespace kv
