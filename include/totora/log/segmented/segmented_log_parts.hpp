// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/log/reading/cold_blocks.hpp"
#include "totora/log/scrubbing/scrubber.hpp"
#include "totora/log/segmented/durable_prefix.hpp"
#include "totora/log/segmented/log_image.hpp"
#include "totora/log/segmented/log_replay.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_index.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_pool.hpp"
#include "totora/log/segmented/segment_reader.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_tail.hpp"
#include "totora/log/segmented/segment_writer.hpp"
#include "totora/log/segmented/start_mark.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/log/snapshots/log_boundary.hpp"
#include "totora/log/snapshots/log_snapshots.hpp"
#include "totora/log/syncer.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <utility>

namespace totora::inline v0
{

/// The parts of a `SegmentedLog`, at a fixed address, and what concerns several of them: start, seal, room.
template <log_files Files, log_syncer Syncer>
struct SegmentedLogParts
{
    using Outcome = Result<Done, FileError>;

    static constexpr std::uint64_t             preparations_max = 256; ///< Of one segment.
    static constexpr std::chrono::milliseconds retry_after_max = std::chrono::hours{24};

    SegmentedLogParts(Files its_files, SegmentedLogOptions const& its_options, RecoveredLog recovered)
        : files(std::move(its_files)), options(its_options), image(image_of(recovered)), found(std::move(recovered)),
          prefix(image.runs.last().index), wanted_commit(image.commit_index),
          pool(files, options.segment_bytes, std::max(options.prepare_bytes, options.segment_bytes / preparations_max),
               std::clamp<std::chrono::milliseconds>(options.retry_after, {}, retry_after_max)),
          writer(pool, image.identity, found.durable_batch), tail(pool, writer, image),
          scrubber(files, writer, image.identity, options.scrub_bytes_per_second, options.scrub_pause),
          cold_blocks(files, options.cold_bytes), reader(files, image.index, image.runs, aside()),
          snapshots(files, image, options.snapshot_sync_bytes, aside())
    {}

    /// Begins the first segment of this start; only once it is durable, others may be removed or shortened. On a full
    /// disk it is a spare segment of the last start, and the removals give back the space for the rest.
    [[nodiscard]] Result<Done, LogError> begin()
    {
        // Segments without the file that counts the starts are damage, so it is there before the first of them.
        auto const is_first = found.mark.start == 0;
        if (is_first)
            if (auto const marked = write_run_mark(files, {image.start, 0, 0, false}); not marked)
                return log_failure(LogFailure::write_failed, marked.error());
        if (auto const opened = snapshots.open(found.snapshot_files); not opened)
            return opened;
        found.state.damaged_snapshots = snapshots.damaged();
        if (options.scrub_bytes_per_second > 0) {
            scrubber.on_damaged_snapshot(
                [this](auto const& one, LogError error) { snapshots.note_damage(one, std::move(error)); });
            snapshots.on_change([this](auto files_now) { scrubber.update_snapshots(std::move(files_now)); });
        }
        pool.start_after(found.newest_generation);
        if (auto const adopted = adopt_spare(); not adopted)
            return log_failure(LogFailure::write_failed, adopted.error());
        auto const begun = tail.begin(found.segments, found.newest_batch + 1);
        if (not begun)
            return log_failure(LogFailure::write_failed, begun.error());
        auto const batch = tail.batch();
        tail.seal(WriteNumber{});
        writer.write_and_sync();
        if (auto const failed = writer.failure())
            return Unexpected{*failed};
        if (auto const removed = remove_leftovers(); not removed)
            return log_failure(LogFailure::write_failed, removed.error());
        (void)finish_previous(); // A failure only wastes its space, and the time to read it again.
        // The header already records this start; the file only repeats what is durable.
        if (auto const marked = write_run_mark(files, {image.start, tail.generation(), batch, false});
            not marked and (is_first or not is_lack_of_space(marked.error().number)))
            return log_failure(LogFailure::write_failed, marked.error());
        start_syncer();
        update_scrubber();
        scrubber.update_snapshots(snapshots.files());
        return Done{};
    }

    /// What is not in memory is read aside if there may be a thread for it; otherwise when it is asked for.
    [[nodiscard]] ColdBlocks<Files, Syncer>* aside()
    {
        return is_threaded<Syncer> and options.cold_bytes > 0 ? &cold_blocks : nullptr;
    }

    /// All threads but the syncer's.
    void stop_helpers()
    {
        scrubber.stop();
        cold_blocks.stop();
        snapshots.stop();
    }

    void start_syncer()
    {
        snapshots.connect(syncer, [this] { writer.wake(); });
        auto work = [this] {
            auto const more = writer.work();
            return snapshots.work_for_syncer() or more;
        };
        auto rest = [this] { writer.seal_at_rest(); };
        if constexpr (resting_syncer<Syncer>)
            syncer.start(std::move(work), std::move(rest));
        else
            syncer.start(std::move(work));
    }

    /// Takes over the newest file that recovery skipped, so that a start needs little or no space. Only the newest:
    /// recovery could find an older one instead of this start's segment. One that is too small is removed in favour of
    /// the one before it.
    [[nodiscard]] Outcome adopt_spare()
    {
        auto const& spares = found.spares;
        for (auto spare = spares.begin(); spare != spares.end(); ++spare) {
            auto const is_too_small = spare->size < tail.smallest_after(found.segments, image.boundary);
            if (is_too_small and std::next(spare) != spares.end() and spare->generation != found.awaited) {
                if (auto const removed = files.remove(segment_name(spare->generation)); not removed)
                    return removed;
                if (auto const synced = files.sync_directory(); not synced)
                    return synced;
                continue;
            }
            return spare->size < segment_size_end ? adopt(*spare) : Outcome{Done{}};
        }
        return Done{};
    }

    [[nodiscard]] Outcome adopt(SpareFile const& spare)
    {
        auto file = files.open(segment_name(spare.generation));
        if (not file)
            return Unexpected{file.error()};
        if (auto const overwritten = overwrite(*file, spare.size); not overwritten)
            return overwritten;
        pool.adopt(spare.generation, spare.size, std::move(*file));
        return Done{};
    }

    /// Removes the segments that recovery skipped.
    [[nodiscard]] Outcome remove_leftovers()
    {
        auto const names = files.names();
        if (not names)
            return Unexpected{names.error()};
        for (auto const& name : *names) {
            auto const generation = generation_of(name);
            auto const is_named = [&](EarlierSegment const& segment) { return segment.generation == generation; };
            if (generation and generation <= found.newest_generation and generation != tail.generation() and
                std::none_of(found.segments.begin(), found.segments.end(), is_named))
                if (auto const removed = files.remove(name); not removed)
                    return removed;
        }
        return Done{};
    }

    /// Adds an index to the last start's segment, if there is place in the file, and gives back the rest of its space.
    [[nodiscard]] Outcome finish_previous()
    {
        if (found.segments.empty() or image.index.last_segment() != found.segments.back().generation)
            return Done{};
        auto const [generation, batch, last, length] = found.segments.back();
        auto file = files.open(segment_name(generation));
        if (not file)
            return Unexpected{file.error()};
        auto const size = file->size();
        if (not size)
            return Unexpected{size.error()};
        auto const index = encode_segment_index(index_of_last_segment(image, found.newest_batch),
                                                segment_seed(image.identity, generation), length);
        if (length + index.size() > *size)
            return file->truncate(length);
        auto const parts = std::array<std::span<std::byte const>, 1>{index};
        if (auto const written = file->write(length, parts); not written)
            return written;
        if (auto const synced = file->sync(); not synced)
            return synced;
        return file->truncate(length + index.size());
    }

    [[nodiscard]] Outcome mark(bool clean)
    {
        return write_run_mark(files, {image.start, tail.generation(), tail.batch() - 1, clean});
    }

    void settle()
    {
        prefix.advance(writer.durable());
        image.pinned.forget(prefix.last(), options.cache_bytes);
    }

    /// Ends the batch, with the newest commit index that may be saved.
    void seal(WriteNumber through)
    {
        settle();
        image.commit_index = std::max(image.commit_index, std::min(wanted_commit, prefix.last()));
        prefix.expect(through, image.runs.last().index);
        update_scrubber(); // Before the writer is given the header that gives segments back.
        tail.seal(through);
    }

    /// Hands the sealed segments to the scrubber, if there may be others than before.
    void update_scrubber()
    {
        if (options.scrub_bytes_per_second > 0 and
            std::exchange(newest_scrubbed, tail.generation()) != tail.generation())
            scrubber.update(tail.sealed());
    }

    /// Has a write without a record confirmed once all before it is durable: without a seal, for which no room was
    /// reserved.
    void confirm(WriteNumber through)
    {
        prefix.expect(through, image.runs.last().index);
        writer.confirm(through);
    }

    /// See `durable_log`. False for 0 only if not even the reserve is left in this segment or fits into the next one.
    [[nodiscard]] bool has_room(std::uint64_t bytes_more)
    {
        if (writer.failure() or bytes_more >= segment_size_end)
            return false; // Larger than any segment; and the sum below must not wrap.
        // Less is kept in a segment that is small because of a full disk.
        auto const kept = options.segment_bytes / 16;
        if (tail.room() >= needed_for(bytes_more, std::min(kept, tail.segment_size() / 2)))
            return true;
        auto const next_size = tail.segment_overhead() + needed_for(bytes_more, kept);
        if (next_size >= segment_size_end)
            return false; // No segment could hold it.
        if (pool.ready_size() < next_size) {
            pool.want(std::max(options.segment_bytes, next_size), tail.segment_overhead() + tail.reserve);
            syncer.request();
        }
        return pool.ready_size() >= next_size;
    }

    /// The bytes that must be free in a segment before so many bytes of entries may be written. The rest is kept for
    /// writes that do not ask for room: votes, truncations and the no-ops of thousands of elections, should the disk
    /// stay full.
    [[nodiscard]] std::uint64_t needed_for(std::uint64_t bytes_more, std::uint64_t kept) const
    {
        if (bytes_more == 0)
            return tail.reserve;
        auto const records = 2 * (bytes_more / options.record_bytes_max) + 2; // Of each, head and padding.
        // A compaction and an install ask for no room either.
        auto const boundaries = snapshots.is_used() or image.relies_on_machine
                                    ? 2 * (record_head_size + aligned(image.boundary_bytes()))
                                    : 0;
        return bytes_more + records * (record_head_size + record_alignment) + std::max(tail.reserve, kept) + boundaries;
    }

    Files                files;
    SegmentedLogOptions  options;
    LogImage             image;
    RecoveredLog         found;
    DurablePrefix        prefix;
    Index                wanted_commit;
    SegmentPool<Files>   pool;
    SegmentWriter<Files> writer;
    SegmentTail<Files>   tail;
    Scrubber<Files>      scrubber;
    std::uint64_t        newest_scrubbed = 0; ///< The segment that was the newest when the scrubber was updated.
    Syncer               syncer;

    ColdBlocks<Files, Syncer>    cold_blocks;
    SegmentReader<Files, Syncer> reader;
    LogSnapshots<Files, Syncer>  snapshots; ///< After the syncer, which it calls.
};

} // namespace totora::inline v0
