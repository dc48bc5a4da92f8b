// SPDX-License-Identifier: BSL-1.0
#include "support/simulated.hpp"
#include "totora/testing/simulate/run_scenario.hpp"

#include <utility>

namespace totora::test
{

simulate::SimulationReport
simulated(simulate::Scenario const& scenario, std::function<void(simulate::TraceEvent const&)> watch)
{
    return simulate::run_scenario(scenario, std::move(watch));
}

} // namespace totora::test
