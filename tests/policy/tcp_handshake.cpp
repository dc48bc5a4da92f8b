#include "support/tcp.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace totora::test::tcp_handshake_tests
{

using boost::unit_test::label;

namespace
{

Rpc vote_request(std::uint64_t term) { return RequestVote{.term = Term{term}, .last_log = {}}; }

Rpc vote(std::uint64_t term) { return RequestVoteResponse{.term = Term{term}, .vote_granted = true}; }

} // namespace

BOOST_AUTO_TEST_SUITE(tcp_handshake)

BOOST_AUTO_TEST_CASE(a_server_that_returns_is_connected_again)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto two = std::make_unique<TcpServer>(context, settings_of(party_2));
    one.knows(party_2, *two);
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::open); }));

    auto again = settings_of(party_2);
    again.listen = two->transport().address();
    two.reset();
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::unreachable); }));
    one.send(party_2, vote_request(1));

    two = std::make_unique<TcpServer>(context, again);
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::open); }));
    one.send(party_2, vote_request(2));
    BOOST_REQUIRE(until(context, [&] { return two->take() == 1; }));
    BOOST_TEST((two->messages[0].rpc == vote_request(2)));
    BOOST_TEST(one.counters().lost == 1U);
    BOOST_TEST(one.counters().dropped_unconnected == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_server_can_is_known_before_and_after_it_can_more, *label("case_110"))
{
    auto       pair = Pair{};
    auto const is_notified = [&](TcpServer& server, Announced const& last) {
        return until(pair.context, [&] {
            server.take();
            return not server.announced.empty() and server.announced.back() == last;
        });
    };
    BOOST_TEST(is_notified(pair.one, {party_2.id, Abilities{}}));
    BOOST_TEST(is_notified(pair.two, {party_1.id, Abilities{}}));

    auto more = Abilities{};
    more.machine = 7;
    pair.two.transport().announce(more);
    BOOST_TEST(is_notified(pair.one, {party_2.id, more}), "on connections that are made again");
    auto const lost = pair.two.counters().lost;
    pair.two.transport().announce(more);
    BOOST_TEST(pair.two.counters().lost == lost, "but not for what is known");
}

BOOST_AUTO_TEST_CASE(another_cluster_is_refused_without_details)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto foreign = settings_of(party_2);
    foreign.cluster = cluster_of("another cluster");
    auto two = TcpServer{context, foreign};
    one.knows(party_2, two);

    BOOST_REQUIRE(until(context, [&] { return one.counters().handshakes_refused >= 3; }));

    BOOST_TEST(
        two.has_logged("refused: server 1 (incarnation 11) is of another cluster than server 2 (incarnation 22)"));
    BOOST_TEST(one.has_logged("refused: another cluster; for more, see the log of the server that refuses"));
    BOOST_TEST(not one.has_logged("is of another cluster than"));
    BOOST_TEST(two.counters().handshakes_refused >= 3U);
    BOOST_TEST(one.counters().connected == 0U);
    BOOST_TEST(one.take() == 0U);
    BOOST_TEST(one.links.empty());
    auto const peers = one.transport().peers();
    BOOST_REQUIRE(peers.size() == 1U);
    BOOST_TEST((peers[0].party == party_2));
    BOOST_TEST(peers[0].address == two.transport().address());
    BOOST_TEST((not peers[0].open and not peers[0].full));
}

BOOST_AUTO_TEST_CASE(a_server_of_another_cluster_at_an_address_is_refused_until_the_right_one_is_back,
                     *label("case_96"))
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto foreign = settings_of(party_2);
    foreign.cluster = cluster_of("another cluster");
    auto two = std::make_unique<TcpServer>(context, foreign);
    auto right = settings_of(party_2);
    right.listen = two->transport().address();
    one.knows(party_2, *two);
    BOOST_REQUIRE(until(context, [&] { return one.counters().handshakes_refused >= 2; }));
    BOOST_TEST(until(context, [&] { return one.transport().peers()[0].refused; }));
    BOOST_TEST(one.transport().peers()[0].what.find("refused: another cluster") != std::string::npos);

    two.reset();
    two = std::make_unique<TcpServer>(context, right);

    BOOST_TEST(until(context, [&] { return one.link_is(party_2, Link::open); }));
    auto const peers = one.transport().peers();
    BOOST_TEST((peers[0].open and not peers[0].refused));
}

BOOST_AUTO_TEST_CASE(another_incarnation_is_refused_until_update_names_it)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto two = TcpServer{context, settings_of(party_2)};
    one.knows({party_2.id, Incarnation{21}}, two);

    BOOST_REQUIRE(until(context, [&] { return one.counters().handshakes_refused >= 2; }));
    auto const line =
        "server 1 (incarnation 11) looks for server 2 (incarnation 21) and found server 2 (incarnation 22)";
    BOOST_TEST(one.has_logged(line));
    BOOST_TEST(two.has_logged(line));

    one.knows(party_2, two);
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::open); }));
}

BOOST_AUTO_TEST_CASE(servers_with_unequal_limits_refuse_each_other_with_the_reason, *label("case_84"))
{
    auto smaller = settings_of(party_2);
    smaller.limits.entry_bytes_max = 1000;
    auto pair = Pair{settings_of(party_1), smaller};

    BOOST_REQUIRE(until(pair.context, [&] {
        return pair.one.has_logged("entry_bytes_max is") and pair.two.has_logged("entry_bytes_max is");
    }));
    BOOST_TEST(pair.one.counters().connected == 0U);
    BOOST_TEST(pair.two.counters().connected == 0U);
}

BOOST_AUTO_TEST_CASE(an_entry_of_exactly_the_limit_is_carried_in_the_smallest_frame_that_may_be_negotiated,
                     *label("case_84"))
{
    auto first = settings_of(party_1);
    first.limits.entry_bytes_max = 3000;
    auto second = first;
    second.self = party_2;
    second.limits.frame_bytes_max = static_cast<std::uint32_t>(frame_bytes_for(3000));
    auto pair = Pair{first, second};
    BOOST_REQUIRE(pair.connected());

    auto const largest = make_append(Term{1}, Index{1}, {{EntryKind::command, std::vector<std::byte>(3000)}});
    auto const longer =
        make_append(Term{1}, Index{1}, {{EntryKind::command, std::vector<std::byte>(3001 + 8 + 16 * 17)}});
    pair.one.send(party_2, longer.rpc, longer.entries);
    pair.one.send(party_2, largest.rpc, largest.entries);

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 1; }));
    BOOST_TEST((pair.two.messages[0].rpc == Rpc{largest.rpc}));
    BOOST_TEST(pair.one.counters().dropped_oversized == 1U);
    BOOST_TEST(pair.one.has_logged("longer than the frames agreed"));
}

BOOST_AUTO_TEST_CASE(an_unknown_server_receives_responses_on_its_own_connection)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto two = TcpServer{context, settings_of(party_2)};
    one.knows(party_2, two); // A leader has the new server's address, which does not have the leader's.
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::open); }));

    one.send(party_2, vote_request(1));
    BOOST_REQUIRE(until(context, [&] { return two.take() == 1; }));
    two.send(party_1, vote(1));

    BOOST_REQUIRE(until(context, [&] { return one.take() == 1; }));
    BOOST_TEST((one.messages[0].rpc == vote(1)));
    BOOST_TEST((one.messages[0].from == party_2.id));
}

BOOST_AUTO_TEST_CASE(a_server_that_is_no_member_any_more_is_answered_on_its_own_connection, *label("case_101"))
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());
    pair.two.send(party_1, vote_request(1)); // As long as it is a member, the answer goes over the connection to it.
    BOOST_REQUIRE(until(pair.context, [&] { return pair.one.take() == 1; }));
    pair.one.transport().remove(party_2.id);

    pair.two.send(party_1, Rpc{RequestPreVote{Term{2}, {}, Round{9}}});
    BOOST_REQUIRE(until(pair.context, [&] { return pair.one.take() == 2; }));
    auto response = RequestPreVoteResponse{};
    response.round = Round{9};
    response.not_a_member = {Term{1}, Index{7}};
    pair.one.send(party_2, Rpc{response});

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 1; }));
    BOOST_TEST((pair.two.messages[0].rpc == Rpc{response}));
    BOOST_TEST((pair.two.messages[0].from == party_1.id));
}

BOOST_AUTO_TEST_CASE(another_incarnation_of_a_known_server_is_served_but_its_responses_do_not_count)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto two = TcpServer{context, settings_of(party_2)};
    two.knows(party_1, one);
    one.knows({party_2.id, Incarnation{21}}, two); // The previous incarnation.
    BOOST_REQUIRE(until(context, [&] { return two.link_is(party_1, Link::open); }));

    two.send(party_1, vote(1));
    two.send(party_1, vote_request(2));
    BOOST_REQUIRE(until(context, [&] { return one.take() == 1; }));
    BOOST_TEST((one.messages[0].rpc == vote_request(2)));
    BOOST_TEST(one.counters().refused_as(FrameError::another_sender) == 1U);

    one.send(party_2, vote(2)); // To the incarnation that requested it.
    BOOST_REQUIRE(until(context, [&] { return two.take() == 1; }));
    BOOST_TEST((two.messages[0].rpc == vote(2)));
}

BOOST_AUTO_TEST_CASE(a_port_in_use_and_a_wrong_address_are_errors_with_the_reason)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};
    auto second = settings_of(party_2);
    second.listen = one.transport().address();
    auto const in_use = TcpTransport::open(context, second);
    BOOST_REQUIRE(not in_use.has_value());
    BOOST_TEST(in_use.error().what == "cannot listen at " + second.listen + ": Address already in use");

    for (auto const* wrong : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:7x", "::1:80", "[::1:80"}) {
        second.listen = wrong;
        BOOST_TEST(not TcpTransport::open(context, second).has_value(), wrong);
    }
}

BOOST_AUTO_TEST_CASE(a_server_is_found_by_name)
{
    auto       context = boost::asio::io_context{};
    auto       one = TcpServer{context, settings_of(party_1)};
    auto       two = TcpServer{context, settings_of(party_2)};
    auto const address = two.transport().address();
    one.transport().update(party_2.id, party_2.incarnation, "localhost" + address.substr(address.rfind(':')));
    BOOST_TEST(until(context, [&] { return one.link_is(party_2, Link::open); }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::tcp_handshake_tests
