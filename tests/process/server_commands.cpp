// SPDX-License-Identifier: BSL-1.0
// What a server answers alone: who the clients and servers are, which commands there are.
#include "../../docs/examples/kv/commands/commands.hpp"
#include "../../docs/examples/kv/protocol/client.hpp"
#include "../../docs/examples/kv/protocol/session.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kv::server_commands_tests
{
namespace
{

using Words = std::vector<std::string_view>;

/// A server whose role the test chooses.
struct Host
{
    [[nodiscard]] std::string info() const
    {
        return "# Server\r\na:1\r\n\r\n# Clients\r\nb:2\r\n\r\n# Raft\r\nc:3\r\n";
    }
    [[nodiscard]] std::string clients() const { return "id=1\nid=2\n"; }
    [[nodiscard]] std::string members() const { return "configuration:3\r\n"; }
    [[nodiscard]] Topology    topology() const { return cluster; }
    void                      shut_down() const { ++shut_downs; }

    Topology    cluster;
    mutable int shut_downs = 0;
};

struct Fixture
{
    /// The answer to a request, as it goes over the wire.
    std::string raw(Words const& words)
    {
        auto const understood = understand(words);
        if (auto const* const complaint = std::get_if<std::string>(&understood))
            return "-" + *complaint + "\r\n";
        auto text = std::string{};
        ServerAnswers{text, client, host}.answer(std::get<CommandRule>(understood).command, words);
        return text;
    }

    Reply ask(Words const& words)
    {
        auto const text = raw(words);
        auto       bytes = std::string_view{text};
        auto       reply = take_reply(bytes);
        BOOST_REQUIRE_MESSAGE(reply and bytes.empty(), text);
        return *reply;
    }

    /// Three servers, of which the second leads, and the third has not announced where its clients find it.
    void seat_servers(std::uint64_t self)
    {
        host.cluster = Topology{.cluster = totora::ClusterId{0xABC}, .term = 7, .offset = 90};
        for (auto id = std::uint64_t{1}; id <= 3; ++id)
            host.cluster.seats.push_back({.member = {totora::ServerId{id}, totora::first_incarnation},
                                          .host = id == 3 ? "" : "10.0.0." + std::to_string(id),
                                          .port = static_cast<std::uint16_t>(id == 3 ? 0 : 6000 + id),
                                          .peer_port = static_cast<std::uint16_t>(7000 + id),
                                          .offset = 80 + id,
                                          .is_leader = id == 2,
                                          .is_self = id == self});
        host.cluster.is_leader = self == 2;
    }

    ClientState client;
    Host        host;
};

std::string const name_1 = "0000000000000abc000000000000000100000001";
std::string const name_2 = "0000000000000abc000000000000000200000001";

/// The value of a name in a map, or in an array of names and values.
Reply const& field(Reply const& map, std::string_view name)
{
    for (auto at = std::size_t{0}; at + 1 < map.elements.size(); at += 2)
        if (map.elements[at].text == name)
            return map.elements[at + 1];
    BOOST_FAIL("there is no " << name);
    return map;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(server_commands, Fixture)

BOOST_AUTO_TEST_CASE(a_client_has_an_id_and_a_name)
{
    client.id = 17;
    client.address = "127.0.0.1:5000";

    BOOST_TEST(ask({"CLIENT", "ID"}).text == "17");
    BOOST_TEST(ask({"CLIENT", "GETNAME"}).kind == '_');
    BOOST_TEST(ask({"client", "setname", "worker"}).text == "OK");
    BOOST_TEST(ask({"CLIENT", "GETNAME"}).text == "worker");
    BOOST_TEST(ask({"CLIENT", "SETINFO", "LIB-NAME", "redis-py"}).text == "OK");
    BOOST_TEST(ask({"CLIENT", "SETINFO", "lib-ver", "4.3"}).text == "OK");
    BOOST_TEST(ask({"CLIENT", "INFO"}).text ==
               "id=17 addr=127.0.0.1:5000 name=worker age=0 db=0 cmd=NULL resp=2 lib-name=redis-py lib-ver=4.3\n");
    BOOST_TEST(ask({"CLIENT", "LIST"}).text == "id=1\nid=2\n");
    BOOST_TEST(ask({"RESET"}).text == "RESET");
    BOOST_TEST(ask({"CLIENT", "GETNAME"}).kind == '_');
}

BOOST_AUTO_TEST_CASE(wrong_questions_about_clients_are_answered_by_the_reason)
{
    for (auto const& name : {std::string{"two words"}, std::string{"a\n"}, std::string(257, 'n')}) {
        BOOST_TEST(ask({"CLIENT", "SETNAME", name}).text.starts_with("ERR Client names cannot contain spaces"));
        BOOST_TEST(ask({"CLIENT", "SETINFO", "lib-name", name}).is_error("ERR Client names"));
        BOOST_TEST(ask({"HELLO", "2", "SETNAME", name}).is_error("ERR Client names"));
    }
    BOOST_TEST(client.name.empty());
    BOOST_TEST(ask({"CLIENT"}).text == "ERR wrong number of arguments for 'client' command");
    BOOST_TEST(ask({"CLIENT", "SETNAME"}).text == "ERR wrong number of arguments for 'client|setname' command");
    BOOST_TEST(ask({"CLIENT", "ID", "1"}).text == "ERR wrong number of arguments for 'client|id' command");
    BOOST_TEST(ask({"CLIENT", "KILL", "1"}).text.starts_with("ERR unknown subcommand 'KILL'"));
    BOOST_TEST(ask({"CLIENT", "SETINFO", "lib-colour", "red"}).text == "ERR Unrecognized option 'lib-colour'");
}

BOOST_AUTO_TEST_CASE(hello_chooses_the_protocol_and_greets_in_it)
{
    client.id = 5;
    seat_servers(2);

    BOOST_TEST(ask({"HELLO"}).kind == '*');
    BOOST_TEST(raw({"CLIENT", "GETNAME"}) == "$-1\r\n");
    auto const greeting = ask({"hello", "3", "AUTH", "default", "any", "SETNAME", "me"});
    BOOST_TEST(greeting.kind == '%');
    BOOST_TEST(field(greeting, "server").text == "redis");
    BOOST_TEST(field(greeting, "proto").text == "3");
    BOOST_TEST(field(greeting, "id").text == "5");
    BOOST_TEST(field(greeting, "mode").text == "cluster");
    BOOST_TEST(field(greeting, "role").text == "master");
    BOOST_TEST(ask({"CLIENT", "GETNAME"}).text == "me");
    ask({"CLIENT", "SETNAME", ""});
    BOOST_TEST(raw({"CLIENT", "GETNAME"}) == "_\r\n");
    BOOST_TEST((ask({"CONFIG", "GET", "save", "APPENDONLY", "none"}) ==
                Reply{'%', "", {{'$', "appendonly", {}}, {'$', "yes", {}}, {'$', "save", {}}, {'$', "", {}}}}));
    BOOST_TEST(ask({"INFO"}).kind == '=');
    BOOST_TEST(field(ask({"HELLO", "2"}), "proto").text == "2");
    BOOST_TEST(ask({"INFO"}).kind == '$');
    BOOST_TEST(ask({"CONFIG", "GET", "save"}).kind == '*');
}

BOOST_AUTO_TEST_CASE(a_greeting_that_is_refused_changes_nothing)
{
    for (auto const version : {"1", "4", "x", ""})
        BOOST_TEST(ask({"HELLO", version}).text == "NOPROTO unsupported protocol version");
    BOOST_TEST(ask({"HELLO", "3", "AUTH", "somebody", "pass"}).is_error("WRONGPASS "));
    BOOST_TEST(ask({"HELLO", "3", "AUTH", "default"}).text == "ERR Syntax error in HELLO option 'AUTH'");
    BOOST_TEST(ask({"HELLO", "3", "SETNAME", "a b"}).is_error("ERR Client names"));
    BOOST_TEST((client.protocol == Protocol::resp2));
    BOOST_TEST(ask({"AUTH", "password"}).is_error("ERR AUTH <password> called without any password"));
    BOOST_TEST(ask({"AUTH", "default", "password"}).text == "OK");
    BOOST_TEST(ask({"AUTH", "root", "password"}).is_error("WRONGPASS "));
    BOOST_TEST(ask({"AUTH", "a", "b", "c"}).is_error("ERR syntax error"));
}

BOOST_AUTO_TEST_CASE(info_has_the_sections_that_are_asked_for)
{
    auto const all = host.info();

    BOOST_TEST(ask({"INFO"}).text == all);
    BOOST_TEST(ask({"INFO", "ALL"}).text == all);
    BOOST_TEST(ask({"info", "everything", "raft"}).text == all);
    BOOST_TEST(ask({"INFO", "clients"}).text == "# Clients\r\nb:2\r\n");
    BOOST_TEST(ask({"INFO", "raft", "Server"}).text == "# Server\r\na:1\r\n\r\n# Raft\r\nc:3\r\n");
    BOOST_TEST(ask({"INFO", "none"}).text == "");
    BOOST_TEST(ask({"INFO", ""}).text == "");
}

BOOST_AUTO_TEST_CASE(commands_are_described)
{
    auto const count = command_rules.size();
    BOOST_TEST(ask({"COMMAND", "COUNT"}).text == std::to_string(count));
    BOOST_TEST(ask({"COMMAND", "LIST"}).elements.size() == count);
    BOOST_TEST(ask({"COMMAND"}).elements.size() == count);
    BOOST_TEST(ask({"COMMAND", "DOCS"}).elements.size() == 2 * count);

    auto const infos = ask({"COMMAND", "INFO", "mset", "none"});
    BOOST_REQUIRE(infos.elements.size() == 2U);
    auto const& mset = infos.elements[0].elements;
    BOOST_REQUIRE(mset.size() == 10U);
    BOOST_TEST(mset[0].text == "mset");
    BOOST_TEST(mset[1].text == "-3");
    BOOST_TEST(mset[2].elements[0].text == "write");
    BOOST_TEST((mset[3].text == "1" and mset[4].text == "-1" and mset[5].text == "2"));
    BOOST_TEST(infos.elements[1].kind == '_');

    auto const docs = ask({"COMMAND", "DOCS", "GET", "none"});
    BOOST_TEST(docs.elements.size() == 2U);
    BOOST_TEST(field(field(docs, "get"), "group").text == "string");
    BOOST_TEST(ask({"COMMAND", "COUNT", "x"}).is_error("ERR unknown subcommand 'COUNT' or wrong number"));
    BOOST_TEST(ask({"COMMAND", "FORGET"}).is_error("ERR unknown subcommand"));
}

BOOST_AUTO_TEST_CASE(the_keys_among_the_words_of_a_command_are_found)
{
    auto const keys = [this](Words words) {
        words.insert(words.begin(), {"COMMAND", "GETKEYS"});
        auto text = std::string{};
        for (auto const& key : ask(words).elements)
            text += key.text + " ";
        return text;
    };
    BOOST_TEST(keys({"GET", "a"}) == "a ");
    BOOST_TEST(keys({"MGET", "a", "b", "c"}) == "a b c ");
    BOOST_TEST(keys({"MSET", "a", "1", "b", "2"}) == "a b ");
    BOOST_TEST(keys({"SET", "a", "1", "NX"}) == "a ");
    BOOST_TEST(ask({"COMMAND", "GETKEYS", "PING"}).text == "ERR The command has no key arguments");
    BOOST_TEST(ask({"COMMAND", "GETKEYS", "GET"}).is_error("ERR wrong number of arguments for 'get'"));
}

BOOST_AUTO_TEST_CASE(the_leader_and_its_followers_are_one_shard_of_all_slots)
{
    seat_servers(1);
    auto const seat = [](std::string at, std::string port, std::string name) {
        return Reply{
            '*', "", {{'$', std::move(at), {}}, {':', std::move(port), {}}, {'$', std::move(name), {}}, {'*', "", {}}}};
    };

    auto const slots =
        Reply{'*',
              "",
              {{':', "0", {}}, {':', "16383", {}}, seat("10.0.0.2", "6002", name_2), seat("10.0.0.1", "6001", name_1)}};
    BOOST_TEST((ask({"CLUSTER", "SLOTS"}) == Reply{'*', "", {slots}}));

    auto const shards = ask({"CLUSTER", "SHARDS"});
    BOOST_REQUIRE(shards.elements.size() == 1U);
    BOOST_TEST((field(shards.elements[0], "slots") == Reply{'*', "", {{':', "0", {}}, {':', "16383", {}}}}));
    auto const& nodes = field(shards.elements[0], "nodes").elements;
    BOOST_REQUIRE(nodes.size() == 2U);
    BOOST_TEST(field(nodes[0], "role").text == "master");
    BOOST_TEST(field(nodes[0], "port").text == "6002");
    BOOST_TEST(field(nodes[0], "endpoint").text == "10.0.0.2");
    BOOST_TEST(field(nodes[1], "role").text == "replica");
    BOOST_TEST(field(nodes[1], "id").text == name_1);

    BOOST_TEST(ask({"CLUSTER", "NODES"}).text ==
               name_1 + " 10.0.0.1:6001@7001 myself,slave " + name_2 + " 0 0 7 connected\n" + name_2 +
                   " 10.0.0.2:6002@7002 master - 0 0 7 connected 0-16383\n" +
                   "0000000000000abc000000000000000300000001 :0@7003 slave,noaddr " + name_2 + " 0 0 7 connected\n");
    BOOST_TEST(ask({"CLUSTER", "MYID"}).text == name_1);
    auto const info = ask({"CLUSTER", "INFO"}).text;
    BOOST_TEST(info_field(info, "cluster_state") == "ok");
    BOOST_TEST(info_field(info, "cluster_slots_ok") == "16384");
    BOOST_TEST(info_field(info, "cluster_known_nodes") == "3");
}

BOOST_AUTO_TEST_CASE(without_a_leader_no_slot_is_served)
{
    seat_servers(1);
    host.cluster.seats[1].is_leader = false;

    BOOST_TEST((ask({"CLUSTER", "SLOTS"}) == Reply{'*', "", {}}));
    BOOST_TEST(info_field(ask({"CLUSTER", "INFO"}).text, "cluster_state") == "fail");
    BOOST_TEST(field(ask({"CLUSTER", "SHARDS"}).elements[0], "nodes").elements.size() == 2U);
    BOOST_TEST(
        (ask({"ROLE"}) ==
         Reply{'*', "", {{'$', "slave", {}}, {'$', "", {}}, {':', "0", {}}, {'$', "connect", {}}, {':', "90", {}}}}));
}

BOOST_AUTO_TEST_CASE(role_shows_who_leads_and_who_follows)
{
    seat_servers(2);
    auto const follower = Reply{'*', "", {{'$', "10.0.0.1", {}}, {'$', "6001", {}}, {'$', "81", {}}}};
    BOOST_TEST((ask({"ROLE"}) == Reply{'*', "", {{'$', "master", {}}, {':', "90", {}}, {'*', "", {follower}}}}));

    seat_servers(1);
    BOOST_TEST(
        (ask({"ROLE"}) ==
         Reply{
             '*',
             "",
             {{'$', "slave", {}}, {'$', "10.0.0.2", {}}, {':', "6002", {}}, {'$', "connected", {}}, {':', "90", {}}}}));
}

/// From the documentation of Redis Cluster, and its own tests.
BOOST_AUTO_TEST_CASE(slots_of_keys_are_those_of_redis)
{
    BOOST_TEST(slot_of("123456789") == 0x31C3);
    BOOST_TEST(slot_of("foo") == 12182);
    BOOST_TEST(slot_of("") == 0);
    BOOST_TEST(slot_of("{user1000}.following") == slot_of("user1000"));
    BOOST_TEST(slot_of("foo{}{bar}") != slot_of("bar"));
    BOOST_TEST(slot_of("foo{{bar}}zap") == slot_of("{bar"));
    BOOST_TEST(slot_of("foo{bar}{zap}") == slot_of("bar"));
    BOOST_TEST(ask({"CLUSTER", "KEYSLOT", "foo"}).text == "12182");
    BOOST_TEST(ask({"CLUSTER", "KEYSLOT"}).is_error("ERR wrong number of arguments"));
    BOOST_TEST(ask({"CLUSTER", "SLOTS", "1"}).is_error("ERR wrong number of arguments"));
    BOOST_TEST(ask({"CLUSTER", "MEET", "127.0.0.1", "1"}).is_error("ERR unknown subcommand 'MEET'"));
}

BOOST_AUTO_TEST_CASE(where_clients_find_a_server_is_what_it_announced)
{
    auto machine = KeyValue{};
    auto payload = std::vector<std::byte>{};
    auto answers = std::vector<Answer>{};
    auto entry = totora::EntryView{};
    encode_announcement(payload, totora::ServerId{2}, "::1:6002");
    entry.payload = payload;
    machine.apply(std::span{&entry, 1}, answers);
    auto status = totora::Status{};
    status.id = totora::ServerId{1};
    status.leader = totora::ServerId{2};
    auto const peers = std::vector<totora::Peer>{{{totora::ServerId{1}, totora::first_incarnation}, "h:7001"},
                                                 {{totora::ServerId{2}, totora::first_incarnation}, "h:7002"}};

    auto const topology = topology_of({}, peers, status, machine);

    BOOST_REQUIRE(topology.seats.size() == 2U);
    BOOST_TEST(not topology.seats[0].has_address());
    BOOST_TEST(topology.seats[0].is_self);
    BOOST_REQUIRE(topology.leader() != nullptr);
    BOOST_TEST(topology.leader()->host == "::1");
    BOOST_TEST(topology.leader()->port == 6002);
    BOOST_TEST(topology.leader()->peer_port == 7002);
}

BOOST_AUTO_TEST_CASE(a_client_may_stop_the_server)
{
    BOOST_TEST(raw({"SHUTDOWN"}) == "");
    BOOST_TEST(raw({"shutdown", "NOSAVE"}) == "");
    BOOST_TEST(host.shut_downs == 2);
    BOOST_TEST(ask({"SHUTDOWN", "never"}).is_error("ERR syntax error"));
    BOOST_TEST(host.shut_downs == 2);
}

BOOST_AUTO_TEST_CASE(a_snapshot_is_asked_for_in_one_word)
{
    BOOST_TEST(ask({"raft.snapshot", "now"}).is_error("ERR wrong number of arguments for 'raft.snapshot' command"));
}

BOOST_AUTO_TEST_CASE(any_server_shows_the_members) { BOOST_TEST(ask({"RAFT.STATUS"}).text == "configuration:3\r\n"); }

BOOST_AUTO_TEST_CASE(what_clusters_and_connections_are_asked_besides_is_answered)
{
    BOOST_TEST(ask({"READONLY"}).text == "OK");
    BOOST_TEST(ask({"READWRITE"}).text == "OK");
    BOOST_TEST(ask({"SELECT", "0"}).text == "OK");
    BOOST_TEST(ask({"SELECT", "1"}).is_error("ERR DB index is out of range"));
    BOOST_TEST(ask({"PING", "a"}).text == "a");
    BOOST_TEST(ask({"PING", "a", "b"}).is_error("ERR wrong number of arguments for 'ping'"));
    auto const now = ask({"TIME"}).elements;
    BOOST_REQUIRE(now.size() == 2U);
    BOOST_TEST(parse_integer(now[0].text).value() > 1'700'000'000);
    BOOST_TEST(parse_integer(now[1].text).value() < 1'000'000);
    BOOST_TEST(ask({"CONFIG", "SET", "save", ""}).is_error("ERR only CONFIG GET"));
    BOOST_TEST(ask({"CONFIG", "GET"}).is_error("ERR wrong number of arguments for 'config|get'"));
}

BOOST_AUTO_TEST_CASE(what_is_no_command_is_answered_by_its_name)
{
    auto const answer = ask({"LPUSH\r\n", "a"});
    BOOST_TEST(answer.text.starts_with("ERR unknown command 'LPUSH?"
                                       "?'"));
    for (auto const& rule : command_rules)
        BOOST_TEST(find_rule(rule.name) == &rule, rule.name << " stands there once");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::server_commands_tests
