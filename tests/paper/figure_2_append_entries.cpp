// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// Figure 2, "AppendEntries RPC", receiver implementation: one proof for each way through each rule.

namespace totora::test::figure_2_append_entries_tests
{
namespace
{

/// 1/1, 2/1, 3/2, 4/2; term 3, nothing known to be committed.
constexpr auto four_entries = [] { return follower(S2, Term{3}, {{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}}); };

/// Rule 1: "Reply false if term < currentTerm."
constexpr auto a_leader_of_an_older_term_is_refused_with_the_newer_one = [] {
    auto const server = four_entries();

    auto const append = append_of(Term{2}, {Term{2}, Index{4}}, Term{2}, 1, Index{4}, 7);
    auto const [after, outgoing] = checked_step(server, from(S1, append));

    require(after == server, "nothing changes, the knowledge of a leader included");
    require(outgoing.decisions == decisions_of({Decision::append_refused_stale_term}), "by this name");
    require(outgoing.messages == just(S1, refused(Term{3}, Index{}, {}, 0)),
            "a refusal, at once, that carries the term alone");
    require(outgoing.writes.empty() and outgoing.alarms.empty() and not outgoing.apply_through, "and nothing else");
};
TOTORA_PROVE(a_leader_of_an_older_term_is_refused_with_the_newer_one, "Figure 2", "5.1");

/// Rule 2: "Reply false if log doesn't contain an entry at prevLogIndex ..."
constexpr auto an_append_beyond_the_end_of_the_log_is_refused = [] {
    auto const server = four_entries();

    auto const append = append_of(Term{3}, {Term{2}, Index{5}}, Term{3}, 1, Index{6}, 7);
    auto const [after, outgoing] = checked_step(server, from(S1, append));

    require(after.log == server.log and after.commit_index == Index{}, "log and commit index stay");
    require(known_leader(after) == S1 and after.leader_recently_active, "yet the leader is followed");
    require(outgoing.decisions == decisions_of({Decision::append_refused_mismatch}), "by this name");
    require(outgoing.messages == just(S1, refused(Term{3}, Index{5}, {Term{2}, Index{4}}, 7)),
            "the refusal names the follower's last entry");
    require(outgoing.writes.empty() and not outgoing.apply_through, "nothing is written or applied");
    require(arms(outgoing, Alarm::election) and arms(outgoing, Alarm::leader_silent), "the leader is active");
};
TOTORA_PROVE(an_append_beyond_the_end_of_the_log_is_refused, "Figure 2", "5.3");

/// Rule 2: "... whose term matches prevLogTerm".
constexpr auto an_append_after_an_entry_of_another_term_is_refused = [] {
    auto const server = four_entries();

    auto const append = append_of(Term{3}, {Term{1}, Index{3}}, Term{3}, 1, Index{6}, 7);
    auto const [after, outgoing] = checked_step(server, from(S1, append));

    require(after.log == server.log and after.commit_index == Index{}, "log and commit index stay");
    require(outgoing.messages == just(S1, refused(Term{3}, Index{3}, {Term{1}, Index{2}}, 7)),
            "the hint is the last entry of a term that the leader's log may have there");
    require(outgoing.writes.empty(), "nothing is truncated on suspicion");
};
TOTORA_PROVE(an_append_after_an_entry_of_another_term_is_refused, "Figure 2", "5.3");

/// Rule 3: "If an existing entry conflicts with a new one (same index but different terms), delete the existing entry and
/// all that follow it."
constexpr auto a_conflicting_entry_and_all_that_follow_it_are_removed = [] {
    auto const server = four_entries();

    auto const append = append_of(Term{3}, {Term{1}, Index{2}}, Term{3}, 1, Index{}, 7);
    auto const [after, outgoing] = checked_step(server, from(S1, append));

    require(after.log == log_of({{Term{1}, Index{1}, 2}, {Term{3}, Index{3}, 1}}), "3/3 stands where 3/2 stood");
    require(outgoing.writes ==
                writes_of({Truncate{WriteNumber{1}, Index{3}}, Append{WriteNumber{2}, {Term{3}, Index{3}, 1}}}),
            "first the removal, then the new entry");
    require(after.writes.durable_index == Index{2}, "what was durable of the removed entries counts no more");
    require(outgoing.messages == just(S1, accepted(Term{3}, Index{3}, 7), Release::once_durable(WriteNumber{2})),
            "the promise waits for the new entry");
    require(outgoing.decisions == decisions_of({Decision::conflict_truncated}), "by this name");
};
TOTORA_PROVE(a_conflicting_entry_and_all_that_follow_it_are_removed, "Figure 2", "5.3");

/// Rule 3, the other way: what does not conflict stays, and so does what follows it.
constexpr auto entries_that_are_there_already_remove_nothing = [] {
    auto const server = four_entries();

    auto const append = append_of(Term{3}, {Term{1}, Index{1}}, Term{1}, 1, Index{}, 7);
    auto const [after, outgoing] = checked_step(server, from(S1, append));

    require(after.log == server.log and after.writes.durable_index == Index{4}, "the log stays, to its end");
    require(outgoing.writes.empty(), "nothing is written");
    require(outgoing.messages == just(S1, accepted(Term{3}, Index{2}, 7)),
            "the answer states what this append verified, and no more");
};
TOTORA_PROVE(entries_that_are_there_already_remove_nothing, "Figure 2", "5.3", "case_9");

/// Rule 4: "Append any new entries not already in the log."
constexpr auto only_entries_not_already_in_the_log_are_appended = [] {
    auto const server = four_entries();

    auto const append = append_of(Term{3}, {Term{1}, Index{2}}, Term{2}, 4, Index{}, 7);
    auto const [after, outgoing] = checked_step(server, from(S1, append));

    require(after.log == log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 4}}),
            "3 and 4 were there, 5 and 6 are new");
    require(outgoing.writes == writes_of({Append{WriteNumber{1}, {Term{2}, Index{5}, 2}}}), "only 5 and 6 are written");
    require(outgoing.messages == just(S1, accepted(Term{3}, Index{6}, 7), Release::once_durable(WriteNumber{1})),
            "the promise covers them all");
};
TOTORA_PROVE(only_entries_not_already_in_the_log_are_appended, "Figure 2", "5.3");

/// Rule 5: "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)": the leader's
/// commit index, if it is the lower one.
constexpr auto the_leader_commit_index_is_adopted = [] {
    auto const server = four_entries();

    auto const [after, outgoing] =
        checked_step(server, from(S1, append_of(Term{3}, {Term{1}, Index{2}}, Term{2}, 2, Index{3})));

    require(after.commit_index == Index{3}, "up to the leader's commit index");
    require(outgoing.apply_through == Index{3} and after.apply_index == Index{3}, "and it may be applied");
};
TOTORA_PROVE(the_leader_commit_index_is_adopted, "Figure 2", "5.3");

/// Rule 5: the last new entry, if that is the lower one.
constexpr auto nothing_after_the_last_new_entry_counts_as_committed = [] {
    auto const server = four_entries();

    auto const [after, outgoing] =
        checked_step(server, from(S1, append_of(Term{3}, {Term{1}, Index{1}}, Term{1}, 1, Index{4})));

    require(after.commit_index == Index{2}, "3 and 4 were not compared with the leader's log");
    require(outgoing.apply_through == Index{2}, "and are not applied");
};
TOTORA_PROVE(nothing_after_the_last_new_entry_counts_as_committed, "Figure 2", "5.3", "case_15");

/// Rule 5: "If leaderCommit > commitIndex": the commit index never goes back.
constexpr auto a_lower_leader_commit_index_changes_nothing = [] {
    auto server = four_entries();
    server = step(server, from(S1, heartbeat_of(Term{3}, {Term{2}, Index{4}}, Index{3}))).state;

    auto const [after, outgoing] = checked_step(server, from(S1, heartbeat_of(Term{3}, {Term{2}, Index{4}}, Index{1})));

    require(after.commit_index == Index{3}, "what is committed stays committed");
    require(not outgoing.apply_through, "and nothing is applied again");
};
TOTORA_PROVE(a_lower_leader_commit_index_changes_nothing, "Figure 2", "5.3", "case_16");

/// "Reply false if term < currentTerm": at once, since a refusal promises nothing. On a disk that hangs the newer term may not be
/// durable for long, and the leader of the older one must learn of it all the same.
constexpr auto a_refusal_of_an_older_term_waits_for_no_disk = [] {
    auto const s2 = follower(S2, Term{2}, {{Term{1}, Index{1}, 3}});
    auto const newer = step(s2, from(S3, refused(Term{5}, Index{3}, {}))).state;
    require(newer.current_term == Term{5} and newer.writes.durable < newer.writes.last, "term 5 is not durable yet");

    auto const late = checked_step(newer, from(S1, heartbeat_of(Term{2}, {Term{1}, Index{3}})));

    require(late.outgoing.messages == just(S1, refused_by_newer_term(Term{5})), "S1 receives the term");
};
TOTORA_PROVE(a_refusal_of_an_older_term_waits_for_no_disk, "5.1");

} // namespace
} // namespace totora::test::figure_2_append_entries_tests
