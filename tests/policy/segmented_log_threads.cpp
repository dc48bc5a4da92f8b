// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "support/temporary_directory.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_threads_tests
{

using boost::unit_test::label;

namespace
{

using ThreadedLog = SegmentedLog<ForgetfulFiles, ThreadSyncer>;
using PosixLog = SegmentedLog<PosixFiles, ThreadSyncer>;

/// Waits for the syncer's report.
class Bell
{
public:
    [[nodiscard]] std::function<void()> rope()
    {
        return [this] {
            {
                auto const lock = std::lock_guard{mutex_};
                ++rings_;
            }
            rung_.notify_all();
        };
    }

    template <typename Log>
    void wait_until_durable(Log& log, WriteNumber write)
    {
        auto lock = std::unique_lock{mutex_};
        while (log.durable().through() < write and not log.failure()) {
            auto const seen = rings_;
            lock.unlock();
            auto const done = log.durable().through() >= write or log.failure();
            lock.lock();
            if (not done)
                rung_.wait(lock, [&] { return rings_ != seen or log.durable().through() >= write; });
        }
    }

    template <typename Log>
    [[nodiscard]] SnapshotEnd wait_for_end(Log& log)
    {
        auto lock = std::unique_lock{mutex_};
        while (true) {
            auto const seen = rings_;
            lock.unlock();
            if (auto const end = log.snapshot_end())
                return *end;
            lock.lock();
            rung_.wait(lock, [&] { return rings_ != seen; });
        }
    }

private:
    std::mutex              mutex_;
    std::condition_variable rung_;
    std::uint64_t           rings_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_threads)

BOOST_AUTO_TEST_CASE(a_disk_that_hangs_does_not_hang_the_node)
{
    auto const disk = disk_with_log();
    auto       bell = Bell{};
    auto       log = ThreadedLog::open(ForgetfulFiles{disk}, small_options());
    BOOST_REQUIRE(log.has_value());
    log->set_wake(bell.rope());
    disk->hold_syncs();

    for (auto write = std::uint64_t{1}; write <= 20; ++write) {
        log->append(WriteNumber{write}, entries_of(Term{1}, Index{write}, 1));
        log->sync();
        BOOST_TEST(log->read(Index{1}, Index{write}, 10000)->count() == write);
    }

    BOOST_TEST(log->durable().through().value == 0U);
    disk->release_syncs();
    bell.wait_until_durable(*log, WriteNumber{20});
    BOOST_TEST(log->durable().through().value == 20U);
    log->close();
}

BOOST_AUTO_TEST_CASE(a_replaced_wake_up_is_never_called_again)
{
    auto const disk = disk_with_log();
    auto       log = ThreadedLog::open(ForgetfulFiles{disk});
    auto       is_inside = std::atomic<bool>{false};
    auto       was_called = std::atomic<bool>{false};
    auto       was_replaced = std::atomic<bool>{false};
    log->set_wake([&] {
        is_inside = true;
        was_called = true;
        // Gives a replacement every chance to be done before it is.
        for (auto times = 0; times < 100'000 and not was_replaced; ++times)
            std::this_thread::yield();
        is_inside = false;
    });
    log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 1));
    log->sync();
    while (not was_called)
        std::this_thread::yield();
    log->set_wake(nullptr);
    auto const is_still_inside = is_inside.load();
    was_replaced = true;

    BOOST_TEST(not is_still_inside);
    log->close();
}

BOOST_AUTO_TEST_CASE(everything_that_waits_shares_one_sync)
{
    auto const disk = disk_with_log();
    auto       bell = Bell{};
    auto       log = ThreadedLog::open(ForgetfulFiles{disk});
    log->set_wake(bell.rope());
    auto syncs = 0;
    disk->interfere([&](FileCall call, std::string_view) {
        syncs += call == FileCall::sync ? 1 : 0;
        return 0;
    });
    disk->hold_syncs();

    for (auto write = std::uint64_t{1}; write <= 100; ++write) {
        log->append(WriteNumber{write}, entries_of(Term{1}, Index{write}, 1));
        log->sync();
    }
    disk->release_syncs();
    bell.wait_until_durable(*log, WriteNumber{100});
    log->close();

    disk->interfere(nullptr);
    BOOST_TEST(syncs <= 6); // One that hung, one for the rest, and what the stop needs; not 100.
}

BOOST_AUTO_TEST_CASE(a_random_workload_on_two_threads_survives_a_power_loss, *label("case_63"))
{
    for (auto seed = std::uint64_t{1}; seed <= 10; ++seed) {
        auto const disk = disk_with_log();
        auto       workload = Workload{seed};
        for (auto run = 0; run < 3; ++run) {
            {
                auto log = ThreadedLog::open(ForgetfulFiles{disk}, small_options());
                BOOST_REQUIRE(log.has_value());
                auto const content = content_of(*log, *log->recover());
                BOOST_REQUIRE(content.has_value());
                BOOST_TEST(workload.allows(*content));
                workload.restart(*content);
                for (auto step = 0; step < 300; ++step) {
                    workload.step(*log);
                    (void)log->has_room(500);
                }
                workload.note(*log);
                disk->lose_power();
            }
            BOOST_TEST(check_recovery(disk->clone(), workload) == "");
        }
    }
}

/// The scrubber reads segments while the syncer writes, renames and writes over others.
BOOST_AUTO_TEST_CASE(a_log_that_scrubs_survives_a_power_loss_and_finds_no_damage_that_is_none, *label("case_65"))
{
    auto options = small_options();
    options.scrub_bytes_per_second = std::uint64_t{1} << 40U;
    options.scrub_pause = std::chrono::milliseconds{0};
    for (auto seed = std::uint64_t{1}; seed <= 10; ++seed) {
        auto const disk = disk_with_log();
        auto       workload = Workload{seed, {.truncate = 15, .configuration = 3, .truncated_max = 60}};
        for (auto run = 0; run < 3; ++run) {
            {
                auto log = ThreadedLog::open(ForgetfulFiles{disk}, options);
                BOOST_REQUIRE(log.has_value());
                auto const content = content_of(*log, *log->recover());
                BOOST_REQUIRE(content.has_value());
                BOOST_TEST(workload.allows(*content));
                workload.restart(*content);
                for (auto step = 0; step < 300; ++step) {
                    workload.step(*log);
                    (void)log->has_room(500);
                    (void)log->scrub_status();
                }
                workload.note(*log);
                auto const failure = log->failure();
                BOOST_TEST(not failure.has_value(), (failure ? failure->what : ""));
                if (run == 1)
                    log->close();
                disk->lose_power();
            }
            BOOST_TEST(check_recovery(disk->clone(), workload) == "");
        }
    }
}

/// No write of the log waits until one of a snapshot is done.
BOOST_AUTO_TEST_CASE(a_snapshot_is_written_on_a_thread_of_its_own, *label("case_94"))
{
    auto const disk = disk_with_log();
    auto       bell = Bell{};
    auto       log = ThreadedLog::open(ForgetfulFiles{disk}, small_options());
    log->set_wake(bell.rope());
    auto of_snapshots = std::set<std::thread::id>{};
    auto of_segments = std::set<std::thread::id>{};
    disk->interfere([&](FileCall call, std::string_view name) {
        if (call == FileCall::write or call == FileCall::sync)
            (name.starts_with("snapshot-") ? of_snapshots : of_segments).insert(std::this_thread::get_id());
        return 0;
    });
    auto const snapshot = snapshot_of({Term{1}, Index{20}}, {std::string(5000, 'r')});
    log->begin_snapshot();
    for (auto write = std::uint64_t{1}; write <= 20; ++write) {
        log->append(WriteNumber{write}, entries_of(Term{1}, Index{write}, 1));
        log->sync();
        auto const size = (snapshot.bytes.size() + 19) / 20;
        auto const begin = std::min(snapshot.bytes.size(), static_cast<std::size_t>(write - 1) * size);
        log->write_snapshot(std::span{snapshot.bytes}.subspan(begin, std::min(size, snapshot.bytes.size() - begin)));
    }
    log->finish_snapshot(snapshot.id);
    BOOST_TEST(not bell.wait_for_end(*log).failure.has_value());
    bell.wait_until_durable(*log, WriteNumber{20});
    log->close();

    disk->interfere(nullptr);
    BOOST_TEST(log->snapshots().size() == 1U);
    BOOST_TEST(of_snapshots.size() == 1U);
    BOOST_TEST(not of_segments.contains(*of_snapshots.begin()));
}

BOOST_AUTO_TEST_CASE(a_stop_loses_no_pending_write)
{
    auto const disk = disk_with_log();
    auto       workload = Workload{4};
    {
        auto log = ThreadedLog::open(ForgetfulFiles{disk}, small_options());
        for (auto step = 0; step < 200; ++step)
            workload.step(*log);
        log->close();
        workload.note(*log);
    }
    BOOST_TEST(workload.durable() == workload.writes());
    disk->lose_power();

    auto log = open_log(disk);
    BOOST_TEST(log->recover()->cleanly_stopped);
    BOOST_TEST((content_of(*log, *log->recover()) == workload.current()));
}

BOOST_AUTO_TEST_CASE(a_log_in_a_real_directory_is_read_by_the_next_start)
{
    auto const directory = TemporaryDirectory{};
    auto const path = directory.path() / "deep" / "log";
    auto       options = small_options();
    options.segment_bytes = std::uint64_t{1} << 17U;
    auto workload = Workload{21};
    {
        auto files = PosixFiles::make_directory(path);
        BOOST_REQUIRE(files.has_value());
        BOOST_TEST(PosixLog::create(*files, identity_of_first()).has_value());
    }
    for (auto const clean : {false, true, false}) {
        auto files = PosixFiles::open_directory(path);
        BOOST_REQUIRE(files.has_value());
        auto log = PosixLog::open(std::move(*files), options);
        BOOST_REQUIRE(log.has_value());
        auto const content = content_of(*log, *log->recover());
        BOOST_REQUIRE(content.has_value());
        BOOST_TEST(workload.allows(*content));
        workload.restart(*content);
        for (auto step = 0; step < 400; ++step)
            workload.step(*log, 3000);
        if (clean)
            log->close();
        BOOST_TEST(not log->failure().has_value());
    }

    auto log = PosixLog::open(std::move(*PosixFiles::open_directory(path)), options);

    auto const content = content_of(*log, *log->recover());
    BOOST_REQUIRE(content.has_value());
    BOOST_TEST(workload.allows(*content));
}

BOOST_AUTO_TEST_CASE(a_second_user_of_a_directory_is_refused)
{
    auto const directory = TemporaryDirectory{};
    auto       first = PosixFiles::open_directory(directory.path());
    BOOST_REQUIRE(first.has_value());

    auto const second = PosixFiles::open_directory(directory.path());

    BOOST_REQUIRE(not second.has_value());
    BOOST_TEST((second.error().failure == LogFailure::in_use));
}

BOOST_AUTO_TEST_CASE(a_path_that_is_no_directory_is_refused_with_the_reason)
{
    auto const directory = TemporaryDirectory{};
    BOOST_TEST((PosixFiles::open_directory(directory.path() / "none").error().failure == LogFailure::not_found));
    {
        auto files = PosixFiles::open_directory(directory.path());
        BOOST_TEST(files->create("file").has_value());
        BOOST_TEST((files->create("file").error().number == EEXIST));
    }
    auto const opened = PosixFiles::make_directory(directory.path() / "file");
    BOOST_REQUIRE(not opened.has_value());
    BOOST_TEST((opened.error().failure == LogFailure::unsupported));
    BOOST_TEST(opened.error().what.find("file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_gather_write_of_many_parts_is_read_back_as_it_was)
{
    auto const directory = TemporaryDirectory{};
    auto       files = PosixFiles::open_directory(directory.path());
    auto       file = files->create("file");
    BOOST_TEST(file->allocate(100000).has_value());
    BOOST_TEST(*file->size() == 100000U);
    auto const payload = payload_for(Index{1}, Term{1}, 3000);
    auto       parts = std::vector<std::span<std::byte const>>{};
    for (auto at = std::size_t{0}; at < 3000; at += 3) {
        parts.push_back(std::span{payload}.subspan(at, 2));
        parts.push_back({});
        parts.push_back(std::span{payload}.subspan(at + 2, 1));
    }

    BOOST_TEST(file->write(500, parts).has_value());

    auto bytes = std::vector<std::byte>(3001);
    BOOST_TEST(*file->read(500, bytes) == 3001U);
    BOOST_TEST((bytes.back() == std::byte{0}));
    bytes.pop_back();
    BOOST_TEST((bytes == payload));
    BOOST_TEST(*file->read(99990, bytes) == 10U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_threads_tests
