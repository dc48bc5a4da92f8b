#include "totora/transport/frame_reader.hpp"
#include "support/frames.hpp"
#include "totora/transport/frame_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

using namespace totora;
using namespace totora::test;
using boost::unit_test::label;

namespace
{

constexpr auto frame_limit = std::uint32_t{16} << 20U;

/// Gives a reader as many bytes as it has space for, and at most `count_max`; returns how many.
std::size_t feed(FrameReader& reader, std::span<std::byte const> bytes, std::size_t count_max)
{
    auto const space = reader.space();
    auto const count = std::min({space.size(), bytes.size(), count_max});
    std::memcpy(space.data(), bytes.data(), count);
    reader.arrived(count);
    return count;
}

/// The entries of all slices, one behind the other.
std::vector<std::byte> bytes_of(Entries const& entries)
{
    auto bytes = std::vector<std::byte>{};
    for (auto at = std::size_t{0}; at < entries.slice_count(); ++at)
        bytes.insert(bytes.end(), entries.slice(at).bytes.begin(), entries.slice(at).bytes.end());
    return bytes;
}

AppendWithEntries append_of(std::size_t payload_bytes)
{
    auto payload = std::vector<std::byte>(payload_bytes);
    for (auto at = std::size_t{0}; at < payload_bytes; ++at)
        payload[at] = static_cast<std::byte>((at * 31U + payload_bytes) & 0xFFU);
    return make_append(Term{7}, Index{41}, {{EntryKind::command, payload}, {EntryKind::command, {}}});
}

} // namespace

BOOST_AUTO_TEST_SUITE(frame_reader)

BOOST_AUTO_TEST_CASE(frames_of_all_sizes_are_cut_from_a_stream_that_arrives_in_any_pieces)
{
    auto random = std::mt19937_64{3};
    auto appends = std::vector<AppendWithEntries>{};
    auto stream = std::vector<std::byte>{};
    for (auto round = 0; round < 60; ++round) {
        auto const size = std::size_t{1} << random() % 21U;
        appends.push_back(append_of(size + random() % size));
        auto const frame = to_frame(appends.back().rpc, appends.back().entries);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }

    for (auto const piece_max : {std::size_t{1000}, std::size_t{70'000}, stream.size()}) {
        auto reader = FrameReader{frame_limit};
        auto kept = std::vector<Frame>{};
        auto rest = std::span<std::byte const>{stream};
        while (not rest.empty()) {
            rest = rest.subspan(feed(reader, rest, 1 + random() % piece_max));
            while (auto frame = reader.next()) {
                BOOST_REQUIRE(frame->has_value());
                kept.push_back(**frame);
            }
        }
        // Looked at last, so that a block written again under an entry would be seen.
        BOOST_REQUIRE(kept.size() == appends.size());
        for (auto at = std::size_t{0}; at < kept.size(); ++at)
            BOOST_TEST((bytes_of(kept[at].entries) == bytes_of(appends[at].entries)));
    }
}

BOOST_AUTO_TEST_CASE(a_slow_sender_of_a_long_frame_costs_what_has_arrived_and_one_block, *label("case_78"))
{
    auto const append = append_of(15U << 20U);
    auto const frame = to_frame(append.rpc, append.entries);
    auto       reader = FrameReader{frame_limit};
    auto       rest = std::span<std::byte const>{frame};
    auto       arrived = std::size_t{0};
    auto       most = std::size_t{0};
    while (rest.size() > 1) {
        auto const count = feed(reader, rest.first(rest.size() - 1), 10'000);
        BOOST_REQUIRE(not reader.next().has_value());
        arrived += count;
        rest = rest.subspan(count);
        static_cast<void>(reader.space());
        most = std::max(most, reader.held() - arrived);
    }
    BOOST_TEST(most <= FrameReader::block_max);

    feed(reader, rest, 1);
    auto const read = reader.next();
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->has_value());
    BOOST_TEST(reader.held() <= FrameReader::block_max);
}

BOOST_AUTO_TEST_CASE(a_block_is_used_again_if_nothing_in_it_was_handed_out)
{
    auto const        frame = to_frame(RequestVote{.term = Term{1}, .last_log = {}});
    auto              reader = FrameReader{frame_limit};
    auto const* const first = reader.space().data();
    for (auto round = 0; round < 3000; ++round) {
        auto rest = std::span<std::byte const>{frame};
        while (not rest.empty())
            rest = rest.subspan(feed(reader, rest, 50));
        BOOST_REQUIRE(reader.next()->has_value());
        BOOST_REQUIRE(not reader.next().has_value());
    }
    BOOST_TEST((reader.space().data() == first));
}

BOOST_AUTO_TEST_CASE(a_small_entry_does_not_keep_a_whole_block)
{
    auto const small = make_append(Term{1}, Index{1}, {{EntryKind::command, {}}});
    auto const large = append_of(20'000);
    auto       reader = FrameReader{frame_limit};
    auto const space = reader.space();
    auto const inside = [&](Entries const& entries) {
        auto const* const at = entries.slice(0).bytes.data();
        return at >= space.data() and at < space.data() + space.size();
    };

    auto const read = [&](AppendWithEntries const& append) {
        auto const frame = to_frame(append.rpc, append.entries);
        feed(reader, frame, frame.size());
        return std::move(**reader.next());
    };
    BOOST_TEST(not inside(read(small).entries));
    BOOST_TEST(inside(read(large).entries));
}

BOOST_AUTO_TEST_CASE(a_broken_stream_gives_one_refusal_and_no_more)
{
    auto frame = to_frame(RequestVote{.term = Term{1}, .last_log = {}});
    auto stream = frame;
    stream[30] ^= std::byte{1};
    stream.insert(stream.end(), frame.begin(), frame.end());
    auto reader = FrameReader{frame_limit};
    feed(reader, stream, stream.size());

    auto const refused = reader.next();
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST((refused->error() == FrameRefusal::bad_checksum));
    BOOST_TEST(reader.broken());
    BOOST_TEST(not reader.next().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(frame_queue)

BOOST_AUTO_TEST_CASE(what_is_written_in_any_pieces_is_what_was_queued)
{
    auto random = std::mt19937_64{4};
    auto queue = FrameQueue{QueueLimits{}};
    auto expected = std::vector<std::byte>{};
    for (auto size = std::size_t{0}; size < 40; ++size) {
        auto const append = size % 4 == 0 ? make_append(Term{7}, Index{41}, {}) : append_of(size * 10);
        auto const frame = to_frame(append.rpc, append.entries);
        expected.insert(expected.end(), frame.begin(), frame.end());
        BOOST_REQUIRE(queue.push(*encode(route_1_to_2, append.rpc, append.entries, frame_limit), append.entries));
    }
    BOOST_TEST(queue.bytes() == expected.size());

    auto written = std::vector<std::byte>{};
    auto through = std::size_t{0};
    auto parts = std::vector<std::span<std::byte const>>{};
    while (not queue.empty()) {
        queue.gather(parts, 1 + random() % 7);
        auto whole = std::vector<std::byte>{};
        for (auto const part : parts) {
            BOOST_REQUIRE(not part.empty());
            whole.insert(whole.end(), part.begin(), part.end());
        }
        auto const count = 1 + random() % whole.size();
        written.insert(written.end(), whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count));
        through += queue.written(count);
    }
    BOOST_TEST((written == expected));
    BOOST_TEST(through == 40U);
    BOOST_TEST(queue.bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_frame_of_any_size_fits_into_an_empty_queue_and_small_ones_behind_it)
{
    auto const large = append_of(10'000);
    auto const head = *encode(route_1_to_2, large.rpc, large.entries, frame_limit);
    auto const small = *encode(route_1_to_2, RequestVote{}, {}, frame_limit);
    auto       queue = FrameQueue{{.bytes_max = 1000, .frames_max = 3, .frames_reserved = 2}};

    BOOST_TEST(queue.push(head, large.entries));
    BOOST_TEST(not queue.below_half());
    BOOST_TEST(not queue.push(head, large.entries));
    for (auto count = 0; count < 4; ++count)
        BOOST_TEST(queue.push(small, {}));
    BOOST_TEST(not queue.push(small, {}));
    BOOST_TEST(queue.frames() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()
