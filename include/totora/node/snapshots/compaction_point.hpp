// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/snapshot_settings.hpp"

#include <algorithm>
#include <variant>

namespace totora::inline v0
{

/// The last entry that a follower can do without, if it is within reach: it answers, or is sent a snapshot that the log goes on from.
[[nodiscard]] inline Index held_by(Progress const& progress)
{
    if (auto const* const sending = std::get_if<SendSnapshot>(&progress.mode))
        return sending->snapshot.last.index;
    return progress.recently_active ? progress.match : Index{};
}

/// Up to where the log is compacted when there is a snapshot up to `snapshot`. What followers within reach still need stays, as long
/// as that is not too much: entries are sent for less than a snapshot, and a snapshot that is outrun begins again.
template <typename Log>
[[nodiscard]] Index
compaction_point(SnapshotSettings const& settings, State const& state, Log const& log, Index snapshot)
{
    auto point = compactable(settings, snapshot);
    while (log.bytes(next(point), snapshot) > settings.follower_bytes_max) // Entries may have any size.
        point = point + (snapshot.value - point.value + 1) / 2;
    for (auto const& progress : state.followers) {
        auto const held = held_by(progress);
        if (held > state.log.base().index and log.bytes(next(held), snapshot) <= settings.follower_bytes_max)
            point = std::min(point, held);
    }
    return point;
}

} // namespace totora::inline v0
