// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/faults/snapshot_faults.hpp"

#include <cstdint>
#include <limits>
#include <new>

namespace totora::inline v0::simulate
{

/// Burdens on the process of a simulated server besides its disk, its network and its clock: work that takes its thread
/// time, memory that runs out, and a log that reports no room.
class Burdens
{
public:
    /// `time` and `counts` outlive it. Every command takes a machine so long.
    Burdens(LocalTime& time, FaultCounts& counts, std::uint64_t apply_us)
        : time_(time), counts_(counts), snapshots_(counts), apply_us_(apply_us)
    {}

    [[nodiscard]] SnapshotFaults& snapshots() { return snapshots_; }

    /// For a while every command takes a machine so much longer.
    void slow_apply(std::uint64_t extra_us, std::uint64_t until_us)
    {
        apply_extra_us_ = extra_us;
        apply_slow_until_us_ = until_us;
    }

    /// For a while the log reports room for so many bytes of entries only; or not even for its reserve.
    void limit_room(std::uint64_t bytes, bool has_reserve, std::uint64_t until_us)
    {
        room_bytes_ = bytes;
        has_reserve_ = has_reserve;
        room_limited_until_us_ = until_us;
    }

    [[nodiscard]] std::uint64_t local_us() const { return time_.local_us(); }
    [[nodiscard]] bool          is_room_limited() const { return time_.now_us() < room_limited_until_us_; }

    /// Whether there is no room for any entry.
    [[nodiscard]] bool has_no_room() const { return is_room_limited() and room_bytes_ == 0; }

    /// Whether a log may report room for so many bytes of entries, or for none that its reserve is there.
    [[nodiscard]] bool fits(std::uint64_t bytes) const
    {
        return not is_room_limited() or (has_reserve_ and bytes <= room_bytes_);
    }

    /// Memory runs out in the call of a policy of this number from now, counted from 1.
    void run_out_of_memory_in(std::uint64_t calls) { calls_left_ = calls; }

    /// A machine is about to apply so many commands: time passes on the node's thread.
    void apply(std::uint64_t commands)
    {
        auto each = apply_us_;
        if (time_.now_us() < apply_slow_until_us_) {
            each += apply_extra_us_;
            ++counts_[Fault::apply_slow];
        }
        time_.spend(commands * each);
    }

    /// Called first in every call of a policy.
    void call()
    {
        if (calls_left_ == never or --calls_left_ > 0)
            return;
        calls_left_ = never;
        ran_out_ = true;
        ++counts_[Fault::memory_ran_out];
        throw std::bad_alloc{};
    }

    /// A call of a machine, or of what it has captured, for a snapshot.
    void call(SnapshotCall which)
    {
        call();
        snapshots_.call(which);
    }

    /// A part of a snapshot, or all of it, is about to be written: so long it keeps the node's thread.
    void write_part() { time_.spend(write_part_us + apply_us_); }

    /// Whether memory ran out since the process began; with `snapshots().ran_out()` only for snapshots.
    [[nodiscard]] bool ran_out() const { return ran_out_; }

    /// A process begins, or all burdens end.
    void begin()
    {
        calls_left_ = never;
        ran_out_ = false;
        snapshots_.begin();
    }

    void heal()
    {
        calls_left_ = never;
        apply_slow_until_us_ = 0;
        room_limited_until_us_ = 0;
        snapshots_.heal();
    }

private:
    static constexpr auto write_part_us = std::uint64_t{100};
    static constexpr auto never = std::numeric_limits<std::uint64_t>::max();

    LocalTime&     time_;
    FaultCounts&   counts_;
    SnapshotFaults snapshots_;
    std::uint64_t  apply_us_;
    std::uint64_t  apply_extra_us_ = 0;
    std::uint64_t  apply_slow_until_us_ = 0;
    std::uint64_t  room_limited_until_us_ = 0;
    std::uint64_t  room_bytes_ = 0;
    bool           has_reserve_ = true;
    std::uint64_t  calls_left_ = never;
    bool           ran_out_ = false;
};

} // namespace totora::inline v0::simulate
