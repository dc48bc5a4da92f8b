// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/queue.hpp"
#include "totora/log/segmented/entry_index.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace totora::inline v0
{

/// The newest entries of a log, kept in the memory that they arrived in. An `EntryIndex` of the log has their sizes.
///
/// Invariants: the pieces are neighbours, in order; `cost` is the sum of their costs.
class PinnedEntries
{
public:
    [[nodiscard]] bool empty() const { return pieces_.empty(); }

    /// The first entry in memory. Precondition: not `empty()`.
    [[nodiscard]] Index first() const { return pieces_.front().first; }

    /// The memory that the entries take, in bytes.
    [[nodiscard]] std::uint64_t cost() const { return cost_; }

    /// Adds a slice of `count` entries, of which the first follows the last one here.
    void append(Index first, std::uint64_t count, EntrySlice const& slice)
    {
        pieces_.push_back({first, count, slice});
        cost_ += cost_of(pieces_.back());
    }

    /// Removes the entry at `from` and all after it. `index` still holds them.
    void truncate(Index from, EntryIndex const& index)
    {
        while (not pieces_.empty() and pieces_.back().first >= from) {
            cost_ -= cost_of(pieces_.back());
            pieces_.pop_back();
        }
        if (pieces_.empty() or last_of_piece(pieces_.back()) < from)
            return;
        auto& piece = pieces_.back();
        cost_ -= cost_of(piece);
        piece.slice.bytes = piece.slice.bytes.first(offset_in(piece, from, index));
        piece.count = from.value - piece.first.value;
        cost_ += cost_of(piece);
    }

    /// Removes the entries up to `base`. `index` still holds them.
    void compact(Index base, EntryIndex const& index)
    {
        while (not pieces_.empty() and last_of_piece(pieces_.front()) <= base) {
            cost_ -= cost_of(pieces_.front());
            pieces_.pop_front();
        }
        if (pieces_.empty() or pieces_.front().first > base)
            return;
        auto& piece = pieces_.front();
        cost_ -= cost_of(piece);
        piece.slice.bytes = piece.slice.bytes.subspan(offset_in(piece, next(base), index));
        piece.count -= base.value - piece.first.value + 1;
        piece.first = next(base);
        cost_ += cost_of(piece);
    }

    /// Forgets the oldest entries, none after `through`, until the rest costs no more than `cost_max`.
    void forget(Index through, std::uint64_t cost_max)
    {
        while (cost_ > cost_max and not pieces_.empty() and last_of_piece(pieces_.front()) <= through) {
            cost_ -= cost_of(pieces_.front());
            pieces_.pop_front();
        }
    }

    /// Adds the entries from `from` to `up_to` to a range. Precondition: all of them are in memory, and `index` holds
    /// them.
    void read(Index from, Index up_to, EntryIndex const& index, Entries& into) const
    {
        for (auto at = piece_of(from); at < pieces_.size() and pieces_[at].first <= up_to; ++at) {
            auto const& piece = pieces_[at];
            auto const  begins = std::max(from, piece.first);
            auto const  ends = std::min(up_to, last_of_piece(piece));
            if (begins == piece.first and ends == last_of_piece(piece)) {
                into.add(piece.slice, piece.count);
                continue;
            }
            auto const offset = offset_in(piece, begins, index);
            auto const size = static_cast<std::size_t>(index.bytes(begins, ends));
            into.add({piece.slice.pin, piece.slice.bytes.subspan(offset, size)}, ends.value - begins.value + 1);
        }
    }

private:
    struct Piece
    {
        Index         first;
        std::uint64_t count = 0;
        EntrySlice    slice;
    };

    /// The piece that holds an entry. Nearly every read is of the newest entries, so the search begins there, in steps
    /// that double: it does not touch all of a long log.
    [[nodiscard]] std::size_t piece_of(Index index) const
    {
        auto end = pieces_.size();
        auto begin = end - 1;
        for (auto step = std::size_t{1}; pieces_[begin].first > index; step *= 2) {
            end = begin;
            begin -= std::min(step, begin);
        }
        while (end - begin > 1) {
            auto const middle = begin + (end - begin) / 2;
            (pieces_[middle].first <= index ? begin : end) = middle;
        }
        return begin;
    }

    [[nodiscard]] static Index last_of_piece(Piece const& piece) { return before(piece.first + piece.count); }

    /// The bytes, and an estimate for the pin and its block.
    [[nodiscard]] static std::uint64_t cost_of(Piece const& piece)
    {
        return piece.slice.bytes.size() + 2 * sizeof(Piece);
    }

    [[nodiscard]] static std::size_t offset_in(Piece const& piece, Index index, EntryIndex const& sizes)
    {
        return static_cast<std::size_t>(sizes.bytes(piece.first, before(index)));
    }

    Queue<Piece>  pieces_;
    std::uint64_t cost_ = 0;
};

} // namespace totora::inline v0
