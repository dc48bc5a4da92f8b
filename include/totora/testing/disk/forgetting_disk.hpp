// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/files.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// The calls that a log makes of its files, for tests that interfere.
enum class FileCall : std::uint8_t
{
    names,
    open,
    create,
    rename,
    remove,
    sync_directory,
    size,
    write,
    read,
    allocate,
    truncate,
    sync,
};

} // namespace totora::inline v0

namespace totora::inline v0::testing
{

/// A disk that forgets what was not synced when the power is cut. What it forgets, and how, is up to its model;
/// `DiskFiles` is the directory that a log sees of any.
///
/// Models: `ForgetfulDisk` (any sector of any unsynced change; for two threads), `CrashDisk` (knows every image that can be found),
/// `simulate::SimulatedDisk` (virtual time and faults; quick).
// clang-format off: version 14 cannot format requires-expressions.
template <typename Disk>
concept forgetting_disk = requires(Disk& disk, typename Disk::Node& node, typename Disk::Call& call, FileCall kind,
                                   std::string_view name, std::uint64_t number, std::span<std::byte const> bytes,
                                   int error, typename Disk::Session session)
{
    requires std::same_as<typename Disk::Handle, Disk*> or std::same_as<typename Disk::Handle, std::shared_ptr<Disk>>;
    /// Identifies the power session in which a file was opened.
    {
        disk.session()
        } -> std::same_as<typename Disk::Session>;
    /// Every call of a log begins with it, and ends when the result is destroyed. All that follows happens between the two.
    {
        disk.begin(kind, name, session)
        } -> std::same_as<typename Disk::Call>;
    /// 0, or the `errno` to fail with.
    {
        call.error()
        } -> std::same_as<int>;
    /// The power was cut since the file was opened: nothing may change.
    {
        call.is_dead()
        } -> std::same_as<bool>;
    {
        disk.failure(error, kind, name)
        } -> std::same_as<FileError>;
    /// How many more bytes the files may have.
    {
        disk.space_left()
        } -> std::same_as<std::uint64_t>;
    /// The names as programs see them: a map to nodes.
    {
        disk.names().begin()->first
        } -> std::convertible_to<std::string_view>;
    /// Null if there is none.
    {
        disk.find(name)
        } -> std::same_as<std::shared_ptr<typename Disk::Node>>;
    {
        disk.create(name)
        } -> std::same_as<std::shared_ptr<typename Disk::Node>>;
    {
        disk.rename(name, name)
        } -> std::same_as<void>;
    {
        disk.remove(name)
        } -> std::same_as<void>;
    {
        disk.sync_names()
        } -> std::same_as<void>;
    {
        node.now()
        } -> std::same_as<std::vector<std::byte> const&>;
    {
        disk.write(node, name, number, bytes)
        } -> std::same_as<void>;
    /// Makes a file at least this long.
    {
        disk.allocate(node, name, number)
        } -> std::same_as<void>;
    {
        disk.truncate(node, name, number)
        } -> std::same_as<void>;
    /// 0, or the `errno` that the sync failed with.
    {
        disk.sync(node, name, call)
        } -> std::same_as<int>;
};
// clang-format on

/// The session of a disk whose files are gone when its power is cut.
struct AnySession
{};

/// A call of a disk that is used by one thread.
struct PlainCall
{
    int number = 0;

    [[nodiscard]] int                   error() const { return number; }
    [[nodiscard]] static constexpr bool is_dead() { return false; }
};

} // namespace totora::inline v0::testing
