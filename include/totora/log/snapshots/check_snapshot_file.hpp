// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/snapshots/snapshot_attempt.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace totora::inline v0
{

/// Reads all of a snapshot's file and checks it. `damaged` if a byte of it is not as it was written.
template <typename File>
[[nodiscard]] Result<Done, LogError> check_snapshot_file(File& file, std::string const& name, SnapshotId const& id)
{
    constexpr auto block_size = std::uint64_t{1} << 18U;
    auto const     whole = snapshot_file_header_size + id.bytes;
    auto           digest = SnapshotDigest{};
    auto           block = std::vector<std::byte>{};
    for (auto offset = std::uint64_t{0}; offset < whole; offset += block.size()) {
        block.resize(static_cast<std::size_t>(offset == 0 ? snapshot_file_header_size
                                                          : std::min<std::uint64_t>(block_size, whole - offset)));
        auto const got = file.read(offset, block);
        if (not got)
            return log_failure(LogFailure::read_failed, got.error());
        auto const is_header = offset == 0;
        auto const header = is_header ? decode_snapshot_file_header(block) : std::nullopt;
        if (*got < block.size() or (is_header and (not header or header->id != id)))
            return log_failure(LogFailure::damaged, "The file " + name + " is damaged or too short.");
        if (not is_header)
            digest.add(block);
    }
    if (not digest.header_of(id))
        return log_failure(LogFailure::damaged, "The file " + name + ", a snapshot up to entry " +
                                                    std::to_string(id.last.index.value) + ", is damaged.");
    return Done{};
}

} // namespace totora::inline v0
