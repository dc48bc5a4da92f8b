// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// Detects a connection on which nothing arrives any more, as opposed to one that is slow or idle.
///
/// Only the other side's acknowledgements distinguish a slow wire from a broken one: the system takes more only once
/// half of what it holds has left, which may exceed any timeout. Where the system does not report them, the bytes it
/// takes are used instead.
class StallWatch
{
public:
    using Time = std::chrono::steady_clock::time_point;

    /// The system took so many bytes more.
    void took(std::size_t count) { taken_ += count; }

    /// Looks at how many bytes are not acknowledged (nothing: the system does not report it), and at whether the system
    /// takes no more. Returns for how long nothing has arrived of what is in flight.
    ///
    /// That time begins with a look, never between two: a process that was suspended in between may have sent only just
    /// now.
    [[nodiscard]] Time::duration look(Time now, std::optional<std::uint64_t> unacknowledged, bool takes_no_more)
    {
        auto const is_any = unacknowledged ? *unacknowledged > 0 : takes_no_more;
        auto const arrived = taken_ - std::min(taken_, unacknowledged.value_or(0));
        if (not is_any or arrived > arrived_)
            since_.reset();
        else if (not since_)
            since_ = now;
        arrived_ = std::max(arrived_, arrived);
        return since_ ? now - *since_ : Time::duration{};
    }

private:
    std::uint64_t       taken_ = 0;
    std::uint64_t       arrived_ = 0; ///< At the last look.
    std::optional<Time> since_; ///< The first look of the present row that found bytes in flight, and none arrived.
};

} // namespace totora::inline v0
