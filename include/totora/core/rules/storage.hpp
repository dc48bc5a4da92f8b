// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/rules/transfer.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/quorum.hpp"

#include <variant>

namespace totora::inline v0::core
{

// What a server does whose disk hangs or is full (docs/cases.md, cases 58 and 67). A leader steps down where another can do
// better, and only there: otherwise an election would cost what little service is left.
//
// Differs: the paper's servers crash or work. A leader whose disk hangs goes on sending heartbeats, and nothing is committed
// that needs it; its followers have no reason to elect another.

/// Whether enough voters other than this leader are so: a quorum that does not need it.
template <typename Is>
[[nodiscard]] constexpr bool is_quorum_without(State const& state, Is is)
{
    return has_quorum(state.configurations.in_force, [&](ServerId server) {
        auto const* progress = find_progress(state, server);
        return progress != nullptr and is(*progress);
    });
}

/// Whether a quorum without this leader has durably what its own disk does not have: the hang is its own.
[[nodiscard]] constexpr bool are_others_ahead(State const& state)
{
    return is_quorum_without(state,
                             [&](Progress const& progress) { return progress.match > state.writes.durable_index; });
}

/// Whether a quorum without this leader has room, and one of it the whole log: it can be elected, and go on where this one
/// cannot.
[[nodiscard]] constexpr bool have_others_room(State const& state)
{
    auto const has_room = [](Progress const& progress) { return progress.recently_active and not progress.no_room; };
    auto       has_one_everything = false;
    auto const has_quorum = is_quorum_without(state, [&](Progress const& progress) {
        has_one_everything = has_one_everything or (has_room(progress) and progress.match == last_index(state));
        return has_room(progress);
    });
    return has_quorum and has_one_everything;
}

/// Gives up leading for want of room, if that helps. True if it does lead on.
[[nodiscard]] constexpr bool leads_on_without_room(State& state, Outgoing& outgoing)
{
    if (state.room == LogRoom::enough or not have_others_room(state))
        return true;
    note(outgoing, Decision::stepped_down_no_room);
    hand_over(state, outgoing);
    return false;
}

constexpr void receive(State& state, Outgoing& outgoing, RoomChanged const& changed)
{
    if (changed.room == state.room)
        return;
    auto const lacked = lacks_room(state);
    state.room = changed.room;
    if (lacks_room(state) != lacked)
        note(outgoing, lacked ? Decision::room_regained : Decision::room_exhausted);
    auto const* leader = std::get_if<Leader>(&state.role);
    if (leader != nullptr and state.room != LogRoom::enough and leads_on_without_room(state, outgoing))
        note(outgoing, Decision::leading_without_room);
    // What it asked for would have to be written: its own vote, or the entry with which it begins.
    if (state.room == LogRoom::nothing and
        (std::holds_alternative<PreCandidate>(state.role) or std::holds_alternative<Candidate>(state.role))) {
        note(outgoing, Decision::campaign_withheld_no_room);
        become_follower(state, outgoing, nobody);
    }
}

/// The oldest write in flight is late: it has been for a `storage_stall`, and no write was confirmed meanwhile.
constexpr void on_late_write(State& state, Outgoing& outgoing)
{
    state.writes.watch.late = true;
    if (std::holds_alternative<PreCandidate>(state.role))
        return become_follower(state, outgoing, nobody);
    auto const* leader = std::get_if<Leader>(&state.role);
    if (leader == nullptr)
        return;
    if (not are_others_ahead(state)) {
        // They may be soon, or hang as well.
        auto const again_ms = state.settings.heartbeat_ms;
        return arm(state, outgoing, Alarm::storage_stall, Delay{again_ms, again_ms});
    }
    note(outgoing, Decision::stepped_down_disk_hangs);
    hand_over(state, outgoing);
}

/// Looks whether what was in flight when the alarm was armed is durable.
constexpr void check_storage(State& state, Outgoing& outgoing)
{
    if (not state.writes.is_watched())
        return;
    if (state.writes.is_watched_write_durable())
        watch_next_write(state, outgoing);
    else
        on_late_write(state, outgoing);
}

} // namespace totora::inline v0::core
