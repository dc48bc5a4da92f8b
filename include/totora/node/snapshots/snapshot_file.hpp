// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_machine.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// How many bytes of a snapshot are written or read at once.
inline constexpr std::size_t snapshot_block_size = std::size_t{64} << 10U;

/// Writes a snapshot of a server's own into its log, in blocks, and computes its checksum.
template <typename Log>
class SnapshotWriter final : public SnapshotSink
{
public:
    explicit SnapshotWriter(Log& log) : log_(log) {}

    /// Begins a file.
    void begin(SnapshotHeader const& header)
    {
        id_ = SnapshotId{.last = header.last};
        block_.clear();
        block_.reserve(snapshot_block_size);
        log_.begin_snapshot();
        write(encode_snapshot_header(header));
    }

    void write(std::span<std::byte const> bytes) override
    {
        while (not bytes.empty()) {
            auto const fits = std::min(bytes.size(), snapshot_block_size - block_.size());
            block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(fits));
            bytes = bytes.subspan(fits);
            if (block_.size() == snapshot_block_size)
                flush();
        }
    }

    /// The file is complete.
    void finish()
    {
        flush();
        id_.checksum = checksum_of_file_;
        auto trailer = std::array<std::byte, snapshot_trailer_size>{};
        put(trailer.data(), checksum_of_file_);
        log_.write_snapshot(trailer);
        id_.bytes += trailer.size();
        log_.finish_snapshot(id_);
        block_ = {};
        checksum_of_file_ = 0;
    }

    /// There will be no such file.
    void drop()
    {
        log_.drop_snapshot();
        block_ = {};
        checksum_of_file_ = 0;
    }

private:
    void flush()
    {
        checksum_of_file_ = crc32c(block_, checksum_of_file_);
        id_.bytes += block_.size();
        log_.write_snapshot(block_);
        block_.clear();
    }

    Log&                   log_;
    std::vector<std::byte> block_;
    SnapshotId             id_;
    std::uint32_t          checksum_of_file_ = 0;
};

/// Reads what a state machine wrote of a snapshot, and nothing before or after it.
template <typename Log>
class SnapshotReader final : public SnapshotSource
{
public:
    SnapshotReader(Log& log, SnapshotId const& id, ReadSnapshotHeader const& header)
        : SnapshotSource(header.header.machine_format), log_(log), id_(id), offset_(header.size)
    {}

    [[nodiscard]] std::size_t read(std::span<std::byte> into) override
    {
        auto filled = std::size_t{0};
        while (filled < into.size() and (not unread_.empty() or read_block())) {
            auto const taken = std::min(into.size() - filled, unread_.size());
            std::memcpy(into.data() + filled, unread_.data(), taken);
            filled += taken;
            unread_ = unread_.subspan(taken);
        }
        return filled;
    }

    /// Why it could not be read to its end, if that is so.
    [[nodiscard]] std::optional<LogError> const& failure() const { return failure_; }

private:
    /// Reads on; false at the end, and if that fails. A machine may ask for a few bytes at a time.
    [[nodiscard]] bool read_block()
    {
        auto const end = id_.bytes - snapshot_trailer_size;
        if (offset_ >= end or failure_)
            return false;
        auto const wanted = std::min<std::uint64_t>(end - offset_, snapshot_block_size);
        auto       block = log_.read_snapshot(id_, offset_, wanted);
        if (not block or block->bytes.empty()) {
            failure_ = block ? LogError{LogFailure::read_failed, "a snapshot ends before its end"} : block.error();
            return false;
        }
        block_ = *std::move(block);
        unread_ = block_.bytes.first(std::min<std::size_t>(block_.bytes.size(), static_cast<std::size_t>(wanted)));
        offset_ += unread_.size();
        return true;
    }

    Log&                       log_;
    SnapshotId                 id_;
    std::uint64_t              offset_; ///< Of what was not read from the log yet.
    PinnedBytes                block_;
    std::span<std::byte const> unread_; ///< Of the block.
    std::optional<LogError>    failure_;
};

/// Reads a whole snapshot and checks that it is the one that its identity names: why it is not, or its header.
template <typename Log>
[[nodiscard]] Result<ReadSnapshotHeader, LogError> check_snapshot(Log& log, SnapshotId const& id)
{
    auto check = SnapshotCheck{id};
    auto header = std::optional<ReadSnapshotHeader>{};
    while (check.seen() < id.bytes) {
        auto const block = log.read_snapshot(id, check.seen(), snapshot_block_size);
        if (not block)
            return Unexpected{block.error()};
        if (not header) {
            auto const read = decode_snapshot_header(block->bytes);
            if (not read)
                return Unexpected{LogError{LogFailure::damaged, std::string{to_string(read.error())}}};
            header = *read;
        }
        if (block->bytes.empty())
            break;
        check.add(block->bytes);
    }
    if (not header or not check.is_whole() or header->header.last != id.last)
        return Unexpected{LogError{LogFailure::damaged, std::string{to_string(SnapshotFault::damaged)}}};
    return *header;
}

} // namespace totora::inline v0
