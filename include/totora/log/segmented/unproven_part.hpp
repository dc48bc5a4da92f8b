// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/policy/files.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// A part of a segment that recovery read and nothing proves durable: it may be in the page cache only.
struct UnprovenPart
{
    std::uint64_t generation = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// Makes parts of segments durable by writing and syncing them again. After a sync that failed, their pages are clean
/// in the page cache and differ from the disk: a second sync alone would write nothing.
template <log_files Files>
[[nodiscard]] Result<Done, FileError> make_durable(Files& files, std::vector<UnprovenPart> const& parts)
{
    for (auto const& part : parts) {
        auto file = files.open(segment_name(part.generation));
        if (not file)
            return Unexpected{file.error()};
        auto bytes = std::vector<std::byte>{};
        for (auto offset = part.begin; offset < part.end; offset += bytes.size()) {
            bytes.resize(static_cast<std::size_t>(
                std::min(SegmentWindow<typename Files::File>::window_size, part.end - offset)));
            if (auto const got = file->read(offset, bytes); not got)
                return Unexpected{got.error()};
            auto const spans = std::array<std::span<std::byte const>, 1>{bytes};
            if (auto const written = file->write(offset, spans); not written)
                return written;
        }
        if (auto const synced = file->sync(); not synced)
            return synced;
    }
    return files.sync_directory();
}

} // namespace totora::inline v0
