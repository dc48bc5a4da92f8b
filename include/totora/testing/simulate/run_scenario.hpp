// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/clients/durable_store.hpp"
#include "totora/testing/simulate/scenario_options.hpp"
#include "totora/testing/simulate/simulated_server.hpp"
#include "totora/testing/simulate/simulation.hpp"
#include "totora/testing/simulate/simulation_report.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <functional>
#include <utility>

namespace totora::inline v0::simulate
{

/// A cluster of stores that keep themselves.
struct DurableParts : DefaultParts
{
    using Machine = DurableStore;
};

/// Runs a scenario with the machines that were drawn for it.
[[nodiscard]] inline SimulationReport run_scenario(Scenario scenario, std::function<void(TraceEvent const&)> watch = {})
{
    if (scenario.machine_saves_every > 0)
        return Simulation<DurableParts>{std::move(scenario), std::move(watch)}.run();
    return Simulation<>{std::move(scenario), std::move(watch)}.run();
}

} // namespace totora::inline v0::simulate
