// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/search.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace totora::inline v0
{

// How one set of members becomes another (§6; dissertation §4.3). A set that is asked for has voters and learners alone.
//
//      current ──────▶ current, and newcomers as learners ──────▶ joint ──────▶ incoming
//                      (they receive the log first)                 └─────────▶ outgoing, if it is cancelled
//
// Where at most one voter is added or removed any majority before and any majority after have a server in common, and no joint
// configuration is needed (dissertation §4.1).

/// Both ends of a change at once; nothing if they have more members than a configuration can name.
[[nodiscard]] constexpr std::optional<Members> joint_of(Members const& current, Members const& target)
{
    auto const from = Configuration{{}, current};
    auto const to = Configuration{{}, target};
    auto       joint = Members{};
    auto       fits = true;
    for (auto member : current) {
        auto const* const later = find_member(to, member.id);
        auto const        votes = member.kind == MemberKind::voter;
        auto const        will_vote = later != nullptr and later->kind == MemberKind::voter;
        if (later == nullptr and not votes)
            continue;
        if (votes and not will_vote)
            member.kind = later != nullptr ? MemberKind::demoted : MemberKind::leaving;
        else if (will_vote and not votes)
            member.kind = MemberKind::joining;
        fits = joint.push_back(member) and fits;
    }
    for (auto member : target)
        if (find_member(from, member.id) == nullptr) {
            if (member.kind == MemberKind::voter)
                member.kind = MemberKind::joining;
            fits = joint.push_back(member) and fits;
        }
    return fits ? std::optional<Members>{joint} : std::optional<Members>{};
}

/// The members when a joint configuration is left for its incoming half.
[[nodiscard]] constexpr Members incoming_of(Members const& joint)
{
    auto members = Members{};
    for (auto member : joint) {
        if (member.kind == MemberKind::leaving)
            continue;
        member.kind = votes_in(member.kind, Half::incoming) ? MemberKind::voter : MemberKind::learner;
        members.push_back(member);
    }
    return members;
}

/// The members when a joint configuration is left for its outgoing half: who was to join is a learner.
[[nodiscard]] constexpr Members outgoing_of(Members const& joint)
{
    auto members = Members{};
    for (auto member : joint) {
        member.kind = votes_in(member.kind, Half::outgoing) ? MemberKind::voter : MemberKind::learner;
        members.push_back(member);
    }
    return members;
}

/// The current members, and as learners those that are new; nothing if they are more than a configuration can name.
[[nodiscard]] constexpr std::optional<Members> with_newcomers(Members const& current, Members const& target)
{
    auto const from = Configuration{{}, current};
    auto       members = current;
    auto       fits = true;
    for (auto member : target)
        if (find_member(from, member.id) == nullptr) {
            member.kind = MemberKind::learner;
            fits = members.push_back(member) and fits;
        }
    return fits ? std::optional<Members>{members} : std::optional<Members>{};
}

/// Members in the order of their ids, so that equal sets are equal values.
[[nodiscard]] constexpr Members in_order(Members members)
{
    for (auto sorted = std::size_t{1}; sorted < members.size(); ++sorted)
        for (auto at = sorted; at > 0 and members[at].id < members[at - 1].id; --at)
            std::swap(members[at], members[at - 1]);
    return members;
}

/// How many servers vote in one of these sets and not in the other.
[[nodiscard]] constexpr std::size_t count_changed_voters(Members const& current, Members const& target)
{
    auto const from = Configuration{{}, current};
    auto const to = Configuration{{}, target};
    auto       changed = std::size_t{0};
    for (auto const& member : current)
        changed += is_voter(member.kind) and not is_voter(to, member.id) ? 1U : 0U;
    for (auto const& member : target)
        changed += is_voter(member.kind) and not is_voter(from, member.id) ? 1U : 0U;
    return changed;
}

/// Whether both sets name a server in different lives of its log. Votes and acknowledgements are counted by id, so that no two
/// may stand in one configuration.
[[nodiscard]] constexpr bool name_two_lives(Members const& current, Members const& target)
{
    auto const from = Configuration{{}, current};
    return core::any_of(target, [&](Member const& member) {
        auto const* const earlier = find_member(from, member.id);
        return earlier != nullptr and earlier->incarnation != member.incarnation;
    });
}

/// Whether members can be asked for: voters and learners, each once, and among them a voter.
[[nodiscard]] constexpr bool can_be_asked_for(Members const& target)
{
    auto const configuration = Configuration{{}, target};
    return is_sound(configuration) and not is_joint(configuration);
}

} // namespace totora::inline v0
