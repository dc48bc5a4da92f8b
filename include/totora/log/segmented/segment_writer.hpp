// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/segment_pool.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A record that waits to be written, with the number of slices that hold its entries.
struct PlannedRecord
{
    RecordHead  head;
    std::size_t slices = 0;
};

/// Records that follow each other in one segment, with the memory that they are written from.
template <typename File>
struct Region
{
    std::shared_ptr<Segment<File>> segment;
    std::uint64_t                  offset = 0; ///< Where the first record, or the header, goes.
    std::vector<std::byte>         header;     ///< Of a segment that begins here; empty otherwise.
    std::vector<std::uint64_t>     retiring;   ///< Segments that are no part of the log once that header is durable.
    std::vector<PlannedRecord>     records;
    std::vector<EntrySlice>        slices;
};

/// Writes what the node planned, and syncs it: everything that waits with one sync.
///
/// The node decides where each byte goes and never touches a file to write; a disk that hangs does not hang the node.
/// `hand_over`, `durable` and `failure` are the node's; `work` is the syncer's, and never runs twice at once.
template <log_files Files>
class SegmentWriter
{
public:
    using File = typename Files::File;
    using Regions = std::vector<Region<File>>;

    SegmentWriter(SegmentPool<Files>& pool, Identity const& identity, std::uint64_t durable_batch)
        : pool_(pool), identity_(identity), durable_batch_(durable_batch)
    {}

    /// Called on the syncer's thread when something became durable or failed. The one before is not called any more when this
    /// returns.
    void set_wake(std::function<void()> wake)
    {
        auto const lock = std::lock_guard{wake_mutex_};
        wake_ = std::move(wake);
    }

    /// Hands over regions, of which the last ends with a seal, and empties `regions`.
    void hand_over(Regions& regions, WriteNumber through)
    {
        auto const lock = std::lock_guard{mutex_};
        std::move(regions.begin(), regions.end(), std::back_inserter(waiting_));
        regions.clear();
        waiting_through_ = through;
    }

    /// Says that nothing has to be written for the writes up to this one that was not handed over.
    void confirm(WriteNumber through)
    {
        auto const lock = std::lock_guard{mutex_};
        waiting_through_ = through;
    }

    [[nodiscard]] WriteNumber   durable() const { return WriteNumber{durable_}; }
    [[nodiscard]] std::uint64_t durable_batch() const { return durable_batch_; }

    [[nodiscard]] std::optional<LogError> failure() const
    {
        if (not failed_)
            return std::nullopt;
        auto const lock = std::lock_guard{mutex_};
        return failure_;
    }

    /// The first failure stays for ever, and nothing becomes durable any more.
    void fail(LogError error)
    {
        auto const lock = std::lock_guard{mutex_};
        if (failed_)
            return;
        failure_ = std::move(error);
        failed_ = true;
    }

    /// Writes and syncs what waits, and makes twice as much of the next segment ready. Returns whether there is more to do. Never
    /// throws: it runs on a thread where nobody could catch it. Missing memory for what is written is a failure of the log.
    [[nodiscard]] bool work() noexcept
    {
        auto more = false;
        guarded([&] { more = write_and_prepare(); });
        return more;
    }

    /// Writes and syncs what waits. Returns whether there was anything.
    bool write_and_sync()
    {
        auto through = WriteNumber{};
        {
            auto const lock = std::lock_guard{mutex_};
            taken_.swap(waiting_);
            through = waiting_through_;
        }
        if (taken_.empty() and (through.value <= durable_ or failed_))
            return false;
        if (taken_.empty())
            durable_ = through.value; // All before was settled when it was taken.
        else if (not failed_) {
            auto outcome = write_all();
            auto failure = LogFailure::write_failed;
            if (outcome) {
                outcome = sync_all();
                failure = LogFailure::sync_failed;
            }
            if (outcome)
                settle(through);
            else
                fail({failure, outcome.error().what});
        }
        taken_.clear();
        wake();
        return true;
    }

    /// Says in the segment once more what the last sync made durable, when nothing has followed it for a while: the next seal would
    /// say it, but none may come for hours. On a page of its own, where there is one: what damages the last batch spares it.
    ///
    /// It is no write of the node's: it has no number, wakes nobody, and the next record is written over it. Nothing of it is planned,
    /// so that no call of the node waits for it.
    void seal_at_rest() noexcept
    {
        guarded([&] { seal_last_sync(); });
    }

private:
    using Outcome = Result<Done, FileError>;

    static constexpr std::uint64_t page_size = 4096; ///< What is often damaged as a whole.

    template <std::invocable Act>
    void guarded(Act act) noexcept
    {
        attempt("the thread of the log", act, [&](std::string sentence) {
            fail({LogFailure::write_failed, std::move(sentence)});
            wake();
        });
    }

    [[nodiscard]] bool write_and_prepare()
    {
        written_bytes_ = 0;
        auto const wrote = write_and_sync();
        auto const more = pool_.work(2 * written_bytes_);
        if (more)
            return *more or wrote;
        if (not failed_) {
            fail({LogFailure::write_failed, more.error().what});
            wake();
        }
        return wrote;
    }

    void seal_last_sync()
    {
        auto const segment = std::exchange(unsealed_, nullptr);
        if (not segment or failed_)
            return;
        auto const apart = (unsealed_end_ + page_size - 1) / page_size * page_size;
        auto const fits = [&](std::uint64_t offset) { return offset + record_head_size <= segment->size; };
        auto const offset = fits(apart) ? apart : unsealed_end_;
        if (not fits(offset))
            return;
        auto const batch = durable_batch_.load();
        auto       bytes = std::array<std::byte, record_head_size>{};
        encode_head(bytes, {.kind = RecordKind::seal, .numbers = {batch, batch, unsealed_commit_}},
                    segment_seed(identity_, segment->generation), offset);
        auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
        auto       failure = LogFailure::write_failed;
        auto       outcome = segment->file.write(offset, parts);
        if (outcome) {
            failure = LogFailure::sync_failed;
            outcome = segment->file.sync();
        }
        if (outcome)
            return;
        fail({failure, outcome.error().what});
        wake();
    }

    void wake()
    {
        auto const lock = std::lock_guard{wake_mutex_};
        if (wake_)
            wake_();
    }

    /// Writes the regions, neighbours in one call.
    [[nodiscard]] Outcome write_all()
    {
        auto records = std::size_t{0};
        for (auto const& region : taken_)
            records += region.records.size();
        heads_.resize(records);
        auto* head = heads_.data();
        for (auto region = taken_.begin(); region != taken_.end();) {
            auto const offset = region->offset;
            auto const segment = region->segment;
            auto       end = offset;
            parts_.clear();
            for (; region != taken_.end() and region->segment == segment and region->offset == end; ++region)
                end = gather(*region, head);
            if (auto const written = segment->file.write(offset, parts_); not written)
                return written;
            written_bytes_ += end - offset;
        }
        return Done{};
    }

    /// Adds the parts of a region, and returns where it ends.
    std::uint64_t gather(Region<File>& region, std::array<std::byte, record_head_size>*& head)
    {
        static constexpr auto zeros = std::array<std::byte, record_alignment>{};
        auto const            seed = segment_seed(identity_, region.segment->generation);
        auto                  offset = region.offset + region.header.size();
        auto                  slice = region.slices.begin();
        if (not region.header.empty())
            parts_.emplace_back(region.header);
        for (auto& record : region.records) {
            // Only now is it known what was durable when this sync began.
            if (record.head.kind == RecordKind::seal)
                record.head.numbers[1] = durable_batch_;
            encode_head(*head, record.head, seed, offset);
            parts_.emplace_back(*head++);
            for (auto count = record.slices; count > 0; --count)
                parts_.emplace_back((slice++)->bytes);
            if (auto const padding = aligned(record.head.body_size) - record.head.body_size; padding > 0)
                parts_.push_back(std::span{zeros}.first(static_cast<std::size_t>(padding)));
            offset += size_of(record.head);
        }
        return offset;
    }

    [[nodiscard]] Outcome sync_all()
    {
        auto* last = static_cast<Segment<File>*>(nullptr);
        for (auto const& region : taken_) {
            if (region.segment.get() == last)
                continue;
            last = region.segment.get();
            if (auto const synced = last->file.sync(); not synced)
                return synced;
        }
        return Done{};
    }

    /// What follows from everything that was taken being durable.
    void settle(WriteNumber through)
    {
        auto const& last = taken_.back();
        auto const& seal = last.records.back().head;
        durable_batch_ = seal.numbers[0];
        unsealed_ = last.segment;
        unsealed_commit_ = seal.numbers[2];
        unsealed_end_ = last.offset + last.header.size();
        for (auto const& record : last.records)
            unsealed_end_ += size_of(record.head);
        durable_ = through.value;
        for (auto const& region : taken_)
            if (not region.retiring.empty())
                pool_.retire(region.retiring);
    }

    SegmentPool<Files>& pool_;
    Identity            identity_;

    mutable std::mutex      mutex_; ///< Guards what follows, up to the next comment.
    Regions                 waiting_;
    WriteNumber             waiting_through_;
    std::optional<LogError> failure_;

    std::mutex wake_mutex_; ///< Held while `wake_` is called, so that whoever replaces it waits until it is done.
    std::function<void()> wake_;

    std::atomic<std::uint64_t> durable_ = 0; // These are read by the node at any time.
    std::atomic<std::uint64_t> durable_batch_;
    std::atomic<bool>          failed_ = false;

    std::uint64_t                  written_bytes_ = 0; ///< By the last work.
    std::shared_ptr<Segment<File>> unsealed_;          ///< The last one synced, for as long as no later seal says so.
    std::uint64_t                  unsealed_end_ = 0;
    std::uint64_t                  unsealed_commit_ = 0;
    Regions                        taken_; // The rest is the syncer's own, and kept to be used again.
    std::vector<std::array<std::byte, record_head_size>> heads_;
    std::vector<std::span<std::byte const>>              parts_;
};

} // namespace totora::inline v0
