// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/quorum.hpp"

#include <optional>

namespace totora::inline v0::core
{

// §8, read-only operations; dissertation §6.4. A read belongs to a round that begins after it was asked for. When a
// majority has answered an append that carried the round or a later one, the leader was still the leader after the read
// began, and everything that was committed before it is at most at its commit index.

/// Whether an entry of the leader's own term is committed: before that it does not know what is (§8; case 46).
[[nodiscard]] constexpr bool has_committed_in_term(State const& state)
{
    return state.log.term_at(state.commit_index) == state.current_term;
}

/// Begins a round for the reads that wait.
constexpr void begin_round(State const& state, Outgoing& outgoing, Leader& leader)
{
    leader.reads.begin();
    send_heartbeats(state, outgoing, leader);
}

/// The newest round that a majority has answered.
[[nodiscard]] constexpr Round highest_answered_round(State const& state, Leader const& leader)
{
    return quorum_index(state.configurations.in_force, Round{}, [&](ServerId server) {
        if (server == state.own.id)
            return leader.reads.newest;
        auto const* progress = find_progress(state, server);
        return progress != nullptr ? progress->round : Round{};
    });
}

/// Allows the reads of every round that a majority has answered, and begins the round that others wait for.
constexpr void confirm_reads(State& state, Outgoing& outgoing, Leader& leader)
{
    if (leader.reads.are_all_confirmed() or not has_committed_in_term(state))
        return;
    if (not leader.reads.confirm(highest_answered_round(state, leader)))
        return;
    if (leader.reads.waiting) {
        begin_round(state, outgoing, leader);
        leader.reads.confirm(highest_answered_round(state, leader)); // A quorum of one answers at once.
    }
    outgoing.read_allowed = std::optional<ReadAllowed>{ReadAllowed{leader.reads.confirmed, state.commit_index}};
}

constexpr void receive(State& state, Outgoing& outgoing, ReadRequested const&)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    if (leader == nullptr) {
        outgoing.answer = std::optional<Answer>{Refused{Refusal::not_leader, known_leader(state)}};
        return;
    }
    if (not leader->reads.may_begin()) {
        outgoing.answer = std::optional<Answer>{ReadStarted{leader->reads.wait()}};
        return;
    }
    begin_round(state, outgoing, *leader);
    outgoing.answer = std::optional<Answer>{ReadStarted{leader->reads.newest}};
    confirm_reads(state, outgoing, *leader);
}

} // namespace totora::inline v0::core
