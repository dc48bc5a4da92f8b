// SPDX-License-Identifier: BSL-1.0
// Snapshots that are sent or checked are read on the thread of the cold reads: the node never waits for a disk that reads slowly.
#include "totora/log/segmented_log.hpp"

#include "support/log/desk_syncer.hpp"
#include "support/log/watched_files.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_snapshot_reads_tests
{
namespace
{

using boost::unit_test::label;
using Log = SegmentedLog<WatchedFiles, DeskSyncer>;

/// A log with a snapshot, whose threads work when they are called.
struct ReadLog
{
    explicit ReadLog(std::uint64_t cold_bytes = 4096)
    {
        DeskSyncer::desk() = &desk;
        auto files = WatchedFiles{ForgetfulFiles{disk}, [this](std::string_view name, std::span<std::byte> /*bytes*/) {
                                      reads += name.starts_with(snapshot_file_prefix) ? 1 : 0;
                                  }};
        auto options = small_options();
        options.cold_bytes = cold_bytes;
        auto opened = Log::open(std::move(files), options);
        BOOST_REQUIRE(opened.has_value());
        log.emplace(std::move(*opened));
        log->set_wake([this] { ++wakes; });
        take();
    }

    void take()
    {
        log->begin_snapshot();
        log->write_snapshot(snapshot.bytes);
        log->finish_snapshot(snapshot.id);
        work_all();
        auto const end = log->snapshot_end();
        BOOST_REQUIRE(end.has_value());
        BOOST_REQUIRE(not end->failure.has_value());
        reads = 0;
        wakes = 0;
    }

    void work_all()
    {
        for (auto at = std::size_t{0}; at < desk.size(); ++at)
            while (desk[at]->is_requested())
                desk[at]->work();
    }

    [[nodiscard]] Result<PinnedBytes, LogError> read(std::uint64_t offset, std::uint64_t bytes = 16)
    {
        return log->read_snapshot_aside(snapshot.id, offset, bytes);
    }

    [[nodiscard]] bool is_not_now(std::uint64_t offset)
    {
        auto const got = read(offset);
        return not got and got.error().failure == LogFailure::not_now;
    }

    Desk               desk;
    SnapshotBytes      snapshot = snapshot_of({Term{3}, Index{9}}, {"reed", "rush", "sedge", "cane"});
    Disk               disk = disk_with_log();
    int                reads = 0;
    int                wakes = 0;
    std::optional<Log> log;
};

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_snapshot_reads)

BOOST_AUTO_TEST_CASE(a_snapshot_is_read_aside_and_the_next_bytes_ahead, *label("case_94"))
{
    auto one = ReadLog{};
    auto bytes = std::vector<std::byte>{};

    BOOST_TEST(one.is_not_now(0));
    BOOST_TEST(one.is_not_now(0));
    BOOST_TEST(one.reads == 0);
    one.work_all();
    BOOST_TEST(one.reads == 1); // Asked for twice, read once.
    BOOST_TEST(one.wakes == 1);
    for (auto offset = std::uint64_t{0}; offset < one.snapshot.id.bytes; offset += 16) {
        auto const part = one.read(offset);
        BOOST_REQUIRE(part.has_value());
        bytes.insert(bytes.end(), part->bytes.begin(), part->bytes.end());
        one.work_all();
    }

    BOOST_TEST((bytes == one.snapshot.bytes));
    BOOST_TEST(one.reads == static_cast<int>((one.snapshot.id.bytes + 15) / 16));
    BOOST_TEST(one.read(one.snapshot.id.bytes)->bytes.empty());
    BOOST_TEST(one.read(0, one.snapshot.id.bytes).has_value() == false);
}

BOOST_AUTO_TEST_CASE(without_memory_for_it_a_snapshot_is_read_at_once)
{
    auto one = ReadLog{0};

    BOOST_TEST(one.read(0)->bytes.size() == 16U);
    BOOST_TEST(one.reads == 1);
}

BOOST_AUTO_TEST_CASE(what_is_being_read_of_a_snapshot_that_is_removed_is_not_read_to_its_end)
{
    auto one = ReadLog{};
    BOOST_TEST(one.is_not_now(0));
    BOOST_TEST(one.is_not_now(32));

    one.log->remove_snapshot(one.snapshot.id);
    one.desk.back()->work(); // The reader, before the file is gone.
    one.work_all();
    BOOST_TEST(one.reads == 0);
    BOOST_TEST((one.read(0).error().failure == LogFailure::read_failed));

    one.take(); // Another file of the same snapshot: nothing of the first one is given for it.
    BOOST_TEST(one.is_not_now(0));
    one.work_all();
    BOOST_TEST(one.read(0).has_value());
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_cannot_be_read_is_reported_and_one_without_a_descriptor_is_tried_again)
{
    auto one = ReadLog{};
    for (auto const error : {EIO, EMFILE}) {
        one.disk->interfere([&](FileCall call, std::string_view) { return call == FileCall::open ? error : 0; });
        BOOST_TEST(one.is_not_now(0));
        one.work_all();
        auto const failed = one.read(0);
        BOOST_REQUIRE(not failed.has_value());
        BOOST_TEST((failed.error().failure == (error == EIO ? LogFailure::read_failed : LogFailure::not_now)));
        one.disk->interfere([](FileCall, std::string_view) { return 0; });
    }
    BOOST_TEST(one.is_not_now(0));
    one.work_all();

    BOOST_TEST(one.read(0).has_value());
    BOOST_TEST(not one.log->failure().has_value());
}

BOOST_AUTO_TEST_CASE(a_file_that_ends_before_its_snapshot_is_damaged, *label("case_65"))
{
    auto one = ReadLog{};
    auto files = ForgetfulFiles{one.disk};
    auto file = files.open(snapshot_file_name(1));
    BOOST_REQUIRE(file.has_value());
    BOOST_REQUIRE(file->truncate(snapshot_file_header_size + 20).has_value());

    BOOST_TEST(one.is_not_now(16));
    one.work_all();
    auto const got = one.read(16);

    BOOST_REQUIRE(not got.has_value());
    BOOST_TEST((got.error().failure == LogFailure::damaged));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_snapshot_reads_tests
