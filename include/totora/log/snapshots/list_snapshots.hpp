// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A snapshot and the number of its file.
struct SnapshotFile
{
    StoredSnapshot snapshot;
    std::uint64_t  number = 0;
};

/// The snapshots of a directory, known by their headers.
struct SnapshotsFound
{
    std::vector<SnapshotFile> files; ///< In the order of their indexes.
    std::vector<std::string>  unfinished;
    std::vector<std::string>  damaged; ///< Files whose headers cannot be read, or that are shorter than these say.
    std::uint64_t             newest_number = 0;
};

/// What a file says that it holds; nothing if that cannot be read.
template <log_files Files>
[[nodiscard]] Result<std::optional<StoredSnapshot>, LogError>
read_snapshot_header(Files& files, std::string const& name, Identity const& identity)
{
    auto file = files.open(name);
    if (not file)
        return not_read(file.error());
    auto const size = file->size();
    auto       bytes = std::vector<std::byte>(snapshot_file_header_size + snapshot_header_max);
    auto const got = file->read(0, bytes);
    if (not size or not got)
        return not_read(size ? got.error() : size.error());
    auto const read = std::span<std::byte const>{bytes}.first(*got);
    auto const header = decode_snapshot_file_header(read);
    if (not header)
        return std::optional<StoredSnapshot>{};
    if (header->needed != 0)
        return of_newer_version("Something in the file " + name);
    if (header->cluster != identity.cluster)
        return log_failure(LogFailure::foreign_format,
                           "The file " + name + " belongs to another cluster. Remove it from this directory.");
    auto const inner = decode_snapshot_header(read.subspan(snapshot_file_header_size));
    if (not inner or inner->header.last != header->id.last or *size < snapshot_file_header_size + header->id.bytes)
        return std::optional<StoredSnapshot>{};
    return std::optional{
        StoredSnapshot{header->id, inner->header.configurations, inner->header.peers, header->is_received}};
}

/// Reads the headers of these files. A received snapshot at or below `base` is one of the server's own: its install is durable, or
/// it is of no use any more.
template <log_files Files>
[[nodiscard]] Result<SnapshotsFound, LogError>
list_snapshots(Files& files, std::vector<std::string> const& names, Identity const& identity, Index base)
{
    auto found = SnapshotsFound{};
    for (auto const& name : names) {
        auto const number = *snapshot_number_of(name);
        found.newest_number = std::max(found.newest_number, number);
        if (name != snapshot_file_name(number)) {
            found.unfinished.push_back(name);
            continue;
        }
        auto read = read_snapshot_header(files, name, identity);
        if (not read)
            return Unexpected{read.error()};
        if (not *read) {
            found.damaged.push_back(name);
            continue;
        }
        auto stored = **std::move(read);
        stored.is_received = stored.is_received and stored.id.last.index > base;
        found.files.push_back({std::move(stored), number});
    }
    std::sort(found.files.begin(), found.files.end(), [](SnapshotFile const& one, SnapshotFile const& other) {
        return std::pair{one.snapshot.id.last.index, one.number} <
               std::pair{other.snapshot.id.last.index, other.number};
    });
    return found;
}

} // namespace totora::inline v0
