// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/disk_names.hpp"
#include "totora/testing/simulate/disk/simulated_file.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/faults/faults.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// Thrown from within the call of a file during which the power failed: not one instruction more is executed.
struct PowerFailed
{};

/// The calls of a file that can be made to fail.
enum class DiskCall : std::uint8_t
{
    write,
    sync,
    read,
    other,
};

/// One directory on a disk that forgets what was not synced when the power is cut: bytes, sizes and names. As
/// `ForgetfulDisk`, without locks and copies: for one thread, and quick. `DiskFiles` is what a log sees.
class SimulatedDisk
{
public:
    explicit SimulatedDisk(FaultCounts& counts) : counts_(counts) {}
    SimulatedDisk(SimulatedDisk const&) = delete;
    SimulatedDisk& operator=(SimulatedDisk const&) = delete;

    // --- What goes wrong --------------------------------------------------------------------------------------------

    /// The power fails during the call of this number from now, counted from 1; or between the next writes and their sync.
    void cut_power_in(std::uint64_t calls) { calls_left_ = calls; }
    void cut_power_before_sync() { power_fails_before_sync_ = true; }

    void keep_power()
    {
        calls_left_ = never;
        power_fails_before_sync_ = false;
    }

    /// The next call of this kind fails, once.
    void fail_next(DiskCall call) { failing_ |= bit_of(call); }

    /// How many bytes more all files together may have from now on.
    void limit_space(std::uint64_t more) { space_ = used_ + more; }
    void free_space() { space_ = never; }

    [[nodiscard]] bool is_limited() const { return space_ != never or failing_ != 0 or reads_are_slow(); }

    /// Nothing is armed any more.
    void heal()
    {
        failing_ = 0;
        reads_slow_until_us_ = 0;
        keep_power();
        free_space();
    }

    /// From now on syncs say that they succeeded and do nothing: what checkers must notice.
    void lie_about_syncs(bool lies) { lies_ = lies; }

    /// Whether the power has failed in a call and was not lost since (`lose_power`). A node lets no exception through: its
    /// caller asks here.
    [[nodiscard]] bool power_failed() const { return power_failed_; }

    /// Reads take the thread of `time` so long for a while.
    void slow_reads(LocalTime& time, std::uint64_t takes_us, std::uint64_t until_us)
    {
        reader_ = &time;
        read_takes_us_ = takes_us;
        reads_slow_until_us_ = until_us;
    }

    /// The calls that were made and the bytes that were written since it was asked last.
    struct Work
    {
        std::uint64_t calls = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] Work take_work() { return std::exchange(work_, {}); }

    /// How often a call was made to fail, or found no room.
    [[nodiscard]] std::uint64_t troubles() const { return troubles_; }

    /// Loses the power: the process that had files open must be gone.
    void lose_power(Kept kept, testing::Prng& random)
    {
        keep_power();
        power_failed_ = false;
        auto sectors = SectorCounts{};
        for (auto const& file : names_.files())
            file->lose_power(kept, random, sectors);
        if (sectors.kept > 0 and sectors.lost > 0)
            ++counts_[Fault::write_torn];
        names_.lose_power(kept, random);
        used_ = 0;
        for (auto const& [name, file] : names())
            used_ += file->now().size();
    }

    [[nodiscard]] DiskNames::Names const& names() const { return names_.now(); }
    [[nodiscard]] std::uint64_t           used() const { return used_; } ///< Bytes of all files.

    /// A file is not there any more, and was never removed.
    void drop(std::string const& name)
    {
        if (auto const file = names_.find(name))
            used_ -= file->now().size();
        names_.drop(name);
    }

private:
    friend class DiskFiles;

    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] static constexpr unsigned bit_of(DiskCall call) { return 1U << static_cast<unsigned>(call); }

    /// Every call begins with it: 0, or the `errno` to fail with.
    [[nodiscard]] int begin_call(DiskCall call)
    {
        if ((calls_left_ != never and --calls_left_ == 0) or (power_fails_before_sync_ and call == DiskCall::sync)) {
            keep_power();
            power_failed_ = true;
            throw PowerFailed{};
        }
        ++work_.calls;
        if (call == DiskCall::read and reads_are_slow()) {
            reader_->spend(read_takes_us_);
            ++counts_[Fault::read_slow];
        }
        if ((failing_ & bit_of(call)) == 0)
            return 0;
        failing_ &= ~bit_of(call);
        ++troubles_;
        ++counts_[call == DiskCall::write  ? Fault::write_failed
                  : call == DiskCall::sync ? Fault::sync_failed
                                           : Fault::read_failed];
        return EIO;
    }

    [[nodiscard]] bool reads_are_slow() const
    {
        return reader_ != nullptr and reader_->now_us() < reads_slow_until_us_;
    }

    [[nodiscard]] std::uint64_t space_left() const { return space_ - std::min(space_, used_); }

    void resize(SimulatedFile& file, std::size_t size)
    {
        used_ += size;
        used_ -= file.now().size();
        file.resize(size);
    }

    void write(SimulatedFile& file, std::size_t offset, std::span<std::byte const> bytes)
    {
        work_.bytes += bytes.size();
        used_ -= file.now().size();
        file.write(offset, bytes);
        used_ += file.now().size();
    }

    void settle(SimulatedFile& file, bool synced)
    {
        if (not lies_)
            file.settle(synced);
    }

    void sync_names()
    {
        if (not lies_)
            names_.sync();
    }

    FaultCounts&           counts_;
    DiskNames              names_;
    std::vector<std::byte> gathered_; ///< By the write under way; kept to be used again.
    std::uint64_t          used_ = 0;
    std::uint64_t          space_ = never;
    std::uint64_t          calls_left_ = never;
    bool                   power_failed_ = false;
    std::uint64_t          troubles_ = 0;
    LocalTime*             reader_ = nullptr;
    std::uint64_t          read_takes_us_ = 0;
    std::uint64_t          reads_slow_until_us_ = 0;
    Work                   work_;
    unsigned               failing_ = 0; ///< A bit for each kind of call that fails next time.
    bool                   power_fails_before_sync_ = false;
    bool                   lies_ = false;
};

} // namespace totora::inline v0::simulate
