// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/policy/files.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/disk/simulated_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// The directory of a `SimulatedDisk`, which outlives it, as a log sees it.
class DiskFiles
{
public:
    class File
    {
    public:
        [[nodiscard]] Result<std::uint64_t, FileError> size()
        {
            if (auto const error = disk_->begin_call(DiskCall::other); error != 0)
                return failure(error);
            return std::uint64_t{file_->now().size()};
        }

        /// A write that fails has written its first half.
        [[nodiscard]] Result<Done, FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            auto const error = disk_->begin_call(DiskCall::write);
            auto&      bytes = disk_->gathered_;
            bytes.clear();
            for (auto const& part : parts)
                bytes.insert(bytes.end(), part.begin(), part.end());
            auto const fits = std::max<std::uint64_t>(file_->now().size() + disk_->space_left(), offset) - offset;
            auto const is_full = bytes.size() > fits;
            auto const room = is_full ? static_cast<std::size_t>(fits) : bytes.size();
            if (auto const taken = error != 0 ? room / 2 : room; taken > 0)
                disk_->write(*file_, static_cast<std::size_t>(offset), std::span{bytes}.first(taken));
            if (error != 0)
                return failure(error);
            return is_full ? Result<Done, FileError>{full()} : Done{};
        }

        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            if (auto const error = disk_->begin_call(DiskCall::read); error != 0)
                return failure(error);
            auto const& bytes = file_->now();
            auto const  begin = static_cast<std::size_t>(std::min<std::uint64_t>(offset, bytes.size()));
            auto const  count = std::min(into.size(), bytes.size() - begin);
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), count, into.begin());
            return count;
        }

        [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t new_size)
        {
            if (auto const error = disk_->begin_call(DiskCall::write); error != 0)
                return failure(error);
            auto const size_now = std::uint64_t{file_->now().size()};
            auto const reaches = std::min(new_size, size_now + std::min(new_size, disk_->space_left()));
            if (reaches > size_now)
                disk_->resize(*file_, static_cast<std::size_t>(reaches));
            return new_size > std::max(reaches, size_now) ? Result<Done, FileError>{full()} : Done{};
        }

        [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t new_size)
        {
            if (auto const error = disk_->begin_call(DiskCall::write); error != 0)
                return failure(error);
            disk_->resize(*file_, static_cast<std::size_t>(new_size));
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> sync()
        {
            auto const error = disk_->begin_call(DiskCall::sync);
            disk_->settle(*file_, error == 0);
            return error != 0 ? Result<Done, FileError>{failure(error)} : Done{};
        }

    private:
        friend class DiskFiles;

        File(SimulatedDisk& disk, std::shared_ptr<SimulatedFile> file) : disk_(&disk), file_(std::move(file)) {}

        [[nodiscard]] Unexpected<FileError> full()
        {
            ++disk_->troubles_;
            return failure(ENOSPC);
        }

        SimulatedDisk*                 disk_;
        std::shared_ptr<SimulatedFile> file_;
    };

    explicit DiskFiles(SimulatedDisk& disk) : disk_(&disk) {}

    [[nodiscard]] Result<std::vector<std::string>, FileError> names()
    {
        if (auto const error = disk_->begin_call(DiskCall::other); error != 0)
            return failure(error);
        auto found = std::vector<std::string>{};
        for (auto const& [name, file] : disk_->names())
            found.push_back(name);
        return found;
    }

    [[nodiscard]] Result<File, FileError> open(std::string_view name)
    {
        if (auto const error = disk_->begin_call(DiskCall::other); error != 0)
            return failure(error);
        auto file = disk_->names_.find(name);
        return file ? Result<File, FileError>{File{*disk_, std::move(file)}} : failure(ENOENT);
    }

    [[nodiscard]] Result<File, FileError> create(std::string_view name)
    {
        if (auto const error = disk_->begin_call(DiskCall::write); error != 0)
            return failure(error);
        if (disk_->names_.find(name))
            return failure(EEXIST);
        auto file = std::make_shared<SimulatedFile>();
        disk_->names_.create(name, file);
        return File{*disk_, std::move(file)};
    }

    [[nodiscard]] Result<Done, FileError> rename(std::string_view from, std::string_view to)
    {
        if (auto const error = disk_->begin_call(DiskCall::write); error != 0)
            return failure(error);
        if (not disk_->names_.find(from))
            return failure(ENOENT);
        if (auto const replaced = disk_->names_.find(to))
            disk_->used_ -= replaced->now().size();
        disk_->names_.rename(from, to);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> remove(std::string_view name)
    {
        if (auto const error = disk_->begin_call(DiskCall::write); error != 0)
            return failure(error);
        auto const file = disk_->names_.find(name);
        if (not file)
            return failure(ENOENT);
        disk_->used_ -= file->now().size();
        disk_->names_.remove(name);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> sync_directory()
    {
        if (auto const error = disk_->begin_call(DiskCall::sync); error != 0)
            return failure(error);
        disk_->sync_names();
        return Done{};
    }

private:
    [[nodiscard]] static Unexpected<FileError> failure(int error)
    {
        return Unexpected{
            FileError{error, error == ENOSPC ? "The simulated disk is full." : "The simulated disk failed."}};
    }

    SimulatedDisk* disk_;
};

static_assert(log_files<DiskFiles>);

} // namespace totora::inline v0::simulate
