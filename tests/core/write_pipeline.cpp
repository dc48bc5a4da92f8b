// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/write_pipeline.hpp"

#include "support/prove.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

// The write pipeline alone: numbers, what is durable, and what a promise waits for. What the rules make of it is in writes.cpp.

namespace totora::test::write_pipeline_tests
{
namespace
{

/// Term and vote in write 1, and `entries` entries in writes of their own after it.
constexpr auto with_entries = [](std::uint64_t entries) {
    auto writes = WritePipeline{};
    (void)writes.begin_term_write();
    for (auto entry = std::uint64_t{1}; entry <= entries; ++entry)
        (void)writes.begin_append(Index{entry});
    return writes;
};

constexpr auto writes_of_every_kind_are_numbered_in_one_sequence = [] {
    auto writes = WritePipeline{};
    require(not writes.is_busy(), "a disk that has nothing to do is idle");
    require(writes.begin_append(Index{3}) == WriteNumber{1}, "an append");
    require(writes.begin_term_write() == WriteNumber{2} and writes.of_term == WriteNumber{2}, "term and vote");
    require(writes.begin_truncation(Index{2}) == WriteNumber{3}, "a truncation");
    require(writes.last == WriteNumber{3} and writes.is_busy(), "none is durable");
};
TOTORA_PROVE(writes_of_every_kind_are_numbered_in_one_sequence, "Figure 2");

constexpr auto the_log_is_durable_up_to_the_last_append_confirmed = [] {
    auto writes = with_entries(3);
    writes.on_persisted(WriteNumber{1});
    require(writes.durable_index == Index{} and writes.pending.size() == 3, "the vote brings no entry to the disk");
    writes.on_persisted(WriteNumber{3});
    require(writes.durable_index == Index{2} and writes.pending.size() == 1, "two appends");
    writes.on_persisted(WriteNumber{4});
    require(writes.durable_index == Index{3} and writes.pending.empty() and not writes.is_busy(), "all");
};
TOTORA_PROVE(the_log_is_durable_up_to_the_last_append_confirmed, "dissertation 10.2.1");

constexpr auto a_truncated_append_confirms_only_what_it_left = [] {
    auto writes = WritePipeline{};
    (void)writes.begin_append(Index{4});
    (void)writes.begin_append(Index{6});
    (void)writes.begin_truncation(Index{3});
    require(writes.pending.size() == 1 and writes.pending[0] == PendingAppend{WriteNumber{1}, Index{2}},
            "the first append still brings 1 and 2 to the disk");
    (void)writes.begin_append(Index{5});
    writes.on_persisted(WriteNumber{2});
    require(writes.durable_index == Index{2}, "3 to 6 of the older writes are not in the log any more");
    writes.on_persisted(WriteNumber{4});
    require(writes.durable_index == Index{5}, "the entries that replaced them are");
    (void)writes.begin_truncation(Index{2});
    require(writes.durable_index == Index{1}, "what was durable and is truncated is durable no longer");
};
TOTORA_PROVE(a_truncated_append_confirms_only_what_it_left, "5.3", "case_22");

constexpr auto a_promise_waits_for_the_newest_write_it_rests_on = [] {
    auto writes = with_entries(3);
    require(writes.newest_for(Index{}) == WriteNumber{1}, "an empty log: for term and vote");
    require(writes.newest_for(Index{2}) == WriteNumber{3}, "for the append of that entry");
    (void)writes.begin_term_write();
    require(writes.newest_for(Index{2}) == WriteNumber{5}, "for term and vote, if they were written later");
    writes.on_persisted(WriteNumber{5});
    require(writes.newest_for(Index{3}) == writes.of_term and writes.of_term <= writes.durable, "for nothing");
};
TOTORA_PROVE(a_promise_waits_for_the_newest_write_it_rests_on, "Figure 2");

constexpr auto a_watch_is_over_when_its_write_is_durable = [] {
    auto writes = with_entries(2);
    require(not writes.is_watched() and writes.is_watched_write_durable(), "nothing is watched");
    writes.watch_oldest();
    require(writes.is_watched() and writes.watch == StorageWatch{WriteNumber{1}, false}, "the oldest in flight");
    require(not writes.is_watched_write_durable(), "it is not durable");
    writes.on_persisted(WriteNumber{1});
    require(writes.is_watched_write_durable() and writes.is_busy(), "now it is, and later ones are not");
};
TOTORA_PROVE(a_watch_is_over_when_its_write_is_durable, "case_58");

constexpr auto each_broken_invariant_of_the_writes_is_named = [] {
    auto const found = [](auto plant) {
        auto writes = with_entries(3);
        writes.on_persisted(WriteNumber{2});
        writes.watch_oldest();
        require(not find_broken_invariant(writes, Index{3}), "it is sane");
        plant(writes);
        return find_broken_invariant(writes, Index{3});
    };
    require(found([](WritePipeline& writes) { writes.durable_index = Index{4}; }) == "what is durable is in the log",
            "4 of 3 entries");
    require(found([](WritePipeline& writes) { writes.of_term = WriteNumber{5}; }) == "what is durable was written",
            "term and vote in a write that was never made");
    require(found([](WritePipeline& writes) { writes.pending[1].last = Index{2}; }) ==
                "pending appends are in order, above what is durable, and in the log",
            "two appends to one index");
    require(found([](WritePipeline& writes) { writes.pending.pop_back(); }) == "what is not durable is being written",
            "an entry that nobody writes");
    require(found([](WritePipeline& writes) { writes.pending.back().write = WriteNumber{5}; }) ==
                "what is being written was numbered",
            "an append of the future");
    require(found([](WritePipeline& writes) { writes.watch.oldest = WriteNumber{5}; }) == "what is watched was written",
            "a watch of the future");
    require(found([](WritePipeline& writes) {
                writes.watch = {WriteNumber{2}, true};
            }) == "what is durable is not late",
            "write 2 is durable");
    auto const earlier = with_entries(1);
    auto       later = earlier;
    --later.of_term.value;
    require(find_broken_invariant(earlier, later) == "writes never go back" and
                not find_broken_invariant(earlier, with_entries(2)),
            "numbers only grow");
};
TOTORA_PROVE(each_broken_invariant_of_the_writes_is_named, "Figure 2");

} // namespace
} // namespace totora::test::write_pipeline_tests
