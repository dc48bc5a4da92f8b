// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

namespace totora::inline v0
{

/// How many bytes of snapshots may wait in memory until a log has written them.
inline constexpr std::uint64_t snapshot_backlog_max = std::uint64_t{16} << 20U;

/// Whether a log has as much to write of snapshots as may wait: then it is given no more, and wakes the node when there is less. One that
/// has no `snapshot_backlog` keeps up.
template <typename Log>
[[nodiscard]] bool has_snapshot_backlog(Log const& log)
{
    if constexpr (requires { log.snapshot_backlog(); })
        return log.snapshot_backlog() >= snapshot_backlog_max;
    else
        return false;
}

} // namespace totora::inline v0
