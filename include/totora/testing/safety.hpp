// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace totora::inline v0::testing
{

/// The five properties of Figure 3.
namespace figure_3
{

inline constexpr std::string_view election_safety =
    "Election Safety: at most one leader can be elected in a given term";
inline constexpr std::string_view leader_append_only = "Leader Append-Only: a leader only appends to its log";
inline constexpr std::string_view log_matching = "Log Matching: logs that share an entry are identical up to it";
inline constexpr std::string_view leader_completeness =
    "Leader Completeness: a leader holds everything committed in earlier terms";
inline constexpr std::string_view state_machine_safety =
    "State Machine Safety: no two servers commit different entries at one index";

} // namespace figure_3

/// Whether two logs hold the same entries after `known`, up to which they are known to agree, up to `index`.
[[nodiscard]] constexpr bool agree_between(TermRuns const& a, TermRuns const& b, Index known, Index index)
{
    auto const base = std::max(a.base().index, b.base().index);
    if (known < base and base <= index and a.term_at(base) != b.term_at(base))
        return false;
    auto at = next(std::max(known, base));
    while (at <= index) {
        auto const run = a.run_from(at, index.value - at.value + 1);
        if (run.count == 0 or last_of(run) > b.last().index or b.missing_from(run).count != 0)
            return false;
        at = next(last_of(run));
    }
    return true;
}

/// How far two logs hold the same entries; nothing if they share an entry and differ before it (Log Matching). Where one of them
/// is compacted they cannot be compared, and count as equal: what is compacted is asked of `Safety`.
[[nodiscard]] constexpr std::optional<Index> find_agreement(TermRuns const& a, TermRuns const& b)
{
    auto const base = std::max(a.base().index, b.base().index);
    auto       shared = std::min(a.last().index, b.last().index);
    while (shared >= base and shared > Index{} and a.term_at(shared) != b.term_at(shared))
        shared = before(shared);
    return agree_through(a, b, shared) ? std::optional<Index>{shared} : std::nullopt;
}

/// Whether the log of a leader still holds what was its last entry earlier in its term (Leader Append-Only).
///
/// With Log Matching it then holds all entries before that one too.
[[nodiscard]] constexpr bool has_only_appended(TermRuns const& log, LogPosition last) { return log.holds(last); }

/// What no server knows alone: the leader of each term, and the longest log that any server knew to be committed.
/// Figure 3 is checked here, as far as a change of one server can violate it.
///
/// A regular value: an exploration keeps it as a part of its states. Leader Append-Only is an invariant of the step
/// (core/rules/invariants.hpp), and Log Matching is checked for pairs of logs (`find_agreement`).
struct Safety
{
    /// A server that was seen to lead a term.
    struct Leadership
    {
        Term     term;
        ServerId leader;

        friend constexpr bool operator==(Leadership const&, Leadership const&) = default;
    };

    /// Everything up to an index was known to be committed by a server of this term.
    struct Commit
    {
        Term  term;
        Index through;

        friend constexpr bool operator==(Commit const&, Commit const&) = default;
    };

    std::vector<Leadership> leaders;   ///< In order of terms.
    TermRuns                committed; ///< Its base, if it has one, was committed before anything was observed.
    std::vector<Commit>     commits;   ///< In order of terms and of indexes: only what no later one implies.

    /// Whether Leader Completeness is checked for the newest commit alone. An exploration keeps no more, since what it
    /// keeps multiplies its states.
    bool newest_commit_only = false;

    friend constexpr bool operator==(Safety const&, Safety const&) = default;

    /// The property that this state of a server violates, if any. Records what it adds.
    [[nodiscard]] constexpr std::optional<std::string_view> observe(State const& state)
    {
        if (is_leader(state) and not elect(state.current_term, state.own.id))
            return figure_3::election_safety;
        if (not commit(state))
            return figure_3::state_machine_safety;
        if (is_leader(state) and not is_complete(state))
            return figure_3::leader_completeness;
        return std::nullopt;
    }

    /// Election Safety: whether no other server was seen to lead this term.
    [[nodiscard]] constexpr bool elect(Term term, ServerId leader)
    {
        auto at = leaders.end();
        while (at != leaders.begin() and (at - 1)->term >= term)
            --at;
        if (at == leaders.end() or at->term != term)
            at = leaders.insert(at, Leadership{term, leader});
        return at->leader == leader;
    }

    /// State Machine Safety: whether a server agrees on what is committed. It is known to do so up to `known`.
    [[nodiscard]] constexpr bool commit(State const& state, Index known = {})
    {
        auto const earlier = committed.last().index;
        auto const base = state.log.base();
        if (base.index > earlier or (base.index >= committed.base().index and not committed.holds(base)))
            return false; // A snapshot stands for what somebody committed.
        if (not agree_between(committed, state.log, known, std::min(state.commit_index, earlier)))
            return false;
        while (committed.last().index < state.commit_index) {
            auto const first = next(committed.last().index);
            auto const run = state.log.run_from(first, state.commit_index.value - first.value + 1);
            if (run.count == 0)
                return false;
            committed.append(run);
        }
        if (committed.last().index > earlier) {
            while (not commits.empty() and (newest_commit_only or commits.back().term >= state.current_term))
                commits.pop_back();
            commits.push_back({state.current_term, committed.last().index});
        }
        return true;
    }

    /// Leader Completeness: whether a leader holds what was committed in earlier terms.
    [[nodiscard]] constexpr bool is_complete(State const& leader) const
    {
        auto through = Index{};
        for (auto const& known : commits)
            if (known.term < leader.current_term)
                through = known.through;
        return agree_through(committed, leader.log, through);
    }
};

} // namespace totora::inline v0::testing
