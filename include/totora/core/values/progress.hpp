// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/progress_mode.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

namespace totora::inline v0
{

// What a leader knows of a follower, and every way in which that changes (§5.3; etcd: tracker/progress.go). The rules of
// rules/replication.hpp and rules/append_entries.hpp say when each happens.
//
//        begin                     accepted: the logs agree below `next`
//          │               ┌─────────────────────────────────────────────────┐
//          ▼               │                                                 ▼
//      ┌──────────────────────────────┐                 ┌─────────────────────────────────────┐
//      │ Probe                        │                 │ Replicate                           │
//      │ one append at a time, with   │                 │ appends follow each other within    │
//      │ one entry or none            │                 │ the window, `next` runs ahead       │
//      └──────────────────────────────┘                 └─────────────────────────────────────┘
//        │  ▲              ▲                                                 │
//        └──┘              └─────────────────────────────────────────────────┘
//      rejected,             rejected: the logs do not agree before an append
//      rejected_for_room,    rejected_for_room: the follower stored nothing
//      link_reset            link_reset with appends in flight: they may be lost
//
// Nothing with entries is sent in either mode while `link_full` (link_filled ... link_reset), `paused` (cut_after ... resume,
// link_reset), or `no_room` (as of the newest answer).

/// What a leader knows of one follower: `nextIndex` and `matchIndex` of Figure 2, and the flow of appends.
///
/// Invariant: `match < first <= next`. What was sent and is not matched is bounded by the window, whatever is answered
/// meanwhile: it is pinned here, on the way, or at a follower whose disk is slow (case 91).
///
/// Differs: Figure 2 moves `nextIndex` when an append is accepted, and sends the next one then. Here it moves when an append is
/// sent, so that many are in flight (dissertation §10.2.1), and `first` remembers what of them is unacknowledged.
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

    // --- What the leader does

    /// A leader begins its term, with a log that ends before `end`: that is where it searches first (Figure 2, "State").
    constexpr void begin(ServerId follower, Index end)
    {
        server = follower;
        first = end;
        probe_from(end);
    }

    /// An append leaves with these entries from `next` on, or with none. Returns its number.
    constexpr AppendNumber on_sent(Run const& entries)
    {
        ++sent.value;
        next = totora::next(last_of(entries));
        if (auto* probe = std::get_if<Probe>(&mode)) {
            probe->awaiting = true;
            probe->carries = probe->carries or entries.count > 0;
        }
        return sent;
    }

    /// Whether a current append was answered since this was last asked.
    constexpr bool take_acknowledged() { return std::exchange(acknowledged, false); }

    /// A quorum check is over: what the follower answered, and what its link took, counts for the next one no more.
    constexpr void forget_activity()
    {
        recently_active = false;
        moving = false;
    }

    // --- What the follower answers

    /// It answered something that carried this read round, to an append of the present flow or to another one.
    constexpr void on_response(Round answered, bool current)
    {
        recently_active = true;
        acknowledged = acknowledged or current;
        moving = moving or current;
        round = std::max(round, answered);
    }

    /// It reports whether it lacks disk space. Whether that is news.
    constexpr bool on_room(bool lacks) { return std::exchange(no_room, lacks) != lacks; }

    /// Its log agrees up to `up_to`, durably; and, if the answer is current, up to what was asked, durably or not.
    constexpr void accepted(Index up_to, bool current)
    {
        advance_match(up_to);
        if (current and std::holds_alternative<Probe>(mode))
            replicate_from(next);
    }

    /// It does not hold what came before an append, the entry at `refused`. `agreement` is the last entry that both logs may
    /// share: the leader searches there, a whole term further down if need be (end of §5.3). One append at a time also where
    /// nothing is left to search: a network that reorders would refuse the second of two, and each refusal would send both again.
    constexpr void rejected(Index refused, Index agreement) { probe_from(std::min(totora::next(agreement), refused)); }

    /// It stored nothing for want of room, and its log ends at `last`. The leader goes on there, once there is room (case 90).
    constexpr void rejected_for_room(Index last)
    {
        if (last < next)
            probe_from(totora::next(last));
    }

    // --- What happens to appends in flight

    /// Its link took bytes.
    constexpr void moved() { moving = true; }

    /// Its queue takes no entries until the link is reset.
    constexpr void link_filled() { link_full = true; }

    /// Its link changed state otherwise: appends in flight may be lost, or may have arrived (case 88).
    constexpr void link_reset()
    {
        link_full = false;
        // What filled the shell's window may be lost, and then nothing will be acknowledged that makes room: ask.
        paused = false;
        if (std::holds_alternative<Probe>(mode) or next > first)
            ask_again();
    }

    /// The shell sent nothing after `last_sent`, and sends nothing more until `resume`: `next` moves back to what was really
    /// sent (case 89).
    constexpr void cut_after(Index last_sent)
    {
        paused = true;
        if (last_sent < before(next))
            move_next(totora::next(last_sent));
        if (auto* probe = std::get_if<Probe>(&mode)) {
            probe->awaiting = false;
            probe->carries = false;
        }
    }

    constexpr void resume() { paused = false; }

    // --- The steps of these transitions

    /// Sends again from `from` on, but nothing that matches.
    constexpr void move_next(Index from)
    {
        next = std::max(from, totora::next(match));
        first = std::min(first, next);
    }

    /// Searches for the match index, from `from` on.
    constexpr void probe_from(Index from)
    {
        move_next(from);
        mode = std::variant<Probe, Replicate>{Probe{.since = AppendNumber{sent.value + 1}, .awaiting = false}};
    }

    /// The logs agree below `from`: entries may flow.
    constexpr void replicate_from(Index from)
    {
        move_next(from);
        mode = std::variant<Probe, Replicate>{Replicate{.since = AppendNumber{sent.value + 1}}};
    }

    /// The follower's log agrees up to `up_to`, durably.
    constexpr void advance_match(Index up_to)
    {
        match = std::max(match, up_to);
        first = std::max(first, totora::next(match));
        next = std::max(next, first);
    }

    /// Asks the follower again, where the leader is: entries sent before may be lost, or have arrived.
    constexpr void ask_again()
    {
        probe_from(next);
        std::get_if<Probe>(&mode)->only_asks = next > first;
    }

    friend constexpr bool operator==(Progress const&, Progress const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("server", self.server);
        visit("match", self.match);
        visit("first", self.first);
        visit("next", self.next);
        visit("mode", self.mode);
        visit("sent", self.sent);
        visit("round", self.round);
        visit("recently_active", self.recently_active);
        visit("acknowledged", self.acknowledged);
        visit("link_full", self.link_full);
        visit("paused", self.paused);
        visit("no_room", self.no_room);
        visit("moving", self.moving);
    }
};
static_assert(lists_its_fields<Progress>());

/// Entries that were sent and are not known to be durable there.
[[nodiscard]] constexpr std::uint64_t in_flight(Progress const& progress)
{
    return progress.next.value - progress.first.value;
}

/// The number of the first append of the present flow.
[[nodiscard]] constexpr AppendNumber since(Progress const& progress)
{
    auto const* probe = std::get_if<Probe>(&progress.mode);
    return probe != nullptr ? probe->since : std::get_if<Replicate>(&progress.mode)->since;
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
    return in_flight(progress) < window;
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
    return std::nullopt;
}

} // namespace totora::inline v0
