// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/status.hpp"

#include <string>

namespace kv
{

/// What a server prints of the events of its node.
[[nodiscard]] inline std::string line_of(totora::RoleChanged const& now)
{
    auto const term = " in term " + std::to_string(now.term.value);
    if (now.role == totora::RoleName::leader)
        return "leads" + term;
    if (now.leader != totora::nobody)
        return "follows server " + std::to_string(now.leader.value) + term;
    return "is " + std::string{to_string(now.role)} + ", knows no leader" + term;
}

/// Members for people: "1, 2, 4 (learner)".
[[nodiscard]] inline std::string list_of_members(totora::Members const& members)
{
    auto text = std::string{};
    for (auto const& member : members) {
        text += (text.empty() ? "" : ", ") + std::to_string(member.id.value);
        if (member.kind != totora::MemberKind::voter)
            text += " (" + std::string{to_string(member.kind)} + ")";
    }
    return text;
}

[[nodiscard]] inline std::string line_of(totora::ConfigurationChanged const& now)
{
    return "from entry " + std::to_string(now.configuration.index.value) + " on the members are " +
           list_of_members(now.configuration.members);
}

[[nodiscard]] inline std::string line_of(totora::TornTailCut const& cut)
{
    return "cut off the torn end of the log, " + std::to_string(cut.tail.bytes) + " bytes from index " +
           std::to_string(cut.tail.first.value) + " on: no later record shows that this write was durable";
}

[[nodiscard]] inline std::string line_of(totora::PayloadMismatch const& mismatch)
{
    return "dropped a message of server " + std::to_string(mismatch.from.value) +
           ": the entries beside it are not those that it names";
}

[[nodiscard]] inline std::string line_of(totora::SetBack const& found)
{
    return "server " + std::to_string(found.server.value) + " has lost what it had acknowledged: its log agrees with " +
           "this one up to " + std::to_string(found.found.value) +
           " at most, it had acknowledged committed entries up to " + std::to_string(found.acknowledged.value) +
           ". Its disk was lost or set back: this server ignores its answers, others would count its vote: stop it, "
           "and keep it stopped";
}

[[nodiscard]] inline std::string line_of(totora::SnapshotSaved const& saved)
{
    return "saved a snapshot up to index " + std::to_string(saved.snapshot.last.index.value) + ", " +
           std::to_string(saved.snapshot.bytes) + " bytes";
}

[[nodiscard]] inline std::string line_of(totora::MachineRestored const& restored)
{
    return "restored the data from a snapshot up to index " + std::to_string(restored.snapshot.last.index.value);
}

[[nodiscard]] inline std::string line_of(totora::SnapshotFailed const& failed)
{
    return "a snapshot failed (" + std::string{to_string(failed.step)} + "), and is tried again: " + failed.what;
}

[[nodiscard]] inline std::string line_of(totora::ReadsHeldUp const& held_up)
{
    return "cannot read its log now, and tries again: " + held_up.what;
}

} // namespace kv
