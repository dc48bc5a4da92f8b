// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/faults.hpp"
#include "totora/testing/simulate/sighting.hpp"
#include "totora/testing/simulate/simulated_server.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::simulate
{

/// What came of a run.
struct SimulationReport
{
    std::string   broken; ///< The first property that did not hold; empty if all did.
    std::uint64_t seed = 0;
    std::size_t   servers = 0;
    std::uint64_t events = 0; ///< Messages, alarms and completions handled.
    std::uint64_t simulated_us = 0;
    std::uint64_t answered = 0;         ///< Requests of clients.
    bool          is_undecided = false; ///< Whether what clients were told can be true was too much to find out.
    std::uint64_t hash = 0;             ///< Of everything that happened: the same for the same seed, everywhere.
    EntryBytes    entry_bytes;
    FaultCounts   faults;
    OutcomeCounts outcomes{};
    LastSightings last;
};

} // namespace totora::simulate
