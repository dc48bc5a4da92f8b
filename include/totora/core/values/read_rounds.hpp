// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// How many rounds are on their way at most. Reads that come while so many are wait for the next one: two keep the network
/// busy, and a round is never joined by a read that was asked for after it began (case 47).
inline constexpr std::uint64_t rounds_max = 2;

/// The rounds in which a leader makes sure that it still leads (§8; dissertation §6.4), numbered within its term.
///
///     0 < ... confirmed ... newest      reads of the rounds up to `confirmed` are allowed, the others are on their way
///
/// Differs: dissertation §6.4 counts the heartbeats of one read. A round serves all reads that were asked for before it began.
struct ReadRounds
{
    Round newest;          ///< The newest round; every append carries it.
    Round confirmed;       ///< The newest round whose reads have been allowed.
    bool  waiting = false; ///< Reads wait for the round after `newest`, which begins when one is confirmed.

    /// Whether a round can begin now.
    [[nodiscard]] constexpr bool may_begin() const { return newest.value - confirmed.value < rounds_max; }

    /// Whether no round waits for a majority.
    [[nodiscard]] constexpr bool are_all_confirmed() const { return confirmed == newest; }

    /// Begins a round, for all reads that wait.
    constexpr void begin()
    {
        ++newest.value;
        waiting = false;
    }

    /// Has a read wait for the round after `newest`, and returns that round.
    constexpr Round wait()
    {
        waiting = true;
        return Round{newest.value + 1};
    }

    /// A majority has answered `answered`. Whether that confirms anything.
    constexpr bool confirm(Round answered)
    {
        if (answered <= confirmed)
            return false;
        confirmed = answered;
        return true;
    }

    friend constexpr bool operator==(ReadRounds const&, ReadRounds const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("newest", self.newest);
        visit("confirmed", self.confirmed);
        visit("waiting", self.waiting);
    }
};
static_assert(lists_its_fields<ReadRounds>());

/// The invariant of the read rounds that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(ReadRounds const& reads)
{
    if (reads.confirmed > reads.newest)
        return "a confirmed round has begun";
    if (reads.newest.value - reads.confirmed.value > rounds_max)
        return "at most two read rounds are on their way";
    if (reads.waiting and reads.may_begin())
        return "reads wait only while no round can begin";
    return std::nullopt;
}

} // namespace totora::inline v0
