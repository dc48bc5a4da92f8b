// SPDX-License-Identifier: BSL-1.0
// A server that runs out of memory prints so, ends with a documented exit code if it must, and never aborts.
#include "process/kv_cluster.hpp"
#include "support/sanitized.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace totora::process::memory_limit_tests
{
namespace
{

using Words = std::vector<std::string>;

/// Words that go before a command, so that it gets no more than so much memory. Sanitizers need more for themselves.
Words limited(std::size_t mebibytes)
{
    return {"bash", "-c", "ulimit -c 0 -v " + std::to_string(mebibytes << 10U) + "; exec \"$@\"", "bash"};
}

auto const value = std::string(1'000'000, 'v');

/// Whether a server goes on, or has ended as documented.
void require_no_abort(KvCluster& cluster, std::size_t server)
{
    auto const ended = cluster.process(server).wait(Milliseconds{0});
    if (not ended)
        return;
    BOOST_TEST(*ended == 1, "server " << server + 1 << " printed: " << cluster.printed(server));
    BOOST_TEST(cluster.printed(server).find("cannot go on") != std::string::npos);
}

} // namespace

BOOST_AUTO_TEST_SUITE(memory_limit, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(servers_without_memory_refuse_and_keep_what_they_acknowledged)
{
    if (totora::test::is_sanitized)
        return;
    auto cluster = KvCluster{3};
    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        cluster.start(server, limited(80));
    static_cast<void>(cluster.await_leader());

    auto ports = kv::Ports{cluster.client_ports()};
    auto session = kv::Session{ports};
    auto acknowledged = std::vector<std::string>{};
    auto failures = 0;
    for (auto write = 0; write < 300 and failures < 20; ++write) {
        auto const key = "key:" + std::to_string(write);
        auto const reply = session.ask_once({"SET", key, value});
        if (reply == kv::Reply{'+', "OK", {}})
            acknowledged.push_back(key);
        else
            ++failures;
    }
    BOOST_TEST(acknowledged.size() > 0U);
    BOOST_TEST(failures == 20, "the limit is reached");

    for (auto server = std::size_t{0}; server < cluster.size(); ++server) {
        require_no_abort(cluster, server);
        cluster.process(server).end();
    }
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    for (auto const& key : acknowledged)
        BOOST_TEST((session.ask({"GET", key}, patience) == kv::Reply{'$', value, {}}), key);
}

BOOST_AUTO_TEST_CASE(a_server_with_more_data_than_memory_prints_so)
{
    if (totora::test::is_sanitized)
        return;
    auto cluster = KvCluster{1};
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
    auto ports = kv::Ports{cluster.client_ports()};
    auto session = kv::Session{ports};
    for (auto write = 0; write < 100; ++write)
        BOOST_REQUIRE(
            (session.ask({"SET", "key:" + std::to_string(write), value}, patience) == kv::Reply{'+', "OK", {}}));
    cluster.process(0).end();

    cluster.start(0, limited(80));

    auto const ends_or_waits = [&] {
        return cluster.process(0).wait(Milliseconds{0}) or
               cluster.printed(0).find("cannot read its log now") != std::string::npos;
    };
    BOOST_TEST(eventually(ends_or_waits, patience), cluster.printed(0));
    require_no_abort(cluster, 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::memory_limit_tests
