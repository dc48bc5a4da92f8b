// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/segmented_log_options.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace kv
{

/// Reports how far a log is read at the start, now and then; nothing for a short one.
class ReadingProgress
{
public:
    using Time = std::chrono::steady_clock::time_point;

    static constexpr auto interval = std::chrono::seconds{1};

    explicit ReadingProgress(Time began) : reported_(began) {}

    /// The line that is due, if one is.
    [[nodiscard]] std::optional<std::string> line(totora::RecoveryProgress const& progress, Time now)
    {
        if (now - reported_ < interval)
            return std::nullopt;
        reported_ = now;
        return "reads its log: " + std::to_string(progress.bytes >> 20U) + " of " +
               std::to_string(progress.bytes_total >> 20U) + " MiB, through index " +
               std::to_string(progress.last.value);
    }

private:
    Time reported_;
};

} // namespace kv
