#include "support/frames.hpp"

#include <boost/test/unit_test.hpp>

#include <range/v3/view/cartesian_product.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace totora::test::round_trip_tests
{
namespace
{

constexpr auto extremes = std::array<std::uint64_t, 6>{0, 1, 0xFF, 0x0102030405060708, number_max - 1, number_max};
constexpr auto no_and_yes = std::array{false, true};

/// Whether a message arrives as it left.
bool survives(Rpc const& rpc)
{
    auto const frame = read_frame(to_frame(rpc));
    return frame and frame->route == route_1_to_2 and std::get<Rpc>(frame->content) == rpc and frame->entries.empty();
}

std::vector<std::byte> encoded_bytes(Entries const& entries)
{
    auto bytes = std::vector<std::byte>{};
    for (auto const& entry : entries)
        bytes.insert(bytes.end(), entry.encoded.begin(), entry.encoded.end());
    return bytes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(round_trip)

BOOST_AUTO_TEST_CASE(every_message_arrives_as_it_left, *boost::unit_test::label("case_78"))
{
    for (auto const [a, b, yes] : ranges::views::cartesian_product(extremes, extremes, no_and_yes)) {
        auto const position = LogPosition{Term{b}, Index{a}};
        BOOST_TEST(survives(RequestPreVote{Term{a}, position, Round{b}}));
        BOOST_TEST(survives(AppendEntries{.term = Term{a},
                                          .previous = position,
                                          .entries = {Term{b}, Index{a}, 0},
                                          .leader_commit = Index{b},
                                          .round = Round{a},
                                          .number = AppendNumber{b},
                                          .committed = Index{a}}));
        BOOST_TEST(survives(InstallSnapshot{Term{a}, {position, b, a}, a, 0}));
        BOOST_TEST(survives(InstallSnapshotResponse{Term{b}, {position, a, b}, b, Index{a}}));
        BOOST_TEST(survives(RequestPreVoteResponse{Term{a}, Round{b}, yes, position}));
        BOOST_TEST(survives(TimeoutNow{Term{b}, position}));
        BOOST_TEST(survives(RequestVote{Term{a}, position, yes}));
        BOOST_TEST(survives(RequestVoteResponse{Term{b}, yes}));
        BOOST_TEST(
            survives(AppendEntriesResponse{Term{a}, yes, Index{b}, position, Round{a}, AppendNumber{b}, not yes}));
    }
}

BOOST_AUTO_TEST_CASE(entries_arrive_byte_for_byte_and_are_not_copied)
{
    auto const append = make_append(Term{7}, Index{41},
                                    {{EntryKind::no_op, {}},
                                     {EntryKind::command, {}},
                                     {EntryKind::command, bytes_of("payload")},
                                     {EntryKind::command, std::vector<std::byte>(3U << 20U, std::byte{0xA5})}});
    auto const block = std::make_shared<std::vector<std::byte>>(to_frame(append.rpc, append.entries));

    auto const frame = decode(*block, block);

    BOOST_REQUIRE(frame.has_value());
    BOOST_TEST((std::get<Rpc>(frame->content) == Rpc{append.rpc}));
    BOOST_TEST(frame->entries.count() == 4U);
    BOOST_TEST((encoded_bytes(frame->entries) == encoded_bytes(append.entries)));
    auto const* const first = frame->entries.slice(0).bytes.data();
    BOOST_TEST((first > block->data() and first < block->data() + block->size()));
}

BOOST_AUTO_TEST_CASE(a_chunk_arrives_byte_for_byte_and_is_not_copied, *boost::unit_test::label("7"))
{
    auto const bytes = std::make_shared<std::vector<std::byte>>(100'000, std::byte{0x5A});
    auto const rpc = InstallSnapshot{Term{7}, {{Term{6}, Index{40}}, 300'000, 9}, 65'536, bytes->size()};
    auto const block = std::make_shared<std::vector<std::byte>>(chunk_to_frame(rpc, {bytes, *bytes}));

    auto const frame = decode(*block, block);

    BOOST_REQUIRE(frame.has_value());
    BOOST_TEST((std::get<Rpc>(frame->content) == Rpc{rpc}));
    BOOST_TEST(frame->entries.empty());
    BOOST_TEST((std::vector(frame->chunk.bytes.begin(), frame->chunk.bytes.end()) == *bytes));
    BOOST_TEST((frame->chunk.bytes.data() + bytes->size() == block->data() + block->size()));
    BOOST_TEST((frame->chunk.pin == block));
}

BOOST_AUTO_TEST_CASE(entries_outlive_the_frame_that_brought_them, *boost::unit_test::label("case_82"))
{
    auto const append = make_append(Term{7}, Index{41}, {{EntryKind::command, bytes_of("payload")}});
    auto       block = std::make_shared<std::vector<std::byte>>(to_frame(append.rpc, append.entries));
    auto const watch = std::weak_ptr{block};

    auto entries = decode(*block, block)->entries;
    block.reset();

    BOOST_TEST(not watch.expired());
    BOOST_TEST((encoded_bytes(entries) == encoded_bytes(append.entries)));
    entries = Entries{};
    BOOST_TEST(watch.expired());
}

BOOST_AUTO_TEST_CASE(entries_at_the_end_of_all_numbers_arrive, *boost::unit_test::label("case_78"))
{
    auto const append = make_append(Term{number_max}, Index{number_max - 1},
                                    {{EntryKind::command, bytes_of("last but one")}, {EntryKind::command, {}}});
    auto const frame = read_frame(to_frame(append.rpc, append.entries));

    BOOST_REQUIRE(frame.has_value());
    BOOST_TEST((std::get<Rpc>(frame->content) == Rpc{append.rpc}));
}

BOOST_AUTO_TEST_CASE(a_configuration_of_any_size_arrives, *boost::unit_test::label("6"))
{
    for (auto members = std::size_t{1}; members <= servers_max; ++members) {
        auto const append = make_configuration_append(Term{7}, Index{41}, members);
        auto const frame = read_frame(to_frame(append.rpc, append.entries));
        BOOST_REQUIRE(frame.has_value());
        BOOST_TEST((std::get<Rpc>(frame->content) == Rpc{append.rpc}));
        auto const arrived = decode_configuration(*std::next(frame->entries.begin()));
        auto       expected = configuration_of(Index{42}, make_peers(members));
        expected->agreed = agreed_in_frames;
        BOOST_TEST((arrived == expected));
    }
}

BOOST_AUTO_TEST_CASE(a_handshake_arrives_as_it_left)
{
    auto hello = hello_of(0, 255, {UINT32_MAX, 0, 1});
    hello.features = {.may_ignore = UINT64_MAX, .must_understand = 1};
    hello.life = {.start = UINT64_MAX, .process = 2};
    hello.challenge = 3;
    hello.first_members = members_of(make_peers(servers_max));
    auto const confirmation = Confirmation{UINT64_MAX};
    auto const refusal = HandshakeError{HandshakeFault::unequal_limits, std::string(text_size_max, 'x')};
    auto const read = [](FrameHead const& head) { return read_frame({head.bytes().begin(), head.bytes().end()}); };

    BOOST_TEST((std::get<Hello>(read(encode(route_1_to_2, hello))->content) == hello));
    BOOST_TEST((std::get<Hello>(read(encode(route_1_to_2, Hello{}))->content) == Hello{}));
    BOOST_TEST((std::get<Confirmation>(read(encode(route_1_to_2, confirmation))->content) == confirmation));
    BOOST_TEST((std::get<HandshakeError>(read(encode(route_1_to_2, refusal))->content) == refusal));
}

/// A later version may have larger clusters, and must still be sent the reason why it is refused.
BOOST_AUTO_TEST_CASE(a_greeting_of_more_members_than_this_version_has_is_read)
{
    auto hello = Hello{};
    hello.first_members = members_of(make_peers(servers_max));
    auto const head = encode(route_1_to_2, hello);
    auto       bytes = std::vector<std::byte>(head.bytes().begin(), head.bytes().end());
    bytes[frame_header_size + 62] = std::byte{servers_max + 1};
    bytes.insert(bytes.end(), 17, std::byte{0});
    for (auto const offset : {8U, 12U})
        put(bytes.data() + offset, static_cast<std::uint32_t>(bytes.size() - frame_header_size));
    reseal(bytes);

    auto const frame = read_frame(bytes);

    BOOST_REQUIRE(frame.has_value());
    BOOST_TEST((std::get<Hello>(frame->content) == hello));
}

BOOST_AUTO_TEST_CASE(a_frame_has_the_version_that_its_receiver_reads)
{
    auto const vote = Rpc{RequestVote{.term = Term{1}, .last_log = {}}};
    auto const head = *encode(route_1_to_2, vote, {}, UINT32_MAX, 2);
    BOOST_TEST((head.bytes()[4] == std::byte{2}));
    BOOST_TEST((encode(route_1_to_2, Piece{0, 100'000}, 100, 2).bytes()[4] == std::byte{2}));
}

BOOST_AUTO_TEST_CASE(a_text_is_cut_to_what_a_frame_holds_and_made_printable)
{
    auto const head = encode(route_1_to_2, HandshakeError{HandshakeFault::other, "\x1b[2J\n" + std::string(1000, 'x')});
    auto const frame = read_frame({head.bytes().begin(), head.bytes().end()});
    auto const what = std::get<HandshakeError>(frame->content).what;

    BOOST_TEST(what == "?[2J?" + std::string(text_size_max - 5, 'x'));
}

BOOST_AUTO_TEST_CASE(a_frame_longer_than_the_limit_is_not_made, *boost::unit_test::label("case_84"))
{
    auto const append = make_append(Term{7}, Index{41}, {{EntryKind::command, std::vector<std::byte>(1000)}});
    auto const whole = static_cast<std::uint32_t>(to_frame(append.rpc, append.entries).size());

    BOOST_TEST(encode(route_1_to_2, append.rpc, append.entries, whole).has_value());
    auto const refused = encode(route_1_to_2, append.rpc, append.entries, whole - 1);
    BOOST_REQUIRE(not refused.has_value());
    BOOST_TEST((refused.error() == FrameError::oversized));
}

BOOST_AUTO_TEST_CASE(the_largest_entry_fits_into_a_frame_of_the_length_given_for_it,
                     *boost::unit_test::label("case_84"))
{
    auto const append = make_append(Term{7}, Index{41}, {{EntryKind::command, std::vector<std::byte>(5000)}});

    BOOST_TEST(to_frame(append.rpc, append.entries).size() == frame_bytes_for(5000));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::round_trip_tests
