// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/alarms.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0
{

/// This server starts. The first message of every run.
struct Started
{
    friend constexpr bool operator==(Started const&, Started const&) = default;

    static constexpr void visit_fields(auto&, auto&&) {}
};

/// An alarm rang.
struct AlarmRang
{
    Alarm  alarm{};
    Arming arming; ///< Of the arming that rang. A ring that was queued before a re-arming is ignored.

    friend constexpr bool operator==(AlarmRang const&, AlarmRang const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("alarm", self.alarm);
        visit("arming", self.arming);
    }
};

/// The log reports this write, and all before it, durable. If it was never made, the log cannot be trusted: final.
struct Persisted
{
    WriteNumber write;

    friend constexpr bool operator==(Persisted const&, Persisted const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("write", self.write); }
};

/// The state machine has applied all that this server's disk knew to be committed when it started.
struct Replayed
{
    friend constexpr bool operator==(Replayed const&, Replayed const&) = default;

    static constexpr void visit_fields(auto&, auto&&) {}
};

/// What a log has room for.
enum class LogRoom : std::uint8_t
{
    enough,       ///< For entries.
    reserve_only, ///< For a term, a vote, a truncation and the entry with which a leader begins, and for nothing else.
    nothing,      ///< Not even for these.
};

/// The log has room again, or no longer: a follower without room does not store the entries that arrive, and `no_room` stands in
/// every response. The shell asks the log at a bounded rate, and lets a leader's lack last for a while before it reports it: a
/// log that prepares its next file may have none for a moment.
struct RoomChanged
{
    LogRoom room{};

    friend constexpr bool operator==(RoomChanged const&, RoomChanged const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("room", self.room); }
};

/// Why a server takes part no more; the process goes on. Not exhaustive: a `switch` over it needs a default.
enum class HaltReason : std::uint8_t
{
    apply = 1, ///< The state machine threw.
    seam,      ///< Log and core disagree about the last entry: a policy or the core is wrong.
    storage,   ///< The log reported a failed write, sync or read, or gave back damaged bytes.
    invariant, ///< An invariant of the core failed.
    unfinished_step, ///< Something threw, often for want of memory, before a step was done: the state may be ahead of the log.
    callback,        ///< A completion, the observer or a posted task threw.
    untrusted_log,     ///< The log confirmed a write that was never made, or took a confirmation back.
    restore,           ///< The state machine could not be restored from a snapshot.
    untrusted_machine, ///< The state machine said that it keeps what it was never given, or took back what it keeps.
    outdated,          ///< The cluster has agreed on more than this program can.
};

/// The name of a reason.
[[nodiscard]] constexpr std::string_view to_string(HaltReason reason)
{
    switch (reason) {
    case HaltReason::apply:
        return "apply";
    case HaltReason::seam:
        return "seam";
    case HaltReason::storage:
        return "storage";
    case HaltReason::invariant:
        return "invariant";
    case HaltReason::untrusted_log:
        return "untrusted_log";
    case HaltReason::outdated:
        return "outdated";
    case HaltReason::unfinished_step:
        return "unfinished_step";
    case HaltReason::callback:
        return "callback";
    case HaltReason::restore:
        return "restore";
    case HaltReason::untrusted_machine:
        return "untrusted_machine";
    }
    return "unknown";
}

/// The shell has halted this server. Final.
struct Halted
{
    HaltReason reason{};

    friend constexpr bool operator==(Halted const&, Halted const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("reason", self.reason); }
};

/// An append arrived that has a configuration among its entries. The shell decodes it from the payload, which the core
/// never sees; of entries with several it makes several appends.
struct AppendConfiguration : AppendEntries
{
    Configuration configuration; ///< `configuration.index` is the index of its entry.

    friend constexpr bool operator==(AppendConfiguration const&, AppendConfiguration const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("append", base_of<AppendEntries>(self));
        visit("configuration", self.configuration);
    }
};

/// Clients want entries appended; their payload waits beside the log.
struct Proposed
{
    std::uint64_t count = 0; ///< At least 1.

    friend constexpr bool operator==(Proposed const&, Proposed const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("count", self.count); }
};

/// Clients want to read what is newest.
struct ReadRequested
{
    friend constexpr bool operator==(ReadRequested const&, ReadRequested const&) = default;

    static constexpr void visit_fields(auto&, auto&&) {}
};

/// The state of the connection to a server.
enum class Link : std::uint8_t
{
    full,        ///< Its queue takes no more entries; some may have been dropped.
    open,        ///< Its queue takes messages (again), and the server is connected.
    unreachable, ///< The connection broke; messages were lost.
};

/// The name of a state of a link.
[[nodiscard]] constexpr std::string_view to_string(Link link)
{
    switch (link) {
    case Link::full:
        return "full";
    case Link::open:
        return "open";
    case Link::unreachable:
        return "unreachable";
    }
    return "unknown";
}

/// The shell has sent a follower only a part of what the last step made for it, and sends it no more entries until
/// `AppendsResumed`: the bytes on their way, or those read from disk in one turn, have reached their bound.
struct AppendsCut
{
    ServerId server;
    Index    sent; ///< The last entry that was sent.

    friend constexpr bool operator==(AppendsCut const&, AppendsCut const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("server", self.server);
        visit("sent", self.sent);
    }
};

/// The shell can send a follower entries again.
struct AppendsResumed
{
    ServerId server;

    friend constexpr bool operator==(AppendsResumed const&, AppendsResumed const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("server", self.server); }
};

/// The link to a server has taken bytes since the last quorum check.
struct LinkMoved
{
    ServerId server;

    friend constexpr bool operator==(LinkMoved const&, LinkMoved const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("server", self.server); }
};

/// Without the entries up to `index` the state machine can be brought back to at least there: a snapshot of its own is durable, or
/// the machine keeps itself on disk. They may be compacted.
struct SnapshotTaken
{
    Index index;

    friend constexpr bool operator==(SnapshotTaken const&, SnapshotTaken const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("index", self.index); }
};

/// The shell has a chunk at hand that can be sent to a follower which needs a snapshot (`ChunkWanted`). It leaves now or not at
/// all, with the term of now.
struct ChunkReady
{
    ServerId      server;
    SnapshotId    snapshot;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;

    friend constexpr bool operator==(ChunkReady const&, ChunkReady const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("server", self.server);
        visit("snapshot", self.snapshot);
        visit("offset", self.offset);
        visit("bytes", self.bytes);
    }
};

/// The snapshot that was received is complete, verified by its checksum, and durable under its own name. The shell has decoded
/// the configurations from it.
struct SnapshotReceived
{
    SnapshotId     snapshot;
    Configurations configurations; ///< That in force at its last entry, and the one before.

    friend constexpr bool operator==(SnapshotReceived const&, SnapshotReceived const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("snapshot", self.snapshot);
        visit("configurations", self.configurations);
    }
};

/// What was received of this snapshot is of no use: its checksum is another one, or it could not be stored. The shell has removed it.
struct SnapshotDamaged
{
    SnapshotId snapshot;

    friend constexpr bool operator==(SnapshotDamaged const&, SnapshotDamaged const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("snapshot", self.snapshot); }
};

/// The connection to a server changed state; messages on their way may be lost.
struct LinkChanged
{
    ServerId server;
    Link     link{};

    friend constexpr bool operator==(LinkChanged const&, LinkChanged const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("server", self.server);
        visit("link", self.link);
    }
};

} // namespace totora::inline v0
