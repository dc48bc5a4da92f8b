// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/values/membership_change.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Who is to belong to the cluster (§6): any set of voters and learners, whatever it was before.
struct WantedMembers
{
    /// The configuration in force that this was made for (`Status::configuration`): if another one is in force by then, nothing is done.
    Index expected;
    std::vector<Peer>
         peers; ///< All of them, with their addresses; of those that stay the address may be another one than before.
    bool forced = false; ///< Also if no majority of the new voters has answered lately.
};

/// Why no change begins, or none is taken back. Not exhaustive: a `switch` over it needs a default. Nothing has happened.
enum class ChangeError : std::uint8_t
{
    not_leader = 1,   ///< Ask the server named beside.
    change_under_way, ///< One at a time: wait for its end, or cancel it.
    not_settled, ///< A new leader has yet to commit an entry of its own term, or the newest configuration: try again.
    configuration_changed, ///< Another configuration is in force than the one that was expected: look at the status again.
    members_unsound,       ///< Nobody would vote, or a server is 0, or named twice, or is neither voter nor learner.
    two_lives,             ///< A server is a member with another incarnation: remove that one first.
    too_many_members,      ///< More than `servers_max`, counted with those who leave.
    address_too_long,      ///< Of more than `address_size_max` bytes.
    no_room,               ///< The leader's log has none.
    no_change,             ///< There is none to cancel.
    change_too_far,        ///< What was appended can only be committed.
    not_running,           ///< Not started, stopped, or failed: see the status.
};

/// The name of an error.
[[nodiscard]] constexpr std::string_view to_string(ChangeError error)
{
    switch (error) {
    case ChangeError::not_leader:
        return "not_leader";
    case ChangeError::change_under_way:
        return "change_under_way";
    case ChangeError::not_settled:
        return "not_settled";
    case ChangeError::configuration_changed:
        return "configuration_changed";
    case ChangeError::members_unsound:
        return "members_unsound";
    case ChangeError::two_lives:
        return "two_lives";
    case ChangeError::too_many_members:
        return "too_many_members";
    case ChangeError::address_too_long:
        return "address_too_long";
    case ChangeError::no_room:
        return "no_room";
    case ChangeError::no_change:
        return "no_change";
    case ChangeError::change_too_far:
        return "change_too_far";
    case ChangeError::not_running:
        return "not_running";
    }
    return "unknown";
}

/// The error that a refusal of the core is.
[[nodiscard]] constexpr ChangeError change_error_of(Refusal refusal)
{
    switch (refusal) {
    case Refusal::change_under_way:
        return ChangeError::change_under_way;
    case Refusal::not_settled:
        return ChangeError::not_settled;
    case Refusal::configuration_changed:
        return ChangeError::configuration_changed;
    case Refusal::members_unsound:
        return ChangeError::members_unsound;
    case Refusal::two_lives:
        return ChangeError::two_lives;
    case Refusal::too_many_members:
        return ChangeError::too_many_members;
    case Refusal::no_room:
        return ChangeError::no_room;
    case Refusal::no_change:
        return ChangeError::no_change;
    case Refusal::change_too_far:
        return ChangeError::change_too_far;
    default:
        return ChangeError::not_leader; // No other is the answer to a change.
    }
}

/// What to do about an error, for people.
[[nodiscard]] constexpr std::string_view describe(ChangeError error)
{
    switch (error) {
    case ChangeError::not_leader:
        return "only the leader changes the members: ask it";
    case ChangeError::change_under_way:
        return "another change is under way: wait for its end, or cancel it";
    case ChangeError::not_settled:
        return "the leader has yet to commit an entry of its term, or the newest configuration: try again";
    case ChangeError::configuration_changed:
        return "the members have changed meanwhile: look at them again";
    case ChangeError::members_unsound:
        return "a cluster needs a voter, and names no server twice";
    case ChangeError::two_lives:
        return "this server is a member with another incarnation: remove that one first, and add the new one then";
    case ChangeError::too_many_members:
        return "a cluster has at most 16 members, counted with those who leave";
    case ChangeError::address_too_long:
        return "an address has at most 255 bytes";
    case ChangeError::no_room:
        return "the leader's disk is full: make room there";
    case ChangeError::no_change:
        return "no change is under way";
    case ChangeError::change_too_far:
        return "the change can only be finished: make another one afterwards";
    case ChangeError::not_running:
        return "the server does not run";
    }
    return "unknown";
}

/// The members are who was asked for, and that is committed.
struct MembersChanged
{
    Index configuration; ///< The index of the entry that holds it.
};

/// The change was given up, and none of it remains.
struct ChangeGivenUp
{
    ChangeEnd why{};
};

/// Nothing was done.
struct ChangeRefused
{
    ChangeError why{};
    ServerId    leader; ///< Who leads, as far as this server knows; `nobody` otherwise.
};

/// Leadership was lost, or the node ended, while the change was under way: the next leader brings to an end what is in its log, and
/// its status shows the members.
struct ChangeUnknown
{};

/// Why a transfer does not begin. Not exhaustive: a `switch` over it needs a default. Nothing has happened.
enum class TransferError : std::uint8_t
{
    not_leader = 1, ///< Only the leader hands over: ask the server named beside.
    leads_already,  ///< The target leads.
    no_successor,   ///< The target is no voter; or no voter was named, and none answers.
    not_running,    ///< Not started, stopped, or failed: see the status.
};

/// The name of an error.
[[nodiscard]] constexpr std::string_view to_string(TransferError error)
{
    switch (error) {
    case TransferError::not_leader:
        return "not_leader";
    case TransferError::leads_already:
        return "leads_already";
    case TransferError::no_successor:
        return "no_successor";
    case TransferError::not_running:
        return "not_running";
    }
    return "unknown";
}

/// This server leads no more. Who does, the status shows as soon as it is known: nearly always the target.
struct HandedOver
{};

/// This server leads on.
struct TransferFailed
{
    TransferEnd why{};
};

/// Nothing was done.
struct TransferRefused
{
    TransferError why{};
    ServerId      leader; ///< Who leads, as far as this server knows; `nobody` otherwise.
};

/// Every end that a request to hand over can have. It has exactly one. Not exhaustive.
using TransferOutcome = std::variant<HandedOver, TransferFailed, TransferRefused>;

/// Every end that a request to change the members can have. It has exactly one. Not exhaustive.
using ChangeOutcome = std::variant<MembersChanged, ChangeGivenUp, ChangeRefused, ChangeUnknown>;

} // namespace totora::inline v0
