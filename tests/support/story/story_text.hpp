// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/testing/text.hpp"

#include <string>
#include <variant>

// What a story (tests/stories/) calls entries, writes, answers and servers.

namespace totora::test
{

/// An entry as docs/cases.md writes it: index/term.
[[nodiscard]] inline std::string entry_text(Index index, Term term)
{
    return std::to_string(index.value) + "/" + std::to_string(term.value);
}

/// The entries of a run, first and last.
[[nodiscard]] inline std::string run_text(Run const& run)
{
    auto const first = entry_text(run.first, run.term);
    return run.count == 1 ? first : first + " to " + entry_text(last_of(run), run.term);
}

[[nodiscard]] inline std::string text_of(SaveVote const& vote)
{
    return "term " + std::to_string(vote.term.value) + ", vote " +
           (vote.voted_for ? testing::to_string(*vote.voted_for) : std::string{"none"});
}

[[nodiscard]] inline std::string text_of(Append const& append)
{
    return "append " + run_text(append.entries) + (append.kind == EntryKind::no_op ? " (no-op)" : "");
}

[[nodiscard]] inline std::string text_of(Truncate const& truncate)
{
    return "truncate from index " + std::to_string(truncate.first.value);
}

[[nodiscard]] inline std::string text_of(Compact const& compact)
{
    return "compact up to " + entry_text(compact.base.index, compact.base.term);
}

[[nodiscard]] inline std::string text_of(Install const& install)
{
    return "install the snapshot of " + entry_text(install.snapshot.last.index, install.snapshot.last.term);
}

/// A write as a line of a story.
[[nodiscard]] inline std::string write_text(Write const& write)
{
    return std::visit([](auto const& made) { return std::to_string(made.write.value) + ": " + text_of(made); }, write);
}

/// The answer to a client as a line of a story.
[[nodiscard]] inline std::string answer_text(Answer const& answer)
{
    if (auto const* accepted = std::get_if<Accepted>(&answer))
        return "accepted " + run_text(accepted->entries);
    if (auto const* started = std::get_if<ReadStarted>(&answer))
        return "the read waits for round " + std::to_string(started->round.value);
    auto const& refused = *std::get_if<Refused>(&answer);
    auto const  leader = refused.leader == nobody ? std::string{"nobody"} : testing::to_string(refused.leader);
    return std::string{"refused"} +
           (refused.why == Refusal::not_leader ? ", not the leader; known leader: " + leader : "");
}

/// A server in one line: role, term, vote, and its log as a row of terms, those of committed entries before the bar.
[[nodiscard]] inline std::string state_text(State const& state)
{
    constexpr char const* roles[] = {"follower", "pre-candidate", "candidate", "leader"};
    auto text = std::string{roles[state.role.index()]} + ", term " + std::to_string(state.current_term.value);
    if (state.voted_for)
        text += ", vote " + testing::to_string(*state.voted_for);
    text += ", log";
    for (auto index = Index{1}; index <= last_index(state); index = next(index)) {
        text += " " + std::to_string(state.log.term_at(index)->value);
        text += index == state.commit_index ? " |" : "";
    }
    return text;
}

} // namespace totora::test
