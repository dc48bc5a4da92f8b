// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"
#include "support/snapshots.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <variant>

// Who is counted: the voters of the configuration in force, and nobody else. Learners, non-members and the members of the
// configuration before count nowhere, whatever is counted (§6; dissertation 4.2.1).

namespace totora::test::counting_tests
{
namespace
{

constexpr auto S6 = ServerId{6};

/// S1 in term 1, with 1/1. S1 to S3 vote, S4 and S5 learn, and S6 is no member.
constexpr auto with_two_learners = [] {
    auto state = follower(S1, Term{1}, {{Term{1}, Index{1}, 1}});
    state.configurations.in_force = state.configurations.previous = voters_and_learners(3, 2);
    return state;
};

/// It leads term 2; 2/2 is durable there alone.
constexpr auto leading = [] { return leader(with_two_learners()); };

/// The same server when these followers hold its log up to `match`.
constexpr auto answered = [](State state, Index match, std::initializer_list<ServerId> followers) {
    for (auto const server : followers) {
        auto const answer = accepted(state.current_term, match, progress_of(state, server).sent.value);
        state = checked_step(state, from(server, answer)).state;
    }
    return state;
};

/// What follows the ring of an alarm.
constexpr auto rung = [](State const& state, Alarm alarm) { return checked_step(state, ring(state, alarm)); };

/// In how many checks in a row nothing got through from a leader to a quorum.
constexpr auto stalled_checks = [](State const& state) { return std::get_if<Leader>(&state.role)->stalled; };

/// The answer to a heartbeat that carried the first read round.
constexpr auto round_1 = accepted(Term{2}, Index{}, 0, Round{1});

constexpr auto votes_of_learners_and_non_members_are_not_counted = [] {
    auto const asking = rung(with_two_learners(), Alarm::election).state;
    auto const campaigning = candidate(with_two_learners());
    auto const pre_vote = RequestPreVoteResponse{Term{1}, Round{1}, true};
    auto const vote = RequestVoteResponse{Term{2}, true};

    for (auto const server : {S4, S5, S6}) {
        require_nothing_but(Decision::response_from_non_member, asking, checked_step(asking, from(server, pre_vote)));
        require_nothing_but(Decision::response_from_non_member, campaigning,
                            checked_step(campaigning, from(server, vote)));
    }
    require(is_candidate(checked_step(asking, from(S3, pre_vote)).state), "two of three would vote for it");
    require(is_leader(checked_step(campaigning, from(S3, vote)).state), "two of three have voted");
};
TOTORA_PROVE(votes_of_learners_and_non_members_are_not_counted, "dissertation 4.2.1", "5.2");

constexpr auto entries_that_learners_and_non_members_hold_are_not_committed = [] {
    auto const at_learners = answered(leading(), Index{2}, {S4, S5});

    require(at_learners.commit_index == Index{}, "one of three voters has 2/2");
    require_nothing_but(Decision::response_from_non_member, at_learners,
                        checked_step(at_learners, from(S6, accepted(Term{2}, Index{2}))));
    auto const installed = answer_about(Term{2}, snapshot_at(Term{2}, Index{2}), 10, Index{2});
    require_nothing_but(Decision::response_from_non_member, at_learners,
                        checked_step(at_learners, from(S6, installed)));
    require(answered(at_learners, Index{2}, {S3}).commit_index == Index{2}, "two of three have it");
};
TOTORA_PROVE(entries_that_learners_and_non_members_hold_are_not_committed, "dissertation 4.2.1", "5.3");

constexpr auto learners_and_non_members_confirm_no_reads = [] {
    auto state = checked_step(answered(leading(), Index{2}, {S2}), local(ReadRequested{})).state;

    for (auto const server : {S4, S5}) {
        auto const transition = checked_step(state, from(server, round_1));
        require(not transition.outgoing.read_allowed, "another may lead");
        state = transition.state;
    }
    require_nothing_but(Decision::response_from_non_member, state, checked_step(state, from(S6, round_1)));
    require(checked_step(state, from(S3, round_1)).outgoing.read_allowed == ReadAllowed{Round{1}, Index{2}},
            "two of three voters follow it");
};
TOTORA_PROVE(learners_and_non_members_confirm_no_reads, "dissertation 4.2.1", "8");

constexpr auto a_leader_that_only_learners_answer_steps_down = [] {
    auto const checked = rung(answered(leading(), Index{2}, {S2}), Alarm::quorum_check).state;

    auto const [after, outgoing] = rung(answered(checked, Index{2}, {S4, S5}), Alarm::quorum_check);
    require(is_follower(after) and outgoing.decisions == decisions_of({Decision::stepped_down_no_quorum}),
            "one of three voters is active");
    require(is_leader(rung(answered(checked, Index{2}, {S2}), Alarm::quorum_check).state),
            "two of three are enough, whatever the learners do");
};
TOTORA_PROVE(a_leader_that_only_learners_answer_steps_down, "dissertation 4.2.1", "dissertation 6.2");

constexpr auto a_leader_is_of_no_use_to_learners_alone = [] {
    auto const checked = rung(answered(leading(), Index{2}, {S2, S4, S5}), Alarm::quorum_check).state;
    auto const proposed = step(checked, local(Proposed{1})).state;
    auto const only_answers = [](State state, std::initializer_list<ServerId> followers) {
        for (auto const server : followers)
            state = checked_step(state, from(server, accepted(Term{2}, Index{2}, 0))).state;
        return state;
    };

    auto const to_learners = answered(only_answers(proposed, {S2}), Index{3}, {S4, S5});
    require(stalled_checks(rung(to_learners, Alarm::quorum_check).state) == 1, "3/2 gets through to no voter");
    auto const to_voters = only_answers(answered(proposed, Index{3}, {S2}), {S4, S5});
    require(stalled_checks(rung(to_voters, Alarm::quorum_check).state) == 0, "and here to two of three");
};
TOTORA_PROVE(a_leader_is_of_no_use_to_learners_alone, "dissertation 4.2.1", "case_94");

constexpr auto a_leader_whose_disk_hangs_stays_where_only_learners_are_ahead = [] {
    auto const late = step(rung(leading(), Alarm::storage_stall).state, local(Proposed{1})).state;

    require(is_leader(rung(answered(late, Index{3}, {S2, S4, S5}), Alarm::storage_stall).state),
            "S2 alone cannot do without it");
    require(is_follower(rung(answered(late, Index{3}, {S2, S3}), Alarm::storage_stall).state), "S2 and S3 can");
};
TOTORA_PROVE(a_leader_whose_disk_hangs_stays_where_only_learners_are_ahead, "dissertation 4.2.1", "case_58");

constexpr auto a_leader_without_room_stays_where_only_a_learner_has_everything = [] {
    auto const full = [](State const& state) {
        return checked_step(state, local(RoomChanged{LogRoom::reserve_only})).state;
    };
    auto const voters_lack_an_entry = answered(answered(leading(), Index{1}, {S2, S3}), Index{2}, {S4, S5});

    require(is_leader(full(voters_lack_an_entry)), "a learner cannot be elected");
    require(is_leader(full(answered(leading(), Index{2}, {S2, S4, S5}))), "nor elect");
    require(is_follower(full(answered(voters_lack_an_entry, Index{2}, {S3}))), "S3 can be elected, by S2");
};
TOTORA_PROVE(a_leader_without_room_stays_where_only_a_learner_has_everything, "dissertation 4.2.1", "case_67");

/// S1 leads term 2, and the configuration at 3/2 names the voters S2 and S3: it no longer names S1, or as a learner.
constexpr auto leading_others = [](bool learns) {
    auto  state = checked_step(leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}})), local(Proposed{1})).state;
    auto& in_force = state.configurations.in_force;
    in_force.index = Index{3};
    in_force.members[0].kind = MemberKind::learner;
    if (not learns)
        in_force.members.pop_front(1);
    state.membership.phase = ChangePhase::changing;
    return state;
};

constexpr auto a_leader_that_is_no_voter_does_not_count_itself = [] {
    for (auto const learns : {true, false}) {
        auto const one = answered(leading_others(learns), Index{2}, {S2});
        require(one.commit_index == Index{}, "one of two voters has 2/2");
        require(is_follower(rung(one, Alarm::quorum_check).state), "one of two is active");
        auto const both = answered(one, Index{2}, {S3});
        require(both.commit_index == Index{2}, "both have 2/2");
        require(is_leader(rung(both, Alarm::quorum_check).state), "both are active");

        auto const read = checked_step(both, local(ReadRequested{})).state;
        auto const by_one = checked_step(read, from(S2, round_1));
        require(not by_one.outgoing.read_allowed, "one of two follows it");
        require(checked_step(by_one.state, from(S3, round_1)).outgoing.read_allowed.has_value(), "both do");

        auto const has_one = answered(both, Index{3}, {S2});
        require(is_leader(has_one) and has_one.commit_index == Index{2}, "of its removal one is not enough");
    }
};
TOTORA_PROVE(a_leader_that_is_no_voter_does_not_count_itself, "dissertation 4.2.2");

/// A server in term 1, with 1/1, which names the voters S1, S4 and S5; before it they were S1, S2 and S3.
constexpr auto with_others_in_force = [](ServerId id) {
    auto  state = follower(id, Term{1}, {{Term{1}, Index{1}, 1}});
    auto& in_force = state.configurations.in_force;
    in_force.index = Index{1};
    in_force.members[1].id = S4;
    in_force.members[2].id = S5;
    return state;
};

constexpr auto the_voters_in_force_elect = [] {
    auto const others = [](Outgoing const& outgoing, auto const& request) {
        return outgoing.messages.size() == 2 and outgoing.messages[0].to() == S4 and outgoing.messages[1].to() == S5 and
               outgoing.messages[1].rpc() == Rpc{request};
    };
    auto const last = LogPosition{Term{1}, Index{1}};
    auto const asking = rung(with_others_in_force(S1), Alarm::election);
    require(others(asking.outgoing, RequestPreVote{Term{1}, last, Round{1}}), "S4 and S5 are asked");
    auto const pre_vote = RequestPreVoteResponse{Term{1}, Round{1}, true};
    require_nothing_but(Decision::response_from_non_member, asking.state,
                        checked_step(asking.state, from(S2, pre_vote)));
    auto const campaign = checked_step(asking.state, from(S4, pre_vote));
    require(others(campaign.outgoing, RequestVote{Term{2}, last}), "and asked for their votes");

    auto const durable = checked_step(campaign.state, persisted(campaign.state)).state;
    auto const vote = RequestVoteResponse{Term{2}, true};
    require_nothing_but(Decision::response_from_non_member, durable, checked_step(durable, from(S2, vote)));
    auto const elected = checked_step(durable, from(S4, vote)).state;
    require(is_leader(elected), "two of three have voted");
    require(elected.followers.size() == 2 and find_progress(elected, S4) != nullptr and
                find_progress(elected, S5) != nullptr,
            "whom it leads");

    auto removed = with_others_in_force(S2);
    require(is_pre_candidate(rung(removed, Alarm::election).state), "S2 may campaign: its removal may yet be undone");
    removed.commit_index = removed.apply_index = Index{1};
    require(is_follower(rung(removed, Alarm::election).state), "once that is committed it may not");
    require(is_pre_candidate(rung(with_others_in_force(S4), Alarm::election).state), "and S4 may");
};
TOTORA_PROVE(the_voters_in_force_elect, "6");

constexpr auto a_leader_counts_the_voters_in_force = [] {
    auto const committed = answered(leader(with_others_in_force(S1)), Index{2}, {S4});
    require(committed.commit_index == Index{2}, "two of three have 2/2");
    auto const read = checked_step(committed, local(ReadRequested{})).state;
    require(checked_step(read, from(S4, round_1)).outgoing.read_allowed.has_value(), "two of three follow it");
    auto const checked = rung(committed, Alarm::quorum_check).state;
    require(is_leader(checked) and stalled_checks(checked) == 0, "two of three are active, and lack nothing");
    auto const late = step(rung(committed, Alarm::storage_stall).state, local(Proposed{1})).state;
    require(is_follower(rung(answered(late, Index{3}, {S4, S5}), Alarm::storage_stall).state),
            "S4 and S5 can do without it");

    require_nothing_but(Decision::response_from_non_member, committed,
                        checked_step(committed, from(S2, refused_by_newer_term(Term{9}))));
    require(checked_step(committed, from(S4, refused_by_newer_term(Term{9}))).state.current_term == Term{9},
            "a newer term is obeyed if one of them sent it");
};
TOTORA_PROVE(a_leader_counts_the_voters_in_force, "6");

} // namespace
} // namespace totora::test::counting_tests
