// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/announced.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/membership.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/abilities.hpp"

#include <optional>
#include <variant>

namespace totora::inline v0::core
{

// What the cluster can do is agreed in its log, never in a handshake or in one leader's memory. The agreed values are a part of the
// configuration: so they come with it in boundary, snapshot and segment header, are undone with it when it is truncated, and no change of
// the members begins while they change.

/// What this server and all other members can; nothing if one has not announced it.
[[nodiscard]] constexpr std::optional<Abilities> common_abilities(State const& state)
{
    auto all = state.settings.can;
    for (auto const& progress : state.followers) {
        if (not progress.announced)
            return std::optional<Abilities>{};
        all = common(all, *progress.announced);
    }
    return std::optional<Abilities>{all};
}

/// Whether all members can more than is agreed.
[[nodiscard]] constexpr bool can_raise(State const& state)
{
    auto const  all = common_abilities(state);
    auto const& agreed = state.configurations.in_force.agreed;
    return all and cover(*all, agreed) and *all != agreed;
}

/// Appends what all members can, if that is more than is agreed, as soon as no change is under way.
constexpr void advance_agreement(State& state, Outgoing& outgoing, Leader& leader)
{
    if (state.membership.is_under_way() or not may_append_configuration(state))
        return;
    leader.may_raise = false;
    if (not can_raise(state))
        return;
    note(outgoing, Decision::agreement_raised);
    state.membership.phase = ChangePhase::changing;
    append_configuration(state, outgoing, state.configurations.in_force.members, *common_abilities(state));
}

/// A member has announced what it can. Only a leader keeps that: the shell repeats it for the next one.
constexpr void receive(State& state, Outgoing&, Announced const& announced)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    auto* const progress = find_progress(state, announced.server);
    if (leader == nullptr or progress == nullptr)
        return;
    progress->announced = std::optional<Abilities>{announced.can};
    leader->may_raise = leader->may_raise or can_raise(state);
}

} // namespace totora::inline v0::core
