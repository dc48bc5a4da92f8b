// SPDX-License-Identifier: BSL-1.0
#include "support/tcp.hpp"
#include "totora/transport/tcp/backoff.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace totora::test::tcp_settings_tests
{
namespace
{

constexpr auto endless = std::numeric_limits<std::uint64_t>::max();

Rpc vote_request() { return RequestVote{.term = Term{1}, .last_log = {}}; }

/// Why a transport with these settings does not begin; empty if it does.
std::string refusal_of(TcpSettings settings)
{
    auto       context = boost::asio::io_context{};
    auto const opened = TcpTransport::open(context, std::move(settings));
    return opened ? std::string{} : opened.error().what;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tcp_settings)

BOOST_AUTO_TEST_CASE(settings_with_which_no_connection_lasts_are_refused)
{
    auto const refusal_with = [](auto TcpSettings::*setting) {
        auto settings = settings_of(party_1);
        settings.*setting = 0;
        return refusal_of(settings);
    };

    BOOST_TEST(refusal_of(settings_of(party_1)) == "");
    BOOST_TEST(refusal_with(&TcpSettings::backoff_min_ms).starts_with("backoff_min_ms and backoff_max_ms must"));
    BOOST_TEST(refusal_with(&TcpSettings::backoff_max_ms).starts_with("backoff_min_ms and backoff_max_ms must"));
    BOOST_TEST(refusal_with(&TcpSettings::handshake_ms).starts_with("handshake_ms and write_stall_ms must"));
    BOOST_TEST(refusal_with(&TcpSettings::write_stall_ms).starts_with("handshake_ms and write_stall_ms must"));
    BOOST_TEST(refusal_with(&TcpSettings::handshakes_max).starts_with("handshakes_max and unknown_max must"));
    BOOST_TEST(refusal_with(&TcpSettings::unknown_max).starts_with("handshakes_max and unknown_max must"));
    BOOST_TEST(refusal_with(&TcpSettings::unknown_idle_ms).starts_with("unknown_idle_ms must"));
}

BOOST_AUTO_TEST_CASE(the_longest_times_and_the_least_room_are_settings_that_work)
{
    auto settings = settings_of(party_1);
    settings.handshake_ms = settings.write_stall_ms = settings.backoff_max_ms = endless;
    settings.inbox_bytes_max = 0;
    settings.inbox_events_max = 0;
    settings.queue = {0, 0, 0};
    auto pair = Pair{settings};
    BOOST_REQUIRE(pair.connected());

    for (auto looks = 0; looks < 4; ++looks) {
        auto const taken = pair.one.messages.size() + pair.two.messages.size();
        BOOST_REQUIRE(until(pair.context, [&] { // What finds no room in its lane is lost.
            pair.one.send(party_2, vote_request());
            pair.two.send(party_1, vote_request());
            return pair.one.take() + pair.two.take() >= taken + 20;
        }));
        pair.context.restart();
        pair.context.run_for(std::chrono::milliseconds(110)); // Connections are looked after each 100 ms.
    }
    BOOST_TEST(not pair.one.messages.empty());
    BOOST_TEST(not pair.two.messages.empty());
    BOOST_TEST(pair.one.counters().lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_waits_endlessly_for_its_greeting_is_kept)
{
    auto settings = settings_of(party_1);
    settings.handshake_ms = endless;
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings};
    auto silent = RawPeer{context};
    silent.connect(one.transport().address());

    context.run_for(std::chrono::milliseconds(350));

    BOOST_TEST(silent.handshake(party_2, party_1));
    BOOST_TEST(not one.has_logged("no handshake in time"));
}

BOOST_AUTO_TEST_CASE(an_absent_server_is_redialed_with_the_delays_of_the_settings)
{
    auto settings = settings_of(party_1);
    settings.backoff_min_ms = settings.backoff_max_ms = endless;
    auto context = boost::asio::io_context{};
    auto one = TcpServer{context, settings};
    one.transport().update(party_2.id, party_2.incarnation, "127.0.0.1:1");

    context.run_for(std::chrono::milliseconds(200));

    BOOST_TEST(one.counters().retries == 1U);
}

BOOST_AUTO_TEST_CASE(a_delay_before_redialing_is_at_least_half_of_its_maximum_and_never_zero)
{
    auto shortest = Backoff{1, 1, 1};
    auto longest = Backoff{std::uint64_t{1} << 62U, endless, 1};
    auto usual = Backoff{20, 1000, 1};
    auto most = std::uint64_t{20};
    for (auto attempt = 0; attempt < 40; ++attempt) {
        BOOST_TEST(shortest.next_ms() == 1U);
        BOOST_TEST(longest.next_ms() >= std::uint64_t{1} << 61U);
        auto const pause = usual.next_ms();
        BOOST_TEST((pause >= most / 2 and pause <= most));
        most = std::min<std::uint64_t>(2 * most, 1000);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::tcp_settings_tests
