// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/segment_pool.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/policy/files.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace totora::inline v0
{

/// A record that is planned and not written yet, with the number of slices that hold its entries.
struct PlannedRecord
{
    RecordHead  head;
    std::size_t slices = 0;
};

/// Neighbouring records of one segment, with the memory that they are written from.
///
/// Invariant: the slices of all records stand in `slices`, in order.
template <typename File>
struct Region
{
    std::shared_ptr<Segment<File>> segment;
    std::uint64_t                  offset = 0; ///< Where the first record, or the header, goes.
    std::vector<std::byte>         header;     ///< Of a segment that begins here, or else empty.
    std::vector<std::uint64_t>     retiring;   ///< Segments that are no part of the log once that header is durable.
    std::vector<PlannedRecord>     records;
    std::vector<EntrySlice>        slices;
    std::vector<std::byte>         index; ///< Of a segment that ends here, after its last record, or else empty.
};

/// Writes and syncs regions: neighbours in one call, each segment synced once. Its memory is reused from call to call.
template <typename File>
class RegionWriter
{
public:
    using Outcome = Result<Done, FileError>;

    explicit RegionWriter(Identity const& identity) : identity_(identity) {}

    /// All bytes written so far.
    [[nodiscard]] std::uint64_t written_bytes() const { return written_bytes_; }

    /// Writes the regions. `durable_batch` is the newest batch that is durable before: seals name it.
    [[nodiscard]] Outcome write(std::vector<Region<File>>& regions, std::uint64_t durable_batch)
    {
        auto records = std::size_t{0};
        for (auto const& region : regions)
            records += region.records.size();
        heads_.resize(records);
        auto* head = heads_.data();
        for (auto region = regions.begin(); region != regions.end();) {
            auto const offset = region->offset;
            auto const segment = region->segment;
            auto       end = offset;
            parts_.clear();
            for (; region != regions.end() and region->segment == segment and region->offset == end; ++region)
                end = gather(*region, head, durable_batch);
            if (auto const written = segment->file.write(offset, parts_); not written)
                return written;
            written_bytes_ += end - offset;
        }
        return Done{};
    }

    /// Syncs the segments of the regions, each once.
    [[nodiscard]] Outcome sync(std::vector<Region<File>> const& regions)
    {
        auto* last = static_cast<Segment<File>*>(nullptr);
        for (auto const& region : regions) {
            if (region.segment.get() == last)
                continue;
            last = region.segment.get();
            if (auto const synced = last->file.sync(); not synced)
                return synced;
        }
        return Done{};
    }

private:
    using Head = std::array<std::byte, record_head_size>;

    /// Adds the parts of a region, and returns where it ends.
    std::uint64_t gather(Region<File>& region, Head*& head, std::uint64_t durable_batch)
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
                record.head.numbers[1] = durable_batch;
            encode_head(*head, record.head, seed, offset);
            parts_.emplace_back(*head++);
            for (auto count = record.slices; count > 0; --count)
                parts_.emplace_back((slice++)->bytes);
            if (auto const padding = aligned(record.head.body_size) - record.head.body_size; padding > 0)
                parts_.push_back(std::span{zeros}.first(static_cast<std::size_t>(padding)));
            offset += size_of(record.head);
        }
        if (not region.index.empty())
            parts_.emplace_back(region.index);
        return offset + region.index.size();
    }

    Identity                                identity_;
    std::uint64_t                           written_bytes_ = 0;
    std::vector<Head>                       heads_;
    std::vector<std::span<std::byte const>> parts_;
};

} // namespace totora::inline v0
