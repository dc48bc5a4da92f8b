// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace totora::inline v0::simulate
{

/// What a simulation plans for later.
enum class TimerKind : std::uint8_t
{
    arrival,
    wake,
    sync,
    client,
    start,
    resume,
    go_on,      ///< A thread has finished what it was busy with.
    mend,       ///< A partition ends.
    flap,       ///< A link that flaps is cut, or mended.
    open_link,  ///< The queue to a server takes entries again.
    frame_sent, ///< A link that takes time for bytes has sent a frame.
    link_filled,
    link_drained,
    own_members, ///< A server is that of its cluster again.
    true_time,   ///< A clock's fault ends.
    free_disk,
};

/// A timer, and its owner.
struct PlannedTimer
{
    TimerKind     what{};
    std::uint32_t stamp =
        0; ///< The life of a process, the number of a sync, the visit of a client; the life of a link; how often to flap.
    std::size_t at = 0; ///< A server, a client, a frame or a partition.
};

} // namespace totora::inline v0::simulate
