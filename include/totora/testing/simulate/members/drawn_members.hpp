// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// An address for a server, which is like no other.
[[nodiscard]] inline std::string drawn_address(ServerId server, testing::Prng& random)
{
    return "server" + std::to_string(server.value) + ":" + std::to_string(random.below(1'000'000));
}

/// Draws members to ask a leader for, from those that it has.
class DrawnMembers
{
public:
    /// `lives` are those that the servers are in, by number; without them it is the first.
    DrawnMembers(State const& leader, std::size_t servers, testing::Prng& random,
                 std::span<Incarnation const> lives = {})
        : leader_(leader), servers_(servers), random_(random), lives_(lives)
    {}

    /// Mostly what can be done, and often the removal of members that are in another life by now. Now and then for a configuration that is not in force, without a voter, or with another life of a member.
    [[nodiscard]] WantedMembers draw()
    {
        begin();
        if (names_ended_life() and random_.below(2) == 0)
            remove_ended();
        else
            draw_change();
        auto expected = leader_.configurations.in_force.index;
        if (random_.below(32) == 0)
            ++expected.value;
        return {expected, peers_, random_.below(8) == 0};
    }

    /// Exactly these servers; a quarter of them learners.
    [[nodiscard]] WantedMembers draw(std::vector<ServerId> const& servers)
    {
        for (auto const server : servers)
            peers_.push_back(peer(server, random_.below(4) == 0 ? MemberKind::learner : MemberKind::voter));
        peers_[random_.below(peers_.size())].member.kind = MemberKind::voter;
        return {leader_.configurations.in_force.index, peers_, false};
    }

    /// Whether a server is a member in a life that has ended.
    [[nodiscard]] bool is_member_no_more(ServerId server) const
    {
        auto const* const member = find_member(leader_.configurations.in_force, server);
        return member != nullptr and is_ended(*member);
    }

private:
    void draw_change()
    {
        switch (random_.below(8)) {
        case 0:
            draw_any();
            break;
        case 1:
            add(MemberKind::voter);
            break;
        case 2:
            add(MemberKind::learner);
            break;
        case 3:
            turn(MemberKind::learner, MemberKind::voter);
            break;
        case 4:
            turn(MemberKind::voter, MemberKind::learner);
            break;
        case 5:
            remove();
            break;
        case 6:
            remove();
            add(MemberKind::voter);
            break;
        default:
            go_wrong();
            break;
        }
    }

    [[nodiscard]] Incarnation life_of(ServerId server) const
    {
        return lives_.empty() ? first_incarnation : lives_[static_cast<std::size_t>(server.value - 1)];
    }

    [[nodiscard]] bool is_ended(Member const& member) const { return member.incarnation != life_of(member.id); }

    [[nodiscard]] bool names_ended_life() const
    {
        return std::any_of(peers_.begin(), peers_.end(), [&](Peer const& one) { return is_ended(one.member); });
    }

    void remove_ended()
    {
        std::erase_if(peers_, [&](Peer const& one) { return is_ended(one.member); });
    }

    /// With who is there; some get another address.
    void begin()
    {
        for (auto member : leader_.configurations.in_force.members) {
            if (member.kind == MemberKind::leaving)
                continue;
            member.kind = votes_in(member.kind, Half::incoming) ? MemberKind::voter : MemberKind::learner;
            peers_.push_back({member, random_.below(4) == 0 ? drawn_address(member.id, random_) : std::string{}});
        }
    }

    [[nodiscard]] Peer peer(ServerId server, MemberKind kind)
    {
        return {{server, life_of(server), kind}, drawn_address(server, random_)};
    }

    void draw_any()
    {
        peers_.clear();
        for (auto id = std::uint64_t{1}; id <= servers_; ++id)
            if (auto const fate = random_.below(8); fate < 6)
                peers_.push_back(peer(ServerId{id}, fate == 0 ? MemberKind::learner : MemberKind::voter));
    }

    /// Another server, if there is one.
    void add(MemberKind kind)
    {
        auto const first = random_.below(servers_);
        for (auto at = std::uint64_t{0}; at < servers_; ++at) {
            auto const server = ServerId{(first + at) % servers_ + 1};
            if (find_member(leader_.configurations.in_force, server) == nullptr)
                return peers_.push_back(peer(server, kind));
        }
    }

    /// One of those that are `from`.
    void turn(MemberKind from, MemberKind to)
    {
        auto const first = random_.below(servers_);
        for (auto at = std::size_t{0}; at < peers_.size(); ++at)
            if (auto& kind = peers_[(first + at) % peers_.size()].member.kind; kind == from) {
                kind = to;
                return;
            }
    }

    void remove()
    {
        if (not peers_.empty())
            peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(random_.below(peers_.size())));
    }

    void go_wrong()
    {
        auto const which = random_.below(4);
        if (which == 0)
            for (auto& one : peers_)
                one.member.kind = MemberKind::learner;
        else if (which == 1 and not peers_.empty())
            ++peers_.front().member.incarnation.value;
        else if (which == 2 and not peers_.empty())
            peers_.push_back(peers_.front());
        else
            draw_any();
    }

    State const&                 leader_;
    std::size_t                  servers_;
    testing::Prng&               random_;
    std::span<Incarnation const> lives_;
    std::vector<Peer>            peers_;
};

} // namespace totora::inline v0::simulate
