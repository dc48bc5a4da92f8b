// SPDX-License-Identifier: BSL-1.0
// Entries that are no longer in memory are read on a thread of its own: the node never waits for a disk that reads slowly.
#include "totora/log/segmented_log.hpp"

#include "support/log/watched_files.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_cold_reads_tests
{
namespace
{

using boost::unit_test::label;
using Log = SegmentedLog<WatchedFiles, ThreadSyncer>;

/// A disk whose reads wait while it is closed, and what it reports of them.
class Gate
{
public:
    void pass(std::span<std::byte> bytes)
    {
        auto lock = std::unique_lock{mutex_};
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return is_open_; });
        --waiting_;
        if (damages_)
            for (auto& byte : bytes)
                byte ^= std::byte{1};
    }

    void close() { set(false); }
    void open() { set(true); }
    void damage() { damages_ = true; }

    void wait_for_reader()
    {
        auto lock = std::unique_lock{mutex_};
        changed_.wait(lock, [&] { return waiting_ > 0; });
    }

private:
    void set(bool open)
    {
        auto const lock = std::lock_guard{mutex_};
        is_open_ = open;
        changed_.notify_all();
    }

    std::mutex              mutex_;
    std::condition_variable changed_;
    bool                    is_open_ = true;
    bool                    damages_ = false;
    int                     waiting_ = 0;
};

/// A log with forty entries of which none is in memory.
struct ColdLog
{
    ColdLog()
    {
        {
            auto before = open_log(disk);
            for (auto write = std::uint64_t{1}; write <= 40; ++write) {
                before->append(WriteNumber{write}, entries_of(Term{1}, Index{write}, 1));
                before->sync();
            }
            before->close();
        }
        auto files = WatchedFiles{ForgetfulFiles{disk},
                                  [this](std::string_view, std::span<std::byte> bytes) { gate.pass(bytes); }};
        auto options = small_options();
        options.cold_bytes = 4096;
        auto opened = Log::open(std::move(files), options);
        BOOST_REQUIRE(opened.has_value());
        log.emplace(std::move(*opened));
        log->set_wake([this] {
            auto const lock = std::lock_guard{mutex};
            ++wakes;
            woken.notify_all();
        });
    }

    /// What the log gives, after as many wake-ups as that takes.
    [[nodiscard]] Result<Entries, LogError> await(Index from, Index up_to)
    {
        while (true) {
            auto       lock = std::unique_lock{mutex};
            auto const seen = wakes;
            lock.unlock();
            auto entries = log->read(from, up_to, 100'000);
            if (entries or entries.error().failure != LogFailure::not_now)
                return entries;
            lock.lock();
            woken.wait(lock, [&] { return wakes != seen; });
        }
    }

    void await_durable(WriteNumber write)
    {
        auto lock = std::unique_lock{mutex};
        while (log->durable().through() < write)
            woken.wait_for(lock, std::chrono::milliseconds{1});
    }

    Gate                    gate;
    Disk                    disk = disk_with_log();
    std::mutex              mutex;
    std::condition_variable woken;
    int                     wakes = 0;
    std::optional<Log>      log;
};

[[nodiscard]] bool is_not_now(Result<Entries, LogError> const& entries)
{
    return not entries and entries.error().failure == LogFailure::not_now;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_cold_reads)

BOOST_AUTO_TEST_CASE(a_disk_that_reads_slowly_does_not_hang_the_node, *label("case_94"))
{
    auto cold = ColdLog{};
    cold.gate.close();

    BOOST_TEST(is_not_now(cold.log->read(Index{1}, Index{10}, 100'000)));
    cold.gate.wait_for_reader();
    BOOST_TEST(is_not_now(cold.log->read(Index{1}, Index{10}, 100'000)));
    BOOST_TEST(not cold.log->failure().has_value());
    cold.log->append(WriteNumber{41}, entries_of(Term{1}, Index{41}, 1));
    cold.log->sync();
    BOOST_TEST(cold.log->read(Index{41}, Index{41}, 100'000)->count() == 1U); // What is in memory is at hand.

    cold.gate.open();
    auto const entries = cold.await(Index{1}, Index{10});
    BOOST_REQUIRE(entries.has_value());
    BOOST_TEST((*entries->begin()).index.value == 1U);
    BOOST_TEST(terms_in(*entries) == std::vector<std::uint64_t>(entries->count(), 1), boost::test_tools::per_element());
    cold.log->close();
}

BOOST_AUTO_TEST_CASE(all_entries_are_read_in_order_whatever_blocks_they_come_in)
{
    auto cold = ColdLog{};
    cold.log->append(WriteNumber{41}, entries_of(Term{1}, Index{41}, 3));
    cold.log->sync();
    for (auto from = Index{1}; from <= Index{43};) {
        auto const entries = cold.await(from, Index{43});
        BOOST_REQUIRE(entries.has_value());
        BOOST_REQUIRE(not entries->empty());
        for (auto const& entry : *entries) {
            BOOST_REQUIRE(entry.index == from);
            BOOST_REQUIRE(is_intact(entry));
            from = next(from);
        }
    }
    cold.log->close();
}

/// A block that reached further would hold what was in the file before these entries were written.
BOOST_AUTO_TEST_CASE(a_block_ends_before_what_may_not_be_written_yet)
{
    auto       cold = ColdLog{};
    auto       last = Index{40};
    auto const append_one = [&] {
        last = next(last);
        cold.log->append(WriteNumber{last.value}, entries_of(Term{1}, last, 1));
    };
    auto const append_until_cold = [&](Index index) {
        while (cold.log->cold_bytes(index, index) == 0) {
            append_one();
            cold.log->sync();
            cold.await_durable(WriteNumber{last.value});
        }
    };
    append_until_cold(Index{41});
    append_one(); // It is in the index, and in no file.
    auto const unwritten = last;

    BOOST_REQUIRE(cold.await(Index{41}, Index{41}).has_value());
    append_until_cold(unwritten);
    auto const entries = cold.await(unwritten, unwritten);

    BOOST_REQUIRE(entries.has_value());
    BOOST_TEST(entries->count() == 1U);
    cold.log->close();
}

/// What was read of them is of no use to anybody: others have taken their place.
BOOST_AUTO_TEST_CASE(entries_that_were_replaced_while_they_were_read_are_not_given, *label("5.3"))
{
    auto cold = ColdLog{};
    cold.gate.close();
    BOOST_TEST(is_not_now(cold.log->read(Index{35}, Index{40}, 100'000)));
    cold.gate.wait_for_reader();

    cold.log->truncate(WriteNumber{41}, Index{36});
    cold.log->append(WriteNumber{42}, entries_of(Term{2}, Index{36}, 2));
    cold.log->sync();
    cold.gate.open();

    auto terms = std::vector<std::uint64_t>{};
    for (auto from = Index{35}; from <= Index{37};) {
        auto const entries = cold.await(from, Index{37});
        BOOST_REQUIRE(entries.has_value());
        for (auto const term : terms_in(*entries))
            terms.push_back(term);
        from = from + entries->count();
    }
    BOOST_TEST(terms == (std::vector<std::uint64_t>{1, 2, 2}), boost::test_tools::per_element());
    cold.log->close();
}

BOOST_AUTO_TEST_CASE(damage_fails_the_log_when_it_is_read, *label("case_65"))
{
    auto cold = ColdLog{};
    cold.gate.damage();

    auto const entries = cold.await(Index{1}, Index{10});

    BOOST_REQUIRE(not entries.has_value());
    BOOST_TEST((entries.error().failure == LogFailure::damaged));
    BOOST_TEST(cold.log->failure().has_value());
}

BOOST_AUTO_TEST_CASE(a_read_that_fails_fails_the_log_and_one_without_a_descriptor_is_tried_again)
{
    auto cold = ColdLog{};
    auto fails = true;
    cold.disk->interfere(
        [&](FileCall call, std::string_view) { return fails and call == FileCall::open ? EMFILE : 0; });
    BOOST_TEST(is_not_now(cold.log->read(Index{1}, Index{1}, 1000)));
    cold.log->close(); // The thread has ended, so that what it did can be changed.
    fails = false;

    auto again = ColdLog{};
    again.disk->interfere([&](FileCall call, std::string_view) { return call == FileCall::open ? EIO : 0; });
    auto const entries = again.await(Index{1}, Index{1});
    BOOST_REQUIRE(not entries.has_value());
    BOOST_TEST((entries.error().failure == LogFailure::read_failed));
    BOOST_TEST(again.log->failure().has_value());
}

BOOST_AUTO_TEST_CASE(a_log_is_closed_while_entries_are_asked_for)
{
    auto cold = ColdLog{};
    for (auto index = std::uint64_t{1}; index <= 40; ++index)
        static_cast<void>(cold.log->read(Index{index}, Index{index}, 1000));
    cold.log->close();
    BOOST_TEST(not cold.log->failure().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_cold_reads_tests
