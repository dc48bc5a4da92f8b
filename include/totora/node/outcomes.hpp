// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"

#include <cstdint>
#include <string_view>
#include <variant>

namespace totora::inline v0
{

/// The command is committed and applied, here.
template <typename Response>
struct AppliedWith
{
    LogPosition position; ///< Where in the log; of a batch, its last entry.
    Response    response;
};

/// Why the node takes no proposal or read now. Not exhaustive: a `switch` over it needs a default. The command is in no log, and it is safe to send it again.
enum class ProposalError : std::uint8_t
{
    not_leader = 1,  ///< Ask the server named beside.
    entry_too_large, ///< Larger than `entry_bytes_max`, of the settings or agreed: no frame could carry it.
    too_much_pending, ///< `uncommitted_bytes_max` would be passed. Try again when something was committed, written and applied.
    no_room,          ///< The log's disk is full. Try again when there is room.
    log_exhausted,      ///< The last index there can be is reached.
    empty_proposal,     ///< A batch of no entries.
    transfer_under_way, ///< The leader hands over to the server named beside: try again there, in a moment.
    not_running,        ///< Not started, stopped, or failed: see the status.
};

/// The name of a refusal.
[[nodiscard]] constexpr std::string_view to_string(ProposalError refusal)
{
    switch (refusal) {
    case ProposalError::not_leader:
        return "not_leader";
    case ProposalError::entry_too_large:
        return "entry_too_large";
    case ProposalError::too_much_pending:
        return "too_much_pending";
    case ProposalError::no_room:
        return "no_room";
    case ProposalError::log_exhausted:
        return "log_exhausted";
    case ProposalError::empty_proposal:
        return "empty_proposal";
    case ProposalError::transfer_under_way:
        return "transfer_under_way";
    case ProposalError::not_running:
        return "not_running";
    }
    return "unknown";
}

/// Nothing was done.
struct RefusedBecause
{
    ProposalError why{};
    ServerId      leader; ///< Who leads, as far as this server knows; `nobody` otherwise.
};

/// Leadership was lost, or the node ended, while the entry was on its way: it may be committed later, or never.
struct OutcomeUnknown
{};

/// The deadline passed first. A proposal may still be committed later.
struct Cancelled
{};

/// Every end that a proposal can have. It has exactly one. Not exhaustive: later versions may distinguish more ends, so that a visitor has
/// an overload for all others; what is not `AppliedWith` and no refusal may or may not be applied later.
template <typename Response>
using ProposalOutcome = std::variant<AppliedWith<Response>, RefusedBecause, OutcomeUnknown, Cancelled>;

/// The state machine may be read now: it holds everything that was committed before the read was asked for.
struct ReadableNow
{
    Index index; ///< Everything up to here is applied, at least.
};

/// Every end that a read can have. It has exactly one. Not exhaustive, like `ProposalOutcome`: what is not `ReadableNow` allows nothing.
using ReadOutcome = std::variant<ReadableNow, RefusedBecause, Cancelled>;

} // namespace totora::inline v0
