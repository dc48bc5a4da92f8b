// SPDX-License-Identifier: BSL-1.0
// Simulated links that take time for every byte.
#include "support/builders.hpp"
#include "support/calm_scenario.hpp"
#include "support/simulated.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/network/wire.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::test::simulator_links_tests
{
namespace
{

using boost::unit_test::label;
using simulate::Wire;

[[nodiscard]] simulate::FrameInFlight frame(std::size_t size, bool has_payload)
{
    auto made = simulate::FrameInFlight{};
    made.size = size;
    made.has_payload = has_payload;
    made.overtakes = not has_payload;
    return made;
}

BOOST_AUTO_TEST_CASE(what_may_overtake_goes_ahead_of_queued_entries, *label("case_94"))
{
    auto wire = Wire{};
    for (auto const size : {100U, 200U})
        BOOST_TEST((wire.push(frame(size, true), 1000) == Wire::Taken::queued));
    BOOST_TEST((wire.begin() == 100U));
    BOOST_TEST((wire.push(frame(10, false), 1000) == Wire::Taken::queued));

    BOOST_TEST((wire.begin() == std::nullopt), "one frame is sent at a time, and to its end");
    BOOST_TEST(wire.finish().size == 100U);
    BOOST_TEST((wire.begin() == 10U));
    BOOST_TEST(wire.finish().size == 10U);
    BOOST_TEST((wire.begin() == 200U));
}

BOOST_AUTO_TEST_CASE(a_full_link_reports_it_once_and_opens_at_half)
{
    auto wire = Wire{};
    for (auto const size : {5'000U, 400U, 600U})
        BOOST_TEST((wire.push(frame(size, true), 6'000) == Wire::Taken::queued));
    BOOST_TEST((wire.push(frame(1, true), 6'000) == Wire::Taken::dropped_first));
    BOOST_TEST((wire.push(frame(1, true), 6'000) == Wire::Taken::dropped));
    BOOST_TEST((wire.push(frame(50, false), 6'000) == Wire::Taken::queued), "what has no entries still fits");

    BOOST_TEST(not wire.opens(6'000));
    while (wire.begin())
        (void)wire.finish();
    BOOST_TEST(wire.idle());
    BOOST_TEST(wire.opens(6'000));
    BOOST_TEST(not wire.opens(6'000));
}

/// A cluster to which nothing happens, over links of this speed.
[[nodiscard]] simulate::SimulationReport run(std::uint64_t bytes_per_ms, std::uint64_t sent_percent_max)
{
    auto scenario = calm_scenario(1, 5'000);
    scenario.network.bytes_per_ms = bytes_per_ms;
    scenario.network.queue_bytes_max = 512;
    scenario.settings.uncommitted_bytes_max = 65'536;
    scenario.clients.count = 6;
    scenario.clients.thinks_us = 1'000;
    scenario.sent_percent_max = sent_percent_max;
    return simulated(scenario);
}

BOOST_AUTO_TEST_CASE(links_take_time_for_bytes_and_fill)
{
    auto const quick = run(0, 0);
    auto const slow = run(16, 0);

    BOOST_TEST(quick.broken == "");
    BOOST_TEST(slow.broken == "");
    BOOST_TEST(quick.faults[simulate::Fault::link_full] == 0U);
    BOOST_TEST(slow.faults[simulate::Fault::link_full] > 0U);
}

BOOST_AUTO_TEST_CASE(wasted_bytes_are_seen, *label("case_89"))
{
    auto const report = run(0, 0);
    auto const percent = report.entry_bytes.sent * 100 / report.entry_bytes.stored;

    BOOST_TEST(percent >= 99U, "what a follower stored was sent to it");
    BOOST_TEST(run(0, percent + 1).broken == "");
    BOOST_TEST(run(0, percent - 1).broken == "followers are sent little more than the entries that they lack");
}

/// Server 1 lacks more than a mebibyte when it can be reached again.
[[nodiscard]] simulate::Scenario lacks_a_mebibyte(std::uint64_t seed)
{
    auto scenario = calm_scenario(seed, 40'000);
    scenario.settings.uncommitted_bytes_max = 1U << 20U;
    scenario.clients.count = 6;
    scenario.clients.thinks_us = 1'000;
    scenario.clients.reads = 0;
    scenario.clients.padding = 1'900;
    scenario.settings.window_bytes = 65'536; // Small beside what is lacking: what is lost with a link is sent again.
    scenario.settings.cold_bytes_max = 1U << 20U;
    scenario.plan = {
        {.number = 1, .at_event = 100, .kind = simulate::Fault::isolate_one, .server = 0, .lasts_us = 3'000'000}};
    scenario.sent_percent_max = 110;
    return scenario;
}

void check_sent(std::uint64_t seed, simulate::Scenario const& scenario)
{
    auto const report = simulated(scenario);

    BOOST_TEST(report.broken == "", "seed " << seed << ": " << report.broken << ", " << report.entry_bytes.sent
                                            << " bytes for " << report.entry_bytes.stored);
    BOOST_TEST(report.entry_bytes.stored > 2U << 20U);
}

BOOST_AUTO_TEST_CASE(a_follower_that_lacks_a_mebibyte_is_sent_little_more_than_that, *label("case_89"))
{
    for (auto seed = std::uint64_t{2}; seed <= 3; ++seed)
        check_sent(seed, lacks_a_mebibyte(seed));
}

/// Each append that overtakes another has a window refused and sent again, and so has each moment in which a segment is full and
/// the next one is not there: neither is to happen here. A connection of TCP keeps the order.
BOOST_AUTO_TEST_CASE(what_is_read_from_disk_in_small_appends_is_sent_once_if_links_keep_its_order, *label("case_89"))
{
    for (auto seed = std::uint64_t{1}; seed <= 4; ++seed) {
        auto scenario = lacks_a_mebibyte(seed);
        scenario.log.cache_bytes = 0;
        scenario.log.segment_bytes = 4U << 20U;
        scenario.settings.append_bytes_max = 512;
        scenario.network.ordered = true;
        check_sent(seed, scenario);
    }
}

/// S1 led term 1 of three servers, and steps down because nothing gets through.
struct NoProgress
{
    simulate::Checks checks;

    NoProgress()
    {
        checks.has_servers(3);
        for (auto const id : {S2, S3})
            checks.link_has_taken(0, id, 100);
    }

    [[nodiscard]] std::string steps_down()
    {
        checks.noted(0, follower(S1, Term{1}, {}), Decision::stepped_down_no_progress);
        return checks.broken();
    }
};

BOOST_AUTO_TEST_CASE(stepping_down_while_a_link_takes_bytes_is_seen, *label("case_94"))
{
    auto moves = NoProgress{};
    for (auto const id : {S2, S3})
        moves.checks.link_renewed(0, id, Term{1});
    moves.checks.link_has_taken(0, S2, 100);
    moves.checks.link_has_taken(0, S3, 101);
    BOOST_TEST(moves.steps_down() == "a leader does not step down while its links to a quorum take bytes");
}

BOOST_AUTO_TEST_CASE(stepping_down_before_connections_were_made_again_is_seen, *label("case_94"))
{
    auto hasty = NoProgress{};
    auto patient = NoProgress{};
    for (auto const id : {S2, S3})
        for (auto* const one : {&hasty, &patient})
            one->checks.link_has_taken(0, id, 100);
    for (auto const id : {S2, S3})
        patient.checks.link_renewed(0, id, Term{1});

    BOOST_TEST(hasty.steps_down() == "a leader makes its connections again before it steps down for them");
    BOOST_TEST(patient.steps_down() == "");
}

BOOST_AUTO_TEST_CASE(links_that_take_no_entries_are_renewed_and_left, *label("case_94"))
{
    auto scenario = calm_scenario(1, 40'000);
    scenario.settings.core.check_quorum = true;
    plan_often(scenario, simulate::Fault::bulk_stopped, 20);

    auto const report = simulated(scenario);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.faults[simulate::Fault::bulk_stopped] > 0U);
    BOOST_TEST(report.decisions[static_cast<std::size_t>(Decision::link_renewed)] > 0U);
    BOOST_TEST(report.decisions[static_cast<std::size_t>(Decision::stepped_down_no_progress)] > 0U);
}

} // namespace
} // namespace totora::test::simulator_links_tests
