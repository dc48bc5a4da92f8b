// SPDX-License-Identifier: BSL-1.0
#include "support/simulated.hpp"
#include "totora/testing/simulate/simulation.hpp"

#include <utility>

namespace totora::test
{

simulate::SimulationReport
simulated(simulate::Scenario const& scenario, std::function<void(simulate::TraceEvent const&)> watch)
{
    return simulate::Simulation<>{scenario, std::move(watch)}.run();
}

} // namespace totora::test
