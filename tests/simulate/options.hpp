// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include "../support/command_line.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace totora::simulate
{

/// What the program is asked for.
struct Options
{
    std::uint64_t               first = 1;
    std::uint64_t               last = 0;
    std::uint64_t               seconds = 0; ///< 0: as long as it takes.
    std::string                 json;
    std::string                 trace;
    bool                        shrinks = false;
    simulate::SimulationOptions simulation;
};

/// Kinds of faults, by their names.
[[nodiscard]] inline std::set<simulate::Fault> read_faults(test::CommandLine& line)
{
    auto faults = std::set<simulate::Fault>{};
    for (auto const& name : line.values())
        if (auto const fault = simulate::fault_of(name))
            faults.insert(*fault);
        else
            line.refuse("there is no fault called \"" + name + "\"; every run ends with a list of all.");
    return faults;
}

/// Numbers of planned faults, or "none".
[[nodiscard]] inline std::set<std::uint32_t> read_numbers(test::CommandLine& line)
{
    auto numbers = std::set<std::uint32_t>{};
    for (auto const& word : line.values())
        if (word != "none")
            numbers.insert(static_cast<std::uint32_t>(line.number_of(word)));
    return numbers;
}

inline void read_option(std::string const& option, test::CommandLine& line, Options& options)
{
    auto& simulation = options.simulation;
    if (option == "--shrink")
        options.shrinks = true;
    else if (option == "--seeds")
        line.read_range(1, std::uint64_t{1} << 62U, options.first, options.last);
    else if (option == "--nodes")
        line.read_range(1, simulate::simulated_servers_max, simulation.servers_least, simulation.servers_most);
    else if (option == "--events")
        simulation.events = line.number();
    else if (option == "--seconds")
        options.seconds = line.number();
    else if (option == "--json")
        options.json = line.value();
    else if (option == "--trace")
        options.trace = line.value();
    else if (option == "--without")
        simulation.without.merge(read_faults(line));
    else if (option == "--only")
        simulation.only = read_numbers(line);
    else
        line.refuse("there is no option \"" + option +
                    "\"; there are --seeds A..B, --nodes A..B, --events N, --seconds S, --json FILE, --trace FILE, "
                    "--shrink, --without FAULT,... and --only NUMBER,...");
}

/// The options, or what is wrong with them.
[[nodiscard]] inline Result<Options, std::string> options_of(std::vector<std::string> words)
{
    auto options = Options{};
    auto line = test::CommandLine{std::move(words)};
    while (auto const option = line.next_option())
        read_option(*option, line, options);
    if (options.last == 0)
        line.refuse("give the seeds to run, as in --seeds 1..100.");
    if (not line.error().empty())
        return Unexpected{line.error()};
    return options;
}

/// The command line that runs a seed again in the same way.
[[nodiscard]] inline std::string command_of(std::uint64_t seed, simulate::SimulationOptions const& options)
{
    auto const range = [](std::uint64_t a, std::uint64_t b) { return std::to_string(a) + ".." + std::to_string(b); };
    auto       text = "simulate --seeds " + range(seed, seed) + " --nodes " +
                range(options.servers_least, options.servers_most) + " --events " + std::to_string(options.events);
    auto separator = " --without ";
    for (auto const fault : options.without) {
        text += separator + std::string{simulate::to_string(fault)};
        separator = ",";
    }
    if (options.only) {
        separator = " --only ";
        for (auto const number : *options.only) {
            text += separator + std::to_string(number);
            separator = ",";
        }
        if (options.only->empty())
            text += " --only none";
    }
    return text;
}

} // namespace totora::simulate
