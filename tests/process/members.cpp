// SPDX-License-Identifier: BSL-1.0
// Servers with different options, and others at their addresses: none ends for it, and those that are right serve.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace totora::process::members_tests
{

using boost::unit_test::label;

namespace
{

/// "1=127.0.0.1:7001", the part of --peers that names one server.
std::string peer_of(KvCluster const& cluster, std::size_t server)
{
    auto peers = cluster.peers();
    for (auto before = std::size_t{0}; before < server; ++before)
        peers.erase(0, peers.find(',') + 1);
    return peers.substr(0, peers.find(','));
}

void require_init(std::string const& name, std::size_t id, std::string const& peers, std::string const& directory)
{
    auto const made =
        run_kv({"init", "--cluster", name, "--id", std::to_string(id), "--peers", peers, "--dir", directory});
    BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.errors);
}

/// Whether a leader does a write, once it has applied its log: it may have been started just now.
[[nodiscard]] bool is_set(KvCluster const& cluster, std::size_t leader, std::string const& key)
{
    auto       reply = std::optional<kv::Reply>{};
    auto const has_loaded = [&] {
        auto client = kv::Client::connect(cluster.client_port(leader), patience);
        reply = client ? client->ask({"SET", key, "value"}) : std::nullopt;
        return not reply or not reply->is_error("LOADING ");
    };
    auto const is_answered = eventually(has_loaded);
    BOOST_TEST_MESSAGE("SET " << key << ": " << (reply ? reply->text : "no answer"));
    return is_answered and reply == kv::Reply{'+', "OK", {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(members, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_server_of_another_cluster_at_a_members_address_ends_nobody, *label("case_96"))
{
    auto cluster = KvCluster{3, "one"};
    cluster.start_all();
    BOOST_TEST(is_set(cluster, cluster.await_leader(), "before"));
    cluster.process(2).end();
    auto const files = TemporaryDirectory{};
    auto const printed = files.path() / "printed";
    auto const directory = (files.path() / "3").string();
    require_init("two", 3, peer_of(cluster, 2), directory);
    auto other =
        Process{{TOTORA_KV, "run", "--dir", directory, "--client-port", std::to_string(free_port())}, printed, printed};
    BOOST_REQUIRE(eventually([&] { return content_of(printed).find("leads in term") != std::string::npos; }));

    for (auto server = std::size_t{0}; server < 2; ++server) {
        cluster.process(server).signal(SIGTERM);
        BOOST_TEST((cluster.process(server).wait() == 0));
        cluster.start(server);
        auto const is_refused = [&] {
            return cluster.info(server, "peer_3").find("link=refused") != std::string::npos;
        };
        BOOST_TEST(eventually(is_refused));
        BOOST_TEST(cluster.info(server, "peer_3_error").find("refused: another cluster") != std::string::npos);
        // It learns no more, and prints itself in how far they differ.
        BOOST_TEST(content_of(printed).find("is of another cluster than") != std::string::npos);
        BOOST_TEST(cluster.number(server, "peer_handshakes_refused") > 0U);
        BOOST_TEST(is_set(cluster, cluster.await_leader(), "during" + std::to_string(server)));
    }
    other.signal(SIGTERM);
    BOOST_TEST((other.wait() == 0), "it did not end of its own either");

    cluster.start(2);
    cluster.await_equality();
    BOOST_TEST(is_set(cluster, cluster.await_leader(), "after"));
}

BOOST_AUTO_TEST_CASE(servers_of_different_first_members_refuse_each_other_and_show_both_lists, *label("case_95"))
{
    auto cluster = KvCluster{3, "the same"};
    std::filesystem::remove_all(cluster.directory(0));
    require_init("the same", 1, peer_of(cluster, 0), cluster.directory(0).string());
    cluster.start(1);
    cluster.start(2);
    auto const leader = cluster.await_leader();
    BOOST_TEST(is_set(cluster, leader, "with two of three"));

    cluster.start(0);

    auto const line = std::string{"is of another cluster than server 1 (incarnation 1): first members 1, 2, 3 "
                                  "against 1"};
    BOOST_TEST(eventually([&] { return cluster.printed(0).find(line) != std::string::npos; }), cluster.printed(0));
    auto const refused = std::string{"refused: another cluster; for more, see the log of the server that refuses"};
    for (auto server = std::size_t{1}; server < 3; ++server)
        BOOST_TEST(eventually([&] { return cluster.printed(server).find(refused) != std::string::npos; }),
                   cluster.printed(server));
    auto const is_alone = [&] { return cluster.info(0, "raft_role") == "leader"; };
    BOOST_TEST(eventually(is_alone), "server 1 is a cluster of its own");
    BOOST_TEST(is_set(cluster, leader, "still with two of three"));
    for (auto server = std::size_t{1}; server < 3; ++server)
        BOOST_TEST(cluster.printed(server).find("broke the protocol") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(servers_of_another_token_are_of_another_cluster, *label("case_95"))
{
    auto cluster = KvCluster{3, "the same"};
    std::filesystem::remove_all(cluster.directory(0));
    auto words = cluster.init_words(0);
    words.insert(words.end(), {"--token", "made again"});
    BOOST_REQUIRE((run_kv(words).exit_code == 0));
    cluster.start_all();

    auto const is_refused = [&] {
        return cluster.info(0, "peer_2").find("link=refused") != std::string::npos and
               cluster.info(0, "peer_3").find("link=refused") != std::string::npos;
    };
    BOOST_TEST(eventually(is_refused));
    auto const leader = cluster.await_leader();
    BOOST_TEST(leader != 0U);
    BOOST_TEST(is_set(cluster, leader, "with two of three"));
    BOOST_TEST(cluster.info(0, "raft_leader") == "0");
}

BOOST_AUTO_TEST_CASE(two_copies_of_a_server_are_both_refused_and_named_as_long_as_both_go_on, *label("case_95"))
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    BOOST_TEST(is_set(cluster, cluster.await_leader(), "before"));
    cluster.await_equality();
    cluster.process(2).signal(SIGTERM);
    BOOST_REQUIRE((cluster.process(2).wait() == 0));
    // The copy is at another address, as on another machine; of what init was given only addresses differ.
    auto const files = TemporaryDirectory{};
    auto const copy = files.path() / "3";
    auto const printed = files.path() / "printed";
    std::filesystem::copy(cluster.directory(2), copy);
    auto const before = cluster.peers().size() - peer_of(cluster, 2).size();
    auto const peers = cluster.peers().substr(0, before) + "3=127.0.0.1:" + std::to_string(free_port());
    require_init("tested", 3, peers, (files.path() / "made").string());
    std::filesystem::copy_file(files.path() / "made" / "identity", copy / "identity",
                               std::filesystem::copy_options::overwrite_existing);

    cluster.start(2);
    auto other = Process{
        {TOTORA_KV, "run", "--dir", copy.string(), "--client-port", std::to_string(free_port())}, printed, printed};

    auto const named = [](std::string const& text) {
        return text.find("two processes run as server 3 (incarnation 1)") != std::string::npos or
               text.find("another process runs as server 3 (incarnation 1) too") != std::string::npos;
    };
    for (auto server = std::size_t{0}; server < 2; ++server)
        BOOST_TEST(eventually([&] { return named(cluster.printed(server)); }), cluster.printed(server));
    BOOST_TEST(eventually([&] { return named(cluster.printed(2)); }), cluster.printed(2));
    BOOST_TEST(eventually([&] { return named(content_of(printed)); }), content_of(printed));
    BOOST_TEST(is_set(cluster, cluster.await_leader(), "with two of three"));

    other.signal(SIGTERM);
    BOOST_TEST((other.wait() == 0), "it did not end of its own");
    BOOST_TEST(is_set(cluster, cluster.await_leader(), "after"));
    cluster.await_equality();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::members_tests
