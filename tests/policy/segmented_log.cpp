// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_tests
{

using boost::unit_test::label;
using Terms = std::vector<std::uint64_t>;

namespace
{

Terms terms_of(TestLog& log, Index from, Index up_to)
{
    auto const entries = log.read(from, up_to, 1U << 30U);
    BOOST_REQUIRE(entries.has_value());
    return terms_in(*entries);
}

std::size_t segments_on(Disk const& disk)
{
    auto const names = disk->file_names();
    return static_cast<std::size_t>(
        std::count_if(names.begin(), names.end(), [](auto const& name) { return generation_of(name).has_value(); }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log)

BOOST_AUTO_TEST_CASE(a_directory_becomes_a_log_once, *label("case_86"))
{
    auto const disk = std::make_shared<ForgetfulDisk>();
    auto       files = ForgetfulFiles{disk};

    auto const missing = open_log(disk);
    BOOST_REQUIRE(not missing.has_value());
    BOOST_TEST((missing.error().failure == LogFailure::not_found));
    BOOST_TEST(TestLog::create(files, identity_of_first()).has_value());
    auto const again = TestLog::create(files, identity_of_first());
    BOOST_REQUIRE(not again.has_value());
    BOOST_TEST((again.error().failure == LogFailure::already_exists));
}

BOOST_AUTO_TEST_CASE(a_log_is_created_only_for_a_valid_identity)
{
    auto const refused = [](Identity const& identity) {
        auto       files = ForgetfulFiles{std::make_shared<ForgetfulDisk>()};
        auto const made = TestLog::create(files, identity);
        return not made and made.error().failure == LogFailure::unsupported and files.names()->empty();
    };
    auto const sound = identity_of_first();
    BOOST_TEST(not refused(sound));
    auto waiting = sound;
    waiting.first_members.clear();
    BOOST_TEST(not refused(waiting));

    auto wrong = sound;
    wrong.id = nobody;
    BOOST_TEST(refused(wrong));
    wrong = sound;
    wrong.incarnation = Incarnation{2};
    BOOST_TEST(refused(wrong));
    wrong = sound;
    wrong.id = ServerId{99};
    BOOST_TEST(refused(wrong));
    wrong = sound;
    wrong.first_members.push_back(wrong.first_members.front());
    BOOST_TEST(refused(wrong));
    wrong = sound;
    wrong.first_members.front().address = std::string(address_size_max + 1, 'x');
    BOOST_TEST(refused(wrong));
    wrong = sound;
    for (auto id = std::uint64_t{10}; id < 10 + servers_max; ++id)
        wrong.first_members.push_back({{ServerId{id}, first_incarnation}, {}});
    BOOST_TEST(refused(wrong));
}

BOOST_AUTO_TEST_CASE(a_crash_during_creation_leaves_no_log)
{
    for (auto const kept : {false, true})
        for (auto failing = 1; failing <= 12; ++failing) {
            auto const disk = std::make_shared<ForgetfulDisk>();
            auto       files = ForgetfulFiles{disk};
            disk->interfere([left = failing](FileCall, std::string_view) mutable { return --left <= 0 ? EIO : 0; });
            auto const made = TestLog::create(files, identity_of_first());
            disk->interfere(nullptr);
            disk->lose_power({.keeps = [&](auto, auto) { return kept; }, .names_kept = kept ? 1U : 0U});

            auto const opened = open_log(disk);
            BOOST_TEST((opened.has_value() == made.has_value()));
            if (made)
                continue;
            BOOST_TEST((opened.error().failure == LogFailure::not_found));
            auto files_again = ForgetfulFiles{disk};
            BOOST_TEST(TestLog::create(files_again, identity_of_first()).has_value());
        }
}

BOOST_AUTO_TEST_CASE(a_restart_finds_everything_that_was_synced, *label("case_63"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->save_vote(WriteNumber{1}, Term{3}, ServerId{2});
        log->append(WriteNumber{2}, entries_of(Term{3}, Index{1}, 20));
        log->sync();
        BOOST_TEST(log->durable().through().value == 2U);
        log->append(WriteNumber{3}, entries_of(Term{3}, Index{21}, 1));
    }
    disk->lose_power();

    auto log = open_log(disk);
    BOOST_REQUIRE(log.has_value());
    auto const recovered = log->recover();

    BOOST_TEST((recovered->identity == identity_of_first()));
    BOOST_TEST(recovered->current_term.value == 3U);
    BOOST_TEST((recovered->voted_for == ServerId{2}));
    BOOST_TEST((recovered->entries.last() == LogPosition{Term{3}, Index{20}}));
    BOOST_TEST(not recovered->cleanly_stopped);
    BOOST_TEST(not recovered->torn_tail.has_value());
    BOOST_TEST(terms_of(*log, Index{1}, Index{20}) == Terms(20, 3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_clean_stop_leaves_a_mark_that_the_next_start_removes)
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
        log->save_commit(Index{3});
        log->close();
    }
    disk->lose_power();
    {
        auto log = open_log(disk);
        BOOST_TEST(log->recover()->cleanly_stopped);
        BOOST_TEST(log->recover()->entries.last().index.value == 3U);
    }

    BOOST_TEST(not open_log(disk)->recover()->cleanly_stopped);
}

BOOST_AUTO_TEST_CASE(every_start_has_another_number)
{
    auto const disk = disk_with_log();
    auto       files = ForgetfulFiles{disk};

    BOOST_TEST(open_log(disk)->start() == 1U);
    BOOST_TEST(*count_start(files) == 2U); // Of a process that keeps its log in memory.
    BOOST_TEST(open_log(disk)->start() == 3U);
    disk->lose_power();
    BOOST_TEST(open_log(disk)->start() == 4U);
}

BOOST_AUTO_TEST_CASE(entries_that_left_the_memory_are_read_from_the_disk)
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.cache_bytes = 0;
    auto log = open_log(disk, options);
    for (auto write = std::uint64_t{1}; write <= 40; ++write) {
        log->append(WriteNumber{write}, entries_of(Term{write}, Index{write * 5 - 4}, 5, 60, 2));
        if (write < 40)
            log->sync();
        (void)log->durable();
    }

    auto const before_reading = disk->calls();
    auto const newest = terms_of(*log, Index{196}, Index{200});
    BOOST_TEST(disk->calls() == before_reading); // What is not durable is in memory only.
    BOOST_TEST(newest == Terms(5, 40), boost::test_tools::per_element());
    auto const all = terms_of(*log, Index{1}, Index{200});
    BOOST_TEST(disk->calls() > before_reading);
    BOOST_REQUIRE(all.size() == 200U);
    for (auto at = std::size_t{0}; at < all.size(); ++at)
        BOOST_TEST(all[at] == at / 5 + 1);
    BOOST_TEST(log->bytes(Index{1}, Index{200}) == 20000U);
    BOOST_TEST(log->bytes(Index{7}, Index{7}) == 100U);
    BOOST_TEST(log->read(Index{7}, Index{200}, 350)->count() == 3U);
    BOOST_TEST(log->read(Index{7}, Index{200}, 10)->count() == 1U);
}

BOOST_AUTO_TEST_CASE(an_entry_that_was_damaged_on_the_disk_is_never_returned, *label("case_65"))
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.cache_bytes = 0;
    auto log = open_log(disk, options);
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 10));
    log->sync();
    (void)log->durable();
    auto bytes = disk->content(segment_name(1));
    bytes[header_size_for(0) + 2 * record_head_size + entry_header_size] ^= std::byte{1}; // In a payload.
    disk->set_content(segment_name(1), bytes);

    auto const entries = log->read(Index{1}, Index{10}, 10000);

    BOOST_REQUIRE(not entries.has_value());
    BOOST_TEST((entries.error().failure == LogFailure::damaged));
    BOOST_TEST(log->failure().has_value());
}

BOOST_AUTO_TEST_CASE(entries_of_eight_mebibytes_get_segments_that_hold_them)
{
    auto const disk = disk_with_log();
    auto const large = std::size_t{8} << 20U;
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 2, 10));
        log->append(WriteNumber{2}, entries_of(Term{2}, Index{3}, 2, large, 1));
        log->append(WriteNumber{3}, entries_of(Term{3}, Index{5}, 2, 10));
        log->sync();
        BOOST_TEST(log->durable().through().value == 3U);
    }
    disk->lose_power();

    auto log = open_log(disk);

    BOOST_REQUIRE(log.has_value());
    BOOST_TEST(terms_of(*log, Index{1}, Index{6}) == (Terms{1, 1, 2, 2, 3, 3}), boost::test_tools::per_element());
    BOOST_TEST(log->bytes(Index{3}, Index{4}) == 2 * (large + entry_header_size));
}

BOOST_AUTO_TEST_CASE(room_for_a_large_entry_is_made_when_it_is_requested)
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);

    BOOST_TEST(log->has_room(100000));
    disk->limit_space(200000);
    BOOST_TEST(not log->has_room(300000));
    BOOST_TEST(not log->failure().has_value());
}

BOOST_AUTO_TEST_CASE(truncated_segments_are_reused)
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    auto       write = std::uint64_t{0};
    log->append(WriteNumber{++write}, entries_of(Term{1}, Index{1}, 2));
    for (auto term = std::uint64_t{2}; term < 60; ++term) {
        log->append(WriteNumber{++write}, entries_of(Term{term}, Index{3}, 60, 100));
        log->sync();
        log->truncate(WriteNumber{++write}, Index{3});
        log->sync();
    }

    BOOST_TEST(segments_on(disk) <= 30U); // Small ones, made in haste; without reuse it would be hundreds.
    log->append(WriteNumber{++write}, entries_of(Term{99}, Index{3}, 1));
    log->sync();
    disk->lose_power();
    auto again = open_log(disk);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(terms_of(*again, Index{1}, Index{9}) == (Terms{1, 1, 99}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_segment_stays_until_the_truncation_of_its_entries_is_durable)
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 100, 100));
        log->sync();
        disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
        log->truncate(WriteNumber{2}, Index{1});
        log->append(WriteNumber{3}, entries_of(Term{2}, Index{1}, 100, 100));
        log->sync();
        disk->interfere(nullptr);
        (void)log->has_room(100000);
        BOOST_TEST(log->durable().through().value == 1U);
    }
    disk->lose_power();

    auto log = open_log(disk);

    BOOST_REQUIRE(log.has_value());
    BOOST_TEST((log->recover()->entries.last() == LogPosition{Term{1}, Index{100}}));
}

BOOST_AUTO_TEST_CASE(a_sync_in_the_middle_of_a_segment_changes_no_name_and_no_size)
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    BOOST_TEST(log->has_room(100000)); // Makes the next segment ready, too.
    BOOST_TEST(disk->unsynced().empty());
    BOOST_TEST(disk->unsynced_names() == 0U);
    auto calls = std::vector<FileCall>{};
    disk->interfere([&](FileCall call, std::string_view) {
        calls.push_back(call);
        return 0;
    });

    log->save_vote(WriteNumber{1}, Term{1}, ServerId{1});
    log->append(WriteNumber{2}, entries_of(Term{1}, Index{1}, 3));
    log->sync();

    BOOST_TEST((calls == std::vector{FileCall::write, FileCall::sync}));
}

BOOST_AUTO_TEST_CASE(a_write_that_changes_nothing_becomes_durable_too)
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);

    log->append(WriteNumber{1}, Entries{});
    log->sync();
    BOOST_TEST(log->durable().through().value == 1U);
    log->truncate(WriteNumber{2}, Index{1});
    log->sync();
    BOOST_TEST(log->durable().through().value == 2U);

    BOOST_TEST(open_log(disk).has_value());
}

BOOST_AUTO_TEST_CASE(no_segment_ever_grows_after_its_header_was_written)
{
    for (auto seed = std::uint64_t{1}; seed <= 200; ++seed) {
        auto const disk = disk_with_log();
        auto       log = open_log(disk);
        auto       workload = Workload{seed};
        for (auto step = 0; step < 80; ++step)
            workload.step(*log, 60);
        log->sync();
        log->close();

        for (auto const& name : disk->file_names()) {
            auto const header = decode_segment_header(disk->content(name));
            if (header and header->generation == generation_of(name))
                BOOST_TEST(disk->content(name).size() == header->size);
        }
    }
}

/// At any place in a segment: they write no record, so the node does not request room.
BOOST_AUTO_TEST_CASE(writes_that_change_nothing_take_no_room, *label("case_67"))
{
    for (auto payload = std::size_t{0}; payload < 300; payload += 8) {
        auto const disk = disk_with_log();
        auto       log = open_log(disk);
        auto       write = std::uint64_t{0};
        auto const syncs = [&](std::uint64_t count) {
            for (auto more = std::uint64_t{0}; more < count; ++more) {
                log->truncate(WriteNumber{++write}, Index{100000});
                log->sync();
            }
        };
        for (auto index = std::uint64_t{1}; index <= 40; ++index) {
            log->append(WriteNumber{++write}, entries_of(Term{1}, Index{index}, 1, payload));
            log->sync();
            syncs(3);
        }
        auto const has_room = log->has_room(0);
        syncs(100);

        BOOST_TEST(log->has_room(0) == has_room);
        BOOST_TEST(log->durable().through().value == write);
        for (auto const& name : disk->file_names())
            if (auto const header = decode_segment_header(disk->content(name));
                header and header->generation == generation_of(name))
                BOOST_TEST(disk->content(name).size() == header->size, payload << " bytes: " << name);
        disk->lose_power();
        BOOST_TEST(open_log(disk)->last().index.value == 40U);
    }
}

/// However small the steps in which a segment is made ready.
BOOST_AUTO_TEST_CASE(a_disk_without_space_is_noticed_in_any_step, *label("case_67"))
{
    auto options = small_options();
    options.prepare_bytes = 0;
    BOOST_TEST((open_log(disk_with_log(), options).error().failure == LogFailure::unsupported));
    for (options.prepare_bytes = 1; options.prepare_bytes <= 16; ++options.prepare_bytes) {
        auto const disk = disk_with_log();
        disk->limit_space(500); // Less than a segment needs.

        BOOST_TEST((open_log(disk, options).error().failure == LogFailure::no_space));
    }
}

/// Each step is a sync: steps of a byte would be thousands for one segment, and millions for a large one.
BOOST_AUTO_TEST_CASE(a_segment_is_prepared_in_at_most_256_steps)
{
    auto options = small_options();
    options.segment_bytes = 1U << 16U;
    options.record_bytes_max = options.segment_bytes;
    options.prepare_bytes = 1;
    auto const disk = disk_with_log();
    auto       log = open_log(disk, options);
    auto       segments = 0;
    auto       syncs = 0;
    disk->interfere([&](FileCall call, std::string_view) {
        segments += call == FileCall::create ? 1 : 0;
        syncs += call == FileCall::sync ? 1 : 0;
        return 0;
    });

    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 10, 200));
    log->sync();

    BOOST_TEST(log->has_room(60000)); // In the next segment; nothing is written meanwhile.
    BOOST_TEST(segments > 0);
    BOOST_TEST(syncs <= 257 * segments); // One more for the records.
}

BOOST_AUTO_TEST_CASE(a_pause_after_a_lack_of_space_may_be_as_long_as_the_type_allows)
{
    auto options = small_options();
    options.retry_after = std::chrono::milliseconds::max();
    auto const disk = disk_with_log();
    auto       log = open_log(disk, options);
    auto       tries = std::vector<int>{0};
    disk->interfere([&](FileCall call, std::string_view) {
        tries.back() += call == FileCall::create ? 1 : 0;
        return call == FileCall::create ? ENOSPC : 0;
    });

    for (auto asked = 0; asked < 10; ++asked) {
        BOOST_TEST(not log->has_room(8000));
        tries.push_back(0);
    }

    BOOST_TEST(tries.front() > 0);
    BOOST_TEST(std::accumulate(tries.begin() + 1, tries.end(), 0) == 0);
}

BOOST_AUTO_TEST_CASE(the_two_newest_configurations_are_recovered)
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        BOOST_TEST(log->recover()->configuration.members.size() == 3U);
        log->append(WriteNumber{1}, configuration_entry(Term{1}, Index{1}, {1, 2, 3, 4}));
        log->append(WriteNumber{2}, entries_of(Term{1}, Index{2}, 100));
        log->append(WriteNumber{3}, configuration_entry(Term{1}, Index{102}, {1, 2, 4}));
        log->append(WriteNumber{4}, configuration_entry(Term{1}, Index{103}, {1, 2, 4, 5, 6}));
        log->truncate(WriteNumber{5}, Index{103});
        log->sync();
    }

    auto const recovered = open_log(disk)->recover();

    BOOST_TEST(recovered->configuration.index.value == 102U);
    BOOST_TEST(recovered->configuration.members.size() == 3U);
    BOOST_TEST(recovered->previous_configuration.index.value == 1U);
    BOOST_TEST(recovered->previous_configuration.members.size() == 4U);
}

BOOST_AUTO_TEST_CASE(the_commit_index_is_saved_with_other_writes_and_never_above_what_is_durable,
                     *label("case_83") * label("case_75"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 8));
        log->sync();
        log->append(WriteNumber{2}, entries_of(Term{1}, Index{9}, 1));
        log->save_commit(Index{9}); // Committed by the others; the write of 9 is in flight.
        auto const calls = disk->calls();
        log->save_commit(Index{9});
        BOOST_TEST(disk->calls() == calls);
        log->sync();
        log->save_vote(WriteNumber{3}, Term{2}, std::nullopt);
        log->truncate(WriteNumber{4}, Index{9});
        log->append(WriteNumber{5}, entries_of(Term{2}, Index{9}, 1));
        log->sync();
    }
    disk->lose_power();

    auto log = open_log(disk);

    BOOST_TEST(log->recover()->commit_index.value == 8U);
}

/// What is committed stays so, whatever is saved later.
BOOST_AUTO_TEST_CASE(a_saved_commit_index_never_goes_back, *label("case_16"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 8));
        log->sync();
        log->save_commit(Index{8});
        log->save_commit(Index{3});
        log->save_vote(WriteNumber{2}, Term{2}, std::nullopt);
        log->sync();
    }
    disk->lose_power();

    BOOST_TEST(open_log(disk)->recover()->commit_index.value == 8U);
}

/// Also while both are in memory: the earlier ones go with the truncation.
BOOST_AUTO_TEST_CASE(entries_that_were_appended_again_are_read_and_not_those_that_were_cut, *label("case_22"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 4));
    log->append(WriteNumber{2}, entries_of(Term{1}, Index{5}, 2));
    log->truncate(WriteNumber{3}, Index{4});
    log->append(WriteNumber{4}, entries_of(Term{2}, Index{4}, 2));
    log->sync();

    auto const read = log->read(Index{1}, Index{5}, 1U << 20U);

    BOOST_REQUIRE(read.has_value());
    auto positions = std::vector<LogPosition>{};
    for (auto at = std::size_t{0}; at < read->slice_count(); ++at) {
        auto const bytes = read->slice(at).bytes;
        for (auto offset = std::size_t{0}; auto const entry = view_entry(bytes.subspan(offset));) {
            positions.push_back({entry->term, entry->index});
            offset += entry->encoded.size();
        }
    }
    auto const expected = std::vector<LogPosition>{
        {Term{1}, Index{1}}, {Term{1}, Index{2}}, {Term{1}, Index{3}}, {Term{2}, Index{4}}, {Term{2}, Index{5}}};
    BOOST_TEST((positions == expected));
}

BOOST_AUTO_TEST_CASE(a_completed_write_confirms_no_entry_that_was_truncated_and_appended_again, *label("case_22"))
{
    auto prefix = DurablePrefix{Index{11}};

    prefix.expect(WriteNumber{1}, Index{12});
    prefix.truncate(Index{12});
    prefix.expect(WriteNumber{2}, Index{12});
    prefix.truncate(Index{12});
    prefix.expect(WriteNumber{3}, Index{12});
    prefix.advance(WriteNumber{1});
    BOOST_TEST(prefix.last().value == 11U);
    prefix.advance(WriteNumber{2});
    BOOST_TEST(prefix.last().value == 11U);
    prefix.advance(WriteNumber{3});
    BOOST_TEST(prefix.last().value == 12U);
}

BOOST_AUTO_TEST_CASE(a_crash_between_two_overwrites_leaves_the_one_that_was_durable, *label("case_22"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 12));
    log->truncate(WriteNumber{2}, Index{12});
    log->append(WriteNumber{3}, entries_of(Term{2}, Index{12}, 1));
    log->sync();
    log->truncate(WriteNumber{4}, Index{12});
    log->append(WriteNumber{5}, entries_of(Term{1}, Index{12}, 1));
    BOOST_TEST(log->durable().through().value == 3U);
    disk->lose_power();

    auto again = open_log(disk);

    BOOST_TEST((again->recover()->entries.last() == LogPosition{Term{2}, Index{12}}));
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_final_and_nothing_after_it_is_durable, *label("case_66") * label("case_71"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 1));
    log->sync();
    disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
    log->append(WriteNumber{2}, entries_of(Term{1}, Index{2}, 1));
    log->sync();
    disk->interfere(nullptr);

    log->append(WriteNumber{3}, entries_of(Term{1}, Index{3}, 1));
    log->sync();
    log->sync();

    BOOST_REQUIRE(log->failure().has_value());
    BOOST_TEST((log->failure()->failure == LogFailure::sync_failed));
    BOOST_TEST(log->durable().through().value == 1U);
    BOOST_TEST(not log->has_room(1));
    log->close();
    BOOST_TEST(not open_log(disk)->recover()->cleanly_stopped);
}

/// Whatever goes wrong after it: the first failure is the one to look into.
BOOST_AUTO_TEST_CASE(the_first_failure_of_a_log_is_the_one_it_reports, *label("case_71"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
    log->save_vote(WriteNumber{1}, Term{1}, ServerId{1});
    log->sync();
    BOOST_REQUIRE(log->failure().has_value());
    auto const first = log->failure()->what;

    disk->interfere(nullptr);
    disk->limit_space(0);
    for (auto write = std::uint64_t{2}; write < 1000; ++write) // More than the segment has room for.
        log->save_vote(WriteNumber{write}, Term{write}, ServerId{1});

    BOOST_TEST((log->failure()->failure == LogFailure::sync_failed));
    BOOST_TEST(log->failure()->what == first);
}

BOOST_AUTO_TEST_CASE(after_a_failed_sync_a_restart_keeps_nothing_that_is_only_in_the_page_cache, *label("case_66"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 5));
        log->sync();
        disk->interfere(nullptr);
    }
    auto found = Index{};
    {
        auto log = open_log(disk); // The pages are clean, and readable.
        found = log->recover()->entries.last().index;
        BOOST_TEST(found.value == 5U);
    }
    disk->lose_power();

    BOOST_TEST(open_log(disk)->recover()->entries.last().index.value == found.value);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_proposals_until_there_is_space_again, *label("case_67"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    disk->limit_space(5000);
    auto write = std::uint64_t{0};
    auto index = Index{0};
    while (log->has_room(400)) {
        log->append(WriteNumber{++write}, entries_of(Term{1}, next(index), 4, 60));
        index = log->last().index;
        log->sync();
        BOOST_REQUIRE(write < 100U);
    }
    BOOST_TEST(index.value > 0U);
    BOOST_TEST(not log->failure().has_value());
    log->save_vote(WriteNumber{++write}, Term{2}, ServerId{3}); // A vote still fits.
    log->sync();
    BOOST_TEST(log->durable().through().value == write);

    disk->limit_space(100000);

    BOOST_TEST(log->has_room(400));
    log->append(WriteNumber{++write}, entries_of(Term{2}, next(index), 40, 60));
    log->sync();
    BOOST_TEST(log->durable().through().value == write);
    disk->lose_power();
    BOOST_TEST(open_log(disk)->recover()->entries.last().index.value == index.value + 40);
}

/// Elections continue while the disk is full; their votes and no-ops do not request room.
BOOST_AUTO_TEST_CASE(a_disk_that_stays_full_ends_no_server, *label("case_67") * label("case_71"))
{
    auto const disk = disk_with_log();
    auto       options = SegmentedLogOptions{};
    options.segment_bytes = std::uint64_t{1} << 20U;
    options.retry_after = std::chrono::milliseconds{0};
    disk->limit_space(options.segment_bytes + 65536);
    auto log = open_log(disk, options);
    auto write = std::uint64_t{0};
    while (log->has_room(100)) {
        log->append(WriteNumber{++write}, entries_of(Term{1}, next(log->last().index), 10, 50));
        log->sync();
    }
    for (auto term = std::uint64_t{2}; term < 200; ++term) {
        log->save_vote(WriteNumber{++write}, Term{term}, ServerId{1});
        log->sync();
        log->append(WriteNumber{++write}, entries_of(Term{term}, next(log->last().index), 1, 0));
        log->sync();
    }

    BOOST_TEST(not log->failure().has_value());
    BOOST_TEST(log->durable().through().value == write);
    BOOST_TEST(not log->has_room(100));
}

/// Point 12: a server without even this must neither vote nor campaign, so it must be reported neither too early nor
/// too late.
BOOST_AUTO_TEST_CASE(room_for_nothing_is_room_for_a_vote_a_truncation_and_a_no_op, *label("case_67"))
{
    auto used_up = 0;
    for (auto space = std::uint64_t{4200}; space < 9000; space += 100) {
        auto const disk = disk_with_log();
        disk->limit_space(space);
        auto log = open_log(disk);
        if (not log)
            continue;
        auto write = std::uint64_t{0};
        log->append(WriteNumber{++write}, entries_of(Term{1}, Index{1}, 1, 0));
        log->sync();
        auto term = std::uint64_t{2};
        for (; term < 1000 and log->has_room(0); ++term) {
            log->save_vote(WriteNumber{++write}, Term{term}, ServerId{1});
            log->sync();
            log->truncate(WriteNumber{++write}, Index{1});
            log->sync();
            log->append(WriteNumber{++write}, entries_of(Term{term}, Index{1}, 1, 0));
            log->sync();
            auto const failure = log->failure().value_or(LogError{}).what;
            BOOST_REQUIRE_MESSAGE(failure.empty(), "space " << space << ": " << failure);
            BOOST_REQUIRE(log->durable().through().value == write);
        }
        if (term == 1000) // There is space for two segments, of which each truncation gives one back.
            continue;
        // "And only then": what was refused did not fit any more.
        BOOST_TEST(not log->has_room(1));
        auto const left = [&] {
            auto more = 0;
            for (; more < 50 and not log->failure(); ++more) {
                ++write;
                log->save_vote(WriteNumber{write}, Term{2000 + write}, ServerId{1});
                log->sync();
            }
            return more;
        }();
        BOOST_TEST(left <= 4, "space " << space << ": " << left << " votes more could be written");
        ++used_up;
    }
    BOOST_TEST(used_up > 10);
}

BOOST_AUTO_TEST_CASE(a_partly_prepared_segment_has_the_reserve_too, *label("case_67"))
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = 16384;
    options.prepare_bytes = 1024;
    auto log = open_log(disk, options);
    disk->limit_space(16384 + 2048); // The next segment will be small.
    auto write = std::uint64_t{0};
    auto refused_at = Index{};
    while (log->has_room(300)) {
        log->append(WriteNumber{++write}, entries_of(Term{1}, next(log->last().index), 1, 250));
        log->sync();
        refused_at = log->last().index;
    }

    BOOST_TEST(refused_at.value > 35U);
    BOOST_TEST(log->has_room(0));
    log->save_vote(WriteNumber{++write}, Term{2}, ServerId{1});
    log->truncate(WriteNumber{++write}, refused_at);
    log->append(WriteNumber{++write}, entries_of(Term{2}, refused_at, 1, 0));
    log->sync();
    BOOST_TEST(log->durable().through().value == write);
}

/// A server that joins: if that entry is cut, no configuration is in force, and it waits to be named again.
BOOST_AUTO_TEST_CASE(a_joining_server_with_one_configuration_has_no_previous_one)
{
    auto const disk = std::make_shared<ForgetfulDisk>();
    auto       files = ForgetfulFiles{disk};
    BOOST_REQUIRE(create_log(files, Identity{cluster_of("reeds"), ServerId{4}, Incarnation{2}, {}}).has_value());
    auto log = open_log(disk);
    BOOST_TEST((log->recover()->configuration == Configuration{}));
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 4));
    log->append(WriteNumber{2}, configuration_entry(Term{1}, Index{5}, {1, 2, 3}));
    log->close();

    auto const recovered = open_log(disk)->recover();

    BOOST_TEST(recovered->configuration.index.value == 5U);
    BOOST_TEST((recovered->previous_configuration == Configuration{}));
}

BOOST_AUTO_TEST_CASE(a_segment_of_another_servers_log_is_refused)
{
    auto const disk = disk_with_log();
    open_log(disk)->close();
    auto const other = std::make_shared<ForgetfulDisk>();
    auto       files = ForgetfulFiles{other};
    auto       identity = identity_of_first();
    identity.id = ServerId{2};
    (void)create_log(files, identity);
    open_log(other)->close();
    disk->set_content(segment_name(1), other->content(segment_name(1)));

    BOOST_TEST((open_log(disk).error().failure == LogFailure::foreign_format));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_tests
