// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/rules/transitions.hpp"
#include "totora/core/state.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace totora::inline v0::core
{

// §5.2 and §5.4.1: who may lead. Dissertation §4.2.3 and §9.6: who may ask.

/// Whether stickiness (dissertation §4.2.3) makes this server ignore the candidate. The leader itself may ask again, and so may
/// the server that it asked to.
///
/// Differs: dissertation §4.2.3 has a server ignore all candidates within the minimum election timeout, also its own leader.
[[nodiscard]] constexpr bool is_sticky_to_leader(State const& state, ServerId candidate)
{
    if (not state.settings.sticky)
        return false;
    return is_leader(state) or (state.leader_recently_active and known_leader(state) != candidate);
}

/// Figure 2, "RequestVote RPC, receiver implementation", in its order.
///
/// Differs: a server that was never admitted, or that cannot write its vote, withholds it.
[[nodiscard]] constexpr Decision decide_vote(State const& voter, ServerId candidate, RequestVote const& request)
{
    if (request.term < voter.current_term)
        return Decision::vote_withheld_stale_term;
    if (not is_admitted(voter))
        return Decision::vote_withheld_not_admitted;
    if (voter.room == LogRoom::nothing)
        return Decision::vote_withheld_no_room;
    if (voter.voted_for and voter.voted_for != candidate)
        return Decision::vote_withheld_already_cast;
    if (request.last_log < last_position(voter))
        return Decision::vote_withheld_log_outdated;
    return Decision::vote_granted;
}

constexpr void receive(State& voter, Outgoing& outgoing, ServerId candidate, RequestVote const& request)
{
    auto const decision = decide_vote(voter, candidate, request);
    auto const granted = decision == Decision::vote_granted;
    note(outgoing, decision);
    if (granted) {
        if (not voter.voted_for) {
            voter.voted_for = std::optional<ServerId>{candidate};
            save_vote(voter, outgoing);
        }
        stop_asking(voter, outgoing);
        arm_election(voter, outgoing);
    }

    // A granted vote is a promise: if it left before it was durable, a restarted voter could give the
    // same term to two candidates (dissertation §3.8). A refusal promises nothing and leaves at once.
    send(outgoing, candidate, RequestVoteResponse{.term = voter.current_term, .vote_granted = granted},
         granted ? once_term_durable(voter) : Release::at_once());
}

constexpr void receive(State& state, Outgoing& outgoing, ServerId voter, RequestVoteResponse const& response)
{
    if (not std::holds_alternative<Candidate>(state.role) or response.term != state.current_term)
        return note(outgoing, Decision::response_outdated);
    if (not is_voter(state.configurations.in_force, voter))
        return note(outgoing, Decision::response_from_non_member);
    if (not response.vote_granted)
        return;
    state.votes.insert(voter);
    lead_if_elected(state, outgoing);
}

/// Whether this server would vote for the pre-candidate in the term after its current one (dissertation §9.6).
[[nodiscard]] constexpr Decision decide_pre_vote(State const& voter, ServerId asker, RequestPreVote const& request)
{
    if (request.term < voter.current_term)
        return Decision::vote_withheld_stale_term;
    if (not is_admitted(voter))
        return Decision::vote_withheld_not_admitted;
    if (voter.room == LogRoom::nothing)
        return Decision::vote_withheld_no_room;
    if (is_sticky_to_leader(voter, asker))
        return Decision::vote_withheld_sticky_to_leader;
    if (request.last_log < last_position(voter))
        return Decision::vote_withheld_log_outdated;
    return Decision::vote_granted;
}

/// Whether a server is no member of the cluster, by a configuration that is committed and the newest here. A server that waits to be
/// named does not know.
[[nodiscard]] constexpr bool is_no_member(State const& state, ServerId server)
{
    auto const& in_force = state.configurations.in_force;
    return not in_force.members.empty() and in_force.index <= state.commit_index and
           find_member(in_force, server) == nullptr;
}

/// The last entry known to be committed.
[[nodiscard]] constexpr LogPosition committed_position(State const& state)
{
    return {state.log.term_at(state.commit_index).value_or(Term{}), state.commit_index};
}

/// Answers a pre-vote. It leaves no trace: no term, vote or alarm of this server changes.
constexpr void receive(State& voter, Outgoing& outgoing, ServerId asker, RequestPreVote const& request)
{
    auto const decision = decide_pre_vote(voter, asker, request);
    note(outgoing, decision);
    auto const not_a_member = is_no_member(voter, asker) ? committed_position(voter) : LogPosition{};
    if (not_a_member.index > Index{})
        note(outgoing, Decision::asker_not_a_member);
    send(outgoing, asker,
         RequestPreVoteResponse{.term = voter.current_term,
                                .round = request.round,
                                .vote_granted = decision == Decision::vote_granted,
                                .not_a_member = not_a_member},
         Release::at_once());
}

/// Others have removed this server, while it was away: it does not campaign until a configuration names it again (case 101).
///
/// Differs: dissertation §4.2.3 lets it ask, and has the others ignore it.
constexpr void learn_removal(State& state, Outgoing& outgoing, LogPosition as_of)
{
    note(outgoing, Decision::removal_learned);
    state.not_a_member = as_of;
    become_follower(state, outgoing, nobody);
}

constexpr void receive(State& state, Outgoing& outgoing, ServerId voter, RequestPreVoteResponse const& response)
{
    auto const* const asking = std::get_if<PreCandidate>(&state.role);
    if (asking == nullptr or response.round != asking->round)
        return note(outgoing, Decision::response_outdated);
    if (configuration_position(state) < response.not_a_member)
        return learn_removal(state, outgoing, response.not_a_member);
    if (not is_voter(state.configurations.in_force, voter))
        return note(outgoing, Decision::response_from_non_member);
    if (not response.vote_granted)
        return;
    state.votes.insert(voter);
    campaign_if_pre_elected(state, outgoing);
}

/// Whether this server campaigns now, or why not.
///
/// Differs: Figure 2 has every follower campaign. One that the configuration does not name as a voter, whose disk hangs, or that
/// could not write its vote, waits for others.
[[nodiscard]] constexpr Decision decide_campaign(State const& state)
{
    if (not is_electable(state))
        return Decision::campaign_withheld_not_electable;
    if (was_removed(state))
        return Decision::campaign_withheld_removed;
    if (state.current_term.value >= number_max or last_index(state).value >= number_max)
        return Decision::campaign_withheld_exhausted;
    if (state.writes.watch.late)
        return Decision::campaign_withheld_disk_hangs;
    if (state.room == LogRoom::nothing)
        return Decision::campaign_withheld_no_room;
    return Decision::campaign_started;
}

/// Campaigns: no message of a leader arrived for an election timeout (§5.2).
constexpr void campaign(State& state, Outgoing& outgoing)
{
    arm_election(state, outgoing);
    auto const decision = decide_campaign(state);
    note(outgoing, decision);
    if (decision != Decision::campaign_started)
        return;
    if (state.settings.pre_vote)
        become_pre_candidate(state, outgoing);
    else
        become_candidate(state, outgoing);
}

/// Campaigns by hand, as if the election timeout had passed. Who leads goes on.
constexpr void receive(State& state, Outgoing& outgoing, CampaignRequested const&)
{
    if (not is_leader(state))
        campaign(state, outgoing);
}

/// After how many quorum checks in a row without any progress a link is renewed, and the leader steps down.
inline constexpr std::uint8_t stalled_before_renewal = 3;
inline constexpr std::uint8_t stalled_before_stepping_down = 6;

/// Whether a follower answers, lacks entries, and nothing moves to it: no append is answered, the link takes no bytes, and it is not
/// for want of room, or of a snapshot.
[[nodiscard]] constexpr bool stalls(State const& state, Progress const& progress)
{
    if (waits_for_snapshot(progress))
        return false;
    return progress.recently_active and not progress.moving and not progress.no_room and
           progress.match < last_index(state);
}

/// Whether something gets through from this leader to a majority. One that receives and does not answer yet counts; one that is
/// silent does not.
[[nodiscard]] constexpr bool gets_through(State const& state)
{
    return has_quorum(state.configurations.in_force, [&](ServerId server) {
        auto const* progress = find_progress(state, server);
        return server == state.own.id or
               (progress != nullptr and
                (progress->moving or (progress->recently_active and not stalls(state, *progress))));
    });
}

/// If a majority answers, and nothing gets through to one for some checks in a row, the connections to those that answer are made again; if
/// that does not help, another may have better ones (case 94). False if the leader is to step down.
constexpr bool renew_stalled_links(State const& state, Outgoing& outgoing, Leader& leader)
{
    leader.stalled = gets_through(state) ? std::uint8_t{0} : std::uint8_t(leader.stalled + 1);
    if (leader.stalled == stalled_before_stepping_down)
        return false;
    for (auto const& progress : state.followers)
        if (leader.stalled == stalled_before_renewal and stalls(state, progress)) {
            note(outgoing, Decision::link_renewed);
            outgoing.links_to_renew.push_back(progress.server);
        }
    return true;
}

/// Steps down if no majority has answered since the last check (dissertation §6.2), or if nothing gets through to it.
/// Another may already lead.
///
/// Differs: dissertation §6.2 asks only for answers. A majority that answers and receives no entries is of no use (case 94).
constexpr void check_quorum(State& state, Outgoing& outgoing, Leader& leader)
{
    auto const is_active = has_quorum(state.configurations.in_force, [&](ServerId server) {
        auto const* progress = find_progress(state, server);
        return server == state.own.id or (progress != nullptr and progress->recently_active);
    });
    if (not is_active) {
        note(outgoing, Decision::stepped_down_no_quorum);
        return become_follower(state, outgoing, nobody);
    }
    if (not renew_stalled_links(state, outgoing, leader)) {
        note(outgoing, Decision::stepped_down_no_progress);
        return become_follower(state, outgoing, nobody);
    }
    for (auto& progress : state.followers)
        progress.forget_activity();
    arm(state, outgoing, Alarm::quorum_check,
        Delay{state.settings.election.at_least_ms, state.settings.election.at_least_ms});
}

} // namespace totora::inline v0::core
