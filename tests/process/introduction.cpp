// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/introduction.hpp"
#include "process/kv_process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv::introduction_tests
{

using namespace totora::process;

namespace
{

using Acceptor = boost::asio::ip::tcp::acceptor;

constexpr auto leader_id = totora::ServerId{3};

template <typename Condition>
bool run_until(boost::asio::io_context& context, Condition condition)
{
    return eventually([&] {
        context.run_for(Milliseconds{10});
        return condition();
    });
}

[[nodiscard]] auto asking(std::string leader)
{
    return [leader = std::move(leader)] {
        return std::optional{Introduction::Question{leader_id, leader, {"ANNOUNCE", "b", "c"}}};
    };
}

[[nodiscard]] auto noting(std::vector<std::string>& printed)
{
    return [&printed](std::string_view line) { printed.emplace_back(line); };
}

/// Whether this machine can listen at the loopback address of IPv6.
bool has_ipv6()
{
    auto context = boost::asio::io_context{};
    auto door = Acceptor{context};
    auto failure = boost::system::error_code{};
    door.open(boost::asio::ip::tcp::v6(), failure);
    if (not failure)
        door.bind({boost::asio::ip::make_address("::1"), 0}, failure);
    return not failure;
}

/// Whether a leader that listens at a number is reached, if it is written like this.
bool is_reached(std::string const& number, std::string const& written, totora::NameLookups::Ask find)
{
    auto       context = boost::asio::io_context{};
    auto       door = Acceptor{context, {boost::asio::ip::make_address(number), 0}};
    auto const leader = written + std::to_string(door.local_endpoint().port());
    auto       introduction = Introduction{context, asking(leader), {}, std::move(find)};
    auto       came = false;
    door.async_accept([&](boost::system::error_code failure, auto) { came = not failure; });
    introduction.start();
    return run_until(context, [&] { return came; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(introduction, *boost::unit_test::timeout(120))

BOOST_AUTO_TEST_CASE(a_leader_whose_name_nobody_knows_does_not_keep_a_server_from_ending)
{
    auto       end = std::promise<void>{};
    auto const ended = end.get_future().share();
    auto const asked = std::make_shared<std::atomic<int>>(0);
    {
        auto context = boost::asio::io_context{};
        auto introduction = Introduction{
            context,
            [] {
                return std::optional{Introduction::Question{leader_id, "silent.example:6001", {"ANNOUNCE", "b", "c"}}};
            },
            {},
            [ended, asked](std::string const&) {
                ++*asked;
                ended.wait();
                --*asked;
                return totora::FoundAddresses{};
            }};
        introduction.start();
        BOOST_REQUIRE(eventually([&] {
            context.run_for(Milliseconds{10});
            return *asked > 0;
        }));
    }
    BOOST_TEST(*asked > 0); // The question outlives who asked it.
    end.set_value();
    BOOST_TEST(eventually([&] { return *asked == 0; }));
}

BOOST_AUTO_TEST_CASE(a_leader_is_found_by_its_name)
{
    auto const found = [](std::string const&) { return totora::FoundAddresses{{"127.0.0.1"}, {}}; };
    BOOST_TEST(is_reached("127.0.0.1", "leader.example:", found));
}

BOOST_AUTO_TEST_CASE(a_leader_is_found_by_its_number_also_as_redis_spells_one_of_ipv6)
{
    auto const nobody_asked = [](std::string const& host) {
        BOOST_ERROR("a number was looked up as a name: " << host);
        return totora::FoundAddresses{};
    };
    BOOST_TEST(is_reached("127.0.0.1", "127.0.0.1:", nobody_asked));
    for (auto const* const to_string : {"::1:", "[::1]:"})
        BOOST_TEST((not has_ipv6() or is_reached("::1", to_string, nobody_asked)));
}

BOOST_AUTO_TEST_CASE(a_leader_that_refuses_is_reported_after_three_attempts_and_once)
{
    auto       context = boost::asio::io_context{};
    auto       door = Acceptor{context, {boost::asio::ip::make_address("127.0.0.1"), 0}};
    auto const leader = "127.0.0.1:" + std::to_string(door.local_endpoint().port());
    auto       printed = std::vector<std::string>{};
    auto       socket = boost::asio::ip::tcp::socket{context};
    auto       request = std::array<char, 512>{};
    auto       answered = 0;
    auto       refuse_next = std::function<void()>{};
    refuse_next = [&] {
        socket.close();
        door.async_accept(socket, [&](boost::system::error_code) {
            socket.async_read_some(boost::asio::buffer(request), [&](boost::system::error_code, std::size_t) {
                BOOST_TEST(printed.empty() == (answered < 3));
                ++answered;
                boost::asio::write(socket, boost::asio::buffer(std::string_view{"-ERR no\x1b way\r\n"}));
                refuse_next();
            });
        });
    };
    refuse_next();

    auto introduction = Introduction{context, asking(leader), noting(printed)};
    introduction.start();

    BOOST_REQUIRE(run_until(context, [&] { return answered == 5; }));
    BOOST_REQUIRE(printed.size() == 1U);
    BOOST_TEST(printed.front() == "cannot announce to server 3 at " + leader +
                                      " where clients find this server: it answered '-ERR no? way'");
}

BOOST_AUTO_TEST_CASE(a_leader_that_cannot_be_reached_is_reported)
{
    auto       context = boost::asio::io_context{};
    auto       door = Acceptor{context, {boost::asio::ip::make_address("127.0.0.1"), 0}};
    auto const gone = "127.0.0.1:" + std::to_string(door.local_endpoint().port());
    door.close();
    auto       printed = std::vector<std::string>{};
    auto const unknown = [](std::string const&) { return totora::FoundAddresses{{}, "nobody knows it"}; };

    auto of_gone = Introduction{context, asking(gone), noting(printed)};
    auto of_unknown = Introduction{context, asking("leader.example:6001"), noting(printed), unknown};
    of_gone.start();
    of_unknown.start();

    BOOST_REQUIRE(run_until(context, [&] { return printed.size() == 2; }));
    std::sort(printed.begin(), printed.end());
    BOOST_TEST(printed[0] ==
               "cannot announce to server 3 at " + gone + " where clients find this server: Connection refused");
    BOOST_TEST(printed[1] ==
               "cannot announce to server 3 at leader.example:6001 where clients find this server: nobody knows it");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::introduction_tests
