// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>
#include <variant>

namespace totora::inline v0
{

/// Searches for the follower's match index, one append at a time (etcd: StateProbe).
struct Probe
{
    AppendNumber since;     ///< Answers to earlier appends are not answers to this probe.
    bool awaiting = false;  ///< An append is out; the next waits for its answer, or for a heartbeat alarm without one.
    bool only_asks = false; ///< What was sent before may have arrived: it carries no entry.
    bool carries = false;   ///< The append that is out carries the entry before `next`.

    friend constexpr bool operator==(Probe const&, Probe const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("since", self.since);
        visit("awaiting", self.awaiting);
        visit("only_asks", self.only_asks);
        visit("carries", self.carries);
    }
};
static_assert(lists_its_fields<Probe>());

/// The logs agree below `next`: appends follow each other without waiting, within the window.
struct Replicate
{
    AppendNumber since; ///< Refusals of earlier appends are outdated.

    friend constexpr bool operator==(Replicate const&, Replicate const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit) { visit("since", self.since); }
};
static_assert(lists_its_fields<Replicate>());

/// What the follower needs next is compacted: it is sent a snapshot in its place, in chunks (etcd: StateSnapshot).
struct SendSnapshot
{
    SnapshotId    snapshot;     ///< Of index 0 until the shell has the first chunk of one at hand.
    std::uint64_t received = 0; ///< How many of its bytes the follower has, as of its newest answer.
    AppendNumber  since;        ///< Answers to all appends so far are outdated.

    [[nodiscard]] constexpr bool is_known() const { return snapshot.last.index > Index{}; }

    friend constexpr bool operator==(SendSnapshot const&, SendSnapshot const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("snapshot", self.snapshot);
        visit("received", self.received);
        visit("since", self.since);
    }
};
static_assert(lists_its_fields<SendSnapshot>());

using ProgressMode = std::variant<Probe, Replicate, SendSnapshot>;

} // namespace totora::inline v0
