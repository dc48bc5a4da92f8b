// SPDX-License-Identifier: BSL-1.0
// What makes simulated servers slow, or ends their processes: each is survived, and counted where it takes effect.
#include "support/calm_scenario.hpp"
#include "support/simulated.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <new>
#include <string>

namespace totora::test::simulator_burdens_tests
{
namespace
{

using simulate::Fault;

[[nodiscard]] simulate::SimulationReport run(simulate::Scenario const& scenario) { return simulated(scenario); }

BOOST_AUTO_TEST_CASE(every_burden_is_survived_and_counted)
{
    for (auto const kind : {Fault::link_slow, Fault::apply_slow, Fault::memory_ran_out, Fault::other_members,
                            Fault::disk_slow, Fault::read_slow}) {
        auto scenario = calm_scenario(1, 20'000);
        scenario.log.cache_bytes = 0; // So that something is read.
        scenario.settings.uncommitted_bytes_max = 65'536;
        plan_often(scenario, kind, 12);
        auto const report = run(scenario);

        BOOST_TEST(report.broken == "", to_string(kind) << ": " << report.broken);
        BOOST_TEST(report.faults[kind] > 0U, to_string(kind) << " never took effect");
    }
}

BOOST_AUTO_TEST_CASE(a_machine_takes_time_from_the_thread_of_its_node)
{
    auto quick = calm_scenario(1, 10'000);
    quick.clients.count = 6;
    quick.clients.thinks_us = 1'000;
    quick.settings.uncommitted_bytes_max = 65'536;
    auto slow = quick;
    slow.apply_us = 5'000;

    auto const at_once = run(quick);
    auto const in_time = run(slow);

    BOOST_TEST(at_once.broken == "");
    BOOST_TEST(in_time.broken == "");
    BOOST_TEST(in_time.simulated_us / in_time.answered > at_once.simulated_us / at_once.answered);
}

BOOST_AUTO_TEST_CASE(a_disk_takes_time_for_calls_and_bytes)
{
    auto quick = calm_scenario(1, 10'000);
    quick.clients.thinks_us = 1'000;
    auto slow = quick;
    slow.syncs.per_call_us = 2'000;
    slow.syncs.per_kib_us = 2'000;

    auto const at_once = run(quick);
    auto const in_time = run(slow);

    BOOST_TEST(in_time.broken == "");
    BOOST_TEST(in_time.simulated_us / in_time.answered > at_once.simulated_us / at_once.answered);
}

BOOST_AUTO_TEST_CASE(what_a_turn_takes_is_seen_by_its_clock_and_is_over_with_it)
{
    auto now_us = std::uint64_t{5'000};
    auto time = simulate::LocalTime{now_us};
    auto clock = simulate::DriftingClock{time, 1};
    time.spend(3'000);
    BOOST_TEST(clock.now_ms() == 8U);
    BOOST_TEST(time.settle() == 3'000U);
    BOOST_TEST(clock.now_ms() == 8U, "a clock does not go back");
    now_us = 9'000;
    BOOST_TEST(clock.now_ms() == 9U);
}

BOOST_AUTO_TEST_CASE(memory_runs_out_in_one_call)
{
    auto now_us = std::uint64_t{0};
    auto time = simulate::LocalTime{now_us};
    auto counts = simulate::FaultCounts{};
    auto burdens = simulate::Burdens{time, counts, 0};
    burdens.run_out_of_memory_in(2);
    burdens.call();
    BOOST_TEST(not burdens.ran_out());
    BOOST_CHECK_THROW(burdens.call(), std::bad_alloc);
    burdens.call();
    BOOST_TEST(burdens.ran_out());
    BOOST_TEST(counts[Fault::memory_ran_out] == 1U);
}

} // namespace
} // namespace totora::test::simulator_burdens_tests
