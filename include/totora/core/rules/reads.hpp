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

/// How many rounds are on their way at most. Reads that come while so many are wait for the next one: two keep the network
/// busy, and a round is never joined by a read that was asked for after it began (case 47).
inline constexpr std::uint64_t rounds_max = 2;

/// Begins a round for the reads that wait.
constexpr void begin_round(State const& state, Outgoing& outgoing, Leader& leader)
{
    ++leader.round.value;
    leader.read_waits = false;
    send_heartbeats(state, outgoing, leader);
}

/// The newest round that a majority has answered.
[[nodiscard]] constexpr Round highest_answered_round(State const& state, Leader const& leader)
{
    return quorum_index(state.configuration, Round{}, [&](ServerId server) {
        if (server == state.own.id)
            return leader.round;
        auto const* progress = find_progress(leader, server);
        return progress != nullptr ? progress->round : Round{};
    });
}

/// Allows the reads of every round that a majority has answered, and begins the round that others wait for.
constexpr void confirm_reads(State& state, Outgoing& outgoing, Leader& leader)
{
    if (leader.confirmed == leader.round or not has_committed_in_term(state))
        return;
    auto const answered = highest_answered_round(state, leader);
    if (answered <= leader.confirmed)
        return;
    leader.confirmed = answered;
    if (leader.read_waits) {
        begin_round(state, outgoing, leader);
        leader.confirmed = highest_answered_round(state, leader); // A quorum of one answers at once.
    }
    outgoing.read_allowed = std::optional<ReadAllowed>{ReadAllowed{leader.confirmed, state.commit_index}};
}

constexpr void receive(State& state, Outgoing& outgoing, ReadRequested const&)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    if (leader == nullptr) {
        outgoing.answer = std::optional<Answer>{Refused{Refusal::not_leader, known_leader(state)}};
        return;
    }
    if (leader->round.value - leader->confirmed.value >= rounds_max) {
        leader->read_waits = true;
        outgoing.answer = std::optional<Answer>{ReadStarted{Round{leader->round.value + 1}}};
        return;
    }
    begin_round(state, outgoing, *leader);
    outgoing.answer = std::optional<Answer>{ReadStarted{leader->round}};
    confirm_reads(state, outgoing, *leader);
}

} // namespace totora::inline v0::core
