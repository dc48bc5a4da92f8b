// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/numbers.hpp"
#include "totora/log/segmented/sealed_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

inline constexpr FileMagic        snapshot_file_magic{"totorass"};
inline constexpr std::string_view snapshot_file_prefix = "snapshot-";

/// The name of a snapshot's file: "snapshot-" and its number as 16 hexadecimal digits.
[[nodiscard]] inline std::string snapshot_file_name(std::uint64_t number)
{
    auto name = std::string{snapshot_file_prefix};
    for (auto digit = 16U; digit-- > 0;)
        name.push_back("0123456789abcdef"[number >> 4U * digit & 0xFU]);
    return name;
}

/// The name that it has until it is whole and durable; recovery removes such a file.
[[nodiscard]] inline std::string unfinished_snapshot_name(std::uint64_t number)
{
    return snapshot_file_name(number) + ".new";
}

/// The number in the name of a snapshot's file, finished or not; nothing if it is no such name.
[[nodiscard]] inline std::optional<std::uint64_t> snapshot_number_of(std::string_view name)
{
    auto       number = std::uint64_t{0};
    auto const digits = name.substr(std::min(snapshot_file_prefix.size(), name.size()));
    std::from_chars(digits.data(), digits.data() + std::min<std::size_t>(digits.size(), 16), number, 16);
    auto const is_one = name == snapshot_file_name(number) or name == unfinished_snapshot_name(number);
    return is_one ? std::optional{number} : std::nullopt;
}

/// What a file says of the snapshot in it, whose bytes follow this header. See docs/formats.md.
struct SnapshotFileHeader
{
    ClusterId     cluster;
    std::uint64_t needed = 0;          ///< Features that a reader must support; none so far.
    bool          is_received = false; ///< Of another server.
    SnapshotId    id;

    friend bool operator==(SnapshotFileHeader const&, SnapshotFileHeader const&) = default;
};

/// Where the bytes of the snapshot begin in its file: the header is written in one sector.
inline constexpr std::size_t snapshot_file_header_size = 512;

inline constexpr std::size_t snapshot_file_content_size = 56; ///< Seven numbers.

[[nodiscard]] inline std::vector<std::byte> encode_snapshot_file_header(SnapshotFileHeader const& header)
{
    auto bytes = std::vector<std::byte>(snapshot_file_header_size);
    std::transform(snapshot_file_magic.begin(), snapshot_file_magic.begin() + 8, bytes.begin(),
                   [](char letter) { return std::byte(letter); });
    put(put(bytes.data() + 8, log_format_version), static_cast<std::uint32_t>(snapshot_file_content_size));
    auto* to = put(put(bytes.data() + sealed_header_size, header.cluster.value), header.needed);
    to = put(to, std::uint64_t{header.is_received ? 1U : 0U});
    to = put(put(to, header.id.last.index.value), header.id.last.term.value);
    put(put(to, header.id.bytes), header.id.checksum);
    auto const all = std::span<std::byte const>{bytes};
    put(bytes.data() + 16, crc32c(all.subspan(sealed_header_size, snapshot_file_content_size), crc32c(all.first(16))));
    return bytes;
}

/// The header at the beginning of a file; nothing if there is no intact one of this version of the format.
[[nodiscard]] inline std::optional<SnapshotFileHeader> decode_snapshot_file_header(std::span<std::byte const> bytes)
{
    if (bytes.size() < snapshot_file_header_size or not check_format("", snapshot_file_magic, bytes) or
        get<std::uint32_t>(bytes.data() + 12) != snapshot_file_content_size or
        get<std::uint32_t>(bytes.data() + 16) !=
            crc32c(bytes.subspan(sealed_header_size, snapshot_file_content_size), crc32c(bytes.first(16))))
        return std::nullopt;
    auto const number = [&](std::size_t at) { return get<std::uint64_t>(bytes.data() + sealed_header_size + 8 * at); };
    return SnapshotFileHeader{.cluster = {number(0)},
                              .needed = number(1),
                              .is_received = (number(2) & 1U) != 0,
                              .id = {{Term{number(4)}, Index{number(3)}}, number(5), number(6)}};
}

} // namespace totora::inline v0
