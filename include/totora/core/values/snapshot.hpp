// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/broken_invariant.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// A snapshot, identified as a whole: two of the same position may have other bytes (case 106).
struct SnapshotId
{
    LogPosition   last;      ///< The last entry that it stands for (Figure 13, lastIncludedIndex and lastIncludedTerm).
    std::uint64_t bytes = 0; ///< Its length, at least 1.
    std::uint64_t checksum = 0; ///< Of all its bytes.

    friend constexpr bool operator==(SnapshotId const&, SnapshotId const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("last", self.last);
        visit("bytes", self.bytes);
        visit("checksum", self.checksum);
    }
};
static_assert(lists_its_fields<SnapshotId>());

/// Whether so many bytes from `offset` on are a chunk of a snapshot; also if they are none.
[[nodiscard]] constexpr bool has_chunk(SnapshotId const& snapshot, std::uint64_t offset, std::uint64_t bytes)
{
    return offset <= snapshot.bytes and bytes <= snapshot.bytes - offset;
}

/// The snapshot that a server is receiving, in order and without gaps. It is kept when the leader changes: a new one may go on
/// with the same snapshot (case 30).
///
///     nothing ──▶ some bytes ──▶ complete ──▶ installed, and nothing again
///        ▲             │ ▲            │
///        └─────────────┘ └────────────┘ damaged: no bytes
///     not needed any more, or this server leads; another snapshot begins with no bytes
struct SnapshotReception
{
    SnapshotId    snapshot;     ///< Of index 0 if none is received.
    std::uint64_t received = 0; ///< So many of its bytes were stored, from its beginning on.
    Term          term;         ///< Of the leader that sent the newest chunk.

    [[nodiscard]] constexpr bool is_under_way() const { return snapshot.last.index > Index{}; }
    [[nodiscard]] constexpr bool is_complete() const { return is_under_way() and received == snapshot.bytes; }

    /// Whether a leader of this term sends an older snapshot than it did before: such a chunk is late.
    [[nodiscard]] constexpr bool is_newer_than(SnapshotId const& other, Term sender_term) const
    {
        return is_under_way() and term == sender_term and other.last.index < snapshot.last.index;
    }

    /// Begins to receive a snapshot, unless it is this one; what was received of another is of no use.
    constexpr void receive_from(SnapshotId const& wanted, Term sender_term)
    {
        if (snapshot != wanted)
            *this = SnapshotReception{wanted, 0, {}};
        term = sender_term;
    }

    friend constexpr bool operator==(SnapshotReception const&, SnapshotReception const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("snapshot", self.snapshot);
        visit("received", self.received);
        visit("term", self.term);
    }
};
static_assert(lists_its_fields<SnapshotReception>());

/// The invariant of a reception that does not hold, if any.
[[nodiscard]] constexpr BrokenInvariant find_broken_invariant(SnapshotReception const& reception)
{
    if (reception.received > reception.snapshot.bytes)
        return "what is received of a snapshot is a part of it";
    if (not reception.is_under_way() and reception != SnapshotReception{})
        return "of no snapshot nothing is received";
    return std::nullopt;
}

} // namespace totora::inline v0
