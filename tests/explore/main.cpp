// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/explore/counterexample.hpp"
#include "totora/testing/explore/explore.hpp"
#include "totora/testing/explore/live.hpp"
#include "totora/testing/explore/random_walk.hpp"

#include "../support/command_line.hpp"
#include "../support/progress_line.hpp"
#include "scopes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// explore --list
// explore --scope NAME [--random SEED] [--live] [--limit-states N] [--json FILE]
//
// Goes through every interleaving of the shipped step within a scope, or walks in it at random, without end if there is no
// limit. With --live it also asks of every state whether, with faults off from there, something new can be committed. Ends with 1 and a story if something does not hold, and with 2 if it does not understand what it is asked.

namespace
{

using totora::explore::Explored;
using totora::explore::Scope;

struct Options
{
    std::string                  scope;
    std::optional<std::uint64_t> seed;
    std::uint64_t                limit_states = std::numeric_limits<std::uint64_t>::max();
    std::string                  json;
    bool                         list = false;
    bool                         live = false;
};

[[nodiscard]] std::string number(std::uint32_t bound)
{
    return bound == totora::explore::any_number ? "\"any\"" : std::to_string(bound);
}

/// The bounds of a scope as a JSON object.
[[nodiscard]] std::string bounds_of(Scope const& scope)
{
    auto const flag = [](bool on) { return on ? "true" : "false"; };
    return "{\"servers\": " + std::to_string(scope.servers) +
           ", \"voters\": " + std::to_string(totora::explore::voters_of(scope)) +
           ", \"candidates\": " + std::to_string(scope.candidates == 0 ? scope.servers : scope.candidates) +
           ", \"terms\": " + number(static_cast<std::uint32_t>(scope.terms)) +
           ", \"elections\": " + number(scope.elections) + ", \"proposals\": " + number(scope.proposals) +
           ", \"crashes\": " + number(scope.crashes) + ", \"heartbeats\": " + number(scope.heartbeats) +
           ", \"reads\": " + number(scope.reads) + ", \"snapshots\": " + number(scope.snapshots) +
           ", \"damages\": " + number(scope.damages) + ", \"changes\": " + number(scope.changes) +
           ", \"cancels\": " + number(scope.cancels) + ", \"catch_ups\": " + number(scope.catch_ups) +
           ", \"transfers\": " + number(scope.transfers) + ", \"announcements\": " + number(scope.announcements) +
           ", \"wipes\": " + number(scope.wipes) + ", \"forced\": " + flag(scope.forced) +
           ", \"duplicates\": " + number(scope.duplicates) +
           ", \"in_flight\": " + (scope.in_flight == 0 ? "\"any\"" : std::to_string(scope.in_flight)) +
           ", \"entries_per_append\": " + std::to_string(scope.entries_per_append) +
           ", \"pre_vote\": " + flag(scope.pre_vote) + ", \"sticky\": " + flag(scope.sticky) +
           ", \"check_quorum\": " + flag(scope.check_quorum) + ", \"commit_is_saved\": " + flag(scope.commit_is_saved) +
           ", \"eager_writes\": " + flag(scope.eager_writes) + "}";
}

[[nodiscard]] double per_state(Explored const& explored)
{
    return explored.distinct_states == 0
               ? 0.0
               : static_cast<double>(explored.bytes) / static_cast<double>(explored.distinct_states);
}

[[nodiscard]] std::string how_far(Explored const& explored, double seconds)
{
    auto const rate = static_cast<std::uint64_t>(static_cast<double>(explored.distinct_states) / seconds);
    return std::to_string(explored.distinct_states) + " states, " + std::to_string(rate) + " a second, depth " +
           std::to_string(explored.depth) + ", " + std::to_string(explored.frontier) + " waiting, " +
           std::to_string(static_cast<std::uint64_t>(seconds)) + " s";
}

[[nodiscard]] std::string to_json(Scope const& scope, Explored const& explored, double rate)
{
    return "{\"scope\": \"" + scope.name + "\", \"bounds\": " + bounds_of(scope) +
           ", \"distinct_states\": " + std::to_string(explored.distinct_states) +
           ", \"transitions\": " + std::to_string(explored.transitions) +
           ", \"distinct_per_s\": " + std::to_string(rate) +
           ", \"bytes_per_state\": " + std::to_string(per_state(explored)) +
           ", \"depth\": " + std::to_string(explored.depth) +
           ", \"completed\": " + (explored.completed ? "true" : "false") +
           ", \"violation\": " + (explored.violation.empty() ? std::string{"null"} : "\"" + explored.violation + "\"") +
           "}\n";
}

constexpr auto usage =
    "explore --list\nexplore --scope NAME [--random SEED | --live] [--limit-states N] [--json FILE]\n";

[[nodiscard]] int refuse(std::string const& what)
{
    std::fprintf(stderr, "%s\n%s", what.c_str(), usage);
    return 2;
}

/// The options, or what is wrong with them.
[[nodiscard]] totora::Result<Options, std::string> options_of(std::vector<std::string> words)
{
    auto options = Options{};
    auto line = totora::test::CommandLine{std::move(words)};
    while (auto const option = line.next_option())
        if (*option == "--list")
            options.list = true;
        else if (*option == "--scope")
            options.scope = line.value();
        else if (*option == "--random")
            options.seed = line.number();
        else if (*option == "--live")
            options.live = true;
        else if (*option == "--limit-states")
            options.limit_states = line.number();
        else if (*option == "--json")
            options.json = line.value();
        else
            line.refuse("There is no option " + *option + ".");
    if (not options.list and options.scope.empty())
        line.refuse("Give a scope; --list shows them.");
    if (options.live and options.seed)
        line.refuse("--live goes through all states, --random through some.");
    if (not line.error().empty())
        return totora::Unexpected{line.error()};
    return options;
}

void print(totora::explore::Transitions& transitions, std::vector<std::uint16_t> const& way)
{
    auto const counterexample = totora::explore::CounterexamplePrinter{transitions}.print(way);
    for (auto const& line : counterexample.lines)
        std::cout << line << '\n';
    std::cout << '\n' << counterexample.test;
}

template <typename Search>
[[nodiscard]] int run(Options const& options, Scope const& scope, Search& search)
{
    auto        progress = totora::test::ProgressLine{};
    auto const& explored = search.run([&](Explored const& so_far) {
        if (progress.is_due())
            progress.show(how_far(so_far, progress.seconds()));
        return so_far.distinct_states >= options.limit_states;
    });
    progress.finish();
    auto const seconds = progress.seconds();
    auto const rate = static_cast<double>(explored.distinct_states) / seconds;
    std::printf("%s: %llu states, %llu transitions, depth %llu, %.0f states a second, %.1f bytes a state, %s\n",
                scope.name.c_str(), static_cast<unsigned long long>(explored.distinct_states),
                static_cast<unsigned long long>(explored.transitions), static_cast<unsigned long long>(explored.depth),
                rate, per_state(explored), explored.completed ? "completed" : "not completed");
    std::fflush(stdout);
    if (not options.json.empty() and not(std::ofstream{options.json} << to_json(scope, explored, rate))) {
        std::fprintf(stderr, "%s cannot be written\n", options.json.c_str());
        return 2;
    }
    if (explored.violation.empty())
        return 0;
    std::cout << "Does not hold: " << explored.violation << "\n\n";
    print(search.transitions(), search.way_to_the_violation());
    return 1;
}

/// An exploration that asks of every state whether it is live.
class LiveExploration
{
public:
    explicit LiveExploration(Scope const& scope) : exploration_(scope), live_(exploration_.transitions()) {}

    template <typename IsEnough>
    Explored const& run(IsEnough is_enough)
    {
        auto const stop = [&](Explored const& so_far) { return dead_.has_value() or is_enough(so_far); };
        explored_ = exploration_.run(stop, [&](totora::explore::GlobalState const& global) {
            if (not dead_ and not live_.is_live(global))
                dead_ = seen_;
            ++seen_;
        });
        if (dead_ and explored_.violation.empty())
            explored_.violation = "with faults off from some state on, something new can be committed";
        return explored_;
    }

    [[nodiscard]] totora::explore::Transitions& transitions() { return exploration_.transitions(); }

    [[nodiscard]] std::vector<std::uint16_t> way_to_the_violation() const
    {
        return dead_ ? exploration_.way_to(*dead_) : exploration_.way_to_the_violation();
    }

private:
    totora::explore::Exploration exploration_;
    totora::explore::Live        live_;
    Explored                     explored_;
    std::uint32_t                seen_ = 0;
    std::optional<std::uint32_t> dead_; ///< The first state that is not live.
};

} // namespace

int main(int count, char** words)
{
    if (count == 2 and std::string_view{words[1]} == "--help") {
        std::fputs(usage, stdout);
        return 0;
    }
    auto const options = options_of({words + 1, words + count});
    if (not options)
        return refuse(options.error());
    auto const scopes = totora::test::scopes();
    if (options->list) {
        for (auto const& scope : scopes)
            std::cout << scope.name << ' ' << bounds_of(scope) << '\n';
        return 0;
    }
    auto const scope =
        std::find_if(scopes.begin(), scopes.end(), [&](Scope const& one) { return one.name == options->scope; });
    if (scope == scopes.end())
        return refuse("There is no scope " + options->scope + "; --list shows them.");
    if (options->seed) {
        auto walk = totora::explore::RandomWalk{*scope, *options->seed};
        return run(*options, *scope, walk);
    }
    if (options->live) {
        auto exploration = LiveExploration{*scope};
        return run(*options, *scope, exploration);
    }
    auto exploration = totora::explore::Exploration{*scope};
    return run(*options, *scope, exploration);
}
