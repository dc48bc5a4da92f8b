// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/result.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace totora::inline v0
{

/// Why no server can be made from what a log recovered.
enum class RecoveryError : std::uint8_t
{
    sticky_unchecked,    ///< Stickiness without the quorum check (`gives_up_when_cut_off`).
    settings_unsound,    ///< The settings contradict each other (`is_sound(Settings)`).
    number_out_of_range, ///< A term or an index above `number_max`.
    log_newer_than_term, ///< The log ends in a later term than the server ever saved: its vote is lost.
    commit_beyond_log,   ///< What was known to be committed is gone: the log lost what it had acknowledged (case 68).
    applied_beyond_log,  ///< The state machine is ahead of the log: it belongs to another one, or the log lost entries.
    configuration_unsound, ///< No log may hold this configuration.
    snapshot_missing, ///< The state machine lacks entries that are compacted, and was not restored from a snapshot.
};

} // namespace totora::inline v0

namespace totora::inline v0::core
{

/// What survived, with the install finished that had begun: the state machine was restored from a snapshot of another server, and the
/// log does not reach as far, or holds another entry there. Otherwise nothing is changed: a log that lost what was applied is damaged
/// (case 68). If it is another than before, the shell writes the boundary before it starts the server.
[[nodiscard]] constexpr RecoveredState finish_install(RecoveredState recovered)
{
    auto const& received = recovered.received;
    if (not received or recovered.applied_index > received->snapshot.last.index)
        return recovered;
    auto const is_within_log = recovered.applied_index <= recovered.log.last().index;
    auto const is_contradicted =
        recovered.applied_index == received->snapshot.last.index and not recovered.log.holds(received->snapshot.last);
    if (is_within_log and not is_contradicted)
        return recovered;
    recovered.log.restore(received->snapshot.last);
    recovered.configuration = received->configurations.in_force;
    recovered.previous_configuration = received->configurations.previous;
    return recovered;
}

/// What of a snapshot a server that starts goes on with: nothing, if what is recovered has no use for it.
[[nodiscard]] constexpr SnapshotReception recover_reception(State const& state, SnapshotReception const& recovered)
{
    auto const& [last, bytes, checksum] = recovered.snapshot;
    auto const is_of_use = not find_broken_invariant(recovered) and last.index > state.commit_index and
                           last.index.value <= number_max and last.term <= state.current_term and
                           not state.log.holds(last);
    return is_of_use ? recovered : SnapshotReception{};
}

/// A server as it starts: a follower with what survived (Figure 2, "Persistent state").
///
/// What is recovered is durable. The commit index begins at the higher of the saved one and what the state machine
/// has kept: both were committed (case 75).
[[nodiscard]] constexpr Result<State, RecoveryError>
recover(Settings const& settings, Member const& own, RecoveredState recovered)
{
    auto const last = recovered.log.last();
    auto const none = [](Configuration const& configuration) { return configuration.members.empty(); };
    if (not gives_up_when_cut_off(settings))
        return Unexpected{RecoveryError::sticky_unchecked};
    if (not is_sound(settings))
        return Unexpected{RecoveryError::settings_unsound};
    if (recovered.current_term.value > number_max or last.index.value > number_max)
        return Unexpected{RecoveryError::number_out_of_range};
    if (last.term > recovered.current_term)
        return Unexpected{RecoveryError::log_newer_than_term};
    if (recovered.commit_index > last.index)
        return Unexpected{RecoveryError::commit_beyond_log};
    if (recovered.applied_index > last.index)
        return Unexpected{RecoveryError::applied_beyond_log};
    if (recovered.applied_index < recovered.log.base().index)
        return Unexpected{RecoveryError::snapshot_missing};
    if ((not none(recovered.configuration) and not is_sound(recovered.configuration)) or
        (not none(recovered.previous_configuration) and not is_sound(recovered.previous_configuration)) or
        recovered.configuration.index > last.index or
        recovered.previous_configuration.index > recovered.configuration.index)
        return Unexpected{RecoveryError::configuration_unsound};

    auto state = State{};
    state.settings = settings;
    state.own = own;
    state.current_term = recovered.current_term;
    state.voted_for = recovered.voted_for;
    state.log = std::move(recovered.log);
    state.configurations.in_force = recovered.configuration;
    state.configurations.previous = recovered.previous_configuration;
    state.writes.durable_index = last.index;
    state.commit_index = std::max(recovered.commit_index, recovered.applied_index);
    state.apply_index = recovered.applied_index;
    state.reception = recover_reception(state, recovered.reception);
    state.replaying = settings.replay_grace_ms > 0 and state.apply_index < state.commit_index;
    return state;
}

} // namespace totora::inline v0::core
