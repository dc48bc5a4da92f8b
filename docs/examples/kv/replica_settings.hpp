// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/client_limits.hpp"
#include "report/operator_log.hpp"
#include "start/invocation.hpp"

#include "totora/data/identity.hpp"
#include "totora/node/settings.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <cstddef>
#include <string>

namespace kv
{

[[nodiscard]] inline totora::NodeSettings node_settings(Run const& run)
{
    auto settings = totora::NodeSettings{};
    settings.core.election = {run.election_ms_min, run.election_ms_max};
    settings.core.heartbeat_ms = run.heartbeat_ms;
    settings.snapshots.automatic = run.snapshot_mib > 0;
    settings.snapshots.log_bytes_min = run.snapshot_mib << 20U;
    settings.snapshots.follower_bytes_max = run.keep_mib << 20U;
    if (run.keep_mib == 0)
        settings.snapshots.trailing_entries = 0;
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

/// What clients are allowed, and a line if that is less than was wanted.
[[nodiscard]] inline ClientLimits allowed_limits(Run const& run, OperatorLog& lines)
{
    auto const wanted = ClientLimits{run.clients, static_cast<std::size_t>(run.clients_mib) << 20U};
    auto const allowed = within(take_process_limits(wanted), wanted);
    if (allowed != wanted)
        lines.print("serves " + std::to_string(allowed.connections) + " clients at most, which hold " +
                    std::to_string(allowed.memory_bytes >> 20U) +
                    " MiB together: this process may have no more file descriptors, or memory (ulimit -n, -v)");
    return allowed;
}

} // namespace kv
