// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/transport/tcp/line_budget.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace totora::inline v0
{

/// Logs lines about one thing for the operator. Repeats a line only after a different one, and logs no more than
/// `per_second` lines in a second: of what comes faster the newest is kept, and logged with the number of those left
/// out.
class RepeatFilter
{
public:
    using Log = std::function<void(std::string_view)>;
    using Moment = LineBudget::Moment;

    static constexpr std::size_t per_second = 5;

    /// `log` may be empty; `left_out` counts the lines that are not logged.
    RepeatFilter(Log const& log, std::uint64_t& left_out) : log_(log), left_out_(left_out) {}

    void log(std::string line, Moment now = std::chrono::steady_clock::now())
    {
        if (last_ == line)
            return;
        last_ = std::move(line);
        if (held_back_ == 0 and budget_.take(now)) {
            if (log_)
                log_(last_);
            return;
        }
        left_out_ += held_back_ > 0 ? 1U : 0U;
        ++held_back_;
    }

    /// Logs what was held back, once the limit allows it. To be called repeatedly.
    void catch_up(Moment now = std::chrono::steady_clock::now())
    {
        if (held_back_ == 0 or not budget_.take(now))
            return;
        auto const others = std::exchange(held_back_, 0) - 1;
        if (log_)
            log_(others == 0 ? last_ : last_ + " (" + std::to_string(others) + " lines before it were suppressed)");
    }

    /// The newest line; empty if there was none.
    [[nodiscard]] std::string const& last() const { return last_; }

private:
    Log const&     log_;
    std::uint64_t& left_out_;
    LineBudget     budget_{per_second};
    std::string    last_;
    std::uint64_t  held_back_ = 0; ///< Lines since the last one that was logged.
};

} // namespace totora::inline v0
