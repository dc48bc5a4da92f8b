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

/// Tells the operator about one thing. Repeats itself only when something else was to be told of it in between, and tells no
/// more than `per_second` sentences in a second: of what comes faster the newest is kept, and told with the number of those
/// that were left out.
class RepeatFilter
{
public:
    using Log = std::function<void(std::string_view)>;
    using Moment = LineBudget::Moment;

    static constexpr std::size_t per_second = 5;

    /// `log` may be empty; `left_out` counts the sentences that are not told.
    RepeatFilter(Log const& log, std::uint64_t& left_out) : log_(log), left_out_(left_out) {}

    void tell(std::string sentence, Moment now = std::chrono::steady_clock::now())
    {
        if (last_ == sentence)
            return;
        last_ = std::move(sentence);
        if (held_back_ == 0 and budget_.take(now)) {
            if (log_)
                log_(last_);
            return;
        }
        left_out_ += held_back_ > 0 ? 1U : 0U;
        ++held_back_;
    }

    /// Tells what was held back, once there is room for it. To be called again and again.
    void catch_up(Moment now = std::chrono::steady_clock::now())
    {
        if (held_back_ == 0 or not budget_.take(now))
            return;
        auto const others = std::exchange(held_back_, 0) - 1;
        if (log_)
            log_(others == 0 ? last_ : last_ + " (" + std::to_string(others) + " sentences before it were left out)");
    }

    /// What was told last; empty if nothing was.
    [[nodiscard]] std::string const& last() const { return last_; }

private:
    Log const&     log_;
    std::uint64_t& left_out_;
    LineBudget     budget_{per_second};
    std::string    last_;
    std::uint64_t  held_back_ = 0; ///< Sentences since the last one that was told.
};

} // namespace totora::inline v0
