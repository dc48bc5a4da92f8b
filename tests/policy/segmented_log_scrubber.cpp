// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log/watched_files.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace totora::test::segmented_log_scrubber_tests
{

// Sealed segments that nobody reads are read in the background, and damage in them fails the log.

using boost::unit_test::label;
using namespace std::chrono_literals;

namespace
{

SegmentedLogOptions scrubbing(std::uint64_t bytes_per_second = std::uint64_t{1} << 30U)
{
    auto options = small_options();
    options.scrub_bytes_per_second = bytes_per_second;
    options.scrub_pause = 1ms;
    return options;
}

/// Waits for what other threads do. The limit is for a log that never does it.
bool eventually(std::function<bool()> const& holds)
{
    auto const until = std::chrono::steady_clock::now() + 30s;
    while (not holds()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        std::this_thread::yield();
    }
    return true;
}

void append_batches(TestLog& log, std::uint64_t count)
{
    auto const first = log.last().index.value;
    for (auto write = std::uint64_t{1}; write <= count; ++write) {
        log.append(WriteNumber{write}, entries_of(Term{1}, Index{first + write}, 1, 200));
        log.sync();
    }
}

/// A disk with a log in several segments, stopped.
Disk disk_with_segments()
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk);
    append_batches(*log, 60);
    log->close();
    return disk;
}

void flip(Disk const& disk, std::string const& name, std::size_t at)
{
    auto bytes = disk->content(name);
    bytes.at(at) ^= std::byte{2};
    disk->set_content(name, bytes);
}

/// Lets a log on another disk scrub all it has three times: as long as a scrubber needs that is not to read.
bool another_log_scrubs()
{
    auto const log = open_log(disk_with_segments(), scrubbing());
    return eventually([&] { return log->scrub_status()->passes >= 3; });
}

/// Where the first record of the first segment is: after the seal of the start, an entry.
constexpr auto in_first_entry = std::size_t{header_size_for(0) + 2 * record_head_size + 50};

/// Counts the reads of one file.
class Gate
{
public:
    Gate(Disk disk, std::string name) : disk_(std::move(disk)), name_(std::move(name))
    {
        disk_->interfere([this](FileCall call, std::string_view file) {
            if (call == FileCall::read and file == name_)
                ++reads_;
            return 0;
        });
    }

    ~Gate() { disk_->interfere(nullptr); }

    [[nodiscard]] int reads() const { return reads_; }

private:
    Disk             disk_;
    std::string      name_;
    std::atomic<int> reads_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_scrubber)

BOOST_AUTO_TEST_CASE(a_log_scrubs_only_if_it_is_told_to)
{
    auto const disk = disk_with_segments();
    auto       log = open_log(disk);
    auto const calls = disk->calls();

    BOOST_TEST(another_log_scrubs());
    BOOST_TEST(not log->scrub_status().has_value());
    BOOST_TEST(disk->calls() == calls);
}

BOOST_AUTO_TEST_CASE(all_sealed_segments_are_read_again_and_again)
{
    auto const disk = disk_with_segments();
    auto const copy = disk->clone();
    auto const gate_of_start = Gate{copy, segment_name(1)};
    (void)open_log(copy); // The scrubber may have begun before an opening ends.
    auto const gate = Gate{disk, segment_name(1)};
    auto       log = open_log(disk, scrubbing());

    BOOST_TEST(eventually([&] { return log->scrub_status()->passes >= 3; }));

    BOOST_TEST(gate.reads() >= gate_of_start.reads() + 3);
    BOOST_TEST(log->scrub_status()->bytes_total > 60 * 240U);
    BOOST_TEST(not log->failure().has_value());
    log->close();
}

/// The log goes on, and lists it no more: another is taken, and received ones begin again.
BOOST_AUTO_TEST_CASE(a_damaged_snapshot_is_reported_and_not_listed_any_more, *label("case_65"))
{
    auto const disk = disk_with_segments();
    auto const snapshot = snapshot_of({Term{1}, Index{3}}, {"reed", "rush"});
    auto const take = [&](auto& log) {
        log.begin_snapshot();
        log.write_snapshot(snapshot.bytes);
        log.finish_snapshot(snapshot.id);
        return log.snapshot_end();
    };
    for (auto const while_it_runs : {false, true}) {
        auto log = open_log(disk, scrubbing());
        BOOST_REQUIRE(log.has_value());
        BOOST_TEST(not take(*log)->failure.has_value());
        auto const passes = log->scrub_status()->passes;
        BOOST_TEST(eventually([&] { return log->scrub_status()->passes > passes + 1; }));
        BOOST_TEST(not log->snapshot_end().has_value());
        auto name = std::string{};
        for (auto const& one : disk->file_names())
            if (one.starts_with("snapshot-"))
                name = one;
        if (not while_it_runs)
            log.value().close();
        flip(disk, name, snapshot_file_header_size + snapshot.bytes.size() - 6); // Of the machine's part.
        auto again = while_it_runs ? std::move(log) : open_log(disk, scrubbing());
        auto end = std::optional<SnapshotEnd>{};

        BOOST_TEST(eventually([&] { return (end = again->snapshot_end()).has_value(); }));

        BOOST_REQUIRE(end.has_value());
        BOOST_TEST((end->id == snapshot.id));
        BOOST_REQUIRE(end->failure.has_value());
        BOOST_TEST((end->failure->failure == LogFailure::damaged));
        BOOST_TEST(again->snapshots().empty());
        BOOST_TEST(not again->failure().has_value());
        BOOST_TEST(disk->content(name).size() > 0U);
        BOOST_TEST(not take(*again)->failure.has_value());
        BOOST_TEST(again->snapshots().size() == 1U);
        again->remove_snapshot(snapshot.id);
        auto files = ForgetfulFiles{disk};
        BOOST_TEST(files.remove(name).has_value());
    }
}

BOOST_AUTO_TEST_CASE(damage_that_nobody_reads_is_found_and_fails_the_log, *label("case_65"))
{
    for (auto const while_it_runs : {false, true}) {
        auto const disk = disk_with_segments();
        if (not while_it_runs)
            flip(disk, segment_name(1), in_first_entry);
        auto log = open_log(disk, scrubbing());
        BOOST_REQUIRE(log.has_value());
        auto woken = std::atomic<int>{0};
        log->set_wake([&] { ++woken; });
        if (while_it_runs)
            flip(disk, segment_name(1), in_first_entry);

        BOOST_TEST(eventually([&] { return log->failure().has_value(); }));

        BOOST_TEST((log->failure()->failure == LogFailure::damaged));
        auto const what = log->failure()->what;
        BOOST_TEST(what.find(segment_name(1)) != std::string::npos, what);
        BOOST_TEST((not while_it_runs or eventually([&] { return woken > 0; })));
        log->save_vote(WriteNumber{1}, Term{7}, ServerId{2});
        log->sync();
        BOOST_TEST(log->durable().through().value == 0U);
        log->close();
    }
}

/// Every byte of header and records is checked; what follows is not part of the log.
BOOST_AUTO_TEST_CASE(any_damaged_byte_of_a_sealed_segment_is_found, *label("case_65"))
{
    auto const disk = disk_with_segments();
    auto       files = ForgetfulFiles{disk};
    auto const segments = LogRecovery<ForgetfulFiles>{files}.run()->segments;
    BOOST_REQUIRE(segments.size() > 3U);
    for (auto const& segment : {segments[0], segments[2]})
        for (auto at = std::size_t{0}; at < segment.length; ++at) {
            auto const name = segment_name(segment.generation);
            auto const copy = disk->clone();
            flip(copy, name, at);
            auto       on_copy = ForgetfulFiles{copy};
            auto       source = open_window(on_copy, segment.generation, segment_size_end);
            auto const checked = check_sealed(*source, identity_of_first(), segment.generation, segment.length);
            BOOST_TEST(not checked.has_value(), name << ", byte " << at);
        }
}

BOOST_AUTO_TEST_CASE(a_sealed_segment_that_is_missing_or_cannot_be_read_fails_the_log, *label("case_65"))
{
    for (auto const missing : {true, false}) {
        auto const disk = disk_with_segments();
        auto       log = open_log(disk, scrubbing());
        BOOST_TEST(eventually([&] { return log->scrub_status()->passes > 0; }));
        if (missing)
            disk->drop_file(segment_name(1));
        else
            disk->interfere([](FileCall call, std::string_view) { return call == FileCall::read ? EIO : 0; });

        BOOST_TEST(eventually([&] { return log->failure().has_value(); }));

        BOOST_TEST((log->failure()->failure == LogFailure::read_failed));
        disk->interfere(nullptr);
        log->close();
    }
}

BOOST_AUTO_TEST_CASE(without_descriptors_or_memory_it_is_tried_again)
{
    auto const disk = disk_with_segments();
    auto       log = open_log(disk, scrubbing());
    auto       refused = std::atomic<int>{0};
    disk->interfere([&](FileCall call, std::string_view) { return call == FileCall::open ? (++refused, EMFILE) : 0; });
    BOOST_TEST(eventually([&] { return refused > 20; }));
    disk->interfere(nullptr);
    auto const passes = log->scrub_status()->passes;

    BOOST_TEST(eventually([&] { return log->scrub_status()->passes > passes; }));

    BOOST_TEST(not log->failure().has_value());
    log->close();
}

/// Damage is read in a segment. Whether the log has given it back meanwhile decides.
BOOST_AUTO_TEST_CASE(what_is_found_in_a_segment_that_was_given_back_does_not_count, *label("case_65"))
{
    for (auto const given_back : {true, false}) {
        auto const disk = disk_with_segments();
        auto       is_armed = std::atomic<bool>{false};
        auto       was_read = std::promise<void>{};
        auto       may_go_on = std::promise<void>{};
        auto const watch = [&](std::string_view name, std::span<std::byte> bytes) {
            if (name != segment_name(1) or not is_armed.exchange(false))
                return;
            bytes[in_first_entry] ^= std::byte{1};
            was_read.set_value();
            may_go_on.get_future().wait();
        };
        using Log = SegmentedLog<WatchedFiles, InlineSyncer>;
        auto log = Log::open(WatchedFiles{ForgetfulFiles{disk}, watch}, scrubbing());
        BOOST_REQUIRE(log.has_value());
        is_armed = true;
        was_read.get_future().wait();
        auto const passes = log->scrub_status()->passes;

        if (given_back) {
            log->truncate(WriteNumber{1}, Index{1});
            log->append(WriteNumber{2}, entries_of(Term{2}, Index{1}, 60, 200));
            log->sync();
        }
        may_go_on.set_value();

        BOOST_TEST(eventually([&] { return log->failure() or log->scrub_status()->passes > passes + 1; }));
        BOOST_TEST(log->failure().has_value() == not given_back);
        log->close();
    }
}

BOOST_AUTO_TEST_CASE(segments_are_given_back_and_written_over_while_others_are_read)
{
    for (auto round = 0; round < 10; ++round) {
        auto const disk = disk_with_log();
        auto       log = open_log(disk, scrubbing());
        auto       write = std::uint64_t{0};
        log->append(WriteNumber{++write}, entries_of(Term{1}, Index{1}, 2));
        for (auto term = std::uint64_t{2}; term < 60; ++term) {
            log->append(WriteNumber{++write}, entries_of(Term{term}, Index{3}, 60, 100));
            log->sync();
            (void)log->durable();
            log->truncate(WriteNumber{++write}, Index{3});
            log->sync();
        }
        auto const failure = log->failure();
        BOOST_TEST(not failure.has_value(), (failure ? failure->what : ""));
        log->close();
    }
}

/// At a slow rate a pass takes time, and a close does not wait for it.
BOOST_AUTO_TEST_CASE(no_more_is_read_in_a_second_than_was_allowed)
{
    auto const disk = disk_with_segments();
    auto const gate = Gate{disk, segment_name(1)};
    auto       log = open_log(disk, scrubbing(1));
    auto const opened = gate.reads();

    BOOST_TEST(eventually([&] { return gate.reads() > opened; }));
    BOOST_TEST(another_log_scrubs());
    BOOST_TEST(gate.reads() == opened + 1); // The next byte is due in more than an hour.
    BOOST_TEST(log->scrub_status()->passes == 0U);
    log->close();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_scrubber_tests
