// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/refusal.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/membership_change.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/core/write.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Arm an alarm (replacing an earlier arming), or disarm it.
struct AlarmOrder
{
    Alarm                alarm{};
    std::optional<Delay> delay; ///< Nothing: disarm it.
    Arming               arming;

    friend constexpr bool operator==(AlarmOrder const&, AlarmOrder const&) = default;
};

/// The proposal has these indexes and this term; `apply_through` shows when they are committed.
struct Accepted
{
    Run entries;

    friend constexpr bool operator==(Accepted const&, Accepted const&) = default;
};

/// The proposal is refused: its staged bytes are to be dropped.
struct Refused
{
    Refusal  why{};
    ServerId leader; ///< Whom to ask; `nobody` if that is not known.

    friend constexpr bool operator==(Refused const&, Refused const&) = default;
};

/// The reads asked for belong to this round of the current term.
struct ReadStarted
{
    Round round;

    friend constexpr bool operator==(ReadStarted const&, ReadStarted const&) = default;
};

/// The change of the members has begun, or will be taken back; `change_ended` shows how it ended.
struct ChangeStarted
{
    friend constexpr bool operator==(ChangeStarted const&, ChangeStarted const&) = default;
};

/// A change of the members is over. `done`, or none of it remains.
struct ChangeEnded
{
    ChangeEnd how{};
    Index     configuration; ///< The index of the configuration in force, which is committed.

    friend constexpr bool operator==(ChangeEnded const&, ChangeEnded const&) = default;
};

/// The leader hands over to this server; it ends with its lead, or with `transfer_ended`.
struct TransferStarted
{
    ServerId to;

    friend constexpr bool operator==(TransferStarted const&, TransferStarted const&) = default;
};

/// Why a transfer ended with this server still leading. Not exhaustive: a `switch` over it needs a default.
enum class TransferEnd : std::uint8_t
{
    timed_out,      ///< The target did not take over within an election timeout.
    target_removed, ///< It is no voter any more.
    replaced,       ///< By a transfer to another server.
};

/// The name of an end.
[[nodiscard]] constexpr std::string_view to_string(TransferEnd end)
{
    switch (end) {
    case TransferEnd::timed_out:
        return "timed_out";
    case TransferEnd::target_removed:
        return "target_removed";
    case TransferEnd::replaced:
        return "replaced";
    }
    return "unknown";
}

/// The answer to the client whose request was the step's message.
using Answer = std::variant<Accepted, Refused, ReadStarted, ChangeStarted, TransferStarted>;

/// The reads of this round and of all earlier ones of the term may be served once `index` is applied.
struct ReadAllowed
{
    Round round;
    Index index;

    friend constexpr bool operator==(ReadAllowed const&, ReadAllowed const&) = default;
};

/// The chunk that came with the step's message is to be stored: it follows what was stored of this snapshot. At offset 0 it is the
/// first one, and what was stored of another snapshot can be removed.
struct StoreChunk
{
    SnapshotId    snapshot;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;

    friend constexpr bool operator==(StoreChunk const&, StoreChunk const&) = default;
};

/// A follower needs a chunk from `offset` on: of this snapshot, or, if its index is 0, of any that reaches `at_least`. It may be wanted
/// again, at any offset, until `ChunkReady` brings it.
struct ChunkWanted
{
    ServerId      server;
    Index         at_least;
    SnapshotId    snapshot;
    std::uint64_t offset = 0;

    friend constexpr bool operator==(ChunkWanted const&, ChunkWanted const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("server", self.server);
        visit("at_least", self.at_least);
        visit("snapshot", self.snapshot);
        visit("offset", self.offset);
    }
};
static_assert(lists_its_fields<ChunkWanted>());

/// No step makes more writes: term and vote, a truncation, an append, a boundary.
inline constexpr std::size_t writes_max = 4;

/// How many decisions one step can take.
inline constexpr std::size_t decisions_max = 12;

/// Everything that a step wants done. Empty and recycled at the beginning of each.
struct Outgoing
{
    std::vector<Envelope>                  messages;    ///< In the order in which they are to leave.
    InplaceVector<Write, writes_max>       writes;      ///< To be made, in this order, before `messages` are looked at.
    InplaceVector<AlarmOrder, alarm_kinds> alarms;      ///< At most one of a kind.
    std::optional<StoreChunk>              store_chunk; ///< Of a snapshot that is being received.
    std::vector<ChunkWanted>               chunks_wanted; ///< Of snapshots that are sent, at most one a follower.
    std::optional<LogPosition> restore;       ///< The state machine is to be restored from the snapshot that ends here.
    std::optional<Index>       apply_through; ///< The state machine may be given everything up to here, after that.
    std::optional<Answer>      answer;        ///< To the client of this step.
    std::optional<ReadAllowed> read_allowed;  ///< To clients of earlier steps.
    std::optional<TransferEnd> transfer_ended; ///< To who asked for the transfer.
    std::optional<ChangeEnded> change_ended;   ///< To who asked for the change of the members.
    InplaceVector<ServerId, servers_max>
        links_to_renew;                               ///< Their connections are to be made again: nothing gets through.
    InplaceVector<Decision, decisions_max> decisions; ///< What happened, by name, for counters.
    std::optional<FaultSite>               failed;    ///< The server is out of service; the step has no other effect.

    friend constexpr bool operator==(Outgoing const&, Outgoing const&) = default;
};

} // namespace totora::inline v0

/// The core's verbs. They are in a namespace of their own, so that a program with `using namespace totora` keeps the words.
namespace totora::inline v0::core
{

constexpr void clear(Outgoing& outgoing)
{
    outgoing.messages.clear();
    outgoing.writes.clear();
    outgoing.alarms.clear();
    if (outgoing.store_chunk)
        outgoing.store_chunk = std::optional<StoreChunk>{};
    outgoing.chunks_wanted.clear();
    outgoing.restore = std::optional<LogPosition>{};
    outgoing.apply_through = std::optional<Index>{};
    outgoing.answer = std::optional<Answer>{};
    outgoing.read_allowed = std::optional<ReadAllowed>{};
    outgoing.transfer_ended = std::optional<TransferEnd>{};
    outgoing.change_ended = std::optional<ChangeEnded>{};
    outgoing.links_to_renew.clear();
    outgoing.decisions.clear();
    outgoing.failed = std::optional<FaultSite>{};
}

/// Sends a server an `Rpc`, or one of its alternatives.
template <typename AnyRpc>
constexpr void send(Outgoing& outgoing, ServerId to, AnyRpc const& rpc, Release release)
{
    outgoing.messages.emplace_back(to, rpc, release);
}

/// Names what happened.
constexpr void note(Outgoing& outgoing, Decision decision) { outgoing.decisions.push_back(decision); }

/// The same, of what can happen to many followers in one step.
constexpr void note_once(Outgoing& outgoing, Decision decision)
{
    for (auto const noted : outgoing.decisions)
        if (noted == decision)
            return;
    note(outgoing, decision);
}

/// Arms an alarm, or disarms it if no delay is given: rings of earlier armings no longer count, also if they are queued.
constexpr void order(State& state, Outgoing& outgoing, Alarm alarm, std::optional<Delay> delay)
{
    auto const arming = state.alarms.renew(alarm);
    for (auto& earlier : outgoing.alarms)
        if (earlier.alarm == alarm) {
            earlier = AlarmOrder{alarm, delay, arming};
            return;
        }
    outgoing.alarms.push_back(AlarmOrder{alarm, delay, arming});
}

constexpr void arm(State& state, Outgoing& outgoing, Alarm alarm, Delay delay)
{
    order(state, outgoing, alarm, std::optional<Delay>{delay});
}

constexpr void disarm(State& state, Outgoing& outgoing, Alarm alarm)
{
    order(state, outgoing, alarm, std::optional<Delay>{});
}

} // namespace totora::inline v0::core
