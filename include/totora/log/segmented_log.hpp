// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/payload.hpp"
#include "totora/log/log_directory.hpp"
#include "totora/log/segmented/log_recovery.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segmented_log_parts.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/log/syncer.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A durable log in the files of one directory.
///
/// All writes, of whatever kind, are records in one row through segments of a fixed size. A write is planned on the
/// node's thread, without access to a file, and goes to the disk on the syncer's: everything that waits is written and
/// synced at once. `docs/formats.md` has the bytes, `LogRecovery` reads them back.
///
/// Every start begins a new segment, so that the remains of a crash are neither overwritten nor read as new. The pins
/// of entries may be released on the syncer's thread. All calls come from the node's thread; moving the log moves no
/// part that the syncer uses.
template <log_files Files, log_syncer Syncer = ThreadSyncer>
class SegmentedLog : DurableSource
{
public:
    /// Makes the directory a log, once, durably; the files may then be passed to `open`. `already_exists` if it is one.
    /// Separate from a start: a directory that was wiped must not become the same server again (case 86).
    [[nodiscard]] static Result<Done, LogError> create(Files& files, Identity const& identity)
    {
        return create_log(files, identity);
    }

    /// Recovers the log, makes what was found durable, counts the start, and starts the syncer. Reads the newest segment,
    /// and of the others their indexes, or all of those that have none. `not_found` if `create` was never called,
    /// `damaged` if something durable that was read cannot be read back; nothing is cut then. Damage in a sealed segment
    /// is found when it is read or scrubbed.
    [[nodiscard]] static Result<SegmentedLog, LogError> open(Files files, SegmentedLogOptions const& options = {})
    {
        if (auto const fault = fault_in(options); not fault.empty())
            return log_failure(LogFailure::unsupported, std::string{fault});
        auto recovered = LogRecovery<Files>{files, options.on_progress}.run();
        if (not recovered)
            return Unexpected{recovered.error()};
        auto log = SegmentedLog{std::move(files), options, std::move(*recovered)};
        if (auto const begun = log.parts_->begin(); not begun)
            return Unexpected{begun.error()};
        return log;
    }

    SegmentedLog(SegmentedLog&&) noexcept = default;
    SegmentedLog& operator=(SegmentedLog&&) = delete;

    /// Waits for the work that is running. Without `close` it resembles a power loss: there is no mark of a clean stop.
    ~SegmentedLog()
    {
        if (not parts_)
            return;
        parts_->stop_helpers();
        parts_->syncer.stop();
    }

    /// Sets what another thread calls, until `close` or the destructor, when `durable`, `failure` or what can be read may have changed.
    void set_wake(std::function<void()> wake)
    {
        parts_->cold_blocks.set_wake(wake);
        parts_->writer.set_wake(std::move(wake));
    }

    /// The number of this start of a process on this directory: durable, and different for every start.
    [[nodiscard]] std::uint64_t start() const { return parts_->image.start; }

    [[nodiscard]] Result<Recovered, LogError> recover() { return parts_->found.state; }

    void save_vote(WriteNumber write, Term term, std::optional<ServerId> vote)
    {
        written_ = write;
        check(parts_->tail.add({.kind = RecordKind::vote, .numbers = {term.value, vote.value_or(nobody).value, 0}}));
        parts_->image.current_term = term;
        parts_->image.voted_for = vote;
    }

    void append(WriteNumber write, Entries const& entries)
    {
        written_ = write;
        if (not entries.empty())
            check(parts_->tail.add_entries(entries, parts_->options.record_bytes_max));
    }

    void truncate(WriteNumber write, Index index)
    {
        written_ = write;
        if (not parts_->image.index.holds(index))
            return;
        check(parts_->tail.add({.kind = RecordKind::truncate, .numbers = {index.value, 0, 0}}));
        parts_->image.truncate(index);
        parts_->prefix.truncate(index);
    }

    /// Segments of which nothing is left are given back with the next header, once a snapshot or the machine keeps what they hold.
    void compact(WriteNumber write, LogPosition base, Configurations const& configurations, KnownPeers const& peers)
    {
        written_ = write;
        auto const& runs = parts_->image.runs;
        if (base.index > runs.base().index and runs.holds(base))
            check(parts_->tail.compact({base, configurations, peers, {}, parts_->image.relies_on_machine}));
    }

    /// The snapshot is one that this log keeps.
    void install(WriteNumber write, SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        written_ = write;
        put_in_place(id, configurations, peers);
    }

    void save_commit(Index index) { parts_->wanted_commit = std::max(parts_->wanted_commit, index); }

    void sync()
    {
        if ((parts_->tail.empty() and synced_ == written_) or failure())
            return;
        if (parts_->tail.empty())
            parts_->confirm(written_);
        else
            parts_->seal(written_);
        synced_ = written_;
        if (parts_->tail.room() < parts_->options.segment_bytes / 4 * 3)
            parts_->pool.want(parts_->options.segment_bytes);
        parts_->syncer.request();
    }

    [[nodiscard]] Durable durable()
    {
        parts_->settle();
        return durable_through(parts_->writer.durable());
    }
    [[nodiscard]] std::optional<LogError> failure() const { return parts_->writer.failure(); }
    [[nodiscard]] LogPosition             last() const { return parts_->image.runs.last(); }

    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        auto        entries = Entries{};
        auto const& index = parts_->image.index;
        if (not index.holds(from) or up_to < from)
            return entries;
        up_to = index.last_within(from, up_to, bytes_max);
        auto const& pinned = parts_->image.pinned;
        auto const  pinned_first = pinned.empty() ? next(index.last()) : pinned.first();
        if (from < pinned_first) {
            auto const last_cold = before(pinned_first);
            auto const got = parts_->reader.read(from, std::min(up_to, last_cold), last_cold, entries);
            if (not got) {
                if (got.error().failure != LogFailure::not_now)
                    parts_->writer.fail(got.error());
                return Unexpected{got.error()};
            }
            if (*got < last_cold)
                return entries;
        }
        if (up_to >= pinned_first)
            pinned.read(std::max(from, pinned_first), up_to, index, entries);
        return entries;
    }

    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const
    {
        return parts_->image.index.bytes(first, up_to);
    }

    /// The bytes of a range that are not in memory.
    [[nodiscard]] std::uint64_t cold_bytes(Index first, Index up_to) const
    {
        auto const& pinned = parts_->image.pinned;
        return bytes(first, pinned.empty() ? up_to : std::min(up_to, before(pinned.first())));
    }

    [[nodiscard]] bool has_room(std::uint64_t bytes_more) const { return parts_->has_room(bytes_more); }

    /// How far the sealed segments were read in the background; nothing if they are not.
    [[nodiscard]] std::optional<ScrubStatus> scrub_status() const { return parts_->scrubber.status(); }

    /// Waits until everything is durable, and stops the syncer; after a failure it only stops the syncer. If space or
    /// descriptors for the mark of a clean stop are used up, it is omitted, and the next start resembles one after a
    /// crash.
    void close()
    {
        parts_->stop_helpers();
        if (not failure())
            parts_->seal(written_);
        parts_->syncer.stop();
        (void)parts_->writer.write_and_sync();
        if (failure())
            return;
        if (auto const marked = parts_->mark(true); not marked and not is_shortage(marked.error().number))
            check(marked);
    }

    /// The bytes of snapshots that wait in memory until they are written. The wake-up is called when they become few.
    [[nodiscard]] std::uint64_t snapshot_backlog() const { return parts_->snapshots.backlog(); }

    void begin_snapshot() { parts_->snapshots.begin(); }
    void write_snapshot(std::span<std::byte const> bytes) { parts_->snapshots.write(bytes); }
    void finish_snapshot(SnapshotId const& id) { parts_->snapshots.finish(id); }
    void drop_snapshot() { parts_->snapshots.drop(); }
    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        parts_->snapshots.store_chunk(id, offset, bytes);
    }
    void finish_chunks(SnapshotId const& id) { parts_->snapshots.finish_chunks(id); }
    void drop_chunks() { parts_->snapshots.drop_chunks(); }
    void remove_snapshot(SnapshotId const& id) { parts_->snapshots.remove(id); }

    [[nodiscard]] std::optional<SnapshotEnd>         snapshot_end() { return parts_->snapshots.next_end(); }
    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const { return parts_->snapshots.all(); }
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        return parts_->snapshots.read(id, offset, bytes_max);
    }
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot_aside(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        return parts_->snapshots.read_aside(id, offset, bytes_max);
    }

    /// After a start what an earlier process received, as far as it was recorded as durable, and was read again and found right.
    [[nodiscard]] SnapshotReception reception() const { return parts_->snapshots.reception(); }

    [[nodiscard]] std::optional<LogError> finish_install(SnapshotId const& id)
    {
        auto const* const stored = parts_->snapshots.find(id);
        if (stored == nullptr)
            return LogError{LogFailure::read_failed, "The log does not keep the snapshot that is to be installed."};
        put_in_place(id, stored->configurations, stored->peers);
        parts_->seal(written_);
        parts_->writer.write_and_sync();
        return failure();
    }

    [[nodiscard]] std::optional<LogError> rely_on_machine()
    {
        if (auto const boundary = parts_->image.rely_on_machine()) {
            check(parts_->tail.compact(*boundary));
            parts_->seal(written_);
            parts_->writer.write_and_sync();
        }
        return failure();
    }

private:
    using Parts = SegmentedLogParts<Files, Syncer>;

    SegmentedLog(Files files, SegmentedLogOptions const& options, RecoveredLog recovered)
        : parts_(std::make_unique<Parts>(std::move(files), options, std::move(recovered)))
    {}

    void put_in_place(SnapshotId const& id, Configurations const& configurations, KnownPeers const& peers)
    {
        if (parts_->snapshots.find(id) == nullptr)
            return parts_->writer.fail({LogFailure::write_failed, "A snapshot was to be installed that is not kept."});
        check(parts_->tail.install({id.last, configurations, peers, id, parts_->image.relies_on_machine}));
        parts_->snapshots.note_install(id);
        parts_->prefix.truncate(next(parts_->wanted_commit)); // Only what is committed is still known to be durable.
    }

    void check(Result<Done, FileError> const& outcome)
    {
        if (not outcome)
            parts_->writer.fail({LogFailure::write_failed, outcome.error().what});
    }

    std::unique_ptr<Parts> parts_;
    WriteNumber            written_;
    WriteNumber            synced_; ///< The newest write for which a sync was begun.
};

} // namespace totora::inline v0
