// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace totora::inline v0
{

/// Where the log of a leader ended when: how long ago it ended where that of a follower ends now.
///
/// Bounded: the longer ago, the fewer ends are kept. The answer is rounded up, by at most 10 ms and a quarter.
class LogEnds
{
public:
    /// A turn of the leader of this term begins, with a log that ends at `last`.
    void note(Term term, Index last, std::uint64_t now_ms)
    {
        if (term != term_) {
            *this = LogEnds{};
            term_ = term;
            began_ms_ = now_ms;
        }
        if (not ends_.empty() and ends_.back().last == last) {
            ends_.back().until_ms = now_ms;
        } else if (ends_.empty() or now_ms - ends_.back().until_ms >= spacing_ms) {
            if (ends_.full())
                drop_one(now_ms);
            static_cast<void>(ends_.push_back({last, now_ms}));
        }
    }

    /// How long ago the log last ended no later than at `match`. Where it always ended later: for how long this server leads in this term.
    [[nodiscard]] std::uint64_t age_ms(Term term, Index match, std::uint64_t now_ms) const
    {
        if (term != term_) // It was elected in this turn.
            return 0;
        auto const* const later = std::upper_bound(ends_.begin(), ends_.end(), match,
                                                   [](Index one, End const& end) { return one < end.last; });
        return now_ms - (later == ends_.begin() ? began_ms_ : (later - 1)->until_ms);
    }

private:
    struct End
    {
        Index         last;
        std::uint64_t until_ms = 0; ///< The newest moment at which the log ended there.
    };

    static constexpr std::uint64_t spacing_ms = 5;
    static constexpr std::size_t   ends_max = 128;

    /// Drops the end whose neighbours are the closest to each other, for their age.
    void drop_one(std::uint64_t now_ms)
    {
        auto best = std::size_t{0};
        auto least = ~std::uint64_t{0};
        for (auto at = std::size_t{0}; at + 1 < ends_.size(); ++at) {
            auto const before_ms = at == 0 ? began_ms_ : ends_[at - 1].until_ms;
            auto const after_ms = ends_[at + 1].until_ms;
            if (auto const gap = (after_ms - before_ms) * 1024 / (now_ms - after_ms + 1); gap < least) {
                least = gap;
                best = at;
            }
        }
        std::move(ends_.begin() + best + 1, ends_.end(), ends_.begin() + best);
        ends_.truncate(ends_.size() - 1);
    }

    Term                         term_;
    std::uint64_t                began_ms_ = 0;
    InplaceVector<End, ends_max> ends_; ///< Both of their numbers rise.
};

} // namespace totora::inline v0
