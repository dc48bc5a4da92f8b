// SPDX-License-Identifier: BSL-1.0
#pragma once

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
    explicit TransferPace(std::uint64_t bytes_per_second) : bytes_per_second_(std::min(bytes_per_second, rate_max)) {}

    void refill(std::uint64_t now_ms)
    {
        auto const elapsed_ms = std::min<std::uint64_t>(now_ms - std::min(now_ms, last_ms_), kept_ms);
        last_ms_ = now_ms;
        thousandths_ += bytes_per_second_ * elapsed_ms;
        auto const more = thousandths_ / 1000;
        thousandths_ %= 1000;
        auto const paid = std::min(debt_, more);
        debt_ -= paid;
        left_ = std::min(left_ + (more - paid), bytes_per_second_ * kept_ms / 1000 + 1);
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
    static constexpr std::uint64_t rate_max = std::uint64_t{1} << 50U; ///< A petabyte; so that nothing below wraps.

    std::uint64_t bytes_per_second_;
    std::uint64_t last_ms_ = 0;
    std::uint64_t thousandths_ = 0; ///< Of a byte.
    std::uint64_t left_ = 0;
    std::uint64_t debt_ = 0; ///< Bytes that were sent beyond what was left.
};

} // namespace totora::inline v0
