// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter B: what a follower does with appends. A is S1, B is S2.

namespace totora::test::log_matching_tests
{
namespace
{

constexpr auto the_term_of_the_previous_entry_must_match_too = [] {
    auto const b = follower(S2, Term{2}, {{Term{1}, Index{1}, 1}, {Term{2}, Index{2}, 1}});

    auto const refusal = checked_step(b, from(S1, append_of(Term{3}, {Term{1}, Index{2}}, Term{3}, 1)));
    require(refusal.state.log == b.log, "3: index 2 is there, with another term: B's log stays");
    require(refusal.outgoing.messages == just(S1, refused(Term{3}, Index{2}, {Term{1}, Index{1}})), "with a hint");

    auto const first =
        checked_step(refusal.state, from(S1, append_of(Term{3}, {Term{1}, Index{1}}, Term{1}, 1, {}, 2)));
    auto const second = checked_step(first.state, from(S1, append_of(Term{3}, {Term{1}, Index{2}}, Term{3}, 1, {}, 3)));
    require(second.state.log == log_of({{Term{1}, Index{1}, 2}, {Term{3}, Index{3}, 1}}), "B = 1/1, 2/1, 3/3");
};
TOTORA_PROVE(the_term_of_the_previous_entry_must_match_too, "5.3", "case_8");

constexpr auto reordered_and_repeated_appends_cut_nothing = [] {
    auto const begin = follower(S2, Term{1}, {{Term{1}, Index{1}, 2}});
    auto const m1 = append_of(Term{2}, {Term{1}, Index{2}}, Term{2}, 1, Index{2}, 1);
    auto const m2 = append_of(Term{2}, {Term{2}, Index{3}}, Term{2}, 2, Index{2}, 2);

    auto const early = checked_step(begin, from(S1, m2));
    require(early.state.log == begin.log, "2: m2 comes first and is refused");
    require(early.outgoing.messages == just(S1, refused(Term{2}, Index{3}, {Term{1}, Index{2}}, 2)),
            "there is no index 3");
    auto const first = checked_step(early.state, from(S1, m1));
    auto const second = checked_step(first.state, from(S1, m2));
    auto       b = checked_step(second.state, persisted(second.state)).state;
    require(b.log == log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 3}}), "3: B holds up to 5/2");
    require(second.outgoing.messages == just(S1, accepted(Term{2}, Index{5}, 2), Release::once_durable(WriteNumber{3})),
            "and acknowledged 5");
    require(checked_step(b, from(S1, m1)).state.log == b.log,
            "a repeated m1 cuts nothing that is not committed either");
    b = checked_step(b, from(S1, heartbeat_of(Term{2}, {Term{2}, Index{5}}, Index{5}, 3))).state;

    auto const repeated = checked_step(b, from(S1, m1));
    require(repeated.state.log == b.log and repeated.state.commit_index == Index{5}, "4: B still holds up to 5/2");
    require(repeated.outgoing.messages == just(S1, accepted(Term{2}, Index{3}, 1)), "match = 3, what m1 verified");
    require(repeated.outgoing.writes.empty(), "and nothing is cut");

    auto const low = checked_step(b, from(S1, heartbeat_of(Term{2}, {Term{1}, Index{1}}, Index{5}, 4)));
    require(low.state.log == b.log and low.outgoing.writes.empty(), "nor by a heartbeat from further down");
    require(low.outgoing.messages == just(S1, accepted(Term{2}, Index{1}, 4)), "which verified 1");
};
TOTORA_PROVE(reordered_and_repeated_appends_cut_nothing, "5.3", "case_9");

constexpr auto what_is_committed_is_never_cut = [] {
    auto b = follower(S2, Term{1}, {{Term{1}, Index{1}, 3}});
    b = step(b, from(S1, heartbeat_of(Term{1}, {Term{1}, Index{3}}, Index{3}))).state;
    require(b.commit_index == Index{3}, "commit(B) = 3");

    auto const bad = from(S3, append_of(Term{2}, {Term{1}, Index{1}}, Term{2}, 1));
    require_nothing_but(Decision::violation_conflict_committed, b, checked_step(b, bad));
    require(is_violation(Decision::violation_conflict_committed), "it proves that its sender is broken");

    auto const good = checked_step(b, from(S3, append_of(Term{2}, {Term{1}, Index{1}}, Term{1}, 2)));
    require(good.state.log == b.log and good.outgoing.writes.size() == 1,
            "a previous entry below the commit index is legal");
    require(good.outgoing.messages == just(S3, accepted(Term{2}, Index{3}), Release::once_durable(WriteNumber{1})),
            "and accepted, once the newer term is durable");
};
TOTORA_PROVE(what_is_committed_is_never_cut, "5.3", "case_10");

/// The previous entry itself may be the one that contradicts what is committed.
constexpr auto a_previous_entry_that_contradicts_what_is_committed_is_a_violation = [] {
    auto b = follower(S2, Term{3}, {{Term{1}, Index{1}, 3}});
    b = step(b, from(S1, heartbeat_of(Term{3}, {Term{1}, Index{3}}, Index{3}))).state;

    for (auto const& previous : {LogPosition{Term{2}, Index{3}}, LogPosition{Term{2}, Index{1}}})
        require_nothing_but(Decision::violation_conflict_committed, b,
                            checked_step(b, from(S1, heartbeat_of(Term{3}, previous))));
    auto const beyond = checked_step(b, from(S1, heartbeat_of(Term{3}, {Term{2}, Index{4}})));
    require(beyond.outgoing.decisions == decisions_of({Decision::append_refused_mismatch}),
            "beyond it, it is only a mismatch");
};
TOTORA_PROVE(a_previous_entry_that_contradicts_what_is_committed_is_a_violation, "5.3", "case_10");

} // namespace
} // namespace totora::test::log_matching_tests
