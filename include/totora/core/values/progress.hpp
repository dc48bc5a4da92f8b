// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstdint>
#include <variant>

namespace totora::inline v0
{

/// Searches for the follower's match index, one append at a time (etcd: StateProbe).
struct Probe
{
    AppendNumber since;     ///< Answers to earlier appends say nothing about this probe.
    bool awaiting = false;  ///< An append is out; the next waits for its answer, or for a heartbeat alarm without one.
    bool only_asks = false; ///< What was sent before may have arrived: it carries no entry.
    bool carries = false;   ///< The append that is out carries the entry before `next`.

    friend constexpr bool operator==(Probe const&, Probe const&) = default;
};

/// The logs agree below `next`: appends follow each other without waiting, within the window.
struct Replicate
{
    AppendNumber since; ///< Refusals of earlier appends say nothing any more.

    friend constexpr bool operator==(Replicate const&, Replicate const&) = default;
};

/// What a leader knows of one follower: `nextIndex` and `matchIndex` of Figure 2, and the flow of appends.
///
/// Invariant: `match < first <= next`. What was sent and is not matched is bounded by the window, whatever is answered
/// meanwhile: it is pinned here, on the way, or at a follower whose disk is slow (case 91).
struct Progress
{
    ServerId server;
    Index    match; ///< The follower's log agrees up to here, durably (`matchIndex`).
    Index    first; ///< The lowest entry that was sent and is not matched; `next` if there is none.
    Index    next;  ///< The next entry to send (`nextIndex`).
    std::variant<Probe, Replicate> mode;
    AppendNumber                   sent;                    ///< The number of the newest append.
    Round                          round;                   ///< The newest read round that the follower answered.
    bool                           recently_active = false; ///< It answered anything since the last quorum check.
    bool acknowledged = false; ///< It answered a current append since the last heartbeat alarm.
    bool link_full = false;    ///< Its queue takes no entries now (`Link::full`).
    bool paused = false;       ///< The shell sends no entries now (`AppendsCut`).
    bool no_room = false;      ///< It has no disk space for entries, as of its last answer.
    bool moving = false;       ///< Its link took bytes since the last quorum check.

    friend constexpr bool operator==(Progress const&, Progress const&) = default;
};

/// Entries that were sent and are not known to be durable there.
[[nodiscard]] constexpr std::uint64_t in_flight(Progress const& progress)
{
    return progress.next.value - progress.first.value;
}

/// The number from which on answers say something about the present flow.
[[nodiscard]] constexpr AppendNumber since(Progress const& progress)
{
    auto const* probe = std::get_if<Probe>(&progress.mode);
    return probe != nullptr ? probe->since : std::get_if<Replicate>(&progress.mode)->since;
}

/// Whether an answer speaks of the present flow. The answer to a heartbeat never does: its number is zero.
[[nodiscard]] constexpr bool is_current(Progress const& progress, AppendNumber number)
{
    return number >= since(progress);
}

// --- Transitions ----------------------------------------------------------------------------------------------------
//
//             appends sent before may be lost, or one was refused
//          ┌────────────────────────────────────────────────────┐
//          ▼                                                    │
//      ┌───────┐             an append was accepted          ┌───────────┐
//  ──▶ │ Probe │ ──────────────────────────────────────────▶ │ Replicate │
//      └───────┘                                             └───────────┘

} // namespace totora::inline v0

namespace totora::inline v0::core
{

/// Sends again from `next` on, but nothing that matches.
constexpr void move_next(Progress& progress, Index next)
{
    progress.next = std::max(next, totora::next(progress.match));
    progress.first = std::min(progress.first, progress.next);
}

/// Searches for the match index, from `next` on.
constexpr void probe_from(Progress& progress, Index next)
{
    move_next(progress, next);
    progress.mode =
        std::variant<Probe, Replicate>{Probe{.since = AppendNumber{progress.sent.value + 1}, .awaiting = false}};
}

/// The logs agree below `next`: entries may flow.
constexpr void replicate_from(Progress& progress, Index next)
{
    move_next(progress, next);
    progress.mode = std::variant<Probe, Replicate>{Replicate{.since = AppendNumber{progress.sent.value + 1}}};
}

/// The follower's log agrees up to `match`, durably.
constexpr void advance_match(Progress& progress, Index match)
{
    progress.match = std::max(progress.match, match);
    progress.first = std::max(progress.first, next(progress.match));
    progress.next = std::max(progress.next, progress.first);
}

/// Asks the follower again, where the leader is: entries sent before may be lost, or have arrived.
constexpr void ask_again(Progress& progress)
{
    probe_from(progress, progress.next);
    std::get_if<Probe>(&progress.mode)->only_asks = in_flight(progress) > 0;
}

} // namespace totora::inline v0::core

namespace totora::inline v0
{

/// Whether an append may be sent now that carries entries, or that tests where they would go.
[[nodiscard]] constexpr bool may_send_append(Progress const& progress, std::uint64_t window)
{
    if (progress.link_full or progress.paused or progress.no_room)
        return false;
    if (auto const* probe = std::get_if<Probe>(&progress.mode))
        return not probe->awaiting;
    return in_flight(progress) < window;
}

/// Whether a refusal speaks of what is outstanding now. A late or repeated one must change nothing: it would
/// move `next` back without end (or forth, over a gap).
[[nodiscard]] constexpr bool is_outstanding(Progress const& progress, Index refused, AppendNumber number)
{
    if (not is_current(progress, number))
        return false;
    // Of a probe its own place is refused, or that of a test which followed the entry that it carries.
    if (auto const* probe = std::get_if<Probe>(&progress.mode))
        return next(refused) == progress.next or (probe->carries and next(next(refused)) == progress.next);
    return refused > progress.match and refused < progress.next;
}

} // namespace totora::inline v0
