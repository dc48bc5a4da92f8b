// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/snapshots/log_boundary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
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
    LogPosition                 base;       ///< The last entry that was compacted away.
    LogPosition                 last;       ///< The last entry when the segment was begun.
    LogBoundary                 boundary{}; ///< That of `base`, if `feature_boundary` is needed.
    std::vector<EarlierSegment> earlier;

    friend bool operator==(SegmentHeader const&, SegmentHeader const&) = default;
};

inline constexpr std::size_t segment_header_size = 24 + 18 * 8; ///< Without the earlier segments.

/// The bytes of a header that names so many earlier segments, or has as many blocks of 32 bytes.
[[nodiscard]] constexpr std::uint64_t header_size_for(std::size_t earlier)
{
    return segment_header_size + 32 * earlier;
}

/// The blocks of 32 bytes that a boundary takes in a header: its length (4), and the boundary. None for a log that is whole.
[[nodiscard]] inline std::size_t blocks_of(LogBoundary const& boundary)
{
    return boundary.base.index == Index{} ? 0 : (4 + encoded_size(boundary) + 31) / 32;
}

/// The bytes of a header. Its boundary stands in place of the first earlier segments, so that a version that does not know
/// `feature_boundary` can read the header, and refuses it.
[[nodiscard]] inline std::uint64_t size_of(SegmentHeader const& header)
{
    return header_size_for(header.earlier.size() + blocks_of(header.boundary));
}

/// Encodes a header: magic (8), version (4), length of the header (4), CRC32C of all its other bytes (4), number of
/// blocks of 32 bytes (4), the fields in order (8 each; term before index), the boundary, the earlier segments.
[[nodiscard]] inline std::vector<std::byte> encode_segment_header(SegmentHeader const& header)
{
    auto const blocks = blocks_of(header.boundary);
    auto       bytes = std::vector<std::byte>(static_cast<std::size_t>(size_of(header)));
    std::transform(segment_magic.begin(), segment_magic.begin() + 8, bytes.begin(),
                   [](char letter) { return std::byte(letter); });
    put(put(bytes.data() + 8, log_format_version), static_cast<std::uint32_t>(bytes.size()));
    auto* to = put(bytes.data() + 20, static_cast<std::uint32_t>(blocks + header.earlier.size()));
    for (auto const number :
         {header.cluster.value, header.id.value, header.incarnation.value, header.group, header.needed,
          header.ignorable, header.generation, header.start, header.batch, header.durable_batch, header.size,
          header.current_term.value, header.voted_for.value, header.commit_index.value, header.base.term.value,
          header.base.index.value, header.last.term.value, header.last.index.value})
        to = put(to, number);
    if (blocks > 0) {
        auto const boundary = encode_boundary(header.boundary);
        std::copy(boundary.begin(), boundary.end(), put(to, static_cast<std::uint32_t>(boundary.size())));
        to += 32 * blocks;
    }
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

/// Reads the boundary that the blocks of a header begin with. Returns how many of them it takes, nothing if it is none.
[[nodiscard]] inline std::optional<std::size_t> read_boundary(std::span<std::byte const> blocks, SegmentHeader& header)
{
    auto const size = blocks.size() < 4 ? 0 : std::size_t{get<std::uint32_t>(blocks.data())};
    if (size == 0 or size > blocks.size() - 4)
        return std::nullopt;
    auto boundary = decode_boundary(blocks.subspan(4, size), header.base);
    if (not boundary or header.base.index == Index{})
        return std::nullopt;
    header.boundary = *std::move(boundary);
    return (4 + size + 31) / 32;
}

/// The header at the beginning of a file; nothing if there is no intact one. Of one that needs what this version does not know,
/// only the fields.
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
    auto const known = (header.needed & ~known_features) == 0;
    auto const blocks = (header.needed & feature_boundary) == 0
                            ? std::optional{std::size_t{0}}
                            : read_boundary(bytes.subspan(segment_header_size, 32 * count), header);
    if (not known or not blocks)
        return known ? std::nullopt : std::optional{std::move(header)};
    from += 32 * *blocks;
    for (auto at = *blocks; at < count; ++at) {
        auto& earlier = header.earlier.emplace_back();
        for (auto* const field : {&earlier.generation, &earlier.batch, &earlier.last.value, &earlier.length})
            *field = number();
    }
    return header;
}

} // namespace totora::inline v0
