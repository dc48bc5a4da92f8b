// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/introduction.hpp"
#include "process/kv_process.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>

using namespace kv;
using namespace totora::process;

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
                return std::optional{Introduction::Question{"silent.example:6001", {"ANNOUNCE", "b", "c"}}};
            },
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
    auto       context = boost::asio::io_context{};
    auto       door = boost::asio::ip::tcp::acceptor{context, {boost::asio::ip::make_address("127.0.0.1"), 0}};
    auto const leader = "leader.example:" + std::to_string(door.local_endpoint().port());
    auto       introduction = Introduction{context,
                                     [&] {
                                         return std::optional{Introduction::Question{leader, {"ANNOUNCE", "b", "c"}}};
                                     },
                                     [](std::string const&) {
                                         return totora::FoundAddresses{{"127.0.0.1"}, {}};
                                     }};
    auto       came = false;
    door.async_accept([&](boost::system::error_code failure, auto) { came = not failure; });
    introduction.start();

    BOOST_TEST(eventually([&] {
        context.run_for(Milliseconds{10});
        return came;
    }));
}

BOOST_AUTO_TEST_SUITE_END()
