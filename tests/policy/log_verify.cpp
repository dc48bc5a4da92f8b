// SPDX-License-Identifier: BSL-1.0
#include "totora/log/verify.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace totora::test::log_verify_tests
{

using boost::unit_test::label;

namespace
{

/// A disk with a log of 100 entries in several segments, and after its clean stop three more entries.
Disk disk_with_segments()
{
    auto const disk = disk_with_log();
    for (auto const last : {std::uint64_t{100}, std::uint64_t{103}}) {
        auto log = open_log(disk);
        while (log->last().index.value < last) {
            auto const index = next(log->last().index);
            log->append(WriteNumber{index.value}, entries_of(Term{1}, index, 1, 200));
            log->sync();
        }
        if (last == 100)
            log->close();
    }
    return disk;
}

void flip(Disk const& disk, std::uint64_t generation, std::size_t at)
{
    auto bytes = disk->content(segment_name(generation));
    bytes.at(at) ^= std::byte{2};
    disk->set_content(segment_name(generation), bytes);
}

/// What is found, after which the disk is as it was.
Result<LogVerdict, LogError> verify(Disk const& disk)
{
    auto const contents = [&] {
        auto all = std::map<std::string, std::vector<std::byte>>{};
        for (auto const& name : disk->file_names())
            all.emplace(name, disk->content(name));
        return all;
    };
    auto const before = contents();
    auto       changes = 0;
    disk->interfere([&](FileCall call, std::string_view) {
        changes += call == FileCall::open or call == FileCall::read or call == FileCall::size or call == FileCall::names
                       ? 0
                       : 1;
        return 0;
    });
    auto       files = ForgetfulFiles{disk};
    auto const verdict = verify_log(files);
    disk->interfere(nullptr);
    BOOST_TEST((contents() == before));
    BOOST_TEST(changes == 0);
    return verdict;
}

/// The generations of the sealed segments of a log that is sound.
std::vector<EarlierSegment> segments_of(Disk const& disk)
{
    auto files = ForgetfulFiles{disk};
    return LogRecovery<ForgetfulFiles>{files, {}, RecoveryDepth::everything}.run()->segments;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_verify)

BOOST_AUTO_TEST_CASE(a_sound_log_is_read_whole)
{
    auto const disk = disk_with_segments();
    auto const segments = segments_of(disk);
    auto       bytes = std::uint64_t{0};
    for (auto const& segment : segments)
        bytes += segment.length;

    auto const verdict = verify(disk);

    BOOST_REQUIRE(verdict.has_value());
    BOOST_TEST((verdict->identity == identity_of_first()));
    BOOST_TEST(verdict->last.value == 103U);
    BOOST_TEST(verdict->bytes == bytes);
    BOOST_TEST(verdict->segments == segments.size());
    BOOST_TEST(verdict->without_index == 0U);
    BOOST_TEST(not verdict->torn_tail.has_value());
    BOOST_TEST(verdict->damage.empty());
}

BOOST_AUTO_TEST_CASE(a_torn_tail_is_reported_and_stays, *label("case_64"))
{
    auto const disk = disk_with_segments();
    auto const newest = segments_of(disk).back();
    flip(disk, newest.generation, static_cast<std::size_t>(newest.length) - 100); // In the last entry.

    auto const verdict = verify(disk);

    BOOST_REQUIRE(verdict.has_value());
    BOOST_TEST(verdict->damage.empty());
    BOOST_TEST(verdict->last.value == 102U);
    BOOST_REQUIRE(verdict->torn_tail.has_value());
    BOOST_TEST(verdict->torn_tail->first.value == 103U);
}

/// None of it is found by a start.
BOOST_AUTO_TEST_CASE(each_damaged_sealed_segment_is_named_and_where, *label("case_65"))
{
    auto const disk = disk_with_segments();
    auto const segments = segments_of(disk);
    BOOST_REQUIRE(segments.size() > 5U);
    for (auto const at : {0U, 2U, 3U})
        flip(disk, segments[at].generation, static_cast<std::size_t>(segments[at].length) / 2);
    BOOST_TEST(open_log(disk->clone()).has_value());

    auto const verdict = verify(disk);

    BOOST_REQUIRE(verdict.has_value());
    BOOST_TEST(verdict->damage.size() == 3U);
    for (auto const at : {0U, 2U, 3U})
        BOOST_TEST(std::any_of(verdict->damage.begin(), verdict->damage.end(), [&](std::string const& what) {
            return what.find(segment_name(segments[at].generation) + " is damaged at byte ") != std::string::npos;
        }));
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_of_a_record_or_a_header_is_found, *label("case_65"))
{
    auto const  disk = disk_with_segments();
    auto const  segments = segments_of(disk);
    auto const& sealed = segments[1];
    for (auto at = std::size_t{0}; at < sealed.length; at += 3) {
        auto const copy = disk->clone();
        flip(copy, sealed.generation, at);
        auto const verdict = verify(copy);
        BOOST_REQUIRE(verdict.has_value());
        BOOST_TEST(not verdict->damage.empty(), "byte " << at);
    }
}

BOOST_AUTO_TEST_CASE(a_missing_segment_is_damage_and_others_are_read_all_the_same, *label("case_69"))
{
    auto const disk = disk_with_segments();
    auto const segments = segments_of(disk);
    disk->drop_file(segment_name(segments[1].generation));
    flip(disk, segments[3].generation, 500);

    auto const verdict = verify(disk);

    BOOST_REQUIRE(verdict.has_value());
    BOOST_REQUIRE(verdict->damage.size() == 2U);
    BOOST_TEST(verdict->damage[0].find(segment_name(segments[1].generation) + " is missing") != std::string::npos);
    BOOST_TEST(verdict->damage[1].find(segment_name(segments[3].generation)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(segments_without_an_index_are_counted)
{
    auto const disk = disk_with_segments();
    auto const segments = segments_of(disk);
    for (auto const at : {0U, 4U})
        flip(disk, segments[at].generation, static_cast<std::size_t>(segments[at].length) + 20);

    auto const verdict = verify(disk);

    BOOST_REQUIRE(verdict.has_value());
    BOOST_TEST(verdict->damage.empty());
    BOOST_TEST(verdict->without_index == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_no_log_or_cannot_be_read_is_an_error)
{
    auto const missing = verify(std::make_shared<ForgetfulDisk>());
    BOOST_REQUIRE(not missing.has_value());
    BOOST_TEST((missing.error().failure == LogFailure::not_found));

    auto const disk = disk_with_segments();
    disk->interfere(
        [](FileCall call, std::string_view name) { return call == FileCall::read and generation_of(name) ? EIO : 0; });
    auto       files = ForgetfulFiles{disk};
    auto const unreadable = verify_log(files);
    BOOST_REQUIRE(not unreadable.has_value());
    BOOST_TEST((unreadable.error().failure == LogFailure::read_failed));
}

/// Whatever byte of it is damaged; and a log that begins where no snapshot reaches is not whole.
BOOST_AUTO_TEST_CASE(damage_in_a_snapshot_is_found, *label("case_65"))
{
    auto const disk = disk_with_segments();
    auto const snapshot = snapshot_of({Term{1}, Index{50}}, {"reed", "rush"});
    {
        auto log = *open_log(disk);
        log.begin_snapshot();
        log.write_snapshot(snapshot.bytes);
        log.finish_snapshot(snapshot.id);
        BOOST_REQUIRE(log.snapshot_end().has_value());
        log.compact(WriteNumber{1}, {Term{1}, Index{40}}, {cluster(3), cluster(3)}, {});
        log.sync();
    }
    auto const sound = verify(disk);
    BOOST_REQUIRE(sound.has_value());
    BOOST_TEST(sound->damage.empty());
    BOOST_TEST(sound->snapshots == 1U);
    BOOST_TEST(sound->last.value == 103U);

    auto const name = snapshot_file_name(1);
    auto const bytes = disk->content(name);
    BOOST_REQUIRE(bytes.size() == snapshot_file_header_size + snapshot.bytes.size());
    for (auto at = std::size_t{0}; at < bytes.size(); ++at) {
        if (at >= 20 + snapshot_file_content_size and at < snapshot_file_header_size)
            continue; // Nothing stands there.
        auto const rotten = disk->clone();
        auto       changed = bytes;
        changed[at] ^= std::byte{8};
        rotten->set_content(name, changed);
        auto const found = verify(rotten);
        BOOST_REQUIRE(found.has_value());
        BOOST_REQUIRE(found->damage.size() == 2U); // The file, and the log that begins with it.
        BOOST_TEST(found->damage[0].find(name) != std::string::npos);
        BOOST_TEST(found->damage[1].find("after entry 40,") != std::string::npos);
    }
    auto files = ForgetfulFiles{disk};
    BOOST_REQUIRE(files.remove(name).has_value());
    BOOST_TEST(verify(disk)->damage.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_log_whose_machine_keeps_itself_is_sound_without_a_snapshot, *label("case_68"))
{
    for (auto const relies : {false, true}) {
        auto const disk = disk_with_segments();
        {
            auto log = *open_log(disk);
            if (relies)
                BOOST_TEST(not log.rely_on_machine().has_value());
            log.compact(WriteNumber{1}, {Term{1}, Index{40}}, {cluster(3), cluster(3)}, {});
            log.sync();
        }
        auto const verdict = verify(disk);
        BOOST_REQUIRE(verdict.has_value());
        BOOST_TEST(verdict->damage.size() == (relies ? 0U : 1U));
        BOOST_TEST((verdict->kept_by_machine == (relies ? Index{40} : Index{})));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::log_verify_tests
