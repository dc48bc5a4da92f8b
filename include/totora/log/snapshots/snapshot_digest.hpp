// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/snapshot_format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// Checks the bytes of a snapshot as they pass, in order, before its identity is known.
class SnapshotDigest
{
public:
    void add(std::span<std::byte const> bytes)
    {
        seen_ += bytes.size();
        head_.insert(head_.end(), bytes.begin(),
                     bytes.begin() +
                         static_cast<std::ptrdiff_t>(std::min(bytes.size(), snapshot_header_max - head_.size())));
        // The last bytes are not covered by the checksum, and which are the last is known at the end only.
        if (bytes.size() >= snapshot_trailer_size) {
            checksum_ = crc32c(bytes.first(bytes.size() - snapshot_trailer_size), crc32c(tail_, checksum_));
            tail_.assign(bytes.end() - snapshot_trailer_size, bytes.end());
            return;
        }
        tail_.insert(tail_.end(), bytes.begin(), bytes.end());
        auto const covered = tail_.size() - std::min(tail_.size(), snapshot_trailer_size);
        checksum_ = crc32c(std::span{tail_}.first(covered), checksum_);
        tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(covered));
    }

    /// How many bytes have passed, and their checksum.
    [[nodiscard]] std::uint64_t seen() const { return seen_; }
    [[nodiscard]] std::uint32_t checksum() const { return crc32c(tail_, checksum_); }

    /// The header, if what passed is the whole of this snapshot.
    [[nodiscard]] std::optional<SnapshotHeader> header_of(SnapshotId const& id) const
    {
        auto const header = decode_snapshot_header(head_);
        if (seen_ != id.bytes or tail_.size() != snapshot_trailer_size or
            get<std::uint32_t>(tail_.data()) != checksum_ or checksum_ != id.checksum or not header or
            header->header.last != id.last)
            return std::nullopt;
        return header->header;
    }

private:
    std::vector<std::byte> head_; ///< As many bytes as a header can have.
    std::vector<std::byte> tail_; ///< The last bytes, as many as a trailer has.
    std::uint64_t          seen_ = 0;
    std::uint32_t          checksum_ = 0; ///< Of all bytes before `tail_`.
};

} // namespace totora::inline v0
