// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/intern_table.hpp"
#include "totora/testing/explore/normal_form.hpp"
#include "totora/testing/explore/replica.hpp"
#include "totora/testing/hashing.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::explore
{

template <typename Walker>
void walk(Walker& walker, InFlight& message)
{
    walker.server(message.from);
    walker.server(message.to);
    walk_variant(walker, message.rpc);
    if (walker.walks_configurations())
        walk(walker, message.configurations);
}

/// Kinds of events on a server.
enum class Event : std::uint8_t
{
    deliver, ///< The message of this number arrives.
    ring,    ///< The alarm of this number rings.
    persist, ///< So many of the oldest writes become durable.
    propose,
    read,
    crash,    ///< So many of the oldest writes have become durable when the power fails.
    snapshot, ///< A snapshot of what is applied is durable.
    chunk,    ///< The chunk that this follower needs is at hand.
    file,     ///< The snapshot that was received is verified, and durable.
    damage,   ///< The snapshot that was received is damaged.
    change,   ///< A leader is asked for the target of this number.
    cancel,   ///< A leader is asked to take the change back.
    transfer, ///< A leader is asked to hand over to the server of this id.
    announce, ///< A leader is told what the server of this id can.
    wipe,     ///< The disk is lost, and the server begins again with an empty one.
};

/// One event on one server.
struct Happens
{
    Event         event{};
    std::uint32_t number = 0;

    friend constexpr bool operator==(Happens const&, Happens const&) = default;
};

/// The result of an event: the server that it leads to, and the messages that leave.
struct Step
{
    std::uint32_t              after = 0;
    std::vector<std::uint32_t> left;   ///< Messages by number.
    Followers            outdated = 0; ///< Followers to and from which earlier appends and responses are outdated.
    std::optional<Round> read_started;
    std::optional<ReadAllowed>      read_allowed;
    std::optional<std::string_view> broken;
    bool                            is_idle = false; ///< Nothing changes and nothing is sent.
};

/// Sets of servers, a bit for each position: the voters of each half.
struct Halves
{
    std::uint8_t outgoing = 0;
    std::uint8_t incoming = 0;

    /// Whether these servers are a majority of each.
    [[nodiscard]] constexpr bool has_quorum(unsigned servers) const
    {
        return std::popcount(servers & outgoing) * 2 > std::popcount(outgoing) and
               std::popcount(servers & incoming) * 2 > std::popcount(incoming);
    }
};

[[nodiscard]] inline Halves halves_of(Configuration const& configuration)
{
    auto halves = Halves{};
    for (auto const& member : configuration.members) {
        auto const bit = 1U << (member.id.value - 1);
        if (votes_in(member.kind, Half::outgoing))
            halves.outgoing = static_cast<std::uint8_t>(halves.outgoing | bit);
        if (votes_in(member.kind, Half::incoming))
            halves.incoming = static_cast<std::uint8_t>(halves.incoming | bit);
    }
    return halves;
}

/// Facts about a server that are looked up often.
struct Facts
{
    Term                                    term;
    Term                                    disk_term;
    std::uint32_t                           log = 0;      ///< By number.
    std::uint32_t                           disk_log = 0; ///< By number.
    std::uint8_t                            armed = 0;
    std::uint8_t                            writes = 0;
    std::uint8_t                            votes = 0; ///< So many of its oldest writes are terms and votes.
    bool                                    is_leader = false;
    bool                                    is_follower = false;
    bool                                    has_sealed_answers = false;
    bool                                    has_applied_more = false; ///< Than its newest snapshot has.
    bool                                    has_file = false;         ///< A snapshot that was received whole.
    Followers                               needing_chunks = 0;
    Halves                                  voters;                ///< Of the configuration in force.
    bool                                    elects_itself = false; ///< A candidate that needs no vote but its own.
    Index                                   configuration;
    Index                                   commit_index;
    std::array<Index, explored_servers_max> match{};       ///< A leader's, of each other server.
    Incarnation                             life;          ///< Of its log.
    std::array<Incarnation, explored_servers_max> named{}; ///< The lives that it knows; zero of those that it does not.
};

/// Facts about a message that are looked up often.
struct Address
{
    std::uint8_t from = 0; ///< Positions: a server's id less one.
    std::uint8_t to = 0;
    Term         term;
    bool         is_request = false; ///< Is answered, also if its term is an earlier one.
    bool         is_append = false;
    bool         is_pre_vote_answer = false;
    bool         is_snapshot_answer = false;
    bool         is_timeout_now = false;
    bool         is_refusal = false;  ///< The response to a rejected append.
    bool         is_outdated = false; ///< By its append number.
};

[[nodiscard]] inline Address read_address(InFlight const& message)
{
    auto const* answer = std::get_if<AppendEntriesResponse>(&message.rpc);
    return {.from = static_cast<std::uint8_t>(message.from.value - 1),
            .to = static_cast<std::uint8_t>(message.to.value - 1),
            .term = std::visit([](auto const& rpc) { return rpc.term; }, message.rpc),
            .is_request = not is_response(message.rpc) and not std::holds_alternative<TimeoutNow>(message.rpc),
            .is_append = std::holds_alternative<AppendEntries>(message.rpc),
            .is_pre_vote_answer = std::holds_alternative<RequestPreVoteResponse>(message.rpc),
            .is_snapshot_answer = std::holds_alternative<InstallSnapshotResponse>(message.rpc),
            .is_timeout_now = std::holds_alternative<TimeoutNow>(message.rpc),
            .is_refusal = answer != nullptr and not answer->success,
            .is_outdated = answer != nullptr and answer->number == AppendNumber{}};
}

/// The facts about a server, but for the numbers of its logs.
[[nodiscard]] inline Facts read_facts(Replica const& server)
{
    auto facts = Facts{};
    facts.term = server.state.current_term;
    facts.disk_term = server.disk.current_term;
    facts.armed = server.armed;
    facts.writes = static_cast<std::uint8_t>(server.writes.size());
    while (facts.votes < facts.writes and std::holds_alternative<SaveVote>(server.writes[facts.votes].write))
        ++facts.votes;
    facts.commit_index = server.state.commit_index;
    facts.is_follower = std::holds_alternative<Follower>(server.state.role);
    facts.is_leader = is_leader(server.state);
    for (auto const& progress : server.state.followers)
        facts.match[static_cast<std::size_t>(progress.server.value - 1)] = progress.match;
    for (auto const& envelope : server.sealed)
        if (std::holds_alternative<AppendEntriesResponse>(envelope.rpc()))
            facts.has_sealed_answers = true;
    facts.has_applied_more =
        server.state.apply_index > std::max(server.snapshot.last.index, server.state.log.base().index) and
        configurations_at(server.state.configurations, server.state.apply_index).has_value();
    facts.has_file = server.file.is_complete() and server.state.reception.is_complete();
    for (auto const& wanted : server.wanted)
        facts.needing_chunks = static_cast<Followers>(facts.needing_chunks | bit_of(wanted.server));
    facts.voters = halves_of(server.state.configurations.in_force);
    facts.configuration = server.state.configurations.in_force.index;
    facts.life = server.state.own.incarnation;
    for (auto const* known : {&server.state.configurations.previous, &server.state.configurations.in_force})
        for (auto const& member : known->members)
            facts.named[static_cast<std::size_t>(member.id.value - 1)] = member.incarnation;
    facts.elects_itself =
        std::holds_alternative<Candidate>(server.state.role) and facts.voters.has_quorum(bit_of(server.state.own.id));
    return facts;
}

} // namespace totora::inline v0::explore
