// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/types.hpp"

#include <cstdint>
#include <variant>

namespace totora
{

/// The leader looks for the place where the follower's log agrees with its own: one append at a time.
struct Probe
{
    AppendNumber since;    ///< Answers to earlier appends say nothing about this probe.
    bool awaiting = false; ///< An append with entries is out; the next waits for its answer or for a heartbeat's.

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
/// Invariant: `match < next`. The window is counted in numbers: an answer to number n means that everything up to n
/// has arrived or is lost, so that a lost message never holds its place for ever.
struct Progress
{
    ServerId                       server;
    Index                          match; ///< The follower's log agrees up to here, durably (`matchIndex`).
    Index                          next;  ///< The next entry to send (`nextIndex`).
    std::variant<Probe, Replicate> flow;
    AppendNumber                   sent;            ///< The number of the newest append.
    AppendNumber                   loaded;          ///< The number of the newest append with entries.
    AppendNumber                   answered;        ///< The highest number that an answer echoed.
    Round                          round;           ///< The newest read round that the follower answered.
    bool                           heard = false;   ///< It answered anything since the last quorum check.
    bool                           full = false;    ///< Its queue takes no entries now.
    bool                           no_room = false; ///< It said last that its log has no room for entries.

    [[nodiscard]] constexpr std::uint64_t in_flight() const { return sent.value - answered.value; }

    friend constexpr bool operator==(Progress const&, Progress const&) = default;
};

/// Starts looking for the place of agreement at `next`.
constexpr void probe_from(Progress& progress, Index next)
{
    progress.next = next;
    progress.flow =
        std::variant<Probe, Replicate>{Probe{.since = AppendNumber{progress.sent.value + 1}, .awaiting = false}};
}

/// The place of agreement is found: entries may flow.
constexpr void replicate_from_now(Progress& progress)
{
    progress.flow = std::variant<Probe, Replicate>{Replicate{.since = AppendNumber{progress.sent.value + 1}}};
}

/// Whether another append with entries may be sent now.
///
/// Heartbeats and read rounds have numbers too. Where more of them are on their way than the window has places, one append
/// with entries may be out all the same: otherwise none would ever be.
[[nodiscard]] constexpr bool may_send_entries(Progress const& progress, std::uint64_t window)
{
    if (progress.full)
        return false;
    if (auto const* probe = std::get_if<Probe>(&progress.flow))
        return not probe->awaiting;
    return progress.in_flight() < window or progress.loaded <= progress.answered;
}

/// Whether a refusal speaks of what is outstanding now. A late or repeated one must change nothing: it would
/// move `next` back for ever (or forth, over a gap).
[[nodiscard]] constexpr bool is_outstanding(Progress const& progress, Index refused, AppendNumber number)
{
    if (auto const* probe = std::get_if<Probe>(&progress.flow))
        return number >= probe->since and next(refused) == progress.next;
    return number >= std::get_if<Replicate>(&progress.flow)->since and refused > progress.match and
           refused < progress.next;
}

} // namespace totora
