// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What no correct server can send, beside what tests/cases proves of numbers, senders, second leaders and commitment.

namespace totora::test::violations_tests
{
namespace
{

constexpr auto b = [] { return follower(S2, Term{3}, {{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}}); };

template <typename Append>
constexpr void is_a_violation(Decision outcome, Append const& append)
{
    require_nothing_but(outcome, b(), checked_step(b(), from(S1, append)));
}

constexpr auto an_append_must_not_contradict_itself = [] {
    auto const previous = LogPosition{Term{2}, Index{4}};
    is_a_violation(Decision::violation_shape, heartbeat_of(Term{0}, {})); // A leader of no term.
    is_a_violation(Decision::violation_shape, append_of(Term{3}, {Term{4}, Index{4}}, Term{3}, 1)); // From the future.
    is_a_violation(Decision::violation_shape, heartbeat_of(Term{3}, {Term{4}, Index{4}}));          // Likewise.
    is_a_violation(Decision::violation_shape, append_of(Term{3}, previous, Term{4}, 1));            // Likewise.
    is_a_violation(Decision::violation_shape, append_of(Term{3}, previous, Term{1}, 1));            // Terms that fall.
    is_a_violation(Decision::violation_shape, append_of(Term{3}, {}, Term{0}, 1));          // An entry of no term.
    is_a_violation(Decision::violation_number, heartbeat_of(Term{3}, {Term{0}, Index{4}})); // Likewise.
    is_a_violation(Decision::violation_number, heartbeat_of(Term{3}, {Term{2}, Index{0}})); // A term of no entry.
    for (auto const first : {Index{0}, Index{4}, Index{6}}) {
        auto gap = append_of(Term{3}, previous, Term{3}, 1);
        gap.entries.first = first;
        is_a_violation(Decision::violation_shape, gap); // Entries that do not follow.
    }
};
TOTORA_PROVE(an_append_must_not_contradict_itself, "5.3", "case_13");

constexpr auto a_configuration_must_lie_within_its_append_and_make_sense = [] {
    auto const with = [&](Configuration configuration, Index index) {
        configuration.index = index;
        return AppendConfiguration{append_of(Term{3}, {Term{2}, Index{4}}, Term{3}, 2), configuration};
    };
    is_a_violation(Decision::violation_configuration, with(cluster(3), Index{4}));
    is_a_violation(Decision::violation_configuration, with(cluster(3), Index{7}));
    is_a_violation(Decision::violation_configuration, with(Configuration{}, Index{5}));
    auto twice = cluster(3);
    twice.members[1].id = S1;
    is_a_violation(Decision::violation_configuration, with(twice, Index{5}));

    auto const good = checked_step(b(), from(S1, with(cluster(5), Index{6})));
    require(good.state.configurations.in_force.members == cluster(5).members and
                good.state.configurations.in_force.index == Index{6},
            "a sound one is in force from the moment it is in the log");
    require(good.state.configurations.previous == b().configurations.in_force, "and the one before is kept");
    auto const conflict = append_of(Term{4}, {Term{2}, Index{4}}, Term{4}, 1);
    auto const undone = checked_step(good.state, from(S3, conflict)).state;
    require(undone.configurations.in_force == b().configurations.in_force, "to be in force again when it is truncated");
};
TOTORA_PROVE(a_configuration_must_lie_within_its_append_and_make_sense, "6", "dissertation 4.1");

/// The newest configuration could be appended only when the one before was committed: that one is never given up.
constexpr auto the_configuration_before_the_newest_is_never_truncated = [] {
    auto state = b();
    for (auto const index : {Index{5}, Index{6}}) {
        auto append = AppendConfiguration{append_of(Term{3}, last_position(state), Term{3}, 1), cluster(5)};
        append.configuration.index = index;
        state = checked_step(state, from(S1, append)).state;
    }
    require(state.configurations.previous.index == Index{5} and state.configurations.in_force.index == Index{6},
            "two of them");

    auto const conflict = from(S3, append_of(Term{4}, {Term{2}, Index{4}}, Term{4}, 1));
    require_nothing_but(Decision::violation_conflict_committed, state, checked_step(state, conflict));
};
TOTORA_PROVE(the_configuration_before_the_newest_is_never_truncated, "6", "dissertation 4.1");

constexpr auto a_candidate_must_not_contradict_itself = [] {
    for (auto const& last : {LogPosition{Term{5}, Index{9}}, LogPosition{Term{4}, Index{9}}})
        require_nothing_but(Decision::violation_shape, b(), checked_step(b(), from(S1, RequestVote{Term{4}, last})));
    for (auto const& last : {LogPosition{Term{0}, Index{9}}, LogPosition{Term{1}, Index{0}}})
        require_nothing_but(Decision::violation_number, b(), checked_step(b(), from(S1, RequestVote{Term{4}, last})));
    auto const from_the_future = RequestPreVote{Term{4}, {Term{5}, Index{9}}, Round{1}};
    require_nothing_but(Decision::violation_shape, b(), checked_step(b(), from(S1, from_the_future)));
    auto const in_its_term = RequestPreVote{Term{4}, {Term{4}, Index{9}}, Round{1}};
    require(checked_step(b(), from(S1, in_its_term)).outgoing.messages.size() == 1, "it may have led this term");
};
TOTORA_PROVE(a_candidate_must_not_contradict_itself, "5.4.1");

constexpr auto an_answer_to_what_was_never_sent_is_a_violation = [] {
    auto const a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    for (auto const& answer : {accepted(Term{2}, Index{4}, 2), accepted(Term{2}, Index{5}, 1),
                               accepted(Term{2}, Index{4}, 1, Round{1}), refused(Term{2}, Index{5}, {}, 1)})
        require_nothing_but(Decision::violation_never_sent, a, checked_step(a, from(S2, answer)));
    require_nothing_but(Decision::response_from_non_member, a,
                        checked_step(a, from(S5, accepted(Term{2}, Index{4}, 2))));
};
TOTORA_PROVE(an_answer_to_what_was_never_sent_is_a_violation, "5.3");

/// What was right when it left is no violation when it arrives late: a leader that was replaced does not know what has
/// been committed since.
constexpr auto an_append_of_an_older_term_may_contradict_what_is_committed = [] {
    auto const committed = checked_step(b(), from(S1, heartbeat_of(Term{3}, {Term{2}, Index{4}}, Index{4}))).state;
    require(committed.commit_index == Index{4}, "all of its log is committed");

    for (auto const& late :
         {append_of(Term{1}, {Term{1}, Index{2}}, Term{1}, 2), heartbeat_of(Term{1}, {Term{1}, Index{4}})}) {
        auto const [after, outgoing] = checked_step(committed, from(S3, late));
        require(after == committed, "nothing changes");
        require(outgoing.decisions == decisions_of({Decision::append_refused_stale_term}), "by this name");
        require(outgoing.messages == just(S3, refused_by_newer_term(Term{3})),
                "and its sender receives the newer term");
    }
};
TOTORA_PROVE(an_append_of_an_older_term_may_contradict_what_is_committed, "5.1", "case_9");

/// Each leadership numbers its appends from the beginning: what this one never sent may have been sent by another.
constexpr auto an_answer_of_another_term_may_name_what_was_never_sent_in_this = [] {
    auto const a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    for (auto const& late : {accepted(Term{1}, Index{3}, 9), accepted(Term{1}, Index{9}, 1),
                             accepted(Term{1}, Index{3}, 1, Round{9}), refused(Term{1}, Index{9}, {}, 1)})
        require_nothing_but(Decision::response_outdated, a, checked_step(a, from(S2, late)));

    auto const [after, outgoing] = checked_step(a, from(S2, accepted(Term{4}, Index{9}, 9, Round{9})));
    require(is_follower(after) and after.current_term == Term{4}, "one of a newer term deposes");
};
TOTORA_PROVE(an_answer_of_another_term_may_name_what_was_never_sent_in_this, "5.1", "case_20");

/// What is committed may be on its way to the disk, and not applied for that reason: it is protected all the same.
constexpr auto what_is_committed_is_never_truncated_applied_or_not = [] {
    auto state = checked_step(b(), from(S1, append_of(Term{3}, {Term{2}, Index{4}}, Term{3}, 2, Index{6}))).state;
    require(state.commit_index == Index{6} and state.apply_index == Index{4}, "5/3 and 6/3 are not durable yet");

    auto const conflict = from(S3, append_of(Term{4}, {Term{3}, Index{5}}, Term{4}, 1));

    require_nothing_but(Decision::violation_conflict_committed, state, checked_step(state, conflict));
};
TOTORA_PROVE(what_is_committed_is_never_truncated_applied_or_not, "5.4", "case_10");

/// No index may be above `number_max`, and no sum may wrap: that of the place and the count is asked, not each alone.
constexpr auto entries_must_end_where_indexes_do = [] {
    auto const count = number_max - 3;
    is_a_violation(Decision::violation_number, append_of(Term{3}, {Term{2}, Index{4}}, Term{3}, count));
    is_a_violation(Decision::violation_number, append_of(Term{3}, {Term{2}, Index{4}}, Term{3}, ~std::uint64_t{0}));
    is_a_violation(Decision::violation_number, append_of(Term{3}, {Term{2}, Index{4}}, Term{3}, ~std::uint64_t{0} - 4));

    auto const last = checked_step(b(), from(S1, append_of(Term{3}, {Term{2}, Index{4}}, Term{3}, count - 1)));
    require(last_index(last.state) == Index{number_max}, "the last index there can be");
};
TOTORA_PROVE(entries_must_end_where_indexes_do, "5.3", "case_78");

} // namespace
} // namespace totora::test::violations_tests
