// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/log/segmented/posix_calls.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace totora::inline v0
{

/// What `errno` says about a failed call.
[[nodiscard]] inline Unexpected<FileError> system_failure(int number, std::string_view what, std::string_view name)
{
    auto sentence = "Cannot " + std::string{what} + " " + std::string{name};
    sentence += ": " + std::generic_category().message(number) + ".";
    return Unexpected{FileError{number, std::move(sentence)}};
}

/// The files of a directory of the operating system, locked against a second process for as long as this lives.
///
/// No file gets the descriptor 0, 1 or 2: in a program whose standard streams are closed, what somebody prints would land
/// in it. Directories and files are made for their owner alone. `Calls` is `PosixCalls`, but in tests.
template <typename Calls>
class BasicPosixFiles
{
    using Descriptor = BasicDescriptor<Calls>;

public:
    class File
    {
    public:
        File(Descriptor descriptor, std::string name) : descriptor_(std::move(descriptor)), name_(std::move(name)) {}

        [[nodiscard]] Result<std::uint64_t, FileError> size()
        {
            struct ::stat status = {};
            if (made_again([&] { return Calls::status(descriptor_.number(), status); }) != 0)
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
                auto const written = made_again([&] {
                    return Calls::write(descriptor_.number(), vectors.data(), static_cast<int>(count),
                                        static_cast<::off_t>(offset));
                });
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
                auto const got = made_again([&] {
                    return Calls::read(descriptor_.number(), into.data() + done, into.size() - done,
                                       static_cast<::off_t>(offset + done));
                });
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
            auto const asked = made_again([&] {
                return Calls::allocate(descriptor_.number(), static_cast<::off_t>(*old_size),
                                       static_cast<::off_t>(new_size - *old_size));
            });
            if (asked != 0 and not cannot_allocate(errno))
                return failure("allocate");
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
            auto const size = static_cast<::off_t>(new_size);
            if (made_again([&] { return Calls::truncate(descriptor_.number(), size); }) != 0)
                return failure("shorten");
            return Done{};
        }

        /// Made again if a signal interrupted it, and after no other error: the system may then have dropped what it could
        /// not write, and would say the next time that all is well.
        [[nodiscard]] Result<Done, FileError> sync()
        {
            if (made_again([&] { return Calls::sync_data(descriptor_.number()); }) != 0)
                return failure("sync");
            return Done{};
        }

    private:
        /// A file system that has no such call, or a sandbox that does not let it through, is none the less one to write to.
        [[nodiscard]] static bool cannot_allocate(int number)
        {
            return number == ENOSYS or number == EPERM or number == EOPNOTSUPP or number == EINVAL;
        }

        [[nodiscard]] Unexpected<FileError> failure(std::string_view what) const
        {
            return system_failure(errno, what, name_);
        }

        Descriptor  descriptor_;
        std::string name_;
    };

    /// Opens and locks a directory that exists: `not_found` if it does not, `in_use` while another process, or another
    /// `PosixFiles` of this one, has it open.
    [[nodiscard]] static Result<BasicPosixFiles, LogError> open_directory(std::filesystem::path const& path)
    {
        auto directory = descriptor_of_directory(path.native());
        if (not directory)
            return log_failure(directory.error().number == ENOENT ? LogFailure::not_found : LogFailure::unsupported,
                               directory.error());
        if (made_again([&] { return Calls::lock(directory->number()); }) != 0) {
            if (errno == EWOULDBLOCK)
                return Unexpected{LogError{LogFailure::in_use, "Another process uses " + path.native() + "."}};
            return Unexpected{
                LogError{LogFailure::unsupported, system_failure(errno, "lock", path.native()).error.what}};
        }
        return BasicPosixFiles{std::move(*directory), path.native()};
    }

    /// The same, after making the directory where there is none, durably.
    [[nodiscard]] static Result<BasicPosixFiles, LogError> make_directory(std::filesystem::path const& path)
    {
        if (auto const made = make_parents(path); not made)
            return log_failure(LogFailure::unsupported, made.error());
        return open_directory(path);
    }

    /// What a log should not be kept on without knowing it, for the operator; empty if there is nothing to say.
    ///
    /// Limit: a file system that copies what it writes over needs space for that, also in a segment that was made ready.
    /// `has_room` cannot see it, and a full disk ends the log there.
    [[nodiscard]] std::string caution() const
    {
        static constexpr auto copying = std::array{0x9123683EL, 0x2FC12FC1L, 0xCA451A4EL}; // btrfs, zfs, bcachefs
        auto const            kind = Calls::file_system(directory_.number());
        if (std::find(copying.begin(), copying.end(), kind) == copying.end())
            return {};
        return "The file system of " + path_ +
               " copies what is written over, so that space cannot be kept for it: if it fills up, the log fails "
               "instead of "
               "refusing more.";
    }

    [[nodiscard]] Result<std::vector<std::string>, FileError> names()
    {
        auto descriptor = opened(".", O_RDONLY | O_DIRECTORY);
        if (not descriptor)
            return system_failure(descriptor.error(), "list", path_);
        auto* const stream = Calls::list(descriptor->number());
        if (stream == nullptr)
            return system_failure(errno, "list", path_);
        (void)descriptor->release(); // It is the stream's now.
        auto found = std::vector<std::string>{};
        errno = 0;
        while (auto const* const entry = Calls::next_name(stream)) {
            auto name = std::string{static_cast<char const*>(entry->d_name)};
            if (name != "." and name != "..")
                found.push_back(std::move(name));
            errno = 0;
        }
        auto const number = errno;
        Calls::end_list(stream);
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
        auto const old_name = std::string{from};
        auto const new_name = std::string{to};
        if (made_again([&] { return Calls::rename(directory_.number(), old_name.c_str(), new_name.c_str()); }) != 0)
            return system_failure(errno, "rename", path_ + "/" + old_name);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> remove(std::string_view name)
    {
        auto const removed = std::string{name};
        if (made_again([&] { return Calls::remove(directory_.number(), removed.c_str()); }) != 0)
            return system_failure(errno, "remove", path_ + "/" + removed);
        return Done{};
    }

    [[nodiscard]] Result<Done, FileError> sync_directory()
    {
        if (made_again([&] { return Calls::sync(directory_.number()); }) != 0)
            return system_failure(errno, "sync", path_);
        return Done{};
    }

private:
    static constexpr int first_free_of_streams = 3; ///< The lowest descriptor that is no standard stream's.

    BasicPosixFiles(Descriptor directory, std::string path) : directory_(std::move(directory)), path_(std::move(path))
    {}

    /// Makes the directory and those above it, and syncs the parent of each one made.
    [[nodiscard]] static Result<Done, FileError> make_parents(std::filesystem::path const& path)
    {
        auto problem = std::error_code{};
        if (path.empty() or std::filesystem::is_directory(path, problem))
            return Done{};
        auto const parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
        if (auto const made = make_parents(parent); not made)
            return made;
        if (made_again([&] { return Calls::make_directory(path.c_str(), S_IRWXU); }) != 0 and errno != EEXIST)
            return system_failure(errno, "make", path.native());
        auto const descriptor = descriptor_of_directory(parent.native());
        if (not descriptor)
            return Unexpected{descriptor.error()};
        if (made_again([&] { return Calls::sync(descriptor->number()); }) != 0)
            return system_failure(errno, "sync", parent.native());
        return Done{};
    }

    /// Nothing can be written to a directory, so that it may stand among the standard streams for a moment.
    [[nodiscard]] static Result<Descriptor, FileError> descriptor_of_directory(std::string const& path)
    {
        // It must not take, for that moment, what `opened` looks for.
        auto const one_at_a_time = std::lock_guard{opening_};
        auto       descriptor = Descriptor{
            made_again([&] { return Calls::open(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); })};
        if (descriptor.number() >= 0 and descriptor.number() < first_free_of_streams)
            descriptor = above_the_streams(descriptor);
        if (descriptor.number() < 0)
            return system_failure(errno, "open", path);
        return descriptor;
    }

    /// Opens a file of the directory, or says with which error that failed.
    [[nodiscard]] Result<Descriptor, int> opened(std::string const& name, int flags)
    {
        // Another thread that opened a file could take what is held here, at the moment when it is let go.
        auto const lock = std::lock_guard{opening_};
        auto       held = std::vector<Descriptor>{}; // While these are taken, no file gets them.
        do {
            held.emplace_back(made_again([&] { return Calls::duplicate(directory_.number(), 0); }));
            if (held.back().number() < 0)
                return Unexpected{errno};
        } while (held.back().number() < first_free_of_streams);
        held.pop_back();
        auto descriptor = Descriptor{made_again(
            [&] { return Calls::open(directory_.number(), name.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR); })};
        if (descriptor.number() >= 0 and descriptor.number() < first_free_of_streams) // Closed by the program just now.
            descriptor = above_the_streams(descriptor);
        if (descriptor.number() < 0)
            return Unexpected{errno};
        return descriptor;
    }

    /// The same open file under a number that is no standard stream's.
    [[nodiscard]] static Descriptor above_the_streams(Descriptor const& descriptor)
    {
        return Descriptor{made_again([&] { return Calls::duplicate(descriptor.number(), first_free_of_streams); })};
    }

    [[nodiscard]] Result<File, FileError> open_file(std::string_view name, int flags, std::string_view what)
    {
        auto path = path_ + "/" + std::string{name};
        auto descriptor = opened(std::string{name}, flags);
        if (not descriptor)
            return system_failure(descriptor.error(), what, path);
        return File{std::move(*descriptor), std::move(path)};
    }

    inline static std::mutex opening_; ///< Held while a file or a directory is opened, whichever it is.

    Descriptor  directory_; ///< Holds the lock.
    std::string path_;
};

/// The files of a directory of this machine.
using PosixFiles = BasicPosixFiles<PosixCalls>;

static_assert(log_files<PosixFiles>);

} // namespace totora::inline v0
