// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/segmented_log_options.hpp"
#include "totora/node/settings.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/network_options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace totora::inline v0::simulate
{

/// Options of a run.
struct SimulationOptions
{
    std::uint64_t                          servers_least = 1;
    std::uint64_t                          servers_most = 7;
    std::uint64_t                          events = 50'000; ///< Until the network and the disks of a quorum are healed.
    std::set<Fault>                        without{};       ///< Kinds of faults that are left out.
    std::optional<std::set<std::uint32_t>> only{};          ///< Of the planned faults, those of these numbers.
};

/// A fault that happens at a certain moment of a run.
struct PlannedFault
{
    std::uint32_t number = 0;   ///< In the seed's whole plan, counted from 1.
    std::uint64_t at_event = 0; ///< When so many events, requests and faults have happened.
    Fault         kind{};
    std::size_t   server = 0;
    std::uint64_t lasts_us = 0;
    std::uint64_t seed = 0; ///< For everything else to be drawn about it.
};

/// Speed of a disk, in microseconds.
struct SyncOptions
{
    std::uint64_t per_call_us = 0;
    std::uint64_t per_kib_us = 0;  ///< Written.
    bool          at_once = false; ///< Within the turn that requests it.
    std::uint64_t takes_us = 200;
    std::uint64_t jitter_us = 200;
};

/// How clients behave, in microseconds.
struct ClientOptions
{
    std::size_t   count = 3;
    std::uint64_t thinks_us = 10'000;
    std::uint64_t patience_us = 2'000'000; ///< Then it makes another request; the answer may still come.
    std::uint32_t reads = 300'000;         ///< Of a million requests, that are reads without an entry.
    std::uint32_t batches = 50'000;        ///< Of a million proposals.
    std::uint32_t wanders = 0;             ///< Of a million requests, that go to any server.
    std::uint64_t padding = 0;             ///< Additional bytes in a payload, at most.
};

/// Everything about a run that is drawn in advance: a function of the seed and the options.
struct Scenario
{
    std::uint64_t       seed = 0;
    std::size_t         servers = 3;
    std::uint64_t       events = 0;
    NodeSettings        settings;
    SegmentedLogOptions log;
    NetworkOptions      network;
    SyncOptions         syncs;
    ClientOptions       clients;
    std::uint64_t       apply_us = 0;            ///< That a command takes a machine.
    bool                machines_forget = false; ///< What they applied, when their process ends.
    std::uint64_t       machine_saves_every = 0; ///< So many calls, what it applied: it keeps itself. 0 if it does not.
    bool                clocks_drift = false;    ///< All the time, and a little.
    bool                terms_end = false; ///< It begins near the highest term, in which a server campaigns in the end.
    bool                captures_in_parts = false; ///< Snapshots are written part by part.
    bool                members_change = false;    ///< As operators ask for it.
    std::size_t         first_members = 0; ///< Of these numbers; the other servers wait to be let in. 0: all are.
    std::size_t         damageable = 0;    ///< Servers whose synced data may be damaged: 0 up to this, exclusive.
    std::vector<PlannedFault> plan;        ///< In order of `at_event`.
    /// How many bytes of entries may be sent for 100 that followers stored, in the whole run; 0 for any number.
    std::uint64_t sent_percent_max = 0;
};

} // namespace totora::inline v0::simulate
