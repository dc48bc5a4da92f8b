// SPDX-License-Identifier: BSL-1.0
#include "support/calm_scenario.hpp"
#include "support/simulated.hpp"
#include "totora/testing/simulate/simulation_totals.hpp"
#include "totora/testing/simulate/trace_event_text.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace totora::test::simulator_tests
{
namespace
{

[[nodiscard]] simulate::SimulationReport run(std::uint64_t seed, simulate::SimulationOptions const& options)
{
    return simulated(simulate::make_scenario(seed, options));
}

BOOST_AUTO_TEST_CASE(whole_clusters_keep_their_promises_whatever_goes_wrong)
{
    auto totals = simulate::SimulationTotals{};
    for (auto seed = std::uint64_t{1}; seed <= 20; ++seed) {
        auto const report = run(seed, {.events = 10'000});
        BOOST_TEST(report.broken == "", "seed " << seed << ": " << report.broken);
        totals.add(report);
    }

    BOOST_TEST(totals.events > 100'000);
    BOOST_TEST(totals.answered > 5'000);
    BOOST_TEST(totals.faults[simulate::Fault::message_lost] > 300);
    BOOST_TEST(totals.faults[simulate::Fault::power_lost_in_a_call] > 5);
    BOOST_TEST(totals.faults[simulate::Fault::power_lost_in_recovery] > 5);
    BOOST_TEST(totals.decisions[static_cast<std::size_t>(Decision::conflict_truncated)] > 5);
}

BOOST_AUTO_TEST_CASE(a_run_is_a_function_of_its_seed_on_every_compiler)
{
    auto const options = simulate::SimulationOptions{.events = 5'000};
    auto       hashes = std::vector<std::string>{};
    for (auto seed = std::uint64_t{1}; seed <= 3; ++seed) {
        auto one = simulate::SimulationTotals{}; // As `simulate --seeds N..N --events 5000` prints it.
        one.add(run(seed, options));
        hashes.push_back(simulate::spelled_hash(one.hash));
    }

    BOOST_TEST(hashes == (std::vector<std::string>{"1cd5de10e514552e", "aca93b0c30080581", "a331015e1663eda1"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(histories_of_clients_that_were_not_checked_are_reported)
{
    auto checked = simulate::SimulationReport{};
    auto undecided = simulate::SimulationReport{};
    undecided.is_undecided = true;

    auto totals = simulate::SimulationTotals{};
    totals.add(checked);
    BOOST_TEST(simulate::to_string(totals).find("NOT JUDGED") == std::string::npos);
    totals.add(undecided);
    BOOST_TEST(simulate::to_string(totals).find("histories of clients             1   <-- NOT JUDGED") !=
               std::string::npos);
    BOOST_TEST(simulate::to_json(totals, 1.0).find("\"undecided_histories\": 1,") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_kind_of_fault_can_be_left_out)
{
    auto const options = simulate::SimulationOptions{.events = 5'000, .without = {simulate::Fault::message_lost}};
    for (auto seed = std::uint64_t{1}; seed <= 3; ++seed)
        BOOST_TEST(run(seed, options).faults[simulate::Fault::message_lost] == 0);
}

BOOST_AUTO_TEST_CASE(planned_faults_can_be_chosen_by_their_numbers)
{
    auto const all = simulate::make_scenario(1, {.events = 5'000}).plan;
    auto const chosen = simulate::make_scenario(1, {.events = 5'000, .only = std::set<std::uint32_t>{2}}).plan;

    BOOST_TEST(chosen.size() == 1);
    BOOST_TEST(chosen.front().number == all[1].number);
    BOOST_TEST(chosen.front().seed == all[1].seed);
}

BOOST_AUTO_TEST_CASE(a_trace_holds_every_event_with_the_state_before_and_after)
{
    auto       lines = std::vector<std::string>{};
    auto const report =
        simulated(simulate::make_scenario(1, {.events = 1'000}),
                  [&](simulate::TraceEvent const& event) { lines.push_back(simulate::to_json(event)); });

    BOOST_TEST(report.broken == "");
    BOOST_TEST(lines.size() >= 1'000);
    for (auto const& line : lines)
        BOOST_TEST((line.starts_with("{\"number\": ") and line.find("\"before\": {") != std::string::npos and
                    line.ends_with("}}")));
}

/// The keys that occur twice in one object of a line of JSON.
std::vector<std::string> repeated_keys(std::string const& line)
{
    auto repeated = std::vector<std::string>{};
    auto objects = std::vector<std::set<std::string>>{};
    for (auto at = std::size_t{0}; at < line.size(); ++at)
        if (line[at] == '{') {
            objects.emplace_back();
        } else if (line[at] == '}') {
            objects.pop_back();
        } else if (line[at] == '"') {
            auto const end = line.find('"', at + 1);
            auto const text = line.substr(at + 1, end - at - 1);
            if (line[end + 1] == ':' and not objects.back().insert(text).second)
                repeated.push_back(text);
            at = end;
        }
    return repeated;
}

BOOST_AUTO_TEST_CASE(no_key_occurs_twice_in_an_object_of_a_trace)
{
    auto const rpcs = std::vector<Rpc>{RequestPreVote{},      RequestPreVoteResponse{}, RequestVote{},
                                       RequestVoteResponse{}, AppendEntries{},          AppendEntriesResponse{}};
    for (auto const& rpc : rpcs) {
        auto event = simulate::TraceEvent{};
        event.what = simulate::TraceEventKind::message;
        event.rpc = rpc;
        BOOST_TEST(repeated_keys(simulate::to_json(event)) == std::vector<std::string>{},
                   boost::test_tools::per_element());
    }
    BOOST_TEST(repeated_keys("{\"a\": {\"a\": 1, \"b\": 2}, \"a\": 3}") == std::vector<std::string>{"a"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_node_may_apply_a_long_log_entry_by_entry)
{
    auto scenario = calm_scenario(1, 100'000);
    scenario.settings.apply_entries_max = 1;
    scenario.settings.uncommitted_bytes_max = 1U << 20U;
    scenario.machines_forget = true;
    scenario.network.latency_us = scenario.network.jitter_us = 50;
    scenario.syncs.takes_us = scenario.syncs.jitter_us = 20;
    scenario.clients.count = 6;
    scenario.clients.thinks_us = 1'000;
    scenario.clients.reads = 0;
    scenario.clients.batches = 1'000'000;
    scenario.plan = {{.number = 1, .at_event = 80'000, .kind = simulate::Fault::process_killed, .server = 0}};

    auto const report = simulated(scenario);

    BOOST_TEST(report.answered > 12'000U);
    BOOST_TEST(report.broken == "");
}

BOOST_AUTO_TEST_CASE(a_healed_quorum_that_catches_up_slowly_is_given_the_time)
{
    for (auto seed = std::uint64_t{1}; seed <= 4; ++seed) {
        auto scenario = calm_scenario(seed, 20'000);
        scenario.settings.core.append_entries_max = 1;
        scenario.settings.core.window = 1;
        scenario.network.latency_us = 20'000;
        scenario.clients.batches = 1'000'000;
        scenario.plan = {{.number = 1, .kind = simulate::Fault::isolate_one, .lasts_us = 1'000'000'000'000}};

        auto const report = simulated(scenario);

        BOOST_TEST(report.broken == "", "seed " << seed << ": " << report.broken);
    }
}

} // namespace
} // namespace totora::test::simulator_tests
