// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/invariants.hpp"
#include "totora/core/rules/recovery.hpp"
#include "totora/core/state.hpp"
#include "totora/core/step.hpp"
#include "totora/testing/replica_configurations.hpp"
#include "totora/testing/replica_parts.hpp"
#include "totora/testing/replica_snapshots.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::testing
{

[[nodiscard]] constexpr std::uint8_t bit_of(Alarm alarm)
{
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(alarm));
}

[[nodiscard]] constexpr bool is_armed(Replica const& replica, Alarm alarm)
{
    return (replica.armed & bit_of(alarm)) != 0;
}

/// The newest arming of an alarm rings.
[[nodiscard]] constexpr AlarmRang newest_ring(State const& state, Alarm alarm)
{
    return {alarm, state.alarms.armings[static_cast<std::size_t>(alarm)]};
}

[[nodiscard]] constexpr WriteNumber number_of(Write const& write)
{
    return std::visit([](auto const& made) { return made.write; }, write);
}

/// A server all of whose writes are durable, with its disk; what is compacted is in a snapshot.
[[nodiscard]] constexpr Replica replica_of(State const& state)
{
    auto replica = Replica{};
    replica.state = state;
    replica.disk = {.current_term = state.current_term,
                    .voted_for = state.voted_for,
                    .log = state.log,
                    .configuration = {},
                    .previous_configuration = {},
                    .commit_index = Index{},
                    .applied_index = Index{}};
    replica.configurations = list_of(state.configurations);
    if (state.log.base().index > Index{})
        replica.snapshot = SnapshotId{.last = state.log.base(), .bytes = 2, .checksum = 0};
    return replica;
}

/// A write reaches the disk.
constexpr void write_to(Replica& replica, PendingWrite const& pending)
{
    auto& disk = replica.disk;
    write_to(replica.configurations, pending);
    if (auto const* vote = std::get_if<SaveVote>(&pending.write)) {
        disk.current_term = vote->term;
        disk.voted_for = vote->voted_for;
    } else if (auto const* append = std::get_if<Append>(&pending.write)) {
        disk.log.append(append->entries);
    } else if (auto const* truncate = std::get_if<Truncate>(&pending.write)) {
        disk.log.truncate(truncate->first);
    } else if (auto const* compact = std::get_if<Compact>(&pending.write)) {
        disk.log.compact(compact->base);
    } else if (auto const* install = std::get_if<Install>(&pending.write)) {
        disk.log.restore(install->snapshot.last);
        if (disk.received and disk.received->snapshot == install->snapshot) {
            replica.snapshot = disk.received->snapshot;
            disk.received = std::optional<SnapshotReceived>{};
        }
    }
}

/// Messages for which every write up to this one is enough leave, in their order; the others wait.
constexpr void release(Replica& replica, WriteNumber durable, std::vector<InFlight>& sent)
{
    auto still_sealed = std::vector<Envelope>{};
    for (auto const& envelope : replica.sealed)
        if (auto const released = envelope.open(TestDurable::through(durable)))
            sent.push_back(leave(replica, released->to(), released->rpc()));
        else
            still_sealed.push_back(envelope);
    replica.sealed = std::move(still_sealed);
}

/// Performs the effects of a step: writes begin, alarms are armed and cancelled, messages leave or wait. `came` is the configuration
/// in the step's message; null if it had none.
constexpr void
perform(Replica& replica, Outgoing const& outgoing, std::vector<InFlight>& sent, Configuration const* came)
{
    for (auto const& write : outgoing.writes)
        replica.writes.push_back(
            {write, configuration_in(replica.state, write, came), boundary_in(replica.state, write)});
    if (outgoing.store_chunk)
        store(replica, *outgoing.store_chunk);
    drop_unused_files(replica);
    for (auto const& wanted : outgoing.chunks_wanted)
        want(replica, wanted);
    if (not is_leader(replica.state))
        replica.wanted.clear();
    for (auto const& order : outgoing.alarms)
        replica.armed = static_cast<std::uint8_t>(order.delay ? replica.armed | bit_of(order.alarm)
                                                              : replica.armed & ~bit_of(order.alarm));
    for (auto const& envelope : outgoing.messages)
        if (auto const released = envelope.open(TestDurable::through(replica.state.writes.durable)))
            sent.push_back(leave(replica, released->to(), released->rpc()));
        else
            replica.sealed.push_back(envelope);
}

/// How many of the writes in flight have a number up to this one.
[[nodiscard]] constexpr std::size_t writes_through(Replica const& replica, WriteNumber write)
{
    auto count = std::size_t{0};
    while (count < replica.writes.size() and number_of(replica.writes[count].write) <= write)
        ++count;
    return count;
}

/// The oldest `count` writes reach the disk. The server is not notified: see `Persisted`.
constexpr void flush(Replica& replica, std::size_t count)
{
    auto still_pending = std::vector<PendingWrite>{};
    for (auto at = std::size_t{0}; at < replica.writes.size(); ++at)
        if (at < count)
            write_to(replica, replica.writes[at]);
        else
            still_pending.push_back(replica.writes[at]);
    replica.writes = std::move(still_pending);
}

/// The power fails and returns: of the writes in flight the oldest `kept` have reached the disk, the others are gone,
/// and so is everything that waited. The log had saved that it was committed through `commit`, as far as it has these entries. The state machine is
/// restored from the newest snapshot. False if no server can be made from what is durable that goes on where its machine is.
[[nodiscard]] constexpr bool lose_power(Replica& replica, std::size_t kept, Index commit = Index{})
{
    flush(replica, kept);
    replica.writes.clear();
    replica.sealed.clear();
    replica.wanted.clear();
    replica.armed = 0;
    replica.file = replica.disk.received ? SnapshotReception{replica.disk.received->snapshot,
                                                             replica.disk.received->snapshot.bytes, Term{}}
                                         : SnapshotReception{};
    restore_from_received(replica);
    auto recovered = replica.disk;
    auto const [newest, previous] = newest_of(replica.configurations);
    recovered.configuration = newest;
    recovered.previous_configuration = previous;
    recovered.commit_index = std::min(commit, recovered.log.last().index);
    recovered.applied_index = replica.snapshot.last.index;
    recovered.reception = replica.file;
    auto restarted = core::recover(replica.state.settings, replica.state.own, recovered);
    if (not restarted.has_value() or restarted->apply_index != recovered.applied_index)
        return false;
    replica.state = *std::move(restarted);
    return true;
}

/// The invariant of a server and its disk that is violated, whatever happened to it.
[[nodiscard]] constexpr std::optional<std::string_view> find_broken_invariant(Replica const& replica)
{
    if (replica.state.fault)
        return replica.state.fault.condition;
    if (auto const broken = find_broken_invariant(replica.state))
        return broken;
    if (replica.state.writes.durable_index > replica.disk.log.last().index or
        not agree_through(replica.state.log, replica.disk.log, replica.state.writes.durable_index))
        return "what a server takes for durable is durable";
    if (configurations_of(replica).back() != replica.state.configurations.in_force)
        return "the configuration in force is the newest in the log";
    auto const& received = replica.disk.received;
    auto const  reaches = std::max(replica.snapshot.last.index, received ? received->snapshot.last.index : Index{});
    if (replica.disk.log.base().index > reaches)
        return "what a log has forgotten is in a durable snapshot";
    return std::nullopt;
}

/// Names the promise of a message that leaves now, if a loss of power would break it. What left in an older term than that of
/// the disk was checked when it left.
[[nodiscard]] constexpr std::optional<std::string_view>
find_broken_promise(Replica const& replica, InFlight const& message)
{
    auto const& disk = replica.disk;
    if (auto const* response = std::get_if<RequestVoteResponse>(&message.rpc);
        response != nullptr and response->vote_granted) {
        if (disk.current_term < response->term)
            return "a granted vote is durable when it leaves";
        if (disk.current_term == response->term and disk.voted_for != message.to)
            return "a server gives one vote in a term, and it is durable when it leaves";
    }
    if (auto const* request = std::get_if<RequestVote>(&message.rpc);
        request != nullptr and (disk.current_term < request->term or
                                (disk.current_term == request->term and disk.voted_for != replica.state.own.id)))
        return "a candidate's own vote is durable when its request leaves";
    if (auto const* response = std::get_if<InstallSnapshotResponse>(&message.rpc);
        response != nullptr and disk.current_term == response->term and disk.log.last().index < response->match)
        return "what a snapshot's answer promises is durable when it leaves";
    return std::nullopt;
}

} // namespace totora::inline v0::testing
