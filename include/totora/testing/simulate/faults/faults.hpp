// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0::simulate
{

/// What can go wrong around a cluster. Each kind is counted where it takes effect.
enum class Fault : std::uint8_t
{
    // Of single messages; each message is drawn for.
    message_lost,
    message_repeated,
    message_reordered, ///< Later ones overtake it.
    message_delayed,   ///< Past election timeouts.
    message_flipped,   ///< One to three bits.
    // Of the network, for a while.
    isolate_one,
    split_in_halves,
    one_way,
    bridge, ///< Two halves that only one server connects.
    ring,   ///< Every server reaches two neighbours only.
    flapping_link,
    queue_full,   ///< The transport reports it, and takes no entries.
    link_slow,    ///< Bytes take longer.
    bulk_stopped, ///< Heartbeats pass, and entries do not: a leader's links to all others, or one of them.
    link_full,    ///< More waits for a link than its queue takes: a frame is dropped.
    // Of a server.
    power_lost,             ///< What is not synced is gone, kept, or kept by sectors.
    power_lost_in_a_call,   ///< Between any two calls of files.
    power_lost_in_recovery, ///< Or while the log is opened.
    power_lost_everywhere,
    write_torn, ///< A write of which some sectors are on the disk and some are not.
    process_killed,
    stopped_cleanly,
    paused,
    apply_slow,      ///< Every command takes a machine time.
    memory_ran_out,  ///< `std::bad_alloc` from any call.
    other_members,   ///< A server of another cluster is at its address.
    hostile_message, ///< What no correct server can send arrives.
    // Of a disk.
    disk_slow, ///< Every byte and every call takes longer.
    read_slow, ///< The node waits for what it reads.
    sync_slow,
    sync_hangs,
    leader_disk_hangs, ///< A sync of a leader takes many election timeouts.
    write_failed,
    sync_failed,
    read_failed,
    disk_full,
    disk_freed,
    log_full, ///< The log reports no room, or not even its reserve: one server, some or all.
    bit_rot,
    file_lost,
    file_set_back, ///< It is as it was before the last of its writes.
    // Of a clock.
    clock_drifts,
    clock_jumps, ///< Forward.
    clock_stands_still,
    // Of snapshots; in the order of `SnapshotPhase`.
    power_lost_writing_snapshot,
    power_lost_finishing_snapshot,
    power_lost_before_boundary, ///< The snapshot is durable, and the log's compaction by it is not.
    power_lost_receiving_snapshot,
    power_lost_installing_snapshot,
    power_lost_before_restore, ///< The log begins after a received snapshot, and the machine lacks it.
    snapshot_disk_full,        ///< One could not be stored for want of space.
    memory_ran_out_capturing,
    memory_ran_out_writing,
    memory_ran_out_restoring,
    snapshot_rot,       ///< Bits of one change, it disappears, or is as it was before.
    server_left_behind, ///< A process starts, and others' logs begin after the end of its own.
    // What operators do.
    members_changed,  ///< A leader is asked for other members.
    change_cancelled, ///< It is asked to take that back.
    lead_transferred, ///< It is asked to hand over, to some server or any.
    campaigned,       ///< A server campaigns by hand.
    directory_lost,   ///< A member comes back with an empty disk, in another life, and waits to be let in.
};

inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(Fault::directory_lost) + 1;

/// The names of faults, in their order.
inline constexpr std::string_view fault_names[] = {
    "message_lost",
    "message_repeated",
    "message_reordered",
    "message_delayed",
    "message_flipped",
    "isolate_one",
    "split_in_halves",
    "one_way",
    "bridge",
    "ring",
    "flapping_link",
    "queue_full",
    "link_slow",
    "bulk_stopped",
    "link_full",
    "power_lost",
    "power_lost_in_a_call",
    "power_lost_in_recovery",
    "power_lost_everywhere",
    "write_torn",
    "process_killed",
    "stopped_cleanly",
    "paused",
    "apply_slow",
    "memory_ran_out",
    "other_members",
    "hostile_message",
    "disk_slow",
    "read_slow",
    "sync_slow",
    "sync_hangs",
    "leader_disk_hangs",
    "write_failed",
    "sync_failed",
    "read_failed",
    "disk_full",
    "disk_freed",
    "log_full",
    "bit_rot",
    "file_lost",
    "file_set_back",
    "clock_drifts",
    "clock_jumps",
    "clock_stands_still",
    "power_lost_writing_snapshot",
    "power_lost_finishing_snapshot",
    "power_lost_before_boundary",
    "power_lost_receiving_snapshot",
    "power_lost_installing_snapshot",
    "power_lost_before_restore",
    "snapshot_disk_full",
    "memory_ran_out_capturing",
    "memory_ran_out_writing",
    "memory_ran_out_restoring",
    "snapshot_rot",
    "server_left_behind",
    "members_changed",
    "change_cancelled",
    "lead_transferred",
    "campaigned",
    "directory_lost",
};
static_assert(sizeof fault_names / sizeof *fault_names == fault_kinds);

/// The name of a fault, as it is counted and as `--without` takes it.
[[nodiscard]] constexpr std::string_view to_string(Fault fault) { return fault_names[static_cast<std::size_t>(fault)]; }

[[nodiscard]] constexpr std::optional<Fault> fault_of(std::string_view name)
{
    for (auto kind = std::size_t{0}; kind < fault_kinds; ++kind)
        if (to_string(static_cast<Fault>(kind)) == name)
            return static_cast<Fault>(kind);
    return std::nullopt;
}

/// A number for each kind of fault: how often it happened, or how likely it is.
template <typename Number>
class PerFault
{
public:
    [[nodiscard]] constexpr Number&       operator[](Fault fault) { return numbers_[static_cast<std::size_t>(fault)]; }
    [[nodiscard]] constexpr Number const& operator[](Fault fault) const
    {
        return numbers_[static_cast<std::size_t>(fault)];
    }

    constexpr PerFault& operator+=(PerFault const& other)
    {
        for (auto kind = std::size_t{0}; kind < fault_kinds; ++kind)
            numbers_[kind] += other.numbers_[kind];
        return *this;
    }

private:
    std::array<Number, fault_kinds> numbers_{};
};

using FaultCounts = PerFault<std::uint64_t>;

} // namespace totora::inline v0::simulate
