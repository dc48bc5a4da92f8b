// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"

#include <string>
#include <variant>

namespace totora::inline v0::testing
{

// Values as C++ spells them, so that what is read in a story can be put into a test.

[[nodiscard]] inline std::string spelled(ServerId server) { return "S" + std::to_string(server.value); }

[[nodiscard]] inline std::string spelled(bool value) { return value ? "true" : "false"; }

[[nodiscard]] inline std::string spelled(Term term) { return "Term{" + std::to_string(term.value) + "}"; }

[[nodiscard]] inline std::string spelled(Index index) { return "Index{" + std::to_string(index.value) + "}"; }

[[nodiscard]] inline std::string spelled(Round round) { return "Round{" + std::to_string(round.value) + "}"; }

[[nodiscard]] inline std::string spelled(AppendNumber number)
{
    return "AppendNumber{" + std::to_string(number.value) + "}";
}

[[nodiscard]] inline std::string spelled(LogPosition position)
{
    return "{" + spelled(position.term) + ", " + spelled(position.index) + "}";
}

[[nodiscard]] inline std::string spelled(Run const& run)
{
    return "{" + spelled(run.term) + ", " + spelled(run.first) + ", " + std::to_string(run.count) + "}";
}

[[nodiscard]] inline std::string spelled(RequestPreVote const& request)
{
    return "RequestPreVote{" + spelled(request.term) + ", " + spelled(request.last_log) + ", " +
           spelled(request.round) + "}";
}

[[nodiscard]] inline std::string spelled(RequestPreVoteResponse const& response)
{
    return "RequestPreVoteResponse{" + spelled(response.term) + ", " + spelled(response.round) + ", " +
           spelled(response.vote_granted) + "}";
}

[[nodiscard]] inline std::string spelled(RequestVote const& request)
{
    return "RequestVote{" + spelled(request.term) + ", " + spelled(request.last_log) + ", " +
           spelled(request.transfer) + "}";
}

[[nodiscard]] inline std::string spelled(RequestVoteResponse const& response)
{
    return "RequestVoteResponse{" + spelled(response.term) + ", " + spelled(response.vote_granted) + "}";
}

[[nodiscard]] inline std::string spelled(AppendEntries const& append)
{
    return "AppendEntries{" + spelled(append.term) + ", " + spelled(append.previous) + ", " + spelled(append.entries) +
           ", " + spelled(append.leader_commit) + ", " + spelled(append.round) + ", " + spelled(append.number) + ", " +
           spelled(append.committed) + "}";
}

[[nodiscard]] inline std::string spelled(AppendEntriesResponse const& response)
{
    return "AppendEntriesResponse{" + spelled(response.term) + ", " + spelled(response.success) + ", " +
           spelled(response.match) + ", " + spelled(response.hint) + ", " + spelled(response.round) + ", " +
           spelled(response.number) + ", " + spelled(response.no_room) + "}";
}

[[nodiscard]] inline std::string spelled(Rpc const& rpc)
{
    return std::visit([](auto const& said) { return spelled(said); }, rpc);
}

[[nodiscard]] inline std::string spelled(Alarm alarm)
{
    constexpr char const* names[] = {"election",     "leader_silent", "heartbeat",
                                     "quorum_check", "replay",        "storage_stall"};
    return std::string{"Alarm::"} + names[static_cast<std::size_t>(alarm)];
}

/// What a reader of a story wants to know of a server: role, term, vote, log as term/index of each run's first entry.
[[nodiscard]] inline std::string told(State const& state)
{
    constexpr char const* roles[] = {"follows", "asks whether to campaign", "campaigns", "leads"};
    auto text = std::string{roles[state.role.index()]} + " in term " + std::to_string(state.current_term.value);
    if (state.voted_for)
        text += ", voted for " + spelled(*state.voted_for);
    text += ", log";
    for (auto index = next(state.log.base().index); index <= last_index(state); index = next(index))
        text += " " + std::to_string(index.value) + "/" + std::to_string(state.log.term_at(index)->value);
    return text + ", commit " + std::to_string(state.commit_index.value) + ", durable " +
           std::to_string(state.durable_index.value);
}

} // namespace totora::inline v0::testing
