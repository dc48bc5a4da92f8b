// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/policy/files.hpp"
#include "totora/testing/disk/forgetting_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::testing
{

/// The one directory of a disk that forgets, as a log sees it. `Disk` is a `forgetting_disk`.
///
/// A write that fails has written its first half; one that does not fit has written what fits.
template <typename Disk>
class DiskFiles
{
public:
    using Handle = typename Disk::Handle;
    using Node = std::shared_ptr<typename Disk::Node>;

    class File
    {
    public:
        [[nodiscard]] Result<std::uint64_t, FileError> size()
        {
            auto const call = begin(FileCall::size);
            if (call.error() != 0)
                return failure(call.error(), FileCall::size);
            return std::uint64_t{node_->now().size()};
        }

        [[nodiscard]] Result<Done, FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            auto const call = begin(FileCall::write);
            gathered_.clear();
            for (auto const& part : parts)
                gathered_.insert(gathered_.end(), part.begin(), part.end());
            auto const end = std::max<std::uint64_t>(node_->now().size() + disk_->space_left(), offset);
            auto const fits = static_cast<std::size_t>(std::min<std::uint64_t>(gathered_.size(), end - offset));
            if (not call.is_dead())
                disk_->write(*node_, name_, offset, std::span{gathered_}.first(call.error() != 0 ? fits / 2 : fits));
            if (call.error() != 0)
                return failure(call.error(), FileCall::write);
            if (fits < gathered_.size())
                return failure(ENOSPC, FileCall::write);
            return Done{};
        }

        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            auto const call = begin(FileCall::read);
            if (call.error() != 0)
                return failure(call.error(), FileCall::read);
            auto const& now = node_->now();
            auto const  begin = static_cast<std::size_t>(std::min<std::uint64_t>(offset, now.size()));
            auto const  count = std::min(into.size(), now.size() - begin);
            std::copy_n(now.begin() + static_cast<std::ptrdiff_t>(begin), count, into.begin());
            return count;
        }

        [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t new_size)
        {
            auto const call = begin(FileCall::allocate);
            if (call.error() != 0)
                return failure(call.error(), FileCall::allocate);
            auto const before = std::uint64_t{node_->now().size()};
            auto const reached = std::min(new_size, before + std::min(new_size, disk_->space_left()));
            disk_->allocate(*node_, name_, reached);
            if (new_size > std::max(reached, before))
                return failure(ENOSPC, FileCall::allocate);
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t new_size)
        {
            auto const call = begin(FileCall::truncate);
            if (call.error() != 0)
                return failure(call.error(), FileCall::truncate);
            disk_->truncate(*node_, name_, new_size);
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> sync()
        {
            auto       call = begin(FileCall::sync);
            auto const error = disk_->sync(*node_, name_, call);
            if (error != 0)
                return failure(error, FileCall::sync);
            return Done{};
        }

    private:
        friend class DiskFiles;

        File(Handle disk, Node node, std::string_view name)
            : disk_(std::move(disk)), node_(std::move(node)), name_(name), session_(disk_->session())
        {}

        [[nodiscard]] typename Disk::Call   begin(FileCall kind) { return disk_->begin(kind, name_, session_); }
        [[nodiscard]] Unexpected<FileError> failure(int error, FileCall kind) const
        {
            return Unexpected{disk_->failure(error, kind, name_)};
        }

        Handle                                       disk_;
        Node                                         node_;
        std::string                                  name_; ///< Under which it was opened.
        [[no_unique_address]] typename Disk::Session session_;
        std::vector<std::byte>                       gathered_; ///< By the write under way; kept to be used again.
    };

    explicit DiskFiles(Handle disk) : disk_(std::move(disk)), session_(disk_->session()) {}

    /// The directory of a disk that outlives it.
    explicit DiskFiles(Disk& disk) requires std::same_as<Handle, Disk*> : DiskFiles(&disk) {}

    [[nodiscard]] Result<std::vector<std::string>, FileError> names()
    {
        auto const call = disk_->begin(FileCall::names, {}, session_);
        if (call.error() != 0)
            return failure(call.error(), FileCall::names, {});
        auto found = std::vector<std::string>{};
        for (auto const& [name, node] : disk_->names())
            found.push_back(name);
        return found;
    }

    [[nodiscard]] Result<File, FileError> open(std::string_view name)
    {
        auto const call = disk_->begin(FileCall::open, name, session_);
        auto       node = disk_->find(name);
        if (call.error() != 0 or not node)
            return failure(call.error() != 0 ? call.error() : ENOENT, FileCall::open, name);
        return File{disk_, std::move(node), name};
    }

    [[nodiscard]] Result<File, FileError> create(std::string_view name)
    {
        auto const call = disk_->begin(FileCall::create, name, session_);
        if (call.error() != 0 or disk_->find(name))
            return failure(call.error() != 0 ? call.error() : EEXIST, FileCall::create, name);
        return File{disk_, disk_->create(name), name};
    }

    [[nodiscard]] Result<Done, FileError> rename(std::string_view from, std::string_view to)
    {
        auto const call = disk_->begin(FileCall::rename, from, session_);
        if (call.error() != 0 or not disk_->find(from))
            return failure(call.error() != 0 ? call.error() : ENOENT, FileCall::rename, from);
        disk_->rename(from, to);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> remove(std::string_view name)
    {
        auto const call = disk_->begin(FileCall::remove, name, session_);
        if (call.error() != 0 or not disk_->find(name))
            return failure(call.error() != 0 ? call.error() : ENOENT, FileCall::remove, name);
        disk_->remove(name);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> sync_directory()
    {
        auto const call = disk_->begin(FileCall::sync_directory, {}, session_);
        if (call.error() != 0)
            return failure(call.error(), FileCall::sync_directory, {});
        disk_->sync_names();
        return Done{};
    }

private:
    [[nodiscard]] Unexpected<FileError> failure(int error, FileCall kind, std::string_view name)
    {
        return Unexpected{disk_->failure(error, kind, name)};
    }

    Handle                                       disk_;
    [[no_unique_address]] typename Disk::Session session_;
};

} // namespace totora::inline v0::testing
