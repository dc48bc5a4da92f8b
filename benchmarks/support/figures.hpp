// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::benchmarks
{

/// How many bytes a client's command has.
inline constexpr std::size_t payload_bytes = 256;

/// What one round of a trial came to.
struct Figures
{
    std::size_t   outstanding = 0;
    std::uint64_t entries = 0;
    double        seconds = 0;
    double        p50_us = 0;
    double        p99_us = 0;

    [[nodiscard]] double entries_per_second() const { return static_cast<double>(entries) / seconds; }
};

/// One line of text, by which a server reports its figures to its parent.
[[nodiscard]] inline std::string line_of(Figures const& figures)
{
    char line[160];
    std::snprintf(line, sizeof line, "figures %zu %llu %.6f %.1f %.1f", figures.outstanding,
                  static_cast<unsigned long long>(figures.entries), figures.seconds, figures.p50_us, figures.p99_us);
    return line;
}

[[nodiscard]] inline std::optional<Figures> read_line(std::string const& line)
{
    auto figures = Figures{};
    auto entries = 0ULL;
    if (std::sscanf(line.c_str(), "figures %zu %llu %lf %lf %lf", &figures.outstanding, &entries, &figures.seconds,
                    &figures.p50_us, &figures.p99_us) != 5)
        return std::nullopt;
    figures.entries = entries;
    return figures;
}

/// How long a round lasts: to the first of both ends.
struct Bounds
{
    std::uint64_t entries_max = 200'000;
    double        seconds_max = 3;
    double        warm_up_seconds = 1; ///< Not counted.
};

/// Measures a closed loop: a fixed number of entries is always outstanding.
class Meter
{
public:
    using Clock = std::chrono::steady_clock;

    Meter(std::size_t outstanding, Bounds bounds) : outstanding_(outstanding), bounds_(bounds), began_(Clock::now())
    {
        latencies_us_.reserve(std::min<std::size_t>(bounds.entries_max, 1U << 20U));
    }

    /// An entry that was proposed then has just been acknowledged.
    void acknowledged(Clock::time_point proposed)
    {
        auto const now = Clock::now();
        if (not counting_) {
            if (seconds(now - began_) < bounds_.warm_up_seconds)
                return;
            counting_ = true;
            began_ = now;
            return;
        }
        latencies_us_.push_back(static_cast<float>(seconds(now - proposed) * 1e6));
        ended_ = now;
    }

    [[nodiscard]] bool is_over() const
    {
        return counting_ and
               (latencies_us_.size() >= bounds_.entries_max or seconds(ended_ - began_) >= bounds_.seconds_max);
    }

    [[nodiscard]] Figures figures()
    {
        std::sort(latencies_us_.begin(), latencies_us_.end());
        auto const at = [&](std::size_t percent) {
            return static_cast<double>(latencies_us_[latencies_us_.size() * percent / 100]);
        };
        return {outstanding_, latencies_us_.size(), seconds(ended_ - began_), at(50), at(99)};
    }

private:
    [[nodiscard]] static double seconds(Clock::duration duration)
    {
        return std::chrono::duration<double>(duration).count();
    }

    std::size_t        outstanding_;
    Bounds             bounds_;
    Clock::time_point  began_;
    Clock::time_point  ended_ = began_;
    bool               counting_ = false;
    std::vector<float> latencies_us_;
};

inline void print_head()
{
    std::printf("%12s %12s %10s %10s %10s %9s\n", "outstanding", "entries/s", "p50 ms", "p99 ms", "entries", "seconds");
}

inline void print_row(Figures const& figures)
{
    std::printf("%12zu %12.0f %10.3f %10.3f %10llu %9.2f\n", figures.outstanding, figures.entries_per_second(),
                figures.p50_us / 1e3, figures.p99_us / 1e3, static_cast<unsigned long long>(figures.entries),
                figures.seconds);
    std::fflush(stdout);
}

/// False if the file cannot be written.
[[nodiscard]] inline bool
write_json(std::string const& path, std::string_view program, std::vector<Figures> const& rounds)
{
    auto* const file = std::fopen(path.c_str(), "w");
    if (file == nullptr)
        return false;
    std::fprintf(file, "{\"program\": \"%.*s\", \"payload_bytes\": %zu, \"rounds\": [",
                 static_cast<int>(program.size()), program.data(), payload_bytes);
    for (auto const& round : rounds)
        std::fprintf(file,
                     "%s\n  {\"outstanding\": %zu, \"entries_per_second\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
                     "\"entries\": %llu, \"seconds\": %.3f}",
                     &round == rounds.data() ? "" : ",", round.outstanding, round.entries_per_second(), round.p50_us,
                     round.p99_us, static_cast<unsigned long long>(round.entries), round.seconds);
    std::fprintf(file, "\n]}\n");
    return std::fclose(file) == 0;
}

} // namespace totora::benchmarks
