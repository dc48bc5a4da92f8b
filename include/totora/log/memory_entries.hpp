// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/pinned_entries.hpp"
#include "totora/policy/log.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace totora::inline v0
{

/// Where a log in memory begins.
struct MemoryBoundary
{
    LogPosition    base;
    Configurations configurations; ///< In force there, and before. Of a log that is whole those of its identity count.
    KnownPeers     peers;          ///< Their members.
    SnapshotId     installed;      ///< The snapshot of another server that took the place of the log, or none.
};

/// The entries of a log in memory, and where it begins.
class MemoryEntries
{
public:
    [[nodiscard]] TermRuns const&       runs() const { return runs_; }
    [[nodiscard]] LogPosition           last() const { return runs_.last(); }
    [[nodiscard]] MemoryBoundary const& boundary() const { return boundary_; }

    [[nodiscard]] std::uint64_t bytes(Index first, Index up_to) const { return index_.bytes(first, up_to); }
    [[nodiscard]] std::uint64_t bytes() const { return index_.bytes(next(index_.base()), index_.last()); }

    [[nodiscard]] Entries read(Index from, Index up_to, std::uint64_t bytes_max) const
    {
        auto entries = Entries{};
        if (index_.holds(from) and up_to >= from)
            pinned_.read(from, index_.last_within(from, up_to, bytes_max), index_, entries);
        return entries;
    }

    /// All from an index on.
    [[nodiscard]] Entries read_from(Index from) const
    {
        auto entries = Entries{};
        if (index_.holds(from))
            pinned_.read(from, index_.last(), index_, entries);
        return entries;
    }

    [[nodiscard]] Entries read_all() const { return read_from(next(index_.base())); }

    void add(Entries const& entries)
    {
        for (auto at = std::size_t{0}; at < entries.slice_count(); ++at) {
            auto const& slice = entries.slice(at);
            auto const  first = next(index_.last());
            auto        rest = slice.bytes;
            while (auto const entry = view_entry(rest)) {
                runs_.append({entry->term, entry->index, 1});
                index_.append(entry->encoded.size());
                rest = rest.subspan(entry->encoded.size());
            }
            pinned_.append(first, index_.last().value - first.value + 1, slice);
        }
    }

    /// Removes the entry at `from` and all after it.
    void cut(Index from)
    {
        pinned_.truncate(from, index_);
        index_.truncate(from);
        runs_.truncate(from);
    }

    /// The log holds these entries, and begins there.
    void begin_after(MemoryBoundary const& boundary, Entries const& entries)
    {
        boundary_ = boundary;
        runs_.restore(boundary.base);
        index_ = EntryIndex{boundary.base.index};
        pinned_ = PinnedEntries{};
        add(entries);
    }

    /// The configurations that a recovery finds.
    void recover_configurations(Identity const& identity, Recovered& recovered) const
    {
        recovered.configuration = first_configuration(identity);
        recovered.previous_configuration = recovered.configuration;
        recovered.peers = {first_peers(identity), first_peers(identity)};
        if (boundary_.base.index > Index{}) {
            recovered.configuration = boundary_.configurations.in_force;
            recovered.previous_configuration = boundary_.configurations.previous;
            recovered.peers = {peers_of(recovered.configuration, boundary_.peers.in_force),
                               peers_of(recovered.previous_configuration, boundary_.peers.previous)};
        }
        for (auto const& entry : read_all()) {
            if (entry.kind != EntryKind::configuration)
                continue;
            if (auto named = decode_named_configuration(entry)) {
                recovered.previous_configuration = std::exchange(recovered.configuration, named->configuration);
                recovered.peers.append(std::move(named->peers));
            }
        }
    }

private:
    TermRuns       runs_;
    EntryIndex     index_;
    PinnedEntries  pinned_;
    MemoryBoundary boundary_;
};

} // namespace totora::inline v0
