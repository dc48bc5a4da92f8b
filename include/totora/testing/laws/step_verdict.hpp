// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace totora::inline v0::laws
{

// The rules of Figure 2 stated a second time: not how a step is made, but what must hold between a state, the event,
// the state after it and what leaves. They look at values alone, and call nothing of the core that decides. The
// simulator checks them for every step of every node, the explorer for every step in a scope.

/// A step that was made. Refers to what others own.
struct Step
{
    State const&    before;
    ServerId        from; ///< The sender of the message; `nobody` if the event is local to this server.
    State const&    after;
    Outgoing const& outgoing;
};

/// Keeps the first law that is broken.
class StepVerdict
{
public:
    constexpr void expect(bool holds, std::string_view law)
    {
        if (not holds and not broken_)
            broken_ = law;
    }

    [[nodiscard]] constexpr std::optional<std::string_view> broken() const { return broken_; }

private:
    std::optional<std::string_view> broken_;
};

template <typename T>
[[nodiscard]] constexpr bool is(State const& state)
{
    return std::holds_alternative<T>(state.role);
}

[[nodiscard]] constexpr bool changes_nothing(Step const& step)
{
    auto const& outgoing = step.outgoing;
    return outgoing.messages.empty() and outgoing.writes.empty() and not outgoing.store_chunk and
           outgoing.chunks_wanted.empty() and not outgoing.restore and step.before == step.after;
}

[[nodiscard]] constexpr bool is_noted(Outgoing const& outgoing, Decision outcome)
{
    return std::find(outgoing.decisions.begin(), outgoing.decisions.end(), outcome) != outgoing.decisions.end();
}

/// The order to an alarm, or null if the step gave none.
[[nodiscard]] constexpr AlarmOrder const* order_to(Outgoing const& outgoing, Alarm alarm)
{
    for (auto const& order : outgoing.alarms)
        if (order.alarm == alarm)
            return &order;
    return nullptr;
}

[[nodiscard]] constexpr bool is_armed_by(Outgoing const& outgoing, Alarm alarm)
{
    auto const* order = order_to(outgoing, alarm);
    return order != nullptr and order->delay.has_value();
}

[[nodiscard]] constexpr bool is_disarmed_by(Outgoing const& outgoing, Alarm alarm)
{
    auto const* order = order_to(outgoing, alarm);
    return order != nullptr and not order->delay;
}

/// How many voters of a configuration, of either half, satisfy `is`.
template <typename Is>
[[nodiscard]] constexpr std::size_t count_voters(Configuration const& configuration, Is is)
{
    auto count = std::size_t{0};
    for (auto const& member : configuration.members)
        if (member.kind != MemberKind::learner and is(member.id))
            ++count;
    return count;
}

/// Whether more than half of the voters of `C_old` satisfy `is`, and more than half of those of `C_new` (§6). Without a change both
/// are the same.
template <typename Is>
[[nodiscard]] constexpr bool is_majority(Configuration const& configuration, Is is)
{
    auto of_old = 0;
    auto of_new = 0;
    for (auto const& member : configuration.members) {
        auto const counted = is(member.id) ? 1 : -1;
        if (member.kind == MemberKind::voter or member.kind == MemberKind::joining)
            of_new += counted;
        if (member.kind == MemberKind::voter or member.kind == MemberKind::leaving or
            member.kind == MemberKind::demoted)
            of_old += counted;
    }
    return of_old > 0 and of_new > 0;
}

/// The highest of `own` and the values of the others that a majority has reached; 0 if there is none.
template <typename Value>
[[nodiscard]] constexpr std::uint64_t highest_of_majority(State const& state, std::uint64_t own, Value value)
{
    auto const of = [&](ServerId server) {
        if (server == state.own.id)
            return own;
        for (auto const& progress : state.followers)
            if (progress.server == server)
                return value(progress);
        return std::uint64_t{0};
    };
    auto highest = std::uint64_t{0};
    for (auto const& member : state.configurations.in_force.members) {
        auto const candidate = of(member.id);
        if (candidate > highest and
            is_majority(state.configurations.in_force, [&](ServerId server) { return of(server) >= candidate; }))
            highest = candidate;
    }
    return highest;
}

/// Whether a configuration has this server, in this incarnation.
[[nodiscard]] constexpr bool has(Configuration const& configuration, Member const& own)
{
    return std::any_of(configuration.members.begin(), configuration.members.end(), [&](Member const& member) {
        return member.id == own.id and member.incarnation == own.incarnation;
    });
}

[[nodiscard]] constexpr bool is_member(State const& state, ServerId server)
{
    return std::any_of(state.configurations.in_force.members.begin(), state.configurations.in_force.members.end(),
                       [&](Member const& member) { return member.id == server; });
}

[[nodiscard]] constexpr bool votes(State const& state, ServerId server)
{
    return std::any_of(
        state.configurations.in_force.members.begin(), state.configurations.in_force.members.end(),
        [&](Member const& member) { return member.id == server and member.kind != MemberKind::learner; });
}

/// The only message of a step, if it has this type and goes to this server; otherwise null.
template <typename T>
[[nodiscard]] constexpr T const* only_message(Outgoing const& outgoing, ServerId to)
{
    auto const& messages = outgoing.messages;
    return messages.size() == 1 and messages.front().to() == to ? std::get_if<T>(&messages.front().rpc()) : nullptr;
}

/// The record of term and vote that a step writes, or null.
[[nodiscard]] constexpr SaveVote const* saved_vote(Outgoing const& outgoing)
{
    for (auto const& write : outgoing.writes)
        if (auto const* saved = std::get_if<SaveVote>(&write))
            return saved;
    return nullptr;
}

/// The terms that a server accepts: at most 2^32 above its own, and without one of its own anything below 2^61.
[[nodiscard]] constexpr bool can_have_been_reached(State const& state, Term term)
{
    auto const own = state.current_term.value;
    return own == 0 ? term.value < (std::uint64_t{1} << 61U) : term.value <= own + (std::uint64_t{1} << 32U);
}

/// A higher term of a request or of a member's response makes any server a follower whose vote is free (§5.1). A server
/// that cannot write it ignores it; every server ignores the responses of non-members. True if nothing else is to be
/// checked.
[[nodiscard]] constexpr bool check_newer_term(Step const& step, Term term, bool counts, StepVerdict& verdict)
{
    verdict.expect(can_have_been_reached(step.before, term), "a term far above the own one is not accepted");
    if (term <= step.before.current_term) {
        verdict.expect(step.after.current_term <= step.before.current_term or is<Candidate>(step.after),
                       "a term is begun by a candidate, or learnt from a message");
        return false;
    }
    if (not counts or step.before.room == LogRoom::nothing) {
        verdict.expect(changes_nothing(step), "a newer term that does not count changes nothing");
        return true;
    }
    verdict.expect(step.after.current_term == term, "a newer term is adopted");
    verdict.expect(is<Follower>(step.after), "a newer term makes a follower of anybody");
    auto const* saved = saved_vote(step.outgoing);
    verdict.expect(saved != nullptr and saved->term == term, "a newer term is written");
    verdict.expect(is<Follower>(step.before) or is_noted(step.outgoing, Decision::stepped_down_newer_term),
                   "a server that steps down for a newer term notes it");
    return false;
}

} // namespace totora::inline v0::laws
