// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/sim/simulation_totals.hpp"

#include "options.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace totora::simulate
{

/// Says how far it is: a bar that is written over on a terminal, a line every ten seconds elsewhere.
class Progress
{
public:
    explicit Progress(Options const& options) : seeds_(options.last - options.first + 1), seconds_(options.seconds) {}

    void operator()(sim::SimulationTotals const& totals)
    {
        auto const now = std::chrono::steady_clock::now();
        if (now < next_)
            return;
        next_ = now + (on_terminal_ ? std::chrono::milliseconds{200} : std::chrono::seconds{10});
        auto const share = part_done(totals.seeds);
        auto       bar = std::string{};
        if (on_terminal_) {
            bar = "\r[" + std::string(static_cast<std::size_t>(share * 20), '#');
            bar.resize(22, '.');
            bar += "] ";
        }
        std::fprintf(stderr,
                     "%s%llu of %llu seeds, %.0f events/s, %llu s simulated, %llu faults, %zu failures, %.0f s left%s",
                     bar.c_str(), static_cast<unsigned long long>(totals.seeds),
                     static_cast<unsigned long long>(seeds_), static_cast<double>(totals.events) / seconds(),
                     static_cast<unsigned long long>(totals.simulated_us / 1'000'000),
                     static_cast<unsigned long long>(totals.faults_in_all()), totals.failures.size(),
                     seconds() * (1 - share) / std::max(share, 1e-6), on_terminal_ ? "   " : "\n");
    }

    void finish() const
    {
        if (on_terminal_)
            std::fputc('\n', stderr);
    }

    /// Whether the time that it was given has passed.
    [[nodiscard]] bool is_over() const { return seconds_ > 0 and seconds() >= static_cast<double>(seconds_); }

    [[nodiscard]] double seconds() const
    {
        auto const passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        return std::max(passed, 1e-6);
    }

private:
    [[nodiscard]] double part_done(std::uint64_t done) const
    {
        auto const by_seeds = static_cast<double>(done) / static_cast<double>(seeds_);
        auto const by_time = seconds_ > 0 ? seconds() / static_cast<double>(seconds_) : 0.0;
        return std::min(1.0, std::max(by_seeds, by_time));
    }

    std::uint64_t                         seeds_;
    std::uint64_t                         seconds_;
    bool                                  on_terminal_ = isatty(STDERR_FILENO) != 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_ = begin_ + std::chrono::seconds{on_terminal_ ? 0 : 10};
};

} // namespace totora::simulate
