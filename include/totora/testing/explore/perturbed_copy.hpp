// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/normal_form.hpp"

#include <cstdint>
#include <variant>

namespace totora::inline v0::explore
{

// A normal form is right if a server does the same as one that differs from it only in what the form leaves out. Every
// step that an exploration takes for the first time is also run on such a perturbed copy: its numbers are higher, and
// what disabled features keep is the opposite.

/// By how much the numbers of a perturbed copy are higher. Numbers of appends keep their order: outdated, current, `sent`.
inline constexpr std::uint64_t perturbed_by = 5;

[[nodiscard]] constexpr WriteNumber shifted(WriteNumber number) { return WriteNumber{number.value + perturbed_by}; }

inline void shift_writes(Replica& server)
{
    auto& state = server.state;
    state.writes.durable = shifted(state.writes.durable);
    state.writes.last = shifted(state.writes.last);
    state.writes.of_term = shifted(state.writes.of_term);
    for (auto& pending : state.writes.pending)
        pending.write = shifted(pending.write);
    for (auto& pending : server.writes)
        std::visit([](auto& made) { made.write = shifted(made.write); }, pending.write);
    for (auto& envelope : server.sealed)
        envelope =
            Envelope{envelope.to(), envelope.rpc(), Release::once_durable(shifted(*envelope.release().awaits()))};
}

inline void shift_appends(State& state)
{
    if (auto* const leader = std::get_if<Leader>(&state.role))
        leader->sent_to_others = AppendNumber{perturbed_by - 1};
    for (auto& progress : state.followers) {
        auto const was_sent = progress.sent >= since_of(progress);
        since_of(progress) = AppendNumber{perturbed_by};
        progress.sent = AppendNumber{was_sent ? 2 * perturbed_by : perturbed_by - 1};
    }
}

/// A response that reaches a leader whose numbers are shifted, or an append that carries another value for the shell.
[[nodiscard]] inline InFlight shifted(InFlight message)
{
    if (auto* response = std::get_if<AppendEntriesResponse>(&message.rpc))
        response->number = AppendNumber{response->number == AppendNumber{} ? perturbed_by - 2 : perturbed_by + 2};
    if (auto* append = std::get_if<AppendEntries>(&message.rpc))
        append->committed.value += perturbed_by;
    return message;
}

/// Makes a server into its perturbed copy.
inline void perturb(Replica& server, Scope const& scope)
{
    auto const& reductions = scope.reductions;
    auto* const leader = std::get_if<Leader>(&server.state.role);
    if (reductions.unused and not server.state.settings.sticky)
        server.state.leader_recently_active = not server.state.leader_recently_active;
    if (reductions.unused and not server.state.settings.check_quorum and leader != nullptr) {
        ++leader->stalled;
        for (auto& progress : server.state.followers) {
            progress.recently_active = progress.recently_active == asks_who_answered(scope);
            progress.moving = not progress.moving;
        }
    }
    if (reductions.unused and not asks_who_answered(scope))
        for (auto& progress : server.state.followers)
            progress.active_before = not progress.active_before;
    if (not reductions.numbers)
        return;
    for (auto& arming : server.state.alarms.armings)
        arming.value += perturbed_by;
    shift_writes(server);
    shift_appends(server.state);
}

} // namespace totora::inline v0::explore
