// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/faults/faults.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// The phases in which the loss of power finds the snapshots of a server.
enum class SnapshotPhase : std::uint8_t
{
    writing,         ///< One of its own.
    finishing,       ///< All of it is written, and it is not known to be durable.
    before_boundary, ///< It is durable, and the log is to be compacted by it.
    receiving,       ///< Chunks of another server's.
    installing,      ///< It is to take the place of the log.
    before_restore,  ///< It has, and the machine was not restored.
};

inline constexpr std::size_t snapshot_phases = 6;

/// Calls of a machine for which memory may run out.
enum class SnapshotCall : std::uint8_t
{
    capture,
    write,
    restore,
};

[[nodiscard]] constexpr Fault fault_of(SnapshotPhase phase)
{
    constexpr auto first = static_cast<unsigned>(Fault::power_lost_writing_snapshot);
    return static_cast<Fault>(first + static_cast<unsigned>(phase));
}

[[nodiscard]] constexpr SnapshotPhase phase_of(Fault fault)
{
    constexpr auto first = static_cast<unsigned>(Fault::power_lost_writing_snapshot);
    return static_cast<SnapshotPhase>(static_cast<unsigned>(fault) - first);
}

[[nodiscard]] constexpr Fault fault_of(SnapshotCall call)
{
    constexpr auto first = static_cast<unsigned>(Fault::memory_ran_out_capturing);
    return static_cast<Fault>(first + static_cast<unsigned>(call));
}

[[nodiscard]] constexpr SnapshotCall call_of(Fault fault)
{
    constexpr auto first = static_cast<unsigned>(Fault::memory_ran_out_capturing);
    return static_cast<SnapshotCall>(static_cast<unsigned>(fault) - first);
}

/// What goes wrong with the snapshots of one server: it is armed, and happens when the moment for it has come. It follows what the log
/// and the machine are called for.
class SnapshotFaults
{
public:
    explicit SnapshotFaults(FaultCounts& counts) : counts_(counts) {}

    /// The disk that is filled, or during whose calls the power fails; it outlives this.
    void belong_to(SimulatedDisk& disk) { disk_ = &disk; }

    // --- What is planned --------------------------------------------------------------------------------------------

    /// The power fails in this phase, with one of the next calls of the disk or before the next sync.
    void lose_power_in(SnapshotPhase phase, testing::Prng& random)
    {
        armed_ = phase;
        calls_ = random.below(3) == 0 ? 0 : random.between(1, 5);
    }

    /// The disk is full, but for so many bytes, as soon as a snapshot is written or received, until it is freed.
    void fill_disk(std::uint64_t bytes_left) { bytes_left_ = bytes_left; }
    void free_disk() { bytes_left_.reset(); }

    /// Memory runs out in the next call of this kind.
    void run_out_of_memory_in(SnapshotCall call) { out_of_memory_[static_cast<std::size_t>(call)] = true; }

    void heal()
    {
        armed_.reset();
        bytes_left_.reset();
        out_of_memory_ = {};
    }

    // --- What happens -----------------------------------------------------------------------------------------------

    void enter(SnapshotPhase phase)
    {
        active_[static_cast<std::size_t>(phase)] = true;
        if (armed_ == phase) {
            armed_.reset();
            if (calls_ == 0)
                disk_->cut_power_before_sync();
            else
                disk_->cut_power_in(calls_);
        }
        if (bytes_left_ and (phase == SnapshotPhase::writing or phase == SnapshotPhase::receiving))
            disk_->limit_space(*std::exchange(bytes_left_, std::nullopt));
    }

    void leave(SnapshotPhase phase) { active_[static_cast<std::size_t>(phase)] = false; }

    /// A machine is called: throws if memory runs out.
    void call(SnapshotCall call)
    {
        if (not std::exchange(out_of_memory_[static_cast<std::size_t>(call)], false))
            return;
        ++counts_[fault_of(call)];
        ran_out_ = true;
        throw std::bad_alloc{};
    }

    /// A snapshot could not be stored: counted if that was for want of space.
    void failed_to_store() { counts_[Fault::snapshot_disk_full] += disk_->is_space_limited() ? 1U : 0U; }

    /// Whether memory ran out in a call of a machine since the process began.
    [[nodiscard]] bool ran_out() const { return ran_out_; }

    /// A process begins.
    void begin()
    {
        active_ = {};
        ran_out_ = false;
    }

    /// Counts the phases in which a loss of power found it.
    void power_lost()
    {
        for (auto phase = std::size_t{0}; phase < snapshot_phases; ++phase)
            counts_[fault_of(static_cast<SnapshotPhase>(phase))] += active_[phase] ? 1U : 0U;
        active_ = {};
    }

private:
    SimulatedDisk*                    disk_ = nullptr;
    FaultCounts&                      counts_;
    std::array<bool, snapshot_phases> active_{};
    std::optional<SnapshotPhase>      armed_;
    std::uint64_t                     calls_ = 0; ///< Of the disk, until the power fails; 0: before the next sync.
    std::optional<std::uint64_t>      bytes_left_;
    std::array<bool, 3>               out_of_memory_{}; ///< By call.
    bool                              ran_out_ = false;
};

} // namespace totora::inline v0::simulate
