#include "support/tcp.hpp"
#include "totora/transport/tcp/probe_peer.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace totora::test::tcp_probe_tests
{
namespace
{

using boost::unit_test::label;

/// What server 1 finds at an address.
struct Fixture
{
    [[nodiscard]] ProbeOutcome probe(ServerId id, std::string_view address)
    {
        auto outcome = std::optional<ProbeOutcome>{};
        probe_peer(context, settings, id, address, [&](ProbeOutcome found) { outcome = std::move(found); });
        BOOST_REQUIRE(until(context, [&] { return outcome.has_value(); }));
        return *std::move(outcome);
    }

    [[nodiscard]] std::string complaint(ServerId id, std::string_view address)
    {
        auto const outcome = probe(id, address);
        return outcome ? std::string{} : outcome.error();
    }

    boost::asio::io_context context;
    TcpSettings             settings = settings_of(party_1);
};

/// Listens, and is accepted by nobody until the test does.
struct Door
{
    explicit Door(boost::asio::io_context& context) : acceptor(context, {boost::asio::ip::address_v4::loopback(), 0}) {}

    [[nodiscard]] std::string address() const { return print_address(acceptor.local_endpoint()); }

    boost::asio::ip::tcp::acceptor acceptor;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(tcp_probe, Fixture)

BOOST_AUTO_TEST_CASE(a_server_that_nobody_knows_announces_its_incarnation_and_no_connection_comes_of_it)
{
    auto two = TcpServer{context, settings_of(party_2)};

    auto const found = probe(party_2.id, two.transport().address());

    BOOST_REQUIRE_MESSAGE(found.has_value(), found.error());
    BOOST_TEST((found->party == party_2));
    BOOST_TEST((found->cluster == any_cluster));
    BOOST_TEST((found->limits == FrameLimits{}));
    BOOST_TEST(until(context, [&] { return two.transport().load().handshaking == 0; }));
    BOOST_TEST(two.counters().connected == 0U);
    BOOST_TEST(two.counters().handshakes_refused == 0U);
    BOOST_TEST(two.has_logged("server 1 (incarnation 11) asked which incarnation runs here"));
    two.take();
    BOOST_TEST(two.links.empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_be_a_member_is_named_with_the_reason, *label("case_95"))
{
    auto       two = TcpServer{context, settings_of(party_2)};
    auto const address = two.transport().address();

    BOOST_TEST(complaint(ServerId{3}, address) ==
               "it refuses: server 1 (incarnation 11) looks for server 3 and found server 2 (incarnation 22)");
    settings.limits.entry_bytes_max = 1000;
    BOOST_TEST(complaint(party_2.id, address).find("entry_bytes_max is ") != std::string::npos);
    settings.cluster = ClusterId{1};
    BOOST_TEST(complaint(party_2.id, address).starts_with("it refuses: another cluster"));
}

BOOST_AUTO_TEST_CASE(a_server_of_another_version_is_refused)
{
    auto door = Door{context};
    auto outcome = std::optional<ProbeOutcome>{};
    probe_peer(context, settings, party_2.id, door.address(), [&](ProbeOutcome found) { outcome = std::move(found); });
    auto raw = RawPeer{context};
    raw.adopt(door.acceptor.accept());
    auto const asked = raw.await_frame();
    BOOST_REQUIRE(asked.has_value());
    BOOST_TEST((asked->route == route(party_1, {party_2.id, unknown_incarnation})));

    raw.write(encode(route(party_2, party_1), hello_of(7, 8)));

    BOOST_REQUIRE(until(context, [&] { return outcome.has_value(); }));
    BOOST_REQUIRE(not outcome->has_value());
    BOOST_TEST(outcome->error() ==
               "server 2 (incarnation 22) speaks versions 7 to 8, server 1 (incarnation 11) 1 to 1");
    BOOST_TEST(raw.is_hung_up());
}

BOOST_AUTO_TEST_CASE(what_is_no_server_of_ours_is_reported_in_time)
{
    auto       door = Door{context};
    auto const silent = door.address();
    settings.handshake_ms = 20;
    BOOST_TEST(complaint(party_2.id, silent) == "nobody answers there in time");
    settings.handshake_ms = 2000;

    auto outcome = std::optional<ProbeOutcome>{};
    auto speaking = Door{context};
    probe_peer(context, settings, party_2.id, speaking.address(), [&](ProbeOutcome end) { outcome = std::move(end); });
    auto       raw = RawPeer{context};
    auto const text =
        std::string_view{"HTTP/1.1 400 Bad Request\r\nServer: something else, with a long enough name\r\n\r\n"};
    raw.adopt(speaking.acceptor.accept());
    raw.write(std::as_bytes(std::span{text}));
    BOOST_REQUIRE(until(context, [&] { return outcome.has_value(); }));
    BOOST_TEST(outcome->error() == "what answers there is not a frame of totora");

    door.acceptor.close();
    BOOST_TEST(complaint(party_2.id, silent) == "Connection refused");
    for (auto const* const wrong : {"", "7001", "host:", "host:x"})
        BOOST_TEST(complaint(party_2.id, wrong) == "this is no host and port", wrong);
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up)
{
    auto       two = TcpServer{context, settings_of(party_2)};
    auto const address = two.transport().address();
    settings.find_addresses = [](std::string const& host) {
        return host == "two.example" ? FoundAddresses{{"127.0.0.1"}, {}} : FoundAddresses{{}, "no such name"};
    };

    BOOST_TEST(probe(party_2.id, "two.example" + address.substr(address.rfind(':'))).has_value());
    BOOST_TEST(complaint(party_2.id, "three.example:1") == "no such name");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::tcp_probe_tests
