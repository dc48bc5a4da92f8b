// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/random/values.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace totora::test
{

/// What has to do with snapshots: messages of other servers and of the shell, plausible and absurd.
class RandomSnapshots : protected RandomValues
{
protected:
    using RandomValues::RandomValues;

    /// The refusal of a follower that has nothing in common with its leader.
    [[nodiscard]] static constexpr AppendEntriesResponse needing(State const& state, Progress const& progress)
    {
        return {.term = state.current_term,
                .success = false,
                .match = before(progress.next),
                .conflict_hint = {},
                .round = {},
                .number = progress.sent};
    }

    /// A leader that is to send a snapshot, if its log is compacted.
    [[nodiscard]] static constexpr State needed_by_a_follower(State leader)
    {
        if (leader.followers.empty())
            return leader;
        auto const refusal = from(leader.followers.front().server, needing(leader, leader.followers.front()));
        return step(std::move(leader), refusal).state;
    }

    [[nodiscard]] constexpr Message any_of_snapshots(State const& state, ServerId sender)
    {
        if (auto const* progress = find_progress(state, sender);
            progress != nullptr and not is_sent_snapshot(*progress) and below(4) == 0)
            return from(sender, needing(state, *progress));
        switch (below(10)) {
        case 0:
        case 1:
        case 2:
            return from(any_leader(state), any_chunk(state));
        case 3:
        case 4:
        case 5:
            return from(any_in_need(state, sender), any_chunk_response(state, any_in_need(state, sender)));
        case 6:
        case 7:
            return local(any_chunk_ready(state, any_in_need(state, sender)));
        case 8:
            return local(any_received(state));
        default:
            if (below(6) == 0)
                return local(SnapshotDamaged{any_snapshot(state)});
            return local(SnapshotTaken{below(3) == 0 ? any_index(state) : Index{any_near(state.apply_index.value)}});
        }
    }

private:
    /// A follower that is sent a snapshot, if there is one.
    [[nodiscard]] static constexpr ServerId any_in_need(State const& state, ServerId otherwise)
    {
        for (auto const& progress : state.followers)
            if (is_sent_snapshot(progress))
                return progress.server;
        return otherwise;
    }

    /// Mostly the one that is received; otherwise of an entry of the log, or of one after it.
    [[nodiscard]] constexpr SnapshotId any_snapshot(State const& state)
    {
        if (state.reception.is_under_way() and below(6) > 0)
            return state.reception.snapshot;
        auto const beyond = LogPosition{state.current_term, last_index(state) + below(6)};
        return {.last = below(2) == 0 ? any_position(state) : beyond,
                .bytes = is_absurd() ? any_extreme() : 1 + below(3),
                .checksum = below(2)};
    }

    [[nodiscard]] constexpr std::uint64_t any_part(std::uint64_t whole)
    {
        return is_absurd() ? any_extreme() : below(std::min<std::uint64_t>(whole, 3) + 1);
    }

    [[nodiscard]] constexpr InstallSnapshot any_chunk(State const& state)
    {
        auto       chunk = InstallSnapshot{.term = any_term(state), .snapshot = any_snapshot(state)};
        auto const received = state.reception.snapshot == chunk.snapshot ? state.reception.received : 0;
        chunk.offset = below(3) > 0 ? received : any_part(chunk.snapshot.bytes);
        auto const rest = chunk.snapshot.bytes - std::min(chunk.snapshot.bytes, chunk.offset);
        chunk.bytes = below(2) == 0 ? rest : any_part(rest);
        return chunk;
    }

    [[nodiscard]] constexpr SnapshotId any_sent(State const& state, ServerId follower)
    {
        auto const* progress = find_progress(state, follower);
        auto const* sending = progress != nullptr ? std::get_if<SendSnapshot>(&progress->mode) : nullptr;
        if (sending != nullptr and sending->is_known() and below(2) == 0)
            return sending->snapshot;
        auto const index = Index{std::max(state.log.base().index.value, any_near(state.commit_index.value))};
        auto       sent = any_snapshot(state);
        if (not is_absurd())
            sent.last = {state.log.term_at(index).value_or(state.current_term), index};
        return sent;
    }

    [[nodiscard]] constexpr InstallSnapshotResponse any_chunk_response(State const& state, ServerId sender)
    {
        auto response = InstallSnapshotResponse{};
        response.term = any_term(state);
        response.snapshot = any_sent(state, sender);
        response.next = any_part(response.snapshot.bytes);
        if (below(4) == 0)
            response.next = response.snapshot.bytes;
        if (below(4) == 0)
            response.match = below(2) == 0 ? response.snapshot.last.index : any_index(state);
        return response;
    }

    [[nodiscard]] constexpr ChunkReady any_chunk_ready(State const& state, ServerId sender)
    {
        auto chunk = ChunkReady{.server = sender, .snapshot = any_sent(state, sender)};
        chunk.offset = any_part(chunk.snapshot.bytes);
        chunk.bytes = any_part(chunk.snapshot.bytes - std::min(chunk.snapshot.bytes, chunk.offset));
        return chunk;
    }

    [[nodiscard]] constexpr SnapshotReceived any_received(State const& state)
    {
        auto       received = SnapshotReceived{.snapshot = any_snapshot(state), .configurations = state.configurations};
        auto const last = received.snapshot.last.index;
        if (below(3) == 0)
            received.configurations.in_force =
                any_configuration(state, Index{below(std::min<std::uint64_t>(last.value, 8) + 1)});
        if (below(6) == 0)
            received.configurations.previous = any_configuration(state, Index{});
        return received;
    }
};

} // namespace totora::test
