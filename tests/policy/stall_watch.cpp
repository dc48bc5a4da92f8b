// SPDX-License-Identifier: BSL-1.0
#include "totora/transport/tcp/stall_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace totora::test::stall_watch_tests
{
namespace
{

constexpr auto untold = std::optional<std::uint64_t>{};

struct Fixture
{
    /// For how many milliseconds nothing has arrived, as of this moment.
    std::int64_t look(int now_ms, std::optional<std::uint64_t> unacknowledged, bool takes_no_more = false)
    {
        auto const now = StallWatch::Time{std::chrono::milliseconds{now_ms}};
        auto const stall = watch.look(now, unacknowledged, takes_no_more);
        return std::chrono::duration_cast<std::chrono::milliseconds>(stall).count();
    }

    StallWatch watch;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(stall_watch, Fixture)

BOOST_AUTO_TEST_CASE(a_peer_that_acknowledges_nothing_has_stalled_however_much_is_sent_to_it)
{
    watch.took(100);
    BOOST_TEST(look(100, 100) == 0);
    watch.took(100);
    BOOST_TEST(look(200, 200) == 100);
    watch.took(100);
    BOOST_TEST(look(5'200, 300) == 5'100);
}

BOOST_AUTO_TEST_CASE(a_slow_wire_arrives_and_is_no_stall)
{
    watch.took(1'000);
    BOOST_TEST(look(100, 1'000) == 0);
    BOOST_TEST(look(5'000, 1'000) == 4'900);
    BOOST_TEST(look(5'100, 999, true) == 0);
    BOOST_TEST(look(5'200, 999, true) == 0);
    BOOST_TEST(look(5'300, 999, true) == 100);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_has_not_stalled)
{
    watch.took(100);
    BOOST_TEST(look(100, 100) == 0);
    BOOST_TEST(look(200, 0) == 0);
    BOOST_TEST(look(60'000, 0) == 0);
}

BOOST_AUTO_TEST_CASE(bytes_sent_after_a_suspension_were_not_in_flight_during_it)
{
    watch.took(100);
    BOOST_TEST(look(100, 0) == 0);
    watch.took(100);
    BOOST_TEST(look(60'000, 100) == 0);
    BOOST_TEST(look(60'100, 100) == 100);
}

BOOST_AUTO_TEST_CASE(without_acknowledgements_the_bytes_taken_are_used)
{
    watch.took(100);
    BOOST_TEST(look(100, untold, true) == 0);
    BOOST_TEST(look(200, untold, false) == 0);
    BOOST_TEST(look(300, untold, true) == 0);
    BOOST_TEST(look(5'400, untold, true) == 5'100);
    watch.took(1);
    BOOST_TEST(look(5'500, untold, true) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::stall_watch_tests
