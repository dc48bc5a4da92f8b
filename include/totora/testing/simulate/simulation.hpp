// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/clients/simulated_clients.hpp"
#include "totora/testing/simulate/clients/store_clients.hpp"
#include "totora/testing/simulate/cluster.hpp"
#include "totora/testing/simulate/disk/simulated_storage.hpp"
#include "totora/testing/simulate/faults/fault_injector.hpp"
#include "totora/testing/simulate/last_term.hpp"
#include "totora/testing/simulate/liveness_phase.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/network/residents.hpp"
#include "totora/testing/simulate/network/wire.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/simulated_run.hpp"
#include "totora/testing/simulate/simulated_server.hpp"
#include "totora/testing/simulate/simulation_report.hpp"
#include "totora/testing/simulate/timer_kind.hpp"
#include "totora/testing/simulate/trace_event.hpp"
#include "totora/wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>

namespace totora::inline v0::simulate
{

/// A whole cluster in one thread and in virtual time, from one seed.
///
///     auto const report = Simulation<>{make_scenario(seed, {})}.run();
///     if (not report.broken.empty()) ...
///
/// First everything may go wrong that the scenario plans, and safety is checked after each event. Then a quorum is
/// healed and everything else stays as it is: a leader must emerge, and every request must end.
template <typename Parts = DefaultParts, typename Clients = StoreClients>
class Simulation
{
public:
    /// `watch` is called with every `TraceEvent`, if it is given.
    explicit Simulation(Scenario scenario, std::function<void(TraceEvent const&)> watch = {})
        : run_(std::move(scenario), std::move(watch))
    {}

    [[nodiscard]] SimulationReport run()
    {
        for (auto server = std::size_t{0}; server < run_.cluster.size(); ++server)
            turns_.start(server);
        turns_.plan_clients();
        while (run_.goes_on() and run_.happened < run_.scenario.events) {
            injector_.inject_what_is_due();
            happen();
        }
        if (run_.goes_on())
            quorum_.heal();
        while (run_.goes_on() and not quorum_.is_settled())
            happen();
        if (run_.goes_on() and run_.scenario.terms_end and run_.cluster.size() > 1)
            end_terms();
        for (auto server = std::size_t{0}; server < run_.cluster.size() and run_.goes_on(); ++server)
            turns_.look_at_all_of(server);
        if (run_.goes_on())
            check_clients();
        run_.report.entry_bytes = run_.checks.entry_bytes();
        run_.checks.expect(run_.report.entry_bytes.appends_known <= appends_known_max(run_.report.entry_bytes.appends),
                           "followers are not sent again what they have");
        if (run_.scenario.sent_percent_max > 0)
            run_.checks.expect(run_.report.entry_bytes.sent * 100 <=
                                   run_.report.entry_bytes.stored * run_.scenario.sent_percent_max,
                               "followers are sent little more than the entries that they lack");
        run_.report.snapshots = run_.checks.snapshots();
        run_.report.members = run_.checks.members();
        run_.report.broken = run_.checks.broken();
        run_.report.simulated_us = run_.now_us;
        run_.report.answered = run_.clients.answered();
        run_.report.decisions = run_.cluster.decisions();
        return std::move(run_.report);
    }

    /// To interfere before a run.
    [[nodiscard]] Cluster<Parts>& cluster() { return run_.cluster; }

private:
    using Run = SimulationRun<Parts, Clients>;

    static_assert(simulated_storage<typename Parts::Storage>);
    static_assert(simulated_clients<Clients, typename SimulatedProcess<Parts>::Node, typename Parts::Machine, AnyRead>);

    /// Per so many appends. Where acknowledgements are late or lost, a follower may have entries without its leader
    /// knowing it; and most where one that was no member is let in again, and lacks thousands.
    [[nodiscard]] std::uint64_t appends_known_max(std::uint64_t appends) const
    {
        return 20 + appends / (run_.scenario.members_change ? 25 : 100);
    }

    void end_terms()
    {
        last_term_.begin();
        while (run_.goes_on() and not last_term_.is_over())
            happen();
        if (run_.goes_on())
            last_term_.check();
    }

    void check_clients()
    {
        auto const verdict = run_.clients.check_history();
        run_.report.is_undecided = verdict.is_undecided;
        run_.checks.expect(verdict.contradiction.empty(), verdict.contradiction);
    }

    void happen()
    {
        auto const next = run_.schedule.take();
        run_.now_us = next.at_us;
        run_.clients.set_moment(run_.happened);
        auto const& planned = next.what;
        switch (planned.what) {
        case TimerKind::arrival:
            return arrive(static_cast<std::uint32_t>(planned.at));
        case TimerKind::wake:
            return turns_.wake(planned.at, next.at_us);
        case TimerKind::sync:
            return turns_.complete_sync(planned.at, planned.stamp);
        case TimerKind::client:
            return let_client_act(planned.at, planned.stamp);
        case TimerKind::start:
            return turns_.start(planned.at);
        case TimerKind::resume:
            return turns_.resume(planned.at, planned.stamp);
        case TimerKind::go_on:
            return turns_.go_on(planned.at, planned.stamp);
        case TimerKind::mend:
            return injector_.mend(planned.at);
        case TimerKind::flap:
            return injector_.flap(planned.at, planned.stamp);
        case TimerKind::open_link:
            return turns_.open_link(planned.at / simulated_servers_max, planned.at % simulated_servers_max);
        case TimerKind::frame_sent:
            return turns_.finish_frame(planned.at / simulated_servers_max, planned.at % simulated_servers_max,
                                       planned.stamp);
        case TimerKind::link_filled:
            return turns_.change_link(planned.at / simulated_servers_max, planned.at % simulated_servers_max,
                                      Link::full);
        case TimerKind::link_drained:
            return turns_.change_link(planned.at / simulated_servers_max, planned.at % simulated_servers_max,
                                      Link::open);
        case TimerKind::true_time:
            return injector_.set_true_time(planned.at);
        case TimerKind::own_members:
            run_.cluster.network.residents.set_foreign(planned.at, false);
            turns_.disturb(planned.at);
            return;
        case TimerKind::free_disk:
            return injector_.free_disk(planned.at);
        }
    }

    void arrive(std::uint32_t number)
    {
        auto const frame = run_.cluster.network.arrive(number);
        auto&      server = run_.cluster[frame.to];
        if (not server.process)
            return;
        auto  received = receive(frame);
        auto& event = run_.trace(TraceEventKind::message, frame.to);
        ++run_.report.events;
        event.from = ServerId{frame.from + 1};
        event.refused = not received;
        if (received) {
            auto& message = received->message;
            run_.checks.accepted(frame);
            run_.checks.taken(server.process->node.state(), {message.from, received->sender, {}}, message.rpc);
            event.rpc = message.rpc;
            auto const has_no_room = lacks_room_for(server, message);
            auto const sent = run_.checks.messages_of(frame.to);
            server.process->endpoint.arrive(TransportEvent{std::move(message)});
            if (not server.paused)
                turns_.turn(frame.to);
            if (has_no_room and server.process)
                run_.checks.refused_entries(run_.checks.messages_of(frame.to) == sent);
        }
        turns_.finish(event);
    }

    /// What a transport takes: it is of this cluster, and between the lives of servers that are meant.
    [[nodiscard]] Result<Arrived, FrameError> receive(FrameInFlight const& frame)
    {
        auto arrived = run_.cluster.network.residents.read(frame);
        if (arrived and not run_.cluster[frame.to].process->endpoint.takes({arrived->message.from, arrived->sender},
                                                                           arrived->message.rpc))
            arrived = Unexpected{FrameError::another_sender};
        if (not arrived)
            run_.checks.refused(arrived.error());
        return arrived;
    }

    /// Whether a server that has nothing else to do, and need not wait for its disk to answer, can only reject these
    /// entries.
    [[nodiscard]] bool lacks_room_for(typename Run::Server const& server, Received const& received) const
    {
        auto const& state = server.process->node.state();
        auto const* append = std::get_if<AppendEntries>(&received.rpc);
        return append != nullptr and not received.entries.empty() and lacks_room(state) and
               server.burdens.has_no_room() and append->term == state.current_term and
               state.writes.of_term <= state.writes.durable and not server.paused and
               server.busy_until_us <= run_.now_us and server.process->endpoint.waiting() == 0;
    }

    void let_client_act(std::size_t client, std::uint32_t visit)
    {
        if (not run_.clients.wants_to_act(client, visit))
            return;
        auto const number = run_.clients.server_of(client);
        auto&      server = run_.cluster[number];
        if (not server.process) {
            ++run_.happened;
            run_.clients.turn_away(client);
            return turns_.plan_clients();
        }
        auto& event = run_.trace(TraceEventKind::request, number);
        run_.clients.act(client, server.process->node, *server.machine, run_.happened,
                         [](auto& node, auto completion) { Parts::read(node, std::move(completion)); });
        if (server.paused)
            turns_.plan_clients();
        else
            turns_.turn(number);
        turns_.finish(event);
    }

    Run                                  run_;
    ProcessScheduler<Run>                turns_{run_};
    FaultInjector<Run>                   injector_{run_, turns_};
    LivenessPhase<Run>                   quorum_{run_, turns_};
    LastTerm<Run, ProcessScheduler<Run>> last_term_{run_, turns_};
};

} // namespace totora::inline v0::simulate
