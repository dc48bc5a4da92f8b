// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace kv
{

/// Shows how far something is that takes long: a bar on a terminal, otherwise a line every few seconds.
class ProgressBar
{
public:
    explicit ProgressBar(std::string_view what) : what_(what) {}
    ProgressBar(ProgressBar const&) = delete;
    ProgressBar& operator=(ProgressBar const&) = delete;
    ~ProgressBar()
    {
        if (is_drawn_)
            std::fputc('\n', stderr);
    }

    void show(std::uint64_t done, std::uint64_t all)
    {
        auto const now = Clock::now();
        if (now < due_)
            return;
        due_ = now + (is_terminal_ ? std::chrono::milliseconds{100} : std::chrono::milliseconds{5'000});
        auto const line = text(done, all);
        std::fprintf(stderr, is_terminal_ ? "\r%s" : "%s\n", line.c_str());
        is_drawn_ = is_terminal_;
    }

    /// "kv: exports [####------] 12 of 30 MiB"; without the bar where it is not known how much there is (0).
    [[nodiscard]] std::string text(std::uint64_t done, std::uint64_t all) const
    {
        if (all == 0)
            return "kv: " + std::string{what_} + " " + std::to_string(done >> 20U) + " MiB";
        auto const filled = static_cast<std::size_t>(std::min(done, all) * width / all);
        return "kv: " + std::string{what_} + " [" + std::string(filled, '#') + std::string(width - filled, '-') + "] " +
               std::to_string(done >> 20U) + " of " + std::to_string(all >> 20U) + " MiB";
    }

private:
    using Clock = std::chrono::steady_clock;

    static constexpr std::size_t width = 40;

    std::string_view  what_;
    bool              is_terminal_ = ::isatty(STDERR_FILENO) == 1;
    bool              is_drawn_ = false;
    Clock::time_point due_ = Clock::now() + std::chrono::seconds{1};
};

} // namespace kv
