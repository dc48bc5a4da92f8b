// SPDX-License-Identifier: BSL-1.0
// A leader that was asleep does not answer with what it knew before (§8; dissertation §6.4).
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

namespace totora::process::sleeping_leader_tests
{
namespace
{

/// Writes by the other servers, once two election timeouts have passed.
void write_without(KvCluster& cluster, std::size_t sleeper, std::string const& value)
{
    auto others = std::vector<std::uint16_t>{};
    for (auto const port : cluster.client_ports())
        if (port != cluster.client_port(sleeper))
            others.push_back(port);
    auto ports = kv::Ports{others};
    auto session = kv::Session{ports, Milliseconds{500}};
    std::this_thread::sleep_for(Milliseconds{2 * 600}); // Two election timeouts, the longest there are.
    auto const written = session.ask({"SET", "key", value}, patience);
    BOOST_REQUIRE_MESSAGE((written and written->text == "OK"), "the others elect a leader, and it writes");
}

} // namespace

BOOST_AUTO_TEST_SUITE(sleeping_leader)

BOOST_AUTO_TEST_CASE(a_leader_that_slept_two_election_timeouts_gives_no_stale_read, *boost::unit_test::timeout(300))
{
    constexpr auto rounds = 6;
    auto           cluster = KvCluster{3};
    cluster.start_all();
    auto redirected = 0;

    for (auto round = 0; round < rounds; ++round) {
        auto const old_value = "old" + std::to_string(round);
        auto const new_value = "new" + std::to_string(round);
        auto const sleeper = cluster.await_leader();
        auto       ports = kv::Ports{cluster.client_ports()};
        auto       session = kv::Session{ports};
        BOOST_REQUIRE(session.ask({"SET", "key", old_value}, patience).has_value());
        auto readers = std::vector<kv::Client>{};
        for (auto reader = 0; reader < 4; ++reader)
            readers.push_back(kv::Client::connect(cluster.client_port(sleeper), patience).value());

        cluster.process(sleeper).signal(SIGSTOP);
        write_without(cluster, sleeper, new_value);

        // Some ask while the server sleeps, the others in the moment in which it wakes.
        auto request = std::string{};
        kv::write_request(request, {"GET", "key"});
        for (auto reader = std::size_t{0}; reader < 2; ++reader)
            readers[reader].send(request);
        cluster.process(sleeper).signal(SIGCONT);
        for (auto reader = std::size_t{2}; reader < readers.size(); ++reader)
            readers[reader].send(request);

        for (auto& reader : readers) {
            auto const reply = reader.receive();
            BOOST_REQUIRE_MESSAGE(reply.has_value(), "the server that slept answers");
            BOOST_TEST(reply->text != old_value);
            BOOST_TEST((reply->text == new_value or kv::is_redirected(*reply)), reply->text);
            redirected += kv::is_redirected(*reply) ? 1 : 0;
        }
        cluster.await_equality();
    }
    BOOST_TEST_MESSAGE(redirected << " readers of " << 4 * rounds << " were sent elsewhere");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::sleeping_leader_tests
