// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/appending.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>

namespace totora::inline v0::laws
{

// §7, the follower's side: Figure 13; and what a server makes of a snapshot of its own.

/// Whether a snapshot brings a server entries: the last of them is neither committed there nor in its log.
[[nodiscard]] constexpr bool brings_entries(State const& state, SnapshotId const& snapshot)
{
    return snapshot.last.index > state.commit_index and state.log.term_at(snapshot.last.index) != snapshot.last.term;
}

/// The one write of a kind that a step makes, or null.
template <typename Kind>
[[nodiscard]] constexpr Kind const* only_write(Outgoing const& outgoing)
{
    return outgoing.writes.size() == 1 ? std::get_if<Kind>(&outgoing.writes[0]) : nullptr;
}

/// The answer to a leader, if there is one to answer: what is needed next, and what is promised.
constexpr void check_snapshot_answer(Step const& step, ServerId leader, SnapshotId const& snapshot, std::uint64_t next,
                                     Index match, StepVerdict& verdict)
{
    if (leader == nobody)
        return verdict.expect(step.outgoing.messages.empty(), "where nobody leads nobody is answered");
    auto const* response = only_message<InstallSnapshotResponse>(step.outgoing, leader);
    verdict.expect(response != nullptr and response->term == step.after.current_term and response->snapshot == snapshot,
                   "an answer names the term and the snapshot");
    verdict.expect(response == nullptr or (response->next == next and response->match == match),
                   "a follower reports what it needs next of a snapshot, and what it has");
}

[[nodiscard]] constexpr ServerId leader_of(State const& state)
{
    auto const* follower = std::get_if<Follower>(&state.role);
    return follower != nullptr ? follower->leader : nobody;
}

/// A snapshot that brings nothing (cases 25 and 107).
constexpr void check_superseded(Step const& step, ServerId leader, SnapshotId const& snapshot, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const  is_news = snapshot.last.index > before.commit_index;
    verdict.expect(step.after.log == before.log and not step.outgoing.store_chunk and
                       step.after.configurations == before.configurations,
                   "a snapshot that brings nothing leaves the log as it is");
    verdict.expect(step.after.commit_index == std::max(before.commit_index, snapshot.last.index),
                   "what a snapshot stands for is committed");
    check_snapshot_answer(step, leader, snapshot, snapshot.bytes,
                          is_news ? snapshot.last.index : std::min(before.commit_index, before.writes.durable_index),
                          verdict);
}

/// A chunk of a snapshot that a follower lacks.
constexpr void check_chunk(Step const& step, InstallSnapshot const& chunk, StepVerdict& verdict)
{
    auto const& earlier = step.before.reception;
    auto const& later = step.after.reception;
    auto const& stored = step.outgoing.store_chunk;
    verdict.expect(step.after.log == step.before.log and step.after.commit_index == step.before.commit_index and
                       step.after.configurations == step.before.configurations,
                   "a snapshot changes nothing before it is whole");
    auto const is_late = earlier.snapshot.last.index > chunk.snapshot.last.index and earlier.term == chunk.term;
    if (is_late or step.before.room != LogRoom::enough)
        return verdict.expect(step.outgoing.messages.empty() and not stored and later == earlier,
                              "a chunk that is late, or has no room, is dropped");
    auto const had = earlier.snapshot == chunk.snapshot ? earlier.received : 0;
    auto const follows = chunk.offset == had and chunk.bytes > 0;
    auto const has = follows ? had + chunk.bytes : had;
    verdict.expect(later.snapshot == chunk.snapshot and later.received == has and later.term == chunk.term,
                   "the chunks of one snapshot are received in order");
    verdict.expect(stored.has_value() == follows and
                       (not stored or *stored == StoreChunk{chunk.snapshot, chunk.offset, chunk.bytes}),
                   "what is received is stored where it belongs, and nothing else is");
    check_snapshot_answer(step, step.from, chunk.snapshot, has, Index{}, verdict);
}

constexpr void check(Step const& step, InstallSnapshot const& chunk, StepVerdict& verdict)
{
    auto const& before = step.before;
    if (chunk.term < before.current_term) {
        auto const* response = only_message<InstallSnapshotResponse>(step.outgoing, step.from);
        verdict.expect(before == step.after and step.outgoing.writes.empty() and not step.outgoing.store_chunk,
                       "a chunk of an older term changes nothing");
        return verdict.expect(response != nullptr and
                                  *response == InstallSnapshotResponse{before.current_term, {}, 0, {}},
                              "a chunk of an older term is answered with the newer one, and with nothing else");
    }
    if (check_newer_term(step, chunk.term, true, verdict))
        return;
    verdict.expect(leader_of(step.after) == step.from and step.after.leader_recently_active and
                       is_armed_by(step.outgoing, Alarm::election) and is_armed_by(step.outgoing, Alarm::leader_silent),
                   "a chunk is a message of the leader, which is followed");
    verdict.expect(chunk.term > before.current_term ? not step.after.voted_for
                                                    : step.after.voted_for == before.voted_for,
                   "a chunk changes no vote in its term");
    if (brings_entries(before, chunk.snapshot))
        check_chunk(step, chunk, verdict);
    else
        check_superseded(step, step.from, chunk.snapshot, verdict);
}

/// A snapshot in place of the log.
constexpr void check_install(Step const& step, SnapshotReceived const& received, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const& after = step.after;
    auto const  last = received.snapshot.last;
    auto const* install = only_write<Install>(step.outgoing);
    verdict.expect(install != nullptr and install->snapshot == received.snapshot and
                       install->write == after.writes.last,
                   "a snapshot that is installed is written");
    verdict.expect(after.log.base() == last and after.log.last() == last,
                   "a log begins and ends with the snapshot that is installed");
    verdict.expect(after.configurations == received.configurations, "configurations come with a snapshot");
    verdict.expect(after.commit_index == last.index, "what a snapshot stands for is committed");
    verdict.expect(after.writes.durable_index == std::min(before.writes.durable_index, before.commit_index) and
                       after.writes.pending.size() == 1,
                   "of a log that a snapshot replaces what is committed stays durable");
    verdict.expect(after.current_term == before.current_term and after.voted_for == before.voted_for,
                   "a snapshot changes no term and no vote");
    verdict.expect(is<Follower>(after) and leader_of(after) == leader_of(before),
                   "who asked for votes with a log that is gone asks no more");
    verdict.expect(after.reception == SnapshotReception{}, "what is installed is received no more");
    check_snapshot_answer(step, leader_of(before), received.snapshot, received.snapshot.bytes, last.index, verdict);
}

/// What was received is of no use.
constexpr void check_received_again(Step const& step, StepVerdict& verdict)
{
    auto expected = step.before;
    expected.reception.received = 0;
    verdict.expect(step.after == expected and step.outgoing.writes.empty(),
                   "a snapshot that is damaged is received again, and changes nothing");
    check_snapshot_answer(step, leader_of(step.before), expected.reception.snapshot, 0, Index{}, verdict);
}

constexpr void check(Step const& step, SnapshotReceived const& received, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const& reception = before.reception;
    if (reception.snapshot.last.index == Index{} or reception.snapshot != received.snapshot or
        reception.received != received.snapshot.bytes)
        return verdict.expect(changes_nothing(step), "only what was received whole is installed");
    auto const& [in_force, previous] = received.configurations;
    auto const names_servers = [](Configuration const& configuration) { return is_sound(configuration); };
    auto const takes_back =
        received.snapshot.last.index > before.commit_index and not cover(in_force.agreed, agreed(before));
    if (not names_servers(in_force) or not names_servers(previous) or previous.index > in_force.index or
        in_force.index > received.snapshot.last.index or takes_back)
        return check_received_again(step, verdict);
    if (brings_entries(before, received.snapshot))
        check_install(step, received, verdict);
    else
        check_superseded(step, leader_of(before), received.snapshot, verdict);
}

constexpr void check(Step const& step, SnapshotDamaged const& damaged, StepVerdict& verdict)
{
    auto const& reception = step.before.reception;
    if (reception.snapshot.last.index == Index{} or reception.snapshot != damaged.snapshot)
        return verdict.expect(changes_nothing(step), "only what is received can be damaged");
    check_received_again(step, verdict);
}

/// What is applied may be forgotten, where the configurations in force are known (case 31).
constexpr void check(Step const& step, SnapshotTaken const& taken, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const& after = step.after;
    auto const  may = taken.index > before.log.base().index and taken.index <= before.apply_index and
                     taken.index >= before.configurations.previous.index;
    if (not may)
        return verdict.expect(changes_nothing(step), "only what is applied is compacted");
    auto const  base = LogPosition{before.log.term_at(taken.index).value_or(Term{}), taken.index};
    auto const* compact = only_write<Compact>(step.outgoing);
    verdict.expect(compact != nullptr and compact->base == base and compact->write == after.writes.last,
                   "what is compacted is written");
    verdict.expect(after.log.base() == base and after.log.last() == before.log.last() and
                       after.log.term_at(next(taken.index)) == before.log.term_at(next(taken.index)),
                   "a compacted log begins after what is applied, and is the same from there");
    verdict.expect(after.writes.durable_index == before.writes.durable_index and
                       after.commit_index == before.commit_index and after.apply_index == before.apply_index and
                       after.configurations == before.configurations and step.outgoing.messages.empty(),
                   "compaction changes nothing else");
}

/// A state machine that lacks what is compacted is restored before it is given more.
constexpr void check_machine(Step const& step, StepVerdict& verdict)
{
    auto const& after = step.after;
    auto const  earlier = step.before.apply_index;
    auto const  base = after.log.base();
    auto const  safe = std::min(after.commit_index, after.writes.durable_index);
    auto const  releasable = earlier < base.index and safe < base.index ? earlier : std::max(earlier, safe);
    auto const  is_news = step.before.commit_index != after.commit_index or
                         step.before.writes.durable_index != after.writes.durable_index;
    verdict.expect(after.apply_index == releasable or (not is_news and after.apply_index == earlier),
                   "what is committed and durable here is given to the state machine, at once");
    auto const is_restored = after.apply_index > earlier and earlier < base.index;
    verdict.expect(is_restored ? step.outgoing.restore == base : not step.outgoing.restore,
                   "a state machine that lacks what is compacted is restored once that is durable");
    auto const given = is_restored ? base.index : earlier;
    verdict.expect(after.apply_index == given ? not step.outgoing.apply_through
                                              : step.outgoing.apply_through == after.apply_index,
                   "the state machine is given what the server counts as given");
}

} // namespace totora::inline v0::laws
