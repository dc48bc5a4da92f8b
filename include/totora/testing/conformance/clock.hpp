// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/local.hpp"
#include "totora/policy/clock.hpp"
#include "totora/testing/conformance/findings.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace totora::conformance
{

/// The checks of a clock. Use `check_clock`.
template <alarm_clock Clock, typename LetPass>
class ClockChecks
{
public:
    ClockChecks(Clock& clock, LetPass& let_pass, Findings& findings)
        : clock_(clock), let_pass_(let_pass), findings_(findings), seen_ms_(clock.now_ms())
    {}

    void an_alarm_rings_once_and_not_early()
    {
        auto const armed_ms = now();
        arm(Arming{1}, {20, 30});
        auto const next = clock_.next_ring_ms();
        findings_.expect(next and *next >= armed_ms + 20, "the next ring is known",
                         "An alarm is armed, and next_ring_ms does not name a time at least 20 ms from then.");
        auto const rang = wait_for_ring(armed_ms, 20);
        findings_.expect(rang == AlarmRang{Alarm::election, Arming{1}}, "an armed alarm rings, and says for what",
                         rang ? "It rang as another alarm, or with the number of another arming."
                              : "It did not ring within ten seconds of its latest time.");
        expect_silence("an alarm rings once", "It rang a second time after one arming.");
        findings_.expect(not clock_.next_ring_ms(), "no ring is announced when none is due",
                         "No alarm is armed, and next_ring_ms names a time.");
    }

    void arming_again_replaces()
    {
        arm(Arming{1}, {5, 5});
        auto const armed_ms = now();
        arm(Arming{2}, {40, 40});
        auto const rang = wait_for_ring(armed_ms, 40, "arming again replaces");
        findings_.expect(rang and rang->arming == Arming{2}, "arming again replaces",
                         "An armed alarm was armed again, and the first ring was not that of the second arming.");
        expect_silence("arming again replaces", "An armed alarm was armed again, and both rang.");
    }

    void a_cancelled_alarm_is_silent()
    {
        arm(Arming{1}, {5, 5});
        findings_.call("cancel(election)");
        clock_.cancel(Alarm::election);
        expect_silence("a cancelled alarm is silent", "It rang after it was cancelled.");
        clock_.cancel(Alarm::heartbeat); // Not armed: nothing happens.
    }

    void an_alarm_that_became_due_may_still_be_replaced()
    {
        arm(Arming{1}, {1, 1});
        pass(50);
        auto const armed_ms = now();
        arm(Arming{2}, {30, 30});
        auto const rang = wait_for_ring(armed_ms, 30, "arming again replaces");
        findings_.expect(
            rang and rang->arming == Arming{2}, "arming again replaces",
            "An alarm that was due was armed again before it was asked for, and rang for the first arming.");
    }

    void alarms_of_other_kinds_are_left_alone()
    {
        arm(Arming{1}, {10, 10});
        findings_.call("arm(heartbeat, 2, 10 to 10 ms), cancel(heartbeat)");
        clock_.arm(Alarm::heartbeat, Arming{2}, {10, 10});
        clock_.cancel(Alarm::heartbeat);
        auto const rang = wait_for_ring(now(), 0);
        findings_.expect(rang == AlarmRang{Alarm::election, Arming{1}}, "alarms of other kinds are left alone",
                         "One alarm was cancelled, and another one did not ring.");
    }

    /// `let_pass_us(clock, microseconds)` lets exactly so much time pass, which tells a clock from one that counts whole
    /// milliseconds from where it rounds to.
    template <typename LetPassMicroseconds>
    void an_alarm_armed_between_two_milliseconds_is_not_early(LetPassMicroseconds& let_pass_us)
    {
        auto arming = std::uint64_t{0};
        for (auto const past_us : {0, 1, 499, 500, 501, 998, 999}) {
            findings_.call(std::to_string(past_us) + " us pass");
            let_pass_us(clock_, static_cast<std::uint64_t>(past_us));
            arm(Arming{++arming}, {20, 20});
            findings_.call("19999 us pass");
            let_pass_us(clock_, std::uint64_t{19'999});
            auto const early = clock_.ring();
            findings_.expect(not early, "an alarm does not ring early",
                             "It rang a microsecond before the 20 ms for which it was armed were over.");
            if (early)
                return;
            findings_.call("1 us passes");
            let_pass_us(clock_, std::uint64_t{1});
            auto const rang = wait_for_ring(now(), 0);
            findings_.expect(rang and rang->arming == Arming{arming}, "an armed alarm rings, and says for what",
                             "It did not ring within ten seconds of its latest time.");
            let_pass_us(clock_, std::uint64_t{1000} - static_cast<std::uint64_t>(past_us)); // Back to a whole one.
        }
    }

private:
    /// Reads the time, and looks that it does not go back.
    std::uint64_t now()
    {
        auto const now_ms = clock_.now_ms();
        findings_.expect(now_ms >= seen_ms_, "time is monotone",
                         "It was " + std::to_string(seen_ms_) + " ms, and then " + std::to_string(now_ms) + " ms.");
        seen_ms_ = now_ms;
        return now_ms;
    }

    void arm(Arming arming, Delay delay)
    {
        findings_.call("arm(election, " + std::to_string(arming.value) + ", " + std::to_string(delay.at_least_ms) +
                       " to " + std::to_string(delay.at_most_ms) + " ms)");
        clock_.arm(Alarm::election, arming, delay);
    }

    void pass(std::uint64_t milliseconds)
    {
        findings_.call(std::to_string(milliseconds) + " ms pass");
        let_pass_(clock_, milliseconds);
        now();
    }

    /// Waits for a ring, which may not come earlier than so long after `armed_ms`.
    std::optional<AlarmRang> wait_for_ring(std::uint64_t armed_ms, std::uint64_t at_least_ms,
                                           std::string const& law = "an alarm does not ring early")
    {
        for (auto waited = 0; waited < 2000; ++waited) {
            auto const rang = clock_.ring();
            auto const now_ms = now(); // Read afterwards: the ring was at this time or before.
            if (rang) {
                findings_.call("ring() gives arming " + std::to_string(rang->arming.value));
                findings_.expect(now_ms >= armed_ms + at_least_ms, law,
                                 "It rang " + std::to_string(now_ms - armed_ms) + " ms after it was armed for " +
                                     std::to_string(at_least_ms) + " ms at least.");
                return rang;
            }
            pass(waited < 20 ? 4 : 5);
        }
        return std::nullopt;
    }

    void expect_silence(std::string const& law, std::string const& sentence)
    {
        for (auto waited = 0; waited < 10; ++waited) {
            pass(10);
            findings_.expect(not clock_.ring(), law, sentence);
        }
    }

    Clock&        clock_;
    LetPass&      let_pass_;
    Findings&     findings_;
    std::uint64_t seen_ms_;
};

/// The laws of `alarm_clock` that the compiler cannot check: time is monotone; an alarm does not ring before the least time
/// asked for; arming again replaces; an alarm rings once per arming, and not after it was cancelled.
///
/// `make()` gives a clock; `let_pass(clock, ms)` lets time pass for it: sets it forward, or sleeps if it must. A clock that
/// follows the real time takes about a second; better give it, in the test, another source of time (clock/steady_clock.hpp).
///
/// A clock that can be set forward by microseconds should be: only then is an alarm that rings a fraction of a millisecond early
/// found. `let_pass_us(clock, us)` lets exactly so much time pass; what only sleeps cannot do that, and leaves it out.
template <typename Make, typename LetPass, typename LetPassMicroseconds = std::nullptr_t>
[[nodiscard]] BrokenLaws check_clock(Make make, LetPass let_pass, LetPassMicroseconds let_pass_us = {})
{
    auto       findings = Findings{};
    auto const check = [&](auto what) {
        findings.begin("a new clock");
        auto clock = make();
        auto checks = ClockChecks{clock, let_pass, findings};
        what(checks);
    };
    if constexpr (not std::same_as<LetPassMicroseconds, std::nullptr_t>)
        check([&](auto& checks) { checks.an_alarm_armed_between_two_milliseconds_is_not_early(let_pass_us); });
    else
        static_cast<void>(let_pass_us);
    check([](auto& checks) { checks.an_alarm_rings_once_and_not_early(); });
    check([](auto& checks) { checks.arming_again_replaces(); });
    check([](auto& checks) { checks.a_cancelled_alarm_is_silent(); });
    check([](auto& checks) { checks.an_alarm_that_became_due_may_still_be_replaced(); });
    check([](auto& checks) { checks.alarms_of_other_kinds_are_left_alone(); });
    return findings.broken();
}

} // namespace totora::conformance
