// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"

#include <cstdint>
#include <utility>

/// How tests make snapshots, and servers whose logs are compacted.
namespace totora::test
{

/// A snapshot up to an entry.
[[nodiscard]] constexpr SnapshotId
snapshot_at(Term term, Index index, std::uint64_t bytes = 10, std::uint64_t checksum = 7)
{
    return {.last = {term, index}, .bytes = bytes, .checksum = checksum};
}

[[nodiscard]] constexpr InstallSnapshot
chunk_of(Term term, SnapshotId const& snapshot, std::uint64_t offset, std::uint64_t bytes)
{
    return {.term = term, .snapshot = snapshot, .offset = offset, .bytes = bytes};
}

/// All of it in one chunk.
[[nodiscard]] constexpr InstallSnapshot whole(Term term, SnapshotId const& snapshot)
{
    return chunk_of(term, snapshot, 0, snapshot.bytes);
}

/// A follower's log holds what the leader's is based on, or nothing is promised yet.
[[nodiscard]] constexpr InstallSnapshotResponse
answer_about(Term term, SnapshotId const& snapshot, std::uint64_t next, Index match = {})
{
    return {.term = term, .snapshot = snapshot, .next = next, .match = match};
}

/// The same server when everything up to `commit` is committed and applied.
[[nodiscard]] constexpr State applied(State state, Index commit)
{
    state.commit_index = commit;
    state.apply_index = commit;
    return state;
}

/// The same server when everything up to `base` is applied and compacted, durably.
[[nodiscard]] constexpr State compacted(State state, Index base)
{
    if (state.apply_index < base)
        state = applied(std::move(state), base);
    state = step(std::move(state), local(SnapshotTaken{base})).state;
    return step(state, persisted(state)).state;
}

/// A snapshot that was received, with the configuration of `voters`.
[[nodiscard]] constexpr SnapshotReceived received(SnapshotId const& snapshot, std::uint64_t voters = 3)
{
    return {.snapshot = snapshot, .configurations = {cluster(voters), cluster(voters)}};
}

/// A follower of S1 that has received all of a snapshot, and not yet verified it.
[[nodiscard]] constexpr State receiving(State state, SnapshotId const& snapshot)
{
    auto const term = state.current_term;
    return step(std::move(state), from(S1, whole(term, snapshot))).state;
}

/// A leader of a term after `state`'s that sends S2 this snapshot.
[[nodiscard]] constexpr State sending(State state, SnapshotId const& snapshot)
{
    state = leader(std::move(state));
    auto const number = progress_of(state, S2).sent.value;
    auto const probe = progress_of(state, S2).next;
    state = step(state, from(S2, AppendEntriesResponse{.term = state.current_term,
                                                       .success = false,
                                                       .match = Index{probe.value - 2},
                                                       .conflict_hint = {},
                                                       .round = {},
                                                       .number = AppendNumber{number}}))
                .state;
    return step(state, local(ChunkReady{S2, snapshot, 0, 1})).state;
}

[[nodiscard]] constexpr SendSnapshot const* sent_snapshot(State const& leader, ServerId follower)
{
    return std::get_if<SendSnapshot>(&progress_of(leader, follower).mode);
}

} // namespace totora::test
