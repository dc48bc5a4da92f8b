// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

// Numbers that only count are kept relative to what they are compared with, so that equal futures are equal bytes.
//
// Armings: a ring carries the newest number of its kind, and the core compares for equality. An older ring does
// nothing, so that every number is as good as 0.
//
// Writes: compared with each other and with the durable one. What is durable becomes 0, what is not counts from there.
//
// Appends to a follower: all that a response's number is compared with is the `since` of the leader's flow, which only
// grows. A number is *current* (1) if it is at least that, and permanently *outdated* (0) if it is below. A leader
// never receives a response to what it did not send: numbers come from its own appends of its own term. A heartbeat's
// number is zero, and its response names no append: it is like an outdated one. So is an append to a server that is no member any more:
// if it is one again in the same term, its numbers begin above all of them (`sent_to_others`, which is 0 then).
//
// None of this is taken on trust: see perturbed_copy.hpp.

/// What a step did to the numbers of appends in flight: those of these followers (a bit for each position of a server)
/// are outdated now.
using Followers = std::uint8_t;

[[nodiscard]] inline Followers bit_of(ServerId server) { return static_cast<Followers>(1U << (server.value - 1)); }

[[nodiscard]] inline WriteNumber relative(WriteNumber number, WriteNumber base)
{
    return WriteNumber{number.value - std::min(number.value, base.value)};
}

inline void normalise_writes(Replica& server)
{
    auto&      state = server.state;
    auto const base = state.writes.durable;
    state.writes.durable = WriteNumber{};
    state.writes.last = relative(state.writes.last, base);
    state.writes.of_term = relative(state.writes.of_term, base);
    for (auto& pending : state.writes.pending)
        pending.write = relative(pending.write, base);
    for (auto& pending : server.writes)
        std::visit([&](auto& made) { made.write = relative(made.write, base); }, pending.write);
    for (auto& envelope : server.sealed)
        envelope = Envelope{envelope.to(), envelope.rpc(),
                            Release::once_durable(relative(*envelope.release().awaits(), base))};
}

[[nodiscard]] inline AppendNumber& since_of(Progress& progress)
{
    return std::visit([](auto& flow) -> AppendNumber& { return flow.since; }, progress.mode);
}

/// An append's number, or its response's, in the new count.
inline void renumber(Rpc& rpc, AppendNumber since)
{
    if (auto* append = std::get_if<AppendEntries>(&rpc))
        append->number = AppendNumber{append->number >= since ? 1U : 0U};
}

/// Renumbers the appends of a leader, also those that have just left. Returns the servers for which all earlier ones are
/// outdated: followers, and those that are none any more.
[[nodiscard]] inline Followers normalise_appends(Replica& server, std::vector<InFlight>& left)
{
    auto        outdated = Followers{0};
    auto* const leader = std::get_if<Leader>(&server.state.role);
    for (auto& message : left)
        if (find_progress(server.state, message.to) == nullptr)
            if (auto* append = std::get_if<AppendEntries>(&message.rpc))
                append->number = AppendNumber{};
    if (leader != nullptr and leader->sent_to_others != AppendNumber{}) {
        outdated = static_cast<Followers>(~bit_of(server.state.own.id));
        for (auto const& progress : server.state.followers)
            outdated = static_cast<Followers>(outdated & ~bit_of(progress.server));
        leader->sent_to_others = AppendNumber{};
    }
    for (auto& progress : server.state.followers) {
        auto& since = since_of(progress);
        if (since != AppendNumber{1})
            outdated = static_cast<Followers>(outdated | bit_of(progress.server));
        for (auto& message : left)
            if (message.to == progress.server)
                renumber(message.rpc, since);
        progress.sent = AppendNumber{progress.sent >= since ? 1U : 0U};
        since = AppendNumber{1};
    }
    return outdated;
}

/// Fields for the shell alone: the core does not read them.
inline void forget_shell_fields(std::vector<InFlight>& left)
{
    for (auto& message : left)
        if (auto* append = std::get_if<AppendEntries>(&message.rpc))
            append->committed = Index{};
}

/// Whether a leader that is asked for a change looks at who answered lately.
[[nodiscard]] inline bool asks_who_answered(Scope const& scope) { return scope.changes != 0 and not scope.forced; }

/// What disabled features keep. The core reads `leader_recently_active` for stickiness alone, `moving` and `stalled` for the quorum
/// check alone, `active_before` for changes of the members, and `recently_active` for both.
inline void forget_unused(Replica& server, Scope const& scope)
{
    if (not asks_who_answered(scope))
        for (auto& progress : server.state.followers)
            progress.active_before = false;
    if (not server.state.settings.sticky) {
        server.state.leader_recently_active = false;
        server.armed = static_cast<std::uint8_t>(server.armed & ~bit_of(Alarm::leader_silent));
    }
    if (not server.state.settings.check_quorum)
        if (auto* leader = std::get_if<Leader>(&server.state.role)) {
            leader->stalled = 0;
            for (auto& progress : server.state.followers) {
                progress.moving = false;
                progress.recently_active = progress.recently_active and asks_who_answered(scope);
            }
        }
}

/// Brings a server into its normal form after a step, with the messages that left in it.
[[nodiscard]] inline Followers normalise(Replica& server, std::vector<InFlight>& left, Scope const& scope)
{
    if (scope.reductions.unused) {
        forget_unused(server, scope);
        forget_shell_fields(left);
    }
    if (not scope.reductions.numbers)
        return 0;
    for (auto& arming : server.state.alarms.armings)
        arming = Arming{};
    normalise_writes(server);
    return normalise_appends(server, left);
}

/// Marks the responses to appends of one leader as outdated, where they still wait for the disk.
inline void outdate(Replica& server, ServerId leader, Term term)
{
    for (auto& envelope : server.sealed) {
        auto const* response = std::get_if<AppendEntriesResponse>(&envelope.rpc());
        if (response == nullptr or envelope.to() != leader or response->term != term)
            continue;
        auto outdated = *response;
        outdated.number = AppendNumber{};
        envelope = Envelope{leader, outdated, envelope.release()};
    }
}

} // namespace totora::inline v0::explore
