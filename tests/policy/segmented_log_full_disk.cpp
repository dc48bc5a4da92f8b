// SPDX-License-Identifier: BSL-1.0
#include "totora/log/segmented_log.hpp"

#include "support/log_entries.hpp"
#include "support/log_workload.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::test::segmented_log_full_disk_tests
{

// Starts on a disk that is full, or nearly: point 21 of what the shell keeps in bad weather.

using boost::unit_test::label;

namespace
{

std::uint64_t used_on(Disk const& disk)
{
    auto used = std::uint64_t{0};
    for (auto const& name : disk->file_names())
        used += disk->content(name).size();
    return used;
}

/// A disk with 30 entries, killed in the middle, whose log had the next segment ready.
Disk disk_with_a_spare(SegmentedLogOptions const& options = small_options())
{
    auto const disk = disk_with_log();
    auto       log = open_log(disk, options);
    for (auto write = std::uint64_t{1}; write <= 10; ++write) {
        log->append(WriteNumber{write}, entries_of(Term{1}, Index{write * 3 - 2}, 3, 60));
        log->sync();
    }
    BOOST_TEST(log->durable().through().value == 10U);
    BOOST_TEST(log->has_room(3000));
    return disk;
}

/// The newest file that no header was written to for its generation.
std::string spare_on(Disk const& disk)
{
    auto spare = std::string{};
    for (auto const& name : disk->file_names()) {
        auto const header = decode_segment_header(disk->content(name));
        if (generation_of(name) and (not header or header->generation != generation_of(name)))
            spare = name;
    }
    return spare;
}

/// The generation of the newest segment that has a header.
std::uint64_t newest_begun(ForgetfulDisk const& disk)
{
    auto newest = std::uint64_t{0};
    for (auto const& name : disk.file_names())
        if (auto const header = decode_segment_header(disk.content(name));
            header and header->generation == generation_of(name))
            newest = std::max(newest, header->generation);
    return newest;
}

/// The least size of a first segment on such a disk.
std::uint64_t smallest_on(Disk const& disk)
{
    auto const header = decode_segment_header(disk->content(segment_name(newest_begun(*disk))));
    return SegmentTail<ForgetfulFiles>::smallest_after(std::vector<EarlierSegment>(header->earlier.size() + 1));
}

/// Puts a file with a newer generation than any other on the disk.
std::uint64_t put_newest(Disk const& disk, std::vector<std::byte> const& bytes)
{
    auto const generation = *generation_of(disk->file_names().back()) + 1;
    auto       files = ForgetfulFiles{disk};
    BOOST_REQUIRE(files.create(segment_name(generation)).has_value());
    BOOST_REQUIRE(files.sync_directory().has_value());
    disk->set_content(segment_name(generation), bytes);
    return generation;
}

/// A disk whose log was killed when its newest segment already named the next one: the smallest that a server can
/// vote in. In between is the spare one of `disk_with_a_spare`, or none.
Disk disk_with_an_awaited_spare(bool with_another)
{
    auto const disk = disk_with_a_spare();
    auto const begun = segment_name(newest_begun(*disk));
    if (not with_another)
        disk->drop_file(spare_on(disk));
    auto const size = smallest_on(disk) - record_head_size;
    auto const awaited = put_newest(disk, std::vector<std::byte>(static_cast<std::size_t>(size)));

    auto       bytes = disk->content(begun);
    auto const seed = segment_seed(identity_of_first(), *generation_of(begun));
    auto       end = header_size_for(decode_segment_header(bytes)->earlier.size());
    while (auto const head = decode_head(std::span{bytes}.subspan(end), seed, end))
        end += size_of(*head);
    encode_head(std::span{bytes}.subspan(end), {.kind = RecordKind::next, .numbers = {awaited, size, 0}}, seed, end);
    disk->set_content(begun, bytes);
    return disk;
}

/// Appends entries for as long as there is room, and then terms for as long as there is room for those. The number of
/// entries.
std::uint64_t fill(TestLog& log)
{
    auto write = std::uint64_t{0};
    auto entries = std::uint64_t{0};
    for (; log.has_room(100); ++entries) {
        log.append(WriteNumber{++write}, entries_of(log.last().term, next(log.last().index), 1, 60));
        log.sync();
    }
    for (auto term = log.last().term.value + 1; log.has_room(0); ++term) {
        log.save_vote(WriteNumber{++write}, Term{term}, ServerId{1});
        log.sync();
    }
    BOOST_TEST(log.failure().value_or(LogError{}).what == "");
    BOOST_TEST(log.durable().through().value == write);
    return entries;
}

/// A log with 30 entries on a full disk, after so many votes.
TestLog full_log_after(Disk const& disk, std::uint64_t votes)
{
    auto log = open_log(disk);
    BOOST_REQUIRE(log.has_value());
    disk->limit_space(0);
    for (auto vote = std::uint64_t{1}; vote <= votes; ++vote) {
        log->save_vote(WriteNumber{vote}, Term{1 + vote}, ServerId{1});
        log->sync();
    }
    return *std::move(log);
}

/// How many votes such a log has room for: the next record finds none.
std::uint64_t votes_that_fit()
{
    auto const disk = disk_with_a_spare();
    auto       log = full_log_after(disk, 0);
    auto       votes = std::uint64_t{0};
    for (; votes < 1000 and not log.failure(); ++votes) {
        log.save_vote(WriteNumber{votes + 1}, Term{2 + votes}, ServerId{1});
        log.sync();
    }
    return votes - 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segmented_log_full_disk)

BOOST_AUTO_TEST_CASE(a_start_on_a_full_disk_uses_the_spare_segment, *label("case_67"))
{
    auto const disk = disk_with_a_spare();
    auto const spare = spare_on(disk);
    BOOST_REQUIRE(spare != "");
    disk->limit_space(used_on(disk));

    auto last = Index{};
    {
        auto log = open_log(disk);
        BOOST_REQUIRE(log.has_value());
        BOOST_TEST(log->last().index.value == 30U);
        BOOST_TEST(log->start() == 2U);
        BOOST_TEST(fill(*log) > 5U);
        last = log->last().index;
    }
    disk->lose_power();

    auto log = open_log(disk); // Still full; and it is the third start, although the second could not record itself.
    BOOST_TEST((log.has_value() or log.error().failure == LogFailure::no_space));
    disk->limit_space(1U << 20U);
    auto const again = open_log(disk);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((again->last().index == last));
    BOOST_TEST(again->start() >= 3U);
}

/// The mark of the clean stop is one start old then, and does not apply to the last one.
BOOST_AUTO_TEST_CASE(a_start_without_its_mark_was_not_stopped_cleanly)
{
    auto const disk = disk_with_a_spare();
    open_log(disk)->close();
    disk->interfere([](FileCall call, std::string_view name) {
        return call == FileCall::create and name == "run.new" ? ENOSPC : 0;
    });
    {
        auto log = open_log(disk);
        BOOST_REQUIRE_MESSAGE(log.has_value(), "the mark is not needed");
        BOOST_TEST(log->recover()->cleanly_stopped);
        log->append(WriteNumber{1}, entries_of(Term{5}, Index{31}, 1));
        log->sync();
    }
    disk->interfere(nullptr);

    BOOST_TEST(not open_log(disk)->recover()->cleanly_stopped);
}

/// Everything is durable: what is missing is only the report of it.
BOOST_AUTO_TEST_CASE(a_stop_without_space_for_its_mark_is_no_failure)
{
    auto const disk = disk_with_a_spare();
    {
        auto log = open_log(disk);
        disk->limit_space(used_on(disk));
        log->append(WriteNumber{1}, entries_of(Term{5}, Index{31}, 1));
        log->close();
        BOOST_TEST(not log->failure().has_value());
    }
    disk->limit_space(1U << 20U);
    auto again = open_log(disk);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->last().index.value == 31U);
    BOOST_TEST(not again->recover()->cleanly_stopped);
}

BOOST_AUTO_TEST_CASE(a_stop_without_descriptors_for_its_mark_is_no_failure_and_one_on_a_broken_disk_is)
{
    for (auto const error : {EMFILE, ENFILE, ENOMEM, EIO}) {
        auto const disk = disk_with_a_spare();
        auto       log = open_log(disk);
        disk->interfere([&](FileCall, std::string_view name) { return name == "run.new" ? error : 0; });
        log->close();
        BOOST_TEST(log->failure().has_value() == (error == EIO));
    }
}

BOOST_AUTO_TEST_CASE(a_start_with_little_space_begins_a_small_segment, *label("case_67"))
{
    auto small = 0;
    for (auto space = std::uint64_t{0}; space < 4000; space += 50) {
        auto const disk = disk_with_a_spare();
        for (auto spare = spare_on(disk); not spare.empty(); spare = spare_on(disk))
            disk->drop_file(spare);
        disk->limit_space(used_on(disk) + space);

        auto log = open_log(disk);

        if (not log) {
            BOOST_TEST((log.error().failure == LogFailure::no_space), log.error().what);
            BOOST_TEST(space < 1500U, "with " << space << " bytes: " << log.error().what);
            continue;
        }
        BOOST_TEST(log->last().index.value == 30U);
        BOOST_TEST(log->has_room(0));
        small += log->has_room(3000) ? 0 : 1;
        (void)fill(*log);
    }
    BOOST_TEST(small > 20);
}

/// However little space there is: a log that starts can follow a term, each of its writes with a sync of its own.
BOOST_AUTO_TEST_CASE(the_smallest_segment_that_a_start_begins_has_its_whole_reserve, *label("case_67"))
{
    auto began = 0;
    for (auto space = std::uint64_t{0}; space < 1200; space += 8) {
        auto const disk = disk_with_a_spare();
        for (auto spare = spare_on(disk); not spare.empty(); spare = spare_on(disk))
            disk->drop_file(spare);
        disk->limit_space(used_on(disk) + space);
        auto log = open_log(disk);
        if (not log)
            continue;
        ++began;
        disk->limit_space(0);

        BOOST_TEST(log->has_room(0), "with " << space << " bytes");
        log->save_vote(WriteNumber{1}, Term{2}, ServerId{1});
        log->sync();
        log->truncate(WriteNumber{2}, log->last().index);
        log->sync();
        log->append(WriteNumber{3}, entries_of(Term{2}, next(log->last().index), 1, 0));
        log->sync();

        BOOST_TEST(log->failure().value_or(LogError{}).what == "", "with " << space << " bytes");
        BOOST_TEST(log->durable().through().value == 3U);
    }
    BOOST_TEST(began > 0);
}

/// Space is made ready in steps, of which an eighth is the least: a start must not need as much.
BOOST_AUTO_TEST_CASE(a_start_needs_no_more_space_than_the_smallest_segment, *label("case_67"))
{
    auto const disk = disk_with_a_spare();
    for (auto spare = spare_on(disk); not spare.empty(); spare = spare_on(disk))
        disk->drop_file(spare);
    disk->limit_space(used_on(disk) + smallest_on(disk));
    auto options = small_options();
    options.prepare_bytes = 65536;

    auto const log = open_log(disk, options);

    BOOST_REQUIRE_MESSAGE(log.has_value(), (log ? "" : log.error().what));
    BOOST_TEST(log->last().index.value == 30U);
}

/// Killed when a batch went on in the next segment, and before it was durable: that segment has records of its
/// generation.
BOOST_AUTO_TEST_CASE(a_start_takes_over_a_segment_that_was_begun_and_never_durable,
                     *label("case_67") * label("case_64"))
{
    for (auto const header_is_lost : {false, true}) {
        auto const disk = disk_with_a_spare();
        auto       log = open_log(disk);
        auto const begun = segment_name(newest_begun(*disk));
        auto       fails = false;
        disk->interfere([&](FileCall call, std::string_view name) {
            fails = fails or (call == FileCall::write and generation_of(name) and name != begun);
            return fails and call == FileCall::sync ? EIO : 0;
        });
        auto write = std::uint64_t{0};
        while (not log->failure()) {
            log->append(WriteNumber{++write}, entries_of(Term{3}, next(log->last().index), 10, 60));
            log->sync();
        }
        disk->interfere(nullptr);
        auto const durable = log->durable().through().value;
        BOOST_TEST(durable > 0U);
        if (header_is_lost)
            disk->lose_power({.keeps = [](auto, std::size_t sector) { return sector >= 1; }, .names_kept = 1000});
        disk->limit_space(used_on(disk) + (header_is_lost ? 0 : 2000)); // With its header it is part of the log.

        auto again = open_log(disk);

        BOOST_REQUIRE_MESSAGE(again.has_value(), (again ? "" : again.error().what));
        BOOST_TEST(again->last().index.value >= 30U + 10 * durable);
        (void)fill(*again);
        auto const last = again->last();
        disk->lose_power();
        disk->limit_space(1U << 20U);
        auto const once_more = open_log(disk);
        BOOST_REQUIRE_MESSAGE(once_more.has_value(), (once_more ? "" : once_more.error().what));
        BOOST_TEST((once_more->last() == last));
    }
}

BOOST_AUTO_TEST_CASE(no_segment_is_shortened_before_the_next_header_is_durable, *label("case_98"))
{
    auto const disk = disk_with_a_spare();
    struct Asked
    {
        FileCall    call;
        std::string name;
    };
    auto calls = std::vector<Asked>{};
    disk->interfere([&](FileCall call, std::string_view name) {
        calls.push_back({call, std::string{name}});
        return 0;
    });

    auto log = open_log(disk);

    disk->interfere(nullptr);
    BOOST_REQUIRE(log.has_value());
    auto steps =
        std::map<std::string, int>{}; // Of a segment: 1 when it is ready, 2 with a header, 3 when that is durable.
    auto shortened = 0;
    for (auto const& [call, name] : calls) {
        auto& step = steps[name];
        if (call == FileCall::sync and (step == 0 or step == 2))
            ++step;
        if (call == FileCall::write and step == 1)
            ++step;
        if (call != FileCall::truncate)
            continue;
        ++shortened;
        BOOST_TEST(std::any_of(steps.begin(), steps.end(), [](auto const& one) { return one.second == 3; }));
    }
    BOOST_TEST(shortened == 1);
}

/// The newest file was begun in a batch that was cut, and states that the log continued in it from the spare one. It
/// must not state so of what a start writes into the spare one, whose mark finds no space.
BOOST_AUTO_TEST_CASE(a_removed_spare_never_returns_above_the_segment_that_was_begun,
                     *label("case_69") * label("case_98"))
{
    auto const disk = disk_with_a_spare();
    auto const spare = *generation_of(spare_on(disk));
    auto const last = LogPosition{Term{1}, Index{30}};
    auto const begun = decode_segment_header(disk->content(segment_name(newest_begun(*disk))));
    auto const length = header_size_for(begun->earlier.size() + 1) + 2 * record_head_size;
    auto       torn = *begun;
    torn.generation = spare + 1;
    torn.batch = 100;
    torn.size = header_size_for(1);
    torn.last = last;
    torn.earlier = {{spare, 99, last.index, length}};
    BOOST_TEST(torn.size < smallest_on(disk));
    BOOST_TEST(put_newest(disk, encode_segment_header(torn)) == spare + 1);
    disk->interfere([](FileCall call, std::string_view name) {
        return call == FileCall::create and name == "run.new" ? ENOSPC : 0;
    });
    {
        auto log = open_log(disk);
        BOOST_REQUIRE_MESSAGE(log.has_value(), (log ? "" : log.error().what));
        log->save_vote(WriteNumber{1}, Term{2}, ServerId{1}); // Ends where the spare one ended before.
        log->append(WriteNumber{2}, entries_of(Term{2}, Index{31}, 1));
        log->sync();
        BOOST_TEST(log->durable().through().value == 2U);
    }
    disk->lose_power();

    auto const again = open_log(disk);

    BOOST_REQUIRE_MESSAGE(again.has_value(), (again ? "" : again.error().what));
    BOOST_TEST(again->last().index.value == 31U);
}

/// The newest unneeded file is too small for the reserve of the segment that a start begins, by little; the one before
/// it is not.
BOOST_AUTO_TEST_CASE(a_spare_without_the_reserve_is_replaced_by_the_one_before_it, *label("case_67"))
{
    auto const disk = disk_with_a_spare();
    auto const newest = decode_segment_header(disk->content(segment_name(newest_begun(*disk))));
    auto const seals = 4 * record_head_size; // The one that a start begins with, and room for three at the end.
    auto const needed = header_size_for(newest->earlier.size() + 1) + seals + SegmentTail<ForgetfulFiles>::reserve;
    (void)put_newest(disk, std::vector<std::byte>(static_cast<std::size_t>(needed - 8)));
    disk->limit_space(0);

    auto const log = open_log(disk);

    BOOST_REQUIRE_MESSAGE(log.has_value(), (log ? "" : log.error().what));
    BOOST_TEST(log->last().index.value == 30U);
}

/// Wherever it fails: what the newest segment points at stays until the next header is durable.
BOOST_AUTO_TEST_CASE(a_start_that_fails_leaves_the_segment_that_the_newest_one_points_at,
                     *label("case_67") * label("case_98"))
{
    for (auto const with_another : {false, true}) {
        auto fails = true;
        for (auto failing = std::uint64_t{1}; fails; ++failing) {
            auto const disk = disk_with_an_awaited_spare(with_another);
            auto       calls = std::uint64_t{0};
            disk->interfere([&](FileCall, std::string_view) { return ++calls == failing ? EIO : 0; });
            (void)open_log(disk);
            fails = calls >= failing;
            disk->interfere(nullptr);

            auto const again = open_log(disk);

            BOOST_REQUIRE_MESSAGE(again.has_value(), "call " << failing << ": " << (again ? "" : again.error().what));
            BOOST_TEST(again->last().index.value == 30U);
        }
    }
}

/// A file system that finds out only when it syncs that there is no space.
BOOST_AUTO_TEST_CASE(a_start_that_finds_no_space_leaves_no_file, *label("case_67"))
{
    auto const disk = disk_with_an_awaited_spare(false);
    auto const names = disk->file_names();
    auto       allocated = false;
    disk->interfere([&](FileCall call, std::string_view) {
        allocated = allocated or call == FileCall::allocate;
        return allocated and call == FileCall::sync ? ENOSPC : 0;
    });

    auto const log = open_log(disk);

    BOOST_REQUIRE(not log.has_value());
    BOOST_TEST((log.error().failure == LogFailure::no_space), log.error().what);
    BOOST_TEST(disk->file_names() == names, boost::test_tools::per_element());
}

/// The node requests room before it writes entries, and never for a vote or a truncation. If the disk stays full until
/// the reserve is used up, each of them ends the log: what would be reported durable is nowhere.
BOOST_AUTO_TEST_CASE(a_write_whose_record_finds_no_room_is_never_reported_durable, *label("case_67"))
{
    auto const votes = votes_that_fit();
    BOOST_TEST(votes > 3U);
    auto const last_term = Term{1 + votes};
    auto const number = WriteNumber{votes + 1};
    auto const writes = std::map<std::string, std::function<void(TestLog&)>>{
        {"a vote", [&](TestLog& log) { log.save_vote(number, Term{last_term.value + 1}, ServerId{1}); }},
        {"a truncation", [&](TestLog& log) { log.truncate(number, Index{30}); }},
        {"entries", [&](TestLog& log) { log.append(number, entries_of(last_term, Index{31}, 1, 0)); }}};

    for (auto const& [kind, make] : writes) {
        auto const disk = disk_with_a_spare();
        {
            auto log = full_log_after(disk, votes);
            BOOST_TEST(log.failure().value_or(LogError{}).what == "", kind);
            BOOST_TEST(log.durable().through().value == votes, kind);

            make(log);
            log.sync();

            BOOST_TEST(log.failure().has_value(), kind);
            BOOST_TEST(log.durable().through().value == votes, kind);
            log.close();
        }
        disk->lose_power();
        disk->limit_space(1U << 20U);
        auto again = open_log(disk);
        BOOST_REQUIRE(again.has_value());
        BOOST_TEST(again->last().index.value == 30U, kind);
        auto const recovered = again->recover();
        BOOST_TEST(recovered->current_term.value == last_term.value, kind);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::segmented_log_full_disk_tests
