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

[[nodiscard]] inline std::string to_string(ServerId server) { return "S" + std::to_string(server.value); }

[[nodiscard]] inline std::string to_string(bool value) { return value ? "true" : "false"; }

[[nodiscard]] inline std::string to_string(Term term) { return "Term{" + std::to_string(term.value) + "}"; }

[[nodiscard]] inline std::string to_string(Index index) { return "Index{" + std::to_string(index.value) + "}"; }

[[nodiscard]] inline std::string to_string(Round round) { return "Round{" + std::to_string(round.value) + "}"; }

[[nodiscard]] inline std::string to_string(AppendNumber number)
{
    return "AppendNumber{" + std::to_string(number.value) + "}";
}

[[nodiscard]] inline std::string to_string(LogPosition position)
{
    return "{" + to_string(position.term) + ", " + to_string(position.index) + "}";
}

[[nodiscard]] inline std::string to_string(Run const& run)
{
    return "{" + to_string(run.term) + ", " + to_string(run.first) + ", " + std::to_string(run.count) + "}";
}

[[nodiscard]] inline std::string to_string(RequestPreVote const& request)
{
    return "RequestPreVote{" + to_string(request.term) + ", " + to_string(request.last_log) + ", " +
           to_string(request.round) + "}";
}

[[nodiscard]] inline std::string to_string(RequestPreVoteResponse const& response)
{
    return "RequestPreVoteResponse{" + to_string(response.term) + ", " + to_string(response.round) + ", " +
           to_string(response.vote_granted) + "}";
}

[[nodiscard]] inline std::string to_string(RequestVote const& request)
{
    return "RequestVote{" + to_string(request.term) + ", " + to_string(request.last_log) + ", " +
           to_string(request.transfer) + "}";
}

[[nodiscard]] inline std::string to_string(RequestVoteResponse const& response)
{
    return "RequestVoteResponse{" + to_string(response.term) + ", " + to_string(response.vote_granted) + "}";
}

[[nodiscard]] inline std::string to_string(AppendEntries const& append)
{
    return "AppendEntries{" + to_string(append.term) + ", " + to_string(append.previous) + ", " +
           to_string(append.entries) + ", " + to_string(append.leader_commit) + ", " + to_string(append.round) + ", " +
           to_string(append.number) + ", " + to_string(append.committed) + "}";
}

[[nodiscard]] inline std::string to_string(AppendEntriesResponse const& response)
{
    return "AppendEntriesResponse{" + to_string(response.term) + ", " + to_string(response.success) + ", " +
           to_string(response.match) + ", " + to_string(response.conflict_hint) + ", " + to_string(response.round) +
           ", " + to_string(response.number) + ", " + to_string(response.no_room) + "}";
}

[[nodiscard]] inline std::string to_string(Rpc const& rpc)
{
    return std::visit([](auto const& said) { return to_string(said); }, rpc);
}

[[nodiscard]] inline std::string to_string(Alarm alarm)
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
        text += ", voted for " + to_string(*state.voted_for);
    text += ", log";
    for (auto index = next(state.log.base().index); index <= last_index(state); index = next(index))
        text += " " + std::to_string(index.value) + "/" + std::to_string(state.log.term_at(index)->value);
    return text + ", commit " + std::to_string(state.commit_index.value) + ", durable " +
           std::to_string(state.writes.durable_index.value);
}

} // namespace totora::inline v0::testing
