#include "support/failing_allocations.hpp"
#include "support/tcp.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace totora::test::tcp_transport_tests
{

using boost::unit_test::label;

namespace
{

Rpc vote_request(std::uint64_t term) { return RequestVote{.term = Term{term}, .last_log = {}}; }

Rpc vote(std::uint64_t term) { return RequestVoteResponse{.term = Term{term}, .vote_granted = true}; }

} // namespace

BOOST_AUTO_TEST_SUITE(tcp_transport)

BOOST_AUTO_TEST_CASE(two_servers_connect_and_communicate_in_order)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());

    for (auto term = std::uint64_t{1}; term <= 100; ++term)
        pair.one.send(party_2, vote_request(term));
    pair.two.send(party_1, vote(7));

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 100 and pair.one.take() == 1; }));
    for (auto term = std::uint64_t{1}; term <= 100; ++term)
        BOOST_TEST((pair.two.messages[term - 1].rpc == vote_request(term)));
    BOOST_TEST((pair.two.messages[0].from == party_1.id));
    BOOST_TEST((pair.one.messages[0].rpc == vote(7)));
    BOOST_TEST((pair.one.links == std::vector{LinkChanged{party_2.id, Link::open}}));
    BOOST_TEST(pair.one.counters().connected == 2U); // Its own connection and that of the other.
}

BOOST_AUTO_TEST_CASE(the_messages_of_a_turn_leave_together)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());
    auto const writes_before = pair.one.counters().writes;

    for (auto term = std::uint64_t{1}; term <= 30; ++term)
        pair.one.send(party_2, vote_request(term));

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 30; }));
    BOOST_TEST(pair.one.counters().writes == writes_before + 1);
}

BOOST_AUTO_TEST_CASE(the_wake_up_is_called_when_something_has_arrived)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());
    auto woken = 0;
    pair.two.transport().set_wake([&] { ++woken; });
    BOOST_TEST(woken == 0);

    pair.one.send(party_2, vote_request(1));
    BOOST_REQUIRE(until(pair.context, [&] { return woken > 0; }));
    BOOST_TEST(pair.two.take() == 1U);

    pair.one.send(party_2, vote_request(2));
    BOOST_REQUIRE(until(pair.context, [&] { return woken == 2; }));
}

BOOST_AUTO_TEST_CASE(a_message_to_a_server_that_is_not_connected_is_lost_and_counted)
{
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings_of(party_1)};

    one.send(party_2, vote_request(1));
    one.transport().update(party_2.id, party_2.incarnation, "127.0.0.1:1");
    one.send(party_2, vote_request(2));

    BOOST_TEST(one.counters().dropped_unconnected == 2U);
    BOOST_TEST(until(context, [&] { return one.counters().retries > 2; }));
    BOOST_TEST(one.take() == 0U);
    BOOST_TEST(one.links.empty());
}

/// A transport goes when memory has run out, too, and what a destructor throws ends the program.
BOOST_AUTO_TEST_CASE(a_transport_ends_without_memory)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());

    allocations() = {.fails_at = 0, .lasts = true};
    BOOST_CHECK_NO_THROW(watching_allocations([&] { pair.one.transport().close(); }));
    BOOST_TEST(allocations().count == 0U);
    allocations() = {};

    BOOST_TEST(until(pair.context, [&] { return pair.two.link_is(party_1, Link::unreachable); }));
}

BOOST_AUTO_TEST_CASE(large_payloads_arrive_byte_for_byte)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());
    auto plans = std::vector<EntryPlan>{};
    for (auto const size :
         {std::size_t{0}, std::size_t{1}, std::size_t{7} << 20U, std::size_t{5} << 20U, std::size_t{100}}) {
        auto payload = std::vector<std::byte>(size);
        for (auto at = std::size_t{0}; at < size; ++at)
            payload[at] = static_cast<std::byte>((at * 2654435761U) >> 13U & 0xFFU);
        plans.push_back({EntryKind::command, payload});
    }
    for (auto at = 0; at < 300; ++at) // More slices than one call to the operating system takes.
        plans.push_back({EntryKind::command, std::vector<std::byte>(200, static_cast<std::byte>(at & 0xFF))});
    auto const append = make_append(Term{7}, Index{41}, plans);

    pair.one.send(party_2, append.rpc, append.entries);

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 1; }));
    auto const& received = pair.two.messages[0];
    BOOST_TEST((received.rpc == Rpc{append.rpc}));
    BOOST_REQUIRE(received.entries.count() == plans.size());
    auto expected = append.entries.begin();
    auto equal = true;
    for (auto const& entry : received.entries) {
        auto const sent = (*expected).encoded;
        equal = equal and std::equal(entry.encoded.begin(), entry.encoded.end(), sent.begin(), sent.end());
        ++expected;
    }
    BOOST_TEST(equal);
    BOOST_TEST(pair.two.counters().bytes_received >= 12U << 20U);
}

BOOST_AUTO_TEST_CASE(a_queued_payload_is_pinned_exactly_until_it_is_written, *label("case_82"))
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());

    auto watch = std::weak_ptr<void const>{};
    {
        auto const append =
            make_append(Term{3}, Index{5}, {{EntryKind::command, std::vector<std::byte>(4U << 20U, std::byte{3})}});
        watch = append.entries.slice(0).pin;
        pair.one.send(party_2, append.rpc, append.entries);
    }
    BOOST_TEST(not watch.expired()); // The log that it came from is destroyed, the bytes are not.

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 1; }));
    BOOST_TEST(watch.expired());
    for (auto const& entry : pair.two.messages[0].entries)
        BOOST_TEST((entry.payload.back() == std::byte{3}));
}

BOOST_AUTO_TEST_CASE(a_full_inbox_stops_reading_and_loses_nothing)
{
    auto narrow = settings_of(party_2);
    narrow.inbox_events_max = 8;
    auto pair = Pair{settings_of(party_1), narrow};
    BOOST_REQUIRE(pair.connected());
    BOOST_REQUIRE(until(pair.context, [&] { // What is announced by either connection has a place too.
        pair.two.take();
        return pair.two.announced.size() == 2;
    }));

    for (auto term = std::uint64_t{1}; term <= 200; ++term)
        pair.one.send(party_2, vote_request(term));
    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.counters().frames_received >= 8; }));
    pair.context.poll();
    BOOST_TEST(pair.two.counters().frames_received == 8U);

    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 200; }));
    for (auto term = std::uint64_t{1}; term <= 200; ++term)
        BOOST_TEST((pair.two.messages[term - 1].rpc == vote_request(term)));
}

BOOST_AUTO_TEST_CASE(the_connection_to_a_forgotten_or_moved_server_ends)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());

    pair.one.transport().update(party_2.id, party_2.incarnation, {});
    BOOST_TEST(pair.one.link_is(party_2, Link::unreachable));
    pair.one.send(party_2, vote_request(1));
    BOOST_TEST(pair.one.counters().dropped_unconnected == 1U);

    pair.one.knows(party_2, pair.two);
    BOOST_TEST(until(pair.context, [&] { return pair.one.link_is(party_2, Link::open); }));

    auto elsewhere = TcpServer{pair.context, settings_of(party_2)};
    pair.one.knows(party_2, elsewhere);
    BOOST_TEST(pair.one.link_is(party_2, Link::unreachable));
    BOOST_TEST(until(pair.context, [&] { return pair.one.link_is(party_2, Link::open); }));
    BOOST_TEST(pair.one.transport().peers().at(0).address == elsewhere.transport().address());
}

BOOST_AUTO_TEST_CASE(a_removed_server_is_connected_no_more_and_not_dialed)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());
    pair.one.send(party_2, vote_request(1));
    BOOST_REQUIRE(until(pair.context, [&] { return pair.two.take() == 1; }));

    pair.one.transport().remove(party_2.id);

    BOOST_TEST(pair.one.link_is(party_2, Link::unreachable));
    BOOST_TEST(pair.one.transport().peers().empty());
    BOOST_TEST(until(pair.context, [&] { return pair.two.counters().lost > 0; }));
    pair.one.transport().remove(party_2.id); // Of a server that is not known nothing happens.
    pair.one.send(party_2, vote_request(2));
    BOOST_TEST(pair.one.counters().dropped_unconnected == 1U);
    BOOST_TEST(pair.one.counters().retries == 0U);
}

BOOST_AUTO_TEST_CASE(a_closed_transport_leaves_no_pending_handler)
{
    auto pair = Pair{};
    BOOST_REQUIRE(pair.connected());
    pair.one.send(party_2, vote_request(1));
    pair.one.transport().close();
    pair.two.transport().close();

    pair.context.restart();
    pair.context.run(); // Returns, because no timer, socket or acceptor is waited for any more.
    BOOST_TEST(pair.context.stopped());
    pair.one.send(party_2, vote_request(2));
    BOOST_TEST(not pair.one.transport().receive().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::tcp_transport_tests
