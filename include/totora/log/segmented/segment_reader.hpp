// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/reading/cold_blocks.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/syncer.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Reads durable entries back from their segments, and checks each one: place, index, term and checksum. With `aside` they are read there, a
/// block at a time and the next one ahead; without it at once.
template <log_files Files, log_syncer Syncer = InlineSyncer>
class SegmentReader
{
public:
    SegmentReader(Files& files, EntryIndex const& index, TermRuns const& runs,
                  ColdBlocks<Files, Syncer>* aside = nullptr)
        : files_(files), index_(index), runs_(runs), aside_(aside)
    {}

    /// Adds entries from `from` to `up_to` to a range; the last one that was added is returned: `up_to`, or less where the next one is being
    /// read. `not_now` if that is the first one. Precondition: the index holds all of them, and up to `last_cold` they are durable.
    [[nodiscard]] Result<Index, LogError> read(Index from, Index up_to, Index last_cold, Entries& into)
    {
        for (auto first = from; first <= up_to;) {
            auto const last = last_in_same_segment(first, up_to);
            auto const got =
                aside_ != nullptr ? read_aside(first, last, last_cold, into) : read_part(first, last, into);
            if (not got and got.error().failure == LogFailure::not_now and first > from)
                return before(first);
            if (not got or *got < last)
                return got;
            first = next(last);
        }
        return up_to;
    }

private:
    [[nodiscard]] Index last_in_same_segment(Index from, Index up_to) const
    {
        auto const segment = index_.place(from).segment;
        auto       same = from;
        auto       other = next(up_to);
        while (next(same) < other) {
            auto const middle = Index{same.value + (other.value - same.value) / 2};
            (index_.place(middle).segment == segment ? same : other) = middle;
        }
        return same;
    }

    [[nodiscard]] Result<Index, LogError> read_part(Index from, Index up_to, Entries& into)
    {
        auto const begin = index_.place(from);
        auto       block = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(size_of(from, up_to)));
        if (auto const got = fill(begin, *block); not got)
            return Unexpected{got.error()};
        return add(from, up_to, block_place(begin), std::move(block), into);
    }

    [[nodiscard]] Result<Index, LogError> read_aside(Index from, Index up_to, Index last_cold, Entries& into)
    {
        auto const block = aside_->find(block_place(index_.place(from)), index_.bytes(from, from));
        if (not block) {
            ask(from, last_cold);
            return Unexpected{LogError{LogFailure::not_now, {}}};
        }
        if (block->bytes == nullptr)
            return failure(block->failure);
        auto const last = last_in_block(from, up_to, *block);
        auto       added = add(from, last, block->begin, block->bytes, into);
        if (added and last < last_cold and last_in_block(last, next(last), *block) == last)
            ask(next(last), last_cold);
        return added;
    }

    /// Has entries from `from` on read.
    void ask(Index from, Index last_cold)
    {
        auto const last = last_in_same_segment(from, index_.last_within(from, last_cold, block_bytes));
        aside_->request(block_place(index_.place(from)), size_of(from, last));
    }

    /// The last entry up to `up_to` that a block holds; it holds `from`.
    [[nodiscard]] Index
    last_in_block(Index from, Index up_to, typename ColdBlocks<Files, Syncer>::Block const& block) const
    {
        auto holds = from;
        auto beyond = next(up_to);
        while (next(holds) < beyond) {
            auto const middle = Index{holds.value + (beyond.value - holds.value) / 2};
            (block.holds(block_place(index_.place(middle)), index_.bytes(middle, middle)) ? holds : beyond) = middle;
        }
        return holds;
    }

    /// The bytes from the first to the end of the last of some entries of a segment.
    [[nodiscard]] std::uint64_t size_of(Index from, Index up_to) const
    {
        return index_.place(up_to).offset + index_.bytes(up_to, up_to) - index_.place(from).offset;
    }

    /// Checks the entries in a block of a segment, and adds them. Entries of one record are neighbours; between those of two records stand
    /// heads and padding.
    [[nodiscard]] Result<Index, LogError> add(Index from, Index up_to, BlockPlace const& begin,
                                              std::shared_ptr<std::vector<std::byte> const> const& block,
                                              Entries&                                             into) const
    {
        auto const bytes = std::span<std::byte const>{*block};
        auto       slice_begins = from;
        for (auto at = from; at <= up_to; at = next(at)) {
            auto const offset = index_.place(at).offset - begin.offset;
            auto const entry = view_entry(bytes.subspan(offset));
            if (not entry or entry->index != at or runs_.term_at(at) != entry->term or
                entry->encoded.size() != index_.bytes(at, at) or not is_intact(*entry))
                return log_failure(LogFailure::damaged, "The entry " + std::to_string(at.value) + " in the file " +
                                                            begin.file_name() + " is damaged.");
            auto const ends = offset + entry->encoded.size();
            if (at < up_to and index_.place(next(at)).offset - begin.offset == ends)
                continue;
            auto const slice_offset = index_.place(slice_begins).offset - begin.offset;
            into.add({block, bytes.subspan(slice_offset, ends - slice_offset)}, at.value - slice_begins.value + 1);
            slice_begins = next(at);
        }
        return up_to;
    }

    [[nodiscard]] Result<Done, LogError> fill(EntryPlace place, std::span<std::byte> into)
    {
        if (not file_ or generation_ != place.segment) {
            file_.reset();
            auto opened = files_.open(segment_name(place.segment));
            if (not opened)
                return failure(opened.error());
            file_.emplace(std::move(*opened));
            generation_ = place.segment;
        }
        auto const got = file_->read(place.offset, into);
        if (not got)
            return failure(got.error());
        return Done{};
    }

    [[nodiscard]] static Unexpected<LogError> failure(FileError const& error)
    {
        return Unexpected{
            LogError{is_shortage(error.number) ? LogFailure::not_now : LogFailure::read_failed, error.what}};
    }

    static constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20U; ///< Of what is read ahead, or one entry.

    Files&                              files_;
    EntryIndex const&                   index_;
    TermRuns const&                     runs_;
    ColdBlocks<Files, Syncer>*          aside_;
    std::optional<typename Files::File> file_; ///< The last one read from.
    std::uint64_t                       generation_ = 0;
};

} // namespace totora::inline v0
