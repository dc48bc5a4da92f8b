// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What a leader knows of a follower, and when it sends it what.

namespace totora::test::progress_tests
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
    require(sent<AppendEntries>(beat.outgoing, S2).size() == 2 and
                sent<AppendEntries>(beat.outgoing, S2)[0] == heartbeat_of(Term{2}, {}) and
                sent<AppendEntries>(beat.outgoing, S2)[1] == heartbeat_of(Term{2}, {Term{2}, Index{4}}, {}, 2),
            "but, with a heartbeat, an empty append that asks whether it arrived");
    auto const lost = checked_step(beat.state, from(S2, refused(Term{2}, Index{4}, {Term{1}, Index{3}}, 2)));
    require(is_probing(lost.state, S2) and
                lost.outgoing.messages == just(S2, append_of(Term{2}, {Term{1}, Index{3}}, Term{2}, 1, {}, 3)),
            "should it be lost, it goes again");
};
TOTORA_PROVE(a_follower_in_question_gets_one_append_at_a_time, "5.3", "case_76");

/// The disk of a follower may need longer for the entry than a heartbeat alarm, and its link too: the answer to the append that
/// followed comes first.
constexpr auto an_entry_that_a_search_carried_is_sent_once = [] {
    auto const state = step(leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}})), local(Proposed{1})).state;
    auto const beat = checked_step(state, ring(state, Alarm::heartbeat));

    auto const answered = checked_step(beat.state, from(S2, accepted(Term{2}, Index{3}, 2)));

    require(not is_probing(answered.state, S2), "the logs agree, though the no-op is not durable there yet");
    require(answered.outgoing.messages == just(S2, append_of(Term{2}, {Term{2}, Index{4}}, Term{2}, 1, {}, 3)),
            "what follows it is sent, and not the no-op");
    require(in_flight(progress_of(answered.state, S2)) == 2, "both count");
    auto const durable = checked_step(answered.state, from(S2, accepted(Term{2}, Index{4}, 1)));
    require(in_flight(progress_of(durable.state, S2)) == 1 and durable.outgoing.messages.empty(),
            "until it is durable");
};
TOTORA_PROVE(an_entry_that_a_search_carried_is_sent_once, "5.3", "case_89");

/// What is refused is sent again: an append that may be refused carries one entry.
constexpr auto a_search_for_the_match_index_sends_no_backlog = [] {
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 300}}));
    require(progress_of(state, S2).next == Index{302}, "the no-op went out alone");
    for (auto const term : {Term{1}, Term{2}}) {
        auto const moved = checked_step(state, from(S2, refused(Term{2}, Index{300}, {term, Index{200}})));
        require(is_probing(moved.state, S2) and
                    moved.outgoing.messages == just(S2, append_of(Term{2}, {Term{1}, Index{200}}, Term{1}, 1, {}, 2)),
                "the search goes on where S2's log ends, with one entry");
        auto const found = checked_step(moved.state, from(S2, accepted(Term{2}, Index{201}, 2)));
        require(not is_probing(found.state, S2) and progress_of(found.state, S2).next == Index{302} and
                    sent<AppendEntries>(found.outgoing, S2).at(0).entries == Run{Term{1}, Index{202}, 99},
                "and all that S2 lacks follows");
    }
};
TOTORA_PROVE(a_search_for_the_match_index_sends_no_backlog, "5.3", "case_89");

/// Two appends of a flow overtake each other. Were the refusal of the second answered by a flow again, and not by one append whose
/// acceptance brings the follower further, this could go on without end. Found by the explorer.
constexpr auto a_refusal_ends_a_flow_until_the_follower_has_come_further = [] {
    auto const start = leader(server(S1, Term{2}, log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}})));
    auto const asked = checked_step(start, from(S2, refused(Term{3}, Index{4}, {Term{1}, Index{1}}, 1)));
    auto const flow =
        checked_step(asked.state, from(S2, accepted(Term{3}, Index{1}, 2))); // Asked again by a heartbeat.
    require(sent<AppendEntries>(flow.outgoing, S2).size() == 2, "after 2/1 come 3/2 and 4/2, then 5/3");

    auto const refusal = checked_step(flow.state, from(S2, refused(Term{3}, Index{2}, {Term{1}, Index{1}}, 3)));

    require(is_probing(refusal.state, S2) and
                refusal.outgoing.messages == just(S2, append_of(Term{3}, {Term{1}, Index{1}}, Term{1}, 1, {}, 5)),
            "2/1 goes again, alone");
    auto const late = checked_step(refusal.state, from(S2, refused(Term{3}, Index{4}, {Term{1}, Index{1}}, 4)));
    require(late.outgoing.messages.empty(), "and the refusals of what was under way change nothing");
};
TOTORA_PROVE(a_refusal_ends_a_flow_until_the_follower_has_come_further, "5.3", "case_12", "case_89");

/// What lies below the entries that this leader sent does not count, though nothing is known to match.
constexpr auto a_window_counts_what_was_sent_and_not_what_is_there = [] {
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 1'000'000}}));
    state.settings.window = 10;
    auto const moved = checked_step(state, from(S2, refused(Term{2}, Index{1'000'000}, {Term{1}, Index{999'000}})));
    auto const found =
        checked_step(moved.state, from(S2, accepted(Term{2}, Index{1}, 2))); // Hardly anything is durable.
    require(progress_of(found.state, S2).match == Index{1} and in_flight(progress_of(found.state, S2)) == 10 and
                sent<AppendEntries>(found.outgoing, S2).at(0).entries == Run{Term{1}, Index{999'002}, 9},
            "the window is used, of which the search took one place");
};
TOTORA_PROVE(a_window_counts_what_was_sent_and_not_what_is_there, "5.3", "case_91");

constexpr auto a_follower_that_agrees_gets_no_more_than_the_window = [] {
    auto state = leader_in_flow(3, 1);
    for (auto proposal = 0; proposal < 3; ++proposal) {
        auto const proposed = checked_step(state, local(Proposed{1}));
        require(sent<AppendEntries>(proposed.outgoing, S2).size() == 1, "each goes out at once");
        state = proposed.state;
    }
    auto const full = checked_step(state, local(Proposed{2}));
    require(full.outgoing.messages.empty() and in_flight(progress_of(full.state, S2)) == 3, "until the window is full");

    auto const answered = checked_step(full.state, from(S2, accepted(Term{2}, Index{5}, 2)));
    require(sent<AppendEntries>(answered.outgoing, S2).size() == 1, "an acknowledged entry lets one more out");
    auto const later = checked_step(answered.state, from(S2, accepted(Term{2}, Index{7}, 4)));
    require(sent<AppendEntries>(later.outgoing, S2).size() == 1, "an answer acknowledges all before it as well");
    require(progress_of(later.state, S2).next == Index{10}, "all is sent, in order");
};
TOTORA_PROVE(a_follower_that_agrees_gets_no_more_than_the_window, "dissertation 10.2.1", "case_76", "case_91");

/// What is answered meanwhile moves no entry off the follower's disk queue: a place is free when its entry is durable.
constexpr auto only_durable_entries_leave_the_window = [] {
    auto state = leader_in_flow(3, 1);
    state = step(state, local(Proposed{3})).state;
    for (auto beat = 0; beat < 20; ++beat) {
        state = checked_step(state, ring(state, Alarm::heartbeat)).state;
        auto const number = progress_of(state, S2).sent.value;
        state = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0))).state;
        auto const alive = checked_step(state, from(S2, accepted(Term{2}, Index{4}, number)));
        require(alive.outgoing.messages.empty(), "nothing new is sent to a follower whose disk hangs");
        state = checked_step(alive.state, local(ReadRequested{})).state;
        state = checked_step(state, local(Proposed{1})).state;
        require(in_flight(progress_of(state, S2)) == 3, "three entries are pinned, and no more");
    }
    auto const durable = checked_step(state, from(S2, accepted(Term{2}, Index{7}, 4)));
    require(sent<AppendEntries>(durable.outgoing, S2).size() == 3, "three more when these are durable");
};
TOTORA_PROVE(only_durable_entries_leave_the_window, "dissertation 10.2.1", "case_91");

/// Read rounds have no append numbers, and two are out at most.
constexpr auto unanswered_read_rounds_keep_no_entries_back = [] {
    auto state = leader_in_flow(64, 1);
    state = step(state, from(S3, accepted(Term{2}, Index{4}))).state;
    for (auto read = std::uint64_t{0}; read < 300; ++read)
        state = checked_step(state, local(ReadRequested{})).state;
    require(std::get_if<Leader>(&state.role)->reads.newest == Round{rounds_max}, "two rounds are out");

    auto const proposed = checked_step(state, local(Proposed{10}));

    require(progress_of(proposed.state, S2).next == Index{5 + appends_per_step}, "as many as ever in one step");
};
TOTORA_PROVE(unanswered_read_rounds_keep_no_entries_back, "8", "case_91");

/// A window whose appends are all lost is freed by the refusal of an empty append that follows them.
constexpr auto lost_appends_do_not_hold_their_places = [] {
    auto state = leader_in_flow(2, 1);
    state = step(state, local(Proposed{2})).state;
    require(in_flight(progress_of(state, S2)) == 2, "the window is full, and all of it lost");
    state.followers = step(state, ring(state, Alarm::heartbeat)).state.followers; // S2 answered in this interval.
    auto const beat = checked_step(state, ring(state, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S2)[1] == heartbeat_of(Term{2}, {Term{2}, Index{6}}, Index{4}, 4),
            "the next alarm asks about what was sent");

    auto const refusal = refused(Term{2}, Index{6}, {Term{2}, Index{4}}, 4);
    auto const again = checked_step(beat.state, from(S2, refusal));

    require(is_probing(again.state, S2) and sent<AppendEntries>(again.outgoing, S2).size() == 1 and
                sent<AppendEntries>(again.outgoing, S2)[0].entries == Run{Term{2}, Index{5}, 1},
            "what is missing is sent again, beginning with one");
};
TOTORA_PROVE(lost_appends_do_not_hold_their_places, "5.3", "case_76");

/// What an append lost holds its place until it is found out, and no longer: the window is as wide as before.
constexpr auto lost_appends_do_not_make_the_window_smaller = [] {
    auto state = leader_in_flow(2, 1);
    state = step(state, local(Proposed{2})).state; // 5/2 and 6/2 are lost.
    state = step(state, from(S2, refused(Term{2}, Index{6}, {Term{2}, Index{4}}, 3))).state;
    state = step(state, from(S2, accepted(Term{2}, Index{5}, 4))).state;
    require(progress_of(state, S2).next == Index{7} and in_flight(progress_of(state, S2)) == 1, "6/2 is on its way");

    auto const proposed = checked_step(state, local(Proposed{1}));

    require(sent<AppendEntries>(proposed.outgoing, S2).size() == 1, "there is a place for 7/2, as before");
    require(in_flight(progress_of(proposed.state, S2)) == 2, "and then the window is full again");
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
    auto const state =
        leader(server(S1, Term{3}, log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}, {Term{3}, Index{5}, 1}})));

    auto const moved = checked_step(state, from(S2, refused(Term{4}, Index{5}, {Term{1}, Index{1}})));
    require(moved.outgoing.messages == just(S2, append_of(Term{4}, {Term{1}, Index{1}}, Term{1}, 1, {}, 2)), "2/1");
    auto const [after, outgoing] = checked_step(moved.state, from(S2, accepted(Term{4}, Index{2}, 2)));

    auto const appends = sent<AppendEntries>(outgoing, S2);
    require(appends.size() == 3, "three terms more, three appends");
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
    require(open.outgoing.messages == just(S2, append_of(Term{2}, {Term{2}, Index{4}}, Term{2}, 1, Index{4}, 2)),
            "then the entries");
};
TOTORA_PROVE(a_full_queue_takes_no_entries_until_it_is_open, "5.3", "case_76");

/// A queue that was full may have dropped entries, and a broken connection may have lost them, or not: it is asked where the
/// leader is, and nothing is sent twice.
constexpr auto a_connection_shows_nothing_about_the_log = [] {
    auto const state = step(leader_in_flow(256, 10), local(Proposed{30})).state;
    require(in_flight(progress_of(state, S2)) == 30, "5 to 34 are on their way");
    for (auto const broken : {Link::full, Link::unreachable}) {
        auto const lost = checked_step(state, local(LinkChanged{S2, broken}));
        require(did_nothing(lost.outgoing), "nothing is sent to nowhere");
        auto const open = checked_step(lost.state, local(LinkChanged{S2, Link::open}));
        require(open.outgoing.messages == just(S2, heartbeat_of(Term{2}, {Term{2}, Index{34}}, Index{4}, 5)),
                "an empty append asks after what was sent");

        auto const arrived = checked_step(open.state, from(S2, accepted(Term{2}, Index{20}, 5)));
        require(arrived.outgoing.messages.empty() and progress_of(arrived.state, S2).next == Index{35},
                "all has arrived: nothing is sent again");
        auto const gone = checked_step(open.state, from(S2, refused(Term{2}, Index{34}, {Term{2}, Index{24}}, 5)));
        require(sent<AppendEntries>(gone.outgoing, S2).at(0).entries == Run{Term{2}, Index{25}, 1},
                "or only what is missing, beginning with one");
    }
};
TOTORA_PROVE(a_connection_shows_nothing_about_the_log, "5.3", "case_88", "case_89");

/// A new leader knows nothing of a follower's log, and a connection that opens shows it nothing: sending from match + 1 would
/// send the whole log.
constexpr auto a_connection_that_opens_while_the_leader_searches_sends_no_log = [] {
    auto const state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 1'000'000}}));

    auto const open = checked_step(state, local(LinkChanged{S2, Link::open}));

    require(open.outgoing.messages == just(S2, heartbeat_of(Term{2}, {Term{2}, Index{1'000'001}}, {}, 2)),
            "an empty append asks whether the no-op arrived");
    auto const lost =
        checked_step(open.state, from(S2, refused(Term{2}, Index{1'000'001}, {Term{1}, Index{1'000'000}}, 2)));
    require(lost.outgoing.messages == just(S2, append_of(Term{2}, {Term{1}, Index{1'000'000}}, Term{2}, 1, {}, 3)),
            "if not, it goes again, alone");
    require(progress_of(open.state, S2).match == Index{}, "although nothing is known to match");
};
TOTORA_PROVE(a_connection_that_opens_while_the_leader_searches_sends_no_log, "5.3", "case_88");

constexpr auto a_connection_with_nothing_on_it_loses_nothing = [] {
    auto const state = leader_in_flow(256, 10);
    auto const broken = checked_step(state, local(LinkChanged{S2, Link::unreachable}));
    require(did_nothing(broken.outgoing) and broken.state == state, "all that was sent is acknowledged");
    require(did_nothing(checked_step(broken.state, local(LinkChanged{S2, Link::open})).outgoing), "and stays so");
};
TOTORA_PROVE(a_connection_with_nothing_on_it_loses_nothing, "5.3", "case_88");

/// The shell sends what its bounds in bytes allow: `next` follows it, so that the rest is neither skipped nor sent twice.
constexpr auto next_is_what_was_really_sent = [] {
    auto const state = step(leader_in_flow(256, 100), local(Proposed{100})).state;
    auto const cut = checked_step(state, local(AppendsCut{S2, Index{34}}));
    require(did_nothing(cut.outgoing) and progress_of(cut.state, S2).next == Index{35}, "5 to 34 were sent");
    require(checked_step(cut.state, local(Proposed{1})).outgoing.messages.empty(), "and nothing for now");
    require(checked_step(cut.state, from(S2, accepted(Term{2}, Index{20}, 2))).outgoing.messages.empty(),
            "whatever is acknowledged meanwhile");

    auto const resumed = checked_step(cut.state, local(AppendsResumed{S2}));

    require(resumed.outgoing.messages == just(S2, append_of(Term{2}, {Term{2}, Index{34}}, Term{2}, 70, Index{4}, 3)),
            "then the rest");
};
TOTORA_PROVE(next_is_what_was_really_sent, "5.3", "case_89");

constexpr auto a_shell_that_sent_nothing_is_asked_again = [] {
    auto const asking = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto const cut = checked_step(asking, local(AppendsCut{S2, Index{3}}));
    require(did_nothing(cut.outgoing), "the no-op had to wait");
    auto const resumed = checked_step(cut.state, local(AppendsResumed{S2}));
    require(resumed.outgoing.messages == just(S2, append_of(Term{2}, {Term{1}, Index{3}}, Term{2}, 1, {}, 2)),
            "and goes out when it can");

    for (auto const sent : {Index{}, Index{4}, Index{5}, Index{number_max}}) {
        auto const flow = step(leader_in_flow(256, 10), local(Proposed{3})).state;
        auto const odd = checked_step(flow, local(AppendsCut{S2, sent})).state;
        require(progress_of(odd, S2).next > Index{4} and progress_of(odd, S2).next <= Index{8}, "never below match");
    }
};
TOTORA_PROVE(a_shell_that_sent_nothing_is_asked_again, "5.3", "case_89");

constexpr auto a_broken_connection_is_probed_by_the_next_heartbeat = [] {
    auto const state = step(leader_in_flow(256, 10), local(Proposed{1})).state;

    auto const broken = checked_step(state, local(LinkChanged{S2, Link::unreachable}));
    require(did_nothing(broken.outgoing) and is_probing(broken.state, S2), "nothing is sent to nowhere");
    auto const proposed = checked_step(broken.state, local(Proposed{1}));
    require(sent<AppendEntries>(proposed.outgoing, S2).size() == 1, "the next entry asks");
    auto const beat = checked_step(proposed.state, ring(state, Alarm::heartbeat));
    auto const number = progress_of(beat.state, S2).sent.value;
    auto const back = checked_step(beat.state, from(S2, refused(Term{2}, Index{5}, {Term{2}, Index{4}}, number)));
    require(sent<AppendEntries>(back.outgoing, S2).at(0).entries == Run{Term{2}, Index{5}, 1}, "one answer resumes it");
};
TOTORA_PROVE(a_broken_connection_is_probed_by_the_next_heartbeat, "5.3", "case_76");

/// A heartbeat overtakes entries: it tests nothing beyond what is acknowledged, and commits nothing beyond it.
constexpr auto a_heartbeat_may_overtake_entries = [] {
    auto state = step(leader_in_flow(256, 10), from(S3, accepted(Term{2}, Index{4}))).state;
    state = step(state, local(Proposed{5})).state;
    state = step(step(state, persisted(state)).state, from(S3, accepted(Term{2}, Index{9}, 2))).state;
    require(state.commit_index == Index{9} and progress_of(state, S2).match == Index{4},
            "S2's entries are on their way");

    auto const beat = checked_step(state, ring(state, Alarm::heartbeat));
    auto const heartbeat = sent<AppendEntries>(beat.outgoing, S2).at(0);

    auto expected = heartbeat_of(Term{2}, {Term{2}, Index{4}}, Index{4});
    expected.committed = Index{9};
    require(heartbeat == expected, "at what S2 acknowledged");
    require(may_overtake(Rpc{heartbeat}), "it may leave first");
    for (auto const& append : sent<AppendEntries>(beat.outgoing, S2))
        require(may_overtake(Rpc{append}) == (append == heartbeat), "what tests more keeps its place");
    auto const s2 =
        step(follower(S2, Term{2}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 1}}), from(S1, heartbeat)).state;
    auto const answer = checked_step(s2, from(S1, heartbeat)).outgoing.messages;
    require(answer == just(S1, accepted(Term{2}, Index{4}, 0)), "S2, which has none of them, agrees");
    auto const answered = checked_step(beat.state, from(S2, accepted(Term{2}, Index{4}, 0)));
    require(progress_of(answered.state, S2).next == Index{10} and answered.outgoing.messages.empty(),
            "and nothing is sent again");
    auto const odd = checked_step(beat.state, from(S2, refused(Term{2}, Index{4}, {Term{1}, Index{2}}, 0)));
    require(odd.outgoing.decisions == decisions_of({Decision::refusal_outdated}) and odd.outgoing.messages.empty(),
            "nor would a refusal of it be a mismatch");
};
TOTORA_PROVE(a_heartbeat_may_overtake_entries, "5.2", "case_94");

/// Large entries on a slow link: every heartbeat is answered, no append is, and they are sent once.
constexpr auto entries_that_take_long_are_not_sent_again = [] {
    auto const flow = step(leader_in_flow(256, 10), local(Proposed{3})).state;
    auto       state = flow;
    for (auto beat = 0; beat < 30; ++beat) {
        auto const alarm = checked_step(state, ring(state, Alarm::heartbeat));
        for (auto const& append : sent<AppendEntries>(alarm.outgoing, S2))
            require(append.entries.count == 0, "no entry is sent again");
        state = checked_step(alarm.state, from(S2, accepted(Term{2}, Index{4}, 0))).state;
    }
    auto const arrived = checked_step(state, from(S2, accepted(Term{2}, Index{7}, 2)));
    require(progress_of(arrived.state, S2).match == Index{7} and arrived.outgoing.messages.empty(), "they arrive");
};
TOTORA_PROVE(entries_that_take_long_are_not_sent_again, "5.3", "case_94");

/// Nothing gets through to a majority although it answers: neither an append nor a byte. The links are made again, and when
/// that does not help either, another may have better ones.
constexpr auto links_that_only_heartbeats_pass_are_renewed_and_then_given_up = [] {
    auto state = leader_in_flow(256, 10);
    state = step(state, from(S3, accepted(Term{2}, Index{4}))).state;
    state = step(state, local(Proposed{1})).state;
    auto const check = [&](ServerId moving) {
        for (auto const server : {S2, S3})
            state = checked_step(state, from(server, accepted(Term{2}, Index{4}, 0))).state;
        if (moving != nobody)
            state = checked_step(state, local(LinkMoved{moving})).state;
        auto transition = checked_step(state, ring(state, Alarm::quorum_check));
        state = transition.state;
        return transition.outgoing;
    };
    require(check(S2).links_to_renew.empty(), "the answers to the no-op count as the first interval's progress");
    for (auto checks = 0; checks < 20; ++checks)
        require(check(S3).links_to_renew.empty() and is_leader(state), "bytes that a slow link takes are progress");
    for (auto checks = 1; checks < stalled_before_renewal; ++checks)
        require(check(nobody).links_to_renew.empty(), "a while");
    auto const renewal = check(nobody);
    require(noted(renewal, Decision::link_renewed) and not renewal.links_to_renew.empty(), "then they are renewed");
    for (auto checks = 0; checks < 20 and is_leader(state); ++checks) {
        auto const last = check(nobody);
        require(is_leader(state) or noted(last, Decision::stepped_down_no_progress), "for this reason");
    }
    require(is_follower(state), "the leader steps down");
};
TOTORA_PROVE(links_that_only_heartbeats_pass_are_renewed_and_then_given_up, "dissertation 6.2", "case_94");

constexpr auto a_leader_with_nothing_to_send_renews_no_link = [] {
    auto state = leader_in_flow(256, 10);
    state = step(state, from(S3, accepted(Term{2}, Index{4}))).state;
    for (auto checks = 0; checks < 20; ++checks) {
        for (auto const server : {S2, S3})
            state = checked_step(state, from(server, accepted(Term{2}, Index{4}, 0))).state;
        auto const transition = checked_step(state, ring(state, Alarm::quorum_check));
        require(transition.outgoing.links_to_renew.empty() and is_leader(transition.state), "it is idle");
        state = transition.state;
    }
};
TOTORA_PROVE(a_leader_with_nothing_to_send_renews_no_link, "dissertation 6.2", "case_94");

/// A server that does not answer replaces nobody: nothing is committed with it.
constexpr auto a_silent_server_does_not_stand_in_for_one_that_nothing_reaches = [] {
    auto state = leader_in_flow(256, 10);
    state = step(state, local(Proposed{1})).state;
    auto renewed = Outgoing{};
    for (auto checks = 0; checks < 20 and is_leader(state); ++checks) {
        state = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0))).state;
        auto const transition = checked_step(state, ring(state, Alarm::quorum_check));
        state = transition.state;
        if (not transition.outgoing.links_to_renew.empty())
            renewed = transition.outgoing;
        require(is_leader(state) or noted(transition.outgoing, Decision::stepped_down_no_progress), "for this reason");
    }
    require(renewed.links_to_renew.size() == 1 and renewed.links_to_renew[0] == S2,
            "S3 is down: the link to S2 counts");
    require(is_follower(state), "and if it stays as it is, another may lead");
};
TOTORA_PROVE(a_silent_server_does_not_stand_in_for_one_that_nothing_reaches, "dissertation 6.2", "case_94");

/// Nothing has got through to S2 for long, and S3 was enough. That S3 is silent for once gives S2 a new connection first.
constexpr auto a_leader_renews_its_links_before_it_steps_down_for_them = [] {
    auto state = leader_in_flow(256, 10);
    state = step(state, from(S3, accepted(Term{2}, Index{4}))).state;
    auto const check = [&](bool answers) {
        state = checked_step(state, local(Proposed{1})).state;
        state = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0))).state;
        if (answers)
            state =
                checked_step(state, from(S3, accepted(Term{2}, last_index(state), progress_of(state, S3).sent.value)))
                    .state;
        auto transition = checked_step(state, ring(state, Alarm::quorum_check));
        state = transition.state;
        return transition.outgoing.links_to_renew;
    };
    for (auto checks = 0; checks < 20; ++checks)
        require(check(true).empty() and is_leader(state), "S3 is enough");
    for (auto checks = 0; checks < 20; ++checks) // It is silent now and then.
        require(check(checks % stalled_before_renewal == 0).empty() and is_leader(state), "that is a short time");
    require(check(true).empty() and is_leader(state), "S3 is back");
    for (auto checks = 1; checks < stalled_before_renewal; ++checks)
        require(check(false).empty() and is_leader(state), "S3 is silent");
    auto const renewed = check(false);
    require(renewed.size() == 1 and renewed[0] == S2 and is_leader(state), "for longer: the link to S2 counts");
    for (auto checks = stalled_before_renewal + 1; checks < stalled_before_stepping_down; ++checks)
        require(check(false).empty() and is_leader(state), "the new connection is given time");
    require(check(false).empty() and is_follower(state), "and if that does not help, another may lead");
};
TOTORA_PROVE(a_leader_renews_its_links_before_it_steps_down_for_them, "dissertation 6.2", "case_94");

/// One that only receives does not answer yet, and is no reason to step down either.
constexpr auto a_link_that_takes_bytes_counts_also_if_nobody_answers = [] {
    auto state = leader_in_flow(256, 10);
    state = step(state, local(Proposed{1})).state;
    for (auto checks = 0; checks < 20; ++checks) {
        state = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0))).state;
        state = checked_step(state, local(LinkMoved{S3})).state;
        auto const transition = checked_step(state, ring(state, Alarm::quorum_check));
        require(transition.outgoing.links_to_renew.empty() and is_leader(transition.state), "S3 receives");
        state = transition.state;
    }
};
TOTORA_PROVE(a_link_that_takes_bytes_counts_also_if_nobody_answers, "dissertation 6.2", "case_94");

/// Case 94, where full disks are no such case: what is not stored there is not held up on the way.
constexpr auto a_leader_renews_no_link_to_servers_without_room = [] {
    auto state = leader_in_flow(256, 10);
    state = step(state, from(S3, accepted(Term{2}, Index{4}))).state;
    state = step(state, local(Proposed{1})).state;
    for (auto checks = 0; checks < 20; ++checks) {
        for (auto const server : {S2, S3}) {
            auto full = accepted(Term{2}, Index{4}, 0);
            full.no_room = true;
            state = checked_step(state, from(server, full)).state;
        }
        auto const transition = checked_step(state, ring(state, Alarm::quorum_check));
        require(transition.outgoing.links_to_renew.empty() and is_leader(transition.state), "it waits for room");
        state = transition.state;
    }
};
TOTORA_PROVE(a_leader_renews_no_link_to_servers_without_room, "dissertation 6.2", "case_94", "case_90");

// --- A follower without room (case 90) ------------------------------------------------------------------------------

constexpr auto a_follower_without_room_answers_and_reports_it = [] {
    auto const s2 = follower(S2, Term{2}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 1}});
    auto const full = checked_step(s2, local(RoomChanged{LogRoom::reserve_only}));
    require(full.outgoing.decisions == decisions_of({Decision::room_exhausted}), "it is named, once");
    require(checked_step(full.state, local(RoomChanged{LogRoom::reserve_only})).state == full.state, "and not again");

    // The shell hands over an append for which there is no room without its entries.
    auto const stripped = append_of(Term{2}, {Term{2}, Index{4}}, Term{2}, 0, Index{4}, 7);
    auto const [after, outgoing] = checked_step(full.state, from(S1, stripped));
    auto expected = accepted(Term{2}, Index{4}, 7);
    expected.conflict_hint = {Term{2}, Index{4}};
    expected.no_room = true;
    require(outgoing.messages == just(S1, expected) and outgoing.writes.empty(), "agreed up to there, and no room");
    require(known_leader(after) == S1 and after.commit_index == Index{4},
            "the leader is followed, the commit index learned");

    auto const gap = checked_step(full.state, from(S1, append_of(Term{2}, {Term{2}, Index{9}}, Term{2}, 0, {}, 8)));
    require(sent<AppendEntriesResponse>(gap.outgoing, S1).at(0).no_room, "what follows is refused for the same reason");
    auto const again = checked_step(full.state, local(RoomChanged{LogRoom::enough}));
    require(again.outgoing.decisions == decisions_of({Decision::room_regained}) and again.state == s2, "all is well");
};
TOTORA_PROVE(a_follower_without_room_answers_and_reports_it, "5.3", "case_90");

constexpr auto a_follower_without_room_gets_no_entries_until_it_has_room = [] {
    auto state = step(leader_in_flow(256, 10), local(Proposed{30})).state;
    auto no_room = accepted(Term{2}, Index{4}, 2);
    no_room.conflict_hint = {Term{2}, Index{4}};
    no_room.no_room = true;
    auto const refused_for_room = checked_step(state, from(S2, no_room));
    require(refused_for_room.outgoing.decisions == decisions_of({Decision::follower_without_room}),
            "the leader names it");
    require(progress_of(refused_for_room.state, S2).next == Index{5}, "nothing was stored");
    state = refused_for_room.state;
    auto later = refused(Term{2}, Index{14}, {Term{2}, Index{4}}, 3);
    later.no_room = true;
    state = checked_step(state, from(S2, later)).state;
    require(progress_of(state, S2).next == Index{5}, "what was on its way is no mismatch");

    for (auto beat = 0; beat < 20; ++beat) {
        auto const alarm = checked_step(state, ring(state, Alarm::heartbeat));
        require(sent<AppendEntries>(alarm.outgoing, S2).size() == 1, "heartbeats go on, alone");
        auto full = accepted(Term{2}, Index{4}, 0);
        full.no_room = true;
        auto const answered = checked_step(alarm.state, from(S2, full));
        require(answered.outgoing.messages.empty(), "no entries are sent while it reports that it has no room");
        state = checked_step(answered.state, local(Proposed{1})).state;
    }
    auto const room = checked_step(state, from(S2, accepted(Term{2}, Index{4}, 0)));
    require(noted(room.outgoing, Decision::follower_with_room_again), "the answer to the next heartbeat reports room");
    require(room.outgoing.messages == just(S2, append_of(Term{2}, {Term{2}, Index{4}}, Term{2}, 1, Index{4}, 5)),
            "it is asked");
    auto const flows = checked_step(room.state, from(S2, accepted(Term{2}, Index{5}, 5)));
    require(sent<AppendEntries>(flows.outgoing, S2).at(0).entries == Run{Term{2}, Index{6}, 10}, "and entries flow");
};
TOTORA_PROVE(a_follower_without_room_gets_no_entries_until_it_has_room, "5.3", "case_90");

constexpr auto the_link_to_a_non_member_changes_nothing = [] {
    auto const leading = leader_in_flow(256, 10);
    auto const following = follower(S2, Term{1}, {});
    for (auto const link : {Link::full, Link::open, Link::unreachable, static_cast<Link>(77)}) {
        auto const from_leader = checked_step(leading, local(LinkChanged{S5, link}));
        require(from_leader.state == leading and did_nothing(from_leader.outgoing), "a leader has no such follower");
        auto const from_follower = checked_step(following, local(LinkChanged{S1, link}));
        require(from_follower.state == following and did_nothing(from_follower.outgoing), "a follower has none");
    }
};
TOTORA_PROVE(the_link_to_a_non_member_changes_nothing, "5.3");

} // namespace
} // namespace totora::test::progress_tests
