// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/start/arguments.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kv::arguments_tests
{
namespace
{

totora::Result<Invocation, std::string> parse(std::string_view line)
{
    auto words = std::vector<std::string_view>{};
    while (not line.empty()) {
        words.push_back(line.substr(0, line.find(' ')));
        line.remove_prefix(std::min(words.back().size() + 1, line.size()));
    }
    return parse_arguments(words);
}

std::string complaint(std::string_view line)
{
    auto const parsed = parse(line);
    return parsed ? std::string{} : parsed.error();
}

/// Each is refused, by a message of one line.
constexpr std::string_view wrong_lines[] = {
    "",
    "walk",
    "init",
    "run",
    "run --dir",
    "run --dir d",
    "run --dir d --dir d --client-port 1",
    "run --dir d --client-port 65536",
    "run --dir d --client-port x",
    "run --dir d --client-port 1 --colour red",
    "run --dir d --client-port 1 --log paper",
    "run --dir d --client-port 1 --log memory",
    "run --dir d --client-port 1 --sync never",
    "run --dir d --client-port 1 --segment-mib 0",
    "run --dir d --client-port 1 --election-ms 300",
    "run --dir d --client-port 1 --election-ms 600..300",
    "run --dir d --client-port 1 --election-ms 90..100",
    "run --dir d --client-port 1 --heartbeat-ms 0",
    "run --dir d --client-port 1 --listen 7001",
    "run --dir d --client-port 1 --listen host:7001",
    "run --dir d --client-port 1 --listen 0.0.0.0:0",
    "run --dir d --client-port 1 --client-listen host:7001",
    "run --dir d --client-port 1 --client-host a\tb",
    "run --dir d --client-port 1 --client-host h:1 --client-listen 127.0.0.1:1",
    "run --dir d --client-port 1 --client-host [::1]",
    "run --dir d --client-port 1 --peer-address 1",
    "run --dir d --client-port 1 --peer-address 1=0.0.0.0:1",
    "run --dir d --client-port 1 --peer-address 1=h:1,1=h:2",
    "run --dir d --client-port 1 --peer-address 1=h:1,2=h:1",
    "init --dir d --cluster c --id 1 --peers 1=0.0.0.0:1",
    "init --dir d --cluster c --id 1 --peers 1=[::]:1",
    "run --client-port 1 --dir d --cluster c --id 1 --peers 1=h:1",
    "run --client-port 1 --log memory --dir d --cluster c --id 1 --peers 1=h:1",
    "init --dir d --cluster c --id 0 --peers 1=h:1",
    "init --dir d --cluster c --id 2 --peers 1=h:1",
    "init --dir d --cluster c --id 1 --peers 1=h:1,1=h:2",
    "init --dir d --cluster c --id 1 --peers 1=h",
    "init --dir d --cluster c --id 1 --peers 1=h:0",
    "init --dir d --cluster c --id 1 --peers h:1",
    "init --dir d --cluster c --id 1 --peers 1=h:1,,2=h:2",
};

} // namespace

BOOST_AUTO_TEST_SUITE(arguments)

BOOST_AUTO_TEST_CASE(init_names_a_cluster_and_its_first_members)
{
    auto const parsed = parse("init --cluster toto --id 2 --peers 1=host:7001,2=127.0.0.1:7002 --dir data/2");

    BOOST_REQUIRE(parsed.has_value());
    auto const& init = std::get<Init>(*parsed);
    BOOST_TEST(init.cluster == "toto");
    BOOST_TEST((init.id == totora::ServerId{2}));
    BOOST_REQUIRE(init.peers.size() == 2U);
    BOOST_TEST(init.peers[0].address == "host:7001");
    BOOST_TEST((init.peers[1].member == totora::Member{totora::ServerId{2}, totora::first_incarnation}));
    BOOST_TEST(init.directory == "data/2");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_to_be_let_in_is_given_the_id_of_the_cluster)
{
    auto const parsed = parse("init --join --cluster-id 00ab895a70b193d2 --id 4 --dir data/4");

    BOOST_REQUIRE_MESSAGE(parsed.has_value(), parsed.error());
    auto const& join = std::get<Join>(*parsed);
    BOOST_TEST(join.cluster.value == 0x00AB895A70B193D2U);
    BOOST_TEST((join.id == totora::ServerId{4}));
    BOOST_TEST(join.directory == "data/4");
    for (auto const* const id : {"895a70b193d2", "x0ab895a70b193d2", "0x00ab895a70b193d2", "-0ab895a70b193d2"})
        BOOST_TEST(complaint("init --join --id 4 --dir d --cluster-id " + std::string{id})
                       .ends_with("is not 16 hexadecimal digits, as INFO of a member shows them as raft_cluster_id"));
    BOOST_TEST(complaint("init --join --cluster-id 00ab895a70b193d2 --id 4 --dir d --peers 1=h:1")
                   .starts_with("--peers is for the first servers of a cluster: with --join, give the --cluster-id"));
    BOOST_TEST(complaint("init --join --id 4 --dir d") == "kv init --join needs the option --cluster-id");
    BOOST_TEST(complaint("init --join --cluster-id 00ab895a70b193d2 --id 0 --dir d") ==
               "the --id '0' is not a number from 1 on");
    BOOST_TEST(complaint("import f --join --cluster-id 00ab895a70b193d2 --id 4 --dir d") != "");
}

BOOST_AUTO_TEST_CASE(incarnations_are_drawn_and_neither_nobodys_nor_that_of_first_members)
{
    auto const one = draw_incarnation();
    BOOST_TEST((one.value > totora::first_incarnation.value));
    BOOST_TEST((one != draw_incarnation()));
}

BOOST_AUTO_TEST_CASE(a_token_is_given_when_the_directory_is_made_or_there_is_none)
{
    BOOST_TEST(complaint("init --cluster toto --id 1 --peers 1=127.0.0.1:1 --dir d --token") ==
               "the option --token needs a value");
    BOOST_TEST(complaint("run --dir d --client-port 1 --token again") ==
               "--token stands in the directory since kv init: leave it out");

    auto const made = parse("init --cluster toto --id 1 --peers 1=127.0.0.1:1 --dir d --token again");
    auto const plain = parse("init --cluster toto --id 1 --peers 1=127.0.0.1:1 --dir d");
    auto const trial =
        parse("run --log memory --cluster toto --id 1 --peers 1=127.0.0.1:1 --client-port 1 --token again");
    BOOST_REQUIRE((made.has_value() and plain.has_value() and trial.has_value()));
    BOOST_TEST(std::get<Init>(*made).token == "again");
    BOOST_TEST(std::get<Init>(*plain).token == "");
    BOOST_TEST(std::get<Run>(*trial).trial.token == "again");
}

BOOST_AUTO_TEST_CASE(what_all_clients_may_hold_is_a_number_of_mebibytes)
{
    auto const parsed = parse("run --dir d --client-port 1 --clients-mib 7");
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(std::get<Run>(*parsed).clients_mib == 7U);
    BOOST_TEST(
        complaint("run --dir d --client-port 1 --clients-mib 0").starts_with("--clients-mib '0' is not a number"));
}

BOOST_AUTO_TEST_CASE(what_is_scrubbed_in_a_second_is_a_number_of_mebibytes_or_nothing)
{
    auto const parsed = parse("run --dir d --client-port 1 --scrub-mib 0");
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(std::get<Run>(*parsed).scrub_mib == 0U);
    BOOST_TEST(std::get<Run>(*parse("run --dir d --client-port 1")).scrub_mib == 4U);
    BOOST_TEST(std::get<Run>(*parse("run --dir d --client-port 1 --snapshot-mib 7")).snapshot_mib == 7U);
    BOOST_TEST(
        complaint("run --dir d --client-port 1 --snapshot-mib x").starts_with("--snapshot-mib 'x' is not a number"));
    BOOST_TEST(complaint("run --dir d --client-port 1 --scrub-mib x").starts_with("--scrub-mib 'x' is not a number"));
}

BOOST_AUTO_TEST_CASE(a_directory_is_verified_with_or_without_json)
{
    auto const parsed = parse("verify --dir d --json");
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(std::get<Verify>(*parsed).directory == "d");
    BOOST_TEST(std::get<Verify>(*parsed).as_json);
    BOOST_TEST(not std::get<Verify>(*parse("verify --dir d")).as_json);
    BOOST_TEST(complaint("verify --json") == "kv verify needs the option --dir");
    BOOST_TEST(complaint("verify --dir d --deep") == "unknown option '--deep'");
}

BOOST_AUTO_TEST_CASE(how_many_clients_there_may_be_is_a_number)
{
    auto const parsed = parse("run --dir d --client-port 1 --clients 7");
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST(std::get<Run>(*parsed).clients == 7U);
    BOOST_TEST(complaint("run --dir d --client-port 1 --clients 0").starts_with("--clients '0' is not a number"));
}

BOOST_AUTO_TEST_CASE(how_long_a_client_waits_is_a_number_of_milliseconds)
{
    auto const parsed = parse("run --dir d --client-port 1 --timeout-ms 7");
    auto const plain = parse("run --dir d --client-port 1");
    BOOST_REQUIRE((parsed.has_value() and plain.has_value()));
    BOOST_TEST(std::get<Run>(*parsed).timeout_ms == 7U);
    BOOST_TEST(std::get<Run>(*plain).timeout_ms == 10'000U);
    BOOST_TEST(complaint("run --dir d --client-port 1 --timeout-ms 0").starts_with("--timeout-ms '0' is not a number"));
}

BOOST_AUTO_TEST_CASE(run_has_the_defaults_of_the_library)
{
    auto const parsed = parse("run --dir data/1 --client-port 6001");

    BOOST_REQUIRE(parsed.has_value());
    auto const& run = std::get<Run>(*parsed);
    BOOST_TEST(run.directory == "data/1");
    BOOST_TEST(run.client_port == 6001);
    BOOST_TEST(run.election_ms_min == 300U);
    BOOST_TEST(run.election_ms_max == 600U);
    BOOST_TEST(run.heartbeat_ms == 50U);
    BOOST_TEST((run.log == LogKind::segmented));
}

BOOST_AUTO_TEST_CASE(run_takes_its_options)
{
    auto const parsed =
        parse("run --client-port 0 --log memory --cluster c --id 1 --peers 1=127.0.0.1:1 --election-ms 100..150 "
              "--heartbeat-ms 10 --client-host 0.0.0.0");

    BOOST_REQUIRE(parsed.has_value());
    auto const& run = std::get<Run>(*parsed);
    BOOST_TEST((run.log == LogKind::memory));
    BOOST_TEST(run.trial.peers.size() == 1U);
    BOOST_TEST(run.election_ms_min == 100U);
    BOOST_TEST(run.election_ms_max == 150U);
    BOOST_TEST(run.client_host == "0.0.0.0");
}

BOOST_AUTO_TEST_CASE(where_a_server_listens_and_where_others_find_it_may_differ)
{
    auto const parsed = parse("run --dir d --client-port 6001 --client-host kv.example --client-listen [::]:6101 "
                              "--listen 0.0.0.0:7101 --peer-address 2=h:7002,3=[::1]:7003");

    BOOST_REQUIRE(parsed.has_value());
    auto const& run = std::get<Run>(*parsed);
    BOOST_TEST(run.client_host == "kv.example");
    BOOST_TEST(run.client_port == 6001);
    BOOST_TEST(run.client_listen == "[::]:6101");
    BOOST_TEST(run.listen == "0.0.0.0:7101");
    BOOST_REQUIRE(run.peer_addresses.size() == 2U);
    BOOST_TEST(run.peer_addresses[1].address == "[::1]:7003");
    BOOST_TEST((run.peer_addresses[1].member.id == totora::ServerId{3}));
    BOOST_TEST(complaint("init --dir d --cluster c --id 1 --peers 1=a.name:1") == "");
}

BOOST_AUTO_TEST_CASE(every_error_has_a_message)
{
    for (auto const line : wrong_lines) {
        BOOST_TEST(complaint(line) != "", "'" << line << "' has a message");
        BOOST_TEST(complaint(line).find('\n') == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(help_is_asked_for_anywhere)
{
    for (auto const line : {"--help", "-h", "run --help", "init --dir x --help"}) {
        auto const parsed = parse(line);
        BOOST_REQUIRE(parsed.has_value());
        BOOST_TEST(std::holds_alternative<Help>(*parsed));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::arguments_tests
