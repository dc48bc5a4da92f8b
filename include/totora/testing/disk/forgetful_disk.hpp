// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// What a log asks of its files, for tests that interfere.
enum class FileCall : std::uint8_t
{
    names,
    open,
    create,
    rename,
    remove,
    sync_directory,
    size,
    write,
    read,
    allocate,
    truncate,
    sync,
};

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
/// A test asks which changes are not synced, cuts the power with any of their sectors kept, flips bits, limits the space,
/// and fails or holds any call. `ForgetfulFiles` is the directory that a log sees. May be used from two threads.
class ForgetfulDisk
{
public:
    static constexpr std::size_t sector_size = 512;

    /// A change of a file that is not synced: bytes written, or a new size.
    struct Change
    {
        std::uint64_t          number = 0; ///< In the order of the calls, over all files.
        std::uint64_t          offset = 0; ///< Of the bytes, or the new size.
        std::vector<std::byte> bytes;
        bool                   resizes = false;

        [[nodiscard]] std::size_t sectors() const
        {
            auto const end = (offset + bytes.size() + sector_size - 1) / sector_size;
            return resizes ? 1 : static_cast<std::size_t>(end - offset / sector_size);
        }
    };

    /// The content of a file: as programs see it, and as it is on the disk.
    struct Node
    {
        std::vector<std::byte> now;
        std::vector<std::byte> durable;
        std::vector<Change>    unsynced;
    };

    using Names = std::map<std::string, std::shared_ptr<Node>, std::less<>>;

    /// A copy that goes its own way, with no interference.
    [[nodiscard]] std::shared_ptr<ForgetfulDisk> clone() const
    {
        auto const lock = std::lock_guard{mutex_};
        auto       copy = std::make_shared<ForgetfulDisk>();
        auto       copies = std::map<Node*, std::shared_ptr<Node>>{};
        auto const copied = [&](Names const& names) {
            auto result = Names{};
            for (auto const& [name, node] : names) {
                auto& made = copies[node.get()];
                if (not made)
                    made = std::make_shared<Node>(*node);
                result[name] = made;
            }
            return result;
        };
        copy->names_ = copied(names_);
        copy->durable_names_ = copied(durable_names_);
        for (auto const& step : name_steps_)
            copy->name_steps_.push_back(copied(step));
        copy->changes_ = changes_;
        return copy;
    }

    /// The changes that a power loss now could undo, in the order of the calls.
    [[nodiscard]] std::vector<Change> unsynced() const
    {
        auto const lock = std::lock_guard{mutex_};
        auto       all = std::vector<Change>{};
        for (auto const& node : nodes())
            all.insert(all.end(), node->unsynced.begin(), node->unsynced.end());
        std::sort(all.begin(), all.end(), [](Change const& a, Change const& b) { return a.number < b.number; });
        return all;
    }

    [[nodiscard]] std::size_t unsynced_names() const
    {
        auto const lock = std::lock_guard{mutex_};
        return name_steps_.size();
    }

    /// Cuts the power and brings it back. Files that are open are dead from then on.
    void lose_power(PowerLoss const& loss = {})
    {
        auto const changes = unsynced();
        auto const lock = std::lock_guard{mutex_};
        auto       positions = std::map<std::uint64_t, std::size_t>{};
        for (auto position = std::size_t{0}; position < changes.size(); ++position)
            positions[changes[position].number] = position;
        for (auto const& node : nodes()) {
            for (auto const& change : node->unsynced)
                for (auto sector = std::size_t{0}; sector < change.sectors(); ++sector)
                    if (loss.keeps and loss.keeps(positions[change.number], sector))
                        apply(node->durable, change, sector);
            node->unsynced.clear();
            node->now = node->durable;
        }
        if (loss.names_kept > 0 and not name_steps_.empty())
            durable_names_ = name_steps_[std::min(loss.names_kept, name_steps_.size()) - 1];
        name_steps_.clear();
        names_ = durable_names_;
        ++power_cuts_;
    }

    /// Asked at every call: 0, or the `errno` to fail with. A failed write has written its first half; what a
    /// failed sync should have kept is clean to the eye and lost to the disk, as on Linux.
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

    /// From now on syncs of files, or of the directory, say that they succeeded and do nothing: what tests must notice.
    void lie_about_syncs(bool lies = true) { lies_about_syncs_ = lies; }
    void lie_about_names(bool lies = true) { lies_about_names_ = lies; }

    /// The content of a file, for damaging it: changes are seen and durable at once. Empty if there is no such file.
    [[nodiscard]] std::vector<std::byte> content(std::string_view name) const
    {
        auto const lock = std::lock_guard{mutex_};
        auto const found = names_.find(name);
        return found == names_.end() ? std::vector<std::byte>{} : found->second->now;
    }

    void set_content(std::string_view name, std::vector<std::byte> const& bytes)
    {
        auto const lock = std::lock_guard{mutex_};
        auto&      node = *names_.find(name)->second;
        node.now = bytes;
        node.durable = bytes;
        node.unsynced.clear();
    }

    void drop_file(std::string_view name)
    {
        auto const lock = std::lock_guard{mutex_};
        names_.erase(std::string{name});
        durable_names_.erase(std::string{name});
    }

    [[nodiscard]] std::vector<std::string> file_names() const
    {
        auto const lock = std::lock_guard{mutex_};
        auto       found = std::vector<std::string>{};
        for (auto const& [name, node] : names_)
            found.push_back(name);
        return found;
    }

private:
    friend class ForgetfulFiles;

    [[nodiscard]] std::vector<std::shared_ptr<Node>> nodes() const
    {
        auto       all = std::vector<std::shared_ptr<Node>>{};
        auto const add = [&](Names const& names) {
            for (auto const& [name, node] : names)
                if (std::find(all.begin(), all.end(), node) == all.end())
                    all.push_back(node);
        };
        add(names_);
        add(durable_names_);
        for (auto const& step : name_steps_)
            add(step);
        return all;
    }

    /// Applies a change, or one sector of it.
    static void apply(std::vector<std::byte>& to, Change const& change, std::size_t sector)
    {
        if (change.resizes) {
            to.resize(static_cast<std::size_t>(change.offset));
            return;
        }
        auto const sector_begins = (change.offset / sector_size + sector) * sector_size;
        auto const begins = std::max<std::uint64_t>(change.offset, sector_begins);
        auto const ends = std::min<std::uint64_t>(change.offset + change.bytes.size(), sector_begins + sector_size);
        to.resize(std::max(to.size(), static_cast<std::size_t>(ends)));
        std::copy_n(change.bytes.begin() + static_cast<std::ptrdiff_t>(begins - change.offset), ends - begins,
                    to.begin() + static_cast<std::ptrdiff_t>(begins));
    }

    void change(Node& node, Change made)
    {
        made.number = ++changes_;
        for (auto sector = std::size_t{0}; sector < made.sectors(); ++sector)
            apply(node.now, made, sector);
        node.unsynced.push_back(std::move(made));
    }

    /// Ends a sync of the changes up to this one: they are on the disk, or, if it failed, never will be.
    static void settle(Node& node, std::uint64_t through, bool synced)
    {
        auto const end = std::find_if(node.unsynced.begin(), node.unsynced.end(),
                                      [&](Change const& made) { return made.number > through; });
        for (auto made = node.unsynced.begin(); made != end and synced; ++made)
            for (auto sector = std::size_t{0}; sector < made->sectors(); ++sector)
                apply(node.durable, *made, sector);
        node.unsynced.erase(node.unsynced.begin(), end);
    }

    /// How many more bytes the files may have.
    [[nodiscard]] std::uint64_t space_left() const
    {
        auto used = std::uint64_t{0};
        for (auto const& [name, node] : names_)
            used += node->now.size();
        return used < space_ ? space_ - used : 0;
    }

    mutable std::mutex                             mutex_;
    std::condition_variable                        released_;
    Names                                          names_;
    Names                                          durable_names_;
    std::vector<Names>                             name_steps_; ///< The names after each unsynced change of them.
    std::uint64_t                                  changes_ = 0;
    std::uint64_t                                  calls_ = 0;
    std::uint64_t                                  power_cuts_ = 0;
    std::uint64_t                                  space_ = std::numeric_limits<std::uint64_t>::max();
    bool                                           syncs_held_ = false;
    bool                                           lies_about_syncs_ = false;
    bool                                           lies_about_names_ = false;
    std::function<int(FileCall, std::string_view)> asked_;
};

} // namespace totora::inline v0
