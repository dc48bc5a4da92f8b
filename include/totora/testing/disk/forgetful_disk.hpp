// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"
#include "totora/testing/disk/disk_names.hpp"
#include "totora/testing/disk/forgetting_disk.hpp"
#include "totora/testing/disk/unsynced_file.hpp"

#include <range/v3/algorithm/sort.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// What survives a power loss of what was not synced.
struct PowerLoss
{
    /// Whether a sector of 512 bytes of an unsynced change survives: the change's position in `ForgetfulDisk::unsynced()`,
    /// and the sector's position in the change. Without it nothing does.
    std::function<bool(std::size_t change, std::size_t sector)> keeps;
    /// How many unsynced changes of names survive, the oldest first.
    std::size_t names_kept = 0;
};

/// A disk in memory that forgets what was not synced when the power is cut: bytes, sizes and names.
///
/// A test reads which changes are not synced, cuts the power with any of their sectors kept, flips bits, limits the
/// space, and fails or holds any call. `ForgetfulFiles` is the directory that a log sees. May be used from two threads.
class ForgetfulDisk
{
public:
    using Change = testing::UnsyncedFile::Change;

    /// An independent copy, with no interference.
    [[nodiscard]] std::shared_ptr<ForgetfulDisk> clone() const
    {
        auto const lock = std::lock_guard{mutex_};
        auto       copy = std::make_shared<ForgetfulDisk>();
        copy->names_ = names_.clone();
        copy->changes_ = changes_;
        return copy;
    }

    /// The changes that a power loss now could undo, in the order of the calls.
    [[nodiscard]] std::vector<Change> unsynced() const
    {
        auto const lock = std::lock_guard{mutex_};
        auto       all = std::vector<Change>{};
        for (auto const& file : names_.files())
            all.insert(all.end(), file->unsynced().begin(), file->unsynced().end());
        ranges::sort(all, {}, &Change::number);
        return all;
    }

    [[nodiscard]] std::size_t unsynced_names() const
    {
        auto const lock = std::lock_guard{mutex_};
        return names_.unsynced();
    }

    /// Cuts the power and brings it back. Files that are open are dead afterwards.
    void lose_power(PowerLoss const& loss = {})
    {
        auto const changes = unsynced();
        auto const lock = std::lock_guard{mutex_};
        auto       positions = std::map<std::uint64_t, std::size_t>{};
        for (auto const& change : changes)
            positions.emplace(change.number, positions.size());
        for (auto const& file : names_.files())
            file->lose_power([&](Change const& change, std::size_t sector) {
                return loss.keeps and loss.keeps(positions[change.number], sector);
            });
        names_.lose_power(loss.names_kept);
        ++power_cuts_;
    }

    /// Called at every call of a file: 0, or the `errno` to fail with. A failed write has written its first half; what
    /// a failed sync should have kept is clean in the page cache and lost on the disk, as on Linux.
    void interfere(std::function<int(FileCall, std::string_view name)> asked)
    {
        auto const lock = std::lock_guard{mutex_};
        asked_ = std::move(asked);
    }

    /// The number of calls so far.
    [[nodiscard]] std::uint64_t calls() const
    {
        auto const lock = std::lock_guard{mutex_};
        return calls_;
    }

    /// How many bytes all files together may have.
    void limit_space(std::uint64_t bytes)
    {
        auto const lock = std::lock_guard{mutex_};
        space_ = bytes;
    }

    /// Makes every sync of a file hang until `release_syncs`.
    void hold_syncs()
    {
        auto const lock = std::lock_guard{mutex_};
        syncs_held_ = true;
    }

    void release_syncs()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            syncs_held_ = false;
        }
        released_.notify_all();
    }

    /// From now on syncs of files, or of the directory, report success and do nothing: what tests must notice.
    void lie_about_syncs(bool lies = true) { lies_about_syncs_ = lies; }
    void lie_about_names(bool lies = true) { lies_about_names_ = lies; }

    /// The content of a file, for damaging it: changes are seen and durable at once. Empty if there is no such file.
    [[nodiscard]] std::vector<std::byte> content(std::string_view name) const
    {
        auto const lock = std::lock_guard{mutex_};
        auto const file = names_.find(name);
        return file ? file->now() : std::vector<std::byte>{};
    }

    void set_content(std::string_view name, std::vector<std::byte> const& bytes)
    {
        auto const lock = std::lock_guard{mutex_};
        names_.find(name)->set(bytes);
    }

    void drop_file(std::string_view name)
    {
        auto const lock = std::lock_guard{mutex_};
        names_.drop(std::string{name});
    }

    [[nodiscard]] std::vector<std::string> file_names() const
    {
        auto const lock = std::lock_guard{mutex_};
        auto       found = std::vector<std::string>{};
        for (auto const& [name, file] : names_.now())
            found.push_back(name);
        return found;
    }

    // --- What `DiskFiles` calls -------------------------------------------------------------------------------------

    using Handle = std::shared_ptr<ForgetfulDisk>;
    using Node = testing::UnsyncedFile;
    using Session = std::uint64_t; ///< How often the power was cut before.

    /// One call: holds the lock, is counted, and knows whether it has to fail.
    class Call
    {
    public:
        [[nodiscard]] int  error() const { return error_; }
        [[nodiscard]] bool is_dead() const { return session_ != disk_.power_cuts_; }

    private:
        friend class ForgetfulDisk;

        Call(ForgetfulDisk& disk, FileCall kind, std::string_view name, Session session)
            : disk_(disk), lock_(disk.mutex_), session_(session)
        {
            ++disk.calls_;
            error_ = is_dead() ? EIO : disk.asked_ ? disk.asked_(kind, name) : 0;
        }

        ForgetfulDisk&               disk_;
        std::unique_lock<std::mutex> lock_;
        Session                      session_;
        int                          error_ = 0;
    };

    [[nodiscard]] Session session() const { return power_cuts_; }
    [[nodiscard]] Call    begin(FileCall kind, std::string_view name, Session session)
    {
        return {*this, kind, name, session};
    }

    [[nodiscard]] static FileError failure(int error, FileCall /*kind*/, std::string_view name)
    {
        return {error, "The forgetful disk failed a call on \"" + std::string{name} + "\"."};
    }

    [[nodiscard]] std::uint64_t space_left() const
    {
        auto used = std::uint64_t{0};
        for (auto const& [name, file] : names_.now())
            used += file->now().size();
        return used < space_ ? space_ - used : 0;
    }

    [[nodiscard]] testing::DiskNames::Names const& names() const { return names_.now(); }
    [[nodiscard]] std::shared_ptr<Node>            find(std::string_view name) const { return names_.find(name); }

    [[nodiscard]] std::shared_ptr<Node> create(std::string_view name)
    {
        auto file = std::make_shared<Node>();
        names_.create(name, file);
        return file;
    }

    void rename(std::string_view from, std::string_view to) { names_.rename(from, to); }
    void remove(std::string_view name) { names_.remove(name); }

    void sync_names()
    {
        if (not lies_about_names_)
            names_.sync();
    }

    void write(Node& file, std::string_view /*name*/, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        if (not bytes.empty())
            file.write(static_cast<std::size_t>(offset), bytes, ++changes_);
    }

    void allocate(Node& file, std::string_view name, std::uint64_t size)
    {
        if (size > file.now().size())
            truncate(file, name, size);
    }

    void truncate(Node& file, std::string_view /*name*/, std::uint64_t size)
    {
        file.resize(static_cast<std::size_t>(size), ++changes_);
    }

    [[nodiscard]] int sync(Node& file, std::string_view /*name*/, Call& call)
    {
        auto const through = changes_; // What is written while the sync runs is not covered by it.
        released_.wait(call.lock_, [this] { return not syncs_held_; });
        if (call.is_dead())
            return EIO;
        if (call.error() != 0 or not lies_about_syncs_)
            file.settle(call.error() == 0, through);
        return call.error();
    }

private:
    mutable std::mutex                             mutex_;
    std::condition_variable                        released_;
    testing::DiskNames                             names_;
    std::uint64_t                                  changes_ = 0;
    std::uint64_t                                  calls_ = 0;
    std::atomic<std::uint64_t>                     power_cuts_ = 0; ///< Read when a file is opened, on any thread.
    std::uint64_t                                  space_ = std::numeric_limits<std::uint64_t>::max();
    bool                                           syncs_held_ = false;
    bool                                           lies_about_syncs_ = false;
    bool                                           lies_about_names_ = false;
    std::function<int(FileCall, std::string_view)> asked_;
};

static_assert(testing::forgetting_disk<ForgetfulDisk>);

} // namespace totora::inline v0
