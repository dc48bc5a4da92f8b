// SPDX-License-Identifier: BSL-1.0
// Servers found by name: name servers and addresses that do not respond delay nothing else.
#include "support/tcp.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace totora::test::tcp_names_tests
{
namespace
{

constexpr auto party_3 = Party{ServerId{3}, Incarnation{33}};

/// A resolver with the names that a test sets. Other lookups end with the test.
class Names
{
public:
    ~Names()
    {
        end_.set_value();
        while (waiting_->load() > 0) {}
    }

    void set(std::string const& host, std::vector<std::string> addresses)
    {
        auto const lock = std::lock_guard{known_->mutex};
        known_->addresses[host] = std::move(addresses);
    }

    void forget(std::string const& host)
    {
        auto const lock = std::lock_guard{known_->mutex};
        known_->addresses.erase(host);
    }

    [[nodiscard]] int waiting() const { return *waiting_; }

    /// What a transport is given.
    [[nodiscard]] auto ask() const
    {
        return [known = known_, ended = ended_, waiting = waiting_](std::string const& host) {
            if (auto const lock = std::unique_lock{known->mutex}; known->addresses.contains(host))
                return FoundAddresses{known->addresses[host], {}};
            ++*waiting;
            ended.wait();
            --*waiting;
            return FoundAddresses{{}, "too late"};
        };
    }

private:
    struct Known
    {
        std::mutex                                      mutex;
        std::map<std::string, std::vector<std::string>> addresses;
    };

    std::shared_ptr<Known>            known_ = std::make_shared<Known>();
    std::promise<void>                end_;
    std::shared_future<void>          ended_ = end_.get_future().share();
    std::shared_ptr<std::atomic<int>> waiting_ = std::make_shared<std::atomic<int>>(0);
};

[[nodiscard]] std::string port_of(TcpServer& server) { return split_address(server.transport().address())->port; }

/// Settings of server 1, which resolves these names.
[[nodiscard]] TcpSettings asks(Names const& names)
{
    auto settings = settings_of(party_1);
    settings.find_addresses = names.ask();
    return settings;
}

BOOST_AUTO_TEST_SUITE(tcp_names)

BOOST_AUTO_TEST_CASE(an_unresolved_name_delays_no_other_name)
{
    auto context = boost::asio::io_context{};
    auto names = Names{};
    names.set("two", {"127.0.0.1"});
    auto two = TcpServer{context, settings_of(party_2)};
    auto one = TcpServer{context, asks(names)};
    one.transport().update(party_3.id, party_3.incarnation, "silent:7003");
    BOOST_REQUIRE(until(context, [&] { return names.waiting() == 1; }));

    one.transport().update(party_2.id, party_2.incarnation, "two:" + port_of(two));

    BOOST_TEST(until(context, [&] { return one.link_is(party_2, Link::open); }));
    BOOST_TEST(names.waiting() == 1);
}

BOOST_AUTO_TEST_CASE(an_unresolved_name_does_not_delay_the_end_of_a_transport)
{
    auto names = Names{};
    {
        auto context = boost::asio::io_context{};
        auto one = TcpServer{context, asks(names)};
        one.transport().update(party_3.id, party_3.incarnation, "silent:7003");
        BOOST_REQUIRE(until(context, [&] { return names.waiting() == 1; }));
    }
    BOOST_TEST(names.waiting() == 1); // The lookup outlives the transport.
}

BOOST_AUTO_TEST_CASE(an_unresolved_name_is_looked_up_once_and_logged)
{
    auto context = boost::asio::io_context{};
    auto names = Names{};
    auto hasty = asks(names);
    hasty.handshake_ms = 20;
    auto one = TcpServer{context, hasty};
    one.transport().update(party_3.id, party_3.incarnation, "silent:7003");

    BOOST_TEST(until(context, [&] { return one.has_logged("nobody answers who knows the addresses of this name"); }));
    BOOST_TEST(names.waiting() == 1);
}

/// A machine that is off sends nothing, not even a refusal.
BOOST_AUTO_TEST_CASE(an_address_that_does_not_respond_does_not_hide_the_next)
{
    auto context = boost::asio::io_context{};
    auto names = Names{};
    names.set("two", {"127.0.0.2", "127.0.0.1"});
    auto two = TcpServer{context, settings_of(party_2)};
    auto silent = boost::asio::ip::tcp::acceptor{context, *parse_address("127.0.0.2:" + port_of(two))};
    auto hasty = asks(names);
    hasty.handshake_ms = 50;
    auto one = TcpServer{context, hasty};

    one.transport().update(party_2.id, party_2.incarnation, "two:" + port_of(two));

    BOOST_TEST(until(context, [&] { return one.link_is(party_2, Link::open); }));
}

BOOST_AUTO_TEST_CASE(the_last_known_addresses_are_used_while_a_name_is_unresolved)
{
    auto context = boost::asio::io_context{};
    auto names = Names{};
    names.set("two", {"127.0.0.1"});
    auto two = std::make_unique<TcpServer>(context, settings_of(party_2));
    auto again = settings_of(party_2);
    again.listen = two->transport().address();
    auto hasty = asks(names);
    hasty.handshake_ms = 50;
    auto one = TcpServer{context, hasty};
    one.transport().update(party_2.id, party_2.incarnation, "two:" + port_of(*two));
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::open); }));

    names.forget("two");
    two.reset();
    two = std::make_unique<TcpServer>(context, again);

    BOOST_TEST(until(context, [&] { return one.counters().connected == 2; }));
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_again_when_a_server_is_redialed)
{
    auto context = boost::asio::io_context{};
    auto names = Names{};
    names.set("two", {"127.0.0.1"});
    auto two = std::make_unique<TcpServer>(context, settings_of(party_2));
    auto moved = settings_of(party_2);
    moved.listen = "127.0.0.2:" + port_of(*two);
    auto one = TcpServer{context, asks(names)};
    one.transport().update(party_2.id, party_2.incarnation, "two:" + port_of(*two));
    BOOST_REQUIRE(until(context, [&] { return one.link_is(party_2, Link::open); }));

    two.reset();
    two = std::make_unique<TcpServer>(context, moved);
    names.set("two", {"127.0.0.2"});

    BOOST_TEST(until(context, [&] { return one.counters().connected == 2; }));
}

BOOST_AUTO_TEST_CASE(pending_lookups_are_bounded)
{
    auto context = boost::asio::io_context{};
    auto names = Names{};
    auto one = TcpServer{context, asks(names)};
    for (auto which = 0; which < 2 * NameLookups::running_max; ++which)
        one.transport().update(party_3.id, party_3.incarnation, "silent-" + std::to_string(which) + ":7003");

    BOOST_TEST(until(context, [&] { return names.waiting() == NameLookups::running_max; }));
    BOOST_TEST(one.has_logged("there can be no thread to look up the name"));
}

BOOST_AUTO_TEST_CASE(a_resolver_that_throws_or_finds_nothing_is_logged)
{
    auto context = boost::asio::io_context{};
    auto settings = settings_of(party_1);
    settings.find_addresses = [](std::string const& host) -> FoundAddresses {
        if (host == "throws")
            throw std::runtime_error("the reeds are wet");
        return {{"no address"}, "somebody is wrong"};
    };
    auto one = TcpServer{context, settings};
    one.transport().update(party_2.id, party_2.incarnation, "throws:7002");
    one.transport().update(party_3.id, party_3.incarnation, "errs:7003");

    BOOST_TEST(until(context, [&] { return one.has_logged("the resolver threw: the reeds are wet"); }));
    BOOST_TEST(until(context, [&] { return one.has_logged("errs:7003: somebody is wrong"); }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace totora::test::tcp_names_tests
