// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace totora::inline v0
{

// Assertions where core and log meet, in pairs, in every build: what one side relies on is checked on the other. The result is a
// sentence that names what does not hold, or nothing.

/// After every step.
template <typename Log>
[[nodiscard]] BrokenInvariant fault_at_seam(State const& state, Log const& log)
{
    if (log.last() != last_position(state))
        return "the log's last entry is not the one that the core knows";
    return std::nullopt;
}

/// After the recovery: the log ends where its recovery ended and has confirmed nothing of this run; the core holds for durable what was
/// recovered, and nothing else.
template <typename Log>
[[nodiscard]] BrokenInvariant fault_after_recovery(State const& state, Log& log)
{
    if (auto const fault = fault_at_seam(state, log))
        return fault;
    if (log.durable().through() != WriteNumber{})
        return "the log confirmed a write before the first one was made";
    if (state.writes.durable_index != last_index(state))
        return "what was recovered is durable";
    return find_broken_invariant(state);
}

/// Before the core is notified that all writes up to `through` are durable, in every turn: whether they were made, and nothing
/// is taken back.
[[nodiscard]] inline bool may_confirm(State const& state, WriteNumber through)
{
    return through <= state.writes.last and through >= state.writes.durable;
}

/// What is wrong with a confirmation that may not be.
[[nodiscard]] inline std::string describe_confirmation(State const& state, WriteNumber through)
{
    auto const more = through > state.writes.last;
    return "the log confirmed write " + std::to_string((more ? through : state.writes.durable).value) +
           (more ? " when only " + std::to_string(state.writes.last.value) + " were made"
                 : ", and then only write " + std::to_string(through.value)) +
           ": nothing that it confirmed can be relied on";
}

/// After the core was notified.
[[nodiscard]] inline BrokenInvariant fault_after_notice(State const& state, WriteNumber through)
{
    if (state.writes.durable != through)
        return "the core knows what is durable";
    if (state.writes.durable_index > last_index(state) or
        state.apply_index > std::min(state.commit_index, state.writes.durable_index))
        return "what is applied is committed, and durable here";
    return std::nullopt;
}

} // namespace totora::inline v0
