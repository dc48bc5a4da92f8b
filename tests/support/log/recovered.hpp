// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/policy/log.hpp"

namespace totora::test
{

/// A log that recovers what this server had, all of it durable.
[[nodiscard]] inline Recovered recovered_as(State const& state)
{
    return {.identity = {},
            .current_term = state.current_term,
            .voted_for = state.voted_for,
            .entries = state.log,
            .configuration = state.configurations.in_force,
            .previous_configuration = state.configurations.previous,
            .commit_index = state.commit_index,
            .cleanly_stopped = false,
            .torn_tail = {}};
}

/// The first server starts, as this.
template <typename Checks>
void starts(Checks& checks, State const& state)
{
    checks.recovered(0, recovered_as(state));
    checks.started(0, state);
}

} // namespace totora::test
