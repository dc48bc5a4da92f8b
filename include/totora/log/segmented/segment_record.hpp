// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/checksum.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace totora::inline v0
{

/// The kind of a record in a segment. Its three numbers are:
enum class RecordKind : std::uint8_t
{
    vote = 1,     ///< The term, the server voted for (0 for none), 0.
    append = 2,   ///< The index of the first entry, 0, 0; the entries follow.
    truncate = 3, ///< The first index removed, 0, 0.
    seal = 4,    ///< Ends a batch: its number, the newest batch that was durable when it was written, the commit index.
    next = 5,    ///< The log continues in another segment, whose file existed before: its generation, its size, 0.
    compact = 6, ///< The log begins after an entry that it holds: its index, its term, 0; a `LogBoundary` follows.
    install = 7, ///< A snapshot took the place of the log, which begins and ends there: as for `compact`.
};

/// The head of a record:
///
/// offset | size | field
/// ---|---|---
/// 0 | 4 | CRC32C of the bytes 4 to 47, seeded by the segment's seed and the offset in the file
/// 4 | 4 | CRC32C of the checksums (4 bytes each) of the entries that follow, or of the boundary; 0 if nothing follows
/// 8 | 4 | length of what follows in bytes, without padding
/// 12 | 4 | number of entries that follow
/// 16 | 1 | kind (`RecordKind`)
/// 17 | 7 | reserved, 0
/// 24 | 24 | three numbers
///
/// A record begins at a multiple of 8; zeros pad what follows the head. An entry carries its own checksum, so that its payload is
/// not read again when the record is written.
struct RecordHead
{
    RecordKind                   kind{};
    std::array<std::uint64_t, 3> numbers{};
    std::uint32_t                body_size = 0;
    std::uint32_t                count = 0;
    std::uint32_t                body_guard = 0;

    friend constexpr bool operator==(RecordHead const&, RecordHead const&) = default;
};

inline constexpr std::size_t record_head_size = 48;
inline constexpr std::size_t record_alignment = 8;

[[nodiscard]] constexpr std::uint64_t aligned(std::uint64_t size)
{
    return (size + record_alignment - 1) / record_alignment * record_alignment;
}

/// The bytes that a record takes in its segment.
[[nodiscard]] constexpr std::uint64_t size_of(RecordHead const& head)
{
    return record_head_size + aligned(head.body_size);
}

/// The seed of the checksums of a segment's records: a record that remains from an earlier use of the file, or from
/// another server's segment, never passes for one of this segment.
struct SegmentSeed
{
    std::uint32_t value = 0;
};

[[nodiscard]] constexpr SegmentSeed segment_seed(Identity const& identity, std::uint64_t generation)
{
    auto  bytes = std::array<std::byte, 40>{};
    auto* to = put(put(put(bytes.data(), identity.cluster.value), identity.id.value), identity.incarnation.value);
    put(put(to, identity.group), generation);
    return {crc32c(bytes)};
}

/// The checksum of an encoded head.
[[nodiscard]] constexpr std::uint32_t
head_guard(std::span<std::byte const> head, SegmentSeed seed, std::uint64_t offset)
{
    auto place = std::array<std::byte, 8>{};
    put(place.data(), offset);
    return crc32c(head.subspan(4, record_head_size - 4), crc32c(place, seed.value));
}

constexpr void encode_head(std::span<std::byte> into, RecordHead const& head, SegmentSeed seed, std::uint64_t offset)
{
    auto* to = put(into.data() + 4, head.body_guard);
    to = put(put(to, head.body_size), head.count);
    to = put(to, std::uint64_t{static_cast<std::uint8_t>(head.kind)});
    for (auto const number : head.numbers)
        to = put(to, number);
    put(into.data(), head_guard(into, seed, offset));
}

/// Whether this version knows a kind of records.
[[nodiscard]] constexpr bool is_known(RecordKind kind)
{
    return kind >= RecordKind::vote and kind <= RecordKind::install;
}

/// Whether a record moves the beginning of the log: a boundary follows its head.
[[nodiscard]] constexpr bool moves_boundary(RecordKind kind)
{
    return kind == RecordKind::compact or kind == RecordKind::install;
}

/// The head at the beginning of `bytes`, if it is intact and was written at this place. Its kind is 0 if this version
/// does not know it, or if reserved bytes are in use.
[[nodiscard]] constexpr std::optional<RecordHead>
decode_head(std::span<std::byte const> bytes, SegmentSeed seed, std::uint64_t offset)
{
    if (bytes.size() < record_head_size)
        return std::nullopt;
    auto const* const from = bytes.data();
    auto const        kind = get<std::uint64_t>(from + 16);
    if (get<std::uint32_t>(from) != head_guard(bytes, seed, offset))
        return std::nullopt;
    auto const known = kind <= 0xFF and is_known(static_cast<RecordKind>(kind));
    return RecordHead{
        .kind = known ? static_cast<RecordKind>(kind) : RecordKind{},
        .numbers = {get<std::uint64_t>(from + 24), get<std::uint64_t>(from + 32), get<std::uint64_t>(from + 40)},
        .body_size = get<std::uint32_t>(from + 8),
        .count = get<std::uint32_t>(from + 12),
        .body_guard = get<std::uint32_t>(from + 4)};
}

/// Continues the guard of a record's entries by the checksum of one more.
[[nodiscard]] constexpr std::uint32_t extend_body_guard(std::uint32_t guard, std::uint32_t entry_guard)
{
    auto bytes = std::array<std::byte, 4>{};
    put(bytes.data(), entry_guard);
    return crc32c(bytes, guard);
}

} // namespace totora::inline v0
