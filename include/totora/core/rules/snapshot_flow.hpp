// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress_flow.hpp"

#include <variant>

namespace totora::inline v0::core
{

// §7, the leader's side: when a follower is sent a snapshot in place of entries. What it makes of the answers is in snapshots.hpp.

/// Whether what a follower needs next is compacted: the entry itself, or that before it, whose term its append would name.
[[nodiscard]] constexpr bool is_compacted(State const& state, Progress const& progress)
{
    return progress.next <= state.log.base().index;
}

/// Asks the shell for the next chunk of what a follower is sent in place of entries, if it can take any.
constexpr void want_chunk(State const& state, Outgoing& outgoing, Progress const& progress)
{
    auto const& sending = *std::get_if<SendSnapshot>(&progress.mode);
    if (progress.link_full or progress.no_room or (sending.is_known() and sending.received == sending.snapshot.bytes))
        return;
    outgoing.chunks_wanted.push_back({.server = progress.server,
                                      .at_least = state.log.base().index,
                                      .snapshot = sending.snapshot,
                                      .offset = sending.received});
}

/// A follower that needs what is compacted is sent a snapshot.
constexpr void begin_snapshot(State const& state, Outgoing& outgoing, Progress& progress)
{
    note_once(outgoing, Decision::snapshot_needed);
    progress.send_snapshot();
    want_chunk(state, outgoing, progress);
}

/// A follower needs another snapshot than the one that it was sent, or has installed.
constexpr void restart_snapshot(State const& state, Outgoing& outgoing, Progress& progress)
{
    note_once(outgoing, Decision::transfer_restarted);
    progress.send_snapshot();
    want_chunk(state, outgoing, progress);
}

/// Begins with a snapshot where it is needed, and ends where the follower has what it would bring. Whether it is sent a snapshot.
constexpr bool is_kept_on_snapshot(State const& state, Outgoing& outgoing, Progress& progress)
{
    if (is_sent_snapshot(progress) and not is_compacted(state, progress))
        progress.probe_after_match();
    else if (not is_sent_snapshot(progress))
        begin_snapshot(state, outgoing, progress);
    return is_sent_snapshot(progress);
}

/// Asks a follower that is sent a snapshot what it has of it: chunks, or their answers, may be lost. As long as none was sent, the
/// shell is asked again.
constexpr void ask_about_chunks(State const& state, Outgoing& outgoing, Progress const& progress)
{
    auto const& sending = *std::get_if<SendSnapshot>(&progress.mode);
    if (not sending.is_known())
        return want_chunk(state, outgoing, progress);
    send(outgoing, progress.server,
         InstallSnapshot{
             .term = state.current_term, .snapshot = sending.snapshot, .offset = sending.received, .bytes = 0},
         Release::at_once());
}

} // namespace totora::inline v0::core
