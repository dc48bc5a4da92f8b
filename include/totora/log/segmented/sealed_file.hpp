// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The version of everything in a log's directory.
inline constexpr std::uint32_t log_format_version = 1;

/// The feature of a segment's header that ends with a `LogBoundary`: the log begins after index 0.
inline constexpr std::uint64_t feature_boundary = 1;

/// The features that this version supports and the header of a segment may need.
inline constexpr std::uint64_t known_features = feature_boundary;

/// Those that the file "identity" may need: none so far.
inline constexpr std::uint64_t known_identity_features = 0;

/// Eight letters that identify the kind of a file.
using FileMagic = std::array<char, 9>;

/// The size of the header of a sealed file, before its content:
///
/// offset | size | field
/// ---|---|---
/// 0 | 8 | magic
/// 8 | 4 | format version
/// 12 | 4 | length of the content
/// 16 | 4 | CRC32C of the bytes 0 to 15 and of the content
inline constexpr std::size_t sealed_header_size = 20;

/// Whether an error of the operating system means no space, or none left for this user. It is transient.
[[nodiscard]] constexpr bool is_lack_of_space(int number) { return number == ENOSPC or number == EDQUOT; }

/// Whether an error means a transient shortage: of space, descriptors or the system's memory.
[[nodiscard]] constexpr bool is_shortage(int number)
{
    return is_lack_of_space(number) or number == EMFILE or number == ENFILE or number == ENOMEM;
}

/// A failed call on a file, as a failure of the log.
[[nodiscard]] inline Unexpected<LogError> log_failure(LogFailure failure, FileError const& error)
{
    return Unexpected{LogError{is_lack_of_space(error.number) ? LogFailure::no_space : failure, error.what}};
}

[[nodiscard]] inline Unexpected<LogError> log_failure(LogFailure failure, std::string what)
{
    return Unexpected{LogError{failure, std::move(what)}};
}

/// What an operator can do when a start could not read a file.
[[nodiscard]] constexpr std::string_view remedy(int number)
{
    switch (number) {
    case EMFILE:
        return "Raise the limit of open files (ulimit -n), and start again.";
    case ENFILE:
    case ENOMEM:
        return "Start again when the machine has files and memory to spare.";
    case EACCES:
    case EPERM:
        return "Let the user of this process read and write that file, and start again.";
    default:
        return "Start again when it can be read; if the disk has lost it, restore the directory.";
    }
}

/// The refusal to open a log of which a file could not be read: what it holds may be whole, so nothing is cut or removed.
[[nodiscard]] inline Unexpected<LogError> not_read(FileError const& error)
{
    auto refusal = log_failure(LogFailure::read_failed, error);
    refusal.error.what += " Nothing was removed. ";
    refusal.error.what += remedy(error.number);
    return refusal;
}

[[nodiscard]] inline bool has_magic(FileMagic const& magic, std::span<std::byte const> bytes)
{
    return bytes.size() >= 12 and std::equal(bytes.begin(), bytes.begin() + 8, magic.begin(),
                                             [](auto byte, char letter) { return byte == std::byte(letter); });
}

/// Whether a file has this magic and the version of this program; otherwise the reason. The result is meaningful only
/// if the checksum of the file is right.
[[nodiscard]] inline Result<Done, LogError>
check_format(std::string_view name, FileMagic const& magic, std::span<std::byte const> bytes)
{
    auto const named = "The file " + std::string{name};
    if (not has_magic(magic, bytes))
        return log_failure(LogFailure::foreign_format, named + " is not part of a log of totora.");
    if (auto const version = get<std::uint32_t>(bytes.data() + 8); version != log_format_version)
        return log_failure(LogFailure::foreign_format, named + " has the format version " + std::to_string(version) +
                                                           "; this program reads version " +
                                                           std::to_string(log_format_version) + " only.");
    return Done{};
}

/// Replaces a small file atomically: a crash leaves the old one or the new one.
template <log_files Files>
[[nodiscard]] Result<Done, FileError>
write_sealed(Files& files, std::string_view name, FileMagic const& magic, std::span<std::byte const> content)
{
    auto header = std::array<std::byte, sealed_header_size>{};
    std::transform(magic.begin(), magic.begin() + 8, header.begin(), [](char letter) { return std::byte(letter); });
    put(put(header.data() + 8, log_format_version), static_cast<std::uint32_t>(content.size()));
    put(header.data() + 16, crc32c(content, crc32c(std::span{header}.first(16))));

    auto const unfinished = std::string{name} + ".new";
    auto const names = files.names();
    if (not names)
        return Unexpected{names.error()};
    if (std::find(names->begin(), names->end(), unfinished) != names->end())
        if (auto const removed = files.remove(unfinished); not removed)
            return removed;
    auto file = files.create(unfinished);
    if (not file)
        return Unexpected{file.error()};
    auto const parts = std::array<std::span<std::byte const>, 2>{header, content};
    if (auto const written = file->write(0, parts); not written) {
        (void)files.remove(unfinished);
        return written;
    }
    if (auto const synced = file->sync(); not synced)
        return synced;
    if (auto const renamed = files.rename(unfinished, name); not renamed)
        return renamed;
    return files.sync_directory();
}

/// Reads up to `size_max` bytes from the beginning of a file.
template <log_files Files>
[[nodiscard]] Result<std::vector<std::byte>, LogError>
read_file(Files& files, std::string_view name, std::uint64_t size_max)
{
    auto file = files.open(name);
    if (not file)
        return not_read(file.error());
    auto const size = file->size();
    if (not size)
        return not_read(size.error());
    auto       bytes = std::vector<std::byte>(static_cast<std::size_t>(std::min(*size, size_max)));
    auto const got = file->read(0, bytes);
    if (not got)
        return not_read(got.error());
    bytes.resize(*got);
    return bytes;
}

/// The reason against removing a damaged directory.
inline constexpr std::string_view cannot_return =
    "without it this server cannot come back, since an empty one would break what it promised.";

/// The content of a sealed file that exists.
template <log_files Files>
[[nodiscard]] Result<std::vector<std::byte>, LogError>
read_sealed(Files& files, std::string_view name, FileMagic const& magic)
{
    static constexpr auto sealed_size_max = std::uint64_t{1} << 20U;
    auto                  bytes = read_file(files, name, sealed_size_max);
    if (not bytes)
        return bytes;
    auto const all = std::span<std::byte const>{*bytes};
    auto const ours = check_format(name, magic, all);
    if (not has_magic(magic, all))
        return Unexpected{ours.error()};
    if (all.size() < sealed_header_size or all.size() - sealed_header_size != get<std::uint32_t>(all.data() + 12) or
        get<std::uint32_t>(all.data() + 16) != crc32c(all.subspan(sealed_header_size), crc32c(all.first(16))))
        return log_failure(LogFailure::damaged,
                           "The file " + std::string{name} +
                               " is damaged. Restore the directory: " + std::string{cannot_return});
    if (not ours)
        return Unexpected{ours.error()};
    bytes->erase(bytes->begin(), bytes->begin() + sealed_header_size);
    return bytes;
}

} // namespace totora::inline v0
