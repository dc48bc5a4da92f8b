// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/quorum.hpp"
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

/// Asks whether it could win, before it disturbs anybody with a new term (dissertation §9.6).
struct PreCandidate
{
    Round     round; ///< The pre-vote under way: grants of earlier ones do not count.
    ServerSet granted;

    friend constexpr bool operator==(PreCandidate const&, PreCandidate const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("round", self.round);
        visit("granted", self.granted);
    }
};
static_assert(lists_its_fields<PreCandidate>());

/// Asks for votes in a term of its own (§5.2).
struct Candidate
{
    ServerSet granted; ///< Holds the candidate itself only when its own vote is durable.

    friend constexpr bool operator==(Candidate const&, Candidate const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("granted", self.granted); }
};
static_assert(lists_its_fields<Candidate>());

/// Handles all clients, and replicates its log (§5.3).
struct Leader
{
    InplaceVector<Progress, servers_max> followers; ///< The other members of the configuration.
    ReadRounds                           reads;     ///< Every append carries the newest of them.
    std::uint8_t                         stalled =
        0; ///< Quorum checks in a row that a majority answered, and in which nothing got through to one.

    friend constexpr bool operator==(Leader const&, Leader const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("followers", self.followers);
        visit("reads", self.reads);
        visit("stalled", self.stalled);
    }
};
static_assert(lists_its_fields<Leader>());

using Role = std::variant<Follower, PreCandidate, Candidate, Leader>;

/// What a leader knows of a server, or null if it is not a member.
[[nodiscard]] constexpr Progress* find_progress(Leader& leader, ServerId server)
{
    for (auto& progress : leader.followers)
        if (progress.server == server)
            return &progress;
    return nullptr;
}

[[nodiscard]] constexpr Progress const* find_progress(Leader const& leader, ServerId server)
{
    for (auto const& progress : leader.followers)
        if (progress.server == server)
            return &progress;
    return nullptr;
}

} // namespace totora::inline v0
