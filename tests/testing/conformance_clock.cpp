// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/clock.hpp"

#include "totora/clock/manual_clock.hpp"
#include "totora/clock/steady_clock.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::conformance_clock_tests
{

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
    announces_endlessly,
    cancels_all,
    announces_late,
    announces_the_last,
    rings_when_asked_twice,
    rings_before_it_announced,
    draws_once,
    draws_below_the_end,
    wraps_long_times,
    takes_two_kinds_for_one,
    throws,
};

constexpr auto never_in_a_test_ms = std::uint64_t{1'000'000'000'000};

/// A manual clock with one fault.
template <Fault fault>
class Faulty
{
public:
    void arm(Alarm alarm, Arming arming, Delay delay)
    {
        if (fault == Fault::keeps_the_first_arming and armed_[alarm])
            return;
        armed_[alarm] = true;
        if (fault == Fault::draws_once)
            delay.at_most_ms = delay.at_least_ms;
        if (fault == Fault::draws_below_the_end and delay.at_most_ms > delay.at_least_ms)
            --delay.at_most_ms;
        if (fault == Fault::wraps_long_times)
            delay = {delay.at_least_ms % (1ULL << 40U), delay.at_most_ms % (1ULL << 40U)};
        if (fault == Fault::takes_two_kinds_for_one and alarm == Alarm::storage_stall)
            alarm = Alarm::replay;
        if (fault == Fault::throws and arming.value > 1)
            throw std::runtime_error("no timer is left");
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
        if (fault == Fault::rings_when_asked_twice and
            clock_.next_ring_ms().value_or(never_in_a_test_ms) <= clock_.now_ms() and not std::exchange(asked_, true))
            return std::nullopt;
        asked_ = false;
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
        if (fault == Fault::announces_late and clock_.next_ring_ms())
            return *clock_.next_ring_ms() + 50;
        if (fault == Fault::rings_before_it_announced and clock_.next_ring_ms())
            return *clock_.next_ring_ms() + 1;
        if (fault == Fault::announces_the_last and clock_.next_ring_ms())
            return latest_ = std::max(latest_, *clock_.next_ring_ms());
        if (fault == Fault::announces_endlessly)
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
    bool                     asked_ = false;
    mutable std::uint64_t    latest_ = 0;
};

/// A source of time for all clocks that read it: time is set forward by hand.
struct HandMoved
{
    static std::uint64_t now_ns() { return passed_us * 1'000; }
    static std::uint64_t seed() { return 1; }

    static inline auto passed_us = std::uint64_t{0};
};

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

/// Whether a law is among those that a clock with this fault is found to break.
template <Fault fault>
bool catches(std::string const& law)
{
    auto const broken = check_clock([] { return Faulty<fault>{}; }, advance);
    auto const found = std::find_if(broken.begin(), broken.end(), [&](auto const& one) { return one.law == law; });
    BOOST_TEST((found != broken.end()), law << " is not among:\n" << to_string(broken));
    return found != broken.end() and not found->reproduction.empty();
}

} // namespace

BOOST_AUTO_TEST_SUITE(conformance_clock)

BOOST_AUTO_TEST_CASE(a_clock_that_is_moved_by_hand_keeps_all_laws)
{
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed)
        BOOST_TEST(to_string(check_clock([&] { return ManualClock{seed}; }, advance)) == "");
}

/// All that the clock of the machine does, by a time that is set forward by hand.
BOOST_AUTO_TEST_CASE(the_clock_of_the_machine_keeps_all_laws)
{
    auto const pass_us = [](auto&, std::uint64_t passed_us) { HandMoved::passed_us += passed_us; };
    auto const pass = [&](auto& clock, std::uint64_t passed_ms) { pass_us(clock, passed_ms * 1000); };
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed)
        BOOST_TEST(to_string(check_clock([&] { return ClockBy<HandMoved>{seed}; }, pass, pass_us)) == "");
}

/// At the true rate; with others, exactness is a question of the drift bound.
BOOST_AUTO_TEST_CASE(the_clock_of_a_simulated_server_keeps_all_laws)
{
    auto       now_us = std::uint64_t{123};
    auto const time = simulate::LocalTime{now_us};
    auto const pass_us = [&](auto&, std::uint64_t passed_us) { now_us += passed_us; };
    auto const pass = [&](auto& clock, std::uint64_t passed_ms) { pass_us(clock, passed_ms * 1000); };
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed)
        BOOST_TEST(to_string(check_clock([&] { return simulate::DriftingClock{time, seed}; }, pass, pass_us)) == "");
}

/// A turn took its time, and the clock was made slower before everything else had caught up: seed 2001 rang endlessly.
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

    BOOST_TEST(to_string(check_clock(make, advance_ms)) == "");
    auto const broken = check_clock(make, advance_ms, advance_us);
    BOOST_REQUIRE(broken.size() == 1U);
    BOOST_TEST(broken.front().law == "an alarm does not ring early");
}

BOOST_AUTO_TEST_CASE(clocks_of_two_servers_that_draw_the_same_are_caught)
{
    BOOST_TEST(to_string(check_clock([](std::uint64_t server) { return ManualClock{server}; }, advance)) == "");
    auto const broken = check_clock([](std::uint64_t) { return ManualClock{7}; }, advance);
    BOOST_REQUIRE(broken.size() == 1U);
    BOOST_TEST(broken.front().law == "servers draw other moments than each other");
}

BOOST_AUTO_TEST_CASE(a_clock_that_breaks_a_law_is_caught_by_that_law)
{
    BOOST_TEST(catches<Fault::rings_early>("an alarm does not ring early"));
    BOOST_TEST(catches<Fault::rings_early>("the next ring is known"));
    BOOST_TEST(catches<Fault::rings_twice>("an alarm rings once"));
    BOOST_TEST(catches<Fault::keeps_the_first_arming>("arming again replaces"));
    BOOST_TEST(catches<Fault::ignores_cancel>("a cancelled alarm does not ring"));
    BOOST_TEST(catches<Fault::forgets_to_ring>("an armed alarm rings, and names its kind and arming"));
    BOOST_TEST(catches<Fault::goes_back>("time is monotone"));
    BOOST_TEST(catches<Fault::announces_nothing>("the next ring is known"));
    BOOST_TEST(catches<Fault::announces_late>("the next ring is known"));
    BOOST_TEST(catches<Fault::announces_the_last>("the next ring is known"));
    BOOST_TEST(catches<Fault::announces_endlessly>("no ring is announced when none is due"));
    BOOST_TEST(catches<Fault::rings_when_asked_twice>("a ring comes when it is announced"));
    BOOST_TEST(catches<Fault::rings_before_it_announced>("a ring comes when it is announced"));
    BOOST_TEST(catches<Fault::draws_once>("each arming draws from the whole range"));
    BOOST_TEST(catches<Fault::draws_below_the_end>("each arming draws from the whole range"));
    BOOST_TEST(catches<Fault::wraps_long_times>("an alarm does not ring early"));
    BOOST_TEST(catches<Fault::cancels_all>("alarms of other kinds are left alone"));
    BOOST_TEST(catches<Fault::takes_two_kinds_for_one>("alarms of other kinds are left alone"));
    BOOST_TEST(catches<Fault::throws>("no call throws"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace totora::test::conformance_clock_tests
