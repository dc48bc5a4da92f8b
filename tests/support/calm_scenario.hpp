// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/scenario.hpp"

#include <cstddef>
#include <cstdint>

namespace totora::test
{

/// So many servers, by default three, to which nothing happens but what a test plans, over quick links and disks.
[[nodiscard]] inline simulate::Scenario
calm_scenario(std::uint64_t seed, std::uint64_t events, std::uint64_t servers = 3)
{
    auto scenario =
        simulate::make_scenario(seed, {.servers_least = servers, .servers_most = servers, .events = events});
    scenario.plan.clear();
    scenario.network.chances = {};
    scenario.network.bytes_per_ms = 0;
    scenario.syncs = {};
    scenario.apply_us = 0;
    scenario.clocks_drift = false;
    scenario.damageable = 0;
    scenario.terms_end = false;
    scenario.members_change = false;
    scenario.first_members = 0;
    return scenario;
}

/// The same fault again and again, at every server in turn.
inline void plan_often(simulate::Scenario& scenario, simulate::Fault kind, std::uint32_t count)
{
    for (auto number = std::uint32_t{1}; number <= count; ++number)
        scenario.plan.push_back({.number = number,
                                 .at_event = number * scenario.events / (count + 1),
                                 .kind = kind,
                                 .server = number % scenario.servers,
                                 .lasts_us = 200'000,
                                 .seed = number});
}

} // namespace totora::test
