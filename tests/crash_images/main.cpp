// SPDX-License-Identifier: BSL-1.0
#include "totora/testing/conformance/log/log_crashes.hpp"

#include "../support/command_line.hpp"
#include "../support/log/crash_logs.hpp"
#include "../support/progress_line.hpp"
#include "totora/core/values/result.hpp"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// crash_images --workloads A..B [--images-max N] [--json FILE]
//
// Runs workloads on a `SegmentedLog`, lets the power fail at every call that it makes of its files, and recovers every
// image of the disk that can be found then. N is how many images of one workload are recovered at most. Ends with 1 and a
// story if a law is broken, and with 2 if it does not understand what it is asked.

namespace
{

using namespace totora;
using namespace totora::conformance;
using Figure = std::pair<char const*, std::uint64_t>;

struct Options
{
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    CrashBounds   bounds;
    std::string   json;
};

/// The sum of what both kits explored.
[[nodiscard]] std::vector<Figure> figures_of(CrashFigures const& a, CrashFigures const& b)
{
    return {{"workloads", a.workloads + b.workloads},
            {"images_visited", a.images + b.images},
            {"distinct_images", a.distinct_images + b.distinct_images},
            {"distinct_after_recycling", a.images_recycled + b.images_recycled},
            {"recycled_segments", a.recycled + b.recycled},
            {"recoveries", a.recoveries + b.recoveries},
            {"torn_tails", a.torn_tails + b.torn_tails},
            {"full_disks", a.full + b.full},
            {"full_disks_that_needed_space", a.too_full + b.too_full},
            {"failed_calls", a.faults + b.faults},
            {"snapshots", a.snapshots + b.snapshots},
            {"compactions", a.compactions + b.compactions},
            {"installs", a.installs + b.installs},
            {"crash_points", a.points + b.points},
            {"crash_points_sampled", a.points_sampled + b.points_sampled},
            {"second_crash_points", a.again_points + b.again_points},
            {"second_crash_points_sampled", a.again_sampled + b.again_sampled}};
}

[[nodiscard]] std::string
how_far(Options const& options, std::uint64_t workload, std::uint64_t distinct, double seconds)
{
    auto const number = [](double value) { return std::to_string(static_cast<std::uint64_t>(value)); };
    auto const whole = options.last - options.first + 1;
    auto const done = workload - options.first;
    auto const left = done == 0 ? 0.0 : seconds / static_cast<double>(done) * static_cast<double>(whole - done);
    return "workload " + std::to_string(done + 1) + " of " + std::to_string(whole) + ", " + std::to_string(distinct) +
           " distinct images, " + number(static_cast<double>(distinct) / seconds) + " a second, " + number(seconds) +
           " s, about " + number(left) + " s left";
}

[[nodiscard]] std::string quoted(std::string const& text)
{
    auto out = std::string{"\""};
    for (auto const letter : text) {
        if (letter == '"' or letter == '\\')
            out += '\\';
        out += letter;
    }
    return out + "\"";
}

[[nodiscard]] std::string
to_json(Options const& options, std::vector<Figure> const& figures, double seconds, LawViolations const& broken)
{
    auto text = "{\"first\": " + std::to_string(options.first) + ", \"last\": " + std::to_string(options.last) +
                ", \"images_max\": " + std::to_string(options.bounds.images_max) +
                ", \"images_per_call\": " + std::to_string(options.bounds.images_per_call);
    for (auto const& [name, value] : figures)
        text += ", \"" + std::string{name} + "\": " + std::to_string(value);
    text += ", \"seconds\": " + std::to_string(seconds) + ", \"broken\": [";
    for (auto const& law : broken)
        text += (&law == broken.data() ? "" : ", ") + std::string{"{\"law\": "} + quoted(law.law) +
                ", \"what\": " + quoted(law.what) + "}";
    return text + "]}\n";
}

constexpr auto usage = "crash_images --workloads A..B [--images-max N] [--json FILE]\n";

[[nodiscard]] int refuse(std::string const& why)
{
    std::fprintf(stderr, "crash_images: %s\n%s", why.c_str(), usage);
    return 2;
}

/// The options, or what is wrong with them.
[[nodiscard]] Result<Options, std::string> options_of(std::vector<std::string> words)
{
    auto options = Options{};
    auto line = test::CommandLine{std::move(words)};
    while (auto const option = line.next_option())
        if (*option == "--workloads")
            line.read_range(1, std::uint64_t{1} << 62U, options.first, options.last);
        else if (*option == "--images-max")
            options.bounds.images_max = line.number();
        else if (*option == "--json")
            options.json = line.value();
        else
            line.refuse("There is no option " + *option + ".");
    if (options.bounds.images_max == 0)
        line.refuse("--images-max wants a number above 0.");
    if (options.first == 0)
        line.refuse("Give the workloads to run, as in --workloads 1..50.");
    if (not line.error().empty())
        return Unexpected{line.error()};
    return options;
}

[[nodiscard]] int run(Options const& options)
{
    auto       progress = test::ProgressLine{};
    auto const distinct = std::make_shared<testing::HashSet>();
    auto       at_once = LogCrashes<test::SegmentedUnderCrashes<InlineSyncer>>{options.bounds, distinct};
    auto       shared = LogCrashes<test::SegmentedUnderCrashes<test::SlowSyncer>>{options.bounds, distinct};
    auto       broken = LawViolations{};
    for (auto number = options.first; number <= options.last and broken.empty(); ++number) {
        auto const report = [&](CrashFigures const&) {
            auto const distinct_images = at_once.figures().distinct_images + shared.figures().distinct_images;
            if (progress.is_due())
                progress.show(how_far(options, number, distinct_images, progress.seconds()));
        };
        at_once.on_progress(report);
        shared.on_progress(report);
        test::NumberedWorkload{number}.run(number, at_once, shared);
        broken = at_once.broken().empty() ? shared.broken() : at_once.broken();
    }
    progress.finish();

    auto const figures = figures_of(at_once.figures(), shared.figures());
    for (auto const& [name, value] : figures)
        std::printf("%-28s %llu\n", name, static_cast<unsigned long long>(value));
    std::printf("%-28s %.1f\n%s", "seconds", progress.seconds(), to_string(broken).c_str());
    std::fflush(stdout);
    if (not options.json.empty() and
        not(std::ofstream{options.json} << to_json(options, figures, progress.seconds(), broken)))
        return refuse(options.json + " cannot be written");
    return broken.empty() ? 0 : 1;
}

} // namespace

int main(int count, char** words)
{
    if (count == 2 and std::string_view{words[1]} == "--help") {
        std::fputs(usage, stdout);
        return 0;
    }
    auto const options = options_of({words + 1, words + count});
    return options ? run(*options) : refuse(options.error());
}
