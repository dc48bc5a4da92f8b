// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <range/v3/range/conversion.hpp>
#include <range/v3/view/concat.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::conformance
{

/// A message, with the entries that it names, or the chunk.
struct Message
{
    Rpc         rpc;
    Entries     entries;
    PinnedBytes chunk = {};
};

/// An append of `count` entries, all as the core makes them: they follow `previous` and are of no later term than the leader's.
[[nodiscard]] inline Message
append_message(Term term, std::uint64_t count, std::size_t payload_size, std::uint64_t per_slice = 2)
{
    auto request = AppendEntries{};
    request.term = term;
    request.previous = {Term{term.value - 2}, Index{term.value + 10}};
    request.entries = Run{Term{term.value - 1}, next(request.previous.index), count};
    request.leader_commit = Index{term.value + 3};
    request.round = Round{term.value + 5};
    request.number = AppendNumber{term.value + 7};
    request.committed = Index{term.value + 4};
    auto entries = entries_of(request.entries.term, request.entries.first, count, payload_size, per_slice);
    return {request, std::move(entries)};
}

/// A heartbeat.
[[nodiscard]] inline Message heartbeat_message(Term term)
{
    auto message = append_message(term, 0, 0);
    auto heartbeat = std::get<AppendEntries>(message.rpc);
    heartbeat.number = AppendNumber{};
    return {heartbeat, {}};
}

/// An append of one entry of each kind.
[[nodiscard]] inline Message append_of_all_kinds(Term term)
{
    auto       message = append_message(term, 3, 0);
    auto const run = std::get<AppendEntries>(message.rpc).entries;
    auto       entries = Entries{};
    entries.add(entry_slice(run.first, run.term, {}, EntryKind::no_op), 1);
    auto const configuration = configuration_entry(run.term, Index{run.first.value + 1}, {1, 2, 3});
    entries.add(configuration.slice(0), 1);
    auto const index = Index{run.first.value + 2};
    entries.add(entry_slice(index, run.term, payload_for(index, run.term, 700)), 1);
    return {message.rpc, std::move(entries)};
}

/// A message of every kind, no field of which is like another or like what it is by default.
struct NamedMessage
{
    std::string name;
    Message (*make)(Term);
};

[[nodiscard]] inline std::vector<NamedMessage> vote_messages()
{
    return {
        {"a RequestPreVote",
         [](Term term) {
             return Message{RequestPreVote{term, {Term{term.value - 1}, Index{term.value + 5}}, Round{term.value + 6}},
                            {}};
         }},
        {"a RequestPreVoteResponse",
         [](Term term) {
             return Message{RequestPreVoteResponse{
                                term, Round{term.value + 6}, true, {Term{term.value - 1}, Index{term.value + 5}}},
                            {}};
         }},
        {"a TimeoutNow",
         [](Term term) {
             return Message{TimeoutNow{term, {Term{term.value - 1}, Index{term.value + 5}}}, {}};
         }},
        {"a RequestVote",
         [](Term term) {
             return Message{RequestVote{term, {Term{term.value - 1}, Index{term.value + 5}}, true}, {}};
         }},
        {"a RequestVoteResponse",
         [](Term term) {
             return Message{RequestVoteResponse{term, true}, {}};
         }},
        {"a refused vote",
         [](Term term) {
             return Message{RequestVoteResponse{term, false}, {}};
         }},
    };
}

[[nodiscard]] inline std::vector<NamedMessage> append_messages()
{
    return {
        {"a heartbeat", [](Term term) { return heartbeat_message(term); }},
        {"an append of empty entries", [](Term term) { return append_message(term, 3, 0); }},
        {"an append", [](Term term) { return append_of_all_kinds(term); }},
        {"an AppendEntriesResponse",
         [](Term term) {
             return Message{AppendEntriesResponse{.term = term,
                                                  .success = true,
                                                  .match = Index{term.value + 8},
                                                  .conflict_hint = {},
                                                  .round = Round{term.value + 5},
                                                  .number = AppendNumber{term.value + 7}},
                            {}};
         }},
        {"a refused append",
         [](Term term) {
             return Message{AppendEntriesResponse{.term = term,
                                                  .success = false,
                                                  .match = Index{term.value + 8},
                                                  .conflict_hint = {Term{term.value - 3}, Index{term.value + 2}},
                                                  .round = Round{term.value + 5},
                                                  .number = AppendNumber{term.value + 7},
                                                  .no_room = true},
                            {}};
         }},
    };
}

/// A chunk of a snapshot; without bytes a question for what is needed next.
[[nodiscard]] inline Message chunk_message(Term term, std::size_t size)
{
    auto const snapshot = SnapshotId{{Term{term.value - 1}, Index{term.value + 5}}, 4 * term.value, term.value + 9};
    auto const bytes = std::make_shared<std::vector<std::byte>>(payload_for(Index{term.value + 5}, term, size));
    return {InstallSnapshot{term, snapshot, term.value + 3, size}, {}, {bytes, *bytes}};
}

/// Those that a transport carries that carries chunks.
[[nodiscard]] inline std::vector<NamedMessage> snapshot_messages()
{
    return {
        {"a chunk", [](Term term) { return chunk_message(term, 700); }},
        {"a chunk of one byte", [](Term term) { return chunk_message(term, 1); }},
        {"a question for the next chunk", [](Term term) { return chunk_message(term, 0); }},
        {"an InstallSnapshotResponse",
         [](Term term) {
             auto const request = std::get<InstallSnapshot>(chunk_message(term, 0).rpc);
             return Message{InstallSnapshotResponse{term, request.snapshot, term.value + 4, Index{}}, {}};
         }},
        {"the promise of an installed snapshot",
         [](Term term) {
             auto const request = std::get<InstallSnapshot>(chunk_message(term, 0).rpc);
             return Message{
                 InstallSnapshotResponse{term, request.snapshot, request.snapshot.bytes, Index{term.value + 5}}, {}};
         }},
    };
}

[[nodiscard]] inline std::vector<NamedMessage> messages_of_all_kinds()
{
    auto const votes = vote_messages();
    auto const appends = append_messages();
    return ranges::views::concat(votes, appends) | ranges::to<std::vector>();
}

} // namespace totora::inline v0::conformance
