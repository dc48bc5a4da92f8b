// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/clock.hpp"

#include "totora/clock/manual_clock.hpp"
#include "totora/clock/steady_clock.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace totora;
using namespace totora::conformance;

namespace
{

/// What can be wrong with a clock.
enum class Fault
{
    rings_early,
    rings_twice,
    keeps_the_first_arming,
    ignores_cancel,
    forgets_to_ring,
    goes_back,
    announces_nothing,
    announces_for_ever,
    cancels_all,
};

/// A manual clock with one thing wrong.
template <Fault fault>
class Faulty
{
public:
    void arm(Alarm alarm, Arming arming, Delay delay)
    {
        if (fault == Fault::keeps_the_first_arming and armed_[alarm])
            return;
        armed_[alarm] = true;
        if (fault == Fault::rings_early)
            delay.at_least_ms = delay.at_most_ms = delay.at_least_ms / 2;
        if (fault == Fault::forgets_to_ring)
            delay.at_least_ms = delay.at_most_ms = 10'000'000;
        clock_.arm(alarm, arming, delay);
    }

    void cancel(Alarm alarm)
    {
        if (fault == Fault::ignores_cancel)
            return;
        clock_.cancel(alarm);
        if (fault == Fault::cancels_all)
            clock_.cancel(Alarm::election);
    }

    std::optional<AlarmRang> ring()
    {
        auto const rang = clock_.ring();
        if (fault == Fault::rings_twice and not rang and last_)
            return std::exchange(last_, std::nullopt);
        if (rang)
            last_ = rang;
        return rang;
    }

    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const
    {
        if (fault == Fault::announces_nothing)
            return std::nullopt;
        if (fault == Fault::announces_for_ever)
            return clock_.next_ring_ms().value_or(clock_.now_ms() + 1);
        return clock_.next_ring_ms();
    }

    [[nodiscard]] std::uint64_t now_ms() const
    {
        return clock_.now_ms() - (fault == Fault::goes_back and clock_.now_ms() > 90 ? 15U : 0U);
    }

    void advance_ms(std::uint64_t passed_ms) { clock_.advance_ms(passed_ms); }

private:
    ManualClock              clock_{1};
    std::map<Alarm, bool>    armed_;
    std::optional<AlarmRang> last_;
};

/// A clock as those of <chrono>, for all that ask it: time passes by hand.
struct HandMoved
{
    using duration = std::chrono::microseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<HandMoved>;

    static constexpr bool is_steady = true;
    static time_point     now() { return time_point{passed}; }

    static inline auto passed = duration{0};
};

constexpr auto never_in_a_test_ms = std::uint64_t{1'000'000'000'000};

auto const advance = [](auto& clock, std::uint64_t passed_ms) { clock.advance_ms(passed_ms); };

/// Takes whole milliseconds as they are over when it arms, and rounds nothing up.
class Truncating
{
public:
    void arm(Alarm alarm, Arming arming, Delay delay) { clock_.arm(alarm, arming, delay); }
    void cancel(Alarm alarm) { clock_.cancel(alarm); }
    [[nodiscard]] std::optional<AlarmRang>     ring() { return clock_.ring(); }
    [[nodiscard]] std::optional<std::uint64_t> next_ring_ms() const { return clock_.next_ring_ms(); }
    [[nodiscard]] std::uint64_t                now_ms() const { return clock_.now_ms(); }

    void advance_us(std::uint64_t passed_us)
    {
        us_ += passed_us;
        clock_.advance_ms(us_ / 1000 - clock_.now_ms());
    }

private:
    ManualClock   clock_{1};
    std::uint64_t us_ = 0;
};

/// The laws that a clock with this fault breaks.
template <Fault fault>
std::vector<std::string> caught_by()
{
    auto laws = std::vector<std::string>{};
    for (auto const& broken : check_clock([] { return Faulty<fault>{}; }, advance)) {
        BOOST_TEST(not broken.reproduction.empty());
        laws.push_back(broken.law);
    }
    return laws;
}

using Laws = std::vector<std::string>;

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_clock)

BOOST_AUTO_TEST_CASE(a_clock_that_is_moved_by_hand_keeps_all_laws)
{
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed)
        BOOST_TEST(told(check_clock([&] { return ManualClock{seed}; }, advance)) == "");
}

/// All that the clock of the machine does, by a time that passes when it is told to.
BOOST_AUTO_TEST_CASE(the_clock_of_the_machine_keeps_all_laws)
{
    auto const pass_us = [](auto&, std::uint64_t passed_us) { HandMoved::passed += HandMoved::duration{passed_us}; };
    auto const pass = [&](auto& clock, std::uint64_t passed_ms) { pass_us(clock, passed_ms * 1000); };
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed)
        BOOST_TEST(told(check_clock([&] { return ClockBy<HandMoved>{seed}; }, pass, pass_us)) == "");
}

/// At the true rate; with others, exactness is a question of the drift bound.
BOOST_AUTO_TEST_CASE(the_clock_of_a_simulated_server_keeps_all_laws)
{
    auto       now_us = std::uint64_t{123};
    auto const time = simulate::LocalTime{now_us};
    auto const pass_us = [&](auto&, std::uint64_t passed_us) { now_us += passed_us; };
    auto const pass = [&](auto& clock, std::uint64_t passed_ms) { pass_us(clock, passed_ms * 1000); };
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed)
        BOOST_TEST(told(check_clock([&] { return simulate::DriftingClock{time, seed}; }, pass, pass_us)) == "");
}

/// A turn took its time, and the clock was made slower before the rest of the world had caught up: seed 2001 rang without end.
BOOST_AUTO_TEST_CASE(a_simulated_clock_that_was_made_slower_rings_no_alarm_before_its_time)
{
    auto now_us = std::uint64_t{0};
    auto time = simulate::LocalTime{now_us};
    auto clock = simulate::DriftingClock{time, 1};
    time.spend(50'000);
    auto const began_ms = clock.now_ms();
    now_us += time.settle() / 2;
    time.set_rate(simulate::LocalTime::true_rate / 4);

    clock.arm(Alarm::heartbeat, Arming{1}, {15, 15});

    BOOST_TEST(not clock.ring());
    BOOST_TEST(*clock.next_ring_ms() == began_ms + 15);
}

/// Holds however much time passes between two lines.
BOOST_AUTO_TEST_CASE(the_clock_of_the_machine_follows_its_monotonic_time)
{
    auto const machine_ms = [] {
        auto const now = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    };
    auto       clock = SteadyClock{1};
    auto const before_ms = machine_ms();
    auto const now_ms = clock.now_ms();
    clock.arm(Alarm::election, Arming{1}, {0, 0});
    clock.arm(Alarm::heartbeat, Arming{2}, {never_in_a_test_ms, never_in_a_test_ms});
    auto const after_ms = machine_ms();

    BOOST_TEST(before_ms <= now_ms);
    BOOST_TEST(now_ms <= after_ms);
    BOOST_TEST(*clock.next_ring_ms() >= now_ms);
    BOOST_TEST(*clock.next_ring_ms() <= after_ms + 1);
    auto rang = clock.ring();
    while (not rang) // Less than a millisecond: what is over of the present one does not count.
        rang = clock.ring();
    BOOST_TEST((rang == AlarmRang{Alarm::election, Arming{1}}));
    BOOST_TEST(*clock.next_ring_ms() >= now_ms + never_in_a_test_ms);
    BOOST_TEST(*clock.next_ring_ms() <= after_ms + 1 + never_in_a_test_ms);
    BOOST_TEST(not clock.ring());
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_early_by_a_fraction_of_a_millisecond_is_caught)
{
    auto const advance_us = [](Truncating& clock, std::uint64_t passed_us) { clock.advance_us(passed_us); };
    auto const advance_ms = [](Truncating& clock, std::uint64_t passed_ms) { clock.advance_us(passed_ms * 1000); };
    auto const make = [] { return Truncating{}; };

    BOOST_TEST(told(check_clock(make, advance_ms)) == "");
    auto const broken = check_clock(make, advance_ms, advance_us);
    BOOST_REQUIRE(broken.size() == 1U);
    BOOST_TEST(broken.front().law == "an alarm does not ring early");
}

BOOST_AUTO_TEST_CASE(a_clock_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(caught_by<Fault::rings_early>().front() == "the next ring is known");
    BOOST_TEST(caught_by<Fault::rings_early>()[1] == "an alarm does not ring early");
    BOOST_TEST(caught_by<Fault::rings_twice>().front() == "an alarm rings once");
    BOOST_TEST(caught_by<Fault::keeps_the_first_arming>() == Laws{"arming again replaces"});
    BOOST_TEST(caught_by<Fault::ignores_cancel>().front() == "a cancelled alarm is silent");
    BOOST_TEST(caught_by<Fault::forgets_to_ring>().front() == "an armed alarm rings, and says for what");
    BOOST_TEST(caught_by<Fault::goes_back>() == Laws{"time is monotone"}, boost::test_tools::per_element());
    BOOST_TEST(caught_by<Fault::announces_nothing>() == Laws{"the next ring is known"});
    BOOST_TEST(caught_by<Fault::announces_for_ever>() == Laws{"no ring is announced when none is due"});
    BOOST_TEST(caught_by<Fault::cancels_all>() == Laws{"alarms of other kinds are left alone"});
}

BOOST_AUTO_TEST_SUITE_END()
