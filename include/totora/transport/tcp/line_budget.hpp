// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>

namespace totora::inline v0
{

/// How many lines may be logged in a second: quick repetitions must neither bury the rest nor cost much.
class LineBudget
{
public:
    using Moment = std::chrono::steady_clock::time_point;

    explicit LineBudget(std::size_t per_second) : per_second_(per_second) {}

    /// Whether one more line may be logged now; it then counts.
    [[nodiscard]] bool take(Moment now)
    {
        if (not is_over(now))
            return used_ < per_second_ and ++used_ > 0;
        began_ = now;
        used_ = 1;
        return per_second_ > 0;
    }

    /// When the next second begins.
    [[nodiscard]] Moment next() const { return began_ + std::chrono::seconds{1}; }

private:
    /// Whether the second is over. That of an unused budget is: the epoch of the clock may be a moment ago.
    [[nodiscard]] bool is_over(Moment now) const { return used_ == 0 or now >= next(); }

    std::size_t per_second_;
    std::size_t used_ = 0; ///< Of the second that began at `began_`.
    Moment      began_{};
};

} // namespace totora::inline v0
