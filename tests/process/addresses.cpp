// SPDX-License-Identifier: BSL-1.0
// Where a server listens, and where others find it.
#include "../../docs/examples/kv/start/addresses.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv::addresses_tests
{
namespace
{

/// A server of three, and its options.
struct Fixture
{
    [[nodiscard]] totora::Result<Addresses, std::string> plan()
    {
        auto identity = totora::Identity{};
        identity.id = totora::ServerId{1};
        identity.first_members = *parse_peer_list("--peers", "1=" + own + ",2=10.0.0.2:7002,3=10.0.0.3:7003");
        return AddressPlan{run, identity,
                           [](std::string const& name) {
                               auto number = std::optional<std::string>{};
                               if (name == "one.example")
                                   number = "10.0.0.1";
                               if (name == "loop.example")
                                   number = "127.0.1.1";
                               if (name == "six.example")
                                   number = "fe80::1";
                               return number;
                           }}
            .work_out();
    }

    [[nodiscard]] Addresses addresses()
    {
        auto planned = plan();
        BOOST_REQUIRE_MESSAGE(planned.has_value(), planned.error());
        return *std::move(planned);
    }

    [[nodiscard]] std::string complaint()
    {
        auto const planned = plan();
        return planned ? std::string{} : planned.error();
    }

    void move(std::string_view peers) { run.peer_addresses = *parse_peer_list("--peer-address", peers); }

    std::string own = "10.0.0.1:7001";
    Run         run = [] {
        auto made = Run{};
        made.client_port = 6001;
        return made;
    }();
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(addresses, Fixture)

BOOST_AUTO_TEST_CASE(a_server_listens_where_others_find_it_unless_an_option_differs)
{
    auto const plain = addresses();

    BOOST_TEST(plain.listen == "10.0.0.1:7001");
    BOOST_TEST(plain.client_listen_host == "10.0.0.1");
    BOOST_TEST(plain.client_listen_port == 6001);
    BOOST_TEST(plain.client_host == "10.0.0.1");
    BOOST_TEST(plain.client_port == 6001);
    BOOST_TEST(plain.caution == "");
}

BOOST_AUTO_TEST_CASE(a_name_is_what_others_find_and_its_number_is_where_it_listens)
{
    own = "one.example:7001";
    BOOST_TEST(addresses().listen == "10.0.0.1:7001");
    BOOST_TEST(addresses().client_listen_host == "10.0.0.1");
    BOOST_TEST(addresses().client_host == "one.example");

    own = "six.example:7001";
    BOOST_TEST(addresses().listen == "[fe80::1]:7001");
    BOOST_TEST(addresses().client_listen_host == "fe80::1");

    own = "none.example:7001";
    BOOST_TEST(complaint().starts_with("nobody knows the address of 'none.example', where others find this server"));
    run.listen = "0.0.0.0:7101";
    BOOST_TEST(addresses().listen == "0.0.0.0:7101");
    BOOST_TEST(addresses().client_listen_host == "0.0.0.0");
    BOOST_TEST(addresses().client_host == "none.example");
}

BOOST_AUTO_TEST_CASE(a_name_that_only_this_machine_finds_is_cautioned_against)
{
    own = "loop.example:7001";
    BOOST_TEST(addresses().caution.starts_with("its own name 'loop.example' is 127.0.1.1 here"));
    run.listen = "0.0.0.0:7001";
    BOOST_TEST(addresses().caution == "");
    run.listen.clear();
    move("2=127.0.0.1:7002,3=localhost:7003");
    BOOST_TEST(addresses().caution == "", "all are on this machine");
}

BOOST_AUTO_TEST_CASE(clients_are_never_sent_to_the_address_that_means_all)
{
    for (auto const any : {"0.0.0.0", "::"}) {
        run.client_host = any;
        BOOST_TEST(addresses().client_listen_host == any);
        BOOST_TEST(addresses().client_host == "10.0.0.1");
    }
    run.client_host = "kv.example";
    BOOST_TEST(complaint().starts_with("nobody knows the address of 'kv.example', where clients find this server"));
    run.client_listen = "[::]:6101";
    BOOST_TEST(addresses().client_listen_host == "::");
    BOOST_TEST(addresses().client_listen_port == 6101);
    BOOST_TEST(addresses().client_host == "kv.example");
    BOOST_TEST(addresses().client_port == 6001);
    run.client_listen.clear();
    run.client_host = "one.example";
    BOOST_TEST(addresses().client_listen_host == "10.0.0.1");
    BOOST_TEST(addresses().client_host == "one.example");
}

BOOST_AUTO_TEST_CASE(a_server_that_moved_is_found_where_it_is_now)
{
    move("1=10.9.0.1:8001,3=10.9.0.3:8003");

    auto const moved = addresses();

    BOOST_REQUIRE(moved.peers.size() == 3U);
    BOOST_TEST(moved.peers[0].address == "10.9.0.1:8001");
    BOOST_TEST(moved.peers[1].address == "10.0.0.2:7002");
    BOOST_TEST(moved.peers[2].address == "10.9.0.3:8003");
    BOOST_TEST(moved.listen == "10.9.0.1:8001");
    BOOST_TEST(moved.client_host == "10.9.0.1");
    move("4=10.9.0.4:8004");
    BOOST_TEST(complaint() == "--peer-address names server 4, which is not of this cluster");
    move("3=10.0.0.2:7002");
    BOOST_TEST(complaint() == "with --peer-address, servers 2 and 3 are both at 10.0.0.2:7002");
    move("2=10.0.0.3:7003,3=10.0.0.2:7002"); // They changed places.
    BOOST_TEST(complaint() == "");
}

BOOST_AUTO_TEST_CASE(a_server_that_is_to_be_let_in_is_given_its_address_until_the_log_names_it)
{
    auto identity = totora::Identity{};
    identity.id = totora::ServerId{4};
    identity.incarnation = totora::Incarnation{99};
    auto const resolve = [](std::string const&) { return std::optional<std::string>{}; };
    auto const without = AddressPlan{run, identity, resolve}.work_out();
    BOOST_REQUIRE(not without.has_value());
    BOOST_TEST(without.error().ends_with("give it with --peer-address 4=HOST:PORT"));

    move("4=10.0.0.4:7004");
    auto const given = AddressPlan{run, identity, resolve}.work_out();
    BOOST_REQUIRE(given.has_value());
    BOOST_TEST(given->listen == "10.0.0.4:7004");
    BOOST_TEST((given->incarnation_of(identity.id) == identity.incarnation));

    run.peer_addresses.clear();
    auto       members = *parse_peer_list("--peers", "2=10.0.0.2:7002,4=10.0.0.4:8004");
    auto const named = AddressPlan{run, identity, resolve, members}.work_out();
    BOOST_REQUIRE(named.has_value());
    BOOST_TEST(named->listen == "10.0.0.4:8004");
    members.push_back({{totora::ServerId{5}, totora::Incarnation{7}}, "10.0.0.2:7002"});
    BOOST_TEST((AddressPlan{run, identity, resolve, members}.work_out().has_value()), "one takes the other's place");
}

BOOST_AUTO_TEST_CASE(a_server_that_was_removed_listens_where_it_was)
{
    auto identity = totora::Identity{};
    identity.id = totora::ServerId{1};
    identity.first_members = *parse_peer_list("--peers", "1=10.0.0.1:7001,2=10.0.0.2:7002");
    auto const resolve = [](std::string const&) { return std::optional<std::string>{}; };

    auto const planned = AddressPlan{run, identity, resolve, {identity.first_members[1]}}.work_out();

    BOOST_REQUIRE(planned.has_value());
    BOOST_TEST(planned->listen == "10.0.0.1:7001");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::addresses_tests
