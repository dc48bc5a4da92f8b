// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
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

/// One file that is being written, on the thread that writes snapshots. Whatever fails ends the attempt, and removes the file.
template <log_files Files>
class SnapshotAttempt
{
public:
    SnapshotAttempt(Files& files, Identity const& identity) : files_(files), cluster_(identity.cluster) {}

    /// Begins a file; what was written of another is dropped.
    void begin(std::uint64_t number)
    {
        drop();
        number_ = number;
        digest_ = SnapshotDigest{};
        failure_.reset();
    }

    /// Adds the next bytes.
    void write(std::span<std::byte const> bytes)
    {
        if (failure_ or bytes.empty())
            return;
        digest_.add(bytes);
        auto       outcome = file_ ? Result<Done, FileError>{Done{}} : create();
        auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
        if (outcome)
            outcome = file_->write(end_, parts);
        end_ += bytes.size();
        // A part at a time, so that the last sync is short, and the disk is free for the log between two.
        if (outcome and end_ - synced_ >= sync_every) {
            outcome = file_->sync();
            synced_ = end_;
        }
        if (not outcome)
            fail(outcome.error());
    }

    /// Gives the file its name, durably, if it is the whole of this snapshot.
    [[nodiscard]] Result<StoredSnapshot, LogError> finish(SnapshotId const& id, bool is_received)
    {
        auto const header = digest_.header_of(id);
        if (not failure_ and not header)
            failure_ = LogError{LogFailure::damaged, "The snapshot is not the one that its identity names."};
        if (not failure_)
            if (auto const named = name({cluster_, 0, is_received, id}); not named)
                fail(named.error());
        if (failure_) {
            drop();
            return Unexpected{*failure_};
        }
        file_.reset();
        return StoredSnapshot{id, header->configurations, is_received};
    }

    /// Removes what was written.
    void drop()
    {
        if (std::exchange(file_, std::nullopt))
            (void)files_.remove(unfinished_snapshot_name(number_));
    }

    /// Ends the attempt, for a reason that is no file's.
    void fail(LogError error)
    {
        failure_ = std::move(error);
        drop();
    }

    [[nodiscard]] std::uint64_t number() const { return number_; }

private:
    using Outcome = Result<Done, FileError>;

    static constexpr std::uint64_t sync_every = std::uint64_t{1} << 20U;

    void fail(FileError const& error) { fail(log_failure(LogFailure::write_failed, error).error); }

    [[nodiscard]] Outcome create()
    {
        auto file = files_.create(unfinished_snapshot_name(number_));
        if (not file)
            return Unexpected{file.error()};
        file_.emplace(std::move(*file));
        end_ = snapshot_file_header_size;
        synced_ = end_;
        return Done{};
    }

    [[nodiscard]] Outcome name(SnapshotFileHeader const& header)
    {
        auto const bytes = encode_snapshot_file_header(header);
        auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
        if (auto const written = file_->write(0, parts); not written)
            return written;
        if (auto const synced = file_->sync(); not synced)
            return synced;
        if (auto const renamed = files_.rename(unfinished_snapshot_name(number_), snapshot_file_name(number_));
            not renamed)
            return renamed;
        auto const synced = files_.sync_directory();
        if (not synced)
            (void)files_.remove(snapshot_file_name(number_)); // Should it return after a crash, it is whole.
        return synced;
    }

    Files&                              files_;
    ClusterId                           cluster_;
    std::uint64_t                       number_ = 0;
    std::optional<typename Files::File> file_; ///< Once something was written.
    std::uint64_t                       end_ = 0;
    std::uint64_t                       synced_ = 0; ///< Up to where the file was synced on the way.
    SnapshotDigest                      digest_;
    std::optional<LogError>             failure_; ///< What has ended the attempt.
};

} // namespace totora::inline v0
