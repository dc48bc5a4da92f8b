// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace totora
{

/// Tells the operator about one thing, and repeats itself only when something else was to be told of it in between.
class SentenceLog
{
public:
    using Log = std::function<void(std::string_view)>;

    /// `log` may be empty.
    explicit SentenceLog(Log const& log) : log_(log) {}

    void tell(std::string sentence)
    {
        if (last_ == sentence)
            return;
        last_ = std::move(sentence);
        if (log_)
            log_(last_);
    }

    /// What was told last; empty if nothing was.
    [[nodiscard]] std::string const& last() const { return last_; }

private:
    Log const&  log_;
    std::string last_;
};

} // namespace totora
