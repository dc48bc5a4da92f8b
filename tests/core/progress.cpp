// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What a leader knows of a follower, and when it sends it what.

namespace totora::test
{
namespace
{

/// Leads term 2 with 1/1 to 3/1 and its no-op; S2 agrees, so that entries flow to it. `window` appends at a time.
constexpr auto leader_in_flow = [](std::uint64_t window, std::uint64_t entries_max) {
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    state.settings.window = window;
    state.settings.append_entries_max = entries_max;
    return step(state, from(S2, accepted(Term{2}, Index{4}))).state;
};

constexpr auto a_follower_in_question_gets_one_append_at_a_time = [] {
    auto const state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    require(is_probing(state, S2), "the no-op is on its way, and unanswered");

    auto const proposed = checked_step(state, local(Proposed{1}));
    require(proposed.outgoing.messages.empty(), "nothing follows it");
    auto const beat = checked_step(proposed.state, ring(state, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S2).size() == 1 and
                sent<AppendEntries>(beat.outgoing, S2)[0].entries.count == 0,
            "but a heartbeat, which asks the same again");
    auto const answered = checked_step(beat.state, from(S2, accepted(Term{2}, Index{3}, 2)));
    require(not is_probing(answered.state, S2), "and whose answer will do, should the append be lost");
    require(answered.outgoing.messages == just(S2, append_of(Term{2}, {Term{1}, Index{3}}, Term{2}, 2, {}, 3)),
            "all follows");
};
TOTORA_PROVE(a_follower_in_question_gets_one_append_at_a_time, "5.3", "case_76");

constexpr auto a_follower_that_agrees_gets_no_more_than_the_window = [] {
    auto state = leader_in_flow(3, 1);
    for (auto proposal = 0; proposal < 3; ++proposal) {
        auto const proposed = checked_step(state, local(Proposed{1}));
        require(sent<AppendEntries>(proposed.outgoing, S2).size() == 1, "each goes out at once");
        state = proposed.state;
    }
    auto const full = checked_step(state, local(Proposed{2}));
    require(full.outgoing.messages.empty() and progress_of(full.state, S2).in_flight() == 3,
            "until the window is full");

    auto const answered = checked_step(full.state, from(S2, accepted(Term{2}, Index{5}, 2)));
    require(sent<AppendEntries>(answered.outgoing, S2).size() == 1, "an answer lets one more out");
    auto const later = checked_step(answered.state, from(S2, accepted(Term{2}, Index{7}, 4)));
    require(sent<AppendEntries>(later.outgoing, S2).size() == 1, "one that skips a number speaks for it as well");
    require(progress_of(later.state, S2).next == Index{10}, "all is sent, in order");
};
TOTORA_PROVE(a_follower_that_agrees_gets_no_more_than_the_window, "dissertation 10.2.1", "case_76");

/// Found by the simulator: with a window of one append, and heartbeats more often than answers come back, there was always
/// a heartbeat on its way, and never a place for entries.
constexpr auto heartbeats_on_their_way_keep_no_entries_back = [] {
    auto state = leader_in_flow(1, 1);
    state = step(state, ring(state, Alarm::heartbeat)).state;
    state = step(state, ring(state, Alarm::heartbeat)).state;
    auto const heartbeat = progress_of(state, S2).sent.value;

    auto const proposed = checked_step(state, local(Proposed{2}));
    require(sent<AppendEntries>(proposed.outgoing, S2).size() == 1, "one append goes out beside them");
    state = step(proposed.state, ring(proposed.state, Alarm::heartbeat)).state;
    auto const early = checked_step(state, from(S2, accepted(Term{2}, Index{4}, heartbeat)));
    require(sent<AppendEntries>(early.outgoing, S2).empty(), "and no other one before it is answered");
    auto const answered = checked_step(early.state, from(S2, accepted(Term{2}, Index{5}, heartbeat + 1)));
    require(sent<AppendEntries>(answered.outgoing, S2).size() == 1, "but then, with another heartbeat on its way");
};
TOTORA_PROVE(heartbeats_on_their_way_keep_no_entries_back, "dissertation 10.2.1", "case_76");

/// A window whose appends are all lost is freed by the answer to a heartbeat.
constexpr auto lost_appends_do_not_hold_their_places = [] {
    auto state = leader_in_flow(2, 1);
    state = step(state, local(Proposed{2})).state;
    require(progress_of(state, S2).in_flight() == 2, "the window is full, and all of it lost");
    state = step(state, ring(state, Alarm::heartbeat)).state;

    auto const refusal = refused(Term{2}, Index{6}, {Term{2}, Index{4}}, progress_of(state, S2).sent.value);
    auto const again = checked_step(state, from(S2, refusal));

    require(progress_of(again.state, S2).next == Index{5} and is_probing(again.state, S2), "back to what is missing");
    require(sent<AppendEntries>(again.outgoing, S2).size() == 1 and
                sent<AppendEntries>(again.outgoing, S2)[0].entries == Run{Term{2}, Index{5}, 1},
            "which is sent again");
};
TOTORA_PROVE(lost_appends_do_not_hold_their_places, "5.3", "case_76");

/// An answer speaks for all appends up to its number. If it freed only its own place, every lost append would make the window
/// smaller by one, for the rest of the term.
constexpr auto lost_appends_do_not_make_the_window_smaller = [] {
    auto state = leader_in_flow(2, 1);
    state = step(state, local(Proposed{2})).state; // 5/2 and 6/2 are lost.
    state = step(state, ring(state, Alarm::heartbeat)).state;
    state = step(state, from(S2, refused(Term{2}, Index{6}, {Term{2}, Index{4}}, 4))).state;
    state = step(state, from(S2, accepted(Term{2}, Index{5}, 5))).state;
    require(progress_of(state, S2).next == Index{7} and progress_of(state, S2).in_flight() == 1, "6/2 is on its way");

    auto const proposed = checked_step(state, local(Proposed{1}));

    require(sent<AppendEntries>(proposed.outgoing, S2).size() == 1, "there is a place for 7/2, as before");
    require(progress_of(proposed.state, S2).in_flight() == 2, "and then the window is full again");
};
TOTORA_PROVE(lost_appends_do_not_make_the_window_smaller, "5.3", "case_76");

constexpr auto many_entries_leave_in_pieces_and_the_answers_ask_for_more = [] {
    auto const state = leader_in_flow(256, 10);

    auto const proposed = checked_step(state, local(Proposed{100}));
    auto const pieces = sent<AppendEntries>(proposed.outgoing, S2);
    require(pieces.size() == static_cast<std::size_t>(appends_per_step), "no more in one step");
    for (auto at = std::size_t{0}; at < pieces.size(); ++at)
        require(pieces[at].entries == Run{Term{2}, Index{5 + 10 * at}, 10}, "each follows the one before");
    auto const answered = checked_step(proposed.state, from(S2, accepted(Term{2}, Index{14}, 2)));
    require(sent<AppendEntries>(answered.outgoing, S2).size() == pieces.size(), "the answer lets more out");
    require(sent<AppendEntries>(answered.outgoing, S2)[0].entries.first == Index{45}, "and skips nothing");
};
TOTORA_PROVE(many_entries_leave_in_pieces_and_the_answers_ask_for_more, "5.3", "case_13");

/// An append never crosses a term, so that the term of each of its entries is known.
constexpr auto an_append_holds_entries_of_one_term = [] {
    auto state =
        leader(server(S1, Term{3}, log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}, {Term{3}, Index{5}, 1}})));
    state = step(state, from(S2, refused(Term{4}, Index{5}, {}))).state;

    auto const [after, outgoing] = checked_step(state, from(S2, accepted(Term{4}, Index{2}, 2)));

    auto const appends = sent<AppendEntries>(outgoing, S2);
    require(appends.size() == 3, "three terms, three appends");
    require(appends[0] == append_of(Term{4}, {Term{1}, Index{2}}, Term{2}, 2, {}, 3), "3/2 and 4/2");
    require(appends[1] == append_of(Term{4}, {Term{2}, Index{4}}, Term{3}, 1, {}, 4), "5/3");
    require(appends[2] == append_of(Term{4}, {Term{3}, Index{5}}, Term{4}, 1, {}, 5), "6/4");
};
TOTORA_PROVE(an_append_holds_entries_of_one_term, "5.3", "case_13");

constexpr auto a_full_queue_takes_no_entries_until_it_is_open = [] {
    auto const state = leader_in_flow(256, 10);
    auto const full = checked_step(state, local(LinkChanged{S2, Link::full}));
    require(did_nothing(full.outgoing), "it is only remembered");

    auto const proposed = checked_step(full.state, local(Proposed{1}));
    require(sent<AppendEntries>(proposed.outgoing, S2).empty(), "no entries");
    auto const beat = checked_step(proposed.state, ring(state, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S2).size() == 1, "heartbeats go on");
    auto const open = checked_step(beat.state, local(LinkChanged{S2, Link::open}));
    require(sent<AppendEntries>(open.outgoing, S2).size() == 1 and
                sent<AppendEntries>(open.outgoing, S2)[0].entries == Run{Term{2}, Index{5}, 1},
            "then the entries, from what is known to match, for some may have been dropped");
    require(is_probing(open.state, S2), "which is asked first");
};
TOTORA_PROVE(a_full_queue_takes_no_entries_until_it_is_open, "5.3", "case_76");

constexpr auto a_broken_connection_is_probed_by_the_next_heartbeat = [] {
    auto const state = step(leader_in_flow(256, 10), local(Proposed{1})).state;

    auto const broken = checked_step(state, local(LinkChanged{S2, Link::unreachable}));
    require(did_nothing(broken.outgoing) and is_probing(broken.state, S2), "nothing is sent to nowhere");
    require(progress_of(broken.state, S2).next == Index{5}, "and what was on the way counts as lost");
    auto const beat = checked_step(broken.state, ring(state, Alarm::heartbeat));
    auto const back = checked_step(beat.state, from(S2, accepted(Term{2}, Index{4}, 3)));
    require(sent<AppendEntries>(back.outgoing, S2).size() == 1 and not is_probing(back.state, S2),
            "one answer resumes it");
};
TOTORA_PROVE(a_broken_connection_is_probed_by_the_next_heartbeat, "5.3", "case_76");

constexpr auto the_way_to_a_stranger_is_nobodys_concern = [] {
    auto const leading = leader_in_flow(256, 10);
    auto const following = follower(S2, Term{1}, {});
    for (auto const link : {Link::full, Link::open, Link::unreachable, static_cast<Link>(77)}) {
        auto const from_leader = checked_step(leading, local(LinkChanged{S5, link}));
        require(from_leader.state == leading and did_nothing(from_leader.outgoing), "a leader has no such follower");
        auto const from_follower = checked_step(following, local(LinkChanged{S1, link}));
        require(from_follower.state == following and did_nothing(from_follower.outgoing), "a follower has none");
    }
};
TOTORA_PROVE(the_way_to_a_stranger_is_nobodys_concern, "5.3");

} // namespace
} // namespace totora::test
