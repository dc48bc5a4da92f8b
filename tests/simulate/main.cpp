// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/simulate/run_scenario.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/shrink.hpp"
#include "totora/testing/simulate/simulation_totals.hpp"
#include "totora/testing/simulate/trace_event_text.hpp"

#include "options.hpp"
#include "progress.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

// Runs a simulated cluster for each seed. Ends with 1 if a property does not hold in any of them, with the command that does
// it again and the story of the last events; with 2 if it does not understand what it is asked.

namespace
{

using namespace totora::simulate;
using totora::simulate::Options;
using totora::simulate::Progress;

[[nodiscard]] SimulationReport run(std::uint64_t seed, SimulationOptions const& options, std::ostream* trace)
{
    auto const watch = [trace](TraceEvent const& event) { *trace << to_json(event) << "\n"; };
    if (trace != nullptr)
        return run_scenario(make_scenario(seed, options), watch);
    return run_scenario(make_scenario(seed, options));
}

/// Prints a failure, and looks for the fewest faults that lead to one.
void explain(SimulationReport const& report, Options const& options, SimulationTotals& totals)
{
    auto replay = totora::simulate::command_of(report.seed, options.simulation);
    std::printf("\nseed %llu, %zu servers, does not hold: %s\nreplay: %s\nthe last events:\n",
                static_cast<unsigned long long>(report.seed), report.servers, report.broken.c_str(), replay.c_str());
    report.last.for_each([](TraceEvent const& event) { std::printf("  %s\n", to_string(event).c_str()); });
    if (options.shrinks) {
        auto const fails = [&](SimulationOptions const& fewer) {
            return not run(report.seed, fewer, nullptr).broken.empty();
        };
        auto const smallest = Shrinker{report.seed, options.simulation, fails}.shrink();
        replay = totora::simulate::command_of(report.seed, smallest);
        std::printf("fails with fewer faults: %s\n  %s\n", run(report.seed, smallest, nullptr).broken.c_str(),
                    replay.c_str());
    }
    std::fflush(stdout);
    totals.failures.push_back({report.seed, report.broken, replay});
}

constexpr auto usage =
    "simulate --seeds A..B [--nodes 1..7] [--events N] [--seconds S] [--json FILE] [--trace FILE] [--shrink]\n"
    "         [--without FAULT,...] [--only NUMBER,...]\n";

int simulate(Options const& options)
{
    auto trace = std::ofstream{};
    if (not options.trace.empty())
        trace.open(options.trace);
    if (not trace) {
        std::fprintf(stderr, "simulate: the file %s cannot be written.\n", options.trace.c_str());
        return 2;
    }
    auto totals = SimulationTotals{};
    auto progress = Progress{options};
    for (auto seed = options.first; seed <= options.last and not progress.is_over(); ++seed) {
        auto const report = run(seed, options.simulation, options.trace.empty() ? nullptr : &trace);
        totals.add(report);
        if (not report.broken.empty())
            explain(report, options, totals);
        progress(totals);
    }
    progress.finish();
    auto const rate = static_cast<double>(totals.events) / progress.seconds();
    std::printf("%s%llu seeds, %llu events, %.0f a second, %llu simulated seconds, %llu requests answered, hash %s: "
                "%zu failures\n",
                to_string(totals).c_str(), static_cast<unsigned long long>(totals.seeds),
                static_cast<unsigned long long>(totals.events), rate,
                static_cast<unsigned long long>(totals.simulated_us / 1'000'000),
                static_cast<unsigned long long>(totals.answered), spelled_hash(totals.hash).c_str(),
                totals.failures.size());
    if (not options.json.empty() and not(std::ofstream{options.json} << to_json(totals, rate))) {
        std::fprintf(stderr, "simulate: the file %s cannot be written.\n", options.json.c_str());
        return 2;
    }
    return totals.failures.empty() ? 0 : 1;
}

} // namespace

int main(int count, char** words)
{
    if (count == 2 and std::string{words[1]} == "--help") {
        std::fputs(usage, stdout);
        return 0;
    }
    auto const options = totora::simulate::options_of({words + 1, words + count});
    if (not options) {
        std::fprintf(stderr, "simulate: %s\n", options.error().c_str());
        return 2;
    }
    return simulate(*options);
}
