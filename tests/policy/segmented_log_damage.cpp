// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace totora::test::segmented_log_damage_tests
{

using boost::unit_test::label;

namespace
{

/// A small directory with two starts, several segments, truncations and votes.
struct SmallDirectory
{
    explicit SmallDirectory(bool clean)
    {
        for (auto run = 0; run < 2; ++run) {
            auto log = open_log(disk);
            workload.restart(*content_of(*log, *log->recover()));
            for (auto step = 0; step < 30; ++step)
                workload.step(*log, 100);
            log->sync();
            workload.note(*log);
            before_last_batch = workload.writes();
            workload.append(*log, 4, 2, 100);
            workload.vote(*log);
            log->sync();
            workload.note(*log);
            if (clean)
                log->close();
        }
        auto log = open_log(disk->clone());
        commit_index = log->recover()->commit_index;
        content = *content_of(*log, *log->recover());
    }

    Disk          disk = disk_with_log();
    Workload      workload{11};
    std::uint64_t before_last_batch = 0; ///< The newest write of the batch before the last one.
    Index         commit_index;
    Content       content;
};

/// How a start on a damaged directory ended, and reading all of its log.
enum class Ending
{
    refused,
    found, ///< By reading: the log has failed.
    harmless,
    cut,
    wrong,
};

Ending start_on(Disk const& disk, SmallDirectory const& whole)
{
    auto log = open_log(disk);
    if (not log) {
        auto const failure = log.error().failure;
        return failure == LogFailure::damaged or failure == LogFailure::foreign_format ? Ending::refused
                                                                                       : Ending::wrong;
    }
    auto const recovered = log->recover();
    auto const content = content_of(*log, *recovered);
    if (not content and log->failure() and log->failure()->failure == LogFailure::damaged)
        return Ending::found;
    if (not content or recovered->identity != identity_of_first() or recovered->commit_index > whole.commit_index)
        return Ending::wrong;
    if (*content == whole.content)
        return Ending::harmless;
    if (recovered->torn_tail and not recovered->cleanly_stopped and
        whole.workload.allows(*content, whole.before_last_batch))
        return Ending::cut;
    return Ending::wrong;
}

/// Flips one bit in every byte of every file, and counts how the starts end.
std::array<int, 5> flip_everywhere(SmallDirectory const& whole)
{
    auto endings = std::array<int, 5>{};
    for (auto const& name : whole.disk->file_names()) {
        auto const bytes = whole.disk->content(name);
        for (auto at = std::size_t{0}; at < bytes.size(); ++at) {
            auto damaged = bytes;
            damaged[at] ^= std::byte{1} << (at * 5 % 8);
            auto const disk = whole.disk->clone();
            disk->set_content(name, damaged);
            auto const ending = start_on(disk, whole);
            BOOST_TEST((ending != Ending::wrong), name << ", byte " << at);
            ++endings[static_cast<std::size_t>(ending)];
        }
    }
    return endings;
}

/// The newest segment that was begun.
std::uint64_t newest_with_header(ForgetfulDisk const& disk)
{
    auto newest = std::uint64_t{0};
    for (auto const& name : disk.file_names())
        if (auto const header = decode_segment_header(disk.content(name));
            header and header->generation == generation_of(name))
            newest = std::max(newest, header->generation);
    return newest;
}

std::size_t segment_count(ForgetfulDisk const& disk)
{
    auto begun = std::size_t{0};
    for (auto const& name : disk.file_names())
        if (auto const header = decode_segment_header(disk.content(name));
            header and header->generation == generation_of(name))
            ++begun;
    return begun;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_damage)

BOOST_AUTO_TEST_CASE(every_flipped_bit_that_matters_is_detected, *label("case_65"))
{
    auto const [refused, found, harmless, cut, wrong] = flip_everywhere(SmallDirectory{false});

    BOOST_TEST(refused > 1000);
    BOOST_TEST(found > 2000);
    BOOST_TEST(harmless > 1000); // In space that was never written.
    BOOST_TEST(cut > 300);
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(after_a_clean_stop_nothing_is_ever_cut, *label("case_65"))
{
    auto const [refused, found, harmless, cut, wrong] = flip_everywhere(SmallDirectory{true});

    BOOST_TEST(refused > 1000);
    BOOST_TEST(found > 2000);
    BOOST_TEST(harmless > 1000);
    BOOST_TEST(cut == 0);
    BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(damage_to_durable_records_is_refused_and_names_file_and_entries,
                     *label("case_65") * label("case_68"))
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = 65536;
    auto place = std::size_t{0};
    {
        auto log = open_log(disk, options);
        for (auto index = std::uint64_t{1}; index <= 100; ++index) {
            log->append(WriteNumber{index}, entries_of(Term{1}, Index{index}, 1));
            log->sync();
        }
        log->save_commit(Index{90});
        // One record of 56 bytes and one seal in each batch; the header's batch has only a seal.
        place = header_size_for(0) + record_head_size + 39 * (2 * record_head_size + 56) + record_head_size + 45;
    }
    auto bytes = disk->content(segment_name(1));
    bytes[place] ^= std::byte{4};
    disk->set_content(segment_name(1), bytes);

    auto const opened = open_log(disk, options);

    BOOST_REQUIRE(not opened.has_value());
    BOOST_TEST((opened.error().failure == LogFailure::damaged));
    BOOST_TEST(opened.error().what.find("entries 40 to 40") != std::string::npos, opened.error().what);
    BOOST_TEST((disk->content(segment_name(1)) == bytes)); // Nothing was changed.
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_refused, *label("case_69") * label("case_68"))
{
    for (auto const clean : {false, true}) {
        auto const whole = SmallDirectory{clean};
        for (auto const& name : whole.disk->file_names()) {
            auto const disk = whole.disk->clone();
            disk->drop_file(name);

            auto const ending = start_on(disk, whole);

            auto const header = decode_segment_header(whole.disk->content(name));
            if (generation_of(name) and (not header or header->generation != generation_of(name)))
                BOOST_TEST((ending == Ending::harmless)); // Prepared, and not used yet.
            else if (name == identity_name)
                BOOST_TEST((open_log(disk).error().failure == LogFailure::not_found));
            else
                BOOST_TEST((ending == Ending::refused), name << " is missing");
        }
    }
}

/// It is no new log: something is known of the segments that were there.
BOOST_AUTO_TEST_CASE(a_log_that_lost_all_its_segments_is_refused, *label("case_68"))
{
    for (auto const clean : {false, true}) {
        auto const whole = SmallDirectory{clean};
        for (auto const& name : whole.disk->file_names())
            if (generation_of(name))
                whole.disk->drop_file(name);

        auto const opened = open_log(whole.disk);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::damaged));
    }
}

/// The refusal if the record at a place is replaced by this one, with a right checksum.
std::string refusal_of(RecordHead const& claimed, std::uint64_t place, Disk const& disk)
{
    auto       bytes = disk->content(segment_name(1));
    auto const head = std::span{bytes}.subspan(static_cast<std::size_t>(place), record_head_size);
    BOOST_REQUIRE(decode_head(head, segment_seed(identity_of_first(), 1), place)->kind == claimed.kind);
    encode_head(head, claimed, segment_seed(identity_of_first(), 1), place);
    auto const copy = disk->clone();
    copy->set_content(segment_name(1), bytes);
    auto const opened = open_log(copy);
    return opened ? std::string{} : opened.error().what;
}

BOOST_AUTO_TEST_CASE(records_that_no_log_can_have_written_are_refused, *label("case_65") * label("case_68"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 5));
        log->truncate(WriteNumber{2}, Index{4});
        log->sync();
    }
    auto const append = header_size_for(0) + record_head_size; // The header's batch has only a seal.
    auto const truncate = append + record_head_size + aligned(250);
    auto const seal = truncate + record_head_size;
    auto const truncated_from = [](std::uint64_t index) {
        return RecordHead{.kind = RecordKind::truncate, .numbers = {index, 0, 0}};
    };
    auto const committed_to = [](std::uint64_t index) {
        return RecordHead{.kind = RecordKind::seal, .numbers = {2, 1, index}};
    };
    auto const contains = [](std::string const& what, char const* words) {
        return what.find(words) != std::string::npos;
    };

    BOOST_TEST(refusal_of(truncated_from(5), truncate, disk) == "");
    BOOST_TEST(contains(refusal_of(truncated_from(6), truncate, disk), "do not follow each other"));
    BOOST_TEST(refusal_of(committed_to(3), seal, disk) == "");
    BOOST_TEST(contains(refusal_of(committed_to(4), seal, disk), "lost entries that were committed"));
}

BOOST_AUTO_TEST_CASE(a_log_that_lost_its_end_after_a_clean_stop_is_refused, *label("case_68"))
{
    auto const whole = SmallDirectory{true};
    auto       files = ForgetfulFiles{whole.disk};
    auto const newest = segment_name(read_run_mark(files)->generation);
    auto const all = whole.disk->content(newest);
    auto       end = all.size();
    while (all[end - 1] == std::byte{0})
        --end;
    for (auto left = std::size_t{0}; left < end; ++left) {
        auto bytes = all;
        bytes.resize(left);
        auto const disk = whole.disk->clone();
        disk->set_content(newest, bytes);

        auto const opened = open_log(disk);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::damaged));
    }
}

/// Case 98: 1,000 acknowledged writes, and a file system check that shortened the file.
BOOST_AUTO_TEST_CASE(the_entries_lost_with_a_shortened_segment_are_named_by_index, *label("case_98"))
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = std::uint64_t{1} << 20U;
    {
        auto log = open_log(disk, options);
        for (auto index = std::uint64_t{1}; index <= 1000; ++index) {
            log->append(WriteNumber{index}, entries_of(Term{1}, Index{index}, 1));
            log->sync();
        }
    }
    auto bytes = disk->content(segment_name(1));
    // One record of 56 bytes and one seal in each batch; the header's batch has only a seal.
    bytes.resize(header_size_for(0) + record_head_size + 127 * (2 * record_head_size + 56));
    disk->set_content(segment_name(1), bytes);

    auto const opened = open_log(disk, options);

    BOOST_REQUIRE(not opened.has_value());
    BOOST_TEST((opened.error().failure == LogFailure::damaged));
    BOOST_TEST(opened.error().what.find("the entries from 128 on may be lost") != std::string::npos,
               opened.error().what);
    BOOST_TEST((disk->content(segment_name(1)) == bytes)); // Nothing was changed.
}

/// The batch after the hole proves that the one with the hole was durable.
BOOST_AUTO_TEST_CASE(a_hole_below_a_later_batch_is_damage_and_no_torn_tail, *label("case_98"))
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = 65536;
    {
        auto log = open_log(disk, options);
        for (auto index = std::uint64_t{1}; index <= 60; ++index) {
            log->append(WriteNumber{index}, entries_of(Term{1}, Index{index}, 1, 200));
            log->sync();
        }
    }
    auto const all = disk->content(segment_name(1));
    for (auto page = std::size_t{4096}; page + 8192 < 60 * (2 * record_head_size + 240); page += 4096) {
        auto bytes = all;
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page), 4096, std::byte{0});
        auto const copy = disk->clone();
        copy->set_content(segment_name(1), bytes);

        auto const opened = open_log(copy, options);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::damaged));
        BOOST_TEST(opened.error().what.find("it held the entries") != std::string::npos, opened.error().what);
    }
}

/// Zeros where a clean stop, or a seal, proves records durable: no crash writes them over a record.
BOOST_AUTO_TEST_CASE(a_tail_of_zeros_before_a_durable_batch_is_damage, *label("case_98"))
{
    auto const whole = SmallDirectory{true};
    auto       files = ForgetfulFiles{whole.disk};
    auto const newest = segment_name(read_run_mark(files)->generation);
    auto const all = whole.disk->content(newest);
    auto       end = static_cast<std::size_t>(LogRecovery<ForgetfulFiles>{files}.run()->segments.back().length);
    while (all[end - 1] == std::byte{0})
        --end;
    for (auto left = std::size_t{0}; left < end; left += 8) {
        auto bytes = all;
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(left), bytes.end(), std::byte{0});
        auto const disk = whole.disk->clone();
        disk->set_content(newest, bytes);

        BOOST_TEST((start_on(disk, whole) == Ending::refused), "zeros from byte " << left << " on");
    }
}

/// Case 98: the segment in which the log continues had its size before the log named it.
BOOST_AUTO_TEST_CASE(a_next_segment_that_has_lost_its_size_is_damage, *label("case_98"))
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        for (auto write = std::uint64_t{1}; segment_count(*disk) < 3; ++write) {
            log->append(WriteNumber{write}, entries_of(Term{1}, Index{write * 5 - 4}, 5, 100));
            log->sync();
        }
    }
    auto const newest = segment_name(newest_with_header(*disk));
    for (auto const size : {std::size_t{0}, std::size_t{100}, std::size_t{512}}) {
        auto const copy = disk->clone();
        auto       bytes = copy->content(newest);
        bytes.resize(size);
        copy->set_content(newest, bytes);

        auto const opened = open_log(copy);

        BOOST_REQUIRE(not opened.has_value());
        BOOST_TEST((opened.error().failure == LogFailure::damaged));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_damage_tests
