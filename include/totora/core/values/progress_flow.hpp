// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/progress_mode.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <optional>
#include <variant>

namespace totora::inline v0
{

// What the progress of a follower allows: what may be sent to it, and which of its answers are about what is sent now.

/// Entries that were sent and are not known to be durable there.
[[nodiscard]] constexpr std::uint64_t in_flight(Progress const& progress)
{
    return progress.next.value - progress.first.value;
}

/// The number of the first append of the present flow.
[[nodiscard]] constexpr AppendNumber since(Progress const& progress)
{
    if (auto const* probe = std::get_if<Probe>(&progress.mode))
        return probe->since;
    auto const* replicate = std::get_if<Replicate>(&progress.mode);
    return replicate != nullptr ? replicate->since : std::get_if<SendSnapshot>(&progress.mode)->since;
}

[[nodiscard]] constexpr bool is_sent_snapshot(Progress const& progress)
{
    return std::holds_alternative<SendSnapshot>(progress.mode);
}

/// Whether it waits for this server, which has yet to take the snapshot, or has all of it and installs it: its link is idle.
[[nodiscard]] constexpr bool waits_for_snapshot(Progress const& progress)
{
    auto const* const sending = std::get_if<SendSnapshot>(&progress.mode);
    return sending != nullptr and (not sending->is_known() or sending->received == sending->snapshot.bytes);
}

/// Whether an answer is to an append of the present flow. The answer to a heartbeat never is: its number is zero.
[[nodiscard]] constexpr bool is_current(Progress const& progress, AppendNumber number)
{
    return number >= since(progress);
}

/// Whether an append may be sent now that carries entries, or that tests where they would go.
[[nodiscard]] constexpr bool may_send_append(Progress const& progress, std::uint64_t window)
{
    if (progress.link_full or progress.paused or progress.no_room)
        return false;
    if (auto const* probe = std::get_if<Probe>(&progress.mode))
        return not probe->awaiting;
    return in_flight(progress) < window and not is_sent_snapshot(progress);
}

/// Whether a refusal is of what is outstanding now. A late or repeated one must change nothing: it would
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

/// The invariant that does not hold of the progress of a follower of a leader whose log ends at `last_entry` and whose newest
/// read round is `newest`, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(Progress const& progress, Index last_entry, Round newest)
{
    if (progress.match >= progress.first or progress.first > progress.next)
        return "what matches lies below what is sent next";
    if (progress.next > next(last_entry))
        return "what is sent next lies at most one after the end of the log";
    if (progress.round > newest)
        return "an answered round has begun";
    if (since(progress).value > progress.sent.value + 1)
        return "a flow begins at most with the next append";
    if (auto const* probe = std::get_if<Probe>(&progress.mode);
        probe != nullptr and probe->carries and not probe->awaiting)
        return "a search that carries an entry awaits its answer";
    if (auto const* sending = std::get_if<SendSnapshot>(&progress.mode);
        sending != nullptr and (in_flight(progress) > 0 or sending->received > sending->snapshot.bytes))
        return "no entry is on the way beside a snapshot, of which the follower has a part at most";
    return std::nullopt;
}

} // namespace totora::inline v0
