// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/pinned_entries.hpp"
#include "totora/log/snapshots/log_boundary.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The log as the node sees it: with everything that it wrote, durable or not.
///
/// Invariant: `runs`, `index` and `configurations` describe the same entries, those after `boundary`; `pinned` holds the newest
/// of them.
struct LogImage
{
    Identity                identity;
    std::uint64_t           start = 0;
    Term                    current_term;
    std::optional<ServerId> voted_for;
    TermRuns                runs;
    EntryIndex              index;
    Index                   commit_index;   ///< Never above what is durable.
    PinnedEntries           pinned;         ///< The newest entries.
    std::vector<Index>      configurations; ///< The entries that are one, in order.
    LogBoundary             boundary;       ///< Where it begins.

    Index newest_snapshot;           ///< The last entry that a durable snapshot of the server's own stands for.
    bool  relies_on_machine = false; ///< The state machine keeps itself: boundaries say so from now on.

    std::uint64_t configuration_bytes =
        0; ///< The most that a configuration takes in a boundary, of those that this log has held.

    /// How long a boundary of this log may be, as far as is known.
    [[nodiscard]] std::uint64_t boundary_bytes() const { return boundary_numbers_size + 2 * configuration_bytes; }

    void note_configuration(std::uint64_t bytes) { configuration_bytes = std::max(configuration_bytes, bytes); }

    void note_configurations(Configurations const& known, KnownPeers const& peers)
    {
        note_configuration(encoded_size(known.in_force, peers.in_force));
        note_configuration(encoded_size(known.previous, peers.previous));
    }

    /// Up to where what is compacted is needed no more.
    [[nodiscard]] Index kept_elsewhere() const
    {
        return boundary.is_kept_by_machine ? std::max(boundary.base.index, newest_snapshot) : newest_snapshot;
    }

    /// From now on boundaries say that the machine keeps itself. Returns the one that there is, to be stated again, if it did not say so.
    [[nodiscard]] std::optional<LogBoundary> rely_on_machine()
    {
        relies_on_machine = true;
        auto stated = boundary;
        if (boundary.base.index == Index{} or std::exchange(stated.is_kept_by_machine, true))
            return std::nullopt;
        return stated;
    }

    void truncate(Index from)
    {
        pinned.truncate(from, index);
        index.truncate(from);
        runs.truncate(from);
        while (not configurations.empty() and configurations.back() >= from)
            configurations.pop_back();
    }

    /// Begins after an entry that it holds.
    void compact(LogBoundary its_boundary)
    {
        boundary = std::move(its_boundary);
        auto const base = boundary.base;
        pinned.compact(base.index, index);
        index.compact(base.index);
        runs.compact(base);
        configurations.erase(configurations.begin(),
                             std::upper_bound(configurations.begin(), configurations.end(), base.index));
    }

    /// Begins and ends at a snapshot.
    void install(LogBoundary its_boundary)
    {
        boundary = std::move(its_boundary);
        pinned = PinnedEntries{};
        index = EntryIndex{boundary.base.index};
        runs.restore(boundary.base);
        configurations.clear();
    }
};

} // namespace totora::inline v0
