// SPDX-License-Identifier: BSL-1.0
// Answers to clients of real processes stay true while these are killed.
#include "process/kv_cluster.hpp"
#include "process/load.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace totora::process::kill_tests
{

BOOST_AUTO_TEST_SUITE(kill_minus_nine)

/// Not a proof of durability, since the page cache survives kill -9; durability.cpp looks at that.
BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives_thirty_kills_of_random_servers, *boost::unit_test::timeout(600))
{
    constexpr auto rounds = 30;
    auto           cluster = KvCluster{3};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    auto load = Load{cluster.client_ports(), 6};
    auto random = std::mt19937{2};
    auto leaders_killed = 0;

    for (auto round = 0; round < rounds; ++round) {
        auto const before = load.acknowledged();
        BOOST_REQUIRE_MESSAGE(eventually([&] { return load.acknowledged() > before + 100; }),
                              "in round " << round << " writes go on while all servers run");
        // Every third time surely the leader.
        auto const victim = round % 3 == 0 ? cluster.await_leader() : random() % cluster.size();
        leaders_killed += cluster.leader() == victim ? 1 : 0;
        cluster.process(victim).end();
        auto const then = load.acknowledged();
        BOOST_REQUIRE_MESSAGE(eventually([&] { return load.acknowledged() > then + 20; }),
                              "in round " << round << " two servers go on without server " << victim + 1);
        cluster.start(victim);
    }
    load.stop();

    BOOST_TEST(load.find_violation() == "");
    cluster.await_equality();
    cluster.process(cluster.await_leader()).end();
    BOOST_TEST(load.find_violation() == "", "the next leader knows it all too");
    BOOST_TEST(leaders_killed >= rounds / 3);
    BOOST_TEST_MESSAGE("acknowledged " << load.acknowledged() << ", outcome unknown " << load.unknown()
                                       << ", leaders killed " << leaders_killed);
}

BOOST_AUTO_TEST_CASE(all_servers_killed_at_once_come_back_with_everything, *boost::unit_test::timeout(300))
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    auto load = Load{cluster.client_ports(), 6};

    for (auto round = 0; round < 3; ++round) {
        auto const before = load.acknowledged();
        BOOST_REQUIRE(eventually([&] { return load.acknowledged() > before + 200; }));
        for (auto server = std::size_t{0}; server < cluster.size(); ++server)
            cluster.process(server).end();
        cluster.start_all();
    }
    auto const before = load.acknowledged();
    BOOST_REQUIRE(eventually([&] { return load.acknowledged() > before; }));
    load.stop();

    BOOST_TEST(load.find_violation() == "");
}

/// The load itself is tested: a server that forgets is found out.
BOOST_AUTO_TEST_CASE(a_server_that_forgets_what_it_acknowledged_is_found_out, *boost::unit_test::timeout(300))
{
    auto const files = TemporaryDirectory{};
    auto const printed = files.path() / "printed";
    auto const port = free_port();
    auto const command = std::vector<std::string>{TOTORA_KV,       "run",
                                                  "--log",         "memory",
                                                  "--cluster",     "forgetful",
                                                  "--id",          "1",
                                                  "--peers",       "1=127.0.0.1:" + std::to_string(free_port()),
                                                  "--client-port", std::to_string(port)};
    auto       process = Process{command, printed, printed};
    auto       load = Load{{port}, 3};
    BOOST_REQUIRE(eventually([&] { return load.acknowledged() > 100; }));
    process.end();
    process = Process{command, printed, printed};
    auto const before = load.acknowledged();
    BOOST_REQUIRE(eventually([&] { return load.acknowledged() > before; }));
    load.stop();

    BOOST_TEST(load.find_violation() != "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::kill_tests
