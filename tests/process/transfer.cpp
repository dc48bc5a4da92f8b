// SPDX-License-Identifier: BSL-1.0
// A leader hands over: by RAFT.TRANSFER, and before a signal stops it.
#include "../../docs/examples/kv/protocol/client.hpp"
#include "process/kv_cluster.hpp"
#include "process/load.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace totora::process::transfer_tests
{
namespace
{

[[nodiscard]] std::string
ask(KvCluster const& cluster, std::size_t server, std::initializer_list<std::string_view> words)
{
    auto       client = kv::Client::connect(cluster.client_port(server), patience).value();
    auto const reply = client.ask(words);
    BOOST_REQUIRE_MESSAGE(reply, *words.begin() << " is answered in time");
    return reply->text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(transfer, *boost::unit_test::timeout(600))

BOOST_AUTO_TEST_CASE(a_leader_hands_over_to_who_is_named_and_before_it_stops)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto const first = cluster.await_leader();
    cluster.await_equality();
    auto       load = Load{cluster.client_ports(), 4};
    auto const second = (first + 1) % 3;

    BOOST_TEST(ask(cluster, first, {"RAFT.TRANSFER", std::to_string(first + 1)}) == "ERR this server leads already");
    BOOST_TEST(ask(cluster, first, {"RAFT.TRANSFER", "9"}) == "ERR no such voter, or none that answers");
    BOOST_TEST(ask(cluster, first, {"RAFT.TRANSFER", std::to_string(second + 1)}) == "OK");
    BOOST_TEST(eventually([&] { return cluster.leader() == std::optional{second}; }), "who was named leads");

    auto const term = cluster.number(second, "raft_term");
    cluster.process(second).signal(SIGTERM);
    BOOST_TEST((cluster.process(second).wait() == 0), "it stops cleanly");
    auto const third = cluster.await_leader();
    BOOST_TEST(third != second);
    BOOST_TEST(cluster.number(third, "raft_term") == term + 1, "one election, which it asked for");
    cluster.start(second);
    load.stop();
    BOOST_TEST(load.find_violation() == "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::transfer_tests
