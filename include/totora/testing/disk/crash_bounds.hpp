// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace totora::inline v0::conformance
{

/// How far the crashes of a log are explored.
struct CrashBounds
{
    std::uint64_t lives = 4;              ///< Starts of the log in one workload.
    std::uint64_t steps = 60;             ///< Writes and syncs in one life.
    std::size_t   payload_max = 200;      ///< Of an entry, in bytes.
    std::uint64_t images_per_call = 1024; ///< All images up to this number; a sample of so many if there are more.
    std::uint64_t deep_every = 64;        ///< One image in so many is crashed again at every call of its recovery.
    std::uint64_t deep_images = 16;       ///< Images of each of those calls, in the same way.
    std::uint64_t full_every = 5;         ///< One image in so many is recovered on a disk that is full, or nearly.
    std::uint64_t images_max = 20'000;    ///< That are recovered in one workload; then it ends.
};

/// Counts of an exploration.
struct CrashFigures
{
    std::uint64_t workloads = 0;
    std::uint64_t points = 0;          ///< Moments at which the power failed while a workload ran.
    std::uint64_t points_sampled = 0;  ///< Those with more images than were visited.
    std::uint64_t again_points = 0;    ///< Moments at which it failed again, in a recovery or after one.
    std::uint64_t again_sampled = 0;   ///< Those with more images than were visited.
    std::uint64_t images = 0;          ///< Visited, many of them several times.
    std::uint64_t distinct_images = 0; ///< By the hash of names and bytes.
    std::uint64_t recoveries = 0;      ///< Logs that were opened on an image.
    std::uint64_t torn_tails = 0;      ///< Recoveries that reported one.
    std::uint64_t faults = 0;          ///< Calls that were made to fail, before or between the crashes.
    std::uint64_t full = 0;            ///< Recoveries on a full disk.
    std::uint64_t too_full = 0;        ///< Those of them that needed space, and were repeated when there was some.
    std::uint64_t recycled = 0;        ///< Times that a workload wrote to a file again under another name.
    std::uint64_t images_recycled = 0; ///< Distinct images after the first of those in their workload.
    std::uint64_t snapshots = 0;       ///< Reported durable, or removed again.
    std::uint64_t compactions = 0;
    std::uint64_t installs = 0;
};

} // namespace totora::inline v0::conformance
