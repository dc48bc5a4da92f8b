// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/links/acknowledged.hpp"
#include "totora/node/parts/violation_counts.hpp"
#include "totora/policy/log.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Why a node can't go on: `storage`, `apply`, ... It sends nothing any more; the process goes on.
using NodeFailure = HaltReason;

/// A failure and its description for the operator.
struct Failed
{
    NodeFailure why{};
    std::string what;
};

/// What a server is now (Figure 4).
enum class RoleName : std::uint8_t
{
    follower,
    pre_candidate,
    candidate,
    leader,
};

[[nodiscard]] constexpr RoleName role_of(State const& state) { return static_cast<RoleName>(state.role.index()); }

/// The name of a role.
[[nodiscard]] constexpr std::string_view to_string(RoleName role)
{
    switch (role) {
    case RoleName::follower:
        return "follower";
    case RoleName::pre_candidate:
        return "pre_candidate";
    case RoleName::candidate:
        return "candidate";
    case RoleName::leader:
        return "leader";
    }
    return "unknown";
}

/// The name of what a log has room for.
[[nodiscard]] constexpr std::string_view to_string(LogRoom room)
{
    switch (room) {
    case LogRoom::enough:
        return "enough";
    case LogRoom::reserve_only:
        return "reserve_only";
    case LogRoom::nothing:
        return "nothing";
    }
    return "unknown";
}

/// How far a snapshot is on its way between servers.
struct TransferStatus
{
    SnapshotId    snapshot; ///< Of index 0 as long as there is none at hand.
    std::uint64_t bytes =
        0; ///< How many the receiver has, as far as this server knows; in all it has `snapshot.bytes`.
};

/// What a leader knows of a follower, as `Progress` has it (core/values/progress.hpp), and its node.
struct FollowerStatus
{
    ServerId server;
    Index    match; ///< Its log agrees up to here, durably.
    Index    next;  ///< The next entry to send.
    bool     replicating =
        false; ///< Entries are sent within the window; otherwise its match index is searched, or it is sent a snapshot.
    bool          full = false;     ///< Its queue takes no entries now.
    std::uint64_t in_flight = 0;    ///< Entries that were sent and are not known to be durable there.
    bool          no_room = false;  ///< Its log has no room for entries.
    bool          set_back = false; ///< It lacks what it had acknowledged (`SetBack`): its answers do not count.
    std::optional<TransferStatus> transfer;      ///< It is sent a snapshot in place of entries.
    std::uint64_t                 lag = 0;       ///< Entries of the leader's log after `match`.
    std::uint64_t                 lag_bytes = 0; ///< Their size (`Log::bytes`), without those that are compacted.
    /// How long ago the leader's log ended at `match`; 0 if it still does. At most as long as this server leads, and rounded up by
    /// at most 10 ms and a quarter (node/links/log_ends.hpp).
    std::uint64_t lag_ms = 0;
    /// How long ago its last message arrived; nothing if none has since the start.
    std::optional<std::uint64_t> silent_ms;
    std::string                  address; ///< Where it is to be found (`RaftNode::address_of`).
};

/// A picture of a node, as of its last turn.
struct Status
{
    bool                  running = false;
    std::optional<Failed> failed;
    ServerId              id;
    RoleName              role{};
    Term                  term;
    ServerId              leader;           ///< `nobody` if not known.
    bool                  admitted = false; ///< The cluster's log names this server; otherwise it waits to be let in.
    Index                 last;
    Index                 commit;
    Index                 applied;
    Index                 durable;
    /// A leader: the first entry of its term is applied here. A follower: what its leader had committed when it first reached this
    /// server is applied here. Without a leader as before; not before the first one was there.
    bool          ready = false;
    LogRoom       room{};                   ///< Of the own log. Less than `enough` refuses proposals.
    bool          disk_hangs = false;       ///< The oldest write in flight is late: this server does not campaign.
    std::uint64_t entry_bytes_sent = 0;     ///< Of entries, headers included, to all followers since the start.
    std::uint64_t entry_bytes_received = 0; ///< Of entries that arrived.
    std::uint64_t entry_bytes_stored =
        0;                       ///< Of those the part that was missing. Sent and stored differ by what went twice.
    Configuration configuration; ///< In force here; it may be uncommitted.
    ChangePhase   change{};      ///< Of a leader: where a change of the members is.
    std::vector<ServerId>
        change_awaits; ///< The members that have yet to acknowledge the configuration in force, while it is uncommitted.
    bool  removed = false; ///< Others have told this server that it is no member any more: it waits to be let in again.
    Index base;            ///< Entries up to here are compacted.
    std::optional<SnapshotId>     snapshot; ///< The newest of its own, or that was installed; nothing if there is none.
    std::optional<TransferStatus> reception;               ///< The snapshot that it is receiving.
    std::vector<FollowerStatus>   followers;               ///< Of a leader.
    std::array<std::uint64_t, decision_count> decisions{}; ///< How often each `Decision` was noted since the start.
    std::uint64_t payload_mismatches = 0;  ///< Messages dropped with a payload not their own, since the start.
    std::optional<ScrubStatus> scrub;      ///< Of a log that reads what it holds in the background.
    ViolationCounts::Rows      violations; ///< Who sent what no correct server can send, since the start.
};

/// Another configuration is in force here: appended, truncated, or come with a snapshot. It may be uncommitted (§6).
struct ConfigurationChanged
{
    Configuration configuration;
};

/// Role, term or leader have changed.
struct RoleChanged
{
    RoleName role{};
    Term     term;
    ServerId leader;

    friend bool operator==(RoleChanged const&, RoleChanged const&) = default;
};

/// The core named what happened. Violations mean that another server is broken.
struct DecisionNoted
{
    Decision decision{};
    ServerId from;
};

/// `Status::ready` has changed.
struct ReadinessChanged
{
    bool ready = false;
};

/// A proposal was refused as `too_much_pending` or `no_room`, and the reason has ended: half of what may be pending is free, there is
/// room in the log, or this server leads no more and names who does. Who was refused may try again.
struct PressureEnded
{};

/// Recovery cut off the torn end of the log. Nothing that was acknowledged was in it.
struct TornTailCut
{
    TornTail tail;
};

/// A message arrived with other entries than it names, or without them: the transport is broken. It was dropped unanswered.
struct PayloadMismatch
{
    ServerId from;
};

/// What is done with a snapshot.
enum class SnapshotStep : std::uint8_t
{
    capture, ///< The machine's state is taken.
    write,   ///< It is written, and made durable.
    receive, ///< One of another server is stored and verified.
    read,    ///< It is read, to be sent or to restore the machine.
};

/// The name of a step.
[[nodiscard]] constexpr std::string_view to_string(SnapshotStep step)
{
    constexpr std::string_view names[] = {"capture", "write", "receive", "read"};
    return names[static_cast<std::size_t>(step)];
}

/// A snapshot of this server's own is durable.
struct SnapshotSaved
{
    SnapshotId snapshot;
};

/// The state machine was restored from a snapshot, at a start or in place of entries.
struct MachineRestored
{
    SnapshotId snapshot;
};

/// Something with a snapshot went wrong; it is tried again, later or with another one.
struct SnapshotFailed
{
    SnapshotStep step{};
    std::string  what;
};

/// The log cannot read what the state machine or a follower needs, for want of memory or descriptors. It is tried again until it can; as
/// long as it cannot, nothing that is not in memory is applied or sent. Once until it could again.
struct ReadsHeldUp
{
    std::string what;
};

/// What the observer of a node is notified of, on the node's thread, in the turn in which it happens. While the observer runs, the node
/// sends no heartbeat: it must not block. Writing into a pipe or to a terminal does when nobody reads; another thread
/// may wait there, with what finds no room dropped and counted.
///
/// Not exhaustive: later versions have more events. An observer takes those that it knows (`std::get_if`, or a visitor with an overload
/// for all others) and ignores the rest.
using NodeEvent =
    std::variant<RoleChanged, DecisionNoted, TornTailCut, PayloadMismatch, ReadinessChanged, SetBack, PressureEnded,
                 Failed, SnapshotSaved, MachineRestored, SnapshotFailed, ConfigurationChanged, ReadsHeldUp>;

/// Observes nothing, and costs nothing.
struct NoObserver
{
    void operator()(NodeEvent const&) const {}
};

} // namespace totora::inline v0
