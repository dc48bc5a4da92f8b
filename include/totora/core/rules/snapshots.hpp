// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/rules/commitment.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/rules/snapshot_flow.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"

#include <algorithm>
#include <cstdint>
#include <variant>

namespace totora::inline v0::core
{

// §7, the follower's side: Figure 13, "InstallSnapshot RPC, receiver implementation"; and what the leader makes of the answers.
//
// A snapshot takes the place of a log that cannot go on without it, and of no other. Its order, across losses of power: the file is
// durable (`SnapshotReceived`), then the boundary of the log (`Install`), then the state machine is restored (`advance_apply`).

/// Whether a snapshot brings a server nothing: what it stands for is committed here, or in the log, of which then nothing is cut
/// (Figure 13, step 6; cases 25 and 107).
[[nodiscard]] constexpr bool is_superseded(State const& state, SnapshotId const& snapshot)
{
    return snapshot.last.index <= state.commit_index or state.log.holds(snapshot.last);
}

/// What a server does with a chunk of its own or an older term.
[[nodiscard]] constexpr Decision decide_chunk(State const& follower, InstallSnapshot const& chunk)
{
    auto const& reception = follower.reception;
    if (chunk.term < follower.current_term)
        return Decision::snapshot_refused_stale_term;
    if (is_superseded(follower, chunk.snapshot))
        return Decision::snapshot_superseded;
    if (lacks_room(follower))
        return Decision::chunk_refused_no_room;
    if (reception.is_newer_than(chunk.snapshot, chunk.term))
        return Decision::chunk_outdated;
    auto const received = reception.snapshot == chunk.snapshot ? reception.received : 0;
    return chunk.bytes > 0 and chunk.offset == received ? Decision::chunk_stored : Decision::chunk_out_of_order;
}

/// Answers a leader about a snapshot. What `match` promises is durable when it leaves (case 33).
constexpr void answer_snapshot(State const& follower, Outgoing& outgoing, ServerId leader, SnapshotId const& snapshot,
                               std::uint64_t next, Index match)
{
    send(outgoing, leader,
         InstallSnapshotResponse{.term = follower.current_term, .snapshot = snapshot, .next = next, .match = match},
         match > Index{} ? once_log_durable(follower, match) : Release::at_once());
}

/// Answers a snapshot that brings nothing with what this server has. What it stands for is committed, also if that is news.
constexpr void supersede(State& follower, Outgoing& outgoing, ServerId leader, SnapshotId const& snapshot)
{
    auto const known = std::min(follower.commit_index, follower.writes.durable_index);
    auto const is_news = snapshot.last.index > follower.commit_index;
    if (is_news)
        advance_commit_to(follower, outgoing, snapshot.last.index);
    if (follower.reception.snapshot.last.index <= follower.commit_index)
        follower.reception = SnapshotReception{};
    if (leader != nobody)
        answer_snapshot(follower, outgoing, leader, snapshot, snapshot.bytes, is_news ? snapshot.last.index : known);
}

/// Stores a chunk that follows what was stored, and answers with what is needed next.
constexpr void
receive_chunk(State& follower, Outgoing& outgoing, ServerId leader, InstallSnapshot const& chunk, Decision decision)
{
    auto& reception = follower.reception;
    reception.receive_from(chunk.snapshot, chunk.term);
    if (decision == Decision::chunk_stored) {
        outgoing.store_chunk = std::optional<StoreChunk>{StoreChunk{chunk.snapshot, chunk.offset, chunk.bytes}};
        reception.received += chunk.bytes;
    }
    answer_snapshot(follower, outgoing, leader, chunk.snapshot, reception.received, Index{});
}

/// Figure 13, "InstallSnapshot RPC, receiver implementation". What has no room is dropped, as if the network had lost it.
constexpr void receive(State& state, Outgoing& outgoing, ServerId leader, InstallSnapshot const& chunk)
{
    auto const decision = decide_chunk(state, chunk);
    note(outgoing, decision);
    if (decision == Decision::snapshot_refused_stale_term)
        return answer_snapshot(state, outgoing, leader, SnapshotId{}, 0, Index{});
    follow(state, outgoing, leader); // A chunk is a message of the leader like any other (case 103).
    if (decision == Decision::snapshot_superseded)
        supersede(state, outgoing, leader, chunk.snapshot);
    else if (decision == Decision::chunk_stored or decision == Decision::chunk_out_of_order)
        receive_chunk(state, outgoing, leader, chunk, decision);
}

/// Whether a log may begin with these configurations after a snapshot.
[[nodiscard]] constexpr bool is_sound(State const& state, SnapshotReceived const& received)
{
    auto const& [in_force, previous] = received.configurations;
    return is_sound(in_force) and is_sound(previous) and previous.index <= in_force.index and
           in_force.index <= received.snapshot.last.index and
           (received.snapshot.last.index <= state.commit_index or cover(in_force.agreed, agreed(state)));
}

/// What was received of a snapshot is of no use: it is received again from its beginning.
constexpr void receive_again(State& state, Outgoing& outgoing)
{
    note(outgoing, Decision::snapshot_damaged);
    state.reception.received = 0;
    if (auto const leader = known_leader(state); leader != nobody)
        answer_snapshot(state, outgoing, leader, state.reception.snapshot, 0, Index{});
}

constexpr void receive(State& state, Outgoing& outgoing, SnapshotDamaged const& damaged)
{
    if (not state.reception.is_under_way() or state.reception.snapshot != damaged.snapshot)
        return note(outgoing, Decision::snapshot_unexpected);
    receive_again(state, outgoing);
}

/// Figure 13, steps 6 to 8. What became of the log meanwhile decides.
constexpr void receive(State& state, Outgoing& outgoing, SnapshotReceived const& received)
{
    auto const& snapshot = received.snapshot;
    if (not state.reception.is_complete() or state.reception.snapshot != snapshot)
        return note(outgoing, Decision::snapshot_unexpected);
    if (not is_sound(state, received))
        return receive_again(state, outgoing);
    auto const leader = known_leader(state);
    if (is_superseded(state, snapshot)) {
        note(outgoing, Decision::snapshot_superseded);
        return supersede(state, outgoing, leader, snapshot);
    }
    note(outgoing, Decision::snapshot_installed);
    if (not std::holds_alternative<Follower>(state.role))
        become_follower(state, outgoing,
                        nobody); // What it asked for votes with is another log than it has from now on.
    install(state, outgoing, received);
    state.reception = SnapshotReception{};
    advance_commit_to(state, outgoing, snapshot.last.index);
    if (leader != nobody)
        answer_snapshot(state, outgoing, leader, snapshot, snapshot.bytes, snapshot.last.index);
}

/// Whether a chunk can be sent to a follower: of a snapshot that its log can go on from, and of none older than it has parts of.
[[nodiscard]] constexpr bool is_wanted(State const& leader, Progress const& progress, ChunkReady const& chunk)
{
    auto const* const sending = std::get_if<SendSnapshot>(&progress.mode);
    if (sending == nullptr or progress.link_full or progress.no_room)
        return false;
    auto const& last = chunk.snapshot.last;
    return chunk.bytes > 0 and has_chunk(chunk.snapshot, chunk.offset, chunk.bytes) and
           last.index >= leader.log.base().index and leader.log.holds(last) and last.index <= leader.commit_index and
           last.index >= sending->snapshot.last.index;
}

constexpr void receive(State& state, Outgoing& outgoing, ChunkReady const& chunk)
{
    auto* const progress = find_progress(state, chunk.server);
    if (progress == nullptr or not is_wanted(state, *progress, chunk))
        return note(outgoing, Decision::chunk_unwanted);
    if (progress->on_chunk_sent(chunk.snapshot))
        note(outgoing, Decision::transfer_restarted);
    send(outgoing, chunk.server,
         InstallSnapshot{
             .term = state.current_term, .snapshot = chunk.snapshot, .offset = chunk.offset, .bytes = chunk.bytes},
         Release::at_once());
}

/// Goes on with a snapshot after an answer about it. One that is installed, and does not reach what is compacted meanwhile, is
/// followed by another.
constexpr void
go_on_with_snapshot(State const& state, Outgoing& outgoing, Progress& progress, SnapshotId const& answered)
{
    auto const& sending = *std::get_if<SendSnapshot>(&progress.mode);
    if (sending.snapshot != answered)
        return;
    if (progress.match < answered.last.index)
        return want_chunk(state, outgoing, progress);
    restart_snapshot(state, outgoing, progress);
}

constexpr void receive(State& state, Outgoing& outgoing, ServerId follower, InstallSnapshotResponse const& response)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    if (leader == nullptr or response.term != state.current_term)
        return note(outgoing, Decision::response_outdated); // Case 102.
    auto* const progress = find_progress(state, follower);
    if (progress == nullptr)
        return note(outgoing, Decision::response_from_non_member);

    assert_progress(state, *progress);
    auto const was_sent_snapshot = is_sent_snapshot(*progress);
    progress->on_chunk_received(response.snapshot, response.next, response.match);
    assert_progress(state, *progress);
    advance_commit_index(state, outgoing);
    confirm_reads(state, outgoing, *leader);
    replicate(state, outgoing, leader->reads.newest, *progress);
    if (was_sent_snapshot and is_sent_snapshot(*progress))
        go_on_with_snapshot(state, outgoing, *progress, response.snapshot);
}

} // namespace totora::inline v0::core
