// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/quorum.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace totora::inline v0::core
{

/// Hands the state machine what is committed and durable here (Figure 2, "All Servers"); a snapshot that took the place of entries
/// that it was not given, once that is durable (Figure 13, step 8).
///
/// Differs: Figure 2 applies what is committed. A machine ahead of its own log could not be brought back after a power loss.
constexpr void advance_apply(State& state, Outgoing& outgoing)
{
    auto const through = std::min(state.commit_index, state.writes.durable_index);
    if (through <= state.apply_index)
        return;
    TOTORA_INVARIANT(state, through <= last_index(state)); // What is durable here and committed is in this log.
    auto const base = state.log.base();
    if (state.apply_index < base.index) {
        if (through < base.index)
            return;
        outgoing.restore = std::optional<LogPosition>{base};
        state.apply_index = base.index;
        if (through == base.index)
            return;
    }
    state.apply_index = through;
    outgoing.apply_through = std::optional<Index>{through};
}

/// Everything up to `index` is committed. Never goes back.
constexpr void advance_commit_to(State& state, Outgoing& outgoing, Index index)
{
    TOTORA_INVARIANT(state, index <= last_index(state));
    state.commit_index = std::max(state.commit_index, index);
    advance_apply(state, outgoing);
}

/// The highest index that a majority has durably. The leader counts itself like any other (dissertation §10.2.1).
[[nodiscard]] constexpr Index highest_replicated(State const& state)
{
    return quorum_index(state.configurations.in_force, Index{}, [&](ServerId server) {
        if (server == state.own.id)
            return state.writes.durable_index;
        auto const* progress = find_progress(state, server);
        return progress != nullptr ? progress->match : Index{};
    });
}

/// Figure 2, "Leaders", last rule; §5.4.2: counting copies commits only entries of the leader's own term. Earlier ones
/// are committed by what follows them.
constexpr void advance_commit_index(State& state, Outgoing& outgoing)
{
    if (state.commit_index == last_index(state))
        return;
    auto const replicated = highest_replicated(state);
    if (replicated > state.commit_index and state.log.term_at(replicated) == state.current_term)
        advance_commit_to(state, outgoing, replicated);
}

} // namespace totora::inline v0::core
