// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"
#include "totora/wire/frame.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace totora::inline v0
{

/// What two servers use from here on.
struct Agreement
{
    std::uint8_t  version = 0;
    std::uint32_t frame_bytes_max = 0; ///< The lower of the two limits.

    friend constexpr bool operator==(Agreement const&, Agreement const&) = default;
};

/// The incarnation in a hello that asks which one runs there (`TcpProbe`): the hello is answered, and no connection comes of it.
inline constexpr Incarnation unknown_incarnation{0};

/// "server 3 (incarnation 1)".
[[nodiscard]] inline std::string to_string(Party const& party)
{
    auto const server = "server " + std::to_string(party.id.value);
    if (party.incarnation == unknown_incarnation)
        return server;
    return server + " (incarnation " + std::to_string(party.incarnation.value) + ")";
}

/// Which limit of the two differs so that one server might have to carry what the other cannot; empty if none. What exceeds what every
/// cluster begins with is used only when all servers have agreed on it (`Abilities`).
[[nodiscard]] inline std::string compare_limits(FrameLimits const& ours, FrameLimits const& theirs)
{
    auto const differ = [](std::string_view name, std::uint32_t our, std::uint32_t their) {
        return std::string{name} + " is " + std::to_string(our) + " here and " + std::to_string(their) + " there";
    };
    constexpr auto at_first = Abilities{};
    auto const     differ_below = [](std::uint32_t our, std::uint32_t their, std::uint32_t begun_with) {
        return our != their and std::min(our, their) < begun_with;
    };
    if (differ_below(ours.servers_max, theirs.servers_max, at_first.servers_max))
        return differ("servers_max", ours.servers_max, theirs.servers_max);
    if (differ_below(ours.entry_bytes_max, theirs.entry_bytes_max, at_first.entry_bytes_max))
        return differ("entry_bytes_max", ours.entry_bytes_max, theirs.entry_bytes_max);
    auto const entry_bytes = std::min(ours.entry_bytes_max, theirs.entry_bytes_max);
    if (std::min(ours.frame_bytes_max, theirs.frame_bytes_max) < frame_bytes_for(entry_bytes))
        return differ("frame_bytes_max", ours.frame_bytes_max, theirs.frame_bytes_max) +
               ", and the lower holds no entry of " + std::to_string(entry_bytes) + " bytes";
    return {};
}

/// The members in the order of their ids.
[[nodiscard]] constexpr Members sorted(Members members)
{
    std::sort(members.begin(), members.end(), [](Member const& a, Member const& b) { return a.id < b.id; });
    return members;
}

/// Members for people, in the order of their ids: "1, 2 (incarnation 5), 3 (learner)".
[[nodiscard]] inline std::string list_of(Members const& members)
{
    auto text = std::string{};
    for (auto const& [id, incarnation, kind] : sorted(members)) {
        text += (text.empty() ? "" : ", ") + std::to_string(id.value);
        if (incarnation != first_incarnation)
            text += " (incarnation " + std::to_string(incarnation.value) + ")";
        if (kind != MemberKind::voter)
            text += " (learner)";
    }
    return text;
}

/// In what two clusters differ, as far as their hellos show; empty if they do not.
[[nodiscard]] inline std::string compare_members(Members const& ours, Members const& theirs)
{
    if (ours.empty() or theirs.empty())
        return {};
    if (sorted(ours) == sorted(theirs))
        return ": both were made of " + list_of(ours) + ", under other names or tokens";
    return ": first members " + list_of(theirs) + " against " + list_of(ours);
}

/// Judges the other side's `Hello`, which came by `route`. `dialed` is whom we meant to reach, if it was us who dialed.
///
/// Limits below those that every cluster begins with must be equal: a difference would let one server propose what another cannot carry (the
/// log of that one would then stand still permanently). The frame limit only has to hold the largest entry, and the lower one counts. What two
/// servers were given as first members is part of the cluster's id (`cluster_of`), and is compared for those that made theirs
/// in another way; both lists are shown (case 95).
[[nodiscard]] inline Result<Agreement, HandshakeError> check_hello(Hello const& ours, ClusterId cluster, Party self,
                                                                   Route const& route, Hello const& theirs,
                                                                   std::optional<Party> dialed = std::nullopt)
{
    auto const refuse = [](HandshakeFault because, std::string what) {
        return Unexpected{HandshakeError{because, std::move(what)}};
    };
    auto const they = to_string(route.sender);
    auto const we = to_string(self);
    if (route.cluster != cluster or (not ours.first_members.empty() and not theirs.first_members.empty() and
                                     sorted(ours.first_members) != sorted(theirs.first_members)))
        return refuse(HandshakeFault::another_cluster, they + " is of another cluster than " + we +
                                                           compare_members(ours.first_members, theirs.first_members));
    if (route.group != 0)
        return refuse(HandshakeFault::another_group,
                      they + " is of group " + std::to_string(route.group) + ", " + we + " of group 0");
    if (route.addressee.id != self.id or route.sender.id == self.id)
        return refuse(HandshakeFault::another_server,
                      they + " looks for " + to_string(route.addressee) + " and found " + we);
    if (dialed and dialed->id != route.sender.id)
        return refuse(HandshakeFault::another_server, we + " looks for " + to_string(*dialed) + " and found " + they);
    auto const only_asks = not dialed and route.addressee.incarnation == unknown_incarnation;
    if (route.addressee.incarnation != self.incarnation and not only_asks)
        return refuse(HandshakeFault::another_incarnation,
                      they + " looks for " + to_string(route.addressee) + " and found " + we);
    if (dialed and dialed->incarnation != route.sender.incarnation)
        return refuse(HandshakeFault::another_incarnation,
                      we + " looks for " + to_string(*dialed) + " and found " + they);

    auto const version = std::min(ours.version_highest, theirs.version_highest);
    if (version < ours.version_lowest or version < theirs.version_lowest)
        return refuse(HandshakeFault::no_common_version,
                      they + " speaks versions " + std::to_string(theirs.version_lowest) + " to " +
                          std::to_string(theirs.version_highest) + ", " + we + " " +
                          std::to_string(ours.version_lowest) + " to " + std::to_string(ours.version_highest));
    if (auto const unknown = theirs.features.must_understand & ~features_known; unknown != 0)
        return refuse(HandshakeFault::unknown_feature, they + " needs feature " +
                                                           std::to_string(std::countr_zero(unknown)) + ", which " + we +
                                                           " does not know");
    if (auto const difference = compare_limits(ours.limits, theirs.limits); not difference.empty())
        return refuse(HandshakeFault::unequal_limits, they + " and " + we + ": " + difference);
    return Agreement{version, std::min(ours.limits.frame_bytes_max, theirs.limits.frame_bytes_max)};
}

} // namespace totora::inline v0
