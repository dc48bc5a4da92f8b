// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/clients/client_limits.hpp"
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace kv::client_limits_tests
{

using namespace totora::process;

namespace
{

constexpr auto mebibyte = std::size_t{1} << 20U;

/// Words that go before a command, so that it gets the limits that these commands set.
std::vector<std::string> limited(std::string const& commands)
{
    return {"bash", "-c", commands + "; exec \"$@\"", "bash"};
}

} // namespace

BOOST_AUTO_TEST_SUITE(client_limits, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(clients_leave_descriptors_to_peers_and_files_and_memory_to_the_data)
{
    auto const wanted = ClientLimits{10'000, 256 * mebibyte};

    BOOST_TEST((within({}, wanted) == wanted));
    BOOST_TEST((within({20'000, 4'096 * mebibyte}, wanted) == wanted));
    BOOST_TEST((within({1'024, 400 * mebibyte}, wanted) == ClientLimits{768, 100 * mebibyte}));
    BOOST_TEST(within({512, ProcessLimits::none}, wanted).connections == 256U);
    BOOST_TEST(within({100, ProcessLimits::none}, wanted).connections == 50U);
    BOOST_TEST(within({40, ProcessLimits::none}, wanted).connections == 8U);
    BOOST_TEST(within({32, ProcessLimits::none}, wanted).connections == 1U);
    BOOST_TEST(within({0, ProcessLimits::none}, wanted).connections == 1U);
}

BOOST_AUTO_TEST_CASE(a_server_with_few_descriptors_prints_so_and_keeps_some_for_its_peers_and_files)
{
    auto cluster = KvCluster{3};
    for (auto server = std::size_t{0}; server < 3; ++server)
        cluster.start(server, limited("ulimit -n 300"), {"--election-ms", "2000..4000"});
    auto const leader = cluster.await_leader();
    BOOST_TEST(cluster.info(leader, "maxclients") == "150");
    BOOST_TEST(cluster.printed(leader).find("serves 150 clients at most") != std::string::npos);

    auto ports = Ports{cluster.client_ports()};
    auto session = Session{ports};
    auto idle = std::vector<Client>{};
    for (auto count = 0; count < 400; ++count)
        idle.push_back(Client::connect(cluster.client_port(leader), patience).value());
    for (auto const server :
         {(leader + 1) % 3, (leader + 2) % 3}) { // They connect again, and their segments are changed.
        cluster.process(server).end();
        cluster.start(server, limited("ulimit -n 300"), {"--election-ms", "2000..4000"});
        BOOST_TEST((session.ask({"SET", "a", std::string(3'000'000, 'v')}, patience) == Reply{'+', "OK", {}}));
        cluster.await_equality();
    }
    BOOST_TEST(cluster.number(leader, "connected_clients") <= 150U);
    BOOST_TEST(cluster.info(leader, "raft_role") == "leader");
}

BOOST_AUTO_TEST_CASE(with_next_to_no_descriptors_clients_still_leave_enough_to_peers_and_files)
{
    auto cluster = KvCluster{3};
    for (auto server = std::size_t{0}; server < 3; ++server)
        cluster.start(server, limited("ulimit -n 32"), {"--election-ms", "2000..4000"});
    auto const leader = cluster.await_leader();
    auto const follower = (leader + 1) % 3;
    auto       writer = Client::connect(cluster.client_port(leader), patience).value();
    BOOST_TEST((writer.ask({"SET", "a", "b"}) == Reply{'+', "OK", {}}));
    auto idle = std::vector<Client>{};
    for (auto count = 0; count < 30; ++count)
        idle.push_back(Client::connect(cluster.client_port(leader), patience).value());

    BOOST_TEST(idle.back().receive().has_value(), "a client without a place is answered so");
    cluster.process(follower).end();
    cluster.start(follower, limited("ulimit -n 32"), {"--election-ms", "2000..4000"});
    for (auto write = 0; write < 8; ++write) { // Some segments' worth; BUSY while the next is not ready.
        auto const is_written = [&] {
            return writer.ask({"SET", "a", std::string(3'000'000, 'v')}) == Reply{'+', "OK", {}};
        };
        BOOST_TEST(eventually(is_written));
    }
    writer = {};
    cluster.await_equality();
}

BOOST_AUTO_TEST_CASE(a_server_takes_as_many_descriptors_as_it_may)
{
    auto cluster = KvCluster{1};
    cluster.start(0, limited("ulimit -Sn 300; ulimit -Hn 1000"), {"--clients", "700"});
    static_cast<void>(cluster.await_leader());
    BOOST_TEST(cluster.info(0, "maxclients") == "700");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::client_limits_tests
