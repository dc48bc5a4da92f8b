// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

#include <cstdint>
#include <limits>

// docs/cases.md, chapter B: how a leader finds the place where a follower's log agrees with its own. A is S1, B is S2.

namespace totora::test::conflict_hints_tests
{
namespace
{

/// A leads term 10 with 1/1..4/1, 5/3..100/3, 101/5..200/5, 201/7..300/7, 301/9..400/9 and its no-op.
constexpr auto leader_of_term_10 = [] {
    return leader(server(S1, Term{9},
                         log_of({{Term{1}, Index{1}, 4},
                                 {Term{3}, Index{5}, 96},
                                 {Term{5}, Index{101}, 100},
                                 {Term{7}, Index{201}, 100},
                                 {Term{9}, Index{301}, 100}})));
};

/// The previous entries of the appends until A knows where B's log agrees with its own.
[[nodiscard]] constexpr std::vector<std::uint64_t> probes_until_agreement(TermRuns b_log)
{
    auto a = leader_of_term_10();
    auto b = server(S2, Term{9}, std::move(b_log));
    auto append = append_of(Term{10}, {Term{9}, Index{400}}, Term{10}, 1); // The no-op, on its way since A was elected.
    auto probes = std::vector<std::uint64_t>{};
    while (probes.size() < 20) {
        probes.push_back(append.previous.index.value);
        auto const at_b = checked_step(b, from(S1, append));
        b = at_b.state;
        auto const at_a = checked_step(a, from(S2, sent<AppendEntriesResponse>(at_b.outgoing, S1).at(0)));
        a = at_a.state;
        if (not is_probing(a, S2))
            return probes;
        require(at_a.outgoing.messages.size() == 1, "one probe at a time");
        append = sent<AppendEntries>(at_a.outgoing, S2).at(0);
    }
    return probes;
}

constexpr auto a_refusal_moves_back_by_whole_terms = [] {
    auto const other_terms = [](std::uint64_t tail) {
        return log_of({{Term{1}, Index{1}, 4},
                       {Term{2}, Index{5}, 96},
                       {Term{4}, Index{101}, 100},
                       {Term{6}, Index{201}, 100},
                       {Term{8}, Index{301}, tail}});
    };

    require(probes_until_agreement(other_terms(100)) == std::vector<std::uint64_t>{400, 300, 200, 100, 4},
            "run 1: five");
    require(probes_until_agreement(other_terms(600)) == std::vector<std::uint64_t>{400, 300, 200, 100, 4},
            "run 2: a longer tail costs nothing");
    require(probes_until_agreement(log_of({{Term{1}, Index{1}, 4}})) == std::vector<std::uint64_t>{400, 4},
            "run 3: two");
    require(probes_until_agreement(log_of({{Term{1}, Index{1}, 2}})) == std::vector<std::uint64_t>{400, 2},
            "run 4: two");
    require(probes_until_agreement(TermRuns{}) == std::vector<std::uint64_t>{400, 0}, "an empty log: two");
};
TOTORA_PROVE(a_refusal_moves_back_by_whole_terms, "5.3", "case_11");

constexpr auto no_hint_breaks_a_leader_or_moves_it_up = [] {
    auto const a = leader_of_term_10();
    for (auto const& hint :
         {LogPosition{}, LogPosition{Term{2}, Index{50}}, LogPosition{Term{8}, Index{900}},
          LogPosition{Term{10}, Index{401}}, LogPosition{Term{99}, Index{number_max}},
          LogPosition{Term{number_max}, Index{1}}, LogPosition{Term{0}, Index{7}}, LogPosition{Term{7}, Index{0}}}) {
        auto const [after, outgoing] = checked_step(a, from(S2, refused(Term{10}, Index{400}, hint)));

        require(sent<AppendEntries>(outgoing, S2).at(0).previous.index < Index{400}, "each refusal lowers next");
        require(progress_of(after, S2).next > progress_of(after, S2).match, "and not below what matches");
    }
    auto const beyond = LogPosition{Term{1}, Index{std::numeric_limits<std::uint64_t>::max()}};
    require_nothing_but(Decision::violation_number, a,
                        checked_step(a, from(S2, refused(Term{10}, Index{400}, beyond))));
};
TOTORA_PROVE(no_hint_breaks_a_leader_or_moves_it_up, "5.3", "case_11", "case_78");

/// Case 12: A leads term 3 with 1/1..4/1, 5/3..9/3 and assumes that B is at 9.
constexpr auto leader_that_assumes_b_at_9 = [] {
    auto a = leader(server(S1, Term{2}, log_of({{Term{1}, Index{1}, 4}})));
    a = step(a, local(Proposed{4})).state;
    find_progress(a, S2)->probe_from(Index{10});
    return a;
};

/// Two appends ask B the same; its second answer comes late, and may have been made worse.
constexpr void a_second_refusal_changes_nothing(TermRuns b_log, LogPosition worse)
{
    auto       a = leader_that_assumes_b_at_9();
    auto       b = server(S2, Term{2}, std::move(b_log));
    auto const first = checked_step(a, local(LinkChanged{S2, Link::open}));
    auto const second = checked_step(first.state, ring(first.state, Alarm::heartbeat));
    auto const refusal1 = checked_step(b, from(S1, sent<AppendEntries>(first.outgoing, S2).at(0)));
    auto const refusal2 = checked_step(refusal1.state, from(S1, sent<AppendEntries>(second.outgoing, S2).at(1)));
    auto       nack1 = sent<AppendEntriesResponse>(refusal1.outgoing, S1)[0];
    auto       nack2 = sent<AppendEntriesResponse>(refusal2.outgoing, S1)[0];
    require(not nack1.success and nack1.match == Index{9} and not nack2.success and nack2.match == Index{9},
            "both refuse 9");

    auto const moved = checked_step(second.state, from(S2, nack1));
    auto const number = progress_of(moved.state, S2).sent.value;
    require(moved.outgoing.messages == just(S2, append_of(Term{3}, {Term{1}, Index{4}}, Term{3}, 1, {}, number)),
            "2: A asks after 4/1");
    for (auto const& hint : {nack2.conflict_hint, worse}) {
        nack2.conflict_hint = hint;
        auto const late = checked_step(moved.state, from(S2, nack2));
        require(progress_of(late.state, S2).next == Index{6}, "3: next stays");
        require(late.outgoing.messages.empty(), "and nothing is sent");
        require(late.outgoing.decisions == decisions_of({Decision::refusal_outdated}), "for this reason");
        auto const at_b = checked_step(refusal2.state, from(S1, sent<AppendEntries>(moved.outgoing, S2)[0]));
        auto const answered = checked_step(late.state, from(S2, sent<AppendEntriesResponse>(at_b.outgoing, S1).at(0)));
        require(progress_of(answered.state, S2).match == Index{5}, "B agrees up to 5");
        require(sent<AppendEntries>(answered.outgoing, S2).at(0).entries == Run{Term{3}, Index{6}, 4} and
                    not is_probing(answered.state, S2),
                "and gets 6 to 9");
    }
}

constexpr auto a_late_refusal_does_not_move_next = [] {
    auto const longer = log_of({{Term{1}, Index{1}, 4}, {Term{2}, Index{5}, 8}});
    auto const as_long = log_of({{Term{1}, Index{1}, 4}, {Term{2}, Index{5}, 5}});
    a_second_refusal_changes_nothing(longer, {Term{2}, Index{12}});
    a_second_refusal_changes_nothing(as_long, {Term{2}, Index{9}});
};
TOTORA_PROVE(a_late_refusal_does_not_move_next, "5.3", "case_12");

/// The same once entries flow: a refusal of an append that was sent before is outdated.
constexpr auto a_refusal_from_before_the_agreement_does_not_move_next = [] {
    auto       a = leader_that_assumes_b_at_9();
    auto const asked = checked_step(a, local(LinkChanged{S2, Link::open}));
    auto const number = progress_of(asked.state, S2).sent.value;
    a = checked_step(asked.state, from(S2, accepted(Term{3}, Index{2}, number))).state;
    require(not is_probing(a, S2), "B agrees");

    auto const late = checked_step(a, from(S2, refused(Term{3}, Index{9}, {Term{2}, Index{8}}, number)));
    require(late.outgoing.decisions == decisions_of({Decision::refusal_outdated}), "it is outdated");
    require(progress_of(late.state, S2).next == progress_of(a, S2).next and late.outgoing.messages.empty(),
            "next stays");
};
TOTORA_PROVE(a_refusal_from_before_the_agreement_does_not_move_next, "5.3", "case_12");

/// Of the term but not of the outstanding probe: a refusal of another place, or one that answers an append of an older
/// term.
constexpr auto a_refusal_of_anything_else_than_the_outstanding_probe_is_not_used = [] {
    auto a = leader(server(S1, Term{2}, log_of({{Term{1}, Index{1}, 4}})));
    a = step(a, from(S2, refused(Term{3}, Index{4}, {Term{0}, Index{2}}))).state;
    require(progress_of(a, S2).next == Index{2} and is_probing(a, S2), "A asks with the first entry");
    auto const number = progress_of(a, S2).sent.value;

    for (auto const& refusal : {refused_by_newer_term(Term{3}), refused(Term{3}, Index{0}, {}, number - 1),
                                refused(Term{3}, Index{2}, {Term{1}, Index{1}}, number)}) {
        auto const late = checked_step(a, from(S2, refusal));
        require(late.outgoing.decisions == decisions_of({Decision::refusal_outdated}), "the reason is named");
        require(late.outgoing.messages.empty(), "nothing is sent again");
        require(progress_of(late.state, S2).next == Index{2}, "and next stays");
    }
};
TOTORA_PROVE(a_refusal_of_anything_else_than_the_outstanding_probe_is_not_used, "5.3", "case_12");

/// An append that was lost while entries flowed is found out by an empty one that follows it, and sent again.
constexpr auto a_lost_append_is_found_out_by_a_heartbeat = [] {
    auto a = leader(server(S1, Term{2}, log_of({{Term{1}, Index{1}, 4}})));
    a = step(a, from(S2, accepted(Term{3}, Index{5}))).state;
    a = step(a, local(Proposed{2})).state; // 6/3 and 7/3 are lost on the way to B.
    a = checked_step(a, ring(a, Alarm::heartbeat)).state;
    auto const beat = checked_step(a, ring(a, Alarm::heartbeat));
    require(sent<AppendEntries>(beat.outgoing, S2).at(1) == heartbeat_of(Term{3}, {Term{3}, Index{7}}, Index{5}, 3),
            "an interval without an answer: what was sent is asked about");

    auto const again = checked_step(beat.state, from(S2, refused(Term{3}, Index{7}, {Term{3}, Index{5}}, 3)));

    require(again.outgoing.messages == just(S2, append_of(Term{3}, {Term{3}, Index{5}}, Term{3}, 1, Index{5}, 4)),
            "6 is sent again, then 7");
};
TOTORA_PROVE(a_lost_append_is_found_out_by_a_heartbeat, "5.3", "case_12", "case_76");

} // namespace
} // namespace totora::test::conflict_hints_tests
