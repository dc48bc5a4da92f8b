// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/linearizability/linearized_set.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0::linearizability
{

/// The configurations that a search has seen: what has a place, what state that led to, and which of the operations of
/// unknown outcome were used up on the way (Lowe 2017, "Testing for linearizability", calls the first two the memo of
/// Wing and Gong's search).
///
/// A configuration is not worth a visit either if one was seen that differs only in that it had used fewer operations
/// of unknown outcome. These need not be used up, so that all that can follow here could follow there.
///
/// Two vectors and a flat table: an entry is 40 bytes and the words of its two sets.
class LinearizationMemo
{
public:
    using Word = LinearizedSet::Word;

    /// Whether the configuration is worth a visit; from now on it counts as seen.
    [[nodiscard]] bool insert(LinearizedSet const& placed, std::uint32_t state, std::span<Word const> used)
    {
        while (not used.empty() and used.back() == 0)
            used = used.first(used.size() - 1);
        if (2 * groups_ >= slots_.size())
            grow();
        auto  entry = Entry{.hash = placed.hash() ^ LinearizedSet::hash_of(~std::uint64_t{state}),
                            .words = words_.size(),
                            .state = state,
                            .begin = static_cast<std::uint32_t>(placed.begin()),
                            .placed_count = static_cast<std::uint32_t>(placed.window().size()),
                            .used_count = static_cast<std::uint32_t>(used.size()),
                            .next = none};
        auto& slot = slots_[slot_of(entry, placed)];
        if (slot != none and is_covered(slot, used))
            return false;
        entry.next = slot;
        groups_ += slot == none ? 1 : 0;
        slot = static_cast<std::uint32_t>(entries_.size());
        entries_.push_back(entry);
        words_.insert(words_.end(), placed.window().begin(), placed.window().end());
        words_.insert(words_.end(), used.begin(), used.end());
        return true;
    }

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    /// How often one set was compared with another: the work that grows when many operations have unknown outcomes.
    [[nodiscard]] std::uint64_t comparisons() const { return comparisons_; }

    [[nodiscard]] std::size_t bytes() const
    {
        return entries_.size() * sizeof(Entry) + words_.size() * sizeof(Word) + slots_.size() * sizeof(std::uint32_t);
    }

private:
    struct Entry
    {
        std::uint64_t hash;
        std::uint64_t words; ///< Where its words begin: first of the placed ones, then of the used ones.
        std::uint32_t state;
        std::uint32_t begin;
        std::uint32_t placed_count;
        std::uint32_t used_count;
        std::uint32_t next; ///< An older entry that differs only in what was used.
    };

    static constexpr auto none = ~std::uint32_t{0};

    [[nodiscard]] std::span<Word const> placed_of(Entry const& entry) const
    {
        return std::span{words_}.subspan(entry.words, entry.placed_count);
    }

    [[nodiscard]] std::span<Word const> used_of(Entry const& entry) const
    {
        return std::span{words_}.subspan(entry.words + entry.placed_count, entry.used_count);
    }

    /// The slot of the entries that differ only in what was used, or the free one where they belong.
    [[nodiscard]] std::size_t slot_of(Entry const& entry, LinearizedSet const& placed) const
    {
        auto const mask = slots_.size() - 1;
        auto       at = static_cast<std::size_t>(entry.hash) & mask;
        for (; slots_[at] != none; at = (at + 1) & mask) {
            auto const& other = entries_[slots_[at]];
            if (other.hash == entry.hash and other.state == entry.state and other.begin == entry.begin and
                std::ranges::equal(placed_of(other), placed.window()))
                break;
        }
        return at;
    }

    [[nodiscard]] bool is_covered(std::uint32_t group, std::span<Word const> used)
    {
        for (auto at = group; at != none; at = entries_[at].next) {
            ++comparisons_;
            auto const fewer = used_of(entries_[at]);
            auto const is_in = [](Word few, Word many) { return (few & ~many) == 0; };
            if (fewer.size() <= used.size() and std::equal(fewer.begin(), fewer.end(), used.begin(), is_in))
                return true;
        }
        return false;
    }

    void grow()
    {
        auto larger = std::vector<std::uint32_t>(std::max<std::size_t>(64, 2 * slots_.size()), none);
        for (auto const group : slots_) {
            if (group == none)
                continue;
            auto at = static_cast<std::size_t>(entries_[group].hash) & (larger.size() - 1);
            while (larger[at] != none)
                at = (at + 1) & (larger.size() - 1);
            larger[at] = group;
        }
        slots_ = std::move(larger);
    }

    std::vector<Entry>         entries_;
    std::vector<Word>          words_;
    std::vector<std::uint32_t> slots_; ///< A power of two; the newest entry of each group.
    std::size_t                groups_ = 0;
    std::uint64_t              comparisons_ = 0;
};

} // namespace totora::inline v0::linearizability
