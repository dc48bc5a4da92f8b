// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/simulation_report.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <functional>

namespace totora::test
{

/// Runs a `simulate::Simulation<>`, which is compiled once, in simulated.cpp, and optimized.
[[nodiscard]] simulate::SimulationReport
simulated(simulate::Scenario const& scenario, std::function<void(simulate::TraceEvent const&)> watch = {});

} // namespace totora::test
