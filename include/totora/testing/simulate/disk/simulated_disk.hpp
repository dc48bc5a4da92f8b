// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"
#include "totora/testing/disk/disk_names.hpp"
#include "totora/testing/disk/forgetting_disk.hpp"
#include "totora/testing/disk/unsynced_file.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/faults/faults.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace totora::inline v0::simulate
{

/// Thrown from within the call of a file during which the power failed: not one instruction more is executed.
struct PowerFailed
{};

/// What a disk keeps of what was not synced when the power fails.
enum class Kept : std::uint8_t
{
    nothing,
    everything,
    some_sectors,
};

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

    // --- Faults -----------------------------------------------------------------------------------------------------

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

    /// How many more bytes all files together may have from now on.
    void limit_space(std::uint64_t more) { space_ = used_ + more; }
    void free_space() { space_ = never; }

    [[nodiscard]] bool is_space_limited() const { return space_ != never; }
    [[nodiscard]] bool is_limited() const { return is_space_limited() or failing_ != 0 or reads_are_slow(); }

    /// Disarms everything.
    void heal()
    {
        failing_ = 0;
        reads_slow_until_us_ = 0;
        keep_power();
        free_space();
    }

    /// From now on syncs report success and do nothing: what checkers must notice.
    void lie_about_syncs(bool lies) { lies_ = lies; }

    /// Whether the power has failed in a call and was not lost since (`lose_power`). A node lets no exception through:
    /// its caller checks here.
    [[nodiscard]] bool power_failed() const { return power_failed_; }

    /// Reads take the thread of `time` so long for a while.
    void slow_reads(LocalTime& time, std::uint64_t takes_us, std::uint64_t until_us)
    {
        reader_ = &time;
        read_takes_us_ = takes_us;
        reads_slow_until_us_ = until_us;
    }

    /// The calls that were made and the bytes that were written since the last call of this.
    struct Work
    {
        std::uint64_t calls = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] Work take_work() { return std::exchange(work_, {}); }

    /// How often a call was made to fail, or found no room.
    [[nodiscard]] std::uint64_t troubles() const { return troubles_; }

    /// Loses the power: the process that had files open must have ended.
    void lose_power(Kept kept, testing::Prng& random)
    {
        keep_power();
        power_failed_ = false;
        auto       sectors_kept = std::uint64_t{0};
        auto       sectors_lost = std::uint64_t{0};
        auto const keeps = [&](Node::Change const& change, std::size_t /*sector*/) {
            if (kept != Kept::some_sectors)
                return kept == Kept::everything;
            auto const is_kept = random.below(2) == 0;
            if (not change.resizes)
                ++(is_kept ? sectors_kept : sectors_lost);
            return is_kept;
        };
        for (auto const& file : names_.files())
            file->lose_power(keeps);
        if (sectors_kept > 0 and sectors_lost > 0)
            ++counts_[Fault::write_torn];
        names_.lose_power(kept == Kept::nothing      ? 0
                          : kept == Kept::everything ? names_.unsynced()
                                                     : random.below(names_.unsynced() + 1));
        used_ = 0;
        for (auto const& [name, file] : names())
            used_ += file->now().size();
    }

    [[nodiscard]] std::uint64_t used() const { return used_; } ///< Bytes of all files.

    /// A file disappears without having been removed.
    void drop(std::string const& name)
    {
        if (auto const file = names_.find(name))
            used_ -= file->now().size();
        names_.drop(name);
    }

    // --- What `DiskFiles` calls -------------------------------------------------------------------------------------

    using Handle = SimulatedDisk*;
    using Node = testing::UnsyncedFile;
    using Session = testing::AnySession;
    using Call = testing::PlainCall;

    [[nodiscard]] static Session session() { return {}; }
    [[nodiscard]] Call           begin(FileCall kind, std::string_view /*name*/, Session /*session*/)
    {
        return {begin_call(kind_of(kind))};
    }

    [[nodiscard]] FileError failure(int error, FileCall /*kind*/, std::string_view /*name*/)
    {
        troubles_ += error == ENOSPC ? 1U : 0U;
        return {error, error == ENOSPC ? "The simulated disk is full." : "The simulated disk failed."};
    }

    [[nodiscard]] std::uint64_t space_left() const { return space_ - std::min(space_, used_); }

    [[nodiscard]] testing::DiskNames::Names const& names() const { return names_.now(); }
    [[nodiscard]] std::shared_ptr<Node>            find(std::string_view name) const { return names_.find(name); }

    [[nodiscard]] std::shared_ptr<Node> create(std::string_view name)
    {
        auto file = std::make_shared<Node>();
        names_.create(name, file);
        return file;
    }

    void rename(std::string_view from, std::string_view to)
    {
        if (auto const replaced = names_.find(to))
            used_ -= replaced->now().size();
        names_.rename(from, to);
    }

    void remove(std::string_view name)
    {
        used_ -= names_.find(name)->now().size();
        names_.remove(name);
    }

    void sync_names()
    {
        if (not lies_)
            names_.sync();
    }

    void write(Node& file, std::string_view /*name*/, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        if (bytes.empty())
            return;
        work_.bytes += bytes.size();
        used_ -= file.now().size();
        file.write(static_cast<std::size_t>(offset), bytes);
        used_ += file.now().size();
    }

    void allocate(Node& file, std::string_view name, std::uint64_t size)
    {
        if (size > file.now().size())
            truncate(file, name, size);
    }

    void truncate(Node& file, std::string_view /*name*/, std::uint64_t size)
    {
        used_ += size;
        used_ -= file.now().size();
        file.resize(static_cast<std::size_t>(size));
    }

    [[nodiscard]] int sync(Node& file, std::string_view /*name*/, Call const& call)
    {
        if (not lies_)
            file.settle(call.error() == 0);
        return call.error();
    }

private:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] static constexpr unsigned bit_of(DiskCall call) { return 1U << static_cast<unsigned>(call); }

    [[nodiscard]] static constexpr DiskCall kind_of(FileCall call)
    {
        switch (call) {
        case FileCall::names:
        case FileCall::open:
        case FileCall::size:
            return DiskCall::other;
        case FileCall::read:
            return DiskCall::read;
        case FileCall::sync:
        case FileCall::sync_directory:
            return DiskCall::sync;
        default:
            return DiskCall::write;
        }
    }

    /// 0, or the `errno` to fail with.
    [[nodiscard]] int begin_call(DiskCall call)
    {
        if (power_failed_)
            throw PowerFailed{};
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

    FaultCounts&       counts_;
    testing::DiskNames names_;
    std::uint64_t      used_ = 0;
    std::uint64_t      space_ = never;
    std::uint64_t      calls_left_ = never;
    bool               power_failed_ = false;
    std::uint64_t      troubles_ = 0;
    LocalTime*         reader_ = nullptr;
    std::uint64_t      read_takes_us_ = 0;
    std::uint64_t      reads_slow_until_us_ = 0;
    Work               work_;
    unsigned           failing_ = 0; ///< A bit for each kind of call that fails next time.
    bool               power_fails_before_sync_ = false;
    bool               lies_ = false;
};

static_assert(testing::forgetting_disk<SimulatedDisk>);

} // namespace totora::inline v0::simulate
