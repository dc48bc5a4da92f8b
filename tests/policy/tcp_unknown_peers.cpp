// SPDX-License-Identifier: BSL-1.0
// What the peer port holds, keeps and reveals when non-members and other processes connect to it.
#include "support/tcp.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

namespace totora::test::tcp_unknown_peers_tests
{
namespace
{

using boost::unit_test::label;

[[nodiscard]] Party unknown(std::uint64_t id) { return {ServerId{1000 + id}, Incarnation{1}}; }

/// A server, and connections to it that a test holds by hand.
struct Door
{
    explicit Door(TcpSettings settings = settings_of(party_2)) : two(context, std::move(settings)) {}

    RawPeer& connect()
    {
        auto& raw = peers.emplace_back(context);
        raw.connect(two.transport().address());
        return raw;
    }

    /// Connects from another address of this machine.
    RawPeer& connect_from(std::string_view here)
    {
        auto& raw = peers.emplace_back(context);
        raw.connect(two.transport().address(), here);
        return raw;
    }

    /// Connects and shakes hands.
    RawPeer& enter(Party from)
    {
        auto& raw = connect();
        BOOST_REQUIRE(raw.handshake(from, party_2));
        return raw;
    }

    /// A member, whom the server does not reach itself.
    void knows(Party member)
    {
        auto const unused = boost::asio::ip::tcp::acceptor{context, *parse_address("127.0.0.1:0")}.local_endpoint();
        two.transport().update(member.id, member.incarnation, print_address(unused));
    }

    /// How many of the connections the server has closed.
    [[nodiscard]] std::size_t closed()
    {
        return static_cast<std::size_t>(std::count_if(peers.begin(), peers.end(), [](RawPeer& raw) {
            raw.read();
            return raw.ended;
        }));
    }

    [[nodiscard]] TcpLoad load() { return two.transport().load(); }

    boost::asio::io_context context;
    TcpServer               two;
    std::deque<RawPeer>     peers;
};

/// What is sent of a frame with `size` bytes of entries that breaks off half way.
[[nodiscard]] std::vector<std::byte> half_frame(Party from, std::size_t size)
{
    auto const plan = EntryPlan{EntryKind::command, std::vector<std::byte>(size)};
    auto const append = make_append(Term{1}, Index{1}, {plan});
    auto const along = route(from, party_2);
    auto       stream = to_stream(to_frame(append.rpc, append.entries, along), along);
    stream.resize(stream.size() / 2);
    return stream;
}

[[nodiscard]] std::vector<std::byte> any_frame(Party from)
{
    return to_frame(RequestVote{.term = Term{1}, .last_log = {}}, {}, route(from, party_2));
}

BOOST_AUTO_TEST_SUITE(tcp_unknown_peers)

BOOST_AUTO_TEST_CASE(connections_that_send_nothing_are_replaced_by_a_member)
{
    auto few = settings_of(party_2);
    few.handshakes_max = 8;
    few.handshake_ms = 600'000;
    auto door = Door{few};
    for (auto count = 0; count < 40; ++count) {
        door.connect();
        run_a_little(door.context);
    }
    BOOST_TEST(until(door.context, [&] { return door.closed() == 32; }));

    door.enter(party_1);

    BOOST_TEST(until(door.context, [&] { return door.two.counters().connected == 1; }));
    BOOST_TEST(door.load().handshaking <= 8U);
    BOOST_TEST(door.two.counters().gave_way >= 32U);
}

BOOST_AUTO_TEST_CASE(a_late_greeting_of_a_member_outlasts_greetings_that_stop_halfway)
{
    auto few = settings_of(party_2);
    few.handshakes_max = 8;
    few.handshake_ms = 600'000;
    auto       door = Door{few};
    auto const hello = encode(route(party_1, party_2), Hello{});
    auto const begin_greetings = [&](int count) {
        while (count-- > 0) {
            door.connect().write(hello.bytes().first(10));
            run_a_little(door.context);
        }
    };
    begin_greetings(20);
    auto& member = door.connect();
    run_a_little(door.context);

    begin_greetings(7);

    BOOST_REQUIRE(member.handshake(party_1, party_2));
    BOOST_TEST(until(door.context, [&] { return door.two.counters().connected == 1; }));
}

BOOST_AUTO_TEST_CASE(a_member_that_has_accepted_hello_keeps_its_place_until_it_confirms)
{
    auto few = settings_of(party_2);
    few.handshakes_max = 8;
    few.handshake_ms = 600'000;
    auto  door = Door{few};
    auto& member = door.connect();
    member.write(encode(route(party_1, party_2), Hello{}));
    auto const answer = member.await_frame();
    BOOST_REQUIRE(answer.has_value());

    for (auto count = 0; count < 40; ++count) {
        door.connect();
        run_a_little(door.context);
    }

    member.write(encode(route(party_1, party_2), Confirmation{std::get<Hello>(answer->content).challenge}));
    BOOST_TEST(until(door.context, [&] { return door.two.counters().connected == 1; }));
}

BOOST_AUTO_TEST_CASE(a_faulty_address_takes_no_place_of_another)
{
    auto few = settings_of(party_2);
    few.handshakes_max = 8;
    few.handshake_ms = 600'000;
    auto  door = Door{few};
    auto& member = door.connect_from("127.0.0.2:0");
    run_a_little(door.context);

    for (auto count = 0; count < 40; ++count) {
        door.connect();
        run_a_little(door.context);
    }

    BOOST_REQUIRE(member.handshake(party_1, party_2));
    BOOST_TEST(until(door.context, [&] { return door.two.counters().connected == 1; }));
}

BOOST_AUTO_TEST_CASE(of_non_members_the_one_that_was_idle_longest_is_replaced)
{
    auto few = settings_of(party_2);
    few.unknown_max = 3;
    auto  door = Door{few};
    auto& idle = door.enter(unknown(1));
    auto& busy = door.enter(unknown(2));
    door.enter(unknown(3));
    BOOST_REQUIRE(until(door.context, [&] { return door.load().unknown == 3; }));
    idle.write(any_frame(unknown(1)));
    BOOST_REQUIRE(until(door.context, [&] { return door.two.take() == 1; }));
    busy.write(any_frame(unknown(2)));
    BOOST_REQUIRE(until(door.context, [&] { return door.two.take() == 2; }));

    door.enter(unknown(4));
    BOOST_TEST(door.peers[2].is_hung_up()); // It has sent nothing since its handshake.
    door.enter(unknown(5));
    BOOST_TEST(not busy.ended);
    BOOST_TEST(idle.is_hung_up());
    BOOST_TEST(until(door.context, [&] { return door.load().unknown == 3; }));
    BOOST_TEST(door.two.counters().gave_way == 2U);
    for (auto const* const who : {"server 1003 (incarnation 1)", "server 1001 (incarnation 1)"})
        BOOST_TEST(door.two.has_logged(std::string{who} +
                                       " from 127.0.0.1: was idle longest of the servers that are no known members"));
}

BOOST_AUTO_TEST_CASE(a_connection_replaced_or_closed_in_order_is_not_logged)
{
    auto  door = Door{};
    auto& first = door.enter(unknown(1));
    auto& second = door.enter(unknown(1));
    BOOST_TEST(first.is_hung_up());
    BOOST_REQUIRE(until(door.context, [&] { return door.load().unknown == 1; }));

    second.close();
    BOOST_REQUIRE(until(door.context, [&] { return door.load().unknown == 0; }));

    BOOST_TEST(door.two.counters().lost == 2U);
    BOOST_TEST(not door.two.has_logged("server 1001"));
}

BOOST_AUTO_TEST_CASE(an_unusual_end_after_the_handshake_is_logged_with_server_and_address)
{
    auto  door = Door{};
    auto& raw = door.enter(unknown(1));
    auto  damaged = any_frame(unknown(1));
    damaged.back() ^= std::byte{1};
    raw.write(damaged);

    BOOST_TEST(raw.is_hung_up());
    BOOST_TEST(door.two.has_logged("server 1001 (incarnation 1) from 127.0.0.1: received what is damaged"));
}

BOOST_AUTO_TEST_CASE(a_member_keeps_its_place_whatever_the_others_do)
{
    auto few = settings_of(party_2);
    few.unknown_max = 1;
    few.handshakes_max = 1;
    auto door = Door{few};
    door.knows(party_1);
    auto& member = door.enter(party_1);
    BOOST_REQUIRE(until(door.context, [&] { return door.load().known == 1; }));

    for (auto id = std::uint64_t{1}; id <= 5; ++id) {
        door.enter(unknown(id));
        BOOST_REQUIRE(until(door.context, [&] { return door.load().unknown == 1; }));
    }

    BOOST_TEST(door.load().known == 1U);
    member.read();
    BOOST_TEST(not member.ended);
}

BOOST_AUTO_TEST_CASE(a_server_that_is_no_member_and_sends_nothing_is_given_up_and_a_member_is_not)
{
    auto hasty = settings_of(party_2);
    hasty.unknown_idle_ms = 30;
    auto door = Door{hasty};
    door.knows(party_1);
    auto& member = door.enter(party_1);
    auto& idle = door.enter(unknown(1));

    BOOST_TEST(idle.is_hung_up());
    BOOST_TEST(door.two.has_logged("server 1001 (incarnation 1) from 127.0.0.1: is of no known member"));
    member.read();
    BOOST_TEST(not member.ended);
}

BOOST_AUTO_TEST_CASE(unfinished_frames_of_non_members_are_bounded_in_total)
{
    constexpr auto size = std::size_t{4} << 20U;
    auto           little = settings_of(party_2);
    little.unknown_bytes_max = 3 * size;
    auto door = Door{little};
    for (auto id = std::uint64_t{1}; id <= 16; ++id) {
        auto& raw = door.enter(unknown(id));
        raw.write(half_frame(unknown(id), size));
        auto const load = door.load();
        BOOST_TEST(load.unknown_unfinished_bytes <= little.unknown_bytes_max + FrameLimits{}.frame_bytes_max);
    }

    BOOST_TEST(door.closed() > 0U);
    BOOST_TEST(door.two.has_logged("held too much of an unfinished frame, and is of no known member"));
    BOOST_TEST(door.two.counters().unfinished_bytes_most > size);
    BOOST_TEST(door.two.counters().unfinished_bytes_most < 2 * little.unknown_bytes_max);
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_handshake_holds_no_more_than_a_greeting)
{
    auto       door = Door{};
    auto&      raw = door.connect();
    auto const half = half_frame(party_1, std::size_t{1} << 20U);
    raw.write(std::span{half}.first(40)); // Not even its header.
    BOOST_REQUIRE(until(door.context, [&] { return door.load().unfinished_bytes > 0; }));
    BOOST_TEST(door.load().unfinished_bytes <= 4096U);

    raw.write(std::span{half}.subspan(40));
    BOOST_TEST(raw.is_hung_up());
}

BOOST_AUTO_TEST_CASE(a_frame_that_stalls_halfway_ends_its_connection)
{
    auto hasty = settings_of(party_2);
    hasty.write_stall_ms = 50;
    auto  door = Door{hasty};
    auto& raw = door.enter(party_1);

    raw.write(half_frame(party_1, 1'000));

    BOOST_TEST(raw.is_hung_up());
    BOOST_TEST(door.two.counters().lost == 1U);
    BOOST_TEST(
        door.two.has_logged("server 1 (incarnation 11) from 127.0.0.1: a frame began to arrive and never ended"));
}

/// The number of the cluster is what keeps those out that were not meant to find it.
BOOST_AUTO_TEST_CASE(a_refusal_reveals_no_cluster_no_server_and_no_member)
{
    auto settings = settings_of(party_2);
    settings.first_members.push_back({ServerId{2}, first_incarnation, MemberKind::voter});
    auto  door = Door{settings};
    auto& raw = door.connect();
    auto  elsewhere = Route{cluster_of("elsewhere"), 0, unknown(1), {ServerId{77}, Incarnation{5}}};
    raw.write(encode(elsewhere, Hello{}));
    auto const answer = raw.await_frame();

    BOOST_REQUIRE(answer.has_value());
    auto const* const refusal = std::get_if<HandshakeError>(&answer->content);
    BOOST_REQUIRE(refusal != nullptr);
    BOOST_TEST((refusal->because == HandshakeFault::another_cluster));
    BOOST_TEST(refusal->what == "another cluster; for more, see the log of the server that refuses");
    BOOST_TEST((answer->route == Route{elsewhere.cluster, 0, elsewhere.addressee, elsewhere.sender}));
}

BOOST_AUTO_TEST_CASE(the_reason_sent_by_another_server_is_logged_as_one_line)
{
    auto  door = Door{};
    auto& raw = door.connect();
    raw.write(
        encode(route(party_1, party_2),
               HandshakeError{HandshakeFault::other, "first\nkv: leads in term 9\x1b[2J" + std::string(150, 'y')}));

    BOOST_TEST(raw.is_hung_up());
    BOOST_TEST(door.two.has_logged("refused: first?kv: leads in term 9?[2Jyyy"));
}

BOOST_AUTO_TEST_CASE(a_server_that_was_met_at_a_later_start_is_refused_and_named, *label("case_68"))
{
    auto hasty = settings_of(party_2);
    hasty.backoff_max_ms = 1; // Two that run are distinguished within ten of these.
    auto door = Door{hasty};
    BOOST_REQUIRE(door.connect().handshake(party_1, party_2, Life{7, 70}));
    BOOST_REQUIRE(until(door.context, [&] { return door.two.counters().connected == 1; }));

    auto const comes_back = [&] {
        auto& raw = door.connect();
        BOOST_TEST(raw.handshake(party_1, party_2, Life{1, 71}));
        BOOST_TEST(raw.is_hung_up());
        raw.close();
        run_a_little(door.context);
        return door.two.has_logged("comes from start 1 and was met at start 7: its disk was lost or set back");
    };

    BOOST_TEST(until(door.context, comes_back));
    BOOST_TEST(door.two.counters().connected == 1U);
}

BOOST_AUTO_TEST_CASE(a_refusal_that_the_other_side_does_not_read_is_still_logged)
{
    auto hasty = settings_of(party_2);
    hasty.handshake_ms = 30;
    auto door = Door{hasty};
    door.connect().write(encode(Route{cluster_of("elsewhere"), 0, party_1, party_2}, Hello{}));

    BOOST_TEST(until(door.context,
                     [&] { return door.two.has_logged("an incoming connection from 127.0.0.1: refused: server 1"); }));
}

/// The port of a server that is down is in the range from which the system takes ports for connections.
BOOST_AUTO_TEST_CASE(a_server_that_dials_itself_drops_the_connection_at_once)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto socket = boost::asio::ip::tcp::socket{context};
    socket.open(boost::asio::ip::tcp::v4());
    socket.set_option(boost::asio::socket_base::reuse_address(true));
    socket.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
    auto const own = socket.local_endpoint();
    socket.connect(own); // To itself: the system allows that.

    BOOST_TEST(reaches_itself(socket));
    auto other = boost::asio::ip::tcp::socket{context};
    other.connect(*parse_address(one.transport().address()));
    BOOST_TEST(not reaches_itself(other));
    socket.set_option(boost::asio::socket_base::linger(true, 0));
    socket.close();

    auto again = boost::asio::ip::tcp::acceptor{context};
    again.open(boost::asio::ip::tcp::v4());
    auto error = boost::system::error_code{};
    again.bind(own, error);
    BOOST_TEST(not error, error.message());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace totora::test::tcp_unknown_peers_tests
