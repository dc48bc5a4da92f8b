// SPDX-License-Identifier: BSL-1.0
// The members of a cluster of real processes are changed by the commands of operators, while clients write.
#include "process/kv_cluster.hpp"
#include "process/load.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::process::membership_tests
{

using boost::unit_test::label;

namespace
{

[[nodiscard]] std::string id_of(std::size_t server) { return std::to_string(server + 1); }

/// The answer of the leader to a command of operators. A leader that was elected just now, and brings the change of the one before to
/// its end, is asked again; so is the next one if leadership was lost: that it is done already is as good as done then.
[[nodiscard]] std::string ask_leader(KvCluster const& cluster, std::initializer_list<std::string_view> words)
{
    auto       ports = kv::Ports{cluster.client_ports()};
    auto       session = kv::Session{ports, patience};
    auto       reply = std::optional<kv::Reply>{};
    auto       is_unknown = false;
    auto const is_answered = [&] {
        reply = session.ask_once(words);
        is_unknown =
            is_unknown or (not reply and session.was_sent()) or (reply and reply->is_error("ERR outcome unknown"));
        return reply and not kv::is_redirected(*reply) and not reply->is_error("ERR outcome unknown") and
               not reply->is_error("ERR the leader has yet to commit") and
               not reply->is_error("ERR another change is under way");
    };
    BOOST_REQUIRE_MESSAGE(eventually(is_answered), *words.begin() << " is answered in time");
    auto const is_done = reply->text.find(" already") != std::string::npos or reply->text.ends_with(" is no member");
    return is_unknown and is_done ? "OK" : reply->text;
}

/// Whether the leader shows these members in time.
[[nodiscard]] bool are_members(KvCluster const& cluster, std::string_view voters, std::string_view learners = "")
{
    return eventually([&] {
        auto const leader = cluster.leader();
        return leader and cluster.info(*leader, "raft_voters") == voters and
               cluster.info(*leader, "raft_learners") == learners and cluster.info(*leader, "raft_change") == "idle";
    });
}

[[nodiscard]] bool shows(KvCluster const& cluster, std::size_t server, std::string_view membership)
{
    return eventually([&] { return cluster.info(server, "raft_membership") == membership; });
}

/// Lets a server in as a voter. If the leader is lost meanwhile, the next one may have it as a learner, and goes on when it is asked to.
[[nodiscard]] std::string let_in(KvCluster const& cluster, std::size_t server)
{
    auto const added = ask_leader(cluster, {"RAFT.ADD", id_of(server), cluster.peer_address(server)});
    if (added != "OK" or cluster.info(cluster.await_leader(), "raft_learners") != id_of(server))
        return added;
    return ask_leader(cluster, {"RAFT.PROMOTE", id_of(server)});
}

/// Waits until clients got some more writes done.
void require_progress(Load const& load, std::string_view when)
{
    auto const before = load.acknowledged();
    BOOST_REQUIRE_MESSAGE(eventually([&] { return load.acknowledged() > before + 50; }), "writes go on " << when);
}

/// Makes and starts a server, and waits until it waits to be let in.
[[nodiscard]] std::size_t start_joiner(KvCluster& cluster)
{
    auto const server = cluster.make_joiner();
    cluster.start(server, {}, cluster.joiner_options(server));
    BOOST_TEST(shows(cluster, server, "waits_to_be_let_in"));
    return server;
}

} // namespace

BOOST_AUTO_TEST_SUITE(membership, *boost::unit_test::timeout(600))

BOOST_AUTO_TEST_CASE(three_servers_become_five_and_three_others_and_lose_nothing_that_was_acknowledged)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto const fourth = start_joiner(cluster);
    auto const fifth = start_joiner(cluster);
    auto       load = Load{cluster.client_ports(), 4};
    require_progress(load, "with three servers");

    BOOST_TEST(let_in(cluster, fourth) == "OK");
    BOOST_TEST(are_members(cluster, "1,2,3,4"));
    auto const killed = cluster.await_leader();
    cluster.process(killed).end();
    BOOST_TEST(let_in(cluster, fifth) == "OK");
    BOOST_TEST(are_members(cluster, "1,2,3,4,5"));
    require_progress(load, "with four servers of five");
    cluster.start(killed, {}, killed == fourth ? cluster.joiner_options(fourth) : std::vector<std::string>{});
    BOOST_TEST(eventually([&] { return cluster.info(killed, "raft_voters") == "1,2,3,4,5"; }));
    cluster.await_equality();

    auto const led = cluster.await_leader();
    BOOST_TEST(ask_leader(cluster, {"RAFT.REMOVE", id_of(led)}) == "OK");
    auto const followed = led == 0 ? std::size_t{1} : std::size_t{0};
    BOOST_TEST(ask_leader(cluster, {"RAFT.REMOVE", id_of(followed)}) == "OK");
    for (auto const removed : {led, followed})
        BOOST_TEST(shows(cluster, removed, "removed"), "server " << removed + 1);
    auto const terms = std::pair{cluster.info(led, "raft_term"), cluster.info(followed, "raft_term")};
    require_progress(load, "with three of the five");
    for (auto const removed : {led, followed})
        BOOST_TEST(cluster.info(removed, "raft_role") == "follower", "who was removed asks for no vote");
    BOOST_TEST((terms == std::pair{cluster.info(led, "raft_term"), cluster.info(followed, "raft_term")}));
    for (auto const removed : {led, followed})
        cluster.process(removed).end();
    require_progress(load, "without those that were removed");
    load.stop();

    BOOST_TEST(load.find_violation() == "");
    BOOST_TEST_MESSAGE("acknowledged " << load.acknowledged() << ", outcome unknown " << load.unknown());
}

BOOST_AUTO_TEST_CASE(a_server_whose_disk_is_dead_is_replaced_by_one_that_receives_a_snapshot)
{
    auto cluster = KvCluster{3};
    cluster.start_all({"--keep-mib", "0"});
    auto load = Load{cluster.client_ports(), 2};
    require_progress(load, "with three servers");
    for (auto server = std::size_t{0}; server < 3; ++server) {
        auto client = kv::Client::connect(cluster.client_port(server), patience).value();
        BOOST_REQUIRE(client.ask({"RAFT.SNAPSHOT"}).has_value());
        BOOST_REQUIRE(eventually([&] { return cluster.number(server, "raft_base") > 0; }));
    }
    auto const dead = cluster.await_leader() == 2 ? std::size_t{1} : std::size_t{2};
    cluster.process(dead).end();
    std::filesystem::remove_all(cluster.directory(dead));
    auto const spare = start_joiner(cluster);

    BOOST_TEST(ask_leader(cluster, {"RAFT.REPLACE", id_of(dead), "4", cluster.peer_address(spare)}) == "OK");

    BOOST_TEST(are_members(cluster, dead == 2 ? "1,2,4" : "1,3,4"));
    BOOST_TEST(shows(cluster, spare, "voter"));
    BOOST_TEST(cluster.number(spare, "raft_snapshot_index") > 0U, "the log alone does not reach back");
    require_progress(load, "with the new server");
    load.stop();
    BOOST_TEST(load.find_violation() == "");
}

BOOST_AUTO_TEST_CASE(an_id_comes_back_as_another_life_or_with_its_directory)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto const back = cluster.await_leader() == 2 ? std::size_t{1} : std::size_t{2};
    auto const id = id_of(back);
    auto const address = cluster.peer_address(back);
    auto const others = back == 2 ? "1,2" : "1,3";
    cluster.process(back).end();
    std::filesystem::remove_all(cluster.directory(back));
    BOOST_TEST(ask_leader(cluster, {"RAFT.REMOVE", id}) == "OK");
    cluster.require_joiner(back);
    cluster.start(back, {}, cluster.joiner_options(back));
    BOOST_TEST(shows(cluster, back, "waits_to_be_let_in"));
    auto const incarnation = cluster.info(back, "raft_incarnation");
    BOOST_TEST(incarnation != "1");

    BOOST_TEST(ask_leader(cluster, {"RAFT.ADD", id, address, "LEARNER"}) == "OK");
    BOOST_TEST(are_members(cluster, others, id));
    BOOST_TEST(ask_leader(cluster, {"RAFT.PROMOTE", id}) == "OK");
    BOOST_TEST(are_members(cluster, "1,2,3"));
    auto const status = ask_leader(cluster, {"RAFT.STATUS"});
    auto const line = "id=" + id + ",kind=voter,address=" + address + ",incarnation=" + incarnation + ",";
    BOOST_TEST(status.find(line) != std::string::npos, status);
    BOOST_TEST(ask_leader(cluster, {"RAFT.DEMOTE", id}) == "OK");
    BOOST_TEST(shows(cluster, back, "learner"));

    BOOST_TEST(ask_leader(cluster, {"RAFT.REMOVE", id}) == "OK");
    BOOST_TEST(are_members(cluster, others));
    BOOST_TEST(ask_leader(cluster, {"RAFT.ADD", id, address}) == "OK");
    BOOST_TEST(shows(cluster, back, "voter"), "a server that was removed comes back with its directory");
    BOOST_TEST(cluster.info(back, "raft_incarnation") == incarnation);
}

BOOST_AUTO_TEST_CASE(a_server_that_has_moved_is_found_at_its_new_address)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto const leader = cluster.await_leader();
    auto const moved = (leader + 1) % 3;
    auto const address = "127.0.0.1:" + std::to_string(free_port());
    cluster.process(moved).signal(SIGTERM);
    BOOST_REQUIRE(cluster.process(moved).wait() == 0);
    BOOST_TEST(ask_leader(cluster, {"RAFT.MOVE", id_of(moved), address}) ==
               "ERR server " + id_of(moved) + " at " + address + ": Connection refused");

    cluster.start(moved, {}, {"--peer-address", id_of(moved) + "=" + address});
    BOOST_REQUIRE(eventually([&] { return not cluster.info(moved, "raft_role").empty(); }));
    BOOST_TEST(ask_leader(cluster, {"RAFT.MOVE", id_of(moved), address}) == "OK");
    BOOST_TEST(eventually([&] {
        return cluster.info(cluster.await_leader(), "peer_" + id_of(moved)) == "address=" + address + ",link=open";
    }));
    auto const configuration = cluster.info(cluster.await_leader(), "raft_configuration");
    BOOST_REQUIRE(eventually([&] { return cluster.info(moved, "raft_configuration") == configuration; }));
    cluster.process(moved).signal(SIGTERM);
    BOOST_REQUIRE(cluster.process(moved).wait() == 0);
    cluster.start(moved); // Its log has the address now.
    BOOST_TEST(eventually([&] {
        return cluster.info(cluster.await_leader(), "peer_" + id_of(moved)) == "address=" + address + ",link=open";
    }));
    BOOST_TEST(eventually([&] { return cluster.info(moved, "loading") == "0"; }));
}

BOOST_AUTO_TEST_CASE(a_member_that_stands_still_is_shown_with_what_it_lacks)
{
    auto cluster = KvCluster{3};
    cluster.start_all();
    auto const still = (cluster.await_leader() + 1) % 3;
    cluster.await_equality();
    auto const ask = [&](auto... words) { // One that stands still would not answer.
        auto client = kv::Client::connect(cluster.client_port(cluster.await_leader()), patience).value();
        return client.ask({words...}).value().text;
    };
    auto const shown = [&](std::string_view name) {
        auto const status = ask("RAFT.STATUS");
        auto const line = status.substr(status.find("id=" + id_of(still) + ","));
        auto const from = line.find("," + std::string{name} + "=") + name.size() + 2;
        return line.substr(from, line.find(',', from) - from);
    };
    BOOST_TEST(
        eventually([&] { return shown("lag") == "0" and shown("lag_ms") == "0" and shown("lag_bytes") == "0"; }));
    BOOST_TEST(shown("address") == cluster.peer_address(still));
    BOOST_TEST(std::stoull(shown("silent_ms")) < 1'000U, "it answers heartbeats");

    cluster.process(still).signal(SIGSTOP);
    BOOST_TEST(ask("SET", "reed", "totora") == "OK");

    BOOST_TEST(eventually([&] { return std::stoull(shown("lag_ms")) > 1'000; }));
    BOOST_TEST(eventually([&] { return std::stoull(shown("silent_ms")) > 1'000; }));
    BOOST_TEST(std::stoull(shown("lag")) >= 1U);
    BOOST_TEST(std::stoull(shown("lag_bytes")) > 10U);
    cluster.process(still).signal(SIGCONT);
    BOOST_TEST(eventually([&] { return shown("lag") == "0" and shown("lag_ms") == "0"; }));
}

BOOST_AUTO_TEST_CASE(a_change_that_nobody_can_commit_is_taken_back)
{
    auto cluster = KvCluster{3};
    cluster.start_all({"--election-ms", "5000..6000"});
    auto const leader = cluster.await_leader();
    cluster.await_equality();
    auto const joiner = start_joiner(cluster);
    auto const stop_followers = [&](int signal) {
        for (auto server = std::size_t{0}; server < 3; ++server)
            if (server != leader)
                cluster.process(server).signal(signal);
    };
    auto adding = kv::Client::connect(cluster.client_port(leader), patience).value();
    auto other = kv::Client::connect(cluster.client_port(leader), patience).value();
    auto cancelling = kv::Client::connect(cluster.client_port(leader), patience).value();

    stop_followers(SIGSTOP);
    auto request = std::string{};
    kv::write_request(request, {"RAFT.ADD", "4", cluster.peer_address(joiner)});
    BOOST_REQUIRE(adding.send(request));
    BOOST_REQUIRE(eventually([&] { return cluster.info(leader, "raft_change") == "catching_up"; }));
    auto const second = other.ask({"RAFT.REMOVE", "3"});
    request.clear();
    kv::write_request(request, {"RAFT.CANCEL"});
    BOOST_REQUIRE(cancelling.send(request));
    BOOST_REQUIRE(eventually([&] { return cluster.info(leader, "raft_change") == "giving_up"; }));
    stop_followers(SIGCONT);

    auto const added = adding.receive();
    auto const cancelled = cancelling.receive();
    BOOST_REQUIRE((second and added and cancelled));
    BOOST_TEST(second->text == "ERR another change is under way: wait for its end, or cancel it");
    BOOST_TEST(added->text == "ERR the change was taken back: the members are those that there were");
    BOOST_TEST(cancelled->text == "OK");
    BOOST_TEST(are_members(cluster, "1,2,3"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_done_is_answered_by_a_sentence, *label("case_96"))
{
    auto cluster = KvCluster{3};
    auto foreign = KvCluster{1, "another"};
    cluster.start_all();
    foreign.start_all();
    auto const joiner = start_joiner(cluster);
    auto const address = cluster.peer_address(joiner);
    auto const ask = [&](auto... words) { return ask_leader(cluster, {words...}); };
    auto const elsewhere = "127.0.0.1:" + std::to_string(free_port());
    auto const foreign_address = foreign.peer_address(0);

    BOOST_TEST(ask("RAFT.ADD", "4", elsewhere) == "ERR server 4 at " + elsewhere + ": Connection refused");
    BOOST_TEST(ask("RAFT.ADD", "5", address).find("looks for server 5 and found server 4 ") != std::string::npos);
    BOOST_TEST(ask("RAFT.ADD", "5", foreign_address).find("it refuses: another cluster") != std::string::npos);
    BOOST_TEST(ask("RAFT.ADD", "2", address).starts_with("ERR server 2 is a member already"));
    BOOST_TEST(ask("RAFT.PROMOTE", "2") == "ERR server 2 is a voter already");
    BOOST_TEST(ask("RAFT.REMOVE", "9") == "ERR server 9 is no member");
    BOOST_TEST(ask("RAFT.CANCEL") == "ERR no change is under way");
    BOOST_TEST(are_members(cluster, "1,2,3"));

    auto const follower = (cluster.await_leader() + 1) % 3;
    auto       client = kv::Client::connect(cluster.client_port(follower), patience).value();
    BOOST_REQUIRE(eventually([&] { return not cluster.info(follower, "leader_client_address").empty(); }));
    auto const reply = client.ask({"RAFT.REMOVE", "1"});
    BOOST_REQUIRE(reply.has_value());
    BOOST_TEST(reply->text == "MOVED 0 " + cluster.info(follower, "leader_client_address"));
    BOOST_TEST(cluster.info(joiner, "raft_membership") == "waits_to_be_let_in");
    auto       waiting = kv::Client::connect(cluster.client_port(joiner), patience).value();
    auto const name = waiting.ask({"CLUSTER", "MYID"});
    auto const get = waiting.ask({"GET", "a"});
    BOOST_REQUIRE((name and get));
    BOOST_TEST(name->text.starts_with(cluster.info(joiner, "raft_cluster_id") + "0000000000000004"));
    BOOST_TEST(get->is_error("LOADING "));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::process::membership_tests
