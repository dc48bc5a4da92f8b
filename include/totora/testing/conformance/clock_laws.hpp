// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace totora::inline v0::conformance
{

/// The checks of a clock. Use `check_clock`.
template <typename Clock, typename LetPass>
class ClockChecks
{
public:
    ClockChecks(Clock& clock, LetPass& let_pass, Violations& violations)
        : clock_(clock), let_pass_(let_pass), violations_(violations), seen_ms_(clock.now_ms())
    {}

    void an_alarm_rings_once_and_not_early()
    {
        auto const armed_ms = now();
        arm(Arming{1}, {20, 30});
        auto const next = clock_.next_ring_ms();
        violations_.expect(next and *next >= armed_ms + 20, "the next ring is known",
                           "An alarm is armed, and next_ring_ms does not name a time at least 20 ms from then.");
        auto const latest_ms = now() + 30 + 1; // A started millisecond may be rounded up.
        violations_.expect(next and *next <= latest_ms, "the next ring is known",
                           "An alarm is armed for 30 ms at most, and next_ring_ms names a later time.");
        auto const rang = wait_for_ring(armed_ms, 20);
        violations_.expect(rang == AlarmRang{Alarm::election, Arming{1}},
                           "an armed alarm rings, and names its kind and arming",
                           rang ? "It rang as another alarm, or with the number of another arming."
                                : "It did not ring within ten seconds of its latest time.");
        expect_silence("an alarm rings once", "It rang a second time after one arming.");
        violations_.expect(not clock_.next_ring_ms(), "no ring is announced when none is due",
                           "No alarm is armed, and next_ring_ms names a time.");
    }

    /// A node sleeps until then, and checks then: a ring that is not there would be waited for with nothing to do.
    void a_ring_comes_when_it_is_announced()
    {
        violations_.expect(not clock_.next_ring_ms() and not clock_.ring(), "no ring is announced when none is due",
                           "A new clock announces a ring, or rings.");
        arm(Arming{1}, {20, 60});
        auto const next = clock_.next_ring_ms();
        for (auto waited = 0; next and waited < 2000; ++waited) {
            auto const before_ms = now();
            auto const rang = clock_.ring();
            auto const after_ms = now();
            violations_.expect(not rang or after_ms >= *next, "a ring comes when it is announced",
                               "It rang before the time that next_ring_ms gave.");
            violations_.expect(rang or before_ms < *next, "a ring comes when it is announced",
                               "The time that next_ring_ms gave was over, and it did not ring.");
            if (rang or before_ms >= *next)
                return;
            pass(1);
        }
    }

    /// Elections that were drawn once, or from one moment, would collide without end (§5.2).
    void each_arming_draws_from_the_whole_range()
    {
        auto wide = std::set<std::uint64_t>{};
        auto narrow = std::set<std::uint64_t>{};
        for (auto arming = std::uint64_t{1}; arming <= 64; ++arming) {
            arm(Arming{arming}, {0, 1'000'000});
            wide.insert(clock_.next_ring_ms().value_or(0) / 1000);
            arm(Arming{arming}, {5000, 5001});
            narrow.insert(clock_.next_ring_ms().value_or(0));
        }
        violations_.expect(wide.size() > 8, "each arming draws from the whole range",
                           "Of 64 armings for 0 to 1,000,000 ms most rang at the same time, or near it.");
        violations_.expect(narrow.size() > 1, "each arming draws from the whole range",
                           "Of 64 armings for 5000 to 5001 ms all rang at the same time: one end was never drawn.");
    }

    void a_long_time_is_long()
    {
        constexpr auto long_ms = std::uint64_t{1} << 50U;
        arm(Arming{1}, {long_ms, long_ms + 10});
        auto const next = clock_.next_ring_ms();
        pass(100);
        violations_.expect(next and *next >= long_ms and not clock_.ring(), "an alarm does not ring early",
                           "It was armed for 2^50 ms, and rang within one second, or was announced for then.");
    }

    /// Every kind, each for another time and the first for the last.
    void each_kind_of_alarm_rings()
    {
        auto const begin_ms = now();
        for (auto kind = std::size_t{0}; kind < alarm_kinds; ++kind) {
            auto const delay_ms = 20 * (alarm_kinds - kind);
            violations_.call("arm(kind " + std::to_string(kind) + ", for " + std::to_string(delay_ms) + " ms)");
            clock_.arm(static_cast<Alarm>(kind), Arming{100 + kind}, {delay_ms, delay_ms});
            auto const next = clock_.next_ring_ms();
            violations_.expect(
                next and *next <= now() + delay_ms + 1, "the next ring is known",
                "Of several alarms that are armed, next_ring_ms names another than the first that is due.");
        }
        for (auto kind = alarm_kinds; kind-- > 0;) {
            auto const rang = wait_for_ring(begin_ms, 20 * (alarm_kinds - kind));
            violations_.expect(rang == AlarmRang{static_cast<Alarm>(kind), Arming{100 + kind}},
                               "alarms of other kinds are left alone",
                               "Each kind of alarm was armed, and not each rang in its turn.");
        }
        expect_silence("an alarm rings once", "Each kind of alarm had rung, and one rang again.");
    }

    void arming_again_replaces()
    {
        arm(Arming{1}, {5, 5});
        auto const armed_ms = now();
        arm(Arming{2}, {40, 40});
        auto const rang = wait_for_ring(armed_ms, 40, "arming again replaces");
        violations_.expect(rang and rang->arming == Arming{2}, "arming again replaces",
                           "An armed alarm was armed again, and the first ring was not that of the second arming.");
        expect_silence("arming again replaces", "An armed alarm was armed again, and both rang.");
    }

    void a_cancelled_alarm_is_silent()
    {
        arm(Arming{1}, {5, 5});
        violations_.call("cancel(election)");
        clock_.cancel(Alarm::election);
        expect_silence("a cancelled alarm does not ring", "It rang after it was cancelled.");
        clock_.cancel(Alarm::heartbeat); // Not armed: nothing happens.
    }

    void an_alarm_that_became_due_may_still_be_replaced()
    {
        arm(Arming{1}, {1, 1});
        pass(50);
        auto const armed_ms = now();
        arm(Arming{2}, {30, 30});
        auto const rang = wait_for_ring(armed_ms, 30, "arming again replaces");
        violations_.expect(
            rang and rang->arming == Arming{2}, "arming again replaces",
            "An alarm that was due was armed again before it was polled, and rang for the first arming.");
    }

    void alarms_of_other_kinds_are_left_alone()
    {
        arm(Arming{1}, {10, 10});
        violations_.call("arm(heartbeat, 2, 10 to 10 ms), cancel(heartbeat)");
        clock_.arm(Alarm::heartbeat, Arming{2}, {10, 10});
        clock_.cancel(Alarm::heartbeat);
        auto const rang = wait_for_ring(now(), 0);
        violations_.expect(rang == AlarmRang{Alarm::election, Arming{1}}, "alarms of other kinds are left alone",
                           "One alarm was cancelled, and another one did not ring.");
    }

    /// `let_pass_us(clock, microseconds)` lets exactly so much time pass, which distinguishes a clock from one that
    /// counts whole milliseconds from where it rounds to.
    template <typename LetPassMicroseconds>
    void an_alarm_armed_between_two_milliseconds_is_not_early(LetPassMicroseconds& let_pass_us)
    {
        auto arming = std::uint64_t{0};
        for (auto const past_us : {0, 1, 499, 500, 501, 998, 999}) {
            violations_.call(std::to_string(past_us) + " us pass");
            let_pass_us(clock_, static_cast<std::uint64_t>(past_us));
            arm(Arming{++arming}, {20, 20});
            violations_.call("19999 us pass");
            let_pass_us(clock_, std::uint64_t{19'999});
            auto const early = clock_.ring();
            violations_.expect(not early, "an alarm does not ring early",
                               "It rang a microsecond before the 20 ms for which it was armed were over.");
            if (early)
                return;
            violations_.call("1 us passes");
            let_pass_us(clock_, std::uint64_t{1});
            auto const rang = wait_for_ring(now(), 0);
            violations_.expect(rang and rang->arming == Arming{arming},
                               "an armed alarm rings, and names its kind and arming",
                               "It did not ring within ten seconds of its latest time.");
            let_pass_us(clock_, std::uint64_t{1000} - static_cast<std::uint64_t>(past_us)); // Back to a whole one.
        }
    }

private:
    /// Reads the time, and checks that it does not go back.
    std::uint64_t now()
    {
        auto const now_ms = clock_.now_ms();
        violations_.expect(now_ms >= seen_ms_, "time is monotone",
                           "It was " + std::to_string(seen_ms_) + " ms, and then " + std::to_string(now_ms) + " ms.");
        seen_ms_ = now_ms;
        return now_ms;
    }

    void arm(Arming arming, Delay delay)
    {
        violations_.call("arm(election, " + std::to_string(arming.value) + ", " + std::to_string(delay.at_least_ms) +
                         " to " + std::to_string(delay.at_most_ms) + " ms)");
        clock_.arm(Alarm::election, arming, delay);
    }

    void pass(std::uint64_t milliseconds)
    {
        violations_.call(std::to_string(milliseconds) + " ms pass");
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
                violations_.call("ring() gives arming " + std::to_string(rang->arming.value));
                violations_.expect(now_ms >= armed_ms + at_least_ms, law,
                                   "It rang " + std::to_string(now_ms - armed_ms) + " ms after it was armed for " +
                                       std::to_string(at_least_ms) + " ms at least.");
                return rang;
            }
            pass(waited < 20 ? 4 : 5);
        }
        return std::nullopt;
    }

    void expect_silence(std::string const& law, std::string const& what)
    {
        for (auto waited = 0; waited < 10; ++waited) {
            pass(10);
            violations_.expect(not clock_.ring(), law, what);
        }
    }

    Clock&        clock_;
    LetPass&      let_pass_;
    Violations&   violations_;
    std::uint64_t seen_ms_;
};

} // namespace totora::inline v0::conformance
