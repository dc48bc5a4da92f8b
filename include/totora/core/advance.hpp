// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/agreement.hpp"
#include "totora/core/rules/append_entries.hpp"
#include "totora/core/rules/compaction.hpp"
#include "totora/core/rules/election.hpp"
#include "totora/core/rules/membership.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/rules/snapshots.hpp"
#include "totora/core/rules/storage.hpp"
#include "totora/core/rules/transfer.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/rules/violations.hpp"
#include "totora/core/rules/writes.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/with_alternative.hpp"

#include <concepts>
#include <optional>
#include <variant>

namespace totora::inline v0::core
{

// A step with each kind of message. The rules of Figure 2 are in the files included above, one topic each; what holds for every
// message ("All Servers") is here, once. A node takes its steps here, and needs no `Message`, which holds any kind: that variant is
// much to compile.

/// Whether a message that is not ignored makes this server adopt its term: if the term is newer. A pre-vote leaves no trace, so
/// that the term in it does not count.
template <typename T>
[[nodiscard]] constexpr bool adopts_term_of(State const& state, T const& message)
{
    return not std::same_as<T, RequestPreVote> and message.term > state.current_term;
}

/// Why a message is ignored without a reply, if it is.
///
/// Differs: Figure 2 lets any newer term make a follower. A server that has a leader ignores candidates (dissertation §4.2.3),
/// responses from non-members are ignored, so that a removed server deposes no leader, and a server that cannot write a term
/// does not adopt it.
template <typename T>
[[nodiscard]] constexpr std::optional<Decision> reason_to_ignore(State const& state, ServerId from, T const& message)
{
    if constexpr (std::same_as<T, RequestVote>) {
        if (message.term >= state.current_term and not message.transfer and is_sticky_to_leader(state, from))
            return Decision::vote_withheld_sticky_to_leader;
    }
    if constexpr (rpc_response<T>) {
        if (message.term > state.current_term and find_member(state.configurations.in_force, from) == nullptr)
            return Decision::response_from_non_member;
    }
    if (state.room == LogRoom::nothing and adopts_term_of(state, message))
        return Decision::newer_term_ignored_no_room;
    return std::nullopt;
}

/// "All Servers" of Figure 2: adopts a newer term. False if the message is to be ignored.
template <typename T>
constexpr bool admit(State& state, Outgoing& outgoing, ServerId from, T const& message)
{
    if (auto const reason = reason_to_ignore(state, from, message)) {
        note(outgoing, *reason);
        return false;
    }
    if (adopts_term_of(state, message))
        adopt_term(state, outgoing, message.term);
    return true;
}

/// Receives a message of another server: a violation is noted and changes nothing; then "All Servers", then the rule for this kind
/// of message.
template <typename T>
constexpr void receive_rpc(State& state, Outgoing& outgoing, ServerId from, T const& message)
{
    if (from == nobody or from == state.own.id)
        return note(outgoing, Decision::violation_sender);
    if constexpr (std::derived_from<T, AppendEntries>) {
        auto const decision = decide(state, from, message);
        if (is_violation(decision))
            return note(outgoing, decision);
        if (admit(state, outgoing, from, message))
            receive(state, outgoing, from, message, decision);
    } else {
        if (auto const violation = find_violation(state, from, message))
            return note(outgoing, *violation);
        if (admit(state, outgoing, from, message))
            receive(state, outgoing, from, message);
    }
}

/// Arms what a follower waits for. Differs: a server that starts treats its leader as recently active,
/// since it may have acknowledged one just before (dissertation §4.2.3 counts messages alone).
constexpr void receive(State& state, Outgoing& outgoing, Started const&)
{
    if (not is_leader(state))
        follow(state, outgoing, nobody);
    if (state.replaying)
        arm(state, outgoing, Alarm::replay, Delay{state.settings.replay_grace_ms, state.settings.replay_grace_ms});
    advance_apply(state, outgoing);
}

constexpr void receive(State& state, Outgoing& outgoing, AlarmRang const& ring)
{
    if (not state.alarms.is_newest(ring.alarm, ring.arming))
        return note(outgoing, Decision::ring_outdated);
    auto* const leader = std::get_if<Leader>(&state.role);
    if (ring.alarm == Alarm::leader_silent)
        state.leader_recently_active = false;
    else if (ring.alarm == Alarm::election and leader == nullptr)
        campaign(state, outgoing);
    else if (ring.alarm == Alarm::quorum_check and leader != nullptr)
        check_quorum(state, outgoing, *leader);
    else if (ring.alarm == Alarm::transfer and leader != nullptr)
        check_transfer(state, outgoing, *leader);
    else if (ring.alarm == Alarm::catch_up and leader != nullptr)
        check_newcomers(state, outgoing);
    else if (ring.alarm == Alarm::replay)
        state.replaying = false;
    else if (ring.alarm == Alarm::storage_stall)
        check_storage(state, outgoing);
    else if (ring.alarm == Alarm::heartbeat and leader != nullptr and leads_on_without_room(state, outgoing)) {
        keep_followers(state, outgoing, *leader);
        ask_successor_again(*leader);
    }
}

/// A server that cannot write, whose log cannot be trusted, or whose state machine threw can promise nothing, and must not lead:
/// another will be elected (case 71).
constexpr void halt(State& state, FaultSite site)
{
    change_role(state, Role{Follower{}});
    fail_stop(state, site);
}

/// This server can serve at once, if it is elected.
constexpr void receive(State& state, Outgoing& outgoing, Replayed const&)
{
    if (not state.replaying)
        return;
    state.replaying = false;
    disarm(state, outgoing, Alarm::replay);
    if (std::holds_alternative<Follower>(state.role)) // Three times as long was for what is over now.
        arm_election(state, outgoing);
}

/// What has become durable counts: a candidate's own vote, a leader's own entries, what may be applied.
constexpr void receive(State& state, Outgoing& outgoing, Persisted const& persisted)
{
    if (persisted.write > state.writes.last)
        return halt(state, FaultSite{"the log confirmed a write that was never made", 0});
    if (persisted.write <= state.writes.durable)
        return;
    on_persisted(state, outgoing, persisted.write);
    if (auto* candidate = std::get_if<Candidate>(&state.role);
        candidate != nullptr and state.writes.of_term <= persisted.write) {
        state.votes.insert(state.own.id);
        lead_if_elected(state, outgoing);
    }
    if (auto* leader = std::get_if<Leader>(&state.role)) {
        advance_commit_index(state, outgoing);
        confirm_reads(state, outgoing, *leader);
    }
    advance_apply(state, outgoing);
}

constexpr void receive(State& state, Outgoing&, Halted const& halted)
{
    halt(state, FaultSite{to_string(halted.reason), 0});
}

/// Goes on with what operators asked a leader for.
constexpr void advance_administration(State& state, Outgoing& outgoing)
{
    if (state.membership.is_under_way())
        advance_membership(state, outgoing);
    if (auto* const leader = std::get_if<Leader>(&state.role); leader != nullptr and leader->may_raise)
        advance_agreement(state, outgoing, *leader);
    advance_transfer(state, outgoing); // Last: its target is to have all of the log.
}

/// What another server sends: an `Rpc`, or an append whose configuration the shell has decoded.
template <typename T>
concept from_another_server = std::constructible_from<Rpc, T const&> or std::same_as<T, AppendConfiguration>;

/// One step, in place, with one of the alternatives of `MessageBody`, which is as large as the largest of them. A function of its
/// arguments only; `outgoing` is emptied first, and recycled.
template <typename T>
constexpr void advance(State& state, ServerId from, T const& happened, Outgoing& outgoing)
{
    clear(outgoing);
    if (not state.fault) {
        if constexpr (from_another_server<T>)
            receive_rpc(state, outgoing, from, happened);
        else
            receive(state, outgoing, happened);
        if (auto const* const leader = std::get_if<Leader>(&state.role))
            if (state.membership.is_under_way() or leader->successor != nobody or leader->may_raise)
                advance_administration(state, outgoing);
    }
    if (state.fault) {
        clear(outgoing);
        outgoing.failed = std::optional<FaultSite>{state.fault};
    }
}

/// The same with an `Rpc` of another server, wherever it lies.
constexpr void advance(State& state, ServerId from, Rpc const& rpc, Outgoing& outgoing)
{
    with_alternative(rpc, [&](auto const& one) { advance(state, from, one, outgoing); });
}

} // namespace totora::inline v0::core
