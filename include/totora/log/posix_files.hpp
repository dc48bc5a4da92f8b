// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/log/posix/calls.hpp"
#include "totora/log/posix/file.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace totora::inline v0
{

/// The files of a directory of the operating system, locked against a second process until its destructor.
///
/// Invariant: no file gets the descriptor 0, 1 or 2; in a program whose standard streams are closed, printed text would
/// land in it. Directories and files are accessible to their owner only. `Calls` is `PosixCalls` except in tests.
template <typename Calls>
class BasicPosixFiles
{
    using Descriptor = BasicDescriptor<Calls>;

public:
    using File = BasicPosixFile<Calls>;

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

    /// The same, after creating the directory, durably, if there is none.
    [[nodiscard]] static Result<BasicPosixFiles, LogError> make_directory(std::filesystem::path const& path)
    {
        if (auto const made = make_parents(path); not made)
            return log_failure(LogFailure::unsupported, made.error());
        return open_directory(path);
    }

    /// A warning for the operator about the file system of this directory; empty if there is none.
    ///
    /// Limit: a copy-on-write file system needs space to overwrite, also in a preallocated segment. `has_room` cannot
    /// account for it, and a full disk fails the log there.
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
        (void)descriptor->release(); // The stream owns it now.
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

    /// Creates the directory and those above it, and syncs the parent of each one created.
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

    /// Opens a directory. It may hold the number of a standard stream for a moment: nothing can be written to it.
    [[nodiscard]] static Result<Descriptor, FileError> descriptor_of_directory(std::string const& path)
    {
        // Meanwhile it must not take a number that `opened` reserves.
        auto const one_at_a_time = std::lock_guard{opening_};
        auto       descriptor = Descriptor{
            made_again([&] { return Calls::open(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); })};
        if (descriptor.number() >= 0 and descriptor.number() < first_free_of_streams)
            descriptor = above_the_streams(descriptor);
        if (descriptor.number() < 0)
            return system_failure(errno, "open", path);
        return descriptor;
    }

    /// Opens a file of the directory; the `errno` if that failed.
    [[nodiscard]] Result<Descriptor, int> opened(std::string const& name, int flags)
    {
        // Without the lock, another thread that opens a file could take a number reserved here when it is released.
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

    inline static std::mutex opening_; ///< Held while any file or directory is opened.

    Descriptor  directory_; ///< Holds the lock.
    std::string path_;
};

/// The files of a directory of this machine.
using PosixFiles = BasicPosixFiles<PosixCalls>;

static_assert(log_files<PosixFiles>);

} // namespace totora::inline v0
