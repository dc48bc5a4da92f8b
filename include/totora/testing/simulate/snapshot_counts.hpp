// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/status.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace totora::inline v0::simulate
{

/// What happened to snapshots in runs.
enum class SnapshotCount : std::uint8_t
{
    saved,               ///< One of a server's own became durable.
    saved_after_failure, ///< And was tried again for that.
    restored,            ///< A machine, in place of entries.
    restored_at_start,
    started_past_damage, ///< A start has found a damaged one, and did not need it.
    older_restored,      ///< An older one did in its place.
    start_refused,       ///< Since one was damaged.
    capture_failed,      ///< For want of memory.
    write_failed,        ///< For want of memory or space, or with the disk.
    receive_failed,
    read_failed,
    chunk_bytes_sent,
    chunk_bytes_stored,
};

inline constexpr std::string_view snapshot_count_names[] = {
    "snapshots_saved",
    "snapshots_saved_after_failure",
    "machines_restored",
    "machines_restored_at_start",
    "starts_past_damaged_snapshots",
    "older_snapshots_restored",
    "starts_refused_for_snapshots",
    "snapshot_captures_failed",
    "snapshot_writes_failed",
    "snapshot_receptions_failed",
    "snapshot_reads_failed",
    "chunk_bytes_sent",
    "chunk_bytes_stored",
};
inline constexpr std::size_t snapshot_count_kinds = static_cast<std::size_t>(SnapshotCount::chunk_bytes_stored) + 1;
static_assert(sizeof snapshot_count_names / sizeof *snapshot_count_names == snapshot_count_kinds);

[[nodiscard]] constexpr std::string_view to_string(SnapshotCount what)
{
    return snapshot_count_names[static_cast<std::size_t>(what)];
}

/// That a step failed.
[[nodiscard]] constexpr SnapshotCount count_of_failed(SnapshotStep step)
{
    constexpr auto first = static_cast<std::size_t>(SnapshotCount::capture_failed);
    return static_cast<SnapshotCount>(first + static_cast<std::size_t>(step));
}

/// How often each happened.
class SnapshotCounts
{
public:
    [[nodiscard]] constexpr std::uint64_t& operator[](SnapshotCount what)
    {
        return numbers_[static_cast<std::size_t>(what)];
    }

    constexpr SnapshotCounts& operator+=(SnapshotCounts const& other)
    {
        for (auto kind = std::size_t{0}; kind < snapshot_count_kinds; ++kind)
            numbers_[kind] += other.numbers_[kind];
        return *this;
    }

    template <typename Visit>
    constexpr void for_each(Visit visit) const
    {
        for (auto kind = std::size_t{0}; kind < snapshot_count_kinds; ++kind)
            visit(static_cast<SnapshotCount>(kind), numbers_[kind]);
    }

private:
    std::array<std::uint64_t, snapshot_count_kinds> numbers_{};
};

} // namespace totora::inline v0::simulate
