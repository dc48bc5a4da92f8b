// SPDX-License-Identifier: BSL-1.0
#include "totora/core/rules/compaction.hpp"

#include "support/prove.hpp"
#include "support/snapshots.hpp"

#include <cstdint>

// §7: what becomes of a log whose first entries are gone.

namespace totora::test::compaction_tests
{
namespace
{

/// Entries 1 to 3 of term 1, 4 and 5 of term 2, 6 to 9 of term 4.
constexpr auto log_of_nine = [] {
    return log_of({{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 2}, {Term{4}, Index{6}, 4}});
};

constexpr auto a_compacted_log_is_the_same_from_its_base_on = [] {
    auto const whole = log_of_nine();
    for (auto base = std::uint64_t{0}; base <= 9; ++base) {
        auto log = whole;
        log.compact({*whole.term_at(Index{base}), Index{base}});
        require(not find_broken_invariant(log) and log.last() == whole.last(), "it ends where it ended");
        require(log.base().index == Index{base} and log.term_at(Index{base}) == whole.term_at(Index{base}),
                "the term at its base is known");
        for (auto index = std::uint64_t{0}; index <= 10; ++index)
            require(index < base ? not log.term_at(Index{index})
                                 : log.term_at(Index{index}) == whole.term_at(Index{index}),
                    "and so are those after it, and no others");
        auto again = whole;
        for (auto step = std::uint64_t{1}; step <= base; ++step)
            again.compact({*whole.term_at(Index{step}), Index{step}});
        require(again == log, "entry by entry it becomes the same");
    }
};
TOTORA_PROVE(a_compacted_log_is_the_same_from_its_base_on, "7", "case_27");

constexpr auto a_term_that_is_compacted_equals_no_other = [] {
    auto log = log_of_nine();
    log.compact({Term{2}, Index{5}});
    require(log.holds({}), "every log holds what comes before the first entry");
    require(not log.holds({Term{1}, Index{3}}) and not log.holds({Term{}, Index{3}}), "of 3 nothing is known");
    require(log.holds({Term{2}, Index{5}}) and not log.holds({Term{1}, Index{5}}), "5 is the base");
    require(log.find_conflict_by_term({Term{1}, Index{9}}) == log.base(), "no search goes below it");
};
TOTORA_PROVE(a_term_that_is_compacted_equals_no_other, "7", "case_27");

constexpr auto what_lies_below_the_base_is_not_missing = [] {
    auto log = log_of_nine();
    log.compact({Term{2}, Index{5}});
    require(log.above_base({Term{1}, Index{1}, 3}) == Run{Term{1}, Index{4}, 0}, "1 to 3 lie below it");
    require(log.above_base({Term{2}, Index{4}, 5}) == Run{Term{2}, Index{6}, 3}, "of 4 to 8 the last three do not");
    require(log.above_base({Term{4}, Index{6}, 2}) == Run{Term{4}, Index{6}, 2}, "nor does anything from 6 on");
    require(log.missing_from({Term{4}, Index{5}, 6}) == Run{Term{4}, Index{10}, 1}, "10 is missing");
};
TOTORA_PROVE(what_lies_below_the_base_is_not_missing, "7", "case_9");

constexpr auto only_what_is_applied_is_compacted = [] {
    auto const a = applied(server(S1, Term{4}, log_of_nine()), Index{6});
    auto const [after, outgoing] = checked_step(a, local(SnapshotTaken{Index{5}}));
    require(after.log.base() == LogPosition{Term{2}, Index{5}}, "entries up to 5 are gone");
    require(outgoing.writes == writes_of({Compact{WriteNumber{1}, {Term{2}, Index{5}}}}), "which is written");
    require(after.writes.durable_index == a.writes.durable_index and after.commit_index == a.commit_index,
            "and changes nothing else");
    require_nothing_but(Decision::compaction_refused, a, checked_step(a, local(SnapshotTaken{Index{7}})));
    require_nothing_but(Decision::compaction_refused, after, checked_step(after, local(SnapshotTaken{Index{5}})));
    require_nothing_but(Decision::compaction_refused, after, checked_step(after, local(SnapshotTaken{Index{4}})));
};
TOTORA_PROVE(only_what_is_applied_is_compacted, "7", "case_75");

constexpr auto a_leader_that_compacts_goes_on_with_followers_that_keep_up = [] {
    auto a = leader(applied(server(S1, Term{4}, log_of_nine()), Index{9}));
    a = step(a, from(S2, accepted(Term{5}, Index{10}))).state;
    a = checked_step(a, local(SnapshotTaken{Index{10}})).state;
    require(a.log.base() == LogPosition{Term{5}, Index{10}} and last_index(a) == Index{10}, "its log is empty");
    auto const proposed = checked_step(a, local(Proposed{1}));
    auto const append = sent<AppendEntries>(proposed.outgoing, S2).at(0);
    require(append.previous == a.log.base() and append.entries.count == 1, "S2 is sent 11 after 10/5");
    require(sent<AppendEntries>(proposed.outgoing, S3).empty() and proposed.outgoing.chunks_wanted.empty(),
            "S3 has not answered, and may have what it was sent");

    auto const silent = checked_step(proposed.state, ring(proposed.state, Alarm::heartbeat));
    require(sent<AppendEntries>(silent.outgoing, S3).size() == 2, "it is asked whether it has 10");
    auto const late =
        checked_step(silent.state, from(S3, AppendEntriesResponse{.term = Term{5},
                                                                  .success = false,
                                                                  .match = Index{9},
                                                                  .conflict_hint = {Term{4}, Index{7}},
                                                                  .round = {},
                                                                  .number = progress_of(silent.state, S3).sent}));
    require(sent_snapshot(late.state, S3) != nullptr and noted(late.outgoing, Decision::snapshot_needed),
            "it has 7, and needs a snapshot");
    require(late.outgoing.chunks_wanted == std::vector<ChunkWanted>{{S3, Index{10}, SnapshotId{}, 0}}, "from 10 on");
};
TOTORA_PROVE(a_leader_that_compacts_goes_on_with_followers_that_keep_up, "7", "case_28");

constexpr auto a_transfer_that_compaction_outruns_begins_again = [] {
    auto a = sending(compacted(server(S1, Term{4}, log_of_nine()), Index{5}), snapshot_at(Term{2}, Index{5}));
    a = step(a, from(S3, accepted(a.current_term, Index{10}))).state;
    auto const [after, outgoing] = checked_step(a, local(SnapshotTaken{Index{9}}));
    require(sent_snapshot(after, S2)->snapshot == SnapshotId{} and noted(outgoing, Decision::transfer_restarted),
            "the log can no longer go on from 5");
    require(outgoing.chunks_wanted == std::vector<ChunkWanted>{{S2, Index{9}, SnapshotId{}, 0}},
            "a newer one is wanted");
};
TOTORA_PROVE(a_transfer_that_compaction_outruns_begins_again, "7", "case_28");

} // namespace
} // namespace totora::test::compaction_tests
