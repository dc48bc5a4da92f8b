// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../protocol/resp.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace kv
{

/// What a client is known by, for CLIENT LIST.
struct ClientState
{
    std::uint64_t                         id = 0; ///< Never given twice by a server.
    std::string                           address;
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
    std::string                           name;
    std::string                           library_name;
    std::string                           library_version;
    std::string_view                      last_command = "NULL"; ///< A literal.
    Protocol                              protocol = Protocol::resp2;
};

/// The line of CLIENT LIST about one client.
[[nodiscard]] inline std::string client_line(ClientState const& client)
{
    auto const age =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - client.since).count();
    auto line = "id=" + std::to_string(client.id);
    line.append(" addr=").append(client.address).append(" name=").append(client.name);
    line.append(" age=").append(std::to_string(age)).append(" db=0 cmd=").append(client.last_command);
    line.append(" resp=").append(client.protocol == Protocol::resp3 ? "3" : "2");
    line.append(" lib-name=").append(client.library_name).append(" lib-ver=").append(client.library_version);
    return line.append("\n");
}

} // namespace kv
