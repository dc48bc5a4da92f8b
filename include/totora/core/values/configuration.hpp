// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace totora::inline v0
{

/// How many members a configuration can name; of a joint one, how many both halves have together.
inline constexpr std::size_t servers_max = 16;
static_assert(Abilities{}.servers_max <= servers_max, "who reads this can what every cluster begins with");

/// What a member takes part in. The numbers are those of the stored format. The last three are found in a joint configuration only,
/// whose voters are those of two sets, of which each has to agree (§6).
enum class MemberKind : std::uint8_t
{
    voter = 1,   ///< Votes, and counts for commitment; in a joint configuration in both halves.
    learner = 2, ///< Receives the log, and counts nowhere.
    joining = 3, ///< Votes in the incoming half alone.
    leaving = 4, ///< Votes in the outgoing half alone, and is no member afterwards.
    demoted = 5, ///< Votes in the outgoing half alone, and is a learner afterwards.
};

/// The name of a kind.
[[nodiscard]] constexpr std::string_view to_string(MemberKind kind)
{
    switch (kind) {
    case MemberKind::voter:
        return "voter";
    case MemberKind::learner:
        return "learner";
    case MemberKind::joining:
        return "joining";
    case MemberKind::leaving:
        return "leaving";
    case MemberKind::demoted:
        return "demoted";
    }
    return "unknown";
}

/// The two sets of voters of a joint configuration, `C_old` and `C_new` of §6. Those of any other configuration are the same.
enum class Half : std::uint8_t
{
    outgoing,
    incoming,
};

/// Whether a member of this kind is a voter of this half.
[[nodiscard]] constexpr bool votes_in(MemberKind kind, Half half)
{
    if (kind == MemberKind::voter)
        return true;
    return half == Half::incoming ? kind == MemberKind::joining
                                  : kind == MemberKind::leaving or kind == MemberKind::demoted;
}

/// Whether a member of this kind votes at all.
[[nodiscard]] constexpr bool is_voter(MemberKind kind) { return kind != MemberKind::learner; }

/// One server of a configuration: a number and the life of its log that is meant.
struct Member
{
    ServerId    id;
    Incarnation incarnation;
    MemberKind  kind = MemberKind::voter;

    friend constexpr bool operator==(Member const&, Member const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("id", self.id);
        visit("incarnation", self.incarnation);
        visit("kind", self.kind);
    }
};
static_assert(lists_its_fields<Member>());

/// Who belongs to the cluster (§6). Addresses are payload beside it, which the core never sees.
using Members = InplaceVector<Member, servers_max>;

/// A configuration and the entry that holds it. Index 0 is the configuration that the directory was made with.
struct Configuration
{
    Index     index;
    Members   members;
    Abilities agreed = {}; ///< What all of them can; in force once this entry is committed.

    friend constexpr bool operator==(Configuration const&, Configuration const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("index", self.index);
        visit("members", self.members);
        visit("agreed", self.agreed);
    }
};
static_assert(lists_its_fields<Configuration>());

/// The member of this id, or null.
[[nodiscard]] constexpr Member const* find_member(Configuration const& configuration, ServerId id)
{
    for (auto const& member : configuration.members)
        if (member.id == id)
            return &member;
    return nullptr;
}

[[nodiscard]] constexpr bool is_voter(Configuration const& configuration, ServerId id)
{
    auto const* member = find_member(configuration, id);
    return member != nullptr and is_voter(member->kind);
}

/// Whether two sets of voters have to agree (§6).
[[nodiscard]] constexpr bool is_joint(Configuration const& configuration)
{
    return core::any_of(configuration.members, [](Member const& member) { return member.kind > MemberKind::learner; });
}

/// Whether this member is a voter of a configuration, in this life of its log.
[[nodiscard]] constexpr bool is_voter(Configuration const& configuration, Member const& own)
{
    auto const* member = find_member(configuration, own.id);
    return member != nullptr and member->incarnation == own.incarnation and is_voter(member->kind);
}

/// Whether a configuration names this member, in this life of its log.
[[nodiscard]] constexpr bool names(Configuration const& configuration, Member const& own)
{
    auto const* member = find_member(configuration, own.id);
    return member != nullptr and member->incarnation == own.incarnation;
}

/// Whether a log may hold this configuration: in each half somebody votes, nobody is named twice, nobody is nobody.
[[nodiscard]] constexpr bool is_sound(Configuration const& configuration)
{
    auto outgoing = std::size_t{0};
    auto incoming = std::size_t{0};
    for (auto const& member : configuration.members) {
        if (member.id == nobody or find_member(configuration, member.id) != &member)
            return false;
        if (member.kind < MemberKind::voter or member.kind > MemberKind::demoted)
            return false;
        outgoing += votes_in(member.kind, Half::outgoing) ? 1U : 0U;
        incoming += votes_in(member.kind, Half::incoming) ? 1U : 0U;
    }
    return outgoing > 0 and incoming > 0;
}

} // namespace totora::inline v0
