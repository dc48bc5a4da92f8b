// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0
{

/// What can ring. Each kind is armed or not; arming it again replaces the earlier arming.
/// Not exhaustive: a clock has a place for each of `alarm_kinds`, and a `switch` over it needs a default.
enum class Alarm : std::uint8_t
{
    election,      ///< No leader for a random time: campaign (§5.2).
    leader_silent, ///< Exactly the minimum election timeout without a leader: stickiness ends here and nowhere else.
    heartbeat,     ///< A leader sends its heartbeats (§5.2).
    quorum_check,  ///< A leader checks that a quorum has answered (dissertation §6.2).
    replay,        ///< A server that starts has had time enough to apply what it knew to be committed.
    storage_stall, ///< A write was in flight when it was armed: is that one durable by now?
    transfer,      ///< The server that a leader hands over to has had an election timeout to take over.
    catch_up,      ///< Newcomers have had an election timeout for what they lacked (dissertation §4.2.1).
};

/// The name of an alarm.
[[nodiscard]] constexpr std::string_view to_string(Alarm alarm)
{
    switch (alarm) {
    case Alarm::election:
        return "election";
    case Alarm::leader_silent:
        return "leader_silent";
    case Alarm::heartbeat:
        return "heartbeat";
    case Alarm::quorum_check:
        return "quorum_check";
    case Alarm::replay:
        return "replay";
    case Alarm::storage_stall:
        return "storage_stall";
    case Alarm::transfer:
        return "transfer";
    case Alarm::catch_up:
        return "catch_up";
    }
    return "unknown";
}

inline constexpr std::size_t alarm_kinds = 8;

/// Between which times from now an alarm rings; the clock draws the moment, again at each arming.
struct Delay
{
    std::uint64_t at_least_ms = 0;
    std::uint64_t at_most_ms = 0;

    friend constexpr bool operator==(Delay const&, Delay const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("at_least_ms", self.at_least_ms);
        visit("at_most_ms", self.at_most_ms);
    }
};
static_assert(lists_its_fields<Delay>());

/// The newest arming of each kind of alarm: the rings of earlier ones are outdated.
struct Alarms
{
    std::array<Arming, alarm_kinds> armings{};

    /// Numbers an arming, or a disarming, of an alarm.
    constexpr Arming renew(Alarm alarm)
    {
        auto& arming = armings[static_cast<std::size_t>(alarm)];
        ++arming.value;
        return arming;
    }

    /// Whether a ring is of the newest arming of an alarm that exists.
    [[nodiscard]] constexpr bool is_newest(Alarm alarm, Arming arming) const
    {
        auto const kind = static_cast<std::size_t>(alarm);
        return kind < alarm_kinds and arming == armings[kind];
    }

    friend constexpr bool operator==(Alarms const&, Alarms const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("armings", self.armings); }
};
static_assert(lists_its_fields<Alarms>());

/// The invariant of a change of the alarms that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(Alarms const& earlier, Alarms const& later)
{
    for (auto kind = std::size_t{0}; kind < alarm_kinds; ++kind)
        if (later.armings[kind] < earlier.armings[kind])
            return "armings never go back";
    return std::nullopt;
}

} // namespace totora::inline v0
