// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/policy/files.hpp"
#include "totora/testing/disk/forgetful_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The one directory of a `ForgetfulDisk`, as a log sees it.
class ForgetfulFiles
{
public:
    class File
    {
    public:
        [[nodiscard]] Result<std::uint64_t, FileError> size()
        {
            auto const call = Call{*this, FileCall::size};
            if (call.failed())
                return call.failure();
            return std::uint64_t{node_->now.size()};
        }

        [[nodiscard]] Result<Done, FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            auto const call = Call{*this, FileCall::write};
            auto       bytes = std::vector<std::byte>{};
            for (auto const& part : parts)
                bytes.insert(bytes.end(), part.begin(), part.end());
            auto const fits = std::max<std::uint64_t>(node_->now.size() + disk_->space_left(), offset) - offset;
            auto const full = fits < bytes.size();
            if (full)
                bytes.resize(static_cast<std::size_t>(fits));
            if (call.failed())
                bytes.resize(bytes.size() / 2);
            if (not call.dead() and not bytes.empty())
                disk_->change(*node_, {0, offset, std::move(bytes), false});
            if (call.failed())
                return call.failure();
            if (full)
                return call.failure(ENOSPC);
            return Done{};
        }

        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            auto const call = Call{*this, FileCall::read};
            if (call.failed())
                return call.failure();
            auto const begins = static_cast<std::size_t>(std::min<std::uint64_t>(offset, node_->now.size()));
            auto const count = std::min(into.size(), node_->now.size() - begins);
            std::copy_n(node_->now.begin() + static_cast<std::ptrdiff_t>(begins), count, into.begin());
            return count;
        }

        [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t new_size)
        {
            auto const call = Call{*this, FileCall::allocate};
            if (call.failed())
                return call.failure();
            auto const size_now = std::uint64_t{node_->now.size()};
            auto const reaches = std::min(new_size, size_now + disk_->space_left());
            if (reaches > size_now)
                disk_->change(*node_, {0, reaches, {}, true});
            if (new_size > std::max(reaches, size_now))
                return call.failure(ENOSPC);
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t new_size)
        {
            auto const call = Call{*this, FileCall::truncate};
            if (call.failed())
                return call.failure();
            disk_->change(*node_, {0, new_size, {}, true});
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> sync()
        {
            auto       call = Call{*this, FileCall::sync};
            auto const through = disk_->changes_; // What is written while the sync runs is not covered by it.
            call.wait_while_held();
            if (disk_->lies_about_syncs_ and not call.failed())
                return Done{};
            if (not call.dead())
                ForgetfulDisk::settle(*node_, through, not call.failed());
            if (call.failed())
                return call.failure();
            return Done{};
        }

    private:
        friend class ForgetfulFiles;

        File(std::shared_ptr<ForgetfulDisk> disk, std::shared_ptr<ForgetfulDisk::Node> node, std::string name)
            : disk_(std::move(disk)), node_(std::move(node)), name_(std::move(name)), power_cuts_(disk_->power_cuts_)
        {}

        std::shared_ptr<ForgetfulDisk>       disk_;
        std::shared_ptr<ForgetfulDisk::Node> node_;
        std::string                          name_;
        std::uint64_t                        power_cuts_; ///< When the file was opened.
    };

    explicit ForgetfulFiles(std::shared_ptr<ForgetfulDisk> disk)
        : disk_(std::move(disk)), power_cuts_(disk_->power_cuts_)
    {}

    [[nodiscard]] Result<std::vector<std::string>, FileError> names()
    {
        auto const call = Call{*this, FileCall::names, {}};
        if (call.failed())
            return call.failure();
        auto found = std::vector<std::string>{};
        for (auto const& [name, node] : disk_->names_)
            found.push_back(name);
        return found;
    }

    [[nodiscard]] Result<File, FileError> open(std::string_view name)
    {
        auto const call = Call{*this, FileCall::open, name};
        if (call.failed())
            return call.failure();
        auto const found = disk_->names_.find(name);
        if (found == disk_->names_.end())
            return call.failure(ENOENT);
        return File{disk_, found->second, std::string{name}};
    }

    [[nodiscard]] Result<File, FileError> create(std::string_view name)
    {
        auto const call = Call{*this, FileCall::create, name};
        if (call.failed())
            return call.failure();
        if (disk_->names_.contains(name))
            return call.failure(EEXIST);
        auto node = std::make_shared<ForgetfulDisk::Node>();
        disk_->names_[std::string{name}] = node;
        disk_->name_steps_.push_back(disk_->names_);
        return File{disk_, std::move(node), std::string{name}};
    }

    [[nodiscard]] Result<Done, FileError> rename(std::string_view from, std::string_view to)
    {
        auto const call = Call{*this, FileCall::rename, from};
        if (call.failed())
            return call.failure();
        auto const found = disk_->names_.find(from);
        if (found == disk_->names_.end())
            return call.failure(ENOENT);
        auto node = found->second;
        disk_->names_.erase(found);
        disk_->names_[std::string{to}] = std::move(node);
        disk_->name_steps_.push_back(disk_->names_);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> remove(std::string_view name)
    {
        auto const call = Call{*this, FileCall::remove, name};
        if (call.failed())
            return call.failure();
        if (disk_->names_.erase(std::string{name}) == 0)
            return call.failure(ENOENT);
        disk_->name_steps_.push_back(disk_->names_);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> sync_directory()
    {
        auto const call = Call{*this, FileCall::sync_directory, {}};
        if (call.failed())
            return call.failure();
        if (disk_->lies_about_names_)
            return Done{};
        disk_->durable_names_ = disk_->names_;
        disk_->name_steps_.clear();
        return Done{};
    }

private:
    /// One call: holds the lock, counts it, and knows whether it has to fail.
    class Call
    {
    public:
        Call(File& file, FileCall kind) : Call(*file.disk_, file.power_cuts_, kind, file.name_) {}
        Call(ForgetfulFiles& files, FileCall kind, std::string_view name)
            : Call(*files.disk_, files.power_cuts_, kind, name)
        {}

        /// Whether the power was cut since the file was opened.
        [[nodiscard]] bool                  dead() const { return power_cuts_ != disk_.power_cuts_; }
        [[nodiscard]] bool                  failed() const { return number_ != 0; }
        [[nodiscard]] Unexpected<FileError> failure() const { return failure(number_); }
        [[nodiscard]] Unexpected<FileError> failure(int number) const
        {
            return Unexpected{FileError{number, "The forgetful disk failed a call on \"" + name_ + "\"."}};
        }

        void wait_while_held()
        {
            disk_.released_.wait(lock_, [this] { return not disk_.syncs_held_; });
            if (dead())
                number_ = EIO;
        }

    private:
        Call(ForgetfulDisk& disk, std::uint64_t power_cuts, FileCall kind, std::string_view name)
            : disk_(disk), lock_(disk.mutex_), name_(name), power_cuts_(power_cuts)
        {
            ++disk.calls_;
            number_ = dead() ? EIO : disk.asked_ ? disk.asked_(kind, name) : 0;
        }

        ForgetfulDisk&               disk_;
        std::unique_lock<std::mutex> lock_;
        std::string                  name_;
        std::uint64_t                power_cuts_;
        int                          number_ = 0;
    };

    std::shared_ptr<ForgetfulDisk> disk_;
    std::uint64_t                  power_cuts_;
};

static_assert(log_files<ForgetfulFiles>);

} // namespace totora::inline v0
