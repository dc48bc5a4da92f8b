// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

namespace totora::inline v0
{

/// Every segment is smaller than this: an offset in it takes 32 bits.
inline constexpr std::uint64_t segment_size_end = std::uint64_t{1} << 32U;

/// The place of an encoded entry: the generation of its segment, and the offset in its file.
struct EntryPlace
{
    std::uint64_t segment = 0;
    std::uint32_t offset = 0;

    friend constexpr bool operator==(EntryPlace const&, EntryPlace const&) = default;
};

/// The size and the place of every entry of a log, in a little more than six bytes an entry.
///
/// Entries are grouped in chunks of up to 256 that share a segment. An entry is where the sizes before it in the chunk
/// put it, and further by the heads and the padding of records between them: 16 bits are enough for these, or a new
/// chunk begins. Every query costs a binary search for the chunk.
///
/// Invariants: the entries are those after `base` up to `last`, without gaps; no chunk is empty; in a chunk the places
/// ascend; only the first chunk may begin at or before `base`, and ends after it.
class EntryIndex
{
public:
    EntryIndex() = default;

    /// An index of a log whose entries up to `base` are compacted away.
    explicit EntryIndex(Index base) : base_(base), last_(base) {}

    [[nodiscard]] Index base() const { return base_; }
    [[nodiscard]] Index last() const { return last_; }
    [[nodiscard]] bool  holds(Index index) const { return index > base_ and index <= last_; }

    /// Adds the entry after `last()`. `size` is that of the encoded entry. Precondition: its place is after that of the
    /// entry before it, if both are in one segment.
    void append(std::size_t size, EntryPlace place)
    {
        if (chunks_.empty() or not takes(*chunks_.back(), place))
            begin_chunk(place);
        auto&      chunk = *chunks_.back();
        auto const bytes = bytes_of(chunk);
        chunk.ends[chunk.count] = static_cast<std::uint32_t>(bytes + size);
        chunk.between[chunk.count] = static_cast<std::uint16_t>(place.offset - chunk.offset - bytes);
        ++chunk.count;
        last_ = next(last_);
    }

    /// The same for a log in memory, whose entries have no places.
    void append(std::size_t size)
    {
        auto const in_front = chunks_.empty() ? 0 : chunks_.back()->offset + bytes_of(*chunks_.back());
        append(size, {0, static_cast<std::uint32_t>(in_front)});
    }

    /// Removes the entry at `from` and all after it.
    void truncate(Index from)
    {
        while (not chunks_.empty() and chunks_.back()->first >= from)
            chunks_.pop_back();
        if (not chunks_.empty() and last_of_chunk(*chunks_.back()) >= from)
            chunks_.back()->count = static_cast<std::uint32_t>(from.value - chunks_.back()->first.value);
        if (not chunks_.empty() and last_of_chunk(*chunks_.back()) <= base_)
            chunks_.pop_back();
        last_ = chunks_.empty() ? base_ : last_of_chunk(*chunks_.back());
    }

    /// Forgets the entries up to `base`, which the index holds, with the memory of all chunks that end there or before.
    void compact(Index base)
    {
        compacted_bytes_ = bytes_through(base);
        base_ = base;
        auto const gone = core::count_while(chunks_, chunks_.size(),
                                            [&](auto const& chunk) { return last_of_chunk(*chunk) <= base; });
        chunks_.erase(chunks_.begin(), std::next(chunks_.begin(), static_cast<std::ptrdiff_t>(gone)));
    }

    /// The encoded size of the entries from `first` to `up_to`, both included, as far as the index holds them.
    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const
    {
        first = std::max(first, next(base_));
        up_to = std::min(up_to, last());
        return first > up_to ? 0 : bytes_through(up_to) - bytes_through(before(first));
    }

    /// The place of an entry. Precondition: `holds(index)`.
    [[nodiscard]] EntryPlace place(Index index) const
    {
        auto const& chunk = chunk_of(index);
        auto const  at = index.value - chunk.first.value;
        auto const  bytes_in_front = at == 0 ? 0 : chunk.ends[at - 1];
        return {chunk.segment, chunk.offset + bytes_in_front + chunk.between[at]};
    }

    /// Calls `visit` with place and size of each entry from `first` on, in order.
    template <std::invocable<EntryPlace const&, std::uint32_t> Visit>
    void visit(Index first, Visit visit_entry) const
    {
        auto const begins = core::count_while(chunks_, chunks_.size(),
                                              [&](auto const& chunk) { return last_of_chunk(*chunk) < first; });
        for (auto at = begins; at < chunks_.size(); ++at) {
            auto const& chunk = *chunks_[at];
            auto const  skipped = std::max(first, chunk.first).value - chunk.first.value;
            for (auto entry = static_cast<std::size_t>(skipped); entry < chunk.count; ++entry) {
                auto const in_front = entry == 0 ? 0 : chunk.ends[entry - 1];
                visit_entry(EntryPlace{chunk.segment, chunk.offset + in_front + chunk.between[entry]},
                            chunk.ends[entry] - in_front);
            }
        }
    }

    /// The furthest index up to `up_to` for which the entries from `first` on fit into `bytes_max`; at least `first`.
    [[nodiscard]] Index last_within(Index first, Index up_to, std::uint64_t bytes_max) const
    {
        if (bytes(first, up_to) <= bytes_max)
            return std::max(first, std::min(up_to, last()));
        auto fits = first;
        auto too_far = next(std::max(first, std::min(up_to, last())));
        while (next(fits) < too_far) {
            auto const middle = Index{fits.value + (too_far.value - fits.value) / 2};
            (bytes(first, middle) <= bytes_max ? fits : too_far) = middle;
        }
        return fits;
    }

    /// The segment of the last entry; 0 if there is none.
    [[nodiscard]] std::uint64_t last_segment() const { return chunks_.empty() ? 0 : chunks_.back()->segment; }

    /// The first entry in the segment of the last one. Precondition: there is an entry.
    [[nodiscard]] Index first_of_last_segment() const
    {
        auto const of_others = core::count_while(chunks_, chunks_.size(),
                                                 [&](auto const& chunk) { return chunk->segment != last_segment(); });
        return std::max(chunks_[of_others]->first, next(base_));
    }

    /// The last entry that a segment holds.
    struct SegmentEnd
    {
        std::uint64_t segment = 0;
        Index         last;

        friend constexpr bool operator==(SegmentEnd const&, SegmentEnd const&) = default;
    };

    /// Every segment that holds an entry, in order.
    [[nodiscard]] std::vector<SegmentEnd> segments() const
    {
        auto ends = std::vector<SegmentEnd>{};
        for (auto const& chunk : chunks_) {
            if (ends.empty() or ends.back().segment != chunk->segment)
                ends.push_back({chunk->segment, {}});
            ends.back().last = last_of_chunk(*chunk);
        }
        return ends;
    }

private:
    static constexpr std::size_t   chunk_entries = 256;
    static constexpr std::uint64_t between_max = 0xFFFF;

    struct Chunk
    {
        Index                                    first;
        std::uint64_t                            segment = 0;
        std::uint64_t                            bytes_before = 0; ///< Of all entries of the log before this chunk.
        std::uint32_t                            offset = 0;       ///< Of the first entry, in the file.
        std::uint32_t                            count = 0;        ///< At least 1.
        std::array<std::uint32_t, chunk_entries> ends;    ///< Encoded bytes of the chunk up to each entry, it included.
        std::array<std::uint16_t, chunk_entries> between; ///< In front of each entry, of the chunk: bytes of no entry.
    };

    /// Whether the next entry, which is there, can be one of this chunk.
    [[nodiscard]] static bool takes(Chunk const& chunk, EntryPlace place)
    {
        return chunk.count < chunk_entries and chunk.segment == place.segment and
               place.offset - chunk.offset - bytes_of(chunk) <= between_max;
    }

    [[nodiscard]] static Index         last_of_chunk(Chunk const& chunk) { return before(chunk.first + chunk.count); }
    [[nodiscard]] static std::uint64_t bytes_of(Chunk const& chunk)
    {
        return chunk.count == 0 ? 0 : chunk.ends[chunk.count - 1];
    }

    void begin_chunk(EntryPlace place)
    {
        auto chunk = std::make_unique<Chunk>();
        chunk->first = next(last());
        chunk->segment = place.segment;
        chunk->offset = place.offset;
        chunk->bytes_before =
            chunks_.empty() ? compacted_bytes_ : chunks_.back()->bytes_before + bytes_of(*chunks_.back());
        chunks_.push_back(std::move(chunk));
    }

    [[nodiscard]] Chunk const& chunk_of(Index index) const
    {
        if (chunks_.back()->first <= index)
            return *chunks_.back();
        auto const after =
            core::count_while(chunks_, chunks_.size(), [&](auto const& chunk) { return chunk->first <= index; });
        return *chunks_[after - 1];
    }

    [[nodiscard]] std::uint64_t bytes_through(Index index) const
    {
        if (index <= base_)
            return compacted_bytes_;
        auto const& chunk = chunk_of(index);
        return chunk.bytes_before + chunk.ends[index.value - chunk.first.value];
    }

    Index                               base_;
    Index                               last_;
    std::uint64_t                       compacted_bytes_ = 0; ///< Of the entries up to `base_` that were in the index.
    std::vector<std::unique_ptr<Chunk>> chunks_;
};

} // namespace totora::inline v0
