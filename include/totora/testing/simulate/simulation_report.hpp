// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/members/member_counts.hpp"
#include "totora/testing/simulate/simulated_server.hpp"
#include "totora/testing/simulate/snapshot_counts.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::inline v0::simulate
{

/// The most that was ever queued anywhere, of what takes memory.
struct QueuesMost
{
    std::uint64_t arrivals = 0;       ///< Messages that had arrived and were not taken by a node.
    std::uint64_t link_bytes = 0;     ///< For all links from one server.
    std::uint64_t unsynced_bytes = 0; ///< Of entries that a server's log has not reported durable.

    void raise(QueuesMost const& seen)
    {
        arrivals = std::max(arrivals, seen.arrivals);
        link_bytes = std::max(link_bytes, seen.link_bytes);
        unsynced_bytes = std::max(unsynced_bytes, seen.unsynced_bytes);
    }
};

/// The result of one run.
struct SimulationReport
{
    std::string    broken; ///< The first property that was violated; empty if all held.
    std::uint64_t  seed = 0;
    std::size_t    servers = 0;
    std::uint64_t  events = 0; ///< Messages, alarms and completions handled.
    std::uint64_t  simulated_us = 0;
    std::uint64_t  answered = 0;         ///< Requests of clients.
    bool           is_undecided = false; ///< Whether the check of the clients' history was given up.
    std::uint64_t  hash = 0;             ///< Of everything that happened: the same for the same seed, everywhere.
    EntryBytes     entry_bytes;
    std::uint64_t  elections_checked = 0; ///< Elections and resignations, each of which must have had a reason.
    std::uint64_t  calm_looks = 0;        ///< How often a leader was seen that must not be deposed.
    std::uint64_t  worse_leaders = 0;     ///< How often a leader was seen whose disk is worse than those of a quorum.
    QueuesMost     queues;
    FaultCounts    faults;
    SnapshotCounts snapshots;
    MemberCounts   members;
    DecisionCounts decisions{};
    LastSightings  last;
};

} // namespace totora::inline v0::simulate
