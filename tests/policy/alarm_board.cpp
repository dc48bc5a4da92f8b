// SPDX-License-Identifier: BSL-1.0
#include "totora/clock/alarm_board.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <limits>
#include <optional>

// When alarms ring, also after the server was up, or suspended, for longer than 32 bits of milliseconds.

namespace totora::test::alarm_board_tests
{
namespace
{

constexpr auto day_ms = std::uint64_t{24} * 60 * 60 * 1000;

} // namespace

BOOST_AUTO_TEST_SUITE(alarm_board)

/// 24.8 days are 2^31 ms, 49.7 days are 2^32.
BOOST_AUTO_TEST_CASE(an_alarm_of_many_days_is_due_exactly_then, *boost::unit_test::label("case_78"))
{
    for (auto const days : {24, 25, 49, 50, 100}) {
        auto const silent_ms = day_ms * static_cast<std::uint64_t>(days);
        for (auto const up_ms : {std::uint64_t{0}, silent_ms}) {
            auto board = AlarmBoard{1};
            board.arm(Alarm::election, Arming{1}, {silent_ms, silent_ms}, up_ms);

            BOOST_TEST((board.next_ring_ms() == up_ms + silent_ms));
            BOOST_TEST((not board.ring(up_ms + silent_ms - 1)));
            BOOST_TEST((board.ring(up_ms + silent_ms) == AlarmRang{Alarm::election, Arming{1}}));
            BOOST_TEST((not board.next_ring_ms()));
        }
    }
}

BOOST_AUTO_TEST_CASE(what_is_due_first_rings_first_across_the_end_of_32_bits, *boost::unit_test::label("case_78"))
{
    auto const up_ms = std::uint64_t{std::numeric_limits<std::uint32_t>::max()} - 10;
    auto       board = AlarmBoard{1};
    board.arm(Alarm::election, Arming{1}, {20, 20}, up_ms);
    board.arm(Alarm::heartbeat, Arming{2}, {5, 5}, up_ms);

    BOOST_TEST((not board.ring(up_ms + 4)));
    BOOST_TEST((board.ring(up_ms + 30) == AlarmRang{Alarm::heartbeat, Arming{2}}));
    BOOST_TEST((board.ring(up_ms + 30) == AlarmRang{Alarm::election, Arming{1}}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::alarm_board_tests
