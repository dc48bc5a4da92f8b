// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A set of servers, in order of their ids, so that equal sets are equal values.
class ServerSet
{
public:
    [[nodiscard]] constexpr bool contains(ServerId server) const
    {
        return core::any_of(servers_, [&](ServerId other) { return other == server; });
    }

    /// Adds a server. A set holds no more than a configuration can name; what is beyond that is not added.
    constexpr void insert(ServerId server)
    {
        if (contains(server) or size() == servers_max)
            return;
        servers_.push_back(server);
        for (auto at = servers_.size() - 1; at > 0 and servers_[at] < servers_[at - 1]; --at)
            std::swap(servers_[at], servers_[at - 1]);
    }

    constexpr void clear() { servers_.clear(); }

    [[nodiscard]] constexpr std::size_t size() const { return servers_.size(); }
    [[nodiscard]] constexpr bool        empty() const { return servers_.empty(); }

    friend constexpr bool operator==(ServerSet const&, ServerSet const&) = default;

private:
    std::vector<ServerId> servers_;
};

/// How many of so many voters must agree: more than half of them. A majority of no voters does not exist.
[[nodiscard]] constexpr std::size_t quorum_size(std::size_t voters) { return voters / 2 + 1; }

/// How many voters of this half must agree.
[[nodiscard]] constexpr std::size_t quorum_size(Configuration const& configuration, Half half)
{
    auto voters = std::size_t{0};
    for (auto const& member : configuration.members)
        voters += votes_in(member.kind, half) ? 1U : 0U;
    return quorum_size(voters);
}

/// Whether enough voters of one half agree. `agrees` is asked for the id of each of them, and of nobody else.
template <typename Agrees>
[[nodiscard]] constexpr bool has_quorum_in(Configuration const& configuration, Half half, Agrees& agrees)
{
    auto agreeing = std::size_t{0};
    for (auto const& member : configuration.members)
        if (votes_in(member.kind, half) and agrees(member.id))
            ++agreeing;
    return agreeing >= quorum_size(configuration, half);
}

/// Whether enough voters agree, in a joint configuration enough of each half: the one answer to elections, check-quorum and pre-votes
/// (§5.2, §6).
///
/// `agrees` is asked for the id of each voter, and of nobody else: learners and non-members count nowhere.
template <typename Agrees>
[[nodiscard]] constexpr bool has_quorum(Configuration const& configuration, Agrees agrees)
{
    return has_quorum_in(configuration, Half::outgoing, agrees) and
           (not is_joint(configuration) or has_quorum_in(configuration, Half::incoming, agrees));
}

/// Values in descending order, and only as many as were added: they are asked for at every answer of every follower, and would else
/// spend most of the time on clearing the rest.
class ReachedValues // NOLINT(*-member-init)
{
public:
    constexpr void add(std::uint64_t value)
    {
        auto at = count_++;
        for (; at > 0 and values_[at - 1] < value; --at)
            values_[at] = values_[at - 1];
        values_[at] = value;
    }

    [[nodiscard]] constexpr bool empty() const { return count_ == 0; }

    /// The highest that more than half of them have reached. There is one.
    [[nodiscard]] constexpr std::uint64_t of_quorum() const { return values_[quorum_size(count_) - 1]; }

private:
    std::array<std::uint64_t, servers_max> values_; // NOLINT(*-member-init)
    std::size_t                            count_ = 0;
};

/// The highest value that enough voters of one half have reached.
template <typename T, typename Reached>
[[nodiscard]] constexpr T quorum_index_in(Configuration const& configuration, Half half, T nothing, Reached& reached)
{
    auto values = ReachedValues{};
    for (auto const& member : configuration.members)
        if (votes_in(member.kind, half))
            values.add(reached(member.id).value);
    return values.empty() ? nothing : T{values.of_quorum()};
}

/// The highest value that enough voters have reached, in a joint configuration the lower one of its halves: the one answer to
/// commitment and to read rounds (§6).
///
/// `reached` is the value of the voter with an id. `nothing` if there are no voters.
template <typename T, typename Reached>
[[nodiscard]] constexpr T quorum_index(Configuration const& configuration, T nothing, Reached reached)
{
    auto values = ReachedValues{};
    for (auto const& member : configuration.members) {
        if (member.kind > MemberKind::learner) // It is a joint one, which is rare.
            return std::min(quorum_index_in(configuration, Half::outgoing, nothing, reached),
                            quorum_index_in(configuration, Half::incoming, nothing, reached));
        if (member.kind == MemberKind::voter)
            values.add(reached(member.id).value);
    }
    return values.empty() ? nothing : T{values.of_quorum()};
}

} // namespace totora::inline v0
