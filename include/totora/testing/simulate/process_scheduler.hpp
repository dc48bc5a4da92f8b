// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/calm.hpp"
#include "totora/testing/simulate/cluster.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/faults/worse_leaders.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/process_planner.hpp"
#include "totora/testing/simulate/timer_kind.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace totora::inline v0::simulate
{

/// How the processes of a simulated cluster begin, have their turns and end, and what is planned after a turn.
template <typename Run>
class ProcessScheduler
{
public:
    explicit ProcessScheduler(Run& run) : run_(run) {}

    // --- From the beginning of a process to its end ----------------------------------------------------------------

    /// Starts a process, if the server can be up and is not.
    void start(std::size_t number)
    {
        auto& server = run_.cluster[number];
        if (server.process or server.dead)
            return;
        auto const is_left_behind = run_.is_left_behind(number);
        if (run_.now_us < server.away_until_us and not is_left_behind)
            return run_.plan(run_.random.between(10'000, 200'000), TimerKind::start, number);
        auto const result = run_.cluster.start(number);
        if (result == StartResult::later)
            return run_.plan(run_.random.between(10'000, 500'000), TimerKind::start, number);
        if (result == StartResult::dead) {
            server.dead = true;
            return;
        }
        run_.report.faults[Fault::server_left_behind] += is_left_behind ? 1U : 0U;
        calm_.disturb(number);
        auto& event = run_.trace(TraceEventKind::start, number);
        turn(number);
        finish(event);
    }

    /// Ends a process by `how`; another one begins after a while.
    template <typename How>
    void end(std::size_t number, How how)
    {
        run_.cluster.network.forget(number);
        how();
        run_.clients.server_gone(number);
        run_.checks.requests_gone(number);
        plan_clients();
        run_.plan(run_.random.between(5'000, 1'000'000), TimerKind::start, number);
    }

    /// Resumes a paused process, if it is still this one.
    void resume(std::size_t number, std::uint32_t life)
    {
        auto& server = run_.cluster[number];
        if (not server.process or server.life != life or not server.paused)
            return;
        server.paused = false;
        calm_.disturb(number);
        auto& event = run_.trace(TraceEventKind::resumed, number);
        run_.report.events += server.process->endpoint.waiting();
        turn(number);
        finish(event);
    }

    // --- Turns -----------------------------------------------------------------------------------------------------

    /// Runs a node until it has nothing to do, and plans what follows.
    void turn(std::size_t number)
    {
        auto&      server = run_.cluster[number];
        auto const rang = server.process->clock.rang();
        if (run_.now_us < server.busy_until_us)
            return;
        if (not survives(number, [&] { (void)run_.cluster.turn(number, run_.now_us); }))
            return;
        if (run_.now_us < server.busy_until_us)
            run_.plan(server.busy_until_us - run_.now_us, TimerKind::go_on, number, server.life);
        run_.report.events += server.process->clock.rang() - rang;
        planner_.plan_departures();
        plan_clients();
        if (server.process->failed)
            return end(number, [&] { run_.cluster.kill(number); });
        planner_.plan_sync(number);
        planner_.plan_wake(number);
    }

    /// The thread of a process has finished what took it time, if it is still this one.
    void go_on(std::size_t number, std::uint32_t life)
    {
        auto& server = run_.cluster[number];
        if (not server.process or server.life != life or server.paused or run_.now_us < server.busy_until_us)
            return;
        auto& event = run_.trace(TraceEventKind::resumed, number);
        turn(number);
        finish(event);
    }

    /// Rings what is due at a server, if it is still planned for this moment.
    void wake(std::size_t number, std::uint64_t at_us)
    {
        auto& server = run_.cluster[number];
        if (server.wakes_us != at_us)
            return;
        server.wakes_us = Server::never;
        if (not server.process or server.paused or run_.now_us < server.busy_until_us)
            return;
        auto const due = server.process->node.next_turn_ms();
        if (not due or *due > server.process->clock.now_ms())
            return planner_.plan_wake(number);
        auto& event = run_.trace(TraceEventKind::alarm, number);
        turn(number);
        if (server.process)
            event.alarm = server.process->clock.last_rang();
        finish(event);
    }

    /// Writes and syncs what waits at a server; or not all of it, if the power fails meanwhile.
    void complete_sync(std::size_t number, std::uint32_t sync_number)
    {
        auto& server = run_.cluster[number];
        if (server.sync_number != sync_number)
            return;
        server.syncing = false;
        if (std::exchange(server.sync_hangs, false))
            calm_.disturb_disk(number);
        if (server.paused)
            return;
        auto& event = run_.trace(TraceEventKind::completion, number);
        ++run_.report.events;
        if (survives(number, [&] { run_.cluster.work(number); })) {
            (void)server.time.settle(); // It is not the node's thread.
            planner_.keep_disk_busy(server);
            turn(number);
        }
        finish(event);
    }

    /// Notifies a server that the link to another one takes entries again, or that the other one is down.
    void open_link(std::size_t number, std::size_t to)
    {
        if (run_.cluster[number].process)
            change_link(number, to, run_.random.below(2) == 0 ? Link::open : Link::unreachable);
    }

    void change_link(std::size_t number, std::size_t to, Link link)
    {
        auto& server = run_.cluster[number];
        if (not server.process)
            return;
        server.process->endpoint.arrive(TransportEvent{LinkChanged{ServerId{to + 1}, link}});
        auto& event = run_.trace(TraceEventKind::link, number);
        event.from = ServerId{to + 1};
        if (not server.paused)
            turn(number);
        finish(event);
    }

    /// A link has sent a frame, and begins with the next.
    void finish_frame(std::size_t from, std::size_t to, std::uint32_t life)
    {
        run_.cluster.network.finish_frame(from, to, life);
        planner_.plan_departures();
    }

    /// A clock was changed: what was planned by it is planned again.
    void clock_changed(std::size_t number)
    {
        auto& server = run_.cluster[number];
        calm_.disturb(number);
        server.wakes_us = Server::never;
        if (server.process and not server.paused)
            planner_.plan_wake(number);
    }

    /// Something has gone wrong with a server.
    void disturb(std::size_t number) { calm_.disturb(number); }
    void disturb_disk(std::size_t number) { calm_.disturb_disk(number); }

    /// Plans what clients want to do.
    void plan_clients() { planner_.plan_clients(); }

    // --- Observing it -----------------------------------------------------------------------------------------------

    /// Ends the event, and checks everything from time to time.
    void finish(TraceEvent& event)
    {
        run_.finish(event);
        calm_.notice(event);
        worse_leaders_.notice(event);
        if (run_.happened % everything_after == 0)
            look_at_all_of(static_cast<std::size_t>(run_.happened / everything_after % run_.cluster.size()));
    }

    void look_at_all_of(std::size_t number)
    {
        auto& server = run_.cluster[number];
        if (not server.process)
            return;
        auto const& state = server.process->node.state();
        run_.checks.in_full(state);
        run_.report.calm_looks += calm_.is_calm() ? 1U : 0U;
        run_.checks.expect(is_bounded(server), "a log takes a bounded multiple of its entries on the disk");
        run_.report.queues.raise({server.process->endpoint.waiting(), run_.cluster.network.waiting_bytes(number),
                                  server.storage.log().bytes(next(state.writes.durable_index), last_index(state))});
        auto const last = last_index(state);
        auto const base = state.log.base().index;
        if (last == base or server.paused)
            return;
        auto const from = Index{run_.random.between(base.value + 1, last.value)};
        try {
            auto const entries = server.storage.log().read(from, last, 20'000);
            (void)server.time.settle(); // The node has no part in it.
            if (entries)
                run_.checks.read_back(state, *entries);
        } catch (PowerFailed const&) {
            end(number, [&] { run_.cluster.lose_power(number); });
        }
    }

private:
    using Server = typename Run::Server;

    static constexpr auto everything_after = std::uint64_t{1000}; ///< Events.

    /// Whether a server does something without losing its power in the middle of it.
    template <typename Work>
    [[nodiscard]] bool survives(std::size_t number, Work work)
    {
        try {
            work();
            return true;
        } catch (PowerFailed const&) {
        } catch (std::bad_alloc const&) { // Nothing caught it: the process ends.
            run_.checks.expect(run_.cluster[number].burdens.ran_out(), "a healthy server does not end of its own");
            end(number, [&] { run_.cluster.kill(number); });
            return false;
        }
        ++run_.report.faults[Fault::power_lost_in_a_call];
        end(number, [&] { run_.cluster.lose_power(number); });
        return false;
    }

    [[nodiscard]] bool is_bounded(Server& server) const
    {
        auto const base = server.process->node.state().log.base().index;
        auto const entries = server.storage.log().bytes(next(base), server.storage.log().last().index);
        return server.disk_bound.holds(server.storage.disk(), entries, run_.scenario.log.segment_bytes);
    }

    Run&                         run_;
    ProcessPlanner<Run>          planner_{run_};
    Calm<Run>                    calm_{run_};
    WorseLeaders<Run, Calm<Run>> worse_leaders_{run_, calm_};
};

} // namespace totora::inline v0::simulate
