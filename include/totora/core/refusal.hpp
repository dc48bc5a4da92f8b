// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace totora::inline v0
{

/// Why a proposal, a read, or what an operator asks for is refused; nothing else has happened.
enum class Refusal : std::uint8_t
{
    not_leader,         ///< Ask the leader named beside.
    log_exhausted,      ///< The last index there can be is reached.
    empty_proposal,     ///< A proposal of no entries.
    transfer_under_way, ///< The leader hands over: ask the server named beside, in a moment.
    leads_already,      ///< A transfer to the leader itself.
    no_successor,       ///< A transfer to a server that is no voter; or no voter answers.
    change_under_way,   ///< One change of the members at a time.
    not_settled, ///< A new leader has committed no entry of its own term yet, or not the newest configuration: try again.
    configuration_changed, ///< Another configuration is in force than the one that the request was made for.
    members_unsound,       ///< Nobody would vote, or a server is nobody, or named twice, or neither voter nor learner.
    two_lives,             ///< A server stands in the cluster with another incarnation: remove that one first.
    too_many_members,      ///< More than `servers_max`, those who leave included.
    no_room,               ///< The leader's log has none.
    no_change,             ///< There is none to cancel.
    change_too_far,        ///< What was appended can only be committed.
};

/// The name of a refusal.
[[nodiscard]] constexpr std::string_view to_string(Refusal refusal)
{
    switch (refusal) {
    case Refusal::not_leader:
        return "not_leader";
    case Refusal::log_exhausted:
        return "log_exhausted";
    case Refusal::empty_proposal:
        return "empty_proposal";
    case Refusal::transfer_under_way:
        return "transfer_under_way";
    case Refusal::leads_already:
        return "leads_already";
    case Refusal::no_successor:
        return "no_successor";
    case Refusal::change_under_way:
        return "change_under_way";
    case Refusal::not_settled:
        return "not_settled";
    case Refusal::configuration_changed:
        return "configuration_changed";
    case Refusal::members_unsound:
        return "members_unsound";
    case Refusal::two_lives:
        return "two_lives";
    case Refusal::too_many_members:
        return "too_many_members";
    case Refusal::no_room:
        return "no_room";
    case Refusal::no_change:
        return "no_change";
    case Refusal::change_too_far:
        return "change_too_far";
    }
    return "unknown";
}

} // namespace totora::inline v0
