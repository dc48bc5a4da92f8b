// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/segment_header.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The segments that may be part of a log, in order; the one that is written comes last.
///
/// A segment is given back when no entry in it is part of the log any more. What is compacted stays until a durable snapshot
/// stands for it, or the state machine keeps it: the header that follows still names its segment.
class SegmentList
{
public:
    SegmentList() = default;

    /// Those that a recovery found: `last` is set for those that hold only what is compacted.
    explicit SegmentList(std::vector<EarlierSegment> const& recovered)
    {
        for (auto const& segment : recovered)
            segments_.push_back({segment, segment.last});
    }

    [[nodiscard]] std::size_t size() const { return segments_.size(); }

    /// The next segment begins, in this batch.
    void begin(std::uint64_t generation, std::uint64_t batch) { segments_.push_back({{generation, batch, {}, 0}, {}}); }

    /// The records of the one that is written end there.
    void end_at(std::uint64_t length) { segments_.back().segment.length = length; }

    /// The entries up to `base` are about to be compacted; `index` still holds them.
    void note_compaction(EntryIndex const& index, Index base)
    {
        auto first = next(index.base());
        for (auto const& end : index.segments()) {
            if (first > base)
                return;
            auto const found = std::find_if(segments_.begin(), segments_.end(),
                                            [&](Listed const& one) { return one.segment.generation == end.segment; });
            found->compacted = std::min(end.last, base);
            first = next(end.last);
        }
    }

    /// Keeps those that hold entries of the log, up to the last one in each, and those that hold what is compacted and above
    /// `kept`, the last entry that is kept elsewhere. Returns the generations of the rest.
    [[nodiscard]] std::vector<std::uint64_t> drop_unused(EntryIndex const& index, Index kept)
    {
        auto       dropped = std::vector<std::uint64_t>{};
        auto const live = index.segments();
        std::erase_if(segments_, [&](Listed& one) {
            auto const found = std::find_if(live.begin(), live.end(),
                                            [&](auto const& end) { return end.segment == one.segment.generation; });
            one.segment.last = found == live.end() ? one.compacted : found->last;
            auto const is_unused = found == live.end() and one.compacted <= kept;
            if (is_unused)
                dropped.push_back(one.segment.generation);
            return is_unused;
        });
        return dropped;
    }

    /// All of them, as a header names them. After `drop_unused`.
    [[nodiscard]] std::vector<EarlierSegment> earlier() const
    {
        auto all = std::vector<EarlierSegment>{};
        for (auto const& one : segments_)
            all.push_back(one.segment);
        return all;
    }

    /// Those that are whole, each with the batch that it ends in.
    [[nodiscard]] std::vector<SealedSegment> sealed() const
    {
        auto sealed = std::vector<SealedSegment>{};
        for (auto at = std::size_t{0}; at + 1 < segments_.size(); ++at)
            sealed.push_back(
                {segments_[at].segment.generation, segments_[at].segment.length, segments_[at + 1].segment.batch});
        return sealed;
    }

private:
    struct Listed
    {
        EarlierSegment segment;
        Index          compacted; ///< The last entry in it that was compacted.
    };

    std::vector<Listed> segments_;
};

} // namespace totora::inline v0
