// SPDX-License-Identifier: BSL-1.0
// When a snapshot is due, how much of the log it lets go, and how many chunks of it are on their way.
#include "totora/node/snapshot_settings.hpp"
#include "support/builders.hpp"
#include "totora/node/snapshots/chunk_window.hpp"
#include "totora/node/snapshots/transfer_pace.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace totora::test::snapshot_settings_tests
{
namespace
{

using boost::unit_test::label;

[[nodiscard]] SnapshotFacts facts(std::uint64_t entries, std::uint64_t log_bytes, std::uint64_t snapshot_bytes = 0)
{
    return {.server = ServerId{1}, .entries = entries, .log_bytes = log_bytes, .snapshot_bytes = snapshot_bytes};
}

/// The least number for which a condition holds.
template <typename Condition>
[[nodiscard]] std::uint64_t least(std::uint64_t below, Condition condition)
{
    auto number = std::uint64_t{0};
    for (auto step = below; step > 0; step /= 2)
        while (number + step < below and not condition(number + step))
            number += step;
    return number + 1;
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_due_by_the_bytes_of_the_log_or_by_its_entries, *label("7"))
{
    auto settings = SnapshotSettings{};
    settings.log_bytes_min = 1000;
    settings.entries_max = 500;
    auto const bytes_due = least(4000, [&](auto bytes) { return is_snapshot_due(settings, facts(1, bytes)); });
    BOOST_TEST((bytes_due >= 1000 and bytes_due <= 1250));
    auto const entries_due = least(4000, [&](auto entries) { return is_snapshot_due(settings, facts(entries, 0)); });
    BOOST_TEST((entries_due >= 500 and entries_due <= 625));

    // A log shorter than the last snapshot is not worth another one.
    auto const after_a_large_one =
        least(40'000, [&](auto bytes) { return is_snapshot_due(settings, facts(1, bytes, 8000)); });
    BOOST_TEST((after_a_large_one >= 8000 and after_a_large_one <= 10'000));

    BOOST_TEST(not is_snapshot_due(settings, facts(0, 1U << 30U)));
    settings.automatic = false;
    BOOST_TEST(not is_snapshot_due(settings, facts(1U << 30U, 1U << 30U)));
}

BOOST_AUTO_TEST_CASE(the_servers_of_a_cluster_do_not_all_take_snapshots_at_the_same_time, *label("7"))
{
    BOOST_TEST(spread(1024, ServerId{1}) != spread(1024, ServerId{2}));
    BOOST_TEST(spread(1024, ServerId{2}) != spread(1024, ServerId{3}));
    BOOST_TEST(spread(1024, ServerId{3}) != spread(1024, ServerId{1}));
}

/// What is computed from settings does not wrap.
BOOST_AUTO_TEST_CASE(numbers_that_are_never_reached_make_no_snapshot_due, *label("7"))
{
    for (auto const server : {S1, S2, S3, S4, S5})
        for (auto const never : {~std::uint64_t{0}, std::uint64_t{1} << 63U}) {
            auto settings = SnapshotSettings{};
            settings.entries_max = never;
            settings.log_bytes_min = never;
            auto busy = facts(1U << 30U, 1U << 30U);
            busy.server = server;
            BOOST_TEST(not is_snapshot_due(settings, busy));
            settings.log_bytes_min = 1;
            settings.log_percent_min = never;
            busy.snapshot_bytes = 1000;
            BOOST_TEST(not is_snapshot_due(settings, busy));
        }
}

BOOST_AUTO_TEST_CASE(trailing_entries_are_not_compacted, *label("7"))
{
    auto settings = SnapshotSettings{};
    settings.trailing_entries = 10;
    BOOST_TEST((compactable(settings, Index{25}) == Index{15}));
    BOOST_TEST((compactable(settings, Index{10}) == Index{}));
    BOOST_TEST((compactable(settings, Index{9}) == Index{}));
}

/// How many chunks can leave one after the other.
[[nodiscard]] int send_all(ChunkWindow& window, SnapshotSettings const& settings)
{
    auto sent = 0;
    for (; window.chunk_bytes(settings) > 0; ++sent)
        window.sent(window.chunk_bytes(settings));
    return sent;
}

[[nodiscard]] SnapshotSettings chunks(std::uint64_t bytes, std::uint64_t in_flight)
{
    auto settings = SnapshotSettings{};
    settings.chunk_bytes = bytes;
    settings.chunks_in_flight = in_flight;
    return settings;
}

[[nodiscard]] SnapshotId of_bytes(std::uint64_t bytes) { return {.last = {Term{1}, Index{8}}, .bytes = bytes}; }

BOOST_AUTO_TEST_CASE(a_window_holds_a_number_of_chunks_and_moves_with_the_answers, *label("7"))
{
    auto const settings = chunks(10, 3);
    auto       window = ChunkWindow{S2, of_bytes(65), 0};
    BOOST_TEST(send_all(window, settings) == 3);
    window.need(10);
    BOOST_TEST(send_all(window, settings) == 1);
    window.need(40);
    BOOST_TEST(send_all(window, settings) == 3); // The last one has five bytes.
    BOOST_TEST(window.next() == 65U);
}

BOOST_AUTO_TEST_CASE(a_window_may_hold_any_number_of_chunks_of_any_size, *label("7"))
{
    for (auto const many : {~std::uint64_t{0}, (std::uint64_t{1} << 63U) + 1}) {
        auto window = ChunkWindow{S2, of_bytes(200), 0};
        BOOST_TEST(send_all(window, chunks(10, many)) == 20);
        auto whole = ChunkWindow{S2, of_bytes(200), 0};
        BOOST_TEST(send_all(whole, chunks(many, 3)) == 1);
    }
}

BOOST_AUTO_TEST_CASE(an_offset_that_is_needed_twice_again_is_sent_again, *label("7"))
{
    auto const settings = chunks(10, 3);
    auto       window = ChunkWindow{S2, of_bytes(100), 0};
    BOOST_TEST(send_all(window, settings) == 3);
    window.need(0);
    BOOST_TEST(send_all(window, settings) == 0); // The answer to a question may repeat it once.
    window.need(0);
    BOOST_TEST(send_all(window, settings) == 3);
    window.need(0);
    window.need(10); // News in between: nothing is lost.
    window.need(10);
    BOOST_TEST(window.next() == 30U);
}

/// Found by the simulator: where each pair of such answers had a window sent again, its answers had more sent again, without end.
BOOST_AUTO_TEST_CASE(answers_to_what_was_sent_twice_have_nothing_sent_again, *label("7"))
{
    auto const settings = chunks(10, 4);
    auto       window = ChunkWindow{S2, of_bytes(1000), 0};
    auto       answers = send_all(window, settings);
    auto       sent = answers;
    for (auto round = 0; round < 20; ++round) { // The follower has the first chunk late: all others are answered alike.
        auto more = 0;
        for (; answers > 0; --answers) {
            window.need(0);
            more += send_all(window, settings);
        }
        answers = more;
        sent += more;
    }
    BOOST_TEST(sent <= 4 + 20 * 4, "what is sent again is no more in each round");

    window.need(40);
    BOOST_TEST(send_all(window, settings) == 4);
    window.need(40);
    window.need(40);
    BOOST_TEST(window.next() == 80U);
}

BOOST_AUTO_TEST_CASE(lost_answers_do_not_delay_what_is_sent_again, *label("7"))
{
    auto const settings = chunks(10, 3);
    auto       window = ChunkWindow{S2, of_bytes(1000), 0};
    for (auto offset = std::uint64_t{0}; offset < 300; offset += 30) { // Of three answers one arrives.
        BOOST_TEST(send_all(window, settings) == 3);
        window.need(offset + 30);
    }
    for (auto losses = 0; losses < 3; ++losses) {
        BOOST_TEST(send_all(window, settings) == 3);
        auto answers = 0;
        for (; window.next() > 300; ++answers)
            window.need(300);
        BOOST_TEST(answers <= 5);
    }
}

BOOST_AUTO_TEST_CASE(a_follower_that_lost_what_it_had_is_sent_it_at_once, *label("case_29"))
{
    auto const settings = chunks(10, 3);
    auto       window = ChunkWindow{S2, of_bytes(100), 0};
    BOOST_TEST(send_all(window, settings) == 3);
    window.need(10);
    window.need(20);
    BOOST_TEST(send_all(window, settings) == 2);
    window.need(0);
    BOOST_TEST(window.next() == 0U);
    window.need(70); // Another leader had sent it.
    BOOST_TEST(window.next() == 70U);
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_where_everything_is_sent, *label("7"))
{
    auto window = ChunkWindow{S2, of_bytes(10), 0};
    BOOST_TEST(send_all(window, chunks(10, 3)) == 1);
    window.need(10);
    BOOST_TEST(window.chunk_bytes(chunks(10, 3)) == 0U);
}

/// In so many milliseconds, with a chunk whenever one may leave.
[[nodiscard]] std::uint64_t bytes_sent_in(TransferPace& pace, std::uint64_t from_ms, std::uint64_t to_ms,
                                          std::uint64_t every_ms, std::uint64_t chunk)
{
    auto sent = std::uint64_t{0};
    for (auto now_ms = from_ms; now_ms < to_ms; now_ms += every_ms) {
        pace.refill(now_ms);
        for (; pace.allows() and sent < 1'000'000'000; sent += chunk)
            pace.spend(chunk);
    }
    return sent;
}

BOOST_AUTO_TEST_CASE(snapshots_leave_at_a_pace_whatever_the_size_of_a_chunk, *label("7"))
{
    for (auto const chunk : {1'000U, 30'000U, 700'000U})
        for (auto const every_ms : {1U, 50U, 900U}) {
            auto       pace = TransferPace{1'000'000};
            auto const sent = bytes_sent_in(pace, 10'000, 20'000, every_ms, chunk);
            BOOST_TEST(sent <= 10'000'000U + 1'000'000U + chunk); // What was kept, at the beginning.
            BOOST_TEST(sent >= 10'000'000U - 1'000'000U - chunk);
        }
    for (auto const every_ms : {1U, 50U}) { // Less than a byte in a millisecond.
        auto slow = TransferPace{300};
        BOOST_TEST(bytes_sent_in(slow, 1'000, 11'000, every_ms, 10) >= 2'900U);
    }
    auto rested = TransferPace{1'000'000};
    BOOST_TEST(bytes_sent_in(rested, 1'000'000, 1'000'001, 1, 1'000) <= 1'001'000U); // No more is kept.
    auto free = TransferPace{0};
    BOOST_TEST(bytes_sent_in(free, 0, 1, 1, 1'000'000) == 1'000'000'000U);
}

} // namespace
} // namespace totora::test::snapshot_settings_tests
