// SPDX-License-Identifier: BSL-1.0
#include "totora/conformance/log_crashes.hpp"

#include "../support/crash_logs.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

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
            {"failed_calls", a.faults + b.faults},
            {"crash_points", a.points + b.points},
            {"crash_points_sampled", a.points_sampled + b.points_sampled},
            {"second_crash_points", a.again_points + b.again_points},
            {"second_crash_points_sampled", a.again_sampled + b.again_sampled}};
}

/// Says how far it is: a line that is written over on a terminal, a line every ten seconds elsewhere.
class Progress
{
public:
    explicit Progress(Options const& options) : options_(options) {}

    void operator()(std::uint64_t workload, std::uint64_t distinct)
    {
        auto const now = std::chrono::steady_clock::now();
        if (now < next_)
            return;
        next_ = now + (on_terminal_ ? std::chrono::milliseconds{200} : std::chrono::seconds{10});
        auto const whole = options_.last - options_.first + 1;
        auto const done = workload - options_.first;
        auto const left = done == 0 ? 0.0 : seconds() / static_cast<double>(done) * static_cast<double>(whole - done);
        std::fprintf(stderr,
                     "%sworkload %llu of %llu, %llu distinct images, %.0f a second, %.0f s, about %.0f s left%s",
                     on_terminal_ ? "\r" : "", static_cast<unsigned long long>(done + 1),
                     static_cast<unsigned long long>(whole), static_cast<unsigned long long>(distinct),
                     static_cast<double>(distinct) / seconds(), seconds(), left, on_terminal_ ? "   " : "\n");
    }

    void finish() const
    {
        if (on_terminal_)
            std::fputc('\n', stderr);
    }

    [[nodiscard]] double seconds() const
    {
        auto const passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        return std::max(passed, 1e-6);
    }

private:
    Options const&                        options_;
    bool                                  on_terminal_ = isatty(STDERR_FILENO) != 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_ = begin_ + std::chrono::seconds{on_terminal_ ? 0 : 10};
};

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
json_of(Options const& options, std::vector<Figure> const& figures, double seconds, BrokenLaws const& broken)
{
    auto text = "{\"first\": " + std::to_string(options.first) + ", \"last\": " + std::to_string(options.last) +
                ", \"images_max\": " + std::to_string(options.bounds.images_max) +
                ", \"images_per_call\": " + std::to_string(options.bounds.images_per_call);
    for (auto const& [name, value] : figures)
        text += ", \"" + std::string{name} + "\": " + std::to_string(value);
    text += ", \"seconds\": " + std::to_string(seconds) + ", \"broken\": [";
    for (auto const& law : broken)
        text += (&law == broken.data() ? "" : ", ") + std::string{"{\"law\": "} + quoted(law.law) +
                ", \"sentence\": " + quoted(law.sentence) + "}";
    return text + "]}\n";
}

[[nodiscard]] int refuse(std::string const& why)
{
    std::fprintf(stderr, "crash_images: %s\ncrash_images --workloads A..B [--images-max N] [--json FILE]\n",
                 why.c_str());
    return 2;
}

[[nodiscard]] bool read_number(std::string_view text, std::uint64_t& number)
{
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} and end == text.data() + text.size();
}

/// Reads the command line; a sentence if it cannot be understood.
[[nodiscard]] std::string read_options(std::vector<std::string> const& words, Options& options)
{
    for (auto at = std::size_t{0}; at < words.size(); at += 2) {
        auto const& name = words[at];
        if (name != "--workloads" and name != "--images-max" and name != "--json")
            return "there is no option " + name;
        if (at + 1 == words.size())
            return name + " asks for a value";
        auto const& value = words[at + 1];
        auto const  dots = value.find("..");
        if (name == "--json")
            options.json = value;
        else if (name == "--images-max" and (not read_number(value, options.bounds.images_max) or value == "0"))
            return "--images-max asks for a number above 0, not " + value;
        else if (name == "--workloads" and (dots == std::string::npos or
                                            not read_number(std::string_view{value}.substr(0, dots), options.first) or
                                            not read_number(std::string_view{value}.substr(dots + 2), options.last) or
                                            options.first == 0 or options.last < options.first))
            return "--workloads asks for two numbers from 1 on, such as 1..50, not " + value;
    }
    return options.first == 0 ? "--workloads A..B is missing" : "";
}

[[nodiscard]] int run(Options const& options)
{
    auto       progress = Progress{options};
    auto const distinct = std::make_shared<sim::HashSet>();
    auto       at_once = LogCrashes<test::SegmentedUnderCrashes<InlineSyncer>>{options.bounds, distinct};
    auto       shared = LogCrashes<test::SegmentedUnderCrashes<test::SlowSyncer>>{options.bounds, distinct};
    auto       broken = BrokenLaws{};
    for (auto number = options.first; number <= options.last and broken.empty(); ++number) {
        auto const tell = [&](CrashFigures const&) {
            progress(number, at_once.figures().distinct_images + shared.figures().distinct_images);
        };
        at_once.on_progress(tell);
        shared.on_progress(tell);
        test::NumberedWorkload{number}.run(number, at_once, shared);
        broken = at_once.broken().empty() ? shared.broken() : at_once.broken();
    }
    progress.finish();

    auto const figures = figures_of(at_once.figures(), shared.figures());
    for (auto const& [name, value] : figures)
        std::printf("%-28s %llu\n", name, static_cast<unsigned long long>(value));
    std::printf("%-28s %.1f\n%s", "seconds", progress.seconds(), told(broken).c_str());
    std::fflush(stdout);
    if (not options.json.empty() and
        not(std::ofstream{options.json} << json_of(options, figures, progress.seconds(), broken)))
        return refuse(options.json + " cannot be written");
    return broken.empty() ? 0 : 1;
}

} // namespace

int main(int count, char** words)
{
    auto options = Options{};
    if (auto const wrong = read_options({words + 1, words + count}, options); not wrong.empty())
        return refuse(wrong);
    return run(options);
}
