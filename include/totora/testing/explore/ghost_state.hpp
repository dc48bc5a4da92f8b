// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace totora::inline v0::explore
{

/// A read that was asked for and is not allowed yet.
struct PendingRead
{
    ServerId leader;
    Term     term;
    Round    round;
    Index    committed; ///< What anybody knew to be committed when it was asked for.

    friend bool operator==(PendingRead const&, PendingRead const&) = default;
};

/// What must be remembered of the past to know whether Raft keeps its word: no server knows all of it.
struct GhostState
{
    std::vector<ServerId>    leaders;      ///< Who led each term, `nobody` if nobody was seen to.
    TermRuns                 committed;    ///< The longest log that any server knew to be committed.
    Term                     committed_in; ///< The term of that server then.
    std::vector<PendingRead> reads;

    friend bool operator==(GhostState const&, GhostState const&) = default;
};

template <typename Walker>
void walk(Walker& walker, ServerId& server)
{
    walker.server(server);
}

template <typename Walker>
void walk(Walker& walker, PendingRead& read)
{
    walker.server(read.leader);
    walker.number(read.term.value);
    walker.number(read.round.value);
    walker.number(read.committed.value);
}

template <typename Walker>
void walk(Walker& walker, GhostState& past)
{
    walk_all(walker, past.leaders);
    walk(walker, past.committed);
    walker.number(past.committed_in.value);
    walk_all(walker, past.reads);
}

/// Figure 3, as far as what one server is now can break it. "Leader Append-Only" is an invariant of the step itself, "Log
/// Matching" is asked of pairs of logs.
[[nodiscard]] inline std::optional<std::string_view> remember(GhostState& past, State const& state)
{
    if (is_leader(state)) {
        auto const term = static_cast<std::size_t>(state.current_term.value);
        if (past.leaders.size() < term)
            past.leaders.resize(term);
        auto& leader = past.leaders[term - 1];
        if (leader != nobody and leader != state.own.id)
            return "Election Safety: at most one leader can be elected in a given term";
        leader = state.own.id;
    }
    auto const both = std::min(state.commit_index, past.committed.last().index);
    if (not agree_through(state.log, past.committed, both))
        return "State Machine Safety: no two servers commit different entries at one index";
    if (state.commit_index > past.committed.last().index) {
        past.committed = state.log;
        past.committed.truncate(next(state.commit_index));
        past.committed_in = state.current_term;
    }
    if (is_leader(state) and state.current_term > past.committed_in and
        not agree_through(past.committed, state.log, past.committed.last().index))
        return "Leader Completeness: a leader holds everything committed in earlier terms";
    return std::nullopt;
}

/// §8: a read sees what was committed before it was asked for.
[[nodiscard]] inline std::optional<std::string_view>
remember_reads(GhostState& past, State const& state, Consequences const& consequences)
{
    auto& reads = past.reads;
    std::erase_if(reads, [&](PendingRead const& read) {
        return read.leader == state.own.id and (not is_leader(state) or state.current_term != read.term);
    });
    if (consequences.read_started)
        reads.push_back({state.own.id, state.current_term, *consequences.read_started, past.committed.last().index});
    if (not consequences.read_allowed)
        return std::nullopt;
    auto const answered = [&](PendingRead const& read) {
        return read.leader == state.own.id and read.round <= consequences.read_allowed->round;
    };
    for (auto const& read : reads)
        if (answered(read) and consequences.read_allowed->index < read.committed)
            return "a read sees what was committed before it was asked for";
    std::erase_if(reads, answered);
    return std::nullopt;
}

} // namespace totora::inline v0::explore
