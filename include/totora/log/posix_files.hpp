// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/result.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace totora
{

/// An open file or directory of the operating system; closes itself.
class Descriptor
{
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor()
    {
        if (number_ >= 0)
            ::close(number_);
    }

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

/// What `errno` says about a failed call.
[[nodiscard]] inline Unexpected<FileError> system_failure(int number, std::string_view what, std::string_view name)
{
    auto sentence = "Cannot " + std::string{what} + " " + std::string{name};
    sentence += ": " + std::generic_category().message(number) + ".";
    return Unexpected{FileError{number, std::move(sentence)}};
}

/// The files of a directory of the operating system, locked against a second process for as long as this lives.
class PosixFiles
{
public:
    class File
    {
    public:
        File(Descriptor descriptor, std::string name) : descriptor_(std::move(descriptor)), name_(std::move(name)) {}

        [[nodiscard]] Result<std::uint64_t, FileError> size()
        {
            struct ::stat status = {};
            if (::fstat(descriptor_.number(), &status) != 0)
                return failure("look at");
            return static_cast<std::uint64_t>(status.st_size);
        }

        [[nodiscard]] Result<Done, FileError>
        write(std::uint64_t offset, std::span<std::span<std::byte const> const> parts)
        {
            auto vectors = std::array<::iovec, 256>{};
            auto part = std::size_t{0};
            auto done = std::size_t{0}; // Of `parts[part]`.
            while (part < parts.size()) {
                auto count = std::size_t{0};
                for (auto next = part; next < parts.size() and count < vectors.size(); ++next, ++count) {
                    auto const rest = parts[next].subspan(next == part ? done : 0);
                    // The interface of the system is not const-correct; it only reads.
                    vectors[count] = {const_cast<std::byte*>(rest.data()), rest.size()};
                }
                auto const written = ::pwritev(descriptor_.number(), vectors.data(), static_cast<int>(count),
                                               static_cast<::off_t>(offset));
                if (written < 0 and errno == EINTR)
                    continue;
                if (written < 0)
                    return failure("write to");
                offset += static_cast<std::uint64_t>(written);
                done += static_cast<std::size_t>(written);
                while (part < parts.size() and done >= parts[part].size())
                    done -= parts[part++].size();
                if (written == 0 and part < parts.size())
                    return system_failure(EIO, "write to", name_);
            }
            return Done{};
        }

        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            auto done = std::size_t{0};
            while (done < into.size()) {
                auto const got = ::pread(descriptor_.number(), into.data() + done, into.size() - done,
                                         static_cast<::off_t>(offset + done));
                if (got < 0 and errno == EINTR)
                    continue;
                if (got < 0)
                    return failure("read");
                if (got == 0)
                    break;
                done += static_cast<std::size_t>(got);
            }
            return done;
        }

        [[nodiscard]] Result<Done, FileError> allocate(std::uint64_t new_size)
        {
            auto const old_size = size();
            if (not old_size)
                return Unexpected{old_size.error()};
            if (new_size <= *old_size)
                return Done{};
            // Asking for the space first finds out at once that there is too little. Writing the zeros makes the
            // blocks written ones, so that a later sync of data moves no metadata.
            auto const offset = static_cast<::off_t>(*old_size);
            if (auto const number =
                    ::posix_fallocate(descriptor_.number(), offset, static_cast<::off_t>(new_size - *old_size));
                number != 0 and number != EOPNOTSUPP and number != EINVAL)
                return system_failure(number, "allocate", name_);
            auto const zeros = std::vector<std::byte>(std::size_t{64} * 1024);
            for (auto at = *old_size; at < new_size;) {
                auto const part = std::span{zeros}.first(
                    static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), new_size - at)));
                auto const parts = std::array<std::span<std::byte const>, 1>{part};
                if (auto const written = write(at, parts); not written)
                    return written;
                at += part.size();
            }
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> truncate(std::uint64_t new_size)
        {
            if (::ftruncate(descriptor_.number(), static_cast<::off_t>(new_size)) != 0)
                return failure("shorten");
            return Done{};
        }

        [[nodiscard]] Result<Done, FileError> sync()
        {
            if (::fdatasync(descriptor_.number()) != 0)
                return failure("sync");
            return Done{};
        }

    private:
        [[nodiscard]] Unexpected<FileError> failure(std::string_view what) const
        {
            return system_failure(errno, what, name_);
        }

        Descriptor  descriptor_;
        std::string name_;
    };

    /// Opens and locks a directory that exists: `not_found` if it does not, `in_use` while another process, or another
    /// `PosixFiles` of this one, has it open.
    [[nodiscard]] static Result<PosixFiles, LogError> open_directory(std::filesystem::path const& path)
    {
        auto directory = Descriptor{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (directory.number() < 0)
            return Unexpected{LogError{errno == ENOENT ? LogFailure::not_found : LogFailure::unsupported,
                                       system_failure(errno, "open", path.native()).error.sentence}};
        if (::flock(directory.number(), LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK)
                return Unexpected{LogError{LogFailure::in_use, "Another process uses " + path.native() + "."}};
            return Unexpected{
                LogError{LogFailure::unsupported, system_failure(errno, "lock", path.native()).error.sentence}};
        }
        return PosixFiles{std::move(directory), path.native()};
    }

    /// The same, after making the directory where there is none, durably.
    [[nodiscard]] static Result<PosixFiles, LogError> make_directory(std::filesystem::path const& path)
    {
        if (auto const made = make_parents(path); not made)
            return Unexpected{LogError{LogFailure::unsupported, made.error().sentence}};
        return open_directory(path);
    }

    [[nodiscard]] Result<std::vector<std::string>, FileError> names()
    {
        auto const  descriptor = ::openat(directory_.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto* const stream = descriptor < 0 ? nullptr : ::fdopendir(descriptor);
        if (stream == nullptr) {
            auto const number = errno;
            if (descriptor >= 0)
                ::close(descriptor);
            return system_failure(number, "list", path_);
        }
        auto found = std::vector<std::string>{};
        errno = 0;
        while (auto const* const entry = ::readdir(stream)) {
            auto name = std::string{static_cast<char const*>(entry->d_name)};
            if (name != "." and name != "..")
                found.push_back(std::move(name));
        }
        auto const number = errno;
        ::closedir(stream);
        if (number != 0)
            return system_failure(number, "list", path_);
        return found;
    }

    [[nodiscard]] Result<File, FileError> open(std::string_view name) { return open_file(name, O_RDWR, "open"); }

    [[nodiscard]] Result<File, FileError> create(std::string_view name)
    {
        return open_file(name, O_RDWR | O_CREAT | O_EXCL, "create");
    }

    [[nodiscard]] Result<Done, FileError> rename(std::string_view from, std::string_view to)
    {
        auto const directory = directory_.number();
        if (::renameat(directory, std::string{from}.c_str(), directory, std::string{to}.c_str()) != 0)
            return system_failure(errno, "rename", path_ + "/" + std::string{from});
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> remove(std::string_view name)
    {
        if (::unlinkat(directory_.number(), std::string{name}.c_str(), 0) != 0)
            return system_failure(errno, "remove", path_ + "/" + std::string{name});
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> sync_directory()
    {
        if (::fsync(directory_.number()) != 0)
            return system_failure(errno, "sync", path_);
        return Done{};
    }

private:
    PosixFiles(Descriptor directory, std::string path) : directory_(std::move(directory)), path_(std::move(path)) {}

    /// Makes the directory and those above it, and syncs the parent of each one made.
    [[nodiscard]] static Result<Done, FileError> make_parents(std::filesystem::path const& path)
    {
        auto problem = std::error_code{};
        if (path.empty() or std::filesystem::is_directory(path, problem))
            return Done{};
        auto const parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
        if (auto const made = make_parents(parent); not made)
            return made;
        if (::mkdir(path.c_str(), 0777) != 0 and errno != EEXIST)
            return system_failure(errno, "make", path.native());
        auto const descriptor = Descriptor{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        if (descriptor.number() < 0 or ::fsync(descriptor.number()) != 0)
            return system_failure(errno, "sync", parent.native());
        return Done{};
    }

    [[nodiscard]] Result<File, FileError> open_file(std::string_view name, int flags, std::string_view what)
    {
        auto path = path_ + "/" + std::string{name};
        auto descriptor = Descriptor{::openat(directory_.number(), std::string{name}.c_str(), flags | O_CLOEXEC, 0666)};
        if (descriptor.number() < 0)
            return system_failure(errno, what, path);
        return File{std::move(descriptor), std::move(path)};
    }

    Descriptor  directory_; ///< Holds the lock.
    std::string path_;
};

static_assert(log_files<PosixFiles>);

} // namespace totora
