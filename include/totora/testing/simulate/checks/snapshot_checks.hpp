// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/simulate/checks/room_checks.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/snapshot_counts.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// The properties of the snapshots that servers keep: what was reported durable stays, and a start begins with the newest.
class SnapshotChecks : public RoomChecks
{
public:
    using Stored = std::vector<StoredSnapshot>;

    [[nodiscard]] SnapshotCounts const& snapshots() const { return counts_; }

    void begin_life(std::size_t server, Incarnation life)
    {
        RoomChecks::begin_life(server, life);
        kept_[server].clear();
    }

    /// So many bytes of chunks may be sent for nothing: more where a leader may have members that none of its messages reaches for long.
    void allows_chunk_bytes(std::uint64_t bytes) { chunk_bytes_free_ = bytes; }

    /// Servers that are down, links that lose and snapshots that compaction outruns cost some of what is sent.
    void chunk_sent(std::uint64_t bytes)
    {
        auto& sent = counts_[SnapshotCount::chunk_bytes_sent];
        sent += bytes;
        expect(sent <= chunk_bytes_free_ + 25 * counts_[SnapshotCount::chunk_bytes_stored],
               "what is sent of snapshots is a bounded multiple of what followers store");
    }
    void chunk_stored(std::uint64_t bytes) { counts_[SnapshotCount::chunk_bytes_stored] += bytes; }

    /// The log of a server reports a snapshot durable, its own or a received one.
    void snapshot_kept(std::size_t server, SnapshotId const& id) { kept_[server].push_back(id); }

    void snapshot_removed(std::size_t server, SnapshotId const& id) { std::erase(kept_[server], id); }

    /// A process has started with these. A damaged server may have lost some; a machine that keeps itself need not have been restored.
    void started_with(std::size_t server, State const& state, Stored const& stored, bool is_damaged,
                      bool keeps_itself = false)
    {
        auto const is_there = [&](SnapshotId const& id) {
            return std::any_of(stored.begin(), stored.end(), [&](StoredSnapshot const& one) { return one.id == id; });
        };
        for (auto const& id : kept_[server])
            expect(is_damaged or is_there(id), "a snapshot that was reported durable survives a crash");
        kept_[server].clear();
        for (auto const& one : stored) {
            kept_[server].push_back(one.id);
            expect(is_damaged or keeps_itself or one.is_received or one.id.last.index <= state.apply_index or
                       one.id.last.index > state.writes.durable_index, // Its install is not durable yet.
                   "a server starts with what its newest snapshot stands for");
        }
    }

    /// A node has notified of this.
    void snapshot_saved(std::size_t server)
    {
        ++counts_[SnapshotCount::saved];
        counts_[SnapshotCount::saved_after_failure] += std::exchange(has_failed_[server], false) ? 1U : 0U;
    }

    void machine_restored(bool at_start)
    {
        ++counts_[at_start ? SnapshotCount::restored_at_start : SnapshotCount::restored];
    }

    /// What a server does with snapshots may fail only if its disk or its memory did, or something is damaged.
    void snapshot_failed(std::size_t server, SnapshotStep step, bool has_reason)
    {
        ++counts_[count_of_failed(step)];
        has_failed_[server] = has_failed_[server] or step == SnapshotStep::write or step == SnapshotStep::capture;
        expect(has_reason, "a snapshot fails only with the disk, the memory or the data of a server");
    }

    /// A start has found a damaged snapshot, and did without it, perhaps with an older one; or not.
    void passed_over_damage(bool did_another)
    {
        ++counts_[SnapshotCount::started_past_damage];
        counts_[SnapshotCount::older_restored] += did_another ? 1U : 0U;
    }
    void refused_for_damage() { ++counts_[SnapshotCount::start_refused]; }

private:
    SnapshotCounts                                             counts_;
    std::array<std::vector<SnapshotId>, simulated_servers_max> kept_; ///< Among them some whose removal is not durable.
    std::array<bool, simulated_servers_max>                    has_failed_{};
    std::uint64_t                                              chunk_bytes_free_ = 300'000;
};

} // namespace totora::inline v0::simulate
