// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"

#include <optional>
#include <variant>

namespace totora::inline v0
{

/// Write term and vote, which are one record.
struct SaveVote
{
    WriteNumber             write;
    Term                    term;
    std::optional<ServerId> voted_for;

    friend constexpr bool operator==(SaveVote const&, SaveVote const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("write", self.write);
        visit("term", self.term);
        visit("voted_for", self.voted_for);
    }
};
static_assert(lists_its_fields<SaveVote>());

/// Write entries after the log's last one.
struct Append
{
    WriteNumber write;
    Run         entries;
    /// Of a leader's own entries: commands wait beside the log, a no-op is made. Nothing: the entries came with the append
    /// being handled, each with its kind. So a payload that is missing is never taken for a no-op (case 93).
    std::optional<EntryKind> kind = {};

    friend constexpr bool operator==(Append const&, Append const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("write", self.write);
        visit("entries", self.entries);
        visit("kind", self.kind);
    }
};
static_assert(lists_its_fields<Append>());

/// Remove the entry at `first` and all following ones.
struct Truncate
{
    WriteNumber write;
    Index       first;

    friend constexpr bool operator==(Truncate const&, Truncate const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("write", self.write);
        visit("first", self.first);
    }
};
static_assert(lists_its_fields<Truncate>());

/// Let the log begin after `base`: entries up to there need not be kept. `configurations_at(state.configurations, base.index)` are
/// the configurations that stand beside this boundary; they are no field, since every write would be as large as they are.
struct Compact
{
    WriteNumber write;
    LogPosition base;

    friend constexpr bool operator==(Compact const&, Compact const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("write", self.write);
        visit("base", self.base);
    }
};
static_assert(lists_its_fields<Compact>());

/// Put a received snapshot in place of the log: it begins and ends at `snapshot.last`, with `state.configurations`.
struct Install
{
    WriteNumber write;
    SnapshotId  snapshot;

    friend constexpr bool operator==(Install const&, Install const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("write", self.write);
        visit("snapshot", self.snapshot);
    }
};
static_assert(lists_its_fields<Install>());

/// One write of a server to its log, in the order in which it is to be made.
using Write = std::variant<SaveVote, Append, Truncate, Compact, Install>;

} // namespace totora::inline v0
