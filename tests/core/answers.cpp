// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What a leader makes of the answers of a follower, and what it does not.

namespace totora::test::answers_tests
{
namespace
{

/// Leads term 2 with 1/1 to 3/1 and its no-op; S2 agrees, so that entries flow to it, and three of them are on their way.
constexpr auto leader_with_three_on_their_way = [] {
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    state = step(state, from(S2, accepted(Term{2}, Index{4}))).state;
    return step(state, local(Proposed{3})).state;
};

/// S2 stores nothing, and names an entry as the last one that it compared.
constexpr auto without_room = [](LogPosition hint, std::uint64_t number) {
    auto answer = accepted(Term{2}, hint.index, number);
    answer.match = Index{4};
    answer.conflict_hint = hint;
    answer.no_room = true;
    return answer;
};

/// A refusal shows that the follower follows this leader: it counts wherever an answer counts that moves nothing.
constexpr auto a_refusal_counts_as_an_answer = [] {
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    state = step(state, local(ReadRequested{})).state;
    auto refusal = refused(Term{2}, Index{3}, {Term{1}, Index{1}});
    refusal.round = Round{1};

    auto const after = checked_step(state, from(S2, refusal)).state;

    require(progress_of(after, S2).recently_active, "in the quorum check");
    require(progress_of(after, S2).round == Round{1}, "in the read round that it echoes");
    require(is_leader(checked_step(after, ring(after, Alarm::quorum_check)).state), "the leader leads on");
};
TOTORA_PROVE(a_refusal_counts_as_an_answer, "8", "dissertation 6.2");

constexpr auto an_answer_that_was_overtaken_takes_back_no_round = [] {
    auto state = leader_with_three_on_their_way();
    state = step(state, local(ReadRequested{})).state;
    state = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0, Round{1}))).state;

    auto const late = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0, Round{}))).state;

    require(progress_of(late, S2).round == Round{1}, "it answered round 1 before");
};
TOTORA_PROVE(an_answer_that_was_overtaken_takes_back_no_round, "8", "case_47");

/// Otherwise every heartbeat alarm would test what was sent: the answer to a heartbeat comes after that to an append, mostly.
constexpr auto the_answer_to_a_heartbeat_takes_back_no_answer_to_an_append = [] {
    auto state = leader_with_three_on_their_way();
    state = checked_step(state, from(S2, accepted(Term{2}, Index{5}, 2))).state;
    state = checked_step(state, from(S2, accepted(Term{2}, Index{5}, 0))).state;

    auto const beat = checked_step(state, ring(state, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S2).size() == 1, "a heartbeat, and no test of what was sent");
    auto const next_beat = checked_step(beat.state, ring(beat.state, Alarm::heartbeat));
    require(sent<AppendEntries>(next_beat.outgoing, S2).size() == 2, "that comes an interval later");
};
TOTORA_PROVE(the_answer_to_a_heartbeat_takes_back_no_answer_to_an_append, "5.3", "case_94");

/// Bytes on their way, and even answers to heartbeats, acknowledge no append that was sent.
constexpr auto only_an_answer_to_an_append_moves_a_link = [] {
    auto state = leader_with_three_on_their_way();
    state = step(state, ring(state, Alarm::quorum_check)).state;
    require(not progress_of(state, S2).moving, "a quorum check starts from nothing");
    state = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0))).state;
    require(progress_of(state, S2).recently_active and not progress_of(state, S2).moving, "heartbeats pass");
    state = checked_step(state, from(S2, accepted(Term{2}, Index{5}, 2))).state;
    require(progress_of(state, S2).moving, "and now an append did");
};
TOTORA_PROVE(only_an_answer_to_an_append_moves_a_link, "dissertation 6.2", "case_94");

/// Every refusal of another place than the one in question was overtaken, or is wrong.
constexpr auto only_the_place_that_was_asked_about_can_be_refused = [] {
    auto const asking = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 9}}));
    require(is_probing(asking, S2) and progress_of(asking, S2).next == Index{11}, "the no-op, after 9/1");
    for (auto const place : {Index{1}, Index{8}}) {
        auto const [after, outgoing] = checked_step(asking, from(S2, refused(Term{2}, place, {})));
        require(outgoing.decisions == decisions_of({Decision::refusal_outdated}) and outgoing.messages.empty(),
                "a search is at one place");
        require(progress_of(after, S2).next == Index{11}, "and stays there");
    }

    auto const flow = step(leader_with_three_on_their_way(), from(S2, accepted(Term{2}, Index{6}, 2))).state;
    require(progress_of(flow, S2).match == Index{6} and progress_of(flow, S2).next == Index{8}, "7/2 is on its way");
    for (auto const place : {Index{4}, Index{6}}) {
        auto const [after, outgoing] = checked_step(flow, from(S2, refused(Term{2}, place, {Term{1}, Index{3}}, 2)));
        require(outgoing.decisions == decisions_of({Decision::refusal_outdated}) and outgoing.messages.empty(),
                "what a follower has acknowledged it cannot refuse");
        require(not is_probing(after, S2) and progress_of(after, S2).next == Index{8}, "the entries flow on");
    }

    auto const held_back = step(step(flow, local(AppendsCut{S2, Index{7}})).state, local(Proposed{3})).state;
    require(progress_of(held_back, S2).next == Index{8} and last_index(held_back) == Index{10}, "8/2 was not sent");
    auto const beyond = checked_step(held_back, from(S2, refused(Term{2}, Index{8}, {Term{2}, Index{7}}, 2)));
    require(beyond.outgoing.decisions == decisions_of({Decision::refusal_outdated}), "nor what was never sent");
};
TOTORA_PROVE(only_the_place_that_was_asked_about_can_be_refused, "5.3", "case_12");

/// Where its log ends that of a follower without room is not known: it may be on its way to its disk.
constexpr auto a_follower_without_room_is_sent_what_lies_beyond_its_hint_and_no_more = [] {
    auto const state = leader_with_three_on_their_way();

    auto const compared = checked_step(state, from(S2, without_room({Term{2}, Index{6}}, 2))).state;
    require(progress_of(compared, S2).match == Index{4} and progress_of(compared, S2).next == Index{7},
            "5/2 and 6/2 are there, though not durable yet: they are not sent again");
    auto const unknown = checked_step(state, from(S2, without_room({Term{1}, Index{6}}, 2))).state;
    require(progress_of(unknown, S2).next == Index{8}, "an entry that the leader does not have changes nothing");

    auto const held_back = step(step(state, local(AppendsCut{S2, Index{7}})).state, local(Proposed{3})).state;
    auto const not_sent = checked_step(held_back, from(S2, without_room({Term{2}, Index{8}}, 2))).state;
    require(progress_of(not_sent, S2).next == Index{8}, "nor does one that was not sent: nothing is left out");
};
TOTORA_PROVE(a_follower_without_room_is_sent_what_lies_beyond_its_hint_and_no_more, "5.3", "case_90");

/// What follows the compared place may be of a leader that never got it committed: it is no agreement (case 15).
constexpr auto a_follower_without_room_names_what_was_compared_and_not_its_last_entry = [] {
    auto s2 = follower(S2, Term{2}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 2}});
    s2 = step(s2, local(RoomChanged{LogRoom::reserve_only})).state;

    auto const [after, outgoing] =
        checked_step(s2, from(S1, append_of(Term{3}, {Term{1}, Index{3}}, Term{3}, 0, {}, 7)));

    auto expected = accepted(Term{3}, Index{3}, 7);
    expected.conflict_hint = {Term{1}, Index{3}};
    expected.no_room = true;
    require(outgoing.messages == just(S1, expected, outgoing.messages.at(0).release()), "3/1 is what both have");
    require(after.log == s2.log, "nothing is cut for want of room");
};
TOTORA_PROVE(a_follower_without_room_names_what_was_compared_and_not_its_last_entry, "5.3", "case_90");

} // namespace
} // namespace totora::test::answers_tests
