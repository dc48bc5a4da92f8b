// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/leading.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>

namespace totora::inline v0::laws
{

// §7, the leader's side: who is sent a snapshot, and what of it.

/// The chunk that a step wants for a follower, or null.
[[nodiscard]] constexpr ChunkWanted const* chunk_wanted(Outgoing const& outgoing, ServerId follower)
{
    for (auto const& wanted : outgoing.chunks_wanted)
        if (wanted.server == follower)
            return &wanted;
    return nullptr;
}

/// Whether all of a snapshot is at the follower.
[[nodiscard]] constexpr bool is_all_there(SendSnapshot const& sending)
{
    return sending.snapshot.last.index > Index{} and sending.received == sending.snapshot.bytes;
}

/// All that a leader sends of snapshots in any step.
constexpr void check_chunk_sent(Step const& step, ServerId to, InstallSnapshot const& chunk, StepVerdict& verdict)
{
    auto const& state = step.after;
    auto const* progress = progress_of(state, to);
    auto const* sending = progress != nullptr ? std::get_if<SendSnapshot>(&progress->mode) : nullptr;
    verdict.expect(chunk.term == state.current_term and sending != nullptr and sending->snapshot == chunk.snapshot,
                   "chunks go from leaders to followers that need them");
    verdict.expect(chunk.snapshot.last.index >= state.log.base().index and
                       state.log.term_at(chunk.snapshot.last.index) == chunk.snapshot.last.term,
                   "a snapshot reaches into the log, so that entries can follow it");
    verdict.expect(progress == nullptr or (not progress->link_full and not progress->no_room),
                   "no chunk goes to a follower that cannot take it");
}

/// What must hold of what a leader sends next to a follower.
constexpr void check_source(Step const& step, StepVerdict& verdict)
{
    for (auto const& wanted : step.outgoing.chunks_wanted) {
        auto const* progress = progress_of(step.after, wanted.server);
        auto const* sending = progress != nullptr ? std::get_if<SendSnapshot>(&progress->mode) : nullptr;
        verdict.expect(sending != nullptr and wanted.snapshot == sending->snapshot and
                           wanted.offset == sending->received and not is_all_there(*sending) and
                           wanted.at_least == step.after.log.base().index,
                       "of the chunks of a snapshot that is wanted which the follower lacks");
    }
    for (auto const& progress : step.after.followers) {
        auto const* earlier = progress_of(step.before, progress.server);
        auto const  was_sent = earlier != nullptr and std::holds_alternative<SendSnapshot>(earlier->mode);
        auto const* sending = std::get_if<SendSnapshot>(&progress.mode);
        verdict.expect(
            sending == nullptr or was_sent or
                (progress.next <= step.after.log.base().index and is_noted(step.outgoing, Decision::snapshot_needed)),
            "a follower is sent a snapshot when what it needs is compacted, and only then");
        verdict.expect(sending == nullptr or sending->snapshot.last.index == Index{} or
                           sending->snapshot.last.index >= step.after.log.base().index,
                       "a snapshot that the log has left behind is not sent any further");
        verdict.expect(sending == nullptr or was_sent or progress.link_full or progress.no_room or
                           chunk_wanted(step.outgoing, progress.server) != nullptr,
                       "a follower that begins to be sent a snapshot needs a chunk");
    }
}

constexpr void check(Step const& step, ChunkReady const& chunk, StepVerdict& verdict)
{
    auto const* earlier = progress_of(step.before, chunk.server);
    auto const* sending = earlier != nullptr ? std::get_if<SendSnapshot>(&earlier->mode) : nullptr;
    auto const& last = chunk.snapshot.last;
    auto const& log = step.before.log;
    auto const  is_whole =
        chunk.bytes > 0 and chunk.offset < chunk.snapshot.bytes and chunk.bytes <= chunk.snapshot.bytes - chunk.offset;
    auto const is_wanted = sending != nullptr and not earlier->link_full and not earlier->no_room and is_whole and
                           last.index >= log.base().index and last.index <= step.before.commit_index and
                           log.term_at(last.index) == last.term and last.index >= sending->snapshot.last.index;
    if (not is_wanted)
        return verdict.expect(changes_nothing(step) and is_noted(step.outgoing, Decision::chunk_unwanted),
                              "a chunk that nobody needs is not sent");
    auto const* sent = only_message<InstallSnapshot>(step.outgoing, chunk.server);
    verdict.expect(sent != nullptr and sent->snapshot == chunk.snapshot and sent->offset == chunk.offset and
                       sent->bytes == chunk.bytes,
                   "a chunk that is needed is sent");
    verdict.expect(is_noted(step.outgoing, Decision::transfer_restarted) ==
                       (sending->snapshot.last.index > Index{} and sending->snapshot != chunk.snapshot),
                   "a snapshot that takes the place of another is noted");
}

constexpr void check(Step const& step, InstallSnapshotResponse const& response, StepVerdict& verdict)
{
    auto const [earlier, progress] = check_answer(step, response.term, verdict);
    if (progress == nullptr)
        return;
    verdict.expect(progress->recently_active and progress->acknowledged and progress->moving,
                   "a follower that receives a snapshot is recently active");
    verdict.expect(progress->match == std::max(earlier->match, response.match),
                   "a follower has what its answer about a snapshot promises, and no less than before");
    verdict.expect(progress->round == earlier->round and progress->no_room == earlier->no_room,
                   "an answer about a snapshot is about nothing else");
    auto const* was = std::get_if<SendSnapshot>(&earlier->mode);
    auto const* is = std::get_if<SendSnapshot>(&progress->mode);
    if (was == nullptr)
        return;
    auto const is_based = progress->match >= step.after.log.base().index;
    verdict.expect((is == nullptr) == is_based, "a follower that has what the log begins with is sent entries");
    if (is == nullptr or was->snapshot != response.snapshot or was->snapshot.last.index == Index{})
        return;
    auto const is_over = progress->match >= response.snapshot.last.index;
    verdict.expect(is_over ? is->snapshot == SnapshotId{} and is_noted(step.outgoing, Decision::transfer_restarted)
                           : is->snapshot == was->snapshot and is->received == response.next,
                   "a leader goes on where a follower is, and with another snapshot if one is not enough");
    verdict.expect(is_over or progress->link_full or progress->no_room or is_all_there(*is) or
                       chunk_wanted(step.outgoing, step.from) != nullptr,
                   "what a follower needs next of a snapshot is wanted");
}

/// A heartbeat alarm asks a follower that is sent a snapshot what it has of it, if it answered nothing.
constexpr void check_questions_about_chunks(Step const& step, StepVerdict& verdict)
{
    for (auto const& progress : step.before.followers) {
        auto const* sending = std::get_if<SendSnapshot>(&progress.mode);
        auto        questions = std::size_t{0};
        for (auto const& envelope : step.outgoing.messages) {
            auto const* chunk = std::get_if<InstallSnapshot>(&envelope.rpc());
            if (chunk == nullptr or envelope.to() != progress.server)
                continue;
            ++questions;
            verdict.expect(chunk->bytes == 0 and sending != nullptr and chunk->offset == sending->received,
                           "a heartbeat alarm sends no chunk");
        }
        auto const asks =
            sending != nullptr and not progress.acknowledged and not progress.link_full and not progress.no_room;
        auto const is_known = sending != nullptr and sending->snapshot.last.index > Index{};
        verdict.expect(questions == (asks and is_known ? 1U : 0U),
                       "a leader asks about chunks that nobody has answered, and about nothing else");
        verdict.expect(not asks or is_known or chunk_wanted(step.outgoing, progress.server) != nullptr,
                       "a leader without a chunk asks for one");
    }
}

} // namespace totora::inline v0::laws
