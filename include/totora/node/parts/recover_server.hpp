// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/recovery.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/abilities.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/node/parts/seams.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/node/snapshots/restore_machine.hpp"
#include "totora/node/start_error.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/versioned_machine.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// An entry that no message can carry would be proposed, and would keep all others waiting permanently (case 84).
template <typename Policies>
[[nodiscard]] std::string fault_in_limits(Policies& policies)
{
    auto const& settings = policies.settings;
    auto const  most = if_offered(
         policies.transport,
         [](auto& one) -> decltype(static_cast<std::uint64_t>(one.entry_bytes_max())) {
            return static_cast<std::uint64_t>(one.entry_bytes_max());
        },
         [] { return std::numeric_limits<std::uint64_t>::max(); });
    if (std::max(settings.entry_bytes_max, settings.append_bytes_max) > most)
        return "entry_bytes_max and append_bytes_max must not be above " + std::to_string(most) +
               ", the most that the transport carries in one message";
    if (has_snapshots<Policies> and settings.snapshots.chunk_bytes > most)
        return "snapshots.chunk_bytes must not be above " + std::to_string(most) +
               ", the most that the transport carries in one message";
    return {};
}

/// What this server can, of what clusters agree on: by its state machine and its settings.
template <typename Policies>
[[nodiscard]] Abilities abilities_of(Policies& policies)
{
    auto can = Abilities{};
    can.machine = version_of(policies.machine);
    can.entry_bytes_max = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        policies.settings.entry_bytes_max, can.entry_bytes_max, std::numeric_limits<std::uint32_t>::max()));
    can.servers_max = static_cast<std::uint32_t>(servers_max);
    return can;
}

/// What a server begins with.
struct RecoveredServer
{
    Identity                identity;
    State                   state;
    std::optional<TornTail> torn_tail;
    SnapshotsAtStart        snapshots;
    KnownPeers              peers; ///< The members of the state's configurations.
};

/// Restores the state machine of a server that starts, if it takes snapshots.
template <typename Policies>
[[nodiscard]] SnapshotsAtStart recover_snapshots(Policies& policies, RecoveredState& recovered)
{
    if constexpr (has_snapshots<Policies>) {
        auto& machine = refined<TakesCaptures>(policies.machine);
        auto& log = refined<KeepsSnapshots>(policies.log);
        return SnapshotRecovery{machine, log, recovered, has_durable_machine<Policies>}.run();
    } else {
        static_cast<void>(policies);
        static_cast<void>(recovered);
        return {};
    }
}

/// A log is told before it is compacted that nothing but the machine keeps what it no longer holds. What went wrong, if anything did.
template <typename Policies>
[[nodiscard]] std::optional<LogError> rely_on_machine(Policies& policies)
{
    if constexpr (has_durable_machine<Policies>)
        return if_offered(
            policies.log, [](auto& one) -> decltype(one.rely_on_machine()) { return one.rely_on_machine(); },
            [] { return std::optional<LogError>{}; });
    static_cast<void>(policies);
    return std::nullopt;
}

/// What does not fit, of a log and a state machine that both keep themselves (case 68).
[[nodiscard]] inline std::string describe_misfit(RecoveryError error, Index machine, TermRuns const& log)
{
    auto const applied = "the state machine keeps itself, and has entries up to " + std::to_string(machine.value);
    if (error == RecoveryError::applied_beyond_log)
        return applied + ", but the log ends at entry " + std::to_string(log.last().index.value) +
               ": it lost what it had acknowledged, and a new server must take its place";
    return applied + ", but the log begins after entry " + std::to_string(log.base().index.value) +
           ": what is between is in neither, and there is no snapshot that the machine could be restored from; put "
           "back what it "
           "had kept, or let a new server take its place";
}

/// Why no server can be made of what was recovered.
template <typename Policies>
[[nodiscard]] StartError
cannot_start(RecoveryError error, RecoveredState const& recovered, SnapshotsAtStart const& snapshots)
{
    auto const is_misfit = error == RecoveryError::applied_beyond_log or error == RecoveryError::snapshot_missing;
    auto       what = has_durable_machine<Policies> and is_misfit
                          ? describe_misfit(error, recovered.applied_index, recovered.log)
                          : std::string{describe(error)};
    if (error == RecoveryError::snapshot_missing)
        for (auto const& failed : snapshots.failures)
            what += "; " + failed.what;
    return {std::move(what)};
}

/// Reads from the log what this server was, as far as it can be a server.
template <typename Policies>
[[nodiscard]] Result<RecoveredServer, StartError> recover_server(Policies& policies)
{
    auto const& settings = policies.settings;
    if (not has_limits(settings))
        return Unexpected{StartError{std::string{describe(RecoveryError::settings_unsound)}}};
    if (auto const fault = fault_in_limits(policies); not fault.empty())
        return Unexpected{StartError{fault}};
    auto recovered = policies.log.recover();
    if (not recovered)
        return Unexpected{StartError{recovered.error().what}};
    auto const& identity = recovered->identity;
    if (auto const fault = fault_in(identity); not fault.empty())
        return Unexpected{StartError{"the log is no server's: " + fault}};
    if (auto const fault = fault_in_configurations(*recovered); not fault.empty())
        return Unexpected{StartError{fault}};
    auto recovered_state = RecoveredState{.current_term = recovered->current_term,
                                          .voted_for = recovered->voted_for,
                                          .log = std::move(recovered->entries),
                                          .configuration = recovered->configuration,
                                          .previous_configuration = recovered->previous_configuration,
                                          .commit_index = recovered->commit_index,
                                          .applied_index = policies.machine.applied_index()};
    auto snapshots = recover_snapshots(policies, recovered_state);
    for (auto& what : recovered->damaged_snapshots)
        snapshots.failures.push_back({SnapshotStep::read, std::move(what)});
    if (snapshots.refusal)
        return Unexpected{StartError{*std::move(snapshots.refusal), snapshots.machine_threw}};
    auto core_settings = settings.core;
    core_settings.can = abilities_of(policies);
    auto state =
        core::recover(core_settings, Member{identity.id, identity.incarnation, MemberKind::voter}, recovered_state);
    if (not state)
        return Unexpected{cannot_start<Policies>(state.error(), recovered_state, snapshots)};
    if (auto const fault = fault_after_recovery(*state, policies.log))
        return Unexpected{StartError{std::string{*fault}}};
    if (auto const failure = rely_on_machine(policies))
        return Unexpected{StartError{failure->what}};
    auto peers = snapshots.installed ? *std::move(snapshots.installed) : std::move(recovered->peers);
    return RecoveredServer{std::move(recovered->identity), *std::move(state), std::move(recovered->torn_tail),
                           std::move(snapshots), std::move(peers)};
}

} // namespace totora::inline v0
