// SPDX-License-Identifier: BSL-1.0
// A log in segments begins where it was compacted to: durably, in order with its other writes, and with less memory.
#include "totora/log/segmented_log.hpp"

#include "support/builders.hpp"
#include "support/log/twin_logs.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/log/segmented/log_recovery.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace totora::test::segmented_log_compaction_tests
{

using boost::unit_test::label;
using Terms = std::vector<std::uint64_t>;

namespace
{

/// Entries 1 to 3 of term 1, and 4 and 5 of term 2, durable.
[[nodiscard]] TestLog log_of_five(Disk const& disk)
{
    auto log = *open_log(disk);
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
    log.append(WriteNumber{2}, entries_of(Term{2}, Index{4}, 2));
    log.save_vote(WriteNumber{3}, Term{2}, ServerId{1});
    log.sync();
    return log;
}

[[nodiscard]] RecoveredLog recovered_from(Disk const& disk, RecoveryDepth depth = RecoveryDepth::indexes)
{
    auto files = ForgetfulFiles{disk};
    return *LogRecovery<ForgetfulFiles>{files, {}, depth}.run();
}

/// How many files of segments there are.
[[nodiscard]] std::size_t segments_on(Disk const& disk)
{
    auto const names = disk->file_names();
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [](auto const& name) { return generation_of(name).has_value(); }));
}

void lose_all_unsynced(Disk const& disk)
{
    disk->lose_power({.keeps = [](auto, auto) { return false; }, .names_kept = 0});
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_compaction)

/// What waits for a slow link is what was read, whatever became of it in the log.
BOOST_AUTO_TEST_CASE(entries_that_were_read_outlive_their_compaction, *label("case_82"))
{
    for (auto const cache_bytes : {0U, 100'000U}) {
        auto const disk = disk_with_log();
        auto       options = small_options();
        options.cache_bytes = cache_bytes;
        auto log = *open_log(disk, options);
        for (auto write = std::uint64_t{1}; write <= 60; ++write) {
            log.append(WriteNumber{write}, entries_of(Term{1}, Index{write}, 1));
            log.sync();
        }
        auto const queued = *log.read(Index{5}, Index{9}, 1U << 20U);

        log.compact(WriteNumber{61}, {Term{1}, Index{50}}, {cluster(2), cluster(1)}, {});
        for (auto write = std::uint64_t{62}; write <= 160; ++write) { // The segments are written over.
            log.append(WriteNumber{write}, entries_of(Term{1}, Index{write - 1}, 1));
            log.sync();
        }

        BOOST_TEST(log.read(Index{5}, Index{9}, 1U << 20U)->empty());
        BOOST_TEST(terms_in(queued) == (Terms{1, 1, 1, 1, 1}), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_compacted_log_begins_after_its_base_with_the_configurations_there, *label("case_31"))
{
    auto const disk = disk_with_log();
    {
        auto log = log_of_five(disk);
        log.compact(WriteNumber{4}, {Term{1}, Index{2}}, {cluster(2), cluster(1)}, {});
        BOOST_TEST((log.last() == LogPosition{Term{2}, Index{5}}));
        BOOST_TEST(log.read(Index{2}, Index{5}, 1U << 20U)->empty());
        BOOST_TEST(terms_in(*log.read(Index{3}, Index{5}, 1U << 20U)) == (Terms{1, 2, 2}),
                   boost::test_tools::per_element());
        BOOST_TEST(log.bytes(Index{1}, Index{5}) == 3 * (entry_header_size + 10));
        log.sync();
    }
    lose_all_unsynced(disk);

    for (auto start = 0; start < 3; ++start) { // By its record, then by the headers of later segments.
        auto       log = *open_log(disk);
        auto const recovered = log.recover();
        BOOST_TEST((recovered->entries.base() == LogPosition{Term{1}, Index{2}}));
        BOOST_TEST((recovered->entries.last() == LogPosition{Term{2}, Index{5}}));
        BOOST_TEST((recovered->configuration == cluster(2)));
        BOOST_TEST((recovered->previous_configuration == cluster(1)));
        BOOST_TEST(recovered->current_term.value == 2U);
        BOOST_TEST(terms_in(*log.read(Index{3}, Index{5}, 1U << 20U)) == (Terms{1, 2, 2}),
                   boost::test_tools::per_element());
        BOOST_TEST(log.read(Index{2}, Index{2}, 1U << 20U)->empty());
    }
}

BOOST_AUTO_TEST_CASE(a_log_may_be_compacted_to_its_end_and_goes_on_there, *label("case_27"))
{
    auto const disk = disk_with_log();
    {
        auto log = log_of_five(disk);
        log.compact(WriteNumber{4}, {Term{2}, Index{5}}, {cluster(3), cluster(3)}, {});
        BOOST_TEST((log.last() == LogPosition{Term{2}, Index{5}}));
        log.sync();
    }
    auto log = *open_log(disk);
    BOOST_TEST((log.last() == LogPosition{Term{2}, Index{5}}));
    log.append(WriteNumber{1}, entries_of(Term{2}, Index{6}, 2));
    log.sync();
    lose_all_unsynced(disk);

    auto const recovered = open_log(disk)->recover();

    BOOST_TEST((recovered->entries.base() == LogPosition{Term{2}, Index{5}}));
    BOOST_TEST((recovered->entries.last() == LogPosition{Term{2}, Index{7}}));
}

BOOST_AUTO_TEST_CASE(a_compaction_that_was_not_synced_is_lost_with_the_power, *label("case_33"))
{
    auto const disk = disk_with_log();
    {
        auto log = log_of_five(disk);
        log.compact(WriteNumber{4}, {Term{1}, Index{2}}, {cluster(2), cluster(1)}, {});
        log.append(WriteNumber{5}, entries_of(Term{2}, Index{6}, 1));
    }
    lose_all_unsynced(disk);

    auto const recovered = open_log(disk)->recover();

    BOOST_TEST((recovered->entries.base() == LogPosition{}));
    BOOST_TEST((recovered->entries.last() == LogPosition{Term{2}, Index{5}}));
    BOOST_TEST((recovered->configuration == first_configuration(identity_of_first())));
}

/// Its body is as much a part of it as its head.
BOOST_AUTO_TEST_CASE(a_torn_boundary_is_cut_with_what_follows_it, *label("case_33") * label("case_64"))
{
    auto const disk = disk_with_log();
    {
        auto log = log_of_five(disk);
        log.compact(WriteNumber{4}, {Term{1}, Index{2}}, {cluster(2), cluster(1)}, {});
        log.sync();
    }
    auto const name = segment_name(1);
    auto const bytes = disk->content(name);
    auto const seed = segment_seed(identity_of_first(), 1);
    auto       record = std::size_t{0};
    auto       size = std::size_t{0};
    for (auto at = std::size_t{0}; at + record_head_size < bytes.size(); at += record_alignment)
        if (auto const head = decode_head(std::span{bytes}.subspan(at), seed, at);
            head and head->kind == RecordKind::compact) {
            record = at + record_head_size;
            size = head->body_size;
        }
    BOOST_REQUIRE(size == encoded_size({{}, {cluster(2), cluster(1)}, {}, {}}));
    for (auto at = record; at < record + size; ++at) {
        auto const torn = disk->clone();
        auto       changed = bytes;
        changed[at] ^= std::byte{1};
        torn->set_content(name, changed);
        auto const recovered = open_log(torn)->recover();
        BOOST_TEST((recovered->entries.base() == LogPosition{}));
        BOOST_TEST((recovered->entries.last() == LogPosition{Term{2}, Index{5}}));
        BOOST_TEST(recovered->torn_tail.has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_base_that_the_log_does_not_hold_changes_nothing)
{
    auto log = log_of_five(disk_with_log());
    log.compact(WriteNumber{4}, {Term{1}, Index{4}}, {cluster(2), cluster(1)}, {}); // Of another term.
    log.compact(WriteNumber{5}, {Term{2}, Index{6}}, {cluster(2), cluster(1)}, {});
    log.sync();

    BOOST_TEST(log.bytes(Index{1}, Index{5}) == 5 * (entry_header_size + 10));
    BOOST_TEST(log.durable().through().value == 5U);
}

/// Compaction frees nothing that no snapshot stands for: without one, all segments stay, and headers name them.
BOOST_AUTO_TEST_CASE(segments_stay_as_long_as_no_snapshot_stands_for_them, *label("7"))
{
    auto const disk = disk_with_log();
    auto       write = std::uint64_t{0};
    for (auto start = 0; start < 3; ++start) {
        auto log = *open_log(disk);
        write = 0;
        for (auto round = 0; round < 10; ++round) {
            for (auto entry = 0; entry < 10; ++entry)
                log.append(WriteNumber{++write}, entries_of(Term{1}, next(log.last().index), 1, 200));
            log.sync();
            log.compact(WriteNumber{++write}, log.last(), {cluster(3), cluster(3)}, {});
            log.sync();
        }
        BOOST_TEST(log.bytes(Index{1}, log.last().index) == 0U);
    }
    auto const recovered = recovered_from(disk);

    BOOST_TEST(recovered.index.last().value == 300U);
    BOOST_TEST(recovered.segments.size() > 15U);
    BOOST_TEST(segments_on(disk) >= recovered.segments.size());
    BOOST_TEST((recovered.segments[0].last < recovered.segments[1].last));
}

/// Whatever is written, compacted and lost, the log in memory holds the same; read by indexes or by records.
BOOST_AUTO_TEST_CASE(it_holds_what_a_log_in_memory_holds, *label("case_33") * label("case_75"))
{
    auto compactions = std::uint64_t{0};
    auto installs = std::uint64_t{0};
    for (auto seed = std::uint64_t{1}; seed <= 200; ++seed) {
        auto twins = TwinLogs{seed};
        for (auto start = 0; start < 4; ++start) {
            for (auto step = 0; step < 80; ++step) {
                twins.step();
                auto const difference = twins.difference();
                BOOST_REQUIRE_MESSAGE(difference.empty(), "seed " << seed << ": " << difference);
            }
            BOOST_REQUIRE_NO_THROW(twins.restart());
            auto const quick = recovered_from(twins.disk);
            auto const whole = recovered_from(twins.disk, RecoveryDepth::everything);
            BOOST_REQUIRE((quick.state.entries == whole.state.entries));
            BOOST_REQUIRE((quick.configurations == whole.configurations));
            BOOST_REQUIRE((quick.boundary == whole.boundary));
            for (auto index = next(quick.index.base()); index <= quick.index.last(); index = next(index))
                BOOST_REQUIRE((quick.index.place(index) == whole.index.place(index)));
        }
        compactions += twins.compactions;
        installs += twins.installs;
    }
    BOOST_TEST(compactions > 1000U);
    BOOST_TEST(installs > 200U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_compaction_tests
