// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace totora::inline v0
{

/// How many members a configuration can name.
inline constexpr std::size_t servers_max = 16;

/// What a member takes part in. The numbers are those of the stored format; what they leave free is for joint configurations.
enum class MemberKind : std::uint8_t
{
    voter = 1,   ///< Votes, and counts for commitment.
    learner = 2, ///< Receives the log, and counts nowhere.
};

/// The name of a kind.
[[nodiscard]] constexpr std::string_view to_string(MemberKind kind)
{
    switch (kind) {
    case MemberKind::voter:
        return "voter";
    case MemberKind::learner:
        return "learner";
    }
    return "unknown";
}

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
    Index   index;
    Members members;

    friend constexpr bool operator==(Configuration const&, Configuration const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("index", self.index);
        visit("members", self.members);
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
    return member != nullptr and member->kind == MemberKind::voter;
}

/// Whether a configuration names this member, in this life of its log.
[[nodiscard]] constexpr bool names(Configuration const& configuration, Member const& own)
{
    auto const* member = find_member(configuration, own.id);
    return member != nullptr and member->incarnation == own.incarnation;
}

/// Whether a log may hold this configuration: somebody votes, nobody is named twice, nobody is nobody.
[[nodiscard]] constexpr bool is_sound(Configuration const& configuration)
{
    auto voters = std::size_t{0};
    for (auto const& member : configuration.members) {
        if (member.id == nobody or find_member(configuration, member.id) != &member)
            return false;
        if (member.kind != MemberKind::voter and member.kind != MemberKind::learner)
            return false;
        voters += member.kind == MemberKind::voter ? 1U : 0U;
    }
    return voters > 0;
}

} // namespace totora::inline v0
