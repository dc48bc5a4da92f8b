// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/policy/files.hpp"
#include "totora/testing/disk/crash_disk.hpp"

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

namespace totora::inline v0::conformance
{

/// The one directory of a `CrashDisk`, as a log sees it.
class CrashFiles
{
public:
    using Disk = std::shared_ptr<CrashDisk>;

    class File
    {
    public:
        [[nodiscard]] Result<std::uint64_t, FileError> size()
        {
            if (auto const number = ask(*disk_, FileCall::size, name_))
                return failure(number, "size", name_);
            return std::uint64_t{node_->now().size()};
        }

        [[nodiscard]] Result<Done, FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            auto bytes = std::vector<std::byte>{};
            for (auto const& part : parts)
                bytes.insert(bytes.end(), part.begin(), part.end());
            auto       number = ask(*disk_, FileCall::write, name_);
            auto const fits = std::max<std::uint64_t>(node_->now().size() + disk_->space_left(), offset) - offset;
            if (number != 0)
                bytes.resize(bytes.size() / 2);
            if (fits < bytes.size()) {
                bytes.resize(static_cast<std::size_t>(fits));
                number = ENOSPC;
            }
            node_->write(offset, bytes);
            disk_->recycled_ += std::exchange(node_->renamed, false) ? 1U : 0U;
            note("write", offset, bytes.size());
            disk_->changed();
            return ended(number, "write");
        }

        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            if (auto const number = ask(*disk_, FileCall::read, name_))
                return failure(number, "read", name_);
            auto const& now = node_->now();
            auto const  begin = static_cast<std::size_t>(std::min<std::uint64_t>(offset, now.size()));
            auto const  count = std::min(into.size(), now.size() - begin);
            std::copy_n(now.begin() + static_cast<std::ptrdiff_t>(begin), count, into.begin());
            return count;
        }

        [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t size)
        {
            auto number = ask(*disk_, FileCall::allocate, name_);
            if (number != 0)
                return ended(number, "allocate");
            auto const before = std::uint64_t{node_->now().size()};
            auto const reached = std::min(size, before + disk_->space_left());
            if (reached > before)
                node_->resize(reached);
            if (size > std::max(reached, before))
                number = ENOSPC;
            note("allocate", reached, 0);
            disk_->changed();
            return ended(number, "allocate");
        }

        [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t size)
        {
            auto const number = ask(*disk_, FileCall::truncate, name_);
            if (number != 0)
                return ended(number, "truncate");
            if (size < node_->now().size())
                node_->resize(size);
            note("truncate", size, 0);
            disk_->changed();
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> sync()
        {
            auto const number = ask(*disk_, FileCall::sync, name_);
            note("sync", 0, 0);
            node_->sync(number == 0);
            return ended(number, "sync");
        }

    private:
        friend class CrashFiles;

        File(Disk disk, CrashDisk::Node node, std::string_view name)
            : disk_(std::move(disk)), node_(std::move(node)), name_(name)
        {}

        [[nodiscard]] Result<Done, FileError> ended(int number, char const* what) const
        {
            if (number != 0)
                return failure(number, what, name_);
            return Done{};
        }

        void note(char const* what, std::uint64_t offset, std::uint64_t size) const
        {
            disk_->calls_.push_back({what, name_, offset, size});
        }

        Disk            disk_;
        CrashDisk::Node node_;
        std::string     name_; ///< Under which it was opened.
    };

    explicit CrashFiles(Disk disk) : disk_(std::move(disk)) {}

    [[nodiscard]] Result<std::vector<std::string>, FileError> names()
    {
        if (auto const number = ask(*disk_, FileCall::names, {}))
            return failure(number, "names", {});
        auto found = std::vector<std::string>{};
        for (auto const& [name, node] : disk_->names_)
            found.push_back(name);
        return found;
    }

    [[nodiscard]] Result<File, FileError> open(std::string_view name)
    {
        auto const asked = ask(*disk_, FileCall::open, name);
        auto const found = disk_->names_.find(name);
        if (asked != 0 or found == disk_->names_.end())
            return failure(asked != 0 ? asked : ENOENT, "open", name);
        return File{disk_, found->second, name};
    }

    [[nodiscard]] Result<File, FileError> create(std::string_view name)
    {
        auto const asked = ask(*disk_, FileCall::create, name);
        if (asked != 0 or disk_->names_.contains(name))
            return failure(asked != 0 ? asked : EEXIST, "create", name);
        auto node = std::make_shared<CrashNode>();
        change("create", {{}, std::string{name}, node});
        return File{disk_, std::move(node), name};
    }

    [[nodiscard]] Result<Done, FileError> rename(std::string_view from, std::string_view to)
    {
        auto const asked = ask(*disk_, FileCall::rename, from);
        auto const found = disk_->names_.find(from);
        if (asked != 0 or found == disk_->names_.end())
            return failure(asked != 0 ? asked : ENOENT, "rename", from);
        change("rename", {std::string{from}, std::string{to}, found->second});
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> remove(std::string_view name)
    {
        auto const asked = ask(*disk_, FileCall::remove, name);
        auto const found = disk_->names_.find(name);
        if (asked != 0 or found == disk_->names_.end())
            return failure(asked != 0 ? asked : ENOENT, "remove", name);
        change("remove", {std::string{name}, {}, found->second});
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> sync_directory()
    {
        if (auto const number = ask(*disk_, FileCall::sync_directory, {}))
            return failure(number, "sync", "the directory");
        disk_->calls_.push_back({"sync", "the directory", 0, 0});
        disk_->durable_names_ = disk_->names_;
        disk_->name_changes_.clear();
        return Done{};
    }

private:
    [[nodiscard]] static int ask(CrashDisk& disk, FileCall call, std::string_view name)
    {
        return disk.asked_ ? disk.asked_(call, name) : 0;
    }

    [[nodiscard]] static Unexpected<FileError> failure(int number, char const* what, std::string_view name)
    {
        return Unexpected{FileError{number, std::string{"The crash disk failed to "} + what + " " + std::string{name}}};
    }

    void change(char const* what, CrashDisk::NameChange name_change)
    {
        disk_->calls_.push_back(
            {what, name_change.from + (name_change.to.empty() ? "" : " -> " + name_change.to), 0, 0});
        disk_->change_name(std::move(name_change));
        disk_->changed();
    }

    Disk disk_;
};

static_assert(log_files<CrashFiles>);

} // namespace totora::inline v0::conformance
