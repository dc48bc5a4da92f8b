// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
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
// rules/replication.hpp and rules/append_entries.hpp decide when each happens.
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
//      either mode ───────────────────▶ SendSnapshot ───────────────────▶ Probe, after `match`
//                send_snapshot: `next`     │  ▲    probe_after_match: the follower has what the
//                is compacted              └──┘    log is based on, by a snapshot or otherwise
//                                on_chunk_sent: the snapshot is known, or another one;
//                                on_chunk_received: the follower has more of it, or less;
//                                send_snapshot: what it has now is compacted meanwhile
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
    ServerId     server;
    Index        match; ///< The follower's log agrees up to here, durably (`matchIndex`).
    Index        first; ///< The lowest entry that was sent and is not matched; `next` if there is none.
    Index        next;  ///< The next entry to send (`nextIndex`).
    ProgressMode mode;
    AppendNumber sent;                    ///< The number of the newest append.
    Round        round;                   ///< The newest read round that the follower answered.
    bool         recently_active = false; ///< It answered anything since the last quorum check.
    bool         active_before = false;   ///< It answered anything between the last two.
    bool         acknowledged = false;    ///< It answered a current append, or a chunk, since the last heartbeat alarm.
    bool         link_full = false;       ///< Its queue takes no entries now (`Link::full`).
    bool         paused = false;          ///< The shell sends no entries now (`AppendsCut`).
    bool         no_room = false;         ///< It has no disk space for entries, as of its last answer.
    bool         moving = false;          ///< Its link took bytes since the last quorum check.

    std::optional<Abilities> announced; ///< What it can, as far as this leader knows.

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
        active_before = std::exchange(recently_active, false);
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

    // --- While it is sent a snapshot

    /// What it needs next is compacted.
    constexpr void send_snapshot()
    {
        first = next = totora::next(match);
        mode = ProgressMode{SendSnapshot{.snapshot = {}, .received = 0, .since = AppendNumber{sent.value + 1}}};
    }

    /// A chunk of this snapshot leaves. Whether it is another one than before.
    constexpr bool on_chunk_sent(SnapshotId const& snapshot)
    {
        auto* const sending = std::get_if<SendSnapshot>(&mode);
        if (sending->snapshot == snapshot)
            return false;
        auto const was_known = sending->is_known();
        mode = ProgressMode{SendSnapshot{.snapshot = snapshot, .received = 0, .since = sending->since}};
        return was_known;
    }

    /// It answered a chunk: it has this much of a snapshot, and everything up to `up_to` durably.
    constexpr void on_chunk_received(SnapshotId const& snapshot, std::uint64_t received, Index up_to)
    {
        recently_active = acknowledged = moving = true;
        advance_match(up_to);
        if (auto* const sending = std::get_if<SendSnapshot>(&mode);
            sending != nullptr and sending->snapshot == snapshot)
            sending->received = received;
    }

    /// It has all that the log is based on.
    constexpr void probe_after_match() { probe_from(totora::next(match)); }

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
        mode = ProgressMode{Probe{.since = AppendNumber{sent.value + 1}, .awaiting = false}};
    }

    /// The logs agree below `from`: entries may flow.
    constexpr void replicate_from(Index from)
    {
        move_next(from);
        mode = ProgressMode{Replicate{.since = AppendNumber{sent.value + 1}}};
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
        visit("active_before", self.active_before);
        visit("acknowledged", self.acknowledged);
        visit("link_full", self.link_full);
        visit("paused", self.paused);
        visit("no_room", self.no_room);
        visit("moving", self.moving);
        visit("announced", self.announced);
    }
};
static_assert(lists_its_fields<Progress>());

} // namespace totora::inline v0
