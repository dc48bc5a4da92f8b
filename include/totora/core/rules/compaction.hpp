// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/rules/snapshot_flow.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"

#include <variant>

namespace totora::inline v0::core
{

// §7: what was applied need not be kept, once the state machine can be brought back without it.

/// Whether the log may begin after an entry.
///
/// The boundary names the configurations in force there. Where these are forgotten, a later index will do.
[[nodiscard]] constexpr Decision decide_compaction(State const& state, SnapshotTaken const& taken)
{
    if (taken.index <= state.log.base().index or taken.index > state.apply_index or
        not configurations_at(state.configurations, taken.index))
        return Decision::compaction_refused;
    return Decision::log_compacted;
}

/// Whether the log can no longer go on from the snapshot that a follower is sent.
[[nodiscard]] constexpr bool is_outrun(State const& state, Progress const& progress)
{
    auto const* const sending = std::get_if<SendSnapshot>(&progress.mode);
    return sending != nullptr and sending->is_known() and sending->snapshot.last.index < state.log.base().index;
}

constexpr void receive(State& state, Outgoing& outgoing, SnapshotTaken const& taken)
{
    auto const decision = decide_compaction(state, taken);
    note(outgoing, decision);
    if (decision != Decision::log_compacted)
        return;
    compact(state, outgoing, {*state.log.term_at(taken.index), taken.index});
    for (auto& progress : state.followers)
        if (is_outrun(state, progress))
            restart_snapshot(state, outgoing, progress);
}

} // namespace totora::inline v0::core
