// SPDX-License-Identifier: BSL-1.0
// What an operator does wrong is answered by one line and exit code 2; what he does right ends with 0.
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace totora::process::misuse_tests
{
namespace
{

/// Exit code 2, one line that begins with the program's name, and in it these words.
void require_message(Ended const& ended, std::string_view words)
{
    BOOST_TEST_CONTEXT("it printed: " << ended.errors)
    {
        BOOST_TEST((ended.exit_code == 2));
        BOOST_TEST(ended.output == "");
        BOOST_TEST(ended.errors.starts_with("kv: "));
        BOOST_TEST(std::count(ended.errors.begin(), ended.errors.end(), '\n') == 1);
        BOOST_TEST(ended.errors.find(words) != std::string::npos, "the message names '" << words << "'");
    }
}

std::vector<std::string> init_at(std::filesystem::path const& directory)
{
    return {"init", "--cluster", "c", "--id", "1", "--peers", "1=127.0.0.1:1", "--dir", directory.string()};
}

} // namespace

BOOST_AUTO_TEST_SUITE(misuse, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(a_wrong_command_line_is_answered_by_a_message)
{
    require_message(run_kv({}), "kv --help");
    require_message(run_kv({"walk"}), "'walk'");
    require_message(run_kv({"run", "--colour", "red"}), "--colour");
    require_message(run_kv({"run", "--dir", "x"}), "--client-port");
    require_message(run_kv({"init", "--cluster", "c", "--id", "9", "--peers", "1=h:1", "--dir", "x"}), "itself, 9");
}

BOOST_AUTO_TEST_CASE(a_server_is_made_only_where_it_could_listen)
{
    auto const files = TemporaryDirectory{};
    auto const init = [&](std::string const& peers) {
        return run_kv(
            {"init", "--cluster", "c", "--id", "1", "--peers", peers, "--dir", (files.path() / "d").string()});
    };
    require_message(init("1=127.0.0.1:7001,2=127.0.0.1:7001"), "127.0.0.1:7001 twice");
    require_message(init("1=127.0.0.1:7001,"), "comma");
    require_message(init("1=127.0.0.1:0"), "ID=HOST:PORT");
    require_message(init("1=::1:7001"), "ID=HOST:PORT");
    BOOST_TEST(std::filesystem::is_empty(files.path()), "and no directory was made");
    BOOST_TEST((init("1=localhost:7001,2=kv.example:7001").exit_code == 0), "it may be named, like the others");
}

BOOST_AUTO_TEST_CASE(help_is_an_answer_and_no_error)
{
    auto const ended = run_kv({"--help"});

    BOOST_TEST((ended.exit_code == 0));
    BOOST_TEST(ended.output.find("kv run --dir DIR --client-port PORT") != std::string::npos);
    BOOST_TEST(ended.errors == "");
}

BOOST_AUTO_TEST_CASE(a_directory_is_made_once)
{
    auto const files = TemporaryDirectory{};
    auto const directory = files.path() / "data" / "1";

    auto const made = run_kv(init_at(directory));
    BOOST_TEST((made.exit_code == 0), made.errors);
    require_message(run_kv(init_at(directory)), directory.string());
}

BOOST_AUTO_TEST_CASE(a_directory_that_was_never_made_does_not_run)
{
    auto const files = TemporaryDirectory{};
    auto const port = std::to_string(free_port());

    require_message(run_kv({"run", "--dir", files.path().string(), "--client-port", port}), "init");
    require_message(run_kv({"run", "--dir", (files.path() / "absent").string(), "--client-port", port}), "init");
    BOOST_TEST(std::filesystem::is_empty(files.path()), "and nothing was made by the way");
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_written_is_refused)
{
    auto const files = TemporaryDirectory{};
    std::ofstream{files.path() / "file"} << "not a directory";
    require_message(run_kv(init_at(files.path() / "file" / "data")), "file");

    if (::geteuid() == 0) // Permissions do not hold root back; a place where no file can be made does.
        return require_message(run_kv(init_at("/proc/totora-test")), "/proc/totora-test");
    auto const locked = files.path() / "locked";
    std::filesystem::create_directory(locked);
    std::filesystem::permissions(locked, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    require_message(run_kv(init_at(locked / "data")), locked.string());
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_refused)
{
    auto cluster = KvCluster{1};
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
    auto const files = TemporaryDirectory{};
    auto const taken = std::to_string(cluster.client_port(0));
    auto const free = std::to_string(free_port());
    auto const directory = (files.path() / "other").string();

    // The port of its clients.
    auto const peers = "1=127.0.0.1:" + free;
    BOOST_TEST((run_kv({"init", "--cluster", "c", "--id", "1", "--peers", peers, "--dir", directory}).exit_code == 0));
    require_message(run_kv({"run", "--dir", directory, "--client-port", taken}), taken);

    // The port of its peers.
    auto const other = (files.path() / "another").string();
    auto const taken_peers = "1=127.0.0.1:" + taken;
    BOOST_TEST(
        (run_kv({"init", "--cluster", "c", "--id", "1", "--peers", taken_peers, "--dir", other}).exit_code == 0));
    require_message(run_kv({"run", "--dir", other, "--client-port", free}), taken);
}

BOOST_AUTO_TEST_CASE(a_server_whose_peers_are_of_another_cluster_reports_it_and_waits,
                     *boost::unit_test::label("case_96"))
{
    auto cluster = KvCluster{1, "one"};
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
    auto const files = TemporaryDirectory{};
    auto const printed = files.path() / "printed";
    auto const directory = (files.path() / "2").string();
    auto const peers = cluster.peers() + ",2=127.0.0.1:" + std::to_string(free_port());
    auto const port = std::to_string(free_port());
    BOOST_TEST(
        (run_kv({"init", "--cluster", "two", "--id", "2", "--peers", peers, "--dir", directory}).exit_code == 0));

    auto process = Process{{TOTORA_KV, "run", "--dir", directory, "--client-port", port}, printed, printed};

    BOOST_TEST(eventually([&] { return content_of(printed).find("refused: another cluster") != std::string::npos; }));
    process.signal(SIGTERM);
    BOOST_TEST((process.wait() == 0));
    BOOST_TEST(cluster.info(0, "raft_role") == "leader", "the other cluster goes on");
}

BOOST_AUTO_TEST_CASE(a_directory_in_use_is_refused)
{
    auto cluster = KvCluster{1};
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
    auto words = cluster.run_words(0);
    words.back() = std::to_string(free_port());

    require_message(run_kv(words), cluster.directory(0).string());
    require_message(run_kv({"verify", "--dir", cluster.directory(0).string()}), cluster.directory(0).string());
}

BOOST_AUTO_TEST_CASE(a_log_in_memory_warns_that_it_loses_everything)
{
    auto const files = TemporaryDirectory{};
    auto const printed = files.path() / "printed";
    auto const peers = "1=127.0.0.1:" + std::to_string(free_port());
    auto const port = std::to_string(free_port());
    auto       process = Process{
        {TOTORA_KV, "run", "--log", "memory", "--cluster", "c", "--id", "1", "--peers", peers, "--client-port", port},
        printed,
        printed};

    BOOST_TEST(eventually([&] { return content_of(printed).find("leads in term") != std::string::npos; }));
    BOOST_TEST(content_of(printed).find("lost") != std::string::npos);
    process.signal(SIGTERM);
    BOOST_TEST((process.wait() == 0));
}

BOOST_AUTO_TEST_CASE(a_server_that_a_signal_stops_ends_well_and_comes_back_with_its_data)
{
    auto cluster = KvCluster{1};
    for (auto const signal : {SIGTERM, SIGINT}) {
        cluster.start(0);
        static_cast<void>(cluster.await_leader());
        auto       ports = kv::Ports{cluster.client_ports()};
        auto       session = kv::Session{ports};
        auto const counted = session.ask({"INCR", "runs"}, patience);
        BOOST_TEST((counted == kv::Reply{':', signal == SIGTERM ? "1" : "2", {}}));
        cluster.process(0).signal(signal);
        BOOST_TEST((cluster.process(0).wait() == 0));
    }
    cluster.start(0);
    static_cast<void>(cluster.await_leader());
    auto ports = kv::Ports{cluster.client_ports()};
    auto session = kv::Session{ports};
    BOOST_TEST((session.ask({"GET", "runs"}, patience) == kv::Reply{'$', "2", {}}));
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_mark_its_clean_stop_does_not_end_well)
{
    auto cluster = KvCluster{1};
    cluster.start_all();
    auto const leader = cluster.await_leader();
    std::filesystem::create_directory(cluster.directory(leader) / "run.new"); // Where the mark is written first.

    cluster.process(leader).signal(SIGTERM);

    BOOST_TEST((cluster.process(leader).wait() == 1));
    BOOST_TEST(cluster.printed(leader).find("cannot go on (storage): ") != std::string::npos, cluster.printed(leader));
}

BOOST_AUTO_TEST_CASE(a_cluster_whose_servers_stop_one_by_one_goes_on_and_forgets_nothing)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    static_cast<void>(cluster.await_leader());
    auto ports = kv::Ports{cluster.client_ports()};
    auto session = kv::Session{ports};
    for (auto round = std::size_t{0}; round < 6; ++round) {
        auto const text = std::to_string(round);
        BOOST_TEST((session.ask({"SET", "key:" + text, text}, patience) == kv::Reply{'+', "OK", {}}));
        auto const server = round % cluster.size();
        cluster.process(server).signal(SIGTERM);
        BOOST_TEST((cluster.process(server).wait() == 0));
        cluster.start(server);
        cluster.await_equality();
    }
    for (auto round = std::size_t{0}; round < 6; ++round) {
        auto const text = std::to_string(round);
        BOOST_TEST((session.ask({"GET", "key:" + text}, patience) == kv::Reply{'$', text, {}}));
    }
}

BOOST_AUTO_TEST_CASE(without_a_majority_there_is_no_leader_and_clients_are_answered_so)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto const leader = cluster.await_leader();
    cluster.await_equality();
    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        if (server != leader)
            cluster.process(server).end();

    auto       reply = std::optional<kv::Reply>{};
    auto const is_connected = [&] {
        auto client = kv::Client::connect(cluster.client_port(leader), patience);
        reply = client ? client->ask({"GET", "key"}) : std::nullopt;
        return reply and reply->text == "CLUSTERDOWN no leader";
    };
    BOOST_TEST(eventually(is_connected));
}

BOOST_AUTO_TEST_CASE(a_server_that_no_leader_has_reached_yet_is_loading)
{
    auto       cluster = KvCluster{3};
    auto const pings = [&] {
        auto client = kv::Client::connect(cluster.client_port(0), patience);
        return client ? client->ask({"PING"}) : std::nullopt;
    };
    cluster.start(0);
    auto reply = std::optional<kv::Reply>{};
    BOOST_REQUIRE(eventually([&] { return (reply = pings()).has_value(); }));
    BOOST_TEST(reply->is_error("LOADING "));
    BOOST_TEST(cluster.info(0, "loading") == "1");

    cluster.start(1);
    cluster.start(2);
    BOOST_TEST(eventually([&] { return pings() == kv::Reply{'+', "PONG", {}}; }));
    BOOST_TEST(cluster.info(0, "loading") == "0");
    BOOST_TEST(cluster.printed(0).find("is ready: ") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::misuse_tests
