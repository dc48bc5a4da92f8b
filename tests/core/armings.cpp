// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/alarms.hpp"

#include "support/prove.hpp"

#include <cstddef>

// The numbers of armings alone. Which alarms the rules arm, and when, is in alarms.cpp.

namespace totora::test::armings_tests
{
namespace
{

constexpr auto only_the_ring_of_the_newest_arming_counts = [] {
    auto       alarms = Alarms{};
    auto const first = alarms.renew(Alarm::election);
    require(alarms.is_newest(Alarm::election, first), "it is the newest");
    require(not alarms.is_newest(Alarm::heartbeat, first), "of its kind alone");

    auto const second = alarms.renew(Alarm::election);
    require(not alarms.is_newest(Alarm::election, first), "it was replaced");
    require(alarms.is_newest(Alarm::election, second), "by this one");
    require(not alarms.is_newest(Alarm::election, Arming{second.value + 1}), "and not by one that never was");
};
TOTORA_PROVE(only_the_ring_of_the_newest_arming_counts, "5.2");

constexpr auto no_ring_is_of_an_alarm_that_does_not_exist = [] {
    require(not Alarms{}.is_newest(static_cast<Alarm>(alarm_kinds), Arming{}), "the first that does not");
    require(not Alarms{}.is_newest(static_cast<Alarm>(255), Arming{}), "the last");
    for (auto kind = std::size_t{0}; kind < alarm_kinds; ++kind)
        require(Alarms{}.is_newest(static_cast<Alarm>(kind), Arming{}), "all others exist");
};
TOTORA_PROVE(no_ring_is_of_an_alarm_that_does_not_exist, "5.2");

constexpr auto armings_that_go_back_are_found = [] {
    auto later = Alarms{};
    (void)later.renew(Alarm::storage_stall);
    require(not find_broken_invariant(Alarms{}, later) and not find_broken_invariant(later, later), "they grow");
    require(find_broken_invariant(later, Alarms{}) == "armings never go back", "they do not shrink");
};
TOTORA_PROVE(armings_that_go_back_are_found, "5.2");

} // namespace
} // namespace totora::test::armings_tests
