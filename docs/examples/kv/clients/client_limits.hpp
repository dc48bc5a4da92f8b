// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <sys/resource.h>

namespace kv
{

/// What this process may have.
struct ProcessLimits
{
    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

    std::uint64_t descriptors = none;
    std::uint64_t memory_bytes = none;
};

/// What all clients of a server may have together.
struct ClientLimits
{
    std::size_t connections = 10'000;
    std::size_t memory_bytes = std::size_t{256} << 20U;

    friend constexpr bool operator==(ClientLimits const&, ClientLimits const&) = default;
};

/// The file descriptors that clients leave to peers, to the files of the log and to the process itself.
inline constexpr std::size_t descriptors_reserved = 256;

/// What a server of a small cluster needs of them to be one at all: it has 18 open when nobody has come yet.
inline constexpr std::size_t descriptors_needed = 32;

/// As much of what is wanted as the process may have. Where there are few descriptors, half of them are reserved, and
/// what is needed even if that leaves a single client; and clients get a quarter of the memory, most of which is the data's.
[[nodiscard]] constexpr ClientLimits within(ProcessLimits const& process, ClientLimits const& wanted)
{
    auto const half = std::max<std::uint64_t>(process.descriptors / 2, descriptors_needed);
    auto const reserved = std::min<std::uint64_t>(descriptors_reserved, half);
    auto const connections = std::max(process.descriptors, reserved + 1) - reserved;
    return {static_cast<std::size_t>(std::min<std::uint64_t>(wanted.connections, connections)),
            static_cast<std::size_t>(std::min<std::uint64_t>(wanted.memory_bytes, process.memory_bytes / 4))};
}

/// Allows this process as many descriptors as `wanted` needs, if it may. The result is what it may have.
[[nodiscard]] inline ProcessLimits take_process_limits(ClientLimits const& wanted)
{
    auto       limits = ProcessLimits{};
    auto       files = rlimit{};
    auto const needed = static_cast<rlim_t>(wanted.connections + descriptors_reserved);
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        auto more = files;
        more.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, needed));
        if (::setrlimit(RLIMIT_NOFILE, &more) == 0)
            files = more;
        if (files.rlim_cur != RLIM_INFINITY)
            limits.descriptors = files.rlim_cur;
    }
    for (auto const resource : {RLIMIT_AS, RLIMIT_DATA}) {
        auto memory = rlimit{};
        if (::getrlimit(resource, &memory) == 0 and memory.rlim_cur != RLIM_INFINITY)
            limits.memory_bytes = std::min<std::uint64_t>(limits.memory_bytes, memory.rlim_cur);
    }
    return limits;
}

} // namespace kv
