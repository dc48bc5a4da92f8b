// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace totora::test::segmented_log_faults_tests
{

using boost::unit_test::label;

namespace
{

/// Runs a workload whose k-th call, counted from the start, fails once. Returns whether there was such a call.
bool fail_once(std::uint64_t seed, std::uint64_t failing, int number)
{
    auto const where = "seed " + std::to_string(seed) + ", call " + std::to_string(failing);
    auto const disk = disk_with_log();
    auto       workload = Workload{seed};
    auto       calls = std::uint64_t{0};
    auto       failed = std::optional<FileCall>{};
    disk->interfere([&](FileCall call, std::string_view) {
        if (++calls != failing)
            return 0;
        failed = call;
        return number;
    });
    for (auto run = 0; run < 2; ++run) {
        auto log = open_log(disk);
        if (not log)
            continue;
        auto const content = content_of(*log, *log->recover());
        if (not content)
            continue;
        BOOST_TEST(workload.allows(*content), where);
        workload.restart(*content);
        for (auto step = 0; step < 40; ++step) {
            auto const durable = log->durable().through();
            auto const failure = log->failure();
            workload.step(*log);
            if (failure) { // Permanently.
                BOOST_TEST((log->failure()->what == failure->what), where);
                BOOST_TEST((log->durable().through() == durable), where);
            }
        }
        if (run == 0)
            log->close();
    }
    disk->interfere(nullptr);

    // A process that is started again finds the page cache; a server that is, only what was synced.
    auto const powerless = disk->clone();
    powerless->lose_power();
    BOOST_TEST(check_recovery(powerless, workload) == "",
               where + ", power loss: " + check_recovery(powerless, workload));
    BOOST_TEST(check_recovery(disk, workload) == "", where + ", restart: " + check_recovery(disk, workload));
    return failed.has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_faults)

BOOST_AUTO_TEST_CASE(a_failure_of_any_call_loses_nothing_that_was_reported_durable,
                     *label("case_66") * label("case_71"))
{
    for (auto seed = std::uint64_t{1}; seed <= 5; ++seed)
        for (auto failing = std::uint64_t{1}; fail_once(seed, failing, EIO); ++failing)
            BOOST_REQUIRE(failing < 2000U);
}

BOOST_AUTO_TEST_CASE(a_lack_of_space_in_any_call_leaves_no_half_record_before_later_ones, *label("case_67"))
{
    for (auto seed = std::uint64_t{6}; seed <= 10; ++seed)
        for (auto failing = std::uint64_t{1}; fail_once(seed, failing, ENOSPC); ++failing)
            BOOST_REQUIRE(failing < 2000U);
}

BOOST_AUTO_TEST_CASE(a_disk_that_fills_up_at_any_size_never_breaks_the_log, *label("case_67"))
{
    for (auto space = std::uint64_t{0}; space <= 40000; space += 331) {
        auto const disk = disk_with_log();
        auto       workload = Workload{space};
        disk->limit_space(space);
        {
            auto log = open_log(disk);
            if (not log) {
                BOOST_TEST((log.error().failure == LogFailure::no_space));
                continue;
            }
            for (auto step = 0; step < 60; ++step)
                if (log->has_room(1500))
                    workload.step(*log);
            log->sync();
            workload.note(*log);
            auto const failure = log->failure().value_or(LogError{});
            BOOST_TEST(failure.what == "", "space " << space << ": " << failure.what);
            BOOST_TEST(workload.durable() == workload.writes());
        }
        disk->lose_power();
        disk->limit_space(1000000);
        auto const problem = check_recovery(disk, workload);
        BOOST_TEST(problem == "", "space " << space << ": " << problem);
    }
}

/// What is written to the files that are open would be lost with them.
BOOST_AUTO_TEST_CASE(a_log_whose_directory_was_removed_reports_a_failure, *label("case_71"))
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    auto       woken = 0;
    log->set_wake([&] { ++woken; });
    disk->interfere([](FileCall call, std::string_view) { return call == FileCall::create ? ENOENT : 0; });

    BOOST_TEST(not log->has_room(3000));
    BOOST_TEST(not log->has_room(3000));

    BOOST_REQUIRE(log->failure().has_value());
    BOOST_TEST((log->failure()->failure == LogFailure::write_failed));
    BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_CASE(a_log_without_a_descriptor_for_reading_has_not_failed)
{
    auto const disk = disk_with_log();
    {
        auto log = open_log(disk);
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
        log->close();
    }
    auto log = open_log(disk);
    for (auto const error : {EMFILE, ENFILE, ENOMEM}) {
        disk->interfere([&](FileCall call, std::string_view) { return call == FileCall::open ? error : 0; });
        auto const entries = log->read(Index{1}, Index{3}, 1000);
        BOOST_REQUIRE(not entries.has_value());
        BOOST_TEST((entries.error().failure == LogFailure::not_now));
        BOOST_TEST(not log->failure().has_value());
    }
    disk->interfere(nullptr);
    BOOST_TEST(log->read(Index{1}, Index{3}, 1000)->count() == 3U);
}

/// The syncer calls this on a separate thread, where an exception has no handler.
BOOST_AUTO_TEST_CASE(lack_of_memory_for_a_write_fails_the_log_and_nothing_else)
{
    for (auto const failing : {FileCall::write, FileCall::sync}) {
        auto const disk = disk_with_log();
        auto       log = open_log(disk);
        auto       woken = 0;
        log->set_wake([&] { ++woken; });
        disk->interfere([&](FileCall call, std::string_view) {
            if (call == failing)
                throw std::bad_alloc{};
            return 0;
        });
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
        BOOST_CHECK_NO_THROW(log->sync());
        disk->interfere(nullptr);

        BOOST_REQUIRE(log->failure().has_value());
        BOOST_TEST(log->failure()->what.starts_with("the thread of the log threw: "));
        BOOST_TEST(log->durable().through().value == 0U);
        BOOST_TEST(woken > 0);
    }
}

BOOST_AUTO_TEST_CASE(lack_of_memory_for_the_next_segment_is_transient)
{
    for (auto const failing : {FileCall::create, FileCall::allocate, FileCall::sync}) {
        auto const disk = disk_with_log();
        auto       options = small_options();
        options.retry_after = std::chrono::milliseconds{0};
        auto log = open_log(disk, options);
        auto failed = 0;
        disk->interfere([&](FileCall call, std::string_view) {
            if (call == failing) {
                ++failed;
                throw std::bad_alloc{};
            }
            return 0;
        });
        BOOST_CHECK_NO_THROW(BOOST_TEST(not log->has_room(3 * options.segment_bytes)));
        BOOST_TEST(failed == 1);
        disk->interfere(nullptr);

        BOOST_TEST(not log->failure().has_value());
        BOOST_TEST(log->has_room(3 * options.segment_bytes));
    }
}

BOOST_AUTO_TEST_CASE(a_failed_start_can_be_repeated)
{
    auto const whole = disk_with_log();
    auto       workload = Workload{3};
    {
        auto log = open_log(whole);
        for (auto step = 0; step < 60; ++step)
            workload.step(*log);
    }
    auto fails = true;
    for (auto failing = std::uint64_t{1}; fails; ++failing) {
        auto const disk = whole->clone();
        auto       calls = std::uint64_t{0};
        disk->interfere([&](FileCall, std::string_view) { return ++calls == failing ? EIO : 0; });
        auto const start = open_log(disk);
        fails = calls >= failing;
        disk->interfere(nullptr);
        if (not fails)
            break;
        auto const problem = check_recovery(disk, workload);
        BOOST_TEST(problem == "", "call " << failing << ": " << problem);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_faults_tests
