// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/disk/forgetful_files.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace totora::test
{

/// Files of which each read is shown, with what was read, before it is used: it may be changed, and may wait.
class WatchedFiles
{
public:
    using Watch = std::function<void(std::string_view name, std::span<std::byte> bytes)>;

    class File
    {
    public:
        File(ForgetfulFiles::File file, std::string_view name, std::shared_ptr<Watch const> watch)
            : file_(std::move(file)), name_(name), watch_(std::move(watch))
        {}

        auto size() { return file_.size(); }
        auto write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            return file_.write(offset, parts);
        }
        auto read(std::uint64_t offset, std::span<std::byte> into)
        {
            auto const got = file_.read(offset, into);
            if (got)
                (*watch_)(name_, into.first(*got));
            return got;
        }
        auto allocate(std::uint64_t size) { return file_.allocate(size); }
        auto truncate(std::uint64_t size) { return file_.truncate(size); }
        auto sync() { return file_.sync(); }

    private:
        ForgetfulFiles::File         file_;
        std::string                  name_;
        std::shared_ptr<Watch const> watch_;
    };

    WatchedFiles(ForgetfulFiles files, Watch watch)
        : files_(std::move(files)), watch_(std::make_shared<Watch const>(std::move(watch)))
    {}

    auto               names() { return files_.names(); }
    auto               rename(std::string_view from, std::string_view to) { return files_.rename(from, to); }
    auto               remove(std::string_view name) { return files_.remove(name); }
    auto               sync_directory() { return files_.sync_directory(); }
    [[nodiscard]] auto open(std::string_view name) { return watched(files_.open(name), name); }
    [[nodiscard]] auto create(std::string_view name) { return watched(files_.create(name), name); }

private:
    [[nodiscard]] Result<File, FileError>
    watched(Result<ForgetfulFiles::File, FileError> file, std::string_view name) const
    {
        if (not file)
            return Unexpected{file.error()};
        return File{std::move(*file), name, watch_};
    }

    ForgetfulFiles               files_;
    std::shared_ptr<Watch const> watch_;
};

} // namespace totora::test
