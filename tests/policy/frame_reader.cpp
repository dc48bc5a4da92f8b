#include "totora/transport/tcp/frame_reader.hpp"
#include "support/frames.hpp"
#include "totora/transport/tcp/frame_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

namespace totora::test::frame_reader_tests
{

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

/// The entries of all slices, concatenated.
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
        auto const frame = to_stream(to_frame(appends.back().rpc, appends.back().entries));
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
    auto const frame = to_stream(to_frame(append.rpc, append.entries));
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
        if (reader.held() > arrived)
            most = std::max(most, reader.held() - arrived);
    }
    BOOST_TEST(most <= FrameReader::part_max + FrameReader::block_size);

    feed(reader, rest, 1);
    auto const read = reader.next();
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->has_value());
    BOOST_TEST(reader.held() <= FrameReader::block_size);
}

BOOST_AUTO_TEST_CASE(a_block_is_reused_if_no_entries_point_into_it)
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

BOOST_AUTO_TEST_CASE(a_frame_between_two_pieces_is_read_before_theirs, *label("case_94"))
{
    auto const append = append_of(100'000);
    auto const frame = to_frame(append.rpc, append.entries);
    auto const vote = to_frame(RequestVote{.term = Term{1}, .last_log = {}});
    auto       stream = to_piece(frame, 0, 50'000);
    stream.insert(stream.end(), vote.begin(), vote.end());
    auto const rest = to_piece(frame, 50'000, frame.size() - 50'000);
    stream.insert(stream.end(), rest.begin(), rest.end());

    auto reader = FrameReader{frame_limit};
    auto read = std::vector<Frame>{};
    for (auto left = std::span<std::byte const>{stream}; not left.empty();) {
        left = left.subspan(feed(reader, left, left.size()));
        while (auto one = reader.next())
            read.push_back(**one);
    }

    BOOST_REQUIRE(read.size() == 2U);
    BOOST_TEST((std::get<Rpc>(read[0].content) == Rpc{RequestVote{.term = Term{1}, .last_log = {}}}));
    BOOST_TEST((std::get<Rpc>(read[1].content) == Rpc{append.rpc}));
    BOOST_TEST((bytes_of(read[1].entries) == bytes_of(append.entries)));
}

BOOST_AUTO_TEST_CASE(pieces_that_make_no_frame_end_the_stream, *label("case_78"))
{
    auto const append = append_of(100'000);
    auto const frame = to_frame(append.rpc, append.entries);
    auto const other = append_of(90'000);
    auto const other_frame = to_frame(other.rpc, other.entries);
    auto       longer = frame;
    longer.resize(longer.size() + 10);
    auto const first = to_piece(frame, 0, 50'000);
    using Streams = std::vector<std::pair<std::vector<std::vector<std::byte>>, FrameError>>;
    auto const streams = Streams{
        {{to_piece(frame, 50'000, 100)}, FrameError::bad_piece},              // The first one is missing.
        {{first, to_piece(frame, 50'001, 100)}, FrameError::bad_piece},       // A gap.
        {{first, to_piece(frame, 49'999, 100)}, FrameError::bad_piece},       // Twice.
        {{first, first}, FrameError::bad_piece},                              // Another frame before the end.
        {{first, to_piece(other_frame, 50'000, 100)}, FrameError::bad_piece}, // Of another frame.
        {{first, to_piece(frame, 50'000, 0)}, FrameError::bad_piece},         // Nothing.
        {{to_piece(frame, 0, 71)}, FrameError::bad_piece},                    // Too short for a header.
        {{to_piece(longer, 0, 50'000)}, FrameError::bad_piece},               // The header has another length.
        {{to_piece(first, 0, 50'000)}, FrameError::bad_piece},                // A piece of a piece.
        {{to_piece(std::vector<std::byte>(70'000), 0, 100)}, FrameError::foreign_magic},
    };
    for (auto at = std::size_t{0}; at < streams.size(); ++at) {
        auto reader = FrameReader{frame_limit};
        auto refusals = std::vector<FrameError>{};
        for (auto const& piece : streams[at].first)
            for (auto left = std::span<std::byte const>{piece}; not left.empty() and not reader.broken();) {
                left = left.subspan(feed(reader, left, left.size()));
                while (auto const one = reader.next())
                    refusals.push_back(one->error());
            }
        BOOST_TEST((refusals == std::vector{streams[at].second}), "stream " << at);
        BOOST_TEST(reader.broken(), "stream " << at);
    }
}

BOOST_AUTO_TEST_CASE(a_length_above_the_limit_of_pieces_is_refused_before_anything_is_allocated, *label("case_78"))
{
    auto const append = append_of(2'000'000);
    auto const frame = to_frame(append.rpc, append.entries);
    auto const first = to_piece(frame, 0, 1000);
    auto       reader = FrameReader{1'000'000};
    feed(reader, first, first.size());

    auto const refused = reader.next();
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST((refused->error() == FrameError::oversized));
    BOOST_TEST(reader.held() == FrameReader::block_size);
}

BOOST_AUTO_TEST_CASE(a_long_frame_that_is_not_in_pieces_is_refused, *label("case_94"))
{
    auto const append = append_of(whole_frame_max);
    auto const frame = to_frame(append.rpc, append.entries);
    auto       reader = FrameReader{frame_limit};
    feed(reader, frame, frame_header_size);

    auto const refused = reader.next();
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST((refused->error() == FrameError::oversized));
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
    BOOST_TEST((refused->error() == FrameError::bad_checksum));
    BOOST_TEST(reader.broken());
    BOOST_TEST(not reader.next().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(frame_queue)

namespace
{

using Parts = std::vector<std::span<std::byte const>>;

/// What a queue would write next.
std::vector<std::byte> gathered(FrameQueue& queue, std::size_t parts_max = 64)
{
    auto parts = Parts{};
    queue.gather(parts, parts_max);
    auto whole = std::vector<std::byte>{};
    for (auto const part : parts) {
        BOOST_REQUIRE(not part.empty());
        whole.insert(whole.end(), part.begin(), part.end());
    }
    return whole;
}

[[nodiscard]] bool push(FrameQueue& queue, AppendWithEntries const& append, Lane lane = Lane::bulk)
{
    return queue.push(*encode(route_1_to_2, append.rpc, append.entries, frame_limit), append.entries, lane);
}

[[nodiscard]] bool push_vote(FrameQueue& queue, std::uint64_t term)
{
    auto const vote = RequestVote{.term = Term{term}, .last_log = {}};
    return queue.push(*encode(route_1_to_2, vote, {}, frame_limit), {}, Lane::urgent);
}

/// Reads what a queue of appends and votes wrote: the votes are of the terms 1, 2, 3, ...
struct ReadBack
{
    FrameReader        reader{frame_limit};
    std::vector<Frame> appends;
    std::uint64_t      votes = 0;

    void read(std::span<std::byte const> bytes)
    {
        while (not bytes.empty()) {
            bytes = bytes.subspan(feed(reader, bytes, bytes.size()));
            while (auto const frame = reader.next()) {
                BOOST_REQUIRE(frame->has_value());
                auto const& rpc = std::get<Rpc>((*frame)->content);
                if (auto const* vote = std::get_if<RequestVote>(&rpc))
                    BOOST_REQUIRE((vote->term == Term{++votes}));
                else
                    appends.push_back(**frame);
            }
        }
    }
};

} // namespace

BOOST_AUTO_TEST_CASE(what_is_written_in_any_pieces_is_what_was_queued_in_the_order_of_each_lane)
{
    auto random = std::mt19937_64{4};
    auto queue = FrameQueue{QueueLimits{}};
    auto read_back = ReadBack{};
    auto appends = std::vector<AppendWithEntries>{};
    auto votes = std::uint64_t{0};
    auto through = FrameQueue::Through{};
    auto bulk_bytes = std::uint64_t{0};
    while (appends.size() < 60 or not queue.empty()) {
        if (appends.size() < 60 and random() % 3 == 0) {
            auto const size = std::size_t{1} << random() % 20U;
            appends.push_back(append_of(size + random() % size));
            BOOST_REQUIRE(push(queue, appends.back()));
        }
        if (random() % 3 == 0)
            BOOST_REQUIRE(push_vote(queue, ++votes));
        auto const whole = gathered(queue, 1 + random() % 7);
        if (whole.empty())
            continue;
        auto const count = 1 + random() % whole.size();
        auto const step = queue.written(count);
        through.frames += step.frames;
        bulk_bytes += step.bulk_bytes;
        read_back.read(std::span{whole}.first(count));
    }
    BOOST_REQUIRE(read_back.appends.size() == appends.size());
    auto in_appends = std::uint64_t{0};
    for (auto at = std::size_t{0}; at < appends.size(); ++at) {
        BOOST_TEST((bytes_of(read_back.appends[at].entries) == bytes_of(appends[at].entries)));
        in_appends += to_stream(to_frame(appends[at].rpc, appends[at].entries)).size();
    }
    BOOST_TEST(read_back.votes == votes);
    BOOST_TEST(through.frames == votes + appends.size());
    BOOST_TEST(bulk_bytes == in_appends);
    BOOST_TEST(queue.bulk_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(urgent_frames_overtake_all_bulk_except_the_piece_that_is_begun, *label("case_94"))
{
    auto const large = append_of(200'000);
    auto       queue = FrameQueue{QueueLimits{}};
    BOOST_REQUIRE(push(queue, large));
    BOOST_REQUIRE(push(queue, append_of(10)));
    auto const piece = gathered(queue);
    BOOST_TEST(piece.size() == whole_frame_max);
    static_cast<void>(queue.written(1000));

    BOOST_REQUIRE(push_vote(queue, 1));

    auto       expected = std::vector<std::byte>{piece.begin() + 1000, piece.end()};
    auto const vote = to_frame(RequestVote{.term = Term{1}, .last_log = {}});
    expected.insert(expected.end(), vote.begin(), vote.end());
    BOOST_TEST((gathered(queue) == expected));
}

BOOST_AUTO_TEST_CASE(urgent_frames_overtake_bulk_that_is_gathered_and_not_begun, *label("case_94"))
{
    auto queue = FrameQueue{QueueLimits{}};
    BOOST_REQUIRE(push(queue, append_of(200'000)));
    static_cast<void>(gathered(queue));

    BOOST_REQUIRE(push_vote(queue, 1));

    auto const vote = to_frame(RequestVote{.term = Term{1}, .last_log = {}});
    auto const next = gathered(queue);
    BOOST_TEST(std::equal(vote.begin(), vote.end(), next.begin()));
    BOOST_TEST(next.size() == vote.size() + whole_frame_max);
}

BOOST_AUTO_TEST_CASE(neither_lane_takes_the_room_of_the_other, *label("case_94"))
{
    auto const large = append_of(10'000);
    auto       queue = FrameQueue{{.bytes_max = 1000, .frames_max = 3, .urgent_frames_max = 2}};

    BOOST_TEST(push(queue, large)); // A frame of any size fits into an empty lane.
    BOOST_TEST(not queue.below_half());
    BOOST_TEST(not push(queue, large));
    BOOST_TEST(push_vote(queue, 1));
    BOOST_TEST(push_vote(queue, 2));
    BOOST_TEST(not push_vote(queue, 3));
    BOOST_TEST(queue.frames() == 3U);

    auto other = FrameQueue{{.bytes_max = 100'000, .frames_max = 3, .urgent_frames_max = 2}};
    while (push_vote(other, 1))
        continue;
    BOOST_TEST(other.below_half());
    for (auto count = 0; count < 3; ++count)
        BOOST_TEST(push(other, append_of(10)));
    BOOST_TEST(not push(other, append_of(10)));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::frame_reader_tests
