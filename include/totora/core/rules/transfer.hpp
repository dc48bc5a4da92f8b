// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/election.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/state.hpp"

#include <optional>
#include <variant>

namespace totora::inline v0::core
{

// Dissertation §3.10: a leader hands over. It takes no proposals meanwhile, brings the target's log up to date, and asks it to campaign
// at once. That changes when an election is, and nothing else: the target needs its votes, and the most up-to-date log, as ever.

/// Whether a transfer may go to this server: a voter of the configuration in force, and another one.
[[nodiscard]] constexpr bool may_take_over(State const& state, ServerId server)
{
    return server != state.own.id and is_voter(state.configurations.in_force, server) and
           find_progress(state, server) != nullptr;
}

/// The follower that could take over soonest: of those that answer and have room the one with the most of the log. Null if there is none.
[[nodiscard]] constexpr Progress const* find_successor(State const& state)
{
    Progress const* best = nullptr;
    for (auto const& progress : state.followers) {
        auto const answers = not state.settings.check_quorum or progress.recently_active or progress.active_before;
        if (answers and not progress.no_room and may_take_over(state, progress.server) and
            (best == nullptr or progress.match > best->match))
            best = &progress;
    }
    return best;
}

/// Asks a server to campaign, which holds the log durably up to its match index.
constexpr void send_timeout_now(State const& state, Outgoing& outgoing, Progress const& target)
{
    auto const term = state.log.term_at(target.match);
    if (not term)
        return; // It lacks what is compacted, and could not be elected.
    note(outgoing, Decision::timeout_now_sent);
    send(outgoing, target.server, TimeoutNow{.term = state.current_term, .last_log = {*term, target.match}},
         Release::at_once());
}

/// The transfer under way is over, and this server takes proposals again, if it still leads.
constexpr void end_transfer(State& state, Outgoing& outgoing, Leader& leader, TransferEnd how)
{
    if (how != TransferEnd::replaced)
        disarm(state, outgoing, Alarm::transfer);
    note(outgoing, Decision::transfer_given_up);
    leader.successor = nobody;
    leader.asked_successor = false;
    outgoing.transfer_ended = std::optional<TransferEnd>{how};
}

/// Goes on with a transfer: the target campaigns as soon as it has all of the log. Called after every step of a leader that has one.
constexpr void advance_transfer(State& state, Outgoing& outgoing)
{
    auto* const leader = std::get_if<Leader>(&state.role);
    if (leader == nullptr or leader->successor == nobody)
        return;
    if (not may_take_over(state, leader->successor))
        return end_transfer(state, outgoing, *leader, TransferEnd::target_removed);
    auto const& target = *find_progress(state, leader->successor);
    if (leader->asked_successor or target.match != last_index(state))
        return;
    leader->asked_successor = true;
    send_timeout_now(state, outgoing, target);
}

/// What was sent may be lost: the target is asked again with each heartbeat.
constexpr void ask_successor_again(Leader& leader) { leader.asked_successor = false; }

/// The alarm of a transfer rang: the target did not take over in time.
constexpr void check_transfer(State& state, Outgoing& outgoing, Leader& leader)
{
    if (leader.successor != nobody)
        end_transfer(state, outgoing, leader, TransferEnd::timed_out);
}

/// Why a transfer is refused, if it is.
[[nodiscard]] constexpr std::optional<Refusal> find_refusal(State const& state, TransferRequested const& asked)
{
    if (not is_leader(state))
        return Refusal::not_leader;
    if (asked.to == state.own.id)
        return Refusal::leads_already;
    if (asked.to == nobody ? find_successor(state) == nullptr : not may_take_over(state, asked.to))
        return Refusal::no_successor;
    return std::nullopt;
}

/// Begins to hand over, to a named voter or the best one. A transfer to the present target goes on; one to another replaces it.
constexpr void receive(State& state, Outgoing& outgoing, TransferRequested const& asked)
{
    if (auto const why = find_refusal(state, asked)) {
        outgoing.answer = std::optional<Answer>{Refused{*why, known_leader(state)}};
        return;
    }
    auto&      leader = *std::get_if<Leader>(&state.role);
    auto const target = asked.to == nobody ? find_successor(state)->server : asked.to;
    outgoing.answer = std::optional<Answer>{TransferStarted{target}};
    if (target == leader.successor)
        return;
    if (leader.successor != nobody)
        end_transfer(state, outgoing, leader, TransferEnd::replaced);
    note(outgoing, Decision::transfer_started);
    leader.successor = target;
    auto const timeout_ms = state.settings.election.at_most_ms;
    arm(state, outgoing, Alarm::transfer, Delay{timeout_ms, timeout_ms});
    replicate(state, outgoing, leader.reads.newest, *find_progress(state, target));
}

/// What a server does that its leader asks to campaign.
[[nodiscard]] constexpr Decision decide_timeout_now(State const& state, ServerId leader, TimeoutNow const& request)
{
    auto const known = known_leader(state);
    if (request.term < state.current_term or not std::holds_alternative<Follower>(state.role) or
        (known != nobody and known != leader))
        return Decision::timeout_now_outdated;
    if (not state.log.holds(request.last_log) or state.writes.durable_index < request.last_log.index)
        return Decision::timeout_now_premature;
    return decide_campaign(state);
}

/// Campaigns at once, past pre-vote and stickiness: the leader has asked for it (dissertation §3.10). One that is stale, that comes
/// before the entries that it speaks of are durable, or that comes again is ignored.
constexpr void receive(State& state, Outgoing& outgoing, ServerId leader, TimeoutNow const& request)
{
    auto const decision = decide_timeout_now(state, leader, request);
    note(outgoing, decision);
    if (decision == Decision::campaign_started)
        become_candidate(state, outgoing, true);
}

/// Steps down, and asks the best follower to go on: nobody need wait for an election timeout.
constexpr void hand_over(State& state, Outgoing& outgoing)
{
    if (auto const* const successor = find_successor(state))
        send_timeout_now(state, outgoing, *successor);
    become_follower(state, outgoing, nobody);
}

} // namespace totora::inline v0::core
