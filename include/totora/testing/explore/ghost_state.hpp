// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"
#include "totora/testing/safety.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace totora::inline v0::explore
{

/// A read that was requested and is not allowed yet.
struct PendingRead
{
    ServerId leader;
    Term     term;
    Round    round;
    Index    committed; ///< The highest index that any server knew to be committed when it was requested.

    friend bool operator==(PendingRead const&, PendingRead const&) = default;
};

/// The history needed to check whether Raft keeps its promises; no server has all of it.
struct GhostState
{
    testing::Safety          safety{.leaders = {}, .committed = {}, .commits = {}, .newest_commit_only = true};
    std::vector<PendingRead> reads;

    friend bool operator==(GhostState const&, GhostState const&) = default;
};

template <typename Walker>
void walk(Walker& walker, testing::Safety::Leadership& leadership)
{
    walker.number(leadership.term.value);
    walker.server(leadership.leader);
}

template <typename Walker>
void walk(Walker& walker, testing::Safety::Commit& commit)
{
    walker.number(commit.term.value);
    walker.number(commit.through.value);
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
void walk(Walker& walker, GhostState& ghost)
{
    walk_all(walker, ghost.safety.leaders);
    walk(walker, ghost.safety.committed);
    walk_all(walker, ghost.safety.commits);
    walk_all(walker, ghost.reads);
}

/// §8: a read sees what was committed before it was requested.
[[nodiscard]] inline std::optional<std::string_view>
remember_reads(GhostState& ghost, State const& state, Consequences const& consequences)
{
    auto& reads = ghost.reads;
    std::erase_if(reads, [&](PendingRead const& read) {
        return read.leader == state.own.id and (not is_leader(state) or state.current_term != read.term);
    });
    if (consequences.read_started)
        reads.push_back(
            {state.own.id, state.current_term, *consequences.read_started, ghost.safety.committed.last().index});
    if (not consequences.read_allowed)
        return std::nullopt;
    auto const answered = [&](PendingRead const& read) {
        return read.leader == state.own.id and read.round <= consequences.read_allowed->round;
    };
    for (auto const& read : reads)
        if (answered(read) and consequences.read_allowed->index < read.committed)
            return "a read sees what was committed before it was requested";
    std::erase_if(reads, answered);
    return std::nullopt;
}

} // namespace totora::inline v0::explore
