// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// How many bytes of bulk have surely arrived over one connection: those that the operating system has taken, less
/// those that the other side has not acknowledged, all of which may be bulk. The system takes them in large portions,
/// seconds apart on a slow wire.
///
/// Invariant: `arrived` never falls and is at most what was taken.
class BulkProgress
{
public:
    /// The system took so many bytes of bulk more.
    void took(std::uint64_t bytes) { taken_ += bytes; }

    /// Looks at how many bytes are not acknowledged (nothing: the system does not report it).
    void look(std::optional<std::uint64_t> unacknowledged)
    {
        auto const missing = std::min(taken_, unacknowledged.value_or(0));
        arrived_ = std::max(arrived_, taken_ - missing);
    }

    [[nodiscard]] std::uint64_t arrived() const { return arrived_; }

private:
    std::uint64_t taken_ = 0;
    std::uint64_t arrived_ = 0;
};

} // namespace totora::inline v0
