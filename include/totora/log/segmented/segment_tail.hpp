// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/log_image.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_index.hpp"
#include "totora/log/segmented/segment_pool.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_writer.hpp"
#include "totora/log/snapshots/log_boundary.hpp"
#include "totora/log/snapshots/segment_list.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The end of the log on the disk: decides the place of every byte, and when a new segment begins. What is planned
/// waits in regions for the next sync.
///
/// Invariants: a segment always has room for the seal of the next sync and for the two records that end it, and begins
/// only if the reserve fits into it, too.
template <log_files Files>
class SegmentTail
{
public:
    using Writer = SegmentWriter<Files>;
    using Outcome = Result<Done, FileError>;

    SegmentTail(SegmentPool<Files>& pool, Writer& writer, LogImage& image) : pool_(pool), writer_(writer), image_(image)
    {}

    /// The bytes a server needs to continue in a new term: a vote, a truncation and a no-op, each synced separately.
    static constexpr std::uint64_t reserve = 6 * record_head_size + aligned(entry_header_size);

    /// The least size of the first segment of a start after those that recovery found.
    [[nodiscard]] static std::uint64_t
    smallest_after(std::vector<EarlierSegment> const& recovered, LogBoundary const& boundary = {})
    {
        return header_size_for(recovered.size() + blocks_of(boundary)) + ending_size + reserve + start_size;
    }

    /// Begins the first segment of a start, after those that recovery found.
    [[nodiscard]] Outcome begin(std::vector<EarlierSegment> const& recovered, std::uint64_t batch)
    {
        segments_ = SegmentList{recovered};
        batch_ = batch;
        return begin_segment(start_size);
    }

    /// The bytes of a segment begun now that are not left for records.
    [[nodiscard]] std::uint64_t segment_overhead() const { return header_size_after(segments_.size()) + ending_size; }

    [[nodiscard]] std::uint64_t generation() const { return segment_->generation; }
    [[nodiscard]] std::uint64_t segment_size() const { return segment_->size; }
    [[nodiscard]] std::uint64_t batch() const { return batch_; }
    [[nodiscard]] bool          empty() const { return regions_.empty(); } ///< Nothing waits for a sync.

    /// How many bytes of records still fit into the segment.
    [[nodiscard]] std::uint64_t room() const
    {
        auto const used = end_ + ending_size;
        return segment_->size > used ? segment_->size - used : 0;
    }

    /// Plans a record without entries.
    [[nodiscard]] Outcome add(RecordHead const& head)
    {
        if (room() < size_of(head))
            if (auto const begun = begin_segment(size_of(head)); not begun)
                return begun;
        place(head);
        return Done{};
    }

    /// Plans an append, as one record or as several neighbours. The image holds its entries afterwards, even after a
    /// failure.
    [[nodiscard]] Outcome add_entries(Entries const& entries, std::uint64_t record_bytes_max)
    {
        auto outcome = Outcome{Done{}};
        auto head = RecordHead{.kind = RecordKind::append};
        for (auto at = std::size_t{0}; at < entries.slice_count(); ++at) {
            auto const& slice = entries.slice(at);
            auto const  first = next(image_.index.last());
            auto        begins = std::size_t{0}; // Of the slice of the open record.
            auto        ends = std::size_t{0};
            while (auto const entry = view_entry(slice.bytes.subspan(ends))) {
                auto const size = entry->encoded.size();
                auto const body = head.body_size + size;
                if (head.count > 0 and (body > record_bytes_max or not fits(record_head_size + aligned(body)))) {
                    if (ends > begins)
                        slices_.push_back({slice.pin, slice.bytes.subspan(begins, ends - begins)});
                    place(std::exchange(head, RecordHead{.kind = RecordKind::append}));
                    begins = ends;
                }
                if (auto const alone = record_head_size + aligned(size);
                    head.count == 0 and not fits(alone) and outcome)
                    outcome = begin_segment(alone);
                if (head.count == 0)
                    head.numbers[0] = entry->index.value;
                note_in_index(*entry, head.count == 0);
                auto const offset = end_ + record_head_size + head.body_size;
                image_.index.append(size, {segment_->generation, static_cast<std::uint32_t>(offset)});
                image_.runs.append({entry->term, entry->index, 1});
                ends += size;
                ++head.count;
                head.body_size += static_cast<std::uint32_t>(size);
                head.body_guard = extend_body_guard(head.body_guard, entry->checksum);
            }
            slices_.push_back({slice.pin, slice.bytes.subspan(begins)});
            image_.pinned.append(first, image_.index.last().value - first.value + 1, slice);
        }
        place(head);
        return outcome;
    }

    /// Plans the compaction of the entries up to a base that the log holds. The image begins there afterwards, even after a
    /// failure.
    [[nodiscard]] Outcome compact(LogBoundary const& boundary)
    {
        auto outcome = add_boundary(RecordKind::compact, boundary);
        segments_.note_compaction(image_.index, boundary.base.index);
        image_.compact(boundary);
        return outcome;
    }

    /// Plans that a snapshot takes the place of the whole log. The image begins and ends there afterwards, even after a failure.
    [[nodiscard]] Outcome install(LogBoundary const& boundary)
    {
        auto outcome = add_boundary(RecordKind::install, boundary);
        image_.install(boundary);
        return outcome;
    }

    /// The segments that are whole, in order, each with the batch that it ends in.
    [[nodiscard]] std::vector<SealedSegment> sealed() const { return segments_.sealed(); }

    /// Ends the batch and hands it over.
    void seal(WriteNumber through)
    {
        place_seal();
        ++batch_;
        writer_.hand_over(regions_, through);
    }

private:
    static constexpr std::uint64_t ending_size = 3 * record_head_size;
    static constexpr std::uint64_t start_size = record_head_size; ///< The seal that a start begins its segment with.

    [[nodiscard]] std::uint64_t header_size_after(std::size_t segments) const
    {
        return header_size_for(segments + blocks_of(image_.boundary));
    }

    /// Plans a record that moves the boundary.
    [[nodiscard]] Outcome add_boundary(RecordKind kind, LogBoundary const& boundary)
    {
        auto const bytes = std::make_shared<std::vector<std::byte> const>(encode_boundary(boundary));
        auto const head = RecordHead{.kind = kind,
                                     .numbers = {boundary.base.index.value, boundary.base.term.value, 0},
                                     .body_size = static_cast<std::uint32_t>(bytes->size()),
                                     .count = 0,
                                     .body_guard = crc32c(*bytes)};
        if (room() < size_of(head))
            if (auto const begun = begin_segment(size_of(head)); not begun)
                return begun;
        slices_.push_back({bytes, *bytes});
        place(head);
        return Done{};
    }

    /// Puts a record, with the slices that wait, at the end.
    void place(RecordHead const& head)
    {
        if (regions_.empty() or regions_.back().segment != segment_)
            regions_.push_back({segment_, end_, {}, {}, {}, {}, {}});
        auto& region = regions_.back();
        region.records.push_back({head, slices_.size()});
        std::move(slices_.begin(), slices_.end(), std::back_inserter(region.slices));
        slices_.clear();
        end_ += size_of(head);
    }

    /// A seal always has room.
    void place_seal() { place({.kind = RecordKind::seal, .numbers = {batch_, 0, image_.commit_index.value}}); }

    /// Whether a record of entries goes into this segment. If it would take the place of the index, it goes into the
    /// next one, provided that this one is ready, and no smaller than what is left here: whatever room was promised here
    /// is there as well.
    [[nodiscard]] bool fits(std::uint64_t size) const
    {
        auto const left = room();
        if (size > left)
            return false;
        auto const next_size = std::max(pool_.segment_size(), segment_overhead() + reserve + size + left);
        return size + index_size_ + segment_index_entry_max <= left or pool_.ready_size() < next_size;
    }

    /// Notes what an entry adds to the index of the segment at most.
    void note_in_index(EntryView const& entry, bool begins_record)
    {
        auto const begins_term = entry.term != image_.runs.last().term;
        index_size_ += 4U + (begins_record ? 8U : 0U) + (begins_term ? 16U : 0U);
        if (entry.kind == EntryKind::configuration) {
            index_size_ += 8;
            image_.note_configuration(configuration_size_of(entry));
            image_.configurations.push_back(entry.index);
        }
        is_indexable_ = is_indexable_ and is_known(entry);
    }

    /// Adds the index of the segment that ends, if it holds entries of the log and there is place. Without one it will
    /// be read: also if it holds what this version does not know, which an opening of the log must notice.
    void add_index()
    {
        if (not is_indexable_ or image_.index.last_segment() != segment_->generation or
            end_ + aligned(index_size_) > segment_->size)
            return;
        auto const seed = segment_seed(image_.identity, segment_->generation);
        regions_.back().index = encode_segment_index(index_of_last_segment(image_, batch_), seed, end_);
    }

    /// Begins a segment that has room for a record of this size: its header replaces all earlier ones.
    [[nodiscard]] Outcome begin_segment(std::uint64_t size)
    {
        auto const is_of_reserve = segment_ and size <= record_head_size + aligned(entry_header_size);
        auto const needed = segment_overhead() + reserve + (is_of_reserve ? 0 : size);
        if (needed >= segment_size_end)
            return Unexpected{FileError{0, "An entry is too large for any segment."}};
        auto taken = pool_.take(needed, segment_ ? 0 : pool_.segment_size());
        if (not taken)
            return Unexpected{taken.error()};
        if (segment_) {
            place({.kind = RecordKind::next, .numbers = {(**taken).generation, (**taken).size, 0}});
            place_seal();
            segments_.end_at(end_);
            add_index();
        }
        segment_ = std::move(*taken);
        auto retiring = segments_.drop_unused(image_.index, image_.kept_elsewhere());
        regions_.push_back({segment_, 0, encode_segment_header(header()), std::move(retiring), {}, {}, {}});
        end_ = header_size_after(segments_.size());
        index_size_ = segment_index_size_min;
        is_indexable_ = true;
        segments_.begin(segment_->generation, batch_);
        return Done{};
    }

    /// The header of the segment that begins now, after `segments_`.
    [[nodiscard]] SegmentHeader header() const
    {
        return {.cluster = image_.identity.cluster,
                .id = image_.identity.id,
                .incarnation = image_.identity.incarnation,
                .group = image_.identity.group,
                .needed = image_.boundary.base.index > Index{} ? feature_boundary : 0,
                .generation = segment_->generation,
                .start = image_.start,
                .batch = batch_,
                .durable_batch = writer_.durable_batch(),
                .size = segment_->size,
                .current_term = image_.current_term,
                .voted_for = image_.voted_for.value_or(nobody),
                .commit_index = image_.commit_index,
                .base = image_.runs.base(),
                .last = image_.runs.last(),
                .boundary = image_.boundary,
                .earlier = segments_.earlier()};
    }

    SegmentPool<Files>&                pool_;
    Writer&                            writer_;
    LogImage&                          image_;
    SegmentList                        segments_;
    typename SegmentPool<Files>::Ready segment_;
    std::uint64_t                      end_ = 0;             ///< Where the next record goes.
    std::uint64_t                      index_size_ = 0;      ///< Of the segment's index, at most.
    bool                               is_indexable_ = true; ///< This version knows all that the segment holds.
    std::uint64_t                      batch_ = 0;           ///< Of the next record.
    typename Writer::Regions           regions_;             ///< Planned since the last seal.
    std::vector<EntrySlice>            slices_;              ///< Of the record that is being planned.
};

} // namespace totora::inline v0
