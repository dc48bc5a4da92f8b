// SPDX-License-Identifier: BSL-1.0
// A snapshot that is received goes on after a restart, from where its bytes are known to be durable and are as they were recorded.
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace totora::test::segmented_log_receptions_tests
{
namespace
{

using boost::unit_test::label;

/// A log that syncs snapshots every 32 bytes, and has received 100 bytes of one in chunks of 20.
struct Receiving
{
    Receiving()
    {
        options.snapshot_sync_bytes = 32;
        open();
        log->append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 4));
        log->sync();
        store(0, 100);
    }

    void open()
    {
        log.reset();
        auto opened = open_log(disk, options);
        BOOST_REQUIRE(opened.has_value());
        log.emplace(*std::move(opened));
    }

    /// The process ends, and nothing is left that was not synced.
    void lose_power()
    {
        log.reset();
        disk->lose_power({.keeps = [](auto, auto) { return false; }, .names_kept = 0});
        open();
    }

    void store(std::uint64_t from, std::uint64_t up_to)
    {
        for (auto offset = from; offset < up_to; offset += 20)
            log->store_chunk(snapshot.id, offset,
                             std::span{snapshot.bytes}.subspan(offset, std::min<std::uint64_t>(20, up_to - offset)));
    }

    /// How many bytes of the snapshot are there.
    [[nodiscard]] std::uint64_t received() const
    {
        auto const reception = log->reception();
        BOOST_TEST((reception == SnapshotReception{} or reception.snapshot == snapshot.id));
        return reception.received;
    }

    /// What is needed is received; whether it makes a whole snapshot.
    [[nodiscard]] bool finish()
    {
        store(received(), snapshot.id.bytes);
        log->finish_chunks(snapshot.id);
        auto const end = log->snapshot_end();
        BOOST_REQUIRE(end.has_value());
        return not end->failure and log->snapshots().size() == 1 and log->snapshots()[0].is_received;
    }

    void change(std::string const& name, std::size_t at)
    {
        log.reset();
        auto content = disk->content(name);
        content[at] ^= std::byte{1};
        disk->set_content(name, content);
    }

    SnapshotBytes          snapshot = snapshot_of({Term{3}, Index{9}}, {"reed", "rush", "sedge", "cane"});
    Disk                   disk = disk_with_log();
    SegmentedLogOptions    options = small_options();
    std::optional<TestLog> log;
};

[[nodiscard]] bool is_there(Disk const& disk, std::string const& name)
{
    for (auto const& one : disk->file_names())
        if (one == name)
            return true;
    return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_receptions)

BOOST_AUTO_TEST_CASE(a_reception_goes_on_after_a_process_was_killed, *label("case_29"))
{
    auto one = Receiving{};
    one.open();

    BOOST_TEST(one.received() == 80U); // A sync after every second chunk.
    BOOST_TEST(one.log->snapshots().empty());
    BOOST_TEST(one.finish());
}

BOOST_AUTO_TEST_CASE(a_reception_goes_on_after_a_loss_of_power, *label("case_29"))
{
    auto one = Receiving{};
    for (auto losses = 0; losses < 3; ++losses) {
        one.lose_power();
        BOOST_TEST(one.received() == 40U); // The record of 80 bytes would be durable with the next sync.
    }
    one.store(40, 120);
    one.lose_power();

    BOOST_TEST(one.received() == 80U);
    BOOST_TEST(one.finish());
    one.lose_power();
    BOOST_TEST(one.log->snapshots().size() == 1U);
    BOOST_TEST((one.log->reception() == SnapshotReception{}));
}

BOOST_AUTO_TEST_CASE(what_is_not_as_it_was_recorded_is_received_again, *label("case_29") * label("case_65"))
{
    auto const name = unfinished_snapshot_name(1);
    for (auto const at : {std::size_t{5}, std::size_t{70}, reception_record_begin, reception_record_begin + 9,
                          reception_record_begin + 13, snapshot_file_header_size, snapshot_file_header_size + 79}) {
        auto one = Receiving{};
        one.change(name, at);
        one.open();
        BOOST_TEST(one.received() == 0U);
        BOOST_TEST(not is_there(one.disk, name));
        BOOST_TEST(one.finish());
    }
    auto beyond = Receiving{};
    beyond.change(name, snapshot_file_header_size + 80);
    beyond.open();
    BOOST_TEST(beyond.received() == 80U);
    BOOST_TEST(beyond.finish());
}

BOOST_AUTO_TEST_CASE(what_ends_before_its_record_does_is_received_again, *label("case_29"))
{
    auto one = Receiving{};
    one.log.reset();
    auto file = ForgetfulFiles{one.disk}.open(unfinished_snapshot_name(1));
    BOOST_REQUIRE(file.has_value());
    BOOST_REQUIRE(file->truncate(snapshot_file_header_size + 79).has_value());
    one.open();

    BOOST_TEST(one.received() == 0U);
    BOOST_TEST(one.finish());
}

/// Nor is anything else removed before it was read.
BOOST_AUTO_TEST_CASE(a_reception_that_cannot_be_read_now_stays, *label("case_29") * label("case_65"))
{
    for (auto const number : {EMFILE, ENFILE, ENOMEM, EACCES, EIO})
        for (auto const nth : {0, 1, 2}) { // Opened, its header, its bytes.
            auto one = Receiving{};
            one.log->begin_snapshot(); // A later file, of the server's own.
            one.log->write_snapshot(one.snapshot.bytes);
            one.log.reset();
            auto const names = one.disk->file_names();
            auto       left = nth;
            one.disk->interfere([&](FileCall call, std::string_view name) {
                auto const concerns =
                    name == unfinished_snapshot_name(1) and (call == FileCall::open or call == FileCall::read);
                return concerns and left-- == 0 ? number : 0;
            });

            auto const refused = open_log(one.disk, one.options);

            BOOST_REQUIRE(not refused.has_value());
            BOOST_TEST((refused.error().failure == LogFailure::read_failed));
            auto const& what = refused.error().what;
            BOOST_TEST(what.find(unfinished_snapshot_name(1)) != std::string::npos, what);
            BOOST_TEST(what.find(remedy(number)) != std::string::npos, what);
            BOOST_TEST(one.disk->file_names() == names, boost::test_tools::per_element());
            one.disk->interfere(nullptr);
            one.open();
            BOOST_TEST(one.received() == 80U);
            BOOST_TEST(one.finish());
        }
}

BOOST_AUTO_TEST_CASE(a_reception_without_room_ends_at_once_and_once, *label("case_67") * label("case_90"))
{
    for (auto const failing : {FileCall::write, FileCall::sync}) {
        auto one = Receiving{};
        one.disk->interfere([&](FileCall call, std::string_view name) {
            return call == failing and name == unfinished_snapshot_name(1) ? ENOSPC : 0;
        });
        one.store(100, 140);

        auto const end = one.log->snapshot_end();
        BOOST_REQUIRE((end and end->failure));
        BOOST_TEST((end->id == one.snapshot.id));
        BOOST_TEST(end->is_received);
        BOOST_TEST((end->failure->failure == LogFailure::no_space));
        BOOST_TEST(not is_there(one.disk, unfinished_snapshot_name(1)));
        one.store(140, one.snapshot.id.bytes); // Under way already.
        one.log->finish_chunks(one.snapshot.id);
        BOOST_TEST(not one.log->snapshot_end().has_value());

        one.disk->interfere(nullptr);
        one.store(0, one.snapshot.id.bytes);
        one.log->finish_chunks(one.snapshot.id);
        auto const again = one.log->snapshot_end();
        BOOST_REQUIRE(again.has_value());
        BOOST_TEST(not again->failure.has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_reception_that_is_of_no_use_is_removed, *label("case_107"))
{
    auto const name = unfinished_snapshot_name(1);
    auto       dropped = Receiving{};
    dropped.log->drop_chunks();
    dropped.lose_power();
    BOOST_TEST(not is_there(dropped.disk, name));

    auto       installed = Receiving{}; // The log begins after a later one.
    auto const later = snapshot_of({Term{3}, Index{10}}, {"sedge"});
    installed.log->begin_snapshot();
    installed.log->write_snapshot(later.bytes);
    installed.log->finish_snapshot(later.id);
    BOOST_REQUIRE(not installed.log->snapshot_end()->failure.has_value());
    installed.log->install(WriteNumber{2}, later.id, {cluster(3), cluster(3)}, {});
    installed.log->sync();
    installed.open();
    BOOST_TEST((installed.log->reception() == SnapshotReception{}));
    BOOST_TEST(not is_there(installed.disk, name));
}

BOOST_AUTO_TEST_CASE(another_snapshot_takes_the_place_of_what_a_process_had_received, *label("case_106"))
{
    auto       one = Receiving{};
    auto const other = snapshot_of({Term{3}, Index{10}}, {"sedge"});
    one.open();
    one.log->store_chunk(other.id, 0, other.bytes);
    one.log->finish_chunks(other.id);

    BOOST_TEST(not one.log->snapshot_end()->failure.has_value());
    BOOST_TEST(not is_there(one.disk, unfinished_snapshot_name(1)));
    one.open();
    BOOST_TEST((one.log->reception() == SnapshotReception{}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_receptions_tests
