// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outcome.hpp"
#include "totora/node/status.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// What a server prints of the outcomes that its node notes. What keeps it from voting or campaigning comes again with every
/// attempt, and is said once until that has passed.
class Notices
{
public:
    /// The line that is due; empty if none is.
    [[nodiscard]] std::string line(totora::OutcomeNoted const& noted)
    {
        using enum totora::Outcome;
        auto const peer = "server " + std::to_string(noted.from.value);
        if (is_breach(noted.outcome))
            return peer + " broke the protocol: " + std::string{name_of(noted.outcome)};
        switch (noted.outcome) {
        case stepped_down_no_quorum:
            return "steps down: no majority has answered for an election timeout";
        case stepped_down_disk_hangs:
            return "steps down: its disk takes too long for what a majority has on disk already";
        case stepped_down_no_room:
            return "steps down: its log has no room, its disk may be full, and others have room";
        case stepped_down_no_progress:
            return "steps down: a majority answers, but takes no entries";
        case leading_without_room:
            return "leads without room in its log, until others can do better: it serves reads and refuses writes";
        case link_renewed:
            return "connects again to a server that answers, but to which no entries get through";
        case follower_without_room:
            return peer + " has no room for entries, its disk may be full: it is sent none until it has room";
        case follower_with_room_again:
            return peer + " has room for entries again";
        case room_exhausted:
            return "its log has no room for entries, its disk may be full: it stores none until it has room";
        case room_regained:
            withheld_ = Withheld::nothing;
            return "its log has room for entries again";
        case campaign_withheld_no_room:
        case vote_withheld_no_room:
        case newer_term_ignored_no_room:
            return once(Withheld::no_room,
                        "neither votes nor campaigns: its log has no room even for a term and a vote");
        case campaign_withheld_disk_hangs:
            return once(Withheld::disk_hangs,
                        "does not campaign: its disk has not ended a write for an election timeout");
        case campaign_started:
            withheld_ = Withheld::nothing;
            return {};
        case vote_granted: // Which needs room, and nothing of the disk's speed.
            if (withheld_ == Withheld::no_room)
                withheld_ = Withheld::nothing;
            return {};
        default:
            return {};
        }
    }

private:
    enum class Withheld
    {
        nothing,
        no_room,
        disk_hangs,
    };

    [[nodiscard]] std::string once(Withheld why, std::string_view sentence)
    {
        return std::exchange(withheld_, why) == why ? std::string{} : std::string{sentence};
    }

    Withheld withheld_ = Withheld::nothing;
};

} // namespace kv
