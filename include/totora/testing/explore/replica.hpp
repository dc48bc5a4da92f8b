// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/rules/recovery.hpp"
#include "totora/core/step.hpp"
#include "totora/testing/explore/fields.hpp"
#include "totora/testing/explore/scope.hpp"
#include "totora/testing/laws/step.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

/// What survives a loss of power.
struct Disk
{
    Term                    term;
    std::optional<ServerId> voted_for;
    TermRuns                log;

    friend bool operator==(Disk const&, Disk const&) = default;
};

/// A server with everything around it that is its own: its disk, the writes on their way there, the messages that wait
/// for them, and its alarms.
struct Replica
{
    State                 state;
    Disk                  disk;
    std::vector<Write>    writes;    ///< Made and not durable, in their order.
    std::vector<Envelope> sealed;    ///< Messages that wait for one of `writes`.
    std::uint8_t          armed = 0; ///< A bit for each kind of alarm that can ring.

    friend bool operator==(Replica const&, Replica const&) = default;
};

template <typename Walker>
void walk(Walker& walker, Replica& server)
{
    walk(walker, server.state);
    walker.number(server.disk.term.value);
    walk_optional(walker, server.disk.voted_for, [&](ServerId& voted_for) { walker.server(voted_for); });
    walk(walker, server.disk.log);
    auto writes = std::uint64_t{server.writes.size()};
    walker.number(writes);
    server.writes.resize(static_cast<std::size_t>(writes));
    for (auto& write : server.writes)
        walk_variant(walker, write);
    walk_all(walker, server.sealed);
    walker.number(server.armed);
}

[[nodiscard]] constexpr std::uint8_t bit_of(Alarm alarm)
{
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(alarm));
}

/// A log that gives its word: only one can open what waits for a write.
struct TestDurable : DurableSource
{
    [[nodiscard]] static constexpr Durable through(WriteNumber write) { return durable_through(write); }
};

/// A message that has left its sender.
struct Left
{
    ServerId to;
    Rpc      rpc;

    friend bool operator==(Left const&, Left const&) = default;
};

/// What a happening on one server does beyond it.
struct Consequences
{
    std::vector<Left>               left;
    std::optional<Round>            read_started;
    std::optional<ReadAllowed>      read_allowed;
    std::optional<std::string_view> broken; ///< What must hold and does not.
};

[[nodiscard]] inline WriteNumber number_of(Write const& write)
{
    return std::visit([](auto const& made) { return made.write; }, write);
}

inline void make_durable(Disk& disk, Write const& write)
{
    if (auto const* vote = std::get_if<SaveVote>(&write)) {
        disk.term = vote->term;
        disk.voted_for = vote->voted_for;
    } else if (auto const* append = std::get_if<Append>(&write)) {
        disk.log.append(append->entries);
    } else if (auto const* truncate = std::get_if<Truncate>(&write)) {
        disk.log.truncate(truncate->first);
    }
}

/// Whether a promise that leaves now would be kept after a loss of power. What left in an older term than that of the disk
/// was asked when it left.
[[nodiscard]] inline std::optional<std::string_view> find_broken_promise(Replica const& server, Rpc const& rpc)
{
    auto const would_remember = [&](Term term, std::optional<ServerId> vote) {
        return server.disk.term > term or (server.disk.term == term and server.disk.voted_for == vote);
    };
    if (auto const* request = std::get_if<RequestVote>(&rpc);
        request != nullptr and not would_remember(request->term, server.state.own.id))
        return "a candidate's own vote is durable when its request leaves";
    return std::nullopt;
}

/// The same for a granted vote, which is for its addressee.
[[nodiscard]] inline std::optional<std::string_view> find_broken_promise(Replica const& server, Left const& left)
{
    if (auto const* response = std::get_if<RequestVoteResponse>(&left.rpc);
        response != nullptr and response->vote_granted and server.disk.term == response->term and
        server.disk.voted_for != left.to)
        return "a server gives one vote in a term, and it is durable when it leaves";
    if (auto const* response = std::get_if<RequestVoteResponse>(&left.rpc);
        response != nullptr and response->vote_granted and server.disk.term < response->term)
        return "a granted vote is durable when it leaves";
    return find_broken_promise(server, left.rpc);
}

/// What must hold of a server and its disk, whatever happens to it.
[[nodiscard]] inline std::optional<std::string_view> find_broken_invariant(Replica const& server)
{
    if (server.state.fault)
        return server.state.fault->condition;
    if (auto const broken = find_broken_invariant(server.state))
        return broken;
    if (server.state.writes.durable_index > server.disk.log.last().index or
        not agree_through(server.state.log, server.disk.log, server.state.writes.durable_index))
        return "what a server takes for durable is durable";
    return std::nullopt;
}

/// Carries out what a step wants done.
inline void carry_out(Replica& server, Outgoing const& outgoing, Consequences& consequences)
{
    for (auto const& write : outgoing.writes)
        server.writes.push_back(write);
    for (auto const& order : outgoing.alarms)
        server.armed = static_cast<std::uint8_t>(order.delay ? server.armed | bit_of(order.alarm)
                                                             : server.armed & ~bit_of(order.alarm));
    for (auto const& envelope : outgoing.messages)
        if (auto const released = envelope.open(TestDurable::through(server.state.writes.durable)))
            consequences.left.push_back({released->to(), released->rpc()});
        else
            server.sealed.push_back(envelope);
    if (outgoing.answer)
        if (auto const* started = std::get_if<ReadStarted>(&*outgoing.answer))
            consequences.read_started = started->round;
    if (outgoing.read_allowed)
        consequences.read_allowed = outgoing.read_allowed;
    for (auto const outcome : outgoing.decisions)
        if (is_violation(outcome))
            consequences.broken = to_string(outcome);
}

/// One step of the shipped core, with its invariants asked.
template <typename T>
void happen(Replica& server, ServerId from, T const& happening, Outgoing& outgoing, Consequences& consequences)
{
    auto const earlier = server.state;
    auto const left_before = consequences.left.size();
    core::advance(server.state, from, happening, outgoing);
    carry_out(server, outgoing, consequences);
    if (not consequences.broken)
        consequences.broken = find_broken_invariant(server);
    if (not consequences.broken)
        consequences.broken = find_broken_invariant(earlier, server.state);
    if (not consequences.broken)
        consequences.broken = laws::find_broken_law(earlier, from, happening, server.state, outgoing);
    for (auto at = left_before; at < consequences.left.size() and not consequences.broken; ++at)
        consequences.broken = find_broken_promise(server, consequences.left[at]);
}

/// The newest arming of an alarm rings; it rings once.
inline void ring(Replica& server, Alarm alarm, Outgoing& outgoing, Consequences& consequences)
{
    server.armed = static_cast<std::uint8_t>(server.armed & ~bit_of(alarm));
    happen(server, nobody, AlarmRang{alarm, server.state.alarms.armings[static_cast<std::size_t>(alarm)]}, outgoing,
           consequences);
}

/// The oldest `count` writes become durable, and what waited for them leaves.
inline void persist(Replica& server, std::size_t count, Outgoing& outgoing, Consequences& consequences)
{
    auto const write = number_of(server.writes[count - 1]);
    for (auto at = std::size_t{0}; at < count; ++at)
        make_durable(server.disk, server.writes[at]);
    server.writes.erase(server.writes.begin(), server.writes.begin() + static_cast<std::ptrdiff_t>(count));
    auto still_sealed = std::vector<Envelope>{};
    for (auto const& envelope : server.sealed)
        if (auto const released = envelope.open(TestDurable::through(write)))
            consequences.left.push_back({released->to(), released->rpc()});
        else
            still_sealed.push_back(envelope);
    server.sealed = std::move(still_sealed);
    for (auto const& left : consequences.left)
        if (not consequences.broken)
            consequences.broken = find_broken_promise(server, left);
    happen(server, nobody, Persisted{write}, outgoing, consequences);
}

/// The power fails and returns: of the writes on their way the oldest `kept` have reached the disk, the others are gone,
/// and so is everything that waited.
inline void crash(Replica& server, std::size_t kept, Outgoing& outgoing, Consequences& consequences)
{
    for (auto at = std::size_t{0}; at < kept; ++at)
        make_durable(server.disk, server.writes[at]);
    server.writes.clear();
    server.sealed.clear();
    server.armed = 0;
    auto restarted = core::recover(server.state.settings, server.state.own,
                                   {.current_term = server.disk.term,
                                    .voted_for = server.disk.voted_for,
                                    .log = server.disk.log,
                                    .configuration = server.state.configurations.in_force,
                                    .previous_configuration = server.state.configurations.previous,
                                    .commit_index = Index{},
                                    .applied_index = Index{}});
    if (not restarted.has_value()) {
        consequences.broken = "what was durable makes a server";
        return;
    }
    server.state = *std::move(restarted);
    happen(server, nobody, Started{}, outgoing, consequences);
}

} // namespace totora::inline v0::explore
