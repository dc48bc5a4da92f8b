// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/faults/snapshot_faults.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/timer_kind.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0::simulate
{

/// Injects the faults of processes: their power, their end, their time and their memory.
template <typename Run>
class ProcessFaults
{
public:
    ProcessFaults(Run& run, ProcessScheduler<Run>& turns) : run_(run), turns_(turns) {}

    /// Whether a fault is to be counted now; nothing if it is not one of a process.
    [[nodiscard]] std::optional<bool> carry_out(PlannedFault const& fault, testing::Prng& random)
    {
        auto& server = run_.cluster[fault.server];
        switch (fault.kind) {
        case Fault::power_lost:
            return end_if_up(fault.server, [&] { run_.cluster.lose_power(fault.server); });
        case Fault::power_lost_in_a_call:
            if (server.process)
                fail_power_soon(server.storage.disk(), random);
            return false;
        case Fault::power_lost_in_recovery:
            server.power_fails_in_start = true;
            (void)end_if_up(fault.server, [&] { run_.cluster.lose_power(fault.server); });
            return false;
        case Fault::power_lost_everywhere:
            lose_all_power();
            return true;
        case Fault::process_killed:
            return end_if_up(fault.server, [&] { run_.cluster.kill(fault.server); });
        case Fault::stopped_cleanly:
            return end_if_up(fault.server, [&] { stop_cleanly(fault.server); });
        case Fault::paused:
            return pause(fault);
        case Fault::apply_slow:
            server.burdens.slow_apply(std::uint64_t{16} << random.below(9), run_.now_us + fault.lasts_us);
            return false;
        case Fault::memory_ran_out:
            if (server.process)
                server.burdens.run_out_of_memory_in(random.between(1, 60));
            return false;
        case Fault::server_left_behind:
            server.away_until_us = run_.now_us + 40 * fault.lasts_us;
            (void)end_if_up(fault.server, [&] { run_.cluster.lose_power(fault.server); });
            return false;
        default:
            return arm(fault, random);
        }
    }

private:
    /// What happens with the next snapshot.
    [[nodiscard]] std::optional<bool> arm(PlannedFault const& fault, testing::Prng& random)
    {
        auto& snapshots = run_.cluster[fault.server].burdens.snapshots();
        if (fault.kind >= Fault::power_lost_writing_snapshot and fault.kind <= Fault::power_lost_before_restore)
            snapshots.lose_power_in(phase_of(fault.kind), random);
        else if (fault.kind >= Fault::memory_ran_out_capturing and fault.kind <= Fault::memory_ran_out_restoring)
            snapshots.run_out_of_memory_in(call_of(fault.kind));
        else
            return std::nullopt;
        return false;
    }

    bool pause(PlannedFault const& fault)
    {
        auto& server = run_.cluster[fault.server];
        if (not server.process or server.paused)
            return false;
        server.paused = true;
        run_.plan(fault.lasts_us, TimerKind::resume, fault.server, server.life);
        return true;
    }

    static void fail_power_soon(SimulatedDisk& disk, testing::Prng& random)
    {
        if (random.below(4) == 0)
            disk.cut_power_in(random.between(1, 60));
        else
            disk.cut_power_before_sync();
    }

    void lose_all_power()
    {
        for (auto number = std::size_t{0}; number < run_.cluster.size(); ++number)
            (void)end_if_up(number, [&] { run_.cluster.lose_power(number); });
    }

    template <typename How>
    bool end_if_up(std::size_t number, How how)
    {
        if (not run_.cluster[number].process)
            return false;
        turns_.end(number, how);
        return true;
    }

    /// A clean stop can fail as any write can.
    void stop_cleanly(std::size_t number)
    {
        try {
            run_.cluster.stop(number);
            run_.cluster.kill(number);
        } catch (PowerFailed const&) {
            ++run_.report.faults[Fault::power_lost_in_a_call];
            run_.cluster.lose_power(number);
        }
    }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
};

} // namespace totora::inline v0::simulate
