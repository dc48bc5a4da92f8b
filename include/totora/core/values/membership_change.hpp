// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// Where a leader is with a change of the members.
enum class ChangePhase : std::uint8_t
{
    idle,        ///< The configuration in force is committed, and nobody asked for another.
    catching_up, ///< Newcomers receive the log as learners (dissertation §4.2.1).
    giving_up,   ///< Nothing of the change is to remain: what was appended for the newcomers is about to be taken back.
    changing,    ///< The configuration in force is to be committed; a joint one is left then (§6).
};

/// The name of a phase.
[[nodiscard]] constexpr std::string_view to_string(ChangePhase phase)
{
    switch (phase) {
    case ChangePhase::idle:
        return "idle";
    case ChangePhase::catching_up:
        return "catching_up";
    case ChangePhase::giving_up:
        return "giving_up";
    case ChangePhase::changing:
        return "changing";
    }
    return "unknown";
}

/// How a change ended. Not exhaustive: a `switch` over it needs a default.
enum class ChangeEnd : std::uint8_t
{
    done,
    cancelled,
    newcomer_stalled, ///< A newcomer received nothing for many election timeouts.
    newcomer_slow,    ///< A newcomer receives the log more slowly than it grows.
    quorum_silent,    ///< No majority of the new voters answered within the last election timeout (case 100).
};

/// The name of an end.
[[nodiscard]] constexpr std::string_view to_string(ChangeEnd end)
{
    switch (end) {
    case ChangeEnd::done:
        return "done";
    case ChangeEnd::cancelled:
        return "cancelled";
    case ChangeEnd::newcomer_stalled:
        return "newcomer_stalled";
    case ChangeEnd::newcomer_slow:
        return "newcomer_slow";
    case ChangeEnd::quorum_silent:
        return "quorum_silent";
    }
    return "unknown";
}

/// In how many rounds newcomers have to catch up, and how often nothing may have reached them (dissertation §4.2.1 has ten rounds).
inline constexpr std::uint8_t catch_up_rounds_max = 10;
inline constexpr std::uint8_t catch_up_stalls_max = 10;

/// A change of the members that a leader has under way. It is the leader's alone: what the next one finds in its log it brings to an
/// end, and what is not in the log is forgotten. Sets of members lie out of line, since a state is moved often and rarely has any.
struct MembershipChange
{
    ChangePhase         phase{};
    ChangeEnd           end{};    ///< How it is going to end.
    std::vector<Member> target;   ///< Who is to belong to the cluster; empty if another leader was asked.
    std::vector<Member> original; ///< Who did when it was asked for; empty likewise.

    // While newcomers catch up: a round ends when they have all that the log held when it began.
    Index         round_end;
    std::uint64_t reached = 0;        ///< What the newcomers had, in all, when the alarm rang last.
    std::uint8_t  rounds = 0;         ///< That ended late.
    std::uint8_t  stalls = 0;         ///< How often in a row nothing had reached them when the alarm rang.
    bool          round_late = false; ///< The present one has lasted for an election timeout.
    bool          forced = false;     ///< The new voters need not answer.

    [[nodiscard]] constexpr bool is_under_way() const { return phase != ChangePhase::idle; }

    friend constexpr bool operator==(MembershipChange const&, MembershipChange const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("phase", self.phase);
        visit("end", self.end);
        visit("target", self.target);
        visit("original", self.original);
        visit("round_end", self.round_end);
        visit("reached", self.reached);
        visit("rounds", self.rounds);
        visit("stalls", self.stalls);
        visit("round_late", self.round_late);
        visit("forced", self.forced);
    }
};
static_assert(lists_its_fields<MembershipChange>());

/// Members out of line.
[[nodiscard]] constexpr std::vector<Member> out_of_line(Members const& members)
{
    return std::vector<Member>(members.begin(), members.end());
}

/// The same as a configuration holds them. There are never more than that.
[[nodiscard]] constexpr Members members_of(std::vector<Member> const& list)
{
    auto members = Members{};
    for (auto const& member : list)
        members.push_back(member);
    return members;
}

/// The invariant of a change that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(MembershipChange const& change)
{
    auto const needs_target = change.phase == ChangePhase::catching_up or change.phase == ChangePhase::giving_up;
    if (needs_target and (change.target.empty() or change.original.empty()))
        return "who catches up was asked for here";
    if (not change.is_under_way() and change != MembershipChange{})
        return "no change leaves anything behind";
    return std::nullopt;
}

} // namespace totora::inline v0
