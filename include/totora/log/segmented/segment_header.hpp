// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace totora::inline v0
{

inline constexpr FileMagic segment_magic{"totorasg"};

/// An earlier segment that still holds entries of the log: 32 bytes, generation, first batch, last index, length.
struct EarlierSegment
{
    std::uint64_t generation = 0;
    std::uint64_t batch = 0;  ///< The first batch of which it holds a part.
    Index         last;       ///< The last entry of the log in it; later ones in it were truncated.
    std::uint64_t length = 0; ///< Bytes from this offset on were never part of the log.

    friend constexpr bool operator==(EarlierSegment const&, EarlierSegment const&) = default;
};

/// A segment to which nothing is added any more, and which the log still needs.
struct SealedSegment
{
    std::uint64_t generation = 0;
    std::uint64_t length = 0;     ///< Of its records; the index may follow.
    std::uint64_t last_batch = 0; ///< If this batch is durable, so is the segment.

    friend constexpr bool operator==(SealedSegment const&, SealedSegment const&) = default;
};

/// The header of a segment: everything in earlier segments that is not an entry, so that they may be removed.
struct SegmentHeader
{
    ClusterId                   cluster;
    ServerId                    id;
    Incarnation                 incarnation;
    std::uint64_t               group = 0;      ///< Of the cluster; 0 as long as it has one.
    std::uint64_t               needed = 0;     ///< `FormatFeature`s that a reader must support.
    std::uint64_t               ignorable = 0;  ///< Those that a reader may ignore.
    std::uint64_t               generation = 0; ///< Of this segment; also in its name. Every use of a file has another.
    std::uint64_t               start = 0;      ///< The start of the process that wrote it.
    std::uint64_t               batch = 0;      ///< The batch that the segment begins in.
    std::uint64_t               durable_batch = 0; ///< The newest batch that was durable when the segment was begun.
    std::uint64_t               size = 0;          ///< Of the whole segment.
    Term                        current_term;
    ServerId                    voted_for; ///< `nobody` for none.
    Index                       commit_index;
    LogPosition                 base; ///< The last entry that was compacted away.
    LogPosition                 last; ///< The last entry when the segment was begun.
    std::vector<EarlierSegment> earlier;

    friend bool operator==(SegmentHeader const&, SegmentHeader const&) = default;
};

inline constexpr std::size_t segment_header_size = 24 + 18 * 8; ///< Without the earlier segments.

[[nodiscard]] constexpr std::uint64_t header_size_for(std::size_t earlier)
{
    return segment_header_size + 32 * earlier;
}

/// Encodes a header: magic (8), version (4), length of the header (4), CRC32C of all its other bytes (4), number of
/// earlier segments (4), the fields in order (8 each; term before index), the earlier segments.
[[nodiscard]] inline std::vector<std::byte> encode_segment_header(SegmentHeader const& header)
{
    auto bytes = std::vector<std::byte>(static_cast<std::size_t>(header_size_for(header.earlier.size())));
    std::transform(segment_magic.begin(), segment_magic.begin() + 8, bytes.begin(),
                   [](char letter) { return std::byte(letter); });
    put(put(bytes.data() + 8, log_format_version), static_cast<std::uint32_t>(bytes.size()));
    auto* to = put(bytes.data() + 20, static_cast<std::uint32_t>(header.earlier.size()));
    for (auto const number :
         {header.cluster.value, header.id.value, header.incarnation.value, header.group, header.needed,
          header.ignorable, header.generation, header.start, header.batch, header.durable_batch, header.size,
          header.current_term.value, header.voted_for.value, header.commit_index.value, header.base.term.value,
          header.base.index.value, header.last.term.value, header.last.index.value})
        to = put(to, number);
    for (auto const& earlier : header.earlier)
        to = put(put(put(put(to, earlier.generation), earlier.batch), earlier.last.value), earlier.length);
    auto const all = std::span<std::byte const>{bytes};
    put(bytes.data() + 16, crc32c(all.subspan(20), crc32c(all.first(16))));
    return bytes;
}

/// Whether a file begins with an intact header of a segment, of this version or another: its first 20 bytes have the
/// same layout in all versions.
[[nodiscard]] inline bool is_intact_header(std::span<std::byte const> bytes)
{
    if (bytes.size() < sealed_header_size or not has_magic(segment_magic, bytes))
        return false;
    auto const size = get<std::uint32_t>(bytes.data() + 12);
    if (size < sealed_header_size or size > bytes.size())
        return false;
    return get<std::uint32_t>(bytes.data() + 16) == crc32c(bytes.first(size).subspan(20), crc32c(bytes.first(16)));
}

/// The header at the beginning of a file; nothing if there is no intact one.
[[nodiscard]] inline std::optional<SegmentHeader> decode_segment_header(std::span<std::byte const> bytes)
{
    if (bytes.size() < segment_header_size or not is_intact_header(bytes) or not check_format("", segment_magic, bytes))
        return std::nullopt;
    auto const size = get<std::uint32_t>(bytes.data() + 12);
    auto const count = std::size_t{get<std::uint32_t>(bytes.data() + 20)};
    if (count > bytes.size() / 32 or size != header_size_for(count))
        return std::nullopt;
    auto const* from = bytes.data() + 24;
    auto const  number = [&from] {
        auto const value = get<std::uint64_t>(from);
        from += 8;
        return value;
    };
    auto header = SegmentHeader{};
    header.cluster.value = number();
    header.id.value = number();
    header.incarnation.value = number();
    for (auto* const field : {&header.group, &header.needed, &header.ignorable, &header.generation, &header.start,
                              &header.batch, &header.durable_batch, &header.size, &header.current_term.value,
                              &header.voted_for.value, &header.commit_index.value, &header.base.term.value,
                              &header.base.index.value, &header.last.term.value, &header.last.index.value})
        *field = number();
    for (auto at = std::size_t{0}; at < count; ++at) {
        auto& earlier = header.earlier.emplace_back();
        for (auto* const field : {&earlier.generation, &earlier.batch, &earlier.last.value, &earlier.length})
            *field = number();
    }
    return header;
}

} // namespace totora::inline v0
