// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/identity.hpp"
#include "totora/node/status.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace kv
{

/// What a server is to the cluster, in a word.
[[nodiscard]] inline std::string_view membership_of(totora::Status const& status)
{
    if (status.removed)
        return "removed";
    for (auto const& member : status.configuration.members)
        if (member.id == status.id and status.admitted)
            return to_string(member.kind);
    return status.admitted ? "removed" : "waits_to_be_let_in";
}

/// The ids of the members that vote, or of those that do not: "1,2,3".
[[nodiscard]] inline std::string ids_of_members(totora::Status const& status, bool voters)
{
    auto text = std::string{};
    for (auto const& member : status.configuration.members)
        if (is_voter(member.kind) == voters)
            text += (text.empty() ? "" : ",") + std::to_string(member.id.value);
    return text;
}

/// What a follower lacks, and how long ago its last message arrived.
[[nodiscard]] inline std::string lag_of(totora::FollowerStatus const& follower)
{
    return "lag=" + std::to_string(follower.lag) + ",lag_bytes=" + std::to_string(follower.lag_bytes) +
           ",lag_ms=" + std::to_string(follower.lag_ms) +
           ",silent_ms=" + (follower.silent_ms ? std::to_string(*follower.silent_ms) : std::string{"-"});
}

/// The text of RAFT.STATUS: three lines about the cluster, and one for each member. Only a leader knows how far the others are.
/// `peers` are the members with their addresses.
[[nodiscard]] inline std::string membership_text(totora::Status const& status, std::span<totora::Peer const> peers)
{
    auto text = "configuration:" + std::to_string(status.configuration.index.value) + "\r\n";
    text.append("change:").append(to_string(status.change)).append("\r\n");
    text.append("leader:").append(std::to_string(status.leader.value)).append("\r\n");
    for (auto const& [member, address] : peers) {
        auto progress = std::string{"match=-,lag=-,lag_bytes=-,lag_ms=-,silent_ms=-"};
        if (member.id == status.id and status.role == totora::RoleName::leader)
            progress = "match=" + std::to_string(status.durable.value) +
                       ",lag=" + std::to_string(status.last.value - std::min(status.durable, status.last).value) +
                       ",lag_bytes=-,lag_ms=-,silent_ms=-";
        for (auto const& follower : status.followers)
            if (follower.server == member.id)
                progress = "match=" + std::to_string(follower.match.value) + "," + lag_of(follower);
        auto const is_awaited = std::find(status.change_awaits.begin(), status.change_awaits.end(), member.id) !=
                                status.change_awaits.end();
        text += "id=" + std::to_string(member.id.value) + ",kind=" + std::string{to_string(member.kind)} +
                ",address=" + address + ",incarnation=" + std::to_string(member.incarnation.value) + "," + progress +
                ",awaited=" + (is_awaited ? "1" : "0") + "\r\n";
    }
    return text;
}

} // namespace kv
