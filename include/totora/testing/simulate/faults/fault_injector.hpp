// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/state.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/faults/aim.hpp"
#include "totora/testing/simulate/faults/disk_faults.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/faults/hostile_messages.hpp"
#include "totora/testing/simulate/faults/member_faults.hpp"
#include "totora/testing/simulate/faults/network_faults.hpp"
#include "totora/testing/simulate/faults/process_faults.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/simulated_server.hpp"
#include "totora/testing/simulate/timer_kind.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// Injects the faults that a scenario plans, and ends them. See faults.hpp for what they are.
template <typename Run>
class FaultInjector
{
public:
    FaultInjector(Run& run, ProcessScheduler<Run>& turns)
        : run_(run), turns_(turns), network_(run), processes_(run, turns), disks_(run, turns), members_(run, turns)
    {}

    /// Injects what was planned for when so much has happened.
    void inject_what_is_due()
    {
        for (; injected_ < run_.scenario.plan.size() and run_.scenario.plan[injected_].at_event <= run_.happened;
             ++injected_)
            inject(members_.aimed(aimed(run_.scenario.plan[injected_])));
    }

    // --- What ends ---------------------------------------------------------------------------------------------------

    /// What is permanent does not end, here and below.
    void mend(std::size_t partition) { network_.mend(partition); }
    void flap(std::size_t partition, std::uint32_t left) { network_.flap(partition, left); }

    void set_true_time(std::size_t number)
    {
        if (run_.is_permanent(number))
            return;
        run_.cluster[number].time.set_rate(LocalTime::true_rate);
        turns_.clock_changed(number);
    }

    void free_disk(std::size_t number)
    {
        if (run_.is_permanent(number))
            return;
        run_.cluster[number].storage.disk().free_space();
        run_.cluster[number].burdens.snapshots().free_disk();
        turns_.disturb(number);
        ++run_.report.faults[Fault::disk_freed];
    }

private:
    /// Faults of leaders are worth more: every second one of these kinds hits a leader, if there is one.
    [[nodiscard]] PlannedFault aimed(PlannedFault fault) const
    {
        if (fault.kind == Fault::hostile_message and fault.seed % 2 == 0)
            fault.server = leader_or(run_, fault.server);
        return fault;
    }

    void inject(PlannedFault const& fault)
    {
        auto& event = run_.trace(TraceEventKind::fault, fault.server);
        event.fault = fault.kind;
        event.planned = fault.number;
        if (carry_out(fault))
            ++run_.report.faults[fault.kind];
        // A hostile message is no reason for an election; other laws look at the leaders to which these happen.
        if (fault.kind != Fault::hostile_message and fault.kind != Fault::log_full and
            fault.kind != Fault::leader_disk_hangs and fault.kind != Fault::bulk_stopped)
            turns_.disturb(fault.server);
        turns_.finish(event);
    }

    /// Returns whether it is to be counted now; some faults are counted when they take effect.
    bool carry_out(PlannedFault const& fault)
    {
        auto random = testing::Prng{fault.seed};
        if (auto const counts = network_.carry_out(fault, random))
            return *counts;
        if (auto const counts = processes_.carry_out(fault, random))
            return *counts;
        if (auto const counts = disks_.carry_out(fault, random))
            return *counts;
        if (auto const counts = members_.carry_out(fault, random))
            return *counts;
        auto& time = run_.cluster[fault.server].time;
        switch (fault.kind) {
        case Fault::hostile_message:
            return send_hostile_messages(fault.server, random);
        case Fault::clock_drifts:
            time.set_rate(LocalTime::true_rate * random.between(90, 110) / 100);
            return change_clock(fault);
        case Fault::clock_jumps:
            time.jump_us(random.between(1'000, 2 * fault.lasts_us));
            return change_clock(fault);
        case Fault::clock_stands_still:
            time.set_rate(0);
            return change_clock(fault);
        default:
            return false;
        }
    }

    /// Several messages that no correct server can send, each to a server that has nothing else to do at this moment.
    bool send_hostile_messages(std::size_t number, testing::Prng& random)
    {
        auto& server = run_.cluster[number];
        if (not server.process or server.paused)
            return false;
        turns_.turn(number);
        auto sent = false;
        for (auto left = 8; left > 0 and run_.goes_on(); --left)
            sent = send_hostile_message(number, random) or sent;
        return sent;
    }

    bool send_hostile_message(std::size_t number, testing::Prng& random)
    {
        auto& server = run_.cluster[number];
        if (not server.process or run_.now_us < server.busy_until_us)
            return false;
        auto const before = server.process->node.state();
        auto const hostile = HostileMessages{before, run_.cluster.size(), random}.draw();
        if (not hostile or not has_room(server, hostile->received.entries))
            return false;
        auto const messages = run_.checks.messages_of(number);
        auto const life = server.life;
        server.process->notes = std::optional<Notes>{Notes{}};
        server.process->endpoint.arrive(TransportEvent{hostile->received});
        turns_.turn(number);
        if (not server.process or server.life != life) // Something planned earlier happened in this turn.
            return true;
        auto const notes = *std::exchange(server.process->notes, std::nullopt);
        run_.checks.received_hostile(before, server.process->node.state(), is_what_it_was(*hostile, notes),
                                     run_.checks.messages_of(number) == messages);
        return true;
    }

    /// Whether a node noted the kind of a hostile message, and the sender that it named.
    [[nodiscard]] static bool is_what_it_was(HostileMessage const& hostile, Notes const& notes)
    {
        auto const is_violation_of_sender = not hostile.noted or *hostile.noted != Decision::response_from_non_member;
        return notes.count == 1 and notes.decision == hostile.noted and notes.from == hostile.received.from and
               (not notes.decision or is_violation(*notes.decision) == is_violation_of_sender);
    }

    /// Without room for the entries a node would note that instead, rightly.
    [[nodiscard]] static bool has_room(typename Run::Server& server, Entries const& entries)
    {
        return entries.empty() or
               (not lacks_room(server.process->node.state()) and server.burdens.fits(entries.bytes()) and
                server.storage.log().has_room(entries.bytes()));
    }

    bool change_clock(PlannedFault const& fault)
    {
        run_.plan(fault.lasts_us, TimerKind::true_time, fault.server);
        turns_.clock_changed(fault.server);
        return true;
    }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
    NetworkFaults<Run>     network_;
    ProcessFaults<Run>     processes_;
    DiskFaults<Run>        disks_;
    MemberFaults<Run>      members_;
    std::size_t            injected_ = 0; ///< How much of the plan.
};

} // namespace totora::inline v0::simulate
