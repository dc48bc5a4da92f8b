// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_name.hpp"
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

/// Reads durable entries back from their segments, and checks each one: place, index, term and checksum.
template <log_files Files>
class SegmentReader
{
public:
    SegmentReader(Files& files, EntryIndex const& index, TermRuns const& runs)
        : files_(files), index_(index), runs_(runs)
    {}

    /// Adds the entries from `from` to `up_to` to a range. Precondition: the index holds all of them.
    [[nodiscard]] Result<Done, LogError> read(Index from, Index up_to, Entries& into)
    {
        while (from <= up_to) {
            auto const last = last_in_same_segment(from, up_to);
            if (auto const got = read_part(from, last, into); not got)
                return got;
            from = next(last);
        }
        return Done{};
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

    [[nodiscard]] Result<Done, LogError> read_part(Index from, Index up_to, Entries& into)
    {
        auto const begin = index_.place(from);
        auto const size = index_.place(up_to).offset + index_.bytes(up_to, up_to) - begin.offset;
        auto       block = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(size));
        if (auto const got = fill(begin, *block); not got)
            return got;

        // Entries of one record are neighbours; between those of two records stand heads and padding.
        auto const bytes = std::span<std::byte const>{*block};
        auto       slice_begins = from;
        for (auto at = from; at <= up_to; at = next(at)) {
            auto const offset = index_.place(at).offset - begin.offset;
            auto const entry = view_entry(bytes.subspan(offset));
            if (not entry or entry->index != at or runs_.term_at(at) != entry->term or
                entry->encoded.size() != index_.bytes(at, at) or not is_intact(*entry))
                return log_failure(LogFailure::damaged, "The entry " + std::to_string(at.value) + " in the file " +
                                                            segment_name(begin.segment) + " is damaged.");
            auto const ends = offset + entry->encoded.size();
            if (at < up_to and index_.place(next(at)).offset - begin.offset == ends)
                continue;
            auto const slice_offset = index_.place(slice_begins).offset - begin.offset;
            into.add({block, bytes.subspan(slice_offset, ends - slice_offset)}, at.value - slice_begins.value + 1);
            slice_begins = next(at);
        }
        return Done{};
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

    Files&                              files_;
    EntryIndex const&                   index_;
    TermRuns const&                     runs_;
    std::optional<typename Files::File> file_; ///< The last one read from.
    std::uint64_t                       generation_ = 0;
};

} // namespace totora::inline v0
