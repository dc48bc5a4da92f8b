// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/core/values/with_alternative.hpp"

#include <concepts>
#include <cstdint>
#include <variant>

namespace totora::inline v0
{

/// Asks whether the receiver would vote for the sender in the next term; changes nothing anywhere.
///
/// Dissertation §9.6. `term` is the sender's current term, which a pre-vote leaves as it is; the vote asked
/// for is one in `term + 1`, which is nobody's term yet.
struct RequestPreVote
{
    Term        term;     ///< The sender's current term.
    LogPosition last_log; ///< The sender's last entry, for §5.4.1.
    Round       round;    ///< Which of the sender's pre-votes this is, echoed by the answer.

    friend constexpr bool operator==(RequestPreVote const&, RequestPreVote const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("last_log", self.last_log);
        visit("round", self.round);
    }
};

/// Dissertation §9.6. Promises nothing, so that it leaves at once.
struct RequestPreVoteResponse
{
    Term  term;  ///< The answering server's current term.
    Round round; ///< The round of the request.
    bool  vote_granted = false;
    /// Of index 0, or: as of this entry, which is committed, the sender of the request is no member of the cluster.
    LogPosition not_a_member{};

    friend constexpr bool operator==(RequestPreVoteResponse const&, RequestPreVoteResponse const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("round", self.round);
        visit("vote_granted", self.vote_granted);
        visit("not_a_member", self.not_a_member);
    }
};

/// Asks for a vote. Figure 2, "RequestVote RPC". It carries the candidate's own vote, and is a promise.
struct RequestVote
{
    Term        term;
    LogPosition last_log;  ///< The candidate's last entry, for §5.4.1.
    bool transfer = false; ///< The leader asked for this campaign: stickiness does not apply (dissertation §3.10).

    friend constexpr bool operator==(RequestVote const&, RequestVote const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("last_log", self.last_log);
        visit("transfer", self.transfer);
    }
};

/// Figure 2, "RequestVote RPC", results. A granted vote is a promise.
struct RequestVoteResponse
{
    Term term;
    bool vote_granted = false;

    friend constexpr bool operator==(RequestVoteResponse const&, RequestVoteResponse const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("vote_granted", self.vote_granted);
    }
};

/// Replicates a run of entries to a follower; with no entries it is a heartbeat, a probe, or a read round.
///
/// Figure 2, "AppendEntries RPC"; dissertation §3.5. Payload bytes travel beside this message: the shell
/// pins them in the turn in which it is made, so the core never holds them.
///
/// Invariants: `entries.first` follows `previous.index`; `previous.term <= entries.term <= term`.
/// Differs: all entries share one term, so that a run is three numbers; a range that crosses a term change is two messages.
struct AppendEntries
{
    Term        term;          ///< The leader's current term.
    LogPosition previous;      ///< The entry before `entries`, for the consistency check of §5.3.
    Run         entries;       ///< Index and term of each entry; `entries.first` is valid also if there are none.
    Index       leader_commit; ///< The highest index the leader knows to be committed.
    Round       round;         ///< The leader's newest read round; the answer echoes it.
    /// Numbers the appends to this follower; the answer echoes it. Zero for a heartbeat: it tests nothing beyond what the
    /// follower has acknowledged, and may overtake entries.
    AppendNumber number;
    /// What the leader knows to be committed, wherever this message looks: `leader_commit` may be capped by that. The core of
    /// a follower does not look at it; the shell sees by it when the follower has caught up.
    Index committed{};

    friend constexpr bool operator==(AppendEntries const&, AppendEntries const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("previous", self.previous);
        visit("entries", self.entries);
        visit("leader_commit", self.leader_commit);
        visit("round", self.round);
        visit("number", self.number);
        visit("committed", self.committed);
    }
};

/// Figure 2, "AppendEntries RPC", results. A success with entries is a promise.
struct AppendEntriesResponse
{
    Term term;
    bool success = false;
    /// If successful: up to here the follower's log is the leader's and this promise covers it.
    /// If not: the index of `previous`, which the follower refused.
    Index match;
    /// If not successful, or if there was no room: the follower's last entry that may be the leader's too (end of §5.3).
    LogPosition  conflict_hint;
    Round        round;           ///< The round of the request.
    AppendNumber number;          ///< The number of the request.
    bool         no_room = false; ///< The follower has no disk space: what it was sent it did not store (case 90).

    friend constexpr bool operator==(AppendEntriesResponse const&, AppendEntriesResponse const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("success", self.success);
        visit("match", self.match);
        visit("conflict_hint", self.conflict_hint);
        visit("round", self.round);
        visit("number", self.number);
        visit("no_room", self.no_room);
    }
};

/// Sends a chunk of a snapshot to a follower whose next entries are compacted; without bytes it asks how much the follower has.
///
/// Figure 13, "InstallSnapshot RPC". The bytes travel beside this message. Differs: a snapshot has an identity, so that the chunks
/// of two are not mixed, and a new leader goes on with the same one; its configuration stands in its bytes. There is no `done`: the
/// identity has the length of the whole.
struct InstallSnapshot
{
    Term          term;       ///< The leader's current term.
    SnapshotId    snapshot;   ///< The whole that the chunk belongs to.
    std::uint64_t offset = 0; ///< Where in it the chunk begins.
    std::uint64_t bytes = 0;  ///< How long the chunk is.

    friend constexpr bool operator==(InstallSnapshot const&, InstallSnapshot const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("snapshot", self.snapshot);
        visit("offset", self.offset);
        visit("bytes", self.bytes);
    }
};

/// Figure 13, "InstallSnapshot RPC", results. One with a `match` above 0 is a promise; a chunk that was received is none.
struct InstallSnapshotResponse
{
    Term          term;
    SnapshotId    snapshot; ///< That of the request.
    std::uint64_t next = 0; ///< The offset that the follower needs next; the length of the whole if it needs none.
    Index
        match; ///< Up to here the follower's log is the leader's and this promise covers it; 0 as long as nothing is promised.

    friend constexpr bool operator==(InstallSnapshotResponse const&, InstallSnapshotResponse const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("snapshot", self.snapshot);
        visit("next", self.next);
        visit("match", self.match);
    }
};

/// Asks a follower to campaign at once: the leader hands over to it. Dissertation §3.10.
///
/// It promises nothing. Differs: it names the entry up to which the follower acknowledged the leader's log, so that one which has lost
/// entries since, or has yet to write them, does not campaign in vain.
struct TimeoutNow
{
    Term        term;     ///< The leader's current term.
    LogPosition last_log; ///< The follower holds the leader's log up to here, durably.

    friend constexpr bool operator==(TimeoutNow const&, TimeoutNow const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("term", self.term);
        visit("last_log", self.last_log);
    }
};

/// The messages between servers.
using Rpc = std::variant<RequestPreVote, RequestPreVoteResponse, RequestVote, RequestVoteResponse, AppendEntries,
                         AppendEntriesResponse, InstallSnapshot, InstallSnapshotResponse, TimeoutNow>;

static_assert(alternatives_list_their_fields<Rpc>);

/// A message that answers another one.
template <typename T>
concept rpc_response = std::same_as<T, RequestPreVoteResponse> or std::same_as<T, RequestVoteResponse> or
    std::same_as<T, AppendEntriesResponse> or std::same_as<T, InstallSnapshotResponse>;

/// Whether a message answers another one.
[[nodiscard]] constexpr bool is_response(Rpc const& rpc)
{
    auto answers = false;
    with_alternative(rpc, [&]<typename T>(T const&) { answers = rpc_response<T>; });
    return answers;
}

/// Whether a message may leave before others that were sent earlier: all but the numbered appends, whose order shows which of them
/// were lost, and the chunks of snapshots. A transport sends what may overtake ahead of these, so that no election ends the lead
/// of a leader that is sending (case 94).
[[nodiscard]] constexpr bool may_overtake(Rpc const& rpc)
{
    if (std::holds_alternative<InstallSnapshot>(rpc))
        return false;
    auto const* append = std::get_if<AppendEntries>(&rpc);
    return append == nullptr or append->number == AppendNumber{};
}

} // namespace totora::inline v0
