// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/cluster.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/schedule.hpp"
#include "totora/testing/simulate/simulation_report.hpp"
#include "totora/testing/simulate/timer_kind.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// What the parts of a simulation share: a cluster and its clients, the moment, the plans, and the observer.
///
/// All of it refers to other parts of itself, so it stays where it is.
template <typename Parts, typename Clients>
struct SimulationRun
{
    using Server = typename Cluster<Parts>::Server;

    SimulationRun(Scenario its_scenario, std::function<void(TraceEvent const&)> its_watch)
        : scenario(std::move(its_scenario)), watch(std::move(its_watch)), random(testing::Prng{scenario.seed}.split(3)),
          cluster(scenario, now_us, checks, report.faults),
          clients(scenario.clients, scenario.servers, testing::Prng{scenario.seed}.split(4), checks)
    {
        report.seed = scenario.seed;
        report.servers = scenario.servers;
    }

    SimulationRun(SimulationRun const&) = delete;
    SimulationRun& operator=(SimulationRun const&) = delete;

    [[nodiscard]] bool goes_on() const { return checks.broken().empty(); }

    /// Whether a quorum was healed; from then on the failures of all other servers are permanent.
    [[nodiscard]] bool is_healed() const { return not quorum.empty(); }
    [[nodiscard]] bool is_permanent(std::size_t number) const
    {
        return is_healed() and std::find(quorum.begin(), quorum.end(), number) == quorum.end();
    }

    /// Whether the log of another server begins after all that is durable at this one.
    [[nodiscard]] bool is_left_behind(std::size_t number) const
    {
        for (auto other = std::size_t{0}; other < cluster.size(); ++other)
            if (auto const& process = cluster[other].process)
                if (process->node.state().log.base().index > checks.durable_last(number))
                    return true;
        return false;
    }

    void plan(std::uint64_t in_us, TimerKind what, std::size_t at, std::uint32_t stamp = 0)
    {
        schedule.plan(now_us + in_us, {what, stamp, at});
    }

    /// Begins to report an event on a server.
    TraceEvent& trace(TraceEventKind what, std::size_t server)
    {
        ++happened;
        auto& event = report.last.next();
        event.number = happened;
        event.at_us = now_us;
        event.what = what;
        event.server = server;
        event.refused = false;
        event.before = glance(server);
        return event;
    }

    /// Ends the event.
    void finish(TraceEvent& event)
    {
        event.after = glance(event.server);
        fold(now_us);
        fold((static_cast<std::uint64_t>(event.what) << 8U) + event.server);
        fold(event.after.term.value ^ std::rotl(event.after.commit.value, 24) ^
             std::rotl(event.after.last.index.value, 44) ^ std::rotl(event.after.base.value, 12) ^
             static_cast<std::uint64_t>(event.after.role));
        if (watch)
            watch(event);
    }

    Scenario                               scenario;
    std::function<void(TraceEvent const&)> watch; ///< Empty if there is no observer.
    std::uint64_t                          now_us = 0;
    std::uint64_t                          happened = 0; ///< Events, requests and faults.
    SimulationReport                       report;
    testing::Prng                          random;
    Checks                                 checks;
    Cluster<Parts>                         cluster;
    Clients                                clients;
    Schedule<PlannedTimer>                 schedule;
    std::vector<std::size_t>               quorum; ///< That was healed.

private:
    [[nodiscard]] Glance glance(std::size_t server) const
    {
        auto const& process = cluster[server].process;
        return process ? glance_at(process->node.state()) : Glance{};
    }

    void fold(std::uint64_t value) { report.hash = (std::rotl(report.hash, 7) ^ value) * 0x9E3779B97F4A7C15U; }
};

} // namespace totora::inline v0::simulate
