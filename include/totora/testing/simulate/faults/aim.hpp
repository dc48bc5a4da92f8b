// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/role.hpp"
#include "totora/core/state.hpp"

#include <cstddef>
#include <cstdint>

namespace totora::inline v0::simulate
{

/// A leader, of any term, or this server: faults of leaders are worth more.
template <typename Run>
[[nodiscard]] std::size_t leader_or(Run const& run, std::size_t other)
{
    for (auto number = std::size_t{0}; number < run.cluster.size(); ++number)
        if (auto const& process = run.cluster[number].process; process and is_leader(process->node.state()))
            return number;
    return other;
}

/// The longest election timeout.
template <typename Run>
[[nodiscard]] std::uint64_t longest_election_us(Run const& run)
{
    return run.scenario.settings.core.election.at_most_ms * 1000;
}

} // namespace totora::inline v0::simulate
