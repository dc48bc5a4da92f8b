// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/simulation_totals.hpp"

#include "../support/progress_line.hpp"
#include "options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::simulate
{

/// Shows how far it is: a bar that is written over on a terminal, a line every ten seconds elsewhere.
class Progress
{
public:
    explicit Progress(Options const& options) : seeds_(options.last - options.first + 1), seconds_(options.seconds) {}

    void operator()(simulate::SimulationTotals const& totals)
    {
        if (not line_.is_due())
            return;
        auto const share = part_done(totals.seeds);
        auto const number = [](double value) { return std::to_string(static_cast<std::uint64_t>(value)); };
        line_.show(bar(share) + std::to_string(totals.seeds) + " of " + std::to_string(seeds_) + " seeds, " +
                   number(static_cast<double>(totals.events) / seconds()) + " events/s, " +
                   std::to_string(totals.simulated_us / 1'000'000) + " s simulated, " +
                   std::to_string(totals.faults_in_all()) + " faults, " + std::to_string(totals.failures.size()) +
                   " failures, " + number(seconds() * (1 - share) / std::max(share, 1e-6)) + " s left");
    }

    void finish() const { line_.finish(); }

    /// Whether the time that it was given has passed.
    [[nodiscard]] bool is_over() const { return seconds_ > 0 and seconds() >= static_cast<double>(seconds_); }

    [[nodiscard]] double seconds() const { return line_.seconds(); }

private:
    [[nodiscard]] double part_done(std::uint64_t done) const
    {
        auto const by_seeds = static_cast<double>(done) / static_cast<double>(seeds_);
        auto const by_time = seconds_ > 0 ? seconds() / static_cast<double>(seconds_) : 0.0;
        return std::min(1.0, std::max(by_seeds, by_time));
    }

    /// How much is done, as a picture, where it can be written over.
    [[nodiscard]] std::string bar(double share) const
    {
        if (not line_.on_terminal())
            return {};
        auto picture = "[" + std::string(static_cast<std::size_t>(share * 20), '#');
        picture.resize(21, '.');
        return picture + "] ";
    }

    std::uint64_t      seeds_;
    std::uint64_t      seconds_;
    test::ProgressLine line_;
};

} // namespace totora::simulate
