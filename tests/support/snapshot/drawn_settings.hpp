// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/settings.hpp"

#include <random>

namespace totora::test
{

/// Settings of a seeded run with snapshots: small limits, so that a few thousand events have much of everything.
[[nodiscard]] inline NodeSettings settings_with_snapshots(std::mt19937_64& random)
{
    auto settings = NodeSettings{};
    settings.core.append_entries_max = 1 + random() % 4;
    settings.core.window = 1 + random() % 8;
    settings.snapshots.entries_max = 10 + random() % 60;
    settings.snapshots.trailing_entries = random() % 3 * random() % 10;
    settings.snapshots.follower_bytes_max = random() % 2 * 500;
    settings.snapshots.chunk_bytes = 32 + random() % 300;
    settings.snapshots.chunks_in_flight = 1 + random() % 4;
    settings.snapshots.pause_ms = 1 + random() % 200;
    return settings;
}

} // namespace totora::test
