// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/policy/clock.hpp"
#include "totora/testing/conformance/clock_laws.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace totora::inline v0::conformance
{

/// The moments that a clock draws in its first sixteen armings, from when it was armed.
[[nodiscard]] std::vector<std::uint64_t> moments_drawn_by(alarm_clock auto clock)
{
    auto moments = std::vector<std::uint64_t>{};
    for (auto arming = std::uint64_t{1}; arming <= 16; ++arming) {
        auto const armed_ms = clock.now_ms();
        clock.arm(Alarm::election, Arming{arming}, {0, 1'000'000});
        moments.push_back(clock.next_ring_ms().value_or(armed_ms) - armed_ms);
    }
    return moments;
}

/// The laws of `alarm_clock` that the compiler cannot check: time is monotone; an alarm rings neither before the least
/// time requested nor later than announced; arming again replaces and draws again, in the whole range; an alarm rings
/// once per arming, and not after it was cancelled; kinds of alarm are independent of each other.
///
/// `make()` gives a clock, or better `make(n)` that of server n, so that two can be compared; `let_pass(clock, ms)`
/// lets time pass for it: sets it forward, or sleeps if it must. A clock that follows the real time takes about a
/// second; better give it, in the test, another source of time (clock/steady_clock.hpp).
///
/// A clock that can be set forward by microseconds should be: only then is an alarm that rings a fraction of a
/// millisecond early found. `let_pass_us(clock, us)` lets exactly so much time pass; omit it if the clock can only
/// sleep.
template <typename Make, typename LetPass, typename LetPassMicroseconds = std::nullptr_t>
[[nodiscard]] LawViolations check_clock(Make make, LetPass let_pass, LetPassMicroseconds let_pass_us = {})
{
    auto       violations = Violations{};
    auto const of_server = [&](std::uint64_t server) {
        if constexpr (std::invocable<Make&, std::uint64_t>)
            return make(server);
        else
            return static_cast<void>(server), make();
    };
    using Clock = decltype(of_server(1));
    static_assert(alarm_clock<Clock>, "policy/clock.hpp lists what a clock needs");
    auto const check = [&](auto what) {
        violations.begin("a new clock");
        auto thrown = std::string{};
        try {
            auto clock = of_server(1);
            auto checks = ClockChecks<Clock, LetPass>{clock, let_pass, violations};
            what(checks);
        } catch (std::exception const& exception) {
            thrown = std::string{"A call threw: "} + exception.what();
        } catch (...) {
            thrown = "A call threw.";
        }
        violations.expect(thrown.empty(), "no call throws", thrown);
    };
    if constexpr (not std::same_as<LetPassMicroseconds, std::nullptr_t>)
        check([&](auto& checks) { checks.an_alarm_armed_between_two_milliseconds_is_not_early(let_pass_us); });
    else
        static_cast<void>(let_pass_us);
    check([](auto& checks) { checks.an_alarm_rings_once_and_not_early(); });
    check([](auto& checks) { checks.a_ring_comes_when_it_is_announced(); });
    check([](auto& checks) { checks.each_arming_draws_from_the_whole_range(); });
    check([](auto& checks) { checks.a_long_time_is_long(); });
    check([](auto& checks) { checks.each_kind_of_alarm_rings(); });
    check([](auto& checks) { checks.arming_again_replaces(); });
    check([](auto& checks) { checks.a_cancelled_alarm_is_silent(); });
    check([](auto& checks) { checks.an_alarm_that_became_due_may_still_be_replaced(); });
    check([](auto& checks) { checks.alarms_of_other_kinds_are_left_alone(); });
    if constexpr (std::invocable<Make&, std::uint64_t>) {
        violations.begin("new clocks of two servers");
        violations.call("arm(election, 0 to 1000000 ms), on both, sixteen times");
        violations.expect(moments_drawn_by(of_server(1)) != moments_drawn_by(of_server(2)),
                          "servers draw other moments than each other", "Two servers drew the same sixteen moments.");
    }
    return violations.broken();
}

} // namespace totora::inline v0::conformance
