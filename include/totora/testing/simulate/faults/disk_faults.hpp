// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/bit_rot.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/faults/aim.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/timer_kind.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0::simulate
{

/// Injects the faults of disks and of the logs on them.
template <typename Run>
class DiskFaults
{
public:
    DiskFaults(Run& run, ProcessScheduler<Run>& turns) : run_(run), turns_(turns) {}

    /// Whether a fault is to be counted now; nothing if it is not one of a disk.
    [[nodiscard]] std::optional<bool> carry_out(PlannedFault const& fault, testing::Prng& random)
    {
        auto& disk = run_.cluster[fault.server].storage.disk();
        switch (fault.kind) {
        case Fault::disk_slow:
        case Fault::read_slow:
        case Fault::sync_slow:
        case Fault::sync_hangs:
        case Fault::leader_disk_hangs:
            return slow_down(fault, random);
        case Fault::log_full:
            fill_logs(fault.server, random);
            return true;
        case Fault::write_failed:
            disk.fail_next(DiskCall::write);
            return false;
        case Fault::sync_failed:
            disk.fail_next(DiskCall::sync);
            return false;
        case Fault::read_failed:
            disk.fail_next(DiskCall::read);
            return false;
        case Fault::disk_full:
            disk.limit_space(random.below(3) == 0 ? 0 : random.below(20'000));
            run_.plan(fault.lasts_us, TimerKind::free_disk, fault.server);
            return true;
        case Fault::bit_rot:
        case Fault::file_lost:
        case Fault::file_set_back:
        case Fault::snapshot_rot:
            return damage(fault, random);
        case Fault::snapshot_disk_full:
            run_.cluster[fault.server].burdens.snapshots().fill_disk(random.below(400));
            run_.plan(8 * fault.lasts_us, TimerKind::free_disk, fault.server);
            return false;
        default:
            return std::nullopt;
        }
    }

private:
    bool slow_down(PlannedFault const& fault, testing::Prng& random)
    {
        auto& server = run_.cluster[fault.server];
        switch (fault.kind) {
        case Fault::disk_slow:
            server.disk_slow_until_us = run_.now_us + fault.lasts_us;
            server.disk_slow_factor = std::uint64_t{16} << random.below(10);
            return false;
        case Fault::read_slow:
            server.storage.disk().slow_reads(server.time,
                                             random.between(1, run_.scenario.settings.core.election.at_least_ms * 250),
                                             run_.now_us + fault.lasts_us);
            return false;
        case Fault::sync_slow:
            server.sync_slow_until_us = run_.now_us + fault.lasts_us;
            server.sync_extra_us = random.between(1'000, 50'000);
            return false;
        case Fault::sync_hangs:
            server.next_sync_hangs_us = fault.lasts_us;
            return false;
        default: {
            auto& leader = run_.cluster[leader_or(run_, fault.server)];
            leader.next_sync_hangs_us = random.between(2, 16) * longest_election_us(run_);
            return true;
        }
        }
    }

    bool damage(PlannedFault const& fault, testing::Prng& random)
    {
        if (fault.server >= run_.scenario.damageable)
            return false;
        auto&      server = run_.cluster[fault.server];
        auto&      disk = server.storage.disk();
        auto const hit = fault.kind == Fault::bit_rot        ? rot_a_bit(disk, random)
                         : fault.kind == Fault::file_lost    ? lose_a_file(disk, random)
                         : fault.kind == Fault::snapshot_rot ? rot_a_snapshot(disk, random)
                                                             : set_a_file_back(disk, random);
        server.damaged = server.damaged or hit;
        // What is wrong with a snapshot is seen by the next start, unless another one is taken before.
        if (hit and fault.kind == Fault::snapshot_rot and server.process and random.below(4) != 0)
            turns_.end(fault.server, [&] { run_.cluster.kill(fault.server); });
        return hit;
    }

    /// That of a leader, of all servers, or of some; for less than a moment that counts, or for long.
    void fill_logs(std::size_t number, testing::Prng& random)
    {
        auto const one = leader_or(run_, number);
        auto const which = random.below(4);
        auto const bytes = random.below(3) == 0 ? random.between(64, 8'000) : 0;
        auto const has_reserve = random.below(3) != 0;
        auto const lasts_us = random.below(4) == 0 ? random.below(longest_election_us(run_))
                                                   : random.between(2, 16) * longest_election_us(run_);
        for (auto server = std::size_t{0}; server < run_.cluster.size(); ++server)
            if (which < 2 ? server == one : which == 2 or random.below(2) == 0) {
                run_.cluster[server].burdens.limit_room(bytes, has_reserve, run_.now_us + lasts_us);
                turns_.disturb_disk(server);
            }
    }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
};

} // namespace totora::inline v0::simulate
