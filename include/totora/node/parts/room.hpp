// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/saturating.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// What the core is notified of the room in the log, which is asked at most once a heartbeat.
///
/// A lack of room for entries counts when it has lasted for an election maximum: a log that prepares its next file has none
/// for a moment, and no leader should step down for that. That not even the reserve is left counts at once. Where a large entry
/// was refused, smaller ones are let in again after ten seconds, whether or not it would fit by then.
class RoomWatch
{
public:
    /// That many bytes were refused. There is room again when as many fit, or the largest entry.
    void refused(std::uint64_t bytes, std::uint64_t entry_bytes_max)
    {
        needed_ = std::max(needed_, std::min(bytes, add_sat(entry_bytes_max, entry_header_size)));
        asks_again_ms_ = 0;
    }

    /// Whether that many bytes, or as many as were refused before, do not fit yet.
    [[nodiscard]] bool lacks() const { return needed_ > entry_header_size; }

    /// What the core is to be notified of; nothing if it is not time to ask.
    template <typename Log>
    [[nodiscard]] std::optional<LogRoom>
    ask(Log const& log, std::uint64_t now_ms, std::uint64_t heartbeat_ms, std::uint64_t lasting_ms)
    {
        if (now_ms < asks_again_ms_)
            return std::nullopt;
        asks_again_ms_ = now_ms + heartbeat_ms;
        if (lacking_since_ms_ and now_ms - *lacking_since_ms_ >= large_entries_pause_ms)
            needed_ = entry_header_size;
        if (log.has_room(needed_)) {
            needed_ = entry_header_size;
            lacking_since_ms_.reset();
            return LogRoom::enough;
        }
        if (not log.has_room(0))
            return LogRoom::nothing;
        if (not lacking_since_ms_)
            lacking_since_ms_ = now_ms;
        return now_ms - *lacking_since_ms_ < lasting_ms ? std::nullopt : std::optional{LogRoom::reserve_only};
    }

private:
    static constexpr std::uint64_t large_entries_pause_ms = 10'000;

    std::uint64_t                needed_ = entry_header_size;
    std::uint64_t                asks_again_ms_ = 0;
    std::optional<std::uint64_t> lacking_since_ms_;
};

} // namespace totora::inline v0
