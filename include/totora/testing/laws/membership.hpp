// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace totora::inline v0::laws
{

// §6 and dissertation §4: how the members change.

/// Whether every set of servers that decides by one configuration has a server in common with every set that decides by the other:
/// no set decides by the one while all others decide by the other.
[[nodiscard]] inline bool have_common_quorums(Configuration const& one, Configuration const& other)
{
    auto servers = std::vector<ServerId>{};
    for (auto const* configuration : {&one, &other})
        for (auto const& member : configuration->members)
            if (std::find(servers.begin(), servers.end(), member.id) == servers.end())
                servers.push_back(member.id);
    for (auto set = std::uint64_t{0}; set < std::uint64_t{1} << servers.size(); ++set) {
        auto const is_in = [&](ServerId server) {
            auto const at = std::find(servers.begin(), servers.end(), server) - servers.begin();
            return (set >> static_cast<std::uint64_t>(at) & 1U) != 0;
        };
        if (is_majority(one, is_in) and is_majority(other, [&](ServerId server) { return not is_in(server); }))
            return false;
    }
    return true;
}

/// Whether a configuration has two halves.
[[nodiscard]] constexpr bool has_two_halves(Configuration const& configuration)
{
    return std::any_of(configuration.members.begin(), configuration.members.end(), [](Member const& member) {
        return member.kind != MemberKind::voter and member.kind != MemberKind::learner;
    });
}

/// What was agreed by the configuration that a leader appended in this step.
inline void check_agreement(Step const& step, StepVerdict& verdict)
{
    auto const& earlier = step.before.configurations.in_force;
    auto const& later = step.after.configurations.in_force;
    verdict.expect(cover(later.agreed, earlier.agreed), "what is agreed is never lowered");
    if (later.agreed == earlier.agreed)
        return;
    verdict.expect(later.members == earlier.members, "what is agreed is raised while nothing else changes");
    verdict.expect(cover(step.after.settings.can, later.agreed), "a leader agrees to nothing that it cannot");
    for (auto const& member : later.members) {
        auto const* progress = find_progress(step.after, member.id);
        verdict.expect(member.id == step.after.own.id or
                           (progress != nullptr and progress->announced and cover(*progress->announced, later.agreed)),
                       "what is agreed every member has announced");
    }
}

/// The configuration that a leader appended in this step.
inline void check_appended_configuration(Step const& step, StepVerdict& verdict)
{
    auto const& earlier = step.before.configurations.in_force;
    auto const& later = step.after.configurations.in_force;
    auto const* append = step.outgoing.writes.empty() ? nullptr : std::get_if<Append>(&step.outgoing.writes.back());
    verdict.expect(append != nullptr and append->kind == EntryKind::configuration and
                       append->entries == Run{step.after.current_term, later.index, 1},
                   "a configuration is an entry of the leader's term");
    verdict.expect(step.after.configurations.previous == earlier, "the configuration before the newest is remembered");
    verdict.expect(earlier.index <= step.after.commit_index,
                   "a leader appends a configuration only when the last one is committed");
    verdict.expect(step.after.log.term_at(step.after.commit_index) == step.after.current_term,
                   "and only when it has committed an entry of its own term");
    verdict.expect(have_common_quorums(earlier, later), "the quorums of configurations that follow each other overlap");
    check_agreement(step, verdict);
}

/// What is checked of every step.
constexpr void check_membership(Step const& step, StepVerdict& verdict)
{
    auto const& later = step.after.configurations.in_force;
    if (not is<Leader>(step.before) or not is<Leader>(step.after))
        return;
    if (not std::is_constant_evaluated() and later.index != step.before.configurations.in_force.index)
        check_appended_configuration(step, verdict);
    auto const is_committed = later.index <= step.after.commit_index and
                              step.after.log.term_at(step.after.commit_index) == step.after.current_term;
    auto const can_append = step.after.room == LogRoom::enough and step.after.log.last().index.value < number_max;
    verdict.expect(not is_committed or not has_two_halves(later) or not can_append,
                   "a joint configuration is left as soon as it is committed");
    verdict.expect(not is_committed or votes(step.after, step.after.own.id) or not can_append,
                   "who is no voter by what is committed leads no more");
}

constexpr void check(Step const& step, ChangeRequested const& asked, StepVerdict& verdict)
{
    auto const* refused = step.outgoing.answer ? std::get_if<Refused>(&*step.outgoing.answer) : nullptr;
    auto const  is_asked_for_this = is<Leader>(step.before) and not step.before.membership.is_under_way() and
                                   asked.expected == step.before.configurations.in_force.index;
    verdict.expect(step.outgoing.answer.has_value(), "who asks for a change is answered");
    verdict.expect(refused == nullptr or changes_nothing(step), "a change that is refused changes nothing");
    verdict.expect(refused != nullptr or is_asked_for_this,
                   "one change at a time, of the configuration that it was made for");
}

constexpr void check(Step const& step, ChangeCancelled const&, StepVerdict& verdict)
{
    auto const* refused = step.outgoing.answer ? std::get_if<Refused>(&*step.outgoing.answer) : nullptr;
    verdict.expect(step.outgoing.answer.has_value(), "who takes a change back is answered");
    verdict.expect(refused == nullptr or changes_nothing(step), "what cannot be taken back goes on");
    verdict.expect(refused != nullptr or step.before.membership.is_under_way(), "only what is under way is taken back");
}

} // namespace totora::inline v0::laws
