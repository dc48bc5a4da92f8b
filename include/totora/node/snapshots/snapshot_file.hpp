// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
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
#include <string>
#include <utility>
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

/// Neighbouring bytes of a snapshot.
using SnapshotBlocks = std::vector<PinnedBytes>;

/// Reads what a state machine wrote of a snapshot, and nothing before or after it. What is at hand of its beginning is not read again.
template <typename Log>
class SnapshotReader final : public SnapshotSource
{
public:
    SnapshotReader(Log& log, SnapshotId const& id, ReadSnapshotHeader const& header, SnapshotBlocks at_hand = {})
        : SnapshotSource(header.header.machine_format), log_(log), id_(id), offset_(header.size),
          at_hand_(std::move(at_hand))
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
        auto block = next_block(std::min<std::uint64_t>(end - offset_, snapshot_block_size));
        if (not block or block->bytes.empty()) {
            failure_ = block ? LogError{LogFailure::read_failed, "a snapshot ends before its end"} : block.error();
            return false;
        }
        block_ = *std::move(block);
        unread_ =
            block_.bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(block_.bytes.size(), end - offset_)));
        offset_ += unread_.size();
        return true;
    }

    [[nodiscard]] Result<PinnedBytes, LogError> next_block(std::uint64_t wanted)
    {
        while (used_ < at_hand_.size()) {
            auto       block = std::move(at_hand_[used_++]);
            auto const begin = std::exchange(at_hand_end_, at_hand_end_ + block.bytes.size());
            if (at_hand_end_ <= offset_)
                continue;
            block.bytes = block.bytes.subspan(static_cast<std::size_t>(offset_ - begin));
            return block;
        }
        return log_.read_snapshot(id_, offset_, wanted);
    }

    Log&                       log_;
    SnapshotId                 id_;
    std::uint64_t              offset_; ///< Of what was not read from the log yet.
    SnapshotBlocks             at_hand_;
    std::size_t                used_ = 0;        ///< So many of these blocks...
    std::uint64_t              at_hand_end_ = 0; ///< ... which end here.
    PinnedBytes                block_;
    std::span<std::byte const> unread_; ///< Of the block.
    std::optional<LogError>    failure_;
};

/// Checks that the bytes of a snapshot, in order, are those that its identity names.
class CheckedContent
{
public:
    explicit CheckedContent(SnapshotId const& id) : id_(id), check_(id) {}

    [[nodiscard]] SnapshotId const& id() const { return id_; }
    [[nodiscard]] std::uint64_t     seen() const { return check_.seen(); }

    /// Whether nothing more is to be added.
    [[nodiscard]] bool ends() const { return is_faulty_ or seen() >= id_.bytes; }

    /// The next bytes; none if there are no more. The header is in the first.
    void add(std::span<std::byte const> bytes)
    {
        if (not header_) {
            auto const read = decode_snapshot_header(bytes);
            if (read)
                header_ = *read;
            else
                fault_ = read.error();
        }
        is_faulty_ = is_faulty_ or not header_ or bytes.empty();
        check_.add(bytes);
    }

    /// Its header, if all were added and are right.
    [[nodiscard]] Result<ReadSnapshotHeader, LogError> header() const
    {
        if (not header_ or not check_.is_whole() or header_->header.last != id_.last)
            return Unexpected{LogError{LogFailure::damaged, std::string{to_string(fault_)}}};
        return *header_;
    }

private:
    SnapshotId                        id_;
    SnapshotCheck                     check_;
    std::optional<ReadSnapshotHeader> header_;
    SnapshotFault fault_ = SnapshotFault::damaged; ///< If it is not whole, and nothing else was found on the way.
    bool          is_faulty_ = false;
};

/// Reads a whole snapshot and checks it: why it is not the one that its identity names, or its header.
template <typename Log>
[[nodiscard]] Result<ReadSnapshotHeader, LogError> check_snapshot(Log& log, SnapshotId const& id)
{
    auto content = CheckedContent{id};
    while (not content.ends()) {
        auto const block = log.read_snapshot(id, content.seen(), snapshot_block_size);
        if (not block)
            return Unexpected{block.error()};
        content.add(block->bytes);
    }
    return content.header();
}

} // namespace totora::inline v0
