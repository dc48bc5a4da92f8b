// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// Reads the header of a segment of this server's log: nothing if the file has none that was written for this
/// generation, a refusal if it has one that another version, another server or a newer feature wrote.
template <typename File>
[[nodiscard]] Result<std::optional<SegmentHeader>, LogError>
read_header(SegmentWindow<File>& source, std::uint64_t generation, Identity const& identity)
{
    auto const begin = source.bytes(0, sealed_header_size);
    auto const size = begin.size() < sealed_header_size ? 0 : get<std::uint32_t>(begin.data() + 12);
    auto const bytes = source.bytes(0, std::max<std::uint64_t>(size, segment_header_size));
    if (source.failure())
        return not_read(*source.failure());
    // A file that never was a segment is all zeros here; one of another version is named so only if its checksum is
    // right.
    if (is_intact_header(bytes))
        if (auto const ours = check_format(segment_name(generation), segment_magic, bytes); not ours)
            return Unexpected{ours.error()};
    auto header = decode_segment_header(bytes);
    if (header and header->generation != generation)
        header.reset();
    if (header and (header->needed & ~known_features) != 0)
        return of_newer_version("Something in the file " + segment_name(generation));
    if (header and (header->cluster != identity.cluster or header->id != identity.id or
                    header->incarnation != identity.incarnation or header->group != identity.group))
        return log_failure(LogFailure::foreign_format,
                           "The file " + segment_name(generation) + " belongs to another server's log.");
    return header;
}

} // namespace totora::inline v0
