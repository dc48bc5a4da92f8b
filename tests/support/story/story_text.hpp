// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/testing/text.hpp"

#include <concepts>
#include <string>
#include <variant>

// What a story (tests/stories/) calls entries, messages, writes, answers and servers.

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

/// The value of a field of a message: positions and runs as entries, numbers bare.
template <typename Field>
[[nodiscard]] std::string field_text(Field const& field)
{
    if constexpr (std::same_as<Field, LogPosition>)
        return entry_text(field.index, field.term);
    else if constexpr (std::same_as<Field, Run>)
        return field.count == 0 ? std::string{"none"} : run_text(field);
    else if constexpr (std::same_as<Field, SnapshotId>)
        return entry_text(field.last.index, field.last.term) + " of " + std::to_string(field.bytes) + " bytes";
    else if constexpr (strong_number<Field>)
        return std::to_string(field.value);
    else
        return testing::to_string(field);
}

/// A message with its fields by their names; a truth value is its name, or `not` and its name.
[[nodiscard]] inline std::string rpc_text(Rpc const& rpc)
{
    return std::visit(
        []<typename Message>(Message const& message) {
            auto text = std::string{};
            Message::visit_fields(message, [&]<typename Field>(char const* name, Field const& field) {
                auto const separator = text.empty() ? " " : ", ";
                if constexpr (std::same_as<Field, bool>)
                    text += separator + std::string{field ? "" : "not "} + name;
                else
                    text += separator + std::string{name} + " " + field_text(field);
            });
            return std::string{testing::type_name<Message>()} + text;
        },
        rpc);
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
