// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/snapshots/reception_record.hpp"
#include "totora/log/snapshots/snapshot_digest.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// One file that is being written, on the thread that writes snapshots. Whatever fails ends the attempt, and removes the file.
///
/// It is synced on the way, every `sync_bytes`. Of one that is received the header records up to where, when that is durable: a later process goes
/// on from there.
template <log_files Files>
class SnapshotAttempt
{
public:
    SnapshotAttempt(Files& files, Identity const& identity, std::uint64_t sync_bytes)
        : files_(files), cluster_(identity.cluster), sync_bytes_(sync_bytes)
    {}

    /// Begins a file, to receive this snapshot or for one of the server's own; what was written of another is dropped.
    void begin(std::uint64_t number, std::optional<SnapshotId> const& received)
    {
        received_ = received;
        has_ended_ = false;
        drop();
        number_ = number;
        digest_ = SnapshotDigest{};
        record_ = ReceptionRecord{};
        failure_.reset();
    }

    /// Goes on with a file of an earlier process.
    void resume(Reception<typename Files::File> found)
    {
        begin(found.number, found.id);
        end_ = snapshot_file_header_size + found.record.bytes;
        synced_ = end_;
        digest_ = std::move(found.digest);
        record_ = found.record;
        file_.emplace(std::move(found.file));
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
        if (outcome and end_ - synced_ >= sync_bytes_) {
            outcome = file_->sync();
            synced_ = end_;
            if (outcome and received_ and digest_.seen() < received_->bytes)
                outcome = record();
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
        record_ = ReceptionRecord{};
        return StoredSnapshot{id, header->configurations, header->peers, is_received};
    }

    /// Removes what was written.
    void drop()
    {
        if (std::exchange(file_, std::nullopt))
            (void)files_.remove(unfinished_snapshot_name(number_));
        // Nothing is to go on with it. Should it return all the same, it is what it says.
        if (std::exchange(record_, ReceptionRecord{}).bytes > 0)
            (void)files_.sync_directory();
    }

    /// Ends the attempt, for a reason that is no file's.
    void fail(LogError error)
    {
        failure_ = std::move(error);
        drop();
    }

    /// Why a reception cannot go on, once, as soon as that is known: it has ended then, and is not finished any more.
    [[nodiscard]] std::optional<LogError> take_early_failure()
    {
        if (not failure_ or not received_ or std::exchange(has_ended_, true))
            return std::nullopt;
        return failure_;
    }

    /// Whether its end was taken.
    [[nodiscard]] bool has_ended() const { return has_ended_; }

    [[nodiscard]] std::uint64_t                    number() const { return number_; }
    [[nodiscard]] std::optional<SnapshotId> const& received() const { return received_; }

private:
    using Outcome = Result<Done, FileError>;

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

    [[nodiscard]] Outcome write_header(SnapshotFileHeader const& header)
    {
        auto const bytes = record_.bytes > 0 ? encode_reception(header, record_) : encode_snapshot_file_header(header);
        auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
        return file_->write(0, parts);
    }

    /// All that was written is durable: records that, in one sector. The record is durable with the next sync; until then the one before
    /// counts.
    [[nodiscard]] Outcome record()
    {
        if (record_.bytes == 0) // A later process is to find the file.
            if (auto const synced = files_.sync_directory(); not synced)
                return synced;
        record_ = {digest_.seen(), digest_.checksum()};
        return write_header({cluster_, 0, true, *received_});
    }

    /// The record stays beside the header: the power may fail before the name is there.
    [[nodiscard]] Outcome name(SnapshotFileHeader const& header)
    {
        if (auto const written = write_header(header); not written)
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
    std::uint64_t                       sync_bytes_;
    std::uint64_t                       number_ = 0;
    std::optional<SnapshotId>           received_; ///< The one that is received.
    std::optional<typename Files::File> file_;     ///< Once something was written.
    std::uint64_t                       end_ = 0;
    std::uint64_t                       synced_ = 0; ///< Up to where the file was synced on the way.
    SnapshotDigest                      digest_;
    ReceptionRecord                     record_;  ///< The newest that was written.
    std::optional<LogError>             failure_; ///< What has ended the attempt.
    bool                                has_ended_ = false;
};

} // namespace totora::inline v0
