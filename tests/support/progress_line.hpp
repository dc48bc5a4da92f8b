// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace totora::test
{

/// How far a program is that runs for long, on the error stream: a line that is written over on a terminal, a line every ten
/// seconds elsewhere.
class ProgressLine
{
public:
    /// Whether it is time to print something.
    [[nodiscard]] bool is_due()
    {
        auto const now = std::chrono::steady_clock::now();
        if (now < next_)
            return false;
        next_ = now + (on_terminal_ ? std::chrono::milliseconds{200} : std::chrono::seconds{10});
        return true;
    }

    void show(std::string const& text) const { std::fprintf(stderr, on_terminal_ ? "\r%s   " : "%s\n", text.c_str()); }

    void finish() const
    {
        if (on_terminal_)
            std::fputc('\n', stderr);
    }

    [[nodiscard]] bool on_terminal() const { return on_terminal_; }

    /// Since it began; more than 0.
    [[nodiscard]] double seconds() const
    {
        auto const passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
        return std::max(passed, 1e-6);
    }

private:
    bool                                  on_terminal_ = isatty(STDERR_FILENO) != 0;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point next_ = begin_ + std::chrono::seconds{on_terminal_ ? 0 : 10};
};

} // namespace totora::test
