// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "start/invocation.hpp"

#include "totora/data/identity.hpp"
#include "totora/node/settings.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <string>

namespace kv
{

[[nodiscard]] inline totora::NodeSettings node_settings(Run const& run)
{
    auto settings = totora::NodeSettings{};
    settings.core.election = {run.election_ms_min, run.election_ms_max};
    settings.core.heartbeat_ms = run.heartbeat_ms;
    return settings;
}

/// `listen` is where the server listens for the others.
[[nodiscard]] inline totora::TcpSettings transport_settings(totora::Identity const& identity, std::string const& listen)
{
    auto settings = totora::TcpSettings{};
    settings.cluster = identity.cluster;
    settings.self = {identity.id, identity.incarnation};
    settings.first_members = totora::members_of(identity.first_members);
    settings.listen = listen;
    settings.seed = identity.id.value;
    return settings;
}

} // namespace kv
