// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace totora::inline v0::linearizability
{

/// The operations that have a place in an order already: a set of bits that knows its hash and its interesting part.
///
/// Operations are numbered in the order of their calls, so that all are in the set up to some number, none is from
/// another one on, and what lies between is about as wide as operations are concurrent. Only that part is worth
/// storing.
class LinearizedSet
{
public:
    using Word = std::uint64_t;

    static constexpr std::size_t bits = 64;

    explicit LinearizedSet(std::size_t size) : words_((size + bits - 1) / bits) {}

    void insert(std::size_t number)
    {
        words_[number / bits] |= Word{1} << (number % bits);
        hash_ ^= hash_of(number);
        end_ = std::max(end_, number / bits + 1);
        while (begin_ < words_.size() and words_[begin_] == std::numeric_limits<Word>::max())
            ++begin_;
    }

    void erase(std::size_t number)
    {
        words_[number / bits] &= ~(Word{1} << (number % bits));
        hash_ ^= hash_of(number);
        begin_ = std::min(begin_, number / bits);
        while (end_ > 0 and words_[end_ - 1] == 0)
            --end_;
    }

    /// Independent of the order of insertion.
    [[nodiscard]] std::uint64_t hash() const { return hash_; }

    /// Every word before this one is full.
    [[nodiscard]] std::size_t begin() const { return begin_; }

    /// The words from `begin` on, without the empty ones at the end.
    [[nodiscard]] std::span<Word const> window() const
    {
        return std::span{words_}.subspan(begin_, std::max(begin_, end_) - begin_);
    }

    /// Mixes the bits of a number well (the finalizer of splitmix64, Steele, Lea and Flood 2014).
    [[nodiscard]] static constexpr std::uint64_t hash_of(std::uint64_t number)
    {
        number += 0x9e3779b97f4a7c15U;
        number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9U;
        number = (number ^ (number >> 27U)) * 0x94d049bb133111ebU;
        return number ^ (number >> 31U);
    }

private:
    std::vector<Word> words_;
    std::uint64_t     hash_ = 0;
    std::size_t       begin_ = 0;
    std::size_t       end_ = 0;
};

} // namespace totora::inline v0::linearizability
