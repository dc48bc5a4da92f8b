// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/node/status.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// What a server prints of the outcomes that its node notes. What keeps it from voting or campaigning comes again with every
/// attempt, and is printed once until that has passed.
class Notices
{
public:
    /// The line that is due; empty if none is.
    [[nodiscard]] std::string line(totora::DecisionNoted const& noted)
    {
        if (is_violation(noted.decision))
            return violation(noted);
        if (auto line = line_of_change(noted); not line.empty()) {
            if (noted.decision == totora::Decision::room_regained)
                withheld_ = Withheld::nothing;
            return line;
        }
        return line_of_withholding(noted.decision);
    }

private:
    enum class Withheld
    {
        nothing,
        no_room,
        disk_hangs,
        exhausted,
        not_electable,
    };

    /// What is printed each time.
    [[nodiscard]] static std::string line_of_change(totora::DecisionNoted const& noted)
    {
        using enum totora::Decision;
        auto const peer = "server " + std::to_string(noted.from.value);
        switch (noted.decision) {
        case stepped_down_no_quorum:
            return "steps down: no majority has answered for an election timeout";
        case stepped_down_disk_hangs:
            return "steps down: its disk takes too long for what a majority has on disk already";
        case stepped_down_no_room:
            return "steps down: its log has no room, its disk may be full, and others have room";
        case stepped_down_no_progress:
            return "steps down: a majority answers, but takes no entries";
        case stepped_down_removed:
            return "steps down: it is no voter any more";
        case removal_learned:
            return "is no member of the cluster any more, as the others say: it does nothing, and may be stopped";
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
            return "its log has room for entries again";
        default:
            return {};
        }
    }

    /// What keeps this server from voting or campaigning.
    [[nodiscard]] std::string line_of_withholding(totora::Decision decision)
    {
        using enum totora::Decision;
        switch (decision) {
        case campaign_withheld_no_room:
        case vote_withheld_no_room:
        case newer_term_ignored_no_room:
            return once(Withheld::no_room,
                        "neither votes nor campaigns: its log has no room even for a term and a vote");
        case campaign_withheld_disk_hangs:
            return once(Withheld::disk_hangs,
                        "does not campaign: its disk has not ended a write for an election timeout");
        case campaign_withheld_exhausted:
            return once(
                Withheld::exhausted,
                "does not campaign: its term or its log has come to the last number there is. Such a term was sent "
                "by a server that broke the protocol, and the cluster can elect nobody in it");
        case campaign_withheld_not_electable:
            return once(Withheld::not_electable,
                        "does not campaign: the log of the cluster does not name it as a voter");
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

    /// A server that breaks the protocol does so with every message: printed at the first, the tenth, the hundredth of a kind.
    [[nodiscard]] std::string violation(totora::DecisionNoted const& noted)
    {
        if (violations_.size() >= violations_max)
            violations_.clear();
        auto const count = ++violations_[{noted.from, noted.decision}];
        auto       reported_at = std::uint64_t{1};
        while (reported_at < count)
            reported_at *= 10;
        if (reported_at != count)
            return {};
        auto const times = count == 1 ? std::string{} : ", " + std::to_string(count) + " times so far";
        return "server " + std::to_string(noted.from.value) + " broke the protocol" + times + ": " +
               meaning(noted.decision);
    }

    [[nodiscard]] static std::string meaning(totora::Decision violation)
    {
        auto const name = std::string{to_string(violation)};
        if (violation == totora::Decision::violation_term_jump)
            return name + ": its term is further above the own one than elections can have brought it; it is ignored";
        return name;
    }

    [[nodiscard]] std::string once(Withheld why, std::string_view text)
    {
        return std::exchange(withheld_, why) == why ? std::string{} : std::string{text};
    }

    static constexpr std::size_t violations_max = 256;

    Withheld                                                               withheld_ = Withheld::nothing;
    std::map<std::pair<totora::ServerId, totora::Decision>, std::uint64_t> violations_;
};

} // namespace kv
