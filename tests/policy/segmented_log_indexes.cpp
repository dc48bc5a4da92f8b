// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log/watched_files.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace totora::test::segmented_log_indexes_tests
{

// Sealed segments are known by their indexes: a start does not read them.

using boost::unit_test::label;

namespace
{

/// The newest header on a disk.
SegmentHeader newest_header(Disk const& disk)
{
    auto newest = SegmentHeader{};
    for (auto const& name : disk->file_names())
        if (auto const header = decode_segment_header(disk->content(name));
            header and header->generation == generation_of(name) and header->generation > newest.generation)
            newest = *header;
    return newest;
}

/// The index of a sealed segment, if it has one.
std::optional<SegmentIndex> index_of(Disk const& disk, EarlierSegment const& segment)
{
    auto const bytes = disk->content(segment_name(segment.generation));
    auto       source = BytesInMemory{bytes};
    return find_segment_index(source, segment_seed(identity_of_first(), segment.generation), segment.length);
}

/// How many of the sealed segments have an index.
std::size_t with_index(Disk const& disk)
{
    auto const earlier = newest_header(disk).earlier;
    return static_cast<std::size_t>(
        std::count_if(earlier.begin(), earlier.end(), [&](auto const& one) { return index_of(disk, one); }));
}

/// A number above all that this returned before.
std::uint64_t next_write()
{
    static auto number = std::uint64_t{0};
    return ++number;
}

/// Appends entries one by one, each in a batch of its own.
void append_batches(TestLog& log, std::uint64_t count, std::size_t payload)
{
    for (; count > 0; --count) {
        auto const index = next(log.last().index);
        log.append(WriteNumber{next_write()}, entries_of(Term{1}, index, 1, payload));
        log.sync();
    }
}

/// The bytes of all files.
std::uint64_t used_space(Disk const& disk)
{
    auto bytes = std::uint64_t{0};
    for (auto const& name : disk->file_names())
        bytes += disk->content(name).size();
    return bytes;
}

/// A log in many segments, stopped.
Disk disk_with_segments(std::uint64_t count = 100)
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    append_batches(*log, count, 200);
    log->close();
    return disk;
}

/// Changes a byte of the payload of an entry.
void damage_entry(Disk const& disk, Index index)
{
    for (auto const& segment : newest_header(disk).earlier) {
        auto const found = index_of(disk, segment);
        if (not found or index < found->first or index > found->last())
            continue;
        auto places = EntryIndex{before(found->first)};
        auto size = found->sizes.begin();
        for (auto const& row : found->rows)
            for (auto left = row.count, offset = row.offset; left > 0; --left, offset += *size++)
                places.append(*size, {segment.generation, offset});
        auto bytes = disk->content(segment_name(segment.generation));
        bytes[places.place(index).offset + entry_header_size] ^= std::byte{1};
        return disk->set_content(segment_name(segment.generation), bytes);
    }
    BOOST_FAIL("no sealed segment holds the entry");
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_indexes)

BOOST_AUTO_TEST_CASE(every_sealed_segment_has_an_index_of_its_entries)
{
    auto const disk = disk_with_segments();
    (void)open_log(disk); // Seals the last segment of the start before it.

    auto const newest = newest_header(disk);
    auto       index = Index{1};
    BOOST_TEST(newest.earlier.size() > 5U);
    for (auto const& segment : newest.earlier) {
        auto const found = index_of(disk, segment);
        BOOST_REQUIRE(found.has_value());
        BOOST_TEST(found->first.value == index.value);
        BOOST_TEST(found->last().value == segment.last.value);
        index = next(found->last());
    }
    BOOST_TEST(index.value == 101U);
}

/// 16 MiB in segments of one: read are the newest, and of the others a page for the header and the index.
BOOST_AUTO_TEST_CASE(a_start_reads_the_newest_segment_and_of_the_others_header_and_index)
{
    auto const disk = disk_with_log();
    auto       options = small_options();
    options.segment_bytes = std::uint64_t{1} << 20U;
    {
        auto log = open_log(disk, options);
        append_batches(*log, 4000, 4000);
    }
    BOOST_TEST(newest_header(disk).earlier.size() >= 14U);
    auto read_bytes = std::uint64_t{0};
    auto files = WatchedFiles{ForgetfulFiles{disk}, [&](auto, auto bytes) { read_bytes += bytes.size(); }};

    auto const recovered = LogRecovery<WatchedFiles>{files}.run();

    BOOST_REQUIRE(recovered.has_value());
    BOOST_TEST(recovered->index.last().value == 4000U);
    BOOST_TEST(read_bytes < 3 * options.segment_bytes);
    read_bytes = 0;
    BOOST_TEST((LogRecovery<WatchedFiles>{files, {}, RecoveryDepth::everything}.run().has_value()));
    BOOST_TEST(read_bytes > 14 * options.segment_bytes);
}

/// Whatever was appended, truncated and configured, and over several starts.
BOOST_AUTO_TEST_CASE(indexes_and_records_say_the_same)
{
    auto indexes = std::size_t{0};
    for (auto seed = std::uint64_t{1}; seed <= 150; ++seed) {
        auto const disk = disk_with_log();
        auto       mix = conformance::WorkloadMix{};
        mix.configuration = 5;
        mix.truncated_max = seed % 2 == 0 ? 4 : 60;
        auto workload = Workload{seed, mix};
        for (auto start = 0; start < 3; ++start) {
            auto log = open_log(disk);
            workload.restart(*content_of(*log, *log->recover()), log->recover()->commit_index);
            for (auto step = 0; step < 80; ++step)
                workload.step(*log);
            log->sync();
        }
        indexes += with_index(disk);
        auto       files = ForgetfulFiles{disk};
        auto const quick = LogRecovery<ForgetfulFiles>{files}.run();
        auto const whole = LogRecovery<ForgetfulFiles>{files, {}, RecoveryDepth::everything}.run();

        BOOST_REQUIRE((quick and whole));
        BOOST_TEST((quick->state.entries == whole->state.entries));
        BOOST_TEST((quick->state.configuration == whole->state.configuration));
        BOOST_TEST((quick->state.previous_configuration == whole->state.previous_configuration));
        BOOST_TEST((quick->configurations == whole->configurations));
        BOOST_TEST((quick->segments == whole->segments));
        for (auto index = Index{1}; index <= quick->index.last(); index = next(index)) {
            BOOST_REQUIRE((quick->index.place(index) == whole->index.place(index)));
            BOOST_REQUIRE(quick->index.bytes(index, index) == whole->index.bytes(index, index));
        }
    }
    BOOST_TEST(indexes > 500U);
}

BOOST_AUTO_TEST_CASE(damage_in_a_sealed_segment_is_found_when_it_is_read, *label("case_65"))
{
    auto const disk = disk_with_segments();
    damage_entry(disk, Index{20});
    auto log = open_log(disk);
    BOOST_REQUIRE(log.has_value());
    BOOST_TEST(not log->failure().has_value());
    BOOST_TEST(log->read(Index{1}, Index{19}, 1U << 20U)->count() == 19U);

    auto const read = log->read(Index{1}, Index{40}, 1U << 20U);

    BOOST_REQUIRE(not read.has_value());
    BOOST_TEST((read.error().failure == LogFailure::damaged));
    BOOST_TEST(read.error().what.find("The entry 20 ") != std::string::npos, read.error().what);
    BOOST_REQUIRE(log->failure().has_value());
    log->save_vote(WriteNumber{1}, Term{9}, ServerId{1});
    log->sync();
    BOOST_TEST(log->durable().through().value == 0U); // It acknowledges nothing any more.
}

/// A crash may leave an index and the header after it, and tear the records before them: one sync covers all.
BOOST_AUTO_TEST_CASE(an_index_is_not_used_before_its_segment_is_known_to_be_durable,
                     *label("case_64") * label("case_63"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    auto       before = Disk{};
    while (newest_header(disk).earlier.empty()) {
        before = disk->clone();
        append_batches(*log, 1, 200);
    }
    auto const sealed = newest_header(disk).earlier.front();
    auto const name = segment_name(sealed.generation);
    BOOST_REQUIRE(index_of(disk, sealed).has_value());
    auto       bytes = before->content(name);
    auto const after = disk->content(name);
    std::copy(after.begin() + static_cast<std::ptrdiff_t>(sealed.length), after.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(sealed.length));
    auto const torn = disk->clone();
    torn->set_content(name, bytes);

    auto again = open_log(torn);

    BOOST_REQUIRE(again.has_value());
    auto const content = content_of(*again, *again->recover());
    BOOST_REQUIRE(content.has_value());
    BOOST_TEST(content->entries.size() == log->last().index.value - 1);
    BOOST_TEST(again->recover()->torn_tail.has_value());
}

/// Nothing is lost with an index, nor with a part of it: the segment is read.
BOOST_AUTO_TEST_CASE(a_segment_whose_index_is_damaged_is_read, *label("case_65"))
{
    auto const disk = disk_with_segments(30);
    for (auto const& segment : newest_header(disk).earlier) {
        auto const name = segment_name(segment.generation);
        auto const bytes = disk->content(name);
        auto const index = encode_segment_index(index_of(disk, segment).value(),
                                                segment_seed(identity_of_first(), segment.generation), segment.length);
        for (auto at = std::size_t{0}; at < index.size(); at += 5) {
            auto damaged = bytes;
            damaged[static_cast<std::size_t>(segment.length) + at] ^= std::byte{32};
            auto const copy = disk->clone();
            copy->set_content(name, damaged);

            auto log = open_log(copy);

            BOOST_REQUIRE(log.has_value());
            BOOST_TEST(content_of(*log, *log->recover())->entries.size() == 30U);
        }
    }
}

/// Room is promised for entries and for a vote. If the next segment cannot be made ready, the place of an index is theirs.
BOOST_AUTO_TEST_CASE(on_a_full_disk_an_index_is_left_out_and_no_room_is_lost, *label("case_67"))
{
    auto without = std::size_t{0};
    for (auto payload = std::size_t{0}; payload < 400; payload += 8) {
        auto const disk = disk_with_log();
        auto       log = open_log(disk);
        append_batches(*log, 10, 100);
        disk->limit_space(used_space(disk) + 1000);
        while (log->has_room(payload + entry_header_size))
            append_batches(*log, 1, payload);
        for (auto term = std::uint64_t{2}; log->has_room(0); ++term) {
            log->save_vote(WriteNumber{next_write()}, Term{term}, ServerId{1});
            log->sync();
        }
        BOOST_TEST(not log->failure().has_value());
        disk->limit_space(1U << 20U);
        while (newest_header(disk).earlier.size() < 6) {
            BOOST_REQUIRE(log->has_room(200));
            append_batches(*log, 1, 100);
        }
        auto const last = log->last();
        without += newest_header(disk).earlier.size() - with_index(disk);
        BOOST_TEST(not log->failure().has_value());
        BOOST_TEST((open_log(disk->clone())->recover()->entries.last() == last));
    }
    BOOST_TEST(without > 0U);
}

/// Another version wrote what it holds, and opening the log has to notice.
BOOST_AUTO_TEST_CASE(a_segment_with_an_entry_of_an_unknown_kind_has_no_index)
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        auto unknown = Entries{};
        unknown.add(entry_slice(Index{1}, Term{1}, payload_for(Index{1}, Term{1}, 20), static_cast<EntryKind>(9)), 1);
        log->append(WriteNumber{next_write()}, unknown);
        log->sync();
        append_batches(*log, 100, 200);
        BOOST_TEST(newest_header(disk).earlier.size() > 5U);
        BOOST_TEST(with_index(disk) == newest_header(disk).earlier.size() - 1);
    }

    auto const opened = open_log(disk);

    BOOST_REQUIRE(not opened.has_value());
    BOOST_TEST((opened.error().failure == LogFailure::foreign_format));
}

/// The last segment of a start ends wherever it ended: what follows is given back, but for the index.
BOOST_AUTO_TEST_CASE(the_next_start_adds_an_index_to_the_last_segment_and_shortens_it)
{
    for (auto const clean : {false, true}) {
        auto const disk = disk_with_log();
        {
            auto log = open_log(disk);
            append_batches(*log, 8, 100);
            if (clean)
                log->close();
        }
        auto const size = disk->content(segment_name(1)).size();
        (void)open_log(disk);

        auto const earlier = newest_header(disk).earlier;
        BOOST_REQUIRE(earlier.size() == 1U);
        auto const index = index_of(disk, earlier.front());
        BOOST_REQUIRE(index.has_value());
        BOOST_TEST(index->sizes.size() == 8U);
        BOOST_TEST(disk->content(segment_name(1)).size() < size);
        disk->lose_power();
        BOOST_TEST((index_of(disk, earlier.front()) == index)); // It is durable.
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_indexes_tests
