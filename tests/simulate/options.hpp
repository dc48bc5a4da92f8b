// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/result.hpp"
#include "totora/sim/faults.hpp"
#include "totora/sim/links.hpp"
#include "totora/sim/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::simulate
{

/// What the program is asked for.
struct Options
{
    std::uint64_t          first = 1;
    std::uint64_t          last = 0;
    std::uint64_t          seconds = 0; ///< 0: as long as it takes.
    std::string            json;
    std::string            trace;
    bool                   shrinks = false;
    sim::SimulationOptions simulation;
};

/// Reads the command line; the error is a sentence.
class OptionReader
{
public:
    explicit OptionReader(std::vector<std::string> words) : words_(std::move(words)) {}

    [[nodiscard]] Result<Options, std::string> read()
    {
        while (at_ < words_.size() and error_.empty())
            read_one(words_[at_++]);
        if (error_.empty() and options_.last == 0)
            error_ = "say which seeds to run, as in --seeds 1..100.";
        if (not error_.empty())
            return Unexpected{error_};
        return options_;
    }

private:
    void read_one(std::string const& name)
    {
        auto& simulation = options_.simulation;
        if (name == "--shrink")
            options_.shrinks = true;
        else if (name == "--seeds")
            read_range(name, 1, std::uint64_t{1} << 62U, options_.first, options_.last);
        else if (name == "--nodes")
            read_range(name, 3, sim::simulated_servers_max, simulation.servers_least, simulation.servers_most);
        else if (name == "--events")
            simulation.events = number(name, value(name));
        else if (name == "--seconds")
            options_.seconds = number(name, value(name));
        else if (name == "--json")
            options_.json = value(name);
        else if (name == "--trace")
            options_.trace = value(name);
        else if (name == "--without")
            for (auto const& word : parts(value(name), ","))
                if (auto const fault = sim::fault_of(word))
                    simulation.without.insert(*fault);
                else
                    error_ = "there is no fault called \"" + word + "\"; every run ends with a list of all.";
        else if (name == "--only") {
            simulation.only.emplace();
            for (auto const& word : parts(value(name), ","))
                if (word != "none")
                    simulation.only->insert(static_cast<std::uint32_t>(number(name, word)));
        } else
            error_ = "there is no option \"" + name +
                     "\"; there are --seeds A..B, --nodes A..B, --events N, --seconds S, --json FILE, --trace FILE, "
                     "--shrink, --without FAULT,... and --only NUMBER,...";
    }

    [[nodiscard]] std::string value(std::string const& name)
    {
        if (at_ < words_.size())
            return words_[at_++];
        error_ = name + " wants a value behind it.";
        return {};
    }

    [[nodiscard]] std::uint64_t number(std::string const& name, std::string const& word)
    {
        if (word.empty() or word.size() > 18 or word.find_first_not_of("0123456789") != std::string::npos) {
            if (error_.empty())
                error_ = name + " wants a whole number, not \"" + word + "\".";
            return 0;
        }
        return std::stoull(word);
    }

    void read_range(std::string const& name, std::uint64_t least, std::uint64_t most, std::uint64_t& first,
                    std::uint64_t& last)
    {
        auto const range = parts(value(name), "..");
        if (not error_.empty())
            return;
        if (range.size() > 2) {
            error_ = name + " wants a range, as in " + name + " 3..5.";
            return;
        }
        first = number(name, range.front());
        last = number(name, range.back());
        if (error_.empty() and (first < least or last > most or first > last))
            error_ =
                name + " wants a range from " + std::to_string(least) + " to at most " + std::to_string(most) + ".";
    }

    [[nodiscard]] static std::vector<std::string> parts(std::string const& text, std::string_view separator)
    {
        auto found = std::vector<std::string>{};
        auto from = std::size_t{0};
        for (auto at = text.find(separator); at != std::string::npos; at = text.find(separator, from)) {
            found.push_back(text.substr(from, at - from));
            from = at + separator.size();
        }
        found.push_back(text.substr(from));
        return found;
    }

    std::vector<std::string> words_;
    std::size_t              at_ = 0;
    std::string              error_;
    Options                  options_;
};

[[nodiscard]] inline Result<Options, std::string> options_of(std::vector<std::string> words)
{
    return OptionReader{std::move(words)}.read();
}

/// The command line that runs a seed again in the same way.
[[nodiscard]] inline std::string command_of(std::uint64_t seed, sim::SimulationOptions const& options)
{
    auto const range = [](std::uint64_t a, std::uint64_t b) { return std::to_string(a) + ".." + std::to_string(b); };
    auto       text = "simulate --seeds " + range(seed, seed) + " --nodes " +
                range(options.servers_least, options.servers_most) + " --events " + std::to_string(options.events);
    auto separator = " --without ";
    for (auto const fault : options.without) {
        text += separator + std::string{sim::name_of(fault)};
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
