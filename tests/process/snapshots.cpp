// SPDX-License-Identifier: BSL-1.0
// Real servers whose logs are shortened by snapshots: nothing is lost over restarts, and one that was away for long catches up.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace totora::process::snapshots_tests
{

using boost::unit_test::label;

namespace
{

/// Writes some keys, each by an entry of its own, many of them outstanding. True if all were acknowledged.
[[nodiscard]] bool write_keys(KvCluster const& cluster, std::size_t leader, std::size_t first, std::size_t count)
{
    constexpr auto at_once = std::size_t{500};
    auto           client = kv::Client::connect(cluster.client_port(leader), patience);
    for (auto done = std::size_t{0}; client and done < count; done += at_once) {
        auto requests = std::string{};
        for (auto number = first + done; number < first + done + at_once; ++number)
            kv::write_request(requests, {"SET", "key:" + std::to_string(number), std::string(100, 'v')});
        if (not client->send(requests))
            return false;
        for (auto answer = std::size_t{0}; answer < at_once; ++answer)
            if (client->receive() != kv::Reply{'+', "OK", {}})
                return false;
    }
    return client.has_value();
}

/// Waits until a server has taken a snapshot of all that it has applied by now, and compacted its log by it.
[[nodiscard]] bool take_snapshot(KvCluster const& cluster, std::size_t server)
{
    auto const applied = cluster.number(server, "raft_applied");
    auto       client = kv::Client::connect(cluster.client_port(server), patience);
    auto const reply = client ? client->ask({"RAFT.SNAPSHOT"}) : std::nullopt;
    BOOST_TEST((reply and reply->kind == '+'));
    BOOST_TEST(cluster.number(server, "raft_snapshot_index") >= applied); // The answer says that it is durable.
    return eventually([&] { return cluster.number(server, "raft_base") >= applied; });
}

[[nodiscard]] std::string keys(KvCluster const& cluster, std::size_t server)
{
    auto const line = cluster.info(server, "db0");
    return line.substr(0, line.find(','));
}

[[nodiscard]] std::uintmax_t bytes_in(std::filesystem::path const& directory)
{
    auto bytes = std::uintmax_t{0};
    for (auto const& file : std::filesystem::directory_iterator{directory})
        bytes += file.file_size();
    return bytes;
}

/// No snapshots but by hand, and nothing kept besides.
[[nodiscard]] std::vector<std::string> by_hand() { return {"--snapshot-mib", "0", "--keep-mib", "0"}; }

} // namespace

BOOST_AUTO_TEST_SUITE(snapshots, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(servers_that_were_killed_begin_with_their_snapshots, *label("7") * label("case_26"))
{
    auto cluster = KvCluster{3};
    cluster.start_all(by_hand());
    auto const leader = cluster.await_leader();
    BOOST_REQUIRE(write_keys(cluster, leader, 0, 20'000));
    cluster.await_equality();
    auto const before = bytes_in(cluster.directory(0));
    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        BOOST_TEST(take_snapshot(cluster, server));
    BOOST_REQUIRE(write_keys(cluster, leader, 20'000, 10'000)); // The segments are given back with the next ones.
    cluster.await_equality();
    BOOST_TEST(take_snapshot(cluster, 0));
    BOOST_TEST(bytes_in(cluster.directory(0)) < 3 * before);

    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        cluster.process(server).end();
    cluster.start_all(by_hand());

    BOOST_REQUIRE(write_keys(cluster, cluster.await_leader(), 30'000, 500));
    cluster.await_equality();
    for (auto server = std::size_t{0}; server < cluster.size(); ++server) {
        BOOST_TEST(keys(cluster, server) == "keys=30500");
        BOOST_TEST(cluster.number(server, "raft_base") >= 20'000U);
    }
}

BOOST_AUTO_TEST_CASE(nothing_new_is_no_reason_for_another_snapshot, *label("7"))
{
    auto cluster = KvCluster{1};
    cluster.start_all(by_hand());
    BOOST_REQUIRE(write_keys(cluster, cluster.await_leader(), 0, 500));
    BOOST_REQUIRE(take_snapshot(cluster, 0));

    auto       client = kv::Client::connect(cluster.client_port(0), patience);
    auto const reply = client ? client->ask({"RAFT.SNAPSHOT"}) : std::nullopt;

    BOOST_REQUIRE(reply.has_value());
    BOOST_TEST(reply->text.starts_with("nothing was applied since the snapshot up to entry "), reply->text);
}

BOOST_AUTO_TEST_CASE(a_server_that_the_log_has_left_behind_is_sent_a_snapshot, *label("7") * label("case_28"))
{
    auto cluster = KvCluster{3};
    cluster.start_all(by_hand());
    BOOST_REQUIRE(write_keys(cluster, cluster.await_leader(), 0, 500));
    auto const leader = cluster.await_leader();
    auto const away = (leader + 1) % cluster.size();
    cluster.process(away).end();
    BOOST_REQUIRE(write_keys(cluster, leader, 500, 20'000));
    BOOST_TEST(take_snapshot(cluster, leader));

    cluster.start(away, {}, by_hand());

    cluster.await_equality();
    BOOST_TEST(keys(cluster, away) == "keys=20500");
    BOOST_TEST(cluster.number(away, "raft_base") >= 20'000U);
    BOOST_TEST(cluster.number(away, "raft_snapshot_index") >= 20'000U);
    BOOST_TEST(cluster.info(leader, "raft_transfer_" + std::to_string(away + 1)).empty());
    // What it was sent is durable: it begins with it.
    cluster.process(away).end();
    cluster.start(away, {}, by_hand());
    cluster.await_equality();
    BOOST_TEST(keys(cluster, away) == "keys=20500");
}

/// Snapshots are taken when enough was written, without anybody asking.
BOOST_AUTO_TEST_CASE(snapshots_are_taken_by_the_length_of_the_log, *label("7"))
{
    auto cluster = KvCluster{1};
    cluster.start_all({"--snapshot-mib", "1"});
    auto const leader = cluster.await_leader();
    BOOST_REQUIRE(write_keys(cluster, leader, 0, 20'000));
    BOOST_TEST(eventually([&] { return cluster.number(0, "raft_snapshot_index") > 0; }));
    BOOST_TEST(cluster.printed(0).find("snapshot") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::snapshots_tests
