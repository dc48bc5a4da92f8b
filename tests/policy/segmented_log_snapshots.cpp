// SPDX-License-Identifier: BSL-1.0
// A log in segments keeps snapshots in files: what was reported survives a loss of power, what fails leaves nothing, and what they stand
// for is given back.
#include "totora/log/segmented_log.hpp"

#include "support/log/held_syncer.hpp"
#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "support/snapshot/snapshot_bytes.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

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
#include <vector>

namespace totora::test::segmented_log_snapshots_tests
{

using boost::unit_test::label;

namespace
{

static_assert(snapshot_log<TestLog> and snapshot_log<SegmentedLog<ForgetfulFiles, ThreadSyncer>>);

using HeldLog = SegmentedLog<ForgetfulFiles, HeldSyncer>;

[[nodiscard]] SnapshotBytes any_snapshot() { return snapshot_of({Term{3}, Index{9}}, {"reed", "rush"}); }

/// Writes a snapshot of the server's own, in blocks of 30 bytes.
template <typename Log>
void take(Log& log, SnapshotBytes const& snapshot)
{
    log.begin_snapshot();
    for (auto offset = std::size_t{0}; offset < snapshot.bytes.size(); offset += 30)
        log.write_snapshot(
            std::span{snapshot.bytes}.subspan(offset).first(std::min<std::size_t>(30, snapshot.bytes.size() - offset)));
    log.finish_snapshot(snapshot.id);
}

/// Stores all chunks of a snapshot of another server.
template <typename Log>
void receive(Log& log, SnapshotBytes const& snapshot)
{
    log.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(20));
    log.store_chunk(snapshot.id, 20, std::span{snapshot.bytes}.subspan(20));
    log.finish_chunks(snapshot.id);
}

/// The next end; a failure of its own if there is none.
template <typename Log>
[[nodiscard]] std::optional<LogFailure> failure_of_next(Log& log)
{
    auto const end = log.snapshot_end();
    BOOST_REQUIRE(end.has_value());
    return end->failure ? std::optional{end->failure->failure} : std::nullopt;
}

void lose_all_unsynced(Disk const& disk)
{
    disk->lose_power({.keeps = [](auto, auto) { return false; }, .names_kept = 0});
}

[[nodiscard]] std::vector<std::string> snapshot_names(Disk const& disk)
{
    auto names = disk->file_names();
    std::erase_if(names, [](std::string const& name) { return not name.starts_with(snapshot_file_prefix); });
    return names;
}

/// The oldest segment whose file is there.
[[nodiscard]] std::uint64_t oldest_on(Disk const& disk)
{
    auto least = std::uint64_t{1} << 40U;
    for (auto const& name : disk->file_names())
        least = std::min(least, generation_of(name).value_or(least));
    return least;
}

/// The last compacted entry in the first segment that the log needs; 0 if that one holds entries of the log.
[[nodiscard]] std::uint64_t first_end_on(Disk const& disk)
{
    auto files = ForgetfulFiles{disk};
    return LogRecovery<ForgetfulFiles>{files, {}, RecoveryDepth::everything}.run()->segments.front().last.value;
}

[[nodiscard]] std::vector<std::byte> read_back(TestLog& log, SnapshotId const& id)
{
    auto bytes = std::vector<std::byte>{};
    while (bytes.size() < id.bytes) {
        auto const part = log.read_snapshot(id, bytes.size(), 17);
        BOOST_REQUIRE(part.has_value());
        BOOST_REQUIRE(not part->bytes.empty());
        bytes.insert(bytes.end(), part->bytes.begin(), part->bytes.end());
    }
    return bytes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_snapshots)

BOOST_AUTO_TEST_CASE(a_snapshot_that_was_reported_survives_a_loss_of_power, *label("7"))
{
    auto const disk = disk_with_log();
    auto const snapshot = any_snapshot();
    {
        auto log = *open_log(disk);
        take(log, snapshot);
        BOOST_TEST(log.snapshots().empty()); // Before it is reported.
        BOOST_TEST(not failure_of_next(log).has_value());
        BOOST_TEST(not log.snapshot_end().has_value());
        BOOST_REQUIRE(log.snapshots().size() == 1U);
    }
    lose_all_unsynced(disk);

    auto log = *open_log(disk);

    BOOST_REQUIRE(log.snapshots().size() == 1U);
    BOOST_TEST((log.snapshots()[0] ==
                StoredSnapshot{snapshot.id, {cluster(3), cluster(3)}, peers_in({cluster(3), cluster(3)}), false}));
    BOOST_TEST((read_back(log, snapshot.id) == snapshot.bytes));
    BOOST_TEST(log.read_snapshot(snapshot.id, snapshot.id.bytes, 10)->bytes.empty());
    BOOST_TEST(not log.read_snapshot(snapshot.id, snapshot.id.bytes + 1, 10).has_value());
    BOOST_TEST(not log.read_snapshot({}, 0, 10).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_not_finished_is_removed_at_the_next_start, *label("7"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        log.begin_snapshot();
        log.write_snapshot(any_snapshot().bytes);
        BOOST_TEST(snapshot_names(disk).size() == 1U);
    }
    auto log = *open_log(disk);

    BOOST_TEST(snapshot_names(disk).empty());
    BOOST_TEST(log.snapshots().empty());
}

BOOST_AUTO_TEST_CASE(a_later_snapshot_takes_the_place_of_one_that_was_not_finished)
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    auto const snapshot = any_snapshot();
    log.begin_snapshot();
    log.write_snapshot(std::span{snapshot.bytes}.first(20));
    take(log, snapshot);
    BOOST_TEST(not failure_of_next(log).has_value());
    log.begin_snapshot();
    log.write_snapshot(snapshot.bytes);
    log.drop_snapshot();

    BOOST_TEST(snapshot_names(disk).size() == 1U);
    BOOST_TEST((read_back(log, snapshot.id) == snapshot.bytes));
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_is_not_what_it_is_said_to_be_is_not_kept, *label("case_106"))
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    for (auto at = std::size_t{0}; at < any_snapshot().bytes.size(); ++at) {
        auto wrong = any_snapshot();
        wrong.bytes[at] ^= std::byte{1};
        take(log, wrong);
        BOOST_TEST((failure_of_next(log) == LogFailure::damaged), "byte " << at);
    }
    auto longer = any_snapshot();
    longer.bytes.push_back(std::byte{});
    take(log, longer);
    BOOST_TEST((failure_of_next(log) == LogFailure::damaged));
    auto of_another = any_snapshot();
    ++of_another.id.last.index.value;
    take(log, of_another);
    BOOST_TEST((failure_of_next(log) == LogFailure::damaged));

    BOOST_TEST(log.snapshots().empty());
    BOOST_TEST(snapshot_names(disk).empty());
    BOOST_TEST(not log.failure().has_value());
}

BOOST_AUTO_TEST_CASE(snapshots_are_listed_in_order_and_removed_one_by_one)
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    auto const snapshots = std::vector{snapshot_of({Term{3}, Index{9}}, {"reed"}), snapshot_of({Term{1}, Index{4}}, {}),
                                       snapshot_of({Term{3}, Index{7}}, {"rush"})};
    for (auto const& one : snapshots) {
        take(log, one);
        BOOST_TEST(not failure_of_next(log).has_value());
    }
    auto const order = [](TestLog const& one) {
        auto indexes = std::vector<std::uint64_t>{};
        for (auto const& stored : one.snapshots())
            indexes.push_back(stored.id.last.index.value);
        return indexes;
    };
    BOOST_TEST(order(log) == (std::vector<std::uint64_t>{4, 7, 9}), boost::test_tools::per_element());
    auto const part = log.read_snapshot(snapshots[2].id, 3, 20);
    log.remove_snapshot(snapshots[2].id);
    BOOST_TEST(order(log) == (std::vector<std::uint64_t>{4, 9}), boost::test_tools::per_element());
    BOOST_TEST(std::equal(part->bytes.begin(), part->bytes.end(), snapshots[2].bytes.begin() + 3)); // It stays.
    BOOST_TEST(snapshot_names(disk).size() == 2U);
    auto again = *open_log(disk);
    BOOST_TEST(order(again) == (std::vector<std::uint64_t>{4, 9}), boost::test_tools::per_element());
    take(again, snapshots[0]); // The same once more.
    BOOST_TEST(not failure_of_next(again).has_value());
    BOOST_TEST(order(again) == (std::vector<std::uint64_t>{4, 9}), boost::test_tools::per_element());
    BOOST_TEST(snapshot_names(disk).size() == 2U);
    BOOST_TEST((read_back(again, snapshots[0].id) == snapshots[0].bytes));
}

/// Case 67: the disk fills while a snapshot is written. Its space is free at once, and the log goes on.
BOOST_AUTO_TEST_CASE(a_snapshot_without_room_ends_and_frees_its_space, *label("case_67"))
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
    log.sync();
    auto used = std::uint64_t{0};
    for (auto const& name : disk->file_names())
        used += disk->content(name).size();
    auto const snapshot = snapshot_of({Term{1}, Index{3}}, {std::string(3000, 'r')});
    disk->limit_space(used + 2000);

    take(log, snapshot);

    BOOST_TEST((failure_of_next(log) == LogFailure::no_space));
    BOOST_TEST(snapshot_names(disk).empty());
    log.append(WriteNumber{2}, entries_of(Term{1}, Index{4}, 3));
    log.sync();
    BOOST_TEST(log.durable().through().value == 2U);
    BOOST_TEST(not log.failure().has_value());
    disk->limit_space(used + 10'000);
    take(log, snapshot);
    BOOST_TEST(not failure_of_next(log).has_value());
}

/// Whatever call fails, whenever: nothing is left of the attempt, and the log goes on.
BOOST_AUTO_TEST_CASE(a_snapshot_whose_file_fails_leaves_nothing, *label("case_71"))
{
    auto failed = 0;
    for (auto const number : {EIO, ENOSPC, EMFILE})
        for (auto nth = 0; nth < 20; ++nth) {
            auto const disk = disk_with_log();
            auto       log = *open_log(disk);
            auto       left = nth;
            disk->interfere([&](FileCall call, std::string_view name) {
                auto const concerns = name.starts_with(snapshot_file_prefix) or call == FileCall::sync_directory;
                return concerns and left-- == 0 ? number : 0;
            });
            take(log, any_snapshot());
            disk->interfere(nullptr);
            if (not failure_of_next(log))
                continue;
            ++failed;
            BOOST_TEST(log.snapshots().empty());
            BOOST_TEST(snapshot_names(disk).empty());
            take(log, any_snapshot());
            BOOST_TEST(not failure_of_next(log).has_value());
            log.save_vote(WriteNumber{1}, Term{2}, ServerId{1});
            log.sync();
            BOOST_TEST(log.durable().through().value == 1U);
            BOOST_TEST(not log.failure().has_value());
        }
    BOOST_TEST(failed > 15);
}

/// The header is trusted no further than its checksum; what cannot be read is no snapshot, and stays for who looks for it.
BOOST_AUTO_TEST_CASE(a_file_whose_header_is_damaged_is_not_listed_and_reported, *label("case_65"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        take(log, any_snapshot());
    }
    auto const name = snapshot_names(disk).at(0);
    auto const listed = [&](std::vector<std::byte> const& bytes) {
        auto const copy = disk->clone();
        copy->set_content(name, bytes);
        auto log = open_log(copy);
        BOOST_REQUIRE(log.has_value());
        BOOST_TEST(snapshot_names(copy).size() == 1U);
        auto const damaged = log->recover()->damaged_snapshots;
        BOOST_TEST(damaged.size() + log->snapshots().size() == 1U);
        if (not damaged.empty())
            BOOST_TEST(damaged[0].find(name) != std::string::npos, damaged[0]);
        return log->snapshots().size();
    };
    auto const bytes = disk->content(name);
    BOOST_TEST(listed(bytes) == 1U);
    for (auto at = std::size_t{0}; at < 20 + snapshot_file_content_size; ++at) {
        auto rotten = bytes;
        rotten[at] ^= std::byte{4};
        BOOST_TEST(listed(rotten) == 0U, "byte " << at);
    }
    auto shorter = bytes;
    shorter.pop_back();
    BOOST_TEST(listed(shorter) == 0U);
    auto inner = bytes;
    inner[snapshot_file_header_size + 20] ^= std::byte{1};
    BOOST_TEST(listed(inner) == 0U);
}

/// Whether it is damaged is not known then.
BOOST_AUTO_TEST_CASE(a_snapshot_that_cannot_be_read_at_a_start_keeps_the_log_from_opening, *label("case_65"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        take(log, any_snapshot());
        log.begin_snapshot(); // One that is not finished.
        log.write_snapshot(any_snapshot().bytes);
    }
    auto const names = disk->file_names();
    auto const snapshot = snapshot_file_name(1);
    for (auto const number : {EMFILE, ENFILE, ENOMEM, EACCES, EIO})
        for (auto const failing : {FileCall::open, FileCall::size, FileCall::read}) {
            disk->interfere([&](FileCall call, std::string_view name) {
                return call == failing and name == snapshot ? number : 0;
            });
            auto const refused = open_log(disk);
            BOOST_REQUIRE(not refused.has_value());
            BOOST_TEST((refused.error().failure == LogFailure::read_failed));
            auto const& what = refused.error().what;
            BOOST_TEST(what.find(snapshot) != std::string::npos, what);
            BOOST_TEST(what.find(remedy(number)) != std::string::npos, what);
            BOOST_TEST(disk->file_names() == names, boost::test_tools::per_element());
        }
    disk->interfere(nullptr);
    BOOST_TEST(open_log(disk)->snapshots().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_snapshot_of_a_newer_version_or_another_cluster_is_refused, *label("case_99"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        take(log, any_snapshot());
    }
    auto const name = snapshot_names(disk).at(0);
    auto const refused = [&](auto change) {
        auto const copy = disk->clone();
        auto       bytes = copy->content(name);
        auto       header = decode_snapshot_file_header(bytes).value();
        change(header);
        auto const encoded = encode_snapshot_file_header(header);
        std::copy(encoded.begin(), encoded.end(), bytes.begin());
        copy->set_content(name, bytes);
        auto const log = open_log(copy);
        return not log and log.error().failure == LogFailure::foreign_format;
    };
    BOOST_TEST(not refused([](auto&) {}));
    BOOST_TEST(refused([](auto& header) { header.needed = 1; }));
    BOOST_TEST(refused([](auto& header) { ++header.cluster.value; }));
}

BOOST_AUTO_TEST_CASE(names_of_snapshots_are_told_from_others)
{
    BOOST_TEST(snapshot_file_name(0xab) == "snapshot-00000000000000ab");
    BOOST_TEST((snapshot_number_of(snapshot_file_name(0xab)) == 0xab));
    BOOST_TEST((snapshot_number_of(unfinished_snapshot_name(7)) == 7));
    for (auto const* const name :
         {"", "snapshot-", "snapshot-7", "segment-00000000000000ab", "snapshot-00000000000000AB",
          "snapshot-00000000000000ab.old", "snapshot-00000000000000abc"})
        BOOST_TEST(not snapshot_number_of(name).has_value(), name);
}

/// What a durable snapshot stands for is given back when the next segment begins, and not before.
BOOST_AUTO_TEST_CASE(segments_are_given_back_once_a_durable_snapshot_stands_for_them, *label("7"))
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    auto       write = std::uint64_t{0};
    auto const append = [&](int count) {
        for (; count > 0; --count) {
            log.append(WriteNumber{++write}, entries_of(Term{1}, next(log.last().index), 1, 200));
            log.sync();
        }
    };
    append(100);
    auto const base = log.last();
    log.compact(WriteNumber{++write}, base, {cluster(3), cluster(3)}, {});
    append(20);
    BOOST_TEST(oldest_on(disk) == 1U); // No snapshot stands for them.
    receive(log, snapshot_of({Term{1}, Index{150}}, {}));
    BOOST_TEST(not failure_of_next(log).has_value());
    append(20);
    BOOST_TEST(oldest_on(disk) == 1U); // Nor does one of another server that is not installed.

    take(log, snapshot_of({Term{1}, Index{50}}, {}));
    BOOST_TEST(not failure_of_next(log).has_value());
    append(20);
    BOOST_TEST(oldest_on(disk) > 3U);
    BOOST_TEST(first_end_on(disk) > 50U);
    BOOST_TEST(first_end_on(disk) < 70U);

    take(log, snapshot_of(base, {}));
    append(20);
    BOOST_TEST(first_end_on(disk) < 70U); // It was not reported yet.
    BOOST_TEST(not failure_of_next(log).has_value());
    append(20);
    BOOST_TEST(first_end_on(disk) == 0U); // What it holds is part of the log.
    BOOST_TEST(oldest_on(disk) > 8U);
    auto const again = open_log(disk)->recover();
    BOOST_TEST((again->entries.base() == base));
    BOOST_TEST(again->entries.last().index.value == 200U);
}

/// And what was compacted before the log was told of it is given back then.
BOOST_AUTO_TEST_CASE(segments_are_given_back_without_a_snapshot_if_the_machine_keeps_itself, *label("7"))
{
    auto const disk = disk_with_log();
    auto       write = std::uint64_t{0};
    auto const append = [&](TestLog& log, int count) {
        for (; count > 0; --count) {
            log.append(WriteNumber{++write}, entries_of(Term{1}, next(log.last().index), 1, 200));
            log.sync();
        }
    };
    {
        auto log = *open_log(disk);
        append(log, 50);
        log.compact(WriteNumber{++write}, log.last(), {cluster(3), cluster(2)}, {});
        append(log, 50);
        BOOST_TEST(oldest_on(disk) == 1U);
    }
    write = 0;
    auto log = *open_log(disk);
    BOOST_TEST(not log.rely_on_machine().has_value());
    auto const dark = disk->clone();
    lose_all_unsynced(dark);
    auto files = ForgetfulFiles{dark};
    BOOST_TEST(LogRecovery<ForgetfulFiles>{files}.run()->boundary.is_kept_by_machine);
    append(log, 20);
    BOOST_TEST(oldest_on(disk) > 3U);
    BOOST_TEST(first_end_on(disk) == 0U);

    auto const base = log.last();
    log.compact(WriteNumber{++write}, base, {cluster(3), cluster(2)}, {});
    append(log, 20);
    BOOST_TEST(oldest_on(disk) > 8U);
    auto again = *open_log(disk);
    BOOST_TEST((again.recover()->entries.base() == base));
    BOOST_TEST((again.recover()->previous_configuration == cluster(2)));
}

BOOST_AUTO_TEST_CASE(an_install_puts_a_snapshot_in_place_of_the_log, *label("7") * label("case_25"))
{
    auto const disk = disk_with_log();
    auto const snapshot = any_snapshot();
    {
        auto log = *open_log(disk);
        log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 20));
        log.sync();
        receive(log, snapshot);
        BOOST_TEST(not failure_of_next(log).has_value());
        BOOST_TEST(log.snapshots()[0].is_received);
        log.install(WriteNumber{2}, snapshot.id, {cluster(3), cluster(2)}, {});
        BOOST_TEST((log.last() == snapshot.id.last));
        BOOST_TEST(not log.snapshots()[0].is_received);
        BOOST_TEST(log.read(Index{1}, Index{20}, 1000)->empty());
        log.append(WriteNumber{3}, entries_of(Term{3}, Index{10}, 2));
        log.sync();
        log.save_commit(Index{11});
        log.save_vote(WriteNumber{4}, Term{3}, ServerId{1});
        log.sync();
    }
    lose_all_unsynced(disk);

    for (auto start = 0; start < 3; ++start) {
        auto       log = *open_log(disk);
        auto const recovered = log.recover();
        BOOST_TEST((recovered->entries.base() == snapshot.id.last));
        BOOST_TEST((recovered->entries.last() == LogPosition{Term{3}, Index{11}}));
        BOOST_TEST((recovered->configuration == cluster(3)));
        BOOST_TEST((recovered->previous_configuration == cluster(2)));
        BOOST_TEST(recovered->commit_index.value == 11U);
        BOOST_TEST(terms_in(*log.read(Index{10}, Index{11}, 1000)).size() == 2U);
        BOOST_REQUIRE(log.snapshots().size() == 1U);
        BOOST_TEST(not log.snapshots()[0].is_received);
    }
}

/// The file is there, whole; it is offered again.
BOOST_AUTO_TEST_CASE(an_install_that_was_not_synced_is_lost_with_the_power, *label("case_33"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 20));
        log.sync();
        receive(log, any_snapshot());
        BOOST_TEST(not failure_of_next(log).has_value());
        log.install(WriteNumber{2}, any_snapshot().id, {cluster(3), cluster(2)}, {});
        log.append(WriteNumber{3}, entries_of(Term{3}, Index{10}, 2));
    }
    lose_all_unsynced(disk);

    auto log = *open_log(disk);

    BOOST_TEST((log.last() == LogPosition{Term{1}, Index{20}}));
    BOOST_TEST(log.read(Index{1}, Index{20}, 10'000)->count() == 20U);
    BOOST_REQUIRE(log.snapshots().size() == 1U);
    BOOST_TEST(log.snapshots()[0].is_received);
}

BOOST_AUTO_TEST_CASE(an_install_that_had_begun_is_finished_before_a_start, *label("case_33") * label("case_68"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 4));
        receive(log, any_snapshot());
        log.sync();
    }
    {
        auto log = *open_log(disk);
        BOOST_TEST(log.finish_install({}).has_value());
        BOOST_TEST(not log.failure().has_value());
        BOOST_TEST((log.last() == LogPosition{Term{1}, Index{4}}));

        BOOST_TEST(not log.finish_install(any_snapshot().id).has_value());
        BOOST_TEST((log.last() == any_snapshot().id.last));
        BOOST_TEST(log.durable().through().value == 0U);
        BOOST_TEST(not log.snapshots()[0].is_received);
    }
    lose_all_unsynced(disk);
    auto log = *open_log(disk);
    BOOST_TEST((log.recover()->entries.base() == any_snapshot().id.last));
    BOOST_TEST((log.recover()->configuration == cluster(3)));
    log.append(WriteNumber{1}, entries_of(Term{3}, Index{10}, 2));
    log.sync();
    BOOST_TEST(log.durable().through().value == 1U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_made_durable_is_no_finished_install, *label("case_66"))
{
    auto const disk = disk_with_log();
    {
        auto log = *open_log(disk);
        receive(log, any_snapshot());
    }
    auto log = *open_log(disk);
    disk->interfere([](FileCall call, std::string_view) { return call == FileCall::sync ? EIO : 0; });

    auto const failed = log.finish_install(any_snapshot().id);

    BOOST_REQUIRE(failed.has_value());
    BOOST_TEST((failed->failure == LogFailure::sync_failed));
}

/// No boundary without its file.
BOOST_AUTO_TEST_CASE(a_snapshot_that_is_not_kept_is_not_installed, *label("case_33"))
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 4));
    log.sync();
    log.install(WriteNumber{2}, any_snapshot().id, {cluster(3), cluster(2)}, {});
    log.sync();

    BOOST_TEST(log.failure().has_value());
    BOOST_TEST(log.durable().through().value == 1U);
    BOOST_TEST(open_log(disk)->last().index.value == 4U);
}

BOOST_AUTO_TEST_CASE(chunks_are_stored_per_identity_and_verified_as_a_whole, *label("case_106") * label("case_29"))
{
    auto const disk = disk_with_log();
    auto       log = *open_log(disk);
    auto const snapshot = any_snapshot();
    auto const other = snapshot_of({Term{3}, Index{10}}, {"sedge"});
    BOOST_TEST((log.reception() == SnapshotReception{}));
    log.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(20));
    BOOST_TEST((log.reception() == SnapshotReception{snapshot.id, 20, Term{}}));
    take(log, snapshot_of({Term{1}, Index{1}}, {})); // One of its own may be written meanwhile.
    BOOST_TEST(not failure_of_next(log).has_value());
    receive(log, other); // It takes the place of the first one.
    BOOST_TEST(not failure_of_next(log).has_value());
    BOOST_TEST((log.reception() == SnapshotReception{}));
    auto rotten = snapshot;
    rotten.bytes[30] ^= std::byte{1};
    receive(log, rotten);
    BOOST_TEST((failure_of_next(log) == LogFailure::damaged));
    log.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(20));
    log.drop_chunks();
    BOOST_TEST((log.reception() == SnapshotReception{}));

    BOOST_TEST(snapshot_names(disk).size() == 2U);
    BOOST_TEST((read_back(log, other.id) == other.bytes));
}

BOOST_AUTO_TEST_CASE(chunks_that_were_not_recorded_as_durable_are_gone_with_their_process, *label("case_29"))
{
    auto const disk = disk_with_log();
    {
        auto       log = *open_log(disk);
        auto const snapshot = any_snapshot();
        log.store_chunk(snapshot.id, 0, std::span{snapshot.bytes}.first(20));
    }
    auto log = *open_log(disk);

    BOOST_TEST((log.reception() == SnapshotReception{}));
    BOOST_TEST(snapshot_names(disk).empty());
}

BOOST_AUTO_TEST_CASE(what_waits_to_be_written_is_counted_and_its_end_wakes)
{
    auto  log = *HeldLog::open(ForgetfulFiles{disk_with_log()}, small_options());
    auto& syncer = *HeldSyncer::newest();
    auto  woken = 0;
    log.set_wake([&] { ++woken; });
    syncer.held = true;
    auto const block = std::vector<std::byte>(std::size_t{64} * 1024);
    log.begin_snapshot();
    for (auto blocks = 0; blocks < 20; ++blocks)
        log.write_snapshot(block);
    BOOST_TEST(log.snapshot_backlog() == 20 * block.size());

    syncer.work();

    BOOST_TEST(log.snapshot_backlog() == 0U);
    BOOST_TEST(woken == 1);
}

/// What waits to be written is done in order, after what was written before it.
BOOST_AUTO_TEST_CASE(a_snapshot_that_was_not_written_yet_is_not_reported)
{
    auto const disk = disk_with_log();
    auto       log = *HeldLog::open(ForgetfulFiles{disk}, small_options());
    auto&      syncer = *HeldSyncer::newest();
    auto       woken = 0;
    log.set_wake([&] { ++woken; });
    syncer.held = true;
    auto const snapshot = any_snapshot();
    take(log, snapshot);
    BOOST_TEST(not log.snapshot_end().has_value());
    BOOST_TEST(snapshot_names(disk).empty());

    syncer.work();

    BOOST_TEST(woken > 0);
    BOOST_TEST(not failure_of_next(log).has_value());
    BOOST_TEST(log.snapshots().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_snapshots_tests
