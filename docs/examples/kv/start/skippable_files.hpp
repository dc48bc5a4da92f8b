// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/log/posix_files.hpp"
#include "totora/policy/files.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv
{

/// Files that skip every sync if they are set to, and report success: so that the tests can show that they would
/// notice. An adapter around a policy is how faults come in.
class SkippableFiles
{
public:
    class File
    {
    public:
        File(totora::PosixFiles::File file, bool skips_sync) : file_(std::move(file)), skips_sync_(skips_sync) {}

        auto size() { return file_.size(); }
        auto write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            return file_.write(offset, parts);
        }
        auto read(std::uint64_t offset, std::span<std::byte> into) { return file_.read(offset, into); }
        auto allocate(std::uint64_t size) { return file_.allocate(size); }
        auto truncate(std::uint64_t size) { return file_.truncate(size); }
        totora::Result<totora::Done, totora::FileError> sync() { return skips_sync_ ? totora::Done{} : file_.sync(); }

    private:
        totora::PosixFiles::File file_;
        bool                     skips_sync_;
    };

    SkippableFiles(totora::PosixFiles files, bool skips_sync) : files_(std::move(files)), skips_sync_(skips_sync) {}

    auto names() { return files_.names(); }
    auto open(std::string_view name) { return wrapped(files_.open(name)); }
    auto create(std::string_view name) { return wrapped(files_.create(name)); }
    auto rename(std::string_view from, std::string_view to) { return files_.rename(from, to); }
    auto remove(std::string_view name) { return files_.remove(name); }
    totora::Result<totora::Done, totora::FileError> sync_directory()
    {
        return skips_sync_ ? totora::Done{} : files_.sync_directory();
    }

private:
    [[nodiscard]] totora::Result<File, totora::FileError>
    wrapped(totora::Result<totora::PosixFiles::File, totora::FileError> file) const
    {
        if (not file)
            return totora::Unexpected{file.error()};
        return File{*std::move(file), skips_sync_};
    }

    totora::PosixFiles files_;
    bool               skips_sync_;
};

static_assert(totora::log_files<SkippableFiles>);

} // namespace kv
