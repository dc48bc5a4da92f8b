// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/read_rounds.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <variant>

namespace totora::inline v0
{

/// Answers requests of leaders and candidates (§5.1). Also a server that may not vote.
struct Follower
{
    ServerId leader; ///< The leader of the current term, `nobody` while it is not known.

    friend constexpr bool operator==(Follower const&, Follower const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("leader", self.leader); }
};
static_assert(lists_its_fields<Follower>());

/// Asks whether it could win, before it disturbs anybody with a new term (dissertation §9.6). Who grants it is in `State::votes`.
struct PreCandidate
{
    Round round; ///< The pre-vote under way: grants of earlier ones do not count.

    friend constexpr bool operator==(PreCandidate const&, PreCandidate const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("round", self.round); }
};
static_assert(lists_its_fields<PreCandidate>());

/// Asks for votes in a term of its own (§5.2). Who votes for it is in `State::votes`, itself only when its own vote is durable.
struct Candidate
{
    friend constexpr bool operator==(Candidate const&, Candidate const&) = default;

    static constexpr void visit_fields(auto&, auto&&) {}
};
static_assert(lists_its_fields<Candidate>());

/// Handles all clients, and replicates its log (§5.3). What it knows of the others is in `State::followers`.
struct Leader
{
    ReadRounds   reads;                   ///< Every append carries the newest of them.
    ServerId     successor;               ///< To whom it hands over (dissertation §3.10); `nobody` if it does not.
    AppendNumber sent_to_others;          ///< The highest number of an append to a server that is no member any more.
    bool         asked_successor = false; ///< Since the last heartbeat alarm.
    bool         may_raise = false;       ///< All members may be able to do more than is agreed.
    std::uint8_t stalled =
        0; ///< Quorum checks in a row that a majority answered, and in which nothing got through to one.

    friend constexpr bool operator==(Leader const&, Leader const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("reads", self.reads);
        visit("successor", self.successor);
        visit("sent_to_others", self.sent_to_others);
        visit("asked_successor", self.asked_successor);
        visit("may_raise", self.may_raise);
        visit("stalled", self.stalled);
    }
};
static_assert(lists_its_fields<Leader>());

using Role = std::variant<Follower, PreCandidate, Candidate, Leader>;

} // namespace totora::inline v0
