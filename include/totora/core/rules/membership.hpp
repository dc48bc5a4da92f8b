// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/catching_up.hpp"
#include "totora/core/rules/commitment.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/replication.hpp"
#include "totora/core/rules/transfer.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/joint.hpp"
#include "totora/core/values/membership_change.hpp"
#include "totora/core/values/progress_flow.hpp"
#include "totora/core/values/quorum.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::core
{

// §6 and dissertation §4: how the members change. A leader takes one step after another, each only when the configuration in force is
// committed, and an entry of its own term too (the erratum of 2015 to dissertation §4.1):
//
//     asked for ──▶ newcomers are learners ──▶ they catch up ──▶ joint configuration ──▶ the new one ──▶ done
//                                                            └─▶ the new one, where one voter changes ─▶ done
//
// Differs: §6 has new servers join as non-voting members before the change begins; here they are learners in the log, so that a new
// leader knows them.

/// Whether a leader may append a configuration: the last one is committed, and an entry of its own term. So of all configurations
/// in a log only the newest may be uncommitted.
[[nodiscard]] constexpr bool may_append_configuration(State const& state)
{
    return state.configurations.in_force.index <= state.commit_index and has_committed_in_term(state) and
           not lacks_room(state) and last_index(state).value < number_max;
}

/// A newcomer is sent the log as a follower is after an election; who is no member any more is forgotten. What is known of the others
/// stays, and numbers go on: an answer to an append of an earlier membership is outdated.
constexpr void follow_members(State& state, Leader& leader)
{
    auto const& members = state.configurations.in_force;
    auto        kept = std::vector<Progress>{};
    for (auto const& progress : state.followers)
        if (find_member(members, progress.server) != nullptr)
            kept.push_back(progress);
        else
            leader.sent_to_others = std::max(leader.sent_to_others, progress.sent);
    state.followers = std::move(kept);
    for (auto const& member : members.members)
        if (member.id != state.own.id and find_progress(state, member.id) == nullptr) {
            auto progress = Progress{};
            progress.sent = leader.sent_to_others;
            progress.begin(member.id, next(last_index(state)));
            state.followers.push_back(progress);
        }
}

/// Appends a configuration. Its members are in force at once (§6), what is agreed when it is committed.
constexpr void append_configuration(State& state, Outgoing& outgoing, Members const& members, Abilities const& agreed)
{
    TOTORA_INVARIANT(state, is_leader(state) and may_append_configuration(state));
    auto const configuration = Configuration{next(last_index(state)), in_order(members), agreed};
    TOTORA_INVARIANT(state, is_sound(configuration));
    state.configurations.append(configuration);
    note(outgoing, is_joint(configuration) ? Decision::joint_configuration_appended : Decision::configuration_appended);
    auto* const leader = std::get_if<Leader>(&state.role);
    follow_members(state, *leader);
    append_as_leader(state, outgoing, *leader, 1, EntryKind::configuration);
    advance_commit_index(state, outgoing);   // Where fewer are needed now, entries may have waited for them (case 18),
    confirm_reads(state, outgoing, *leader); // and reads.
}

/// Appends a configuration of these members. What is agreed stays so.
constexpr void append_configuration(State& state, Outgoing& outgoing, Members const& members)
{
    append_configuration(state, outgoing, members, Abilities{state.configurations.in_force.agreed});
}

/// Whether enough of those who are to vote have answered within the last election timeout or so: a change that would lose the quorum
/// that answers now is refused (case 100).
[[nodiscard]] constexpr bool do_new_voters_answer(State const& state)
{
    auto const target = Configuration{{}, members_of(state.membership.target)};
    return has_quorum(target, [&](ServerId server) {
        auto const* const progress = find_progress(state, server);
        return server == state.own.id or
               (progress != nullptr and (progress->recently_active or progress->active_before));
    });
}

/// The change is over.
constexpr void end_change(State& state, Outgoing& outgoing)
{
    outgoing.change_ended =
        std::optional<ChangeEnded>{ChangeEnded{state.membership.end, state.configurations.in_force.index}};
    state.membership = MembershipChange{};
    begin_to_agree(state, *std::get_if<Leader>(&state.role)); // Others are members now.
}

/// The voters change: where that is one, at once, and otherwise by way of a joint configuration.
constexpr void append_target(State& state, Outgoing& outgoing)
{
    auto const target = members_of(state.membership.target);
    auto const current = state.configurations.in_force.members;
    auto const changed = count_changed_voters(current, target);
    if (changed > 0 and not state.membership.forced and not do_new_voters_answer(state))
        return give_up_change(state, outgoing, ChangeEnd::quorum_silent);
    state.membership.phase = ChangePhase::changing;
    if (changed <= 1)
        return append_configuration(state, outgoing, target);
    auto const joint = joint_of(current, target);
    TOTORA_INVARIANT(state, joint.has_value()); // Asked for what fits.
    append_configuration(state, outgoing, *joint);
}

/// The newcomers have caught up when they got what the log held within an election timeout; then what it has got meanwhile delays
/// nothing for longer than an election would.
constexpr void catch_up(State& state, Outgoing& outgoing)
{
    auto& membership = state.membership;
    auto  is_round_over = true;
    for_each_newcomer(state, [&](Progress const& progress) {
        is_round_over = is_round_over and progress.match >= membership.round_end;
    });
    if (not is_round_over)
        return;
    if (not membership.round_late) {
        disarm(state, outgoing, Alarm::catch_up);
        return append_target(state, outgoing);
    }
    if (++membership.rounds == catch_up_rounds_max)
        return give_up_change(state, outgoing, ChangeEnd::newcomer_slow);
    begin_catch_up_round(state, outgoing);
    catch_up(state, outgoing); // Where nothing was appended meanwhile, the new round is over as it begins.
}

/// Who is to belong to the cluster when the joint configuration is left.
[[nodiscard]] constexpr Members members_after(State const& state)
{
    auto const& joint = state.configurations.in_force.members;
    if (state.membership.end != ChangeEnd::cancelled)
        return incoming_of(joint);
    return state.membership.original.empty() ? outgoing_of(joint) : members_of(state.membership.original);
}

/// The configuration in force is committed: a joint one is left; with any other the change is over. A leader that is no voter any more
/// has done its work (dissertation §4.2.2).
constexpr void advance_changing(State& state, Outgoing& outgoing)
{
    if (is_joint(state.configurations.in_force))
        return append_configuration(state, outgoing, members_after(state));
    end_change(state, outgoing);
    if (is_voter(state.configurations.in_force, state.own))
        return;
    note(outgoing, Decision::stepped_down_removed);
    send_heartbeats(state, outgoing, *std::get_if<Leader>(&state.role)); // Its followers learn what is committed.
    hand_over(state, outgoing);
}

/// What was appended for newcomers is taken back.
constexpr void advance_giving_up(State& state, Outgoing& outgoing)
{
    auto const original = members_of(state.membership.original);
    if (original == state.configurations.in_force.members)
        return end_change(state, outgoing);
    state.membership.phase = ChangePhase::changing;
    append_configuration(state, outgoing, original);
}

/// Goes on with a change, as far as what is committed and acknowledged allows it. Called after every step of a leader that has one.
constexpr void advance_membership(State& state, Outgoing& outgoing)
{
    if (not is_leader(state) or not may_append_configuration(state))
        return;
    if (state.membership.phase == ChangePhase::catching_up)
        catch_up(state, outgoing);
    if (state.membership.phase == ChangePhase::giving_up)
        advance_giving_up(state, outgoing);
    else if (state.membership.phase == ChangePhase::changing and
             state.configurations.in_force.index <= state.commit_index)
        advance_changing(state, outgoing);
}

/// Why a change that is asked for is refused, if it is.
[[nodiscard]] constexpr std::optional<Refusal> find_refusal(State const& state, ChangeRequested const& asked)
{
    auto const& current = state.configurations.in_force;
    if (not is_leader(state))
        return Refusal::not_leader;
    if (state.membership.is_under_way())
        return Refusal::change_under_way;
    if (lacks_room(state))
        return Refusal::no_room;
    if (not may_append_configuration(state))
        return Refusal::not_settled;
    if (asked.expected != current.index)
        return Refusal::configuration_changed;
    if (not can_be_asked_for(asked.target))
        return Refusal::members_unsound;
    if (name_two_lives(current.members, asked.target))
        return Refusal::two_lives;
    auto const newcomers = with_newcomers(current.members, asked.target);
    auto const joint = joint_of(current.members, asked.target);
    if (not newcomers or not joint or std::max(newcomers->size(), joint->size()) > current.agreed.servers_max)
        return Refusal::too_many_members;
    return std::nullopt;
}

/// Begins a change of the members (§6): any set of voters and learners, in one request.
constexpr void receive(State& state, Outgoing& outgoing, ChangeRequested const& asked)
{
    if (auto const why = find_refusal(state, asked)) {
        outgoing.answer = std::optional<Answer>{Refused{*why, known_leader(state)}};
        return;
    }
    outgoing.answer = std::optional<Answer>{ChangeStarted{}};
    note(outgoing, Decision::change_started);
    auto const current = state.configurations.in_force.members;
    state.membership.phase = ChangePhase::catching_up;
    state.membership.target = out_of_line(in_order(asked.target));
    state.membership.original = out_of_line(current);
    state.membership.forced = asked.forced;
    auto any_newcomer = false;
    for (auto const& member : asked.target)
        any_newcomer =
            any_newcomer or (is_voter(member.kind) and not is_voter(state.configurations.in_force, member.id));
    if (not any_newcomer)
        return append_target(state, outgoing);
    if (auto const members = with_newcomers(current, asked.target); *members != current)
        append_configuration(state, outgoing, *members);
    begin_catch_up_round(state, outgoing);
    state.membership.reached = reached_by_newcomers(state);
}

/// Takes a change back, as far as that can be done. While newcomers catch up they are removed again. From a joint configuration this leader
/// goes back to the outgoing half. What comes after can only be committed.
constexpr void receive(State& state, Outgoing& outgoing, ChangeCancelled const&)
{
    auto&      membership = state.membership;
    auto const refuse = [&](Refusal why) {
        outgoing.answer = std::optional<Answer>{Refused{why, known_leader(state)}};
    };
    if (not is_leader(state))
        return refuse(Refusal::not_leader);
    if (not membership.is_under_way())
        return refuse(Refusal::no_change);
    auto const is_early = membership.phase == ChangePhase::catching_up;
    if (not is_early and not(membership.phase == ChangePhase::changing and is_joint(state.configurations.in_force)))
        return refuse(Refusal::change_too_far);
    outgoing.answer = std::optional<Answer>{ChangeStarted{}};
    if (is_early)
        return give_up_change(state, outgoing, ChangeEnd::cancelled);
    note(outgoing, Decision::change_given_up);
    membership.end = ChangeEnd::cancelled;
}

} // namespace totora::inline v0::core
