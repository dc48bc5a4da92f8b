// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kv
{

// A backup is a snapshot as data/snapshot_format.hpp has it, in a file of its own.

/// A file that closes itself.
class BackupDescriptor
{
public:
    BackupDescriptor(std::string const& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    BackupDescriptor(BackupDescriptor const&) = delete;
    BackupDescriptor& operator=(BackupDescriptor const&) = delete;
    ~BackupDescriptor()
    {
        if (number_ >= 0)
            ::close(number_);
    }

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

/// "PATH: REASON", of the last call that failed.
[[nodiscard]] inline std::string failed_with(std::string const& path)
{
    return path + ": " + std::strerror(errno); // NOLINT(concurrency-mt-unsafe): there is one thread.
}

/// Writes a backup. The file has its name once it is whole and durable; until then it is NAME.new.
class BackupWriter final : public totora::SnapshotSink
{
public:
    explicit BackupWriter(std::string path)
        : path_(std::move(path)), unfinished_(path_ + ".new"), file_(unfinished_, O_WRONLY | O_CREAT | O_EXCL)
    {
        if (file_.number() < 0)
            failure_ = errno == EEXIST
                           ? unfinished_ + ": another export writes it, or one was interrupted: if none runs, remove it"
                           : failed_with(unfinished_);
    }
    BackupWriter(BackupWriter const&) = delete;
    BackupWriter& operator=(BackupWriter const&) = delete;
    ~BackupWriter()
    {
        if (not is_finished_ and file_.number() >= 0)
            ::unlink(unfinished_.c_str());
    }

    void write(std::span<std::byte const> bytes) override
    {
        checksum_ = totora::crc32c(bytes, checksum_);
        put(bytes);
    }

    /// Copies bytes that have their checksum.
    void put(std::span<std::byte const> bytes)
    {
        buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
        if (buffer_.size() >= buffer_size)
            flush();
    }

    /// Adds the checksum of all that was written.
    void put_checksum()
    {
        auto trailer = std::array<std::byte, totora::snapshot_trailer_size>{};
        totora::put(trailer.data(), checksum_);
        put(trailer);
    }

    /// Makes the file durable under its name. Why that went wrong, if it did.
    [[nodiscard]] std::optional<std::string> finish()
    {
        flush();
        if (not failure_ and ::fsync(file_.number()) != 0)
            failure_ = failed_with(unfinished_);
        if (not failure_ and ::rename(unfinished_.c_str(), path_.c_str()) != 0)
            failure_ = failed_with(path_);
        if (failure_)
            return failure_;
        is_finished_ = true;
        auto const folder = std::filesystem::path{path_}.parent_path();
        auto const directory = BackupDescriptor{folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY};
        if (directory.number() < 0 or ::fsync(directory.number()) != 0)
            return failed_with(folder.string());
        return std::nullopt;
    }

    [[nodiscard]] std::uint64_t                     bytes() const { return bytes_ + buffer_.size(); }
    [[nodiscard]] std::optional<std::string> const& failure() const { return failure_; }

private:
    static constexpr std::size_t buffer_size = std::size_t{1} << 20U;

    void flush()
    {
        for (auto rest = std::span<std::byte const>{buffer_}; not rest.empty() and not failure_;) {
            auto const written = ::write(file_.number(), rest.data(), rest.size());
            if (written < 0 and errno != EINTR)
                failure_ = failed_with(unfinished_);
            else if (written > 0)
                rest = rest.subspan(static_cast<std::size_t>(written));
        }
        bytes_ += buffer_.size();
        buffer_.clear();
    }

    std::string                path_;
    std::string                unfinished_;
    BackupDescriptor           file_;
    std::vector<std::byte>     buffer_;
    std::uint64_t              bytes_ = 0;
    std::uint32_t              checksum_ = 0;
    std::optional<std::string> failure_;
    bool                       is_finished_ = false;
};

/// A backup that was opened: its header is intact, its length known.
class BackupReader
{
public:
    [[nodiscard]] static totora::Result<BackupReader, std::string> open(std::string const& path)
    {
        auto        file = std::make_unique<BackupDescriptor>(path, O_RDONLY);
        struct stat status
        {};
        if (file->number() < 0 or ::fstat(file->number(), &status) != 0)
            return totora::Unexpected{failed_with(path)};
        if (not S_ISREG(status.st_mode))
            return totora::Unexpected{path + ": it is no file"};
        auto       reader = BackupReader{path, std::move(file), static_cast<std::uint64_t>(status.st_size)};
        auto       head = std::vector<std::byte>(totora::snapshot_header_max);
        auto const got = reader.read(0, head);
        if (not got)
            return totora::Unexpected{got.error()};
        auto const header = totora::decode_snapshot_header(std::span{head}.first(*got));
        if (not header)
            return totora::Unexpected{path + (header.error() == totora::SnapshotFault::foreign
                                                  ? std::string{": it is no backup"}
                                                  : ": " + std::string{to_string(header.error())})};
        if (reader.size_ < header->size + totora::snapshot_trailer_size)
            return totora::Unexpected{path + ": " + std::string{to_string(totora::SnapshotFault::truncated)}};
        reader.header_ = *header;
        return reader;
    }

    [[nodiscard]] totora::SnapshotHeader const& header() const { return header_.header; }
    [[nodiscard]] std::uint64_t                 size() const { return size_; }

    /// Where what the store wrote begins and ends.
    [[nodiscard]] std::uint64_t begin() const { return header_.size; }
    [[nodiscard]] std::uint64_t end() const { return size_ - totora::snapshot_trailer_size; }

    /// Reads bytes at an offset: as many as asked for, unless the file ends.
    [[nodiscard]] totora::Result<std::size_t, std::string> read(std::uint64_t offset, std::span<std::byte> into)
    {
        auto got = std::size_t{0};
        while (got < into.size()) {
            auto const more =
                ::pread(file_->number(), into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
            if (more < 0 and errno != EINTR)
                return totora::Unexpected{failed_with(path_)};
            if (more == 0)
                break;
            got += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
        }
        return got;
    }

    [[nodiscard]] std::string const& path() const { return path_; }

private:
    BackupReader(std::string path, std::unique_ptr<BackupDescriptor> file, std::uint64_t size)
        : path_(std::move(path)), file_(std::move(file)), size_(size)
    {}

    std::string                       path_;
    std::unique_ptr<BackupDescriptor> file_;
    std::uint64_t                     size_;
    totora::ReadSnapshotHeader        header_;
};

} // namespace kv
