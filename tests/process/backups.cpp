// SPDX-License-Identifier: BSL-1.0
// kv export and kv import: what a cluster had committed is there again in a new one, or a sentence says why not.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace totora::process::backups_tests
{
namespace
{

constexpr auto keys = std::size_t{3'000};

[[nodiscard]] std::string key(std::size_t number) { return "key:" + std::to_string(number); }
[[nodiscard]] std::string value(std::size_t number) { return std::string(number % 200, 'v') + std::to_string(number); }

[[nodiscard]] bool write_keys(std::uint16_t port)
{
    auto client = kv::Client::connect(port, patience);
    auto requests = std::string{};
    for (auto number = std::size_t{0}; number < keys; ++number)
        kv::write_request(requests, {"SET", key(number), value(number)});
    if (not client or not client->send(requests))
        return false;
    for (auto number = std::size_t{0}; number < keys; ++number)
        if (client->receive() != kv::Reply{'+', "OK", {}})
            return false;
    return true;
}

/// How many of the keys a leader has, each with its value.
[[nodiscard]] std::size_t count_keys(std::uint16_t port)
{
    auto client = kv::Client::connect(port, patience);
    auto requests = std::string{};
    for (auto number = std::size_t{0}; number < keys; ++number)
        kv::write_request(requests, {"GET", key(number)});
    if (not client or not client->send(requests))
        return 0;
    auto count = std::size_t{0};
    for (auto number = std::size_t{0}; number < keys; ++number)
        count += client->receive() == kv::Reply{'$', value(number), {}} ? 1U : 0U;
    return count;
}

/// A cluster that is made of a backup.
struct ImportedCluster : KvCluster
{
    ImportedCluster(std::size_t servers, std::string const& file) : KvCluster(servers, "restored")
    {
        for (auto server = std::size_t{0}; server < servers; ++server) {
            std::filesystem::remove_all(directory(server));
            if (server % 2 == 1) // One that is empty may be there.
                std::filesystem::create_directory(directory(server));
            auto words = init_words(server);
            words.front() = "import";
            words.insert(words.begin() + 1, file);
            auto const made = run_kv(words);
            BOOST_REQUIRE_MESSAGE(made.exit_code == 0, made.errors);
            BOOST_TEST(made.output.starts_with("imported 3000 keys: the log begins after entry "));
        }
    }
};

void stop_all(KvCluster& cluster)
{
    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        cluster.process(server).signal(SIGTERM);
    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        BOOST_TEST((cluster.process(server).wait() == 0));
}

/// A cluster with all keys, and a backup of one of its servers.
struct Backup
{
    Backup()
    {
        cluster.start_all({"--snapshot-mib", "0", "--keep-mib", "0"});
        leader = cluster.await_leader();
        BOOST_REQUIRE(write_keys(cluster.client_port(leader)));
        cluster.await_equality();
    }

    [[nodiscard]] Ended export_from(std::size_t server, std::vector<std::string> const& options = {}) const
    {
        auto words = std::vector<std::string>{"export", "--dir", cluster.directory(server).string(), "--to", file};
        words.insert(words.end(), options.begin(), options.end());
        return run_kv(words);
    }

    KvCluster   cluster{3};
    std::string file = (cluster.files() / "backup").string();
    std::size_t leader = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(backups, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_new_cluster_begins_with_what_a_stopped_one_had_committed)
{
    auto backup = Backup{};
    stop_all(backup.cluster);
    auto const exported = backup.export_from(backup.leader);
    BOOST_REQUIRE_MESSAGE(exported.exit_code == 0, exported.errors);
    BOOST_TEST(exported.output.starts_with("exported 3000 keys: the state up to entry "));
    BOOST_TEST(exported.output.find("did not stop cleanly") == std::string::npos);

    auto restored = ImportedCluster{3, backup.file};
    restored.start(0);
    BOOST_REQUIRE(eventually([&] { return not restored.info(0, "raft_base").empty(); }));
    auto       client = kv::Client::connect(restored.client_port(0), patience);
    auto const nodes = client ? client->ask({"CLUSTER", "NODES"}) : std::nullopt;
    for (auto const port : backup.cluster.client_ports()) // Nobody is sent to the old cluster.
        BOOST_TEST((nodes and nodes->text.find(":" + std::to_string(port) + "@") == std::string::npos), nodes->text);
    restored.start(1);
    restored.start(2);

    auto const leader = restored.await_leader();
    BOOST_TEST(count_keys(restored.client_port(leader)) == keys);
    restored.await_equality();
    for (auto server = std::size_t{0}; server < restored.size(); ++server) {
        BOOST_TEST(restored.info(server, "db0").starts_with("keys=3000,"));
        BOOST_TEST(restored.number(server, "raft_base") >= keys);
    }
    // It goes on as any other: over a restart, and with writes of its own.
    BOOST_REQUIRE(write_keys(restored.client_port(leader)));
    stop_all(restored);
    restored.start_all();
    BOOST_TEST(count_keys(restored.client_port(restored.await_leader())) == keys);
}

BOOST_AUTO_TEST_CASE(a_follower_that_runs_is_exported_by_its_newest_snapshot)
{
    auto       backup = Backup{};
    auto const follower = (backup.leader + 1) % 3;
    auto const offline = backup.export_from(follower);
    BOOST_TEST((offline.exit_code == 2));
    BOOST_TEST(offline.errors.find("its server runs: stop it, or export its newest snapshot with --online") !=
               std::string::npos);
    auto const none = backup.export_from(follower, {"--online"});
    BOOST_TEST((none.exit_code == 2));
    BOOST_TEST(none.errors.find("ask for one with RAFT.SNAPSHOT") != std::string::npos);
    auto client = kv::Client::connect(backup.cluster.client_port(follower), patience);
    BOOST_REQUIRE((client and client->ask({"RAFT.SNAPSHOT"})));

    auto const exported = backup.export_from(follower, {"--online"});

    BOOST_REQUIRE_MESSAGE(exported.exit_code == 0, exported.errors);
    auto restored = ImportedCluster{1, backup.file};
    restored.start_all();
    BOOST_TEST(count_keys(restored.client_port(restored.await_leader())) == keys);
}

BOOST_AUTO_TEST_CASE(a_backup_of_which_any_byte_is_wrong_is_refused_and_leaves_nothing)
{
    auto backup = Backup{};
    backup.cluster.process(backup.leader).end(); // Killed: what it saved as committed may lag.
    auto const exported = backup.export_from(backup.leader);
    BOOST_REQUIRE_MESSAGE(exported.exit_code == 0, exported.errors);
    BOOST_TEST(exported.output.find("the server did not stop cleanly") != std::string::npos);
    auto const whole = content_of(backup.file);
    auto const directory = (backup.cluster.files() / "new").string();
    auto const import = [&](std::string const& content) {
        std::ofstream{backup.file, std::ios::binary} << content;
        auto const made = run_kv(
            {"import", backup.file, "--cluster", "c", "--id", "1", "--peers", "1=127.0.0.1:1", "--dir", directory});
        BOOST_TEST((made.exit_code == 2));
        BOOST_TEST(not std::filesystem::exists(directory));
        BOOST_TEST(not std::filesystem::exists(directory + ".importing"));
        return made.errors;
    };

    for (auto at = std::size_t{0}; at < whole.size(); at += 1 + whole.size() / 40) {
        auto flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 1);
        auto const errors = import(flipped);
        BOOST_TEST((errors.find(": it is") != std::string::npos or errors.find(": its format is") != std::string::npos),
                   errors);
    }
    for (auto const size : {std::size_t{0}, std::size_t{11}, std::size_t{60}, whole.size() / 2, whole.size() - 1})
        BOOST_TEST(import(whole.substr(0, size)).find(": it is ") != std::string::npos);
    BOOST_TEST(import(whole + "x").find("it is damaged") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_log_that_is_damaged_is_not_exported)
{
    auto backup = Backup{};
    stop_all(backup.cluster);
    auto const segment = backup.cluster.directory(0) / "segment-0000000000000001";
    auto       content = content_of(segment.string());
    content[100'000] = static_cast<char>(content[100'000] ^ 1);
    std::ofstream{segment, std::ios::binary} << content;

    auto const exported = backup.export_from(0);

    BOOST_TEST((exported.exit_code == 1));
    BOOST_TEST(not exported.errors.empty());
    BOOST_TEST(not std::filesystem::exists(backup.file));
}

/// They would count entries as held that are not the same.
BOOST_AUTO_TEST_CASE(servers_of_different_backups_are_of_different_clusters)
{
    auto backup = Backup{};
    stop_all(backup.cluster);
    BOOST_REQUIRE(backup.export_from(backup.leader).exit_code == 0);
    auto mixed = ImportedCluster{2, backup.file};
    std::filesystem::remove_all(mixed.directory(1));
    BOOST_REQUIRE(run_kv(mixed.init_words(1)).exit_code == 0); // Of the same name, and not imported.

    mixed.start_all();

    for (auto server = std::size_t{0}; server < 2; ++server) {
        auto const error = "peer_" + std::to_string(2 - server) + "_error";
        BOOST_TEST(eventually([&] { return mixed.info(server, error).find("another cluster") != std::string::npos; }));
    }
}

BOOST_AUTO_TEST_CASE(an_import_never_replaces_anything)
{
    auto       backup = Backup{};
    auto const directory = backup.cluster.directory(0).string();
    stop_all(backup.cluster);
    BOOST_REQUIRE(backup.export_from(1).exit_code == 0);

    auto const made =
        run_kv({"import", backup.file, "--cluster", "c", "--id", "1", "--peers", "1=127.0.0.1:1", "--dir", directory});

    BOOST_TEST((made.exit_code == 2));
    BOOST_TEST(made.errors.find("it exists") != std::string::npos);
    auto const absent = run_kv({"import", backup.file + ".absent", "--cluster", "c", "--id", "1", "--peers",
                                "1=127.0.0.1:1", "--dir", directory + "-new"});
    BOOST_TEST((absent.exit_code == 2));
    BOOST_TEST(absent.errors.find("No such file") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::backups_tests
