// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/numbers.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/snapshots/snapshot_digest.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

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

/// The refusal to open a log of which a file that was not finished could not be read.
[[nodiscard]] inline Unexpected<LogError> reception_not_read(FileError const& error)
{
    auto refusal = not_read(error);
    refusal.error.what += " It holds no more than a part of a snapshot: without it, that is received again.";
    return refusal;
}

/// The bytes from `offset` on as they are in a file; false if there are fewer.
template <typename File>
[[nodiscard]] Result<bool, LogError> fill_block(File& file, std::uint64_t offset, std::vector<std::byte>& block)
{
    auto const got = file.read(offset, block);
    if (not got)
        return reception_not_read(got.error());
    return *got == block.size();
}

/// What of a snapshot can be gone on with from a file that was not finished: what its record names, if all of that is there and has the
/// checksum of the record. Nothing if not; then the transfer begins at 0 (case 29). An error if it cannot be read.
template <log_files Files>
[[nodiscard]] Result<std::optional<Reception<typename Files::File>>, LogError>
find_reception(Files& files, std::string const& name, ClusterId cluster)
{
    using Found = std::optional<Reception<typename Files::File>>;
    auto file = files.open(name);
    if (not file)
        return reception_not_read(file.error());
    auto       block = std::vector<std::byte>(snapshot_file_header_size);
    auto const begins = fill_block(*file, 0, block);
    if (not begins or not *begins)
        return begins ? Result<Found, LogError>{Found{}} : Unexpected{begins.error()};
    auto const header = decode_snapshot_file_header(block);
    if (not header or header->cluster != cluster or header->needed != 0 or not header->is_received)
        return Found{};
    auto const record = decode_reception(block);
    if (not record or record->bytes == 0 or record->bytes >= header->id.bytes)
        return Found{};
    auto digest = SnapshotDigest{};
    while (digest.seen() < record->bytes) {
        block.resize(
            static_cast<std::size_t>(std::min<std::uint64_t>(std::uint64_t{1} << 18U, record->bytes - digest.seen())));
        auto const filled = fill_block(*file, snapshot_file_header_size + digest.seen(), block);
        if (not filled or not *filled)
            return filled ? Result<Found, LogError>{Found{}} : Unexpected{filled.error()};
        digest.add(block);
    }
    if (digest.checksum() != record->checksum)
        return Found{};
    return Found{{*snapshot_number_of(name), header->id, *std::move(file), std::move(digest), *record}};
}

} // namespace totora::inline v0
