// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/checksum.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/numbers.hpp"
#include "totora/log/snapshots/snapshot_digest.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// So many bytes of a snapshot that is received were durable when this was written, and what their checksum is.
struct ReceptionRecord
{
    std::uint64_t bytes = 0;
    std::uint32_t checksum = 0;
};

/// Where the record begins in the sector of the file's header. It is written with that header, and names no other.
inline constexpr std::size_t reception_record_begin = 256;
inline constexpr std::size_t reception_record_size = 12; ///< Without its own checksum.

/// The sector of a file's header, with a record.
[[nodiscard]] inline std::vector<std::byte>
encode_reception(SnapshotFileHeader const& header, ReceptionRecord const& record)
{
    auto  bytes = encode_snapshot_file_header(header);
    auto* end = put(put(bytes.data() + reception_record_begin, record.bytes), record.checksum);
    put(end, crc32c(std::span{bytes}.subspan(reception_record_begin, reception_record_size),
                    get<std::uint32_t>(bytes.data() + 16)));
    return bytes;
}

/// The record beside a header that is intact; nothing if there is none.
[[nodiscard]] inline std::optional<ReceptionRecord> decode_reception(std::span<std::byte const> sector)
{
    auto const* const begin = sector.data() + reception_record_begin;
    if (get<std::uint32_t>(begin + reception_record_size) !=
        crc32c(sector.subspan(reception_record_begin, reception_record_size), get<std::uint32_t>(sector.data() + 16)))
        return std::nullopt;
    return ReceptionRecord{get<std::uint64_t>(begin), get<std::uint32_t>(begin + 8)};
}

/// A reception that a process did not finish, and what of it was read again and found to be as it was recorded.
template <typename File>
struct Reception
{
    std::uint64_t   number = 0; ///< Of the file.
    SnapshotId      id;
    File            file;
    SnapshotDigest  digest; ///< Of what is there.
    ReceptionRecord record;
};

/// What of a snapshot can be gone on with from a file that was not finished: what its record names, if all of that is there and has the
/// checksum of the record. Nothing if not, or if it cannot be read; then the transfer begins at 0 (case 29).
template <log_files Files>
[[nodiscard]] std::optional<Reception<typename Files::File>>
find_reception(Files& files, std::string const& name, ClusterId cluster)
{
    auto       file = files.open(name);
    auto       block = std::vector<std::byte>(snapshot_file_header_size);
    auto const fills_block = [&](std::uint64_t offset) {
        auto const got = file->read(offset, block);
        return got and *got == block.size();
    };
    if (not file or not fills_block(0))
        return std::nullopt;
    auto const header = decode_snapshot_file_header(block);
    if (not header or header->cluster != cluster or header->needed != 0 or not header->is_received)
        return std::nullopt;
    auto const record = decode_reception(block);
    if (not record or record->bytes == 0 or record->bytes >= header->id.bytes)
        return std::nullopt;
    auto digest = SnapshotDigest{};
    while (digest.seen() < record->bytes) {
        block.resize(
            static_cast<std::size_t>(std::min<std::uint64_t>(std::uint64_t{1} << 18U, record->bytes - digest.seen())));
        if (not fills_block(snapshot_file_header_size + digest.seen()))
            return std::nullopt;
        digest.add(block);
    }
    if (digest.checksum() != record->checksum)
        return std::nullopt;
    return Reception<typename Files::File>{*snapshot_number_of(name), header->id, *std::move(file), std::move(digest),
                                           *record};
}

} // namespace totora::inline v0
