// SPDX-License-Identifier: BSL-1.0
// redis-cli and redis-benchmark work on kv as they come.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::process::redis_tools_tests
{
namespace
{

/// A leader that stays one, also where the machine is so busy that heartbeats come late: these tools do not follow it.
std::vector<std::string> const steady{"--election-ms", "2000..4000"};

/// Runs redis-cli against one server; what it printed.
std::string redis_cli(std::uint16_t port, std::vector<std::string> words)
{
    auto command = std::vector<std::string>{"redis-cli", "-h", "127.0.0.1", "-p", std::to_string(port)};
    command.insert(command.end(), words.begin(), words.end());
    auto const ended = run_to_end(std::move(command));
    BOOST_REQUIRE_MESSAGE(ended.exit_code != 127, "redis-cli is not installed (Debian: redis-tools)");
    return ended.output + ended.errors;
}

} // namespace

BOOST_AUTO_TEST_SUITE(redis_tools, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(redis_cli_reaches_the_leader_and_is_redirected_to_it)
{
    auto cluster = KvCluster{3};
    cluster.start_all(steady);
    auto const leader = cluster.await_leader();
    cluster.await_equality();
    auto const at_leader = cluster.client_port(leader);
    auto const at_follower = cluster.client_port((leader + 1) % 3);
    auto const moved = "MOVED 0 127.0.0.1:" + std::to_string(at_leader);

    BOOST_TEST(redis_cli(at_leader, {"PING"}) == "PONG\n");
    BOOST_TEST(redis_cli(at_leader, {"SET", "a", "1"}) == "OK\n");
    BOOST_TEST(redis_cli(at_leader, {"GET", "a"}) == "1\n");
    BOOST_TEST(redis_cli(at_leader, {"INCR", "a"}) == "2\n");
    BOOST_TEST(redis_cli(at_leader, {"MSET", "b", "x", "c", "y"}) == "OK\n");
    BOOST_TEST(redis_cli(at_leader, {"MGET", "a", "b", "none"}) == "2\nx\n\n");
    BOOST_TEST(redis_cli(at_leader, {"DEL", "b", "none"}) == "1\n");
    BOOST_TEST(redis_cli(at_leader, {"DBSIZE"}) == "2\n");
    BOOST_TEST(redis_cli(at_leader, {"LPUSH", "a", "1"}).starts_with("ERR unknown command 'LPUSH'"));
    BOOST_TEST(redis_cli(at_leader, {"INFO"}).find("role:master\r\n") != std::string::npos);

    BOOST_TEST(redis_cli(at_follower, {"PING"}) == "PONG\n");
    BOOST_TEST(redis_cli(at_follower, {"GET", "a"}).starts_with(moved));
    BOOST_TEST(redis_cli(at_follower, {"SET", "a", "9"}).starts_with(moved));
    BOOST_TEST(redis_cli(at_follower, {"INFO"}).find("role:slave\r\n") != std::string::npos);
    BOOST_TEST(redis_cli(at_follower, {"-c", "GET", "a"}) == "2\n");
    BOOST_TEST(redis_cli(at_follower, {"-c", "SET", "a", "3"}) == "OK\n");
    BOOST_TEST(redis_cli(at_follower, {"-c", "GET", "a"}) == "3\n");
}

BOOST_AUTO_TEST_CASE(redis_benchmark_runs_to_its_end)
{
    auto cluster = KvCluster{3};
    cluster.segment_mib = 16;
    cluster.start_all(steady);
    auto const port = std::to_string(cluster.client_port(cluster.await_leader()));

    for (auto const pipelined : {"1", "16"}) {
        auto const ended = run_to_end({"redis-benchmark", "-p", port, "-t", "set,get,incr,mset", "-P", pipelined, "-c",
                                       "20", "-n", "5000", "-r", "1000", "-d", "256", "-q", "--csv"});
        BOOST_REQUIRE_MESSAGE(ended.exit_code != 127, "redis-benchmark is not installed (Debian: redis-tools)");
        BOOST_TEST_CONTEXT(ended.output << ended.errors)
        {
            BOOST_TEST((ended.exit_code == 0));
            for (auto const test : {"\"SET\"", "\"GET\"", "\"INCR\"", "\"MSET (10 keys)\""})
                BOOST_TEST(ended.output.find(test) != std::string::npos, test << " has a result");
            BOOST_TEST((ended.output + ended.errors).find("rror") == std::string::npos);
        }
    }
    cluster.await_equality();
}

BOOST_AUTO_TEST_CASE(the_modes_of_redis_cli_for_watching_a_server_work)
{
    auto cluster = KvCluster{1};
    cluster.start_all(steady);
    auto const port = cluster.client_port(cluster.await_leader());
    for (auto key = 0; key < 30; ++key)
        redis_cli(port, {"SET", "key:" + std::to_string(key), std::string(static_cast<std::size_t>(key), 'v')});
    redis_cli(port, {"SET", "other", ""});

    auto const has = [](std::string const& text, std::string_view words) {
        return text.find(words) != std::string::npos;
    };
    auto const scanned = redis_cli(port, {"--scan", "--pattern", "key:*"});
    BOOST_TEST(std::count(scanned.begin(), scanned.end(), '\n') == 30);
    auto const bigkeys = redis_cli(port, {"--bigkeys"});
    BOOST_TEST(has(bigkeys, "Sampled 31 keys in the keyspace!"), bigkeys);
    BOOST_TEST(has(bigkeys, "Biggest string found '\"key:29\"' has 29 bytes"), bigkeys);
    auto const latency = redis_cli(port, {"--latency"}); // Four numbers, where there is no terminal.
    BOOST_TEST(std::count(latency.begin(), latency.end(), ' ') == 3, latency);
    BOOST_TEST(has(redis_cli(port, {"-3", "HELLO"}), "proto 3"));
    BOOST_TEST(redis_cli(port, {"-3", "GET", "none"}) == "\n");
    BOOST_TEST(redis_cli(port, {"INFO", "Keyspace"}) == "# Keyspace\r\ndb0:keys=31,expires=0,avg_ttl=0\r\n");

    auto const output = cluster.files() / "stat";
    auto       stat =
        Process{{"stdbuf", "-oL", "redis-cli", "-h", "127.0.0.1", "-p", std::to_string(port), "-i", "0.05", "--stat"},
                output,
                output};
    auto const shows = [&] {
        auto const text = content_of(output);
        return std::count(text.begin(), text.end(), '\n') > 4;
    };
    BOOST_TEST(eventually(shows));
    BOOST_TEST(has(content_of(output), "\n31 "), content_of(output));
    BOOST_TEST(not has(content_of(output), "-9223372036854775808"), content_of(output));
}

BOOST_AUTO_TEST_CASE(a_server_that_a_client_shuts_down_ends_as_after_a_signal)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    auto const port = cluster.client_port(cluster.await_leader());
    BOOST_TEST(redis_cli(port, {"SET", "a", "1"}) == "OK\n");

    BOOST_TEST(redis_cli(port, {"SHUTDOWN"}) == "");

    BOOST_TEST((cluster.process(0).wait() == 0));
    cluster.start(0);
    cluster.await_equality();
    BOOST_TEST(redis_cli(port, {"GET", "a"}) == "1\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::redis_tools_tests
