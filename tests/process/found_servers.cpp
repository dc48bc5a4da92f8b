// SPDX-License-Identifier: BSL-1.0
// Servers are found where they are: by each other when they have moved, and by clients, followers too.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace totora::process::found_servers_tests
{

BOOST_AUTO_TEST_SUITE(found_servers, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(servers_that_moved_serve_again_once_all_have_the_new_addresses)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto client = kv::Client::connect(cluster.client_port(cluster.await_leader())).value();
    BOOST_TEST((client.ask({"SET", "a", "1"}) == kv::Reply{'+', "OK", {}}));
    cluster.await_equality();
    for (auto server = std::size_t{0}; server < 3; ++server) {
        cluster.process(server).signal(SIGTERM);
        BOOST_TEST((cluster.process(server).wait() == 0));
    }
    auto const port_of = [](std::uint16_t port) { return std::to_string(port); };
    auto const first = free_port();
    auto const moved = "1=localhost:" + port_of(first) + ",3=localhost:" + port_of(free_port());

    for (auto server = std::size_t{0}; server < 3; ++server) {
        auto words = std::vector<std::string>{"--peer-address",  moved,
                                              "--client-host",   "localhost",
                                              "--client-listen", "127.0.0.1:" + port_of(cluster.client_port(server))};
        if (server == 0)
            words.insert(words.end(), {"--listen", "[::]:" + port_of(first)});
        if (server == 0 and not std::filesystem::exists("/proc/net/if_inet6"))
            words.back() = "0.0.0.0:" + port_of(first);
        cluster.start(server, {}, words);
    }

    auto const leader = cluster.await_leader();
    cluster.await_equality();
    // The leader announces its address by an entry of its own, perhaps after all have applied the same.
    auto const announced = "localhost:" + port_of(cluster.client_port(leader));
    BOOST_TEST(eventually([&] { return cluster.info(leader, "leader_client_address") == announced; }));
    cluster.await_equality();
    BOOST_TEST(cluster.info(leader, "own_client_address") == cluster.info(leader, "leader_client_address"));
    BOOST_TEST(cluster.info(1, "peer_1").starts_with("address=localhost:" + port_of(first) + ",link=open"));
    for (auto server = std::size_t{0}; server < 3; ++server) {
        client = kv::Client::connect(cluster.client_port(server)).value();
        auto const answer = client.ask({"GET", "a"}).value();
        BOOST_TEST((server == leader ? answer == kv::Reply{'$', "1", {}} : answer.is_error("MOVED 0 localhost:")));
    }
}

BOOST_AUTO_TEST_CASE(followers_are_found_by_clients_without_ever_having_led)
{
    auto cluster = KvCluster{3};
    cluster.start_all({"--election-ms", "2000..4000"});
    auto const leader = cluster.await_leader();

    auto       client = kv::Client::connect(cluster.client_port(leader)).value();
    auto const knows_all = [&] {
        auto const role = client.ask({"ROLE"});
        return role and role->elements.size() == 3U and role->elements[2].elements.size() == 2U;
    };
    BOOST_REQUIRE(eventually(knows_all));
    for (auto server = std::size_t{0}; server < 3; ++server) {
        auto const sends_to_leader = [&] {
            auto const slots = kv::Client::connect(cluster.client_port(server)).value().ask({"CLUSTER", "SLOTS"});
            return slots and slots->elements.size() == 1U and slots->elements[0].elements.size() == 5U and
                   slots->elements[0].elements[2].elements[1].text == std::to_string(cluster.client_port(leader));
        };
        BOOST_REQUIRE(eventually(sends_to_leader));
    }
}

BOOST_AUTO_TEST_CASE(a_follower_that_comes_back_at_another_address_is_found_there)
{
    auto cluster = KvCluster{3};
    cluster.start_all({"--election-ms", "2000..4000"});
    auto const leader = cluster.await_leader();
    auto const follower = (leader + 1) % 3;
    cluster.await_equality();
    cluster.process(follower).signal(SIGTERM);
    BOOST_TEST((cluster.process(follower).wait() == 0));
    auto const port = std::to_string(free_port());

    cluster.start(follower, {}, {"--client-host", "127.0.0.2", "--client-listen", "127.0.0.1:" + port});

    auto       client = kv::Client::connect(cluster.client_port(leader)).value();
    auto const is_found = [&] {
        auto const nodes = client.ask({"CLUSTER", "NODES"});
        return nodes and nodes->text.find(" 127.0.0.2:" + std::to_string(cluster.client_port(follower)) + "@") !=
                             std::string::npos;
    };
    BOOST_REQUIRE(eventually(is_found));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::found_servers_tests
