// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/settings.hpp"

#include <algorithm>
#include <cstdint>

namespace totora::inline v0
{

/// How long one call of the state machine may take: a heartbeat that falls due meanwhile waits for its end.
[[nodiscard]] inline std::uint64_t apply_call_ms_max(NodeSettings const& settings)
{
    return std::max(std::uint64_t{1}, std::min(settings.apply_ms_max, settings.core.heartbeat_ms / 2));
}

/// How many entries the state machine is given at once, so that one call takes about half as long as it may.
///
/// It begins with few and doubles while calls are fast. A call that took too long makes the next ones as much smaller: an entry
/// that takes 0.3 ms then costs a turn some milliseconds, and not a thousand entries' time.
class ApplyPace
{
public:
    explicit ApplyPace(std::uint64_t ms_max) : ms_max_(ms_max) {}

    [[nodiscard]] std::uint64_t entries() const { return entries_; }

    /// A call with so many entries took so long.
    void learn(std::uint64_t count, std::uint64_t took_ms)
    {
        if (took_ms > ms_max_ / 2)
            entries_ = std::max(std::uint64_t{1}, std::min(entries_, count) * ms_max_ / (2 * took_ms));
        else if (count >= entries_ and 4 * took_ms <= ms_max_)
            entries_ = std::min(2 * entries_, entries_max);
    }

private:
    static constexpr std::uint64_t entries_max = 256; ///< So that a change from fast to slow costs one call of these.

    std::uint64_t ms_max_;
    std::uint64_t entries_ = 16;
};

} // namespace totora::inline v0
