// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/transport/tcp/connection.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <memory>
#include <vector>

namespace totora::inline v0
{

/// The load of a transport's connections, without its inbox. `is_known(Party)` is true for servers that `update` named.
template <typename IsKnown>
[[nodiscard]] TcpLoad load_of(std::vector<std::shared_ptr<TcpConnection>> const& connections, IsKnown is_known)
{
    auto load = TcpLoad{};
    for (auto const& one : connections) {
        load.unfinished_bytes += one->unfinished_bytes();
        load.queued_bytes += one->queue().bulk_bytes();
        if (one->is_dialed())
            continue;
        auto const known = one->is_open() and is_known(one->remote());
        ++(not one->is_open() ? load.handshaking : known ? load.known : load.unknown);
        load.unknown_unfinished_bytes += known ? 0 : one->unfinished_bytes();
    }
    return load;
}

} // namespace totora::inline v0
