// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"
#include "totora/log/segmented/log_recovery.hpp"
#include "totora/log/segmented/segment_reader.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The directory of a `SegmentedLog` whose server does not run, as it would be recovered: entries and snapshots are read, and nothing is
/// changed. For backups and tools. Call everything on one thread.
template <log_files Files>
class LogReader
{
public:
    /// The errors are those of `SegmentedLog::open`.
    [[nodiscard]] static Result<LogReader, LogError>
    open(Files files, std::function<void(RecoveryProgress const&)> const& on_progress = {})
    {
        auto parts = std::make_unique<Parts>(std::move(files));
        auto found = LogRecovery<Files>{parts->files, on_progress}.run();
        if (not found)
            return Unexpected{found.error()};
        parts->log = *std::move(found);
        auto listed = list_snapshots(parts->files, parts->log.snapshot_files, parts->log.state.identity,
                                     parts->log.state.entries.base().index);
        if (not listed)
            return Unexpected{listed.error()};
        for (auto& [snapshot, number] : listed->files) {
            parts->snapshots.push_back(std::move(snapshot));
            parts->numbers.push_back(number);
        }
        return LogReader{std::move(parts)};
    }

    /// What a server would begin with.
    [[nodiscard]] Recovered const& recovered() const { return parts_->log.state; }

    /// In the order of their indexes, known by their headers: their bytes are not checked.
    [[nodiscard]] std::vector<StoredSnapshot> const& snapshots() const { return parts_->snapshots; }

    /// Entries from the first index to the second, both included, cut to `bytes_max`; the first one always, if it exists.
    [[nodiscard]] Result<Entries, LogError> read(Index from, Index up_to, std::uint64_t bytes_max)
    {
        auto        entries = Entries{};
        auto const& index = parts_->log.index;
        if (not index.holds(from) or up_to < from)
            return entries;
        auto const last = index.last_within(from, up_to, bytes_max);
        if (auto const got = parts_->reader.read(from, last, last, entries); not got)
            return Unexpected{got.error()};
        return entries;
    }

    /// Up to `bytes_max` bytes of a snapshot that is listed.
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_snapshot(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        auto const& all = parts_->snapshots;
        auto const  found = std::find_if(all.begin(), all.end(), [&](auto const& one) { return one.id == id; });
        if (found == all.end() or offset > id.bytes)
            return log_failure(LogFailure::read_failed, "There is no such snapshot.");
        auto file =
            parts_->files.open(snapshot_file_name(parts_->numbers[static_cast<std::size_t>(found - all.begin())]));
        if (not file)
            return log_failure(LogFailure::read_failed, file.error());
        auto block =
            std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(std::min(bytes_max, id.bytes - offset)));
        auto const got = file->read(snapshot_file_header_size + offset, *block);
        if (not got)
            return log_failure(LogFailure::read_failed, got.error());
        if (*got < block->size())
            return log_failure(LogFailure::damaged, "The file of a snapshot ends before it.");
        auto const bytes = std::span<std::byte const>{*block};
        return PinnedBytes{std::move(block), bytes};
    }

private:
    struct Parts
    {
        explicit Parts(Files its_files) : files(std::move(its_files)) {}

        Files                       files;
        RecoveredLog                log;
        SegmentReader<Files>        reader{files, log.index, log.state.entries};
        std::vector<StoredSnapshot> snapshots;
        std::vector<std::uint64_t>  numbers; ///< Of their files.
    };

    explicit LogReader(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

    std::unique_ptr<Parts> parts_;
};

} // namespace totora::inline v0
