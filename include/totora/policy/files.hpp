// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// A failed call to the operating system: `errno` (of which `ENOSPC` is distinguished), and what was tried on which file.
struct FileError
{
    int number = 0;
    std::string what;
};

/// What a call that gives nothing back succeeds with.
struct Done
{
};

/// The files of one directory, as far as a log needs them: small enough that a simulated disk can stand in for them.
///
/// Names have no slash. A user of files takes them over, so that they can be moved. `File` is a movable handle that
/// closes itself. Nothing is durable before its sync: the bytes and the size of a file after `sync` on it, its name
/// (created, renamed or removed) after `sync_directory`.
/// `write` writes all of it or fails; calls on different handles, and `sync` beside `write`, may come from two threads.
template <typename T>
concept log_files = requires(T& files, typename T::File& file, std::string_view name, std::uint64_t offset,
                             std::span<std::byte const> bytes, std::span<std::byte> into,
                             std::span<std::span<std::byte const> const> parts) {
    requires std::move_constructible<T>;
    requires std::movable<typename T::File>;
    /// All names in the directory, in any order.
    { files.names() } -> std::same_as<Result<std::vector<std::string>, FileError>>;
    /// To read and write. Fails if it does not exist.
    { files.open(name) } -> std::same_as<Result<typename T::File, FileError>>;
    /// To read and write, empty. Fails if it exists.
    { files.create(name) } -> std::same_as<Result<typename T::File, FileError>>;
    /// Gives the first file the second name, in one step; a file that had it is gone.
    { files.rename(name, name) } -> std::same_as<Result<Done, FileError>>;
    { files.remove(name) } -> std::same_as<Result<Done, FileError>>;
    { files.sync_directory() } -> std::same_as<Result<Done, FileError>>;
    { file.size() } -> std::same_as<Result<std::uint64_t, FileError>>;
    /// Writes the parts one after the other.
    { file.write(offset, parts) } -> std::same_as<Result<Done, FileError>>;
    /// Reads up to `into.size()` bytes; fewer only at the end of the file.
    { file.read(offset, into) } -> std::same_as<Result<std::size_t, FileError>>;
    /// Makes the file at least this long, with its blocks really there and zero.
    { file.allocate(offset) } -> std::same_as<Result<Done, FileError>>;
    /// Shortens the file to this length.
    { file.truncate(offset) } -> std::same_as<Result<Done, FileError>>;
    { file.sync() } -> std::same_as<Result<Done, FileError>>;
};

} // namespace totora::inline v0
