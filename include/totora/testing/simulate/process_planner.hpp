// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/timer_kind.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace totora::inline v0::simulate
{

/// Plans what follows from a turn of a process: arrivals, syncs, wake-ups, and what clients want to do.
template <typename Run>
class ProcessPlanner
{
public:
    explicit ProcessPlanner(Run& run) : run_(run) {}

    /// Plans what clients want to do.
    void plan_clients()
    {
        for (auto const& wish : run_.clients.plans())
            run_.plan(wish.in_us, TimerKind::client, wish.client, wish.visit);
        run_.clients.plans().clear();
    }

    void plan_departures()
    {
        for (auto const& departure : run_.cluster.network.departures())
            run_.schedule.plan(departure.arrives_us, {TimerKind::arrival, 0, departure.frame});
        run_.cluster.network.departures().clear();
        for (auto const& news : run_.cluster.network.news()) {
            auto const what = not news.changed              ? TimerKind::frame_sent
                              : *news.changed == Link::full ? TimerKind::link_filled
                                                            : TimerKind::link_drained;
            run_.plan(news.in_us, what, news.from * simulated_servers_max + news.to, news.life);
        }
        run_.cluster.network.news().clear();
    }

    void plan_sync(std::size_t number)
    {
        auto& server = run_.cluster[number];
        if (server.syncing or not server.storage.desk().waiting())
            return;
        auto takes = run_.scenario.syncs.takes_us + run_.random.between(0, run_.scenario.syncs.jitter_us);
        takes += std::max(server.disk_busy_until_us, run_.now_us) - run_.now_us;
        if (run_.now_us < server.sync_slow_until_us) {
            takes += server.sync_extra_us;
            ++run_.report.faults[Fault::sync_slow];
        }
        auto const  hangs = std::exchange(server.next_sync_hangs_us, 0);
        auto const& writes = server.process->node.state().writes;
        server.sync_hangs = hangs > 0;
        server.sync_holds_writes = hangs > 0 and writes.last > writes.durable; // Otherwise it is a snapshot's.
        if (hangs > 0) {
            server.sync_hangs_since_us = run_.now_us;
            takes += hangs;
            ++run_.report.faults[Fault::sync_hangs];
        }
        server.syncing = true;
        run_.plan(takes, TimerKind::sync, number, ++server.sync_number);
    }

    /// The work that a disk has done takes it time, before it does more.
    void keep_disk_busy(typename Run::Server& server)
    {
        auto const work = server.storage.disk().take_work();
        auto const is_slow = run_.now_us < server.disk_slow_until_us;
        auto const factor = is_slow ? server.disk_slow_factor : 0;
        auto const per_call = run_.scenario.syncs.per_call_us + factor;
        auto const per_kib = run_.scenario.syncs.per_kib_us + factor;
        run_.report.faults[Fault::disk_slow] += is_slow ? 1 : 0;
        server.disk_busy_until_us = run_.now_us + work.calls * per_call + work.bytes * per_kib / 1024;
    }

    void plan_wake(std::size_t number)
    {
        auto&      server = run_.cluster[number];
        auto const due = server.process->node.next_turn_ms();
        if (not due)
            return;
        auto const when = server.time.when_us(*due * 1000);
        if (when == Server::never or when >= server.wakes_us)
            return;
        server.wakes_us = std::max(when, run_.now_us);
        run_.schedule.plan(server.wakes_us, {TimerKind::wake, 0, number});
    }

private:
    using Server = typename Run::Server;

    Run& run_;
};

} // namespace totora::inline v0::simulate
