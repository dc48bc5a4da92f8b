// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/step.hpp"
#include "totora/testing/explore/fields.hpp"
#include "totora/testing/explore/scope.hpp"
#include "totora/testing/explore/snapshot_contents.hpp"
#include "totora/testing/laws/step.hpp"
#include "totora/testing/replica.hpp"

#include <range/v3/algorithm/find.hpp>
#include <range/v3/algorithm/sort.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

using testing::bit_of;
using testing::InFlight;
using testing::number_of;
using testing::Replica;

/// The configurations that come with a snapshot are those of the exploration; where members change, they are in it.
template <typename Walker>
void walk_snapshots(Walker& walker, Replica& server)
{
    auto received = server.disk.received ? std::optional<SnapshotId>{server.disk.received->snapshot} : std::nullopt;
    walk(walker, received);
    if constexpr (Walker::reads) {
        server.disk.received = std::nullopt;
        if (received)
            server.disk.received = SnapshotReceived{
                *received, walker.walks_configurations() ? configurations_in(*received) : server.state.configurations};
    }
    walk(walker, server.snapshot);
    walk(walker, server.file);
    walk(walker, server.wanted);
}

template <typename Walker>
void walk(Walker& walker, Replica& server)
{
    walk(walker, server.state);
    walker.number(server.disk.current_term.value);
    walk_optional(walker, server.disk.voted_for, [&](ServerId& voted_for) { walker.server(voted_for); });
    walk(walker, server.disk.log);
    walk_snapshots(walker, server);
    auto writes = std::uint64_t{server.writes.size()};
    walker.number(writes);
    server.writes.resize(static_cast<std::size_t>(writes));
    for (auto& pending : server.writes) {
        walk_variant(walker, pending.write);
        if constexpr (Walker::reads)
            pending.boundary = testing::boundary_in(server.state, pending.write);
        if (walker.walks_configurations()) {
            walk(walker, pending.configuration);
            walk(walker, pending.boundary);
        }
    }
    if (walker.walks_configurations())
        walk(walker, server.configurations);
    walk_all(walker, server.sealed);
    walker.number(server.armed);
}

/// Followers are in order of their ids, and what waits for one write in any: the network forgets the order anyway.
inline void put_in_order(Replica& server)
{
    ranges::sort(server.state.followers, {}, &Progress::server);
    ranges::sort(server.wanted, {}, &ChunkWanted::server);
    auto const bytes_of = [](Envelope envelope) {
        auto bytes = std::string{};
        auto writer = Writer{bytes};
        walk(writer, envelope);
        return bytes;
    };
    ranges::sort(server.sealed, {}, bytes_of);
}

/// The effects of an event on one server beyond that server.
struct Consequences
{
    std::vector<InFlight>           left;
    std::optional<Round>            read_started;
    std::optional<ReadAllowed>      read_allowed;
    std::optional<std::string_view> broken; ///< The property that is violated.
};

/// Checks whether the promises in what has left since `first` are durable.
inline void check_promises(Replica const& server, std::size_t first, Consequences& consequences)
{
    for (auto at = first; at < consequences.left.size() and not consequences.broken; ++at)
        consequences.broken = testing::find_broken_promise(server, consequences.left[at]);
}

/// One step of the shipped core, with its effects performed and its invariants checked.
template <typename T>
void happen(Replica& server, ServerId from, T const& event, Outgoing& outgoing, Consequences& consequences)
{
    auto const earlier = server.state;
    auto const left_before = consequences.left.size();
    core::advance(server.state, from, event, outgoing);
    consequences.broken = testing::find_broken_effect(server, outgoing);
    testing::perform(server, outgoing, consequences.left, testing::configuration_of(event));
    if (outgoing.answer)
        if (auto const* started = std::get_if<ReadStarted>(&*outgoing.answer))
            consequences.read_started = started->round;
    if (outgoing.read_allowed)
        consequences.read_allowed = outgoing.read_allowed;
    for (auto const decision : outgoing.decisions)
        if (is_violation(decision))
            consequences.broken = to_string(decision);
    if (not consequences.broken)
        consequences.broken = testing::find_broken_invariant(server);
    if (not consequences.broken)
        consequences.broken = find_broken_invariant(earlier, server.state);
    if (not consequences.broken)
        consequences.broken = laws::find_violated_law(earlier, from, event, server.state, outgoing);
    check_promises(server, left_before, consequences);
}

/// A message arrives, each part of it in a step.
inline void deliver(Replica& server, InFlight const& message, Outgoing& outgoing, Consequences& consequences)
{
    testing::for_each_part(message, [&](auto const& part) {
        if (not consequences.broken)
            happen(server, message.from, part, outgoing, consequences);
    });
}

/// A leader is asked for these members, in place of those that are in force.
[[nodiscard]] inline ChangeRequested change_to(State const& leader, Members const& target, bool forced)
{
    return {.expected = leader.configurations.in_force.index, .target = target, .forced = forced};
}

/// The newest arming of an alarm rings; it rings once.
inline void ring(Replica& server, Alarm alarm, Outgoing& outgoing, Consequences& consequences)
{
    server.armed = static_cast<std::uint8_t>(server.armed & ~bit_of(alarm));
    happen(server, nobody, testing::newest_ring(server.state, alarm), outgoing, consequences);
}

/// The oldest `count` writes become durable, and what waited for them leaves.
inline void persist(Replica& server, std::size_t count, Outgoing& outgoing, Consequences& consequences)
{
    auto const write = number_of(server.writes[count - 1].write);
    testing::flush(server, count);
    testing::release(server, write, consequences.left);
    check_promises(server, 0, consequences);
    happen(server, nobody, Persisted{write}, outgoing, consequences);
}

/// A snapshot of what is applied is durable. That it was not, a crash before this shows.
inline void take_snapshot(Replica& server, Scope const& scope, Outgoing& outgoing, Consequences& consequences)
{
    auto const taken = has_changes(scope) ? snapshot_of_members(server.state, scope.snapshot_bytes)
                                          : testing::snapshot_of(server.state, scope.snapshot_bytes);
    if (not taken)
        return;
    server.snapshot = *taken;
    happen(server, nobody, SnapshotTaken{server.state.apply_index}, outgoing, consequences);
}

/// The chunk that a follower needs is at hand: one byte of the newest snapshot.
[[nodiscard]] inline ChunkReady take_chunk(Replica& server, ServerId follower)
{
    auto const wanted = ranges::find(server.wanted, follower, &ChunkWanted::server);
    auto const offset = wanted->snapshot == server.snapshot ? wanted->offset : 0;
    server.wanted.erase(wanted);
    return {.server = follower, .snapshot = server.snapshot, .offset = offset, .bytes = 1};
}

/// The snapshot that was received is verified and durable, or damaged.
inline void
finish_file(Replica& server, Scope const& scope, bool is_damaged, Outgoing& outgoing, Consequences& consequences)
{
    if (not is_damaged) {
        auto const configurations =
            has_changes(scope) ? configurations_in(server.file.snapshot) : server.state.configurations;
        return happen(server, nobody, testing::verify(server, configurations), outgoing, consequences);
    }
    auto const damaged = SnapshotDamaged{server.file.snapshot};
    server.file.received = 0;
    server.disk.received.reset();
    happen(server, nobody, damaged, outgoing, consequences);
}

/// The power fails and returns, when the oldest `kept` of the writes in flight had reached the disk.
inline void
crash(Replica& server, std::size_t kept, bool commit_is_saved, Outgoing& outgoing, Consequences& consequences)
{
    if (testing::lose_power(server, kept, commit_is_saved ? server.state.commit_index : Index{}))
        happen(server, nobody, Started{}, outgoing, consequences);
    else
        consequences.broken = "what was durable makes a server";
}

/// What an exploration begins with on a server's disk, and what is known of it: of one of the first members, or nothing of a joiner.
struct FirstDisk
{
    RecoveredState disk;
    RecoveredState saved;
};

[[nodiscard]] inline FirstDisk first_disk(Scope const& scope, bool is_member)
{
    auto members = Configuration{};
    for (auto id = std::uint64_t{1}; id <= voters_of(scope) and is_member; ++id)
        members.members.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
    auto disk = RecoveredState{};
    if (scope.unapplied or (scope.members_in_log and is_member)) {
        disk.current_term = Term{1};
        disk.log.append({Term{1}, Index{1}, 1});
    }
    auto saved = disk;
    saved.configuration = saved.previous_configuration = members;
    if (scope.members_in_log and is_member)
        saved.configuration.index = Index{1};
    if (scope.unapplied)
        saved.commit_index = disk.log.last().index;
    return {disk, saved};
}

/// A server as it begins with this disk, not started.
[[nodiscard]] inline Replica server_on(FirstDisk const& first, Scope const& scope, Member const& own)
{
    auto server = testing::replica_of(*core::recover(settings_of(scope), own, first.saved));
    server.disk = first.disk;
    return server;
}

/// A server as the exploration begins with it, not started: one of the first members, or a joiner, which knows no configuration.
[[nodiscard]] inline Replica blank_server(Scope const& scope, std::size_t position)
{
    auto const own = Member{ServerId{position + 1}, Incarnation{1}, MemberKind::voter};
    return server_on(first_disk(scope, position < voters_of(scope)), scope, own);
}

/// The incarnation of a server that has lost its disk. It is drawn at random, and so is none that was before.
[[nodiscard]] constexpr Incarnation incarnation_after(Incarnation earlier) { return Incarnation{earlier.value + 1}; }

/// A server loses its disk, and starts on an empty one.
inline void wipe(Replica& server, Scope const& scope, Outgoing& outgoing, Consequences& consequences)
{
    auto own = server.state.own;
    own.incarnation = incarnation_after(own.incarnation);
    server = server_on(first_disk(scope, false), scope, own);
    happen(server, nobody, Started{}, outgoing, consequences);
}

} // namespace totora::inline v0::explore
