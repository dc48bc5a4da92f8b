// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/membership_change.hpp"
#include "totora/core/values/progress_mode.hpp"

#include <cstdint>
#include <variant>

namespace totora::inline v0::core
{

// Dissertation §4.2.1: before newcomers vote they receive the log, in rounds. The core has no clock: an alarm tells that a round is late.

/// Calls `visit` with the progress of each server that is to vote and does not yet.
template <typename Visit>
constexpr void for_each_newcomer(State const& state, Visit visit)
{
    for (auto const& member : state.membership.target)
        if (is_voter(member.kind) and not is_voter(state.configurations.in_force, member.id))
            if (auto const* const progress = find_progress(state, member.id))
                visit(*progress);
}

/// What the newcomers have, in entries, and in bytes of snapshots: it grows as long as anything reaches them.
[[nodiscard]] constexpr std::uint64_t reached_by_newcomers(State const& state)
{
    auto reached = std::uint64_t{0};
    for_each_newcomer(state, [&](Progress const& progress) {
        auto const* const sending = std::get_if<SendSnapshot>(&progress.mode);
        reached += progress.match.value + (sending != nullptr ? sending->received : 0);
    });
    return reached;
}

/// A round of catching up begins: the newcomers are to have all that the log holds now (dissertation §4.2.1).
constexpr void begin_catch_up_round(State& state, Outgoing& outgoing)
{
    state.membership.round_end = last_index(state);
    state.membership.round_late = false;
    auto const timeout_ms = state.settings.election.at_least_ms;
    arm(state, outgoing, Alarm::catch_up, Delay{timeout_ms, timeout_ms});
}

/// The change ends so, and nothing of it is to remain.
constexpr void give_up_change(State& state, Outgoing& outgoing, ChangeEnd end)
{
    note(outgoing, Decision::change_given_up);
    disarm(state, outgoing, Alarm::catch_up);
    state.membership.phase = ChangePhase::giving_up;
    state.membership.end = end;
}

/// The alarm of catching up rang: the round is late, or stands still.
constexpr void check_newcomers(State& state, Outgoing& outgoing)
{
    auto& membership = state.membership;
    if (membership.phase != ChangePhase::catching_up)
        return;
    auto const reached = reached_by_newcomers(state);
    membership.round_late = true;
    membership.stalls = reached != membership.reached ? std::uint8_t{0} : std::uint8_t(membership.stalls + 1);
    membership.reached = reached;
    if (membership.stalls == catch_up_stalls_max)
        return give_up_change(state, outgoing, ChangeEnd::newcomer_stalled);
    auto const timeout_ms = state.settings.election.at_least_ms;
    arm(state, outgoing, Alarm::catch_up, Delay{timeout_ms, timeout_ms});
}

} // namespace totora::inline v0::core
