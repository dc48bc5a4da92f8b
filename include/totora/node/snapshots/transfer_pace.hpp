// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstdint>

namespace totora::inline v0
{

/// How many bytes of snapshots may leave now, of so many in a second. What was not used is kept for a second: a leader has a turn
/// with every heartbeat at the latest.
class TransferPace
{
public:
    /// 0 for no limit.
    explicit TransferPace(std::uint64_t bytes_per_second) : bytes_per_second_(std::min(bytes_per_second, number_max)) {}

    void refill(std::uint64_t now_ms)
    {
        auto const elapsed_ms = std::min<std::uint64_t>(now_ms - std::min(now_ms, last_ms_), kept_ms);
        auto const more = bytes_in(elapsed_ms);
        if (more == 0 and elapsed_ms < kept_ms)
            return; // Less than a byte.
        last_ms_ = now_ms;
        auto const paid = std::min(debt_, more);
        debt_ -= paid;
        left_ = std::min(left_ + (more - paid), bytes_in(kept_ms) + 1);
    }

    [[nodiscard]] bool allows() const { return bytes_per_second_ == 0 or left_ > 0; }

    /// A chunk may be larger than what is left; then more time passes before the next.
    void spend(std::uint64_t bytes)
    {
        auto const paid = std::min(left_, bytes);
        left_ -= paid;
        debt_ += bytes - paid;
    }

private:
    static constexpr std::uint64_t kept_ms = 1000;

    [[nodiscard]] std::uint64_t bytes_in(std::uint64_t ms) const
    {
        return bytes_per_second_ / 1000 * ms + bytes_per_second_ % 1000 * ms / 1000;
    }

    std::uint64_t bytes_per_second_;
    std::uint64_t last_ms_ = 0;
    std::uint64_t left_ = 0;
    std::uint64_t debt_ = 0; ///< Bytes that were sent beyond what was left.
};

} // namespace totora::inline v0
