// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/disk/bit_rot.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/faults/hostile_messages.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/simulated_server.hpp"
#include "totora/testing/simulate/timer_kind.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// Carries out the faults that a scenario plans, and what ends them. See faults.hpp for what they are.
template <typename Run>
class FaultInjector
{
public:
    FaultInjector(Run& run, ProcessScheduler<Run>& turns) : run_(run), turns_(turns) {}

    /// Carries out what was planned for when so much has happened.
    void strike_what_is_due()
    {
        for (; struck_ < run_.scenario.plan.size() and run_.scenario.plan[struck_].at_event <= run_.happened; ++struck_)
            inject(aimed(run_.scenario.plan[struck_]));
    }

    // --- What ends ---------------------------------------------------------------------------------------------------

    /// Ends a partition. What is permanent does not end, here and below.
    void mend(std::size_t partition)
    {
        if (not run_.is_healed())
            run_.cluster.network.links.mend(partitions_[partition]);
    }

    /// Cuts a link that flaps, or mends it, and does so again until nothing is left to do.
    void flap(std::size_t partition, std::uint32_t left)
    {
        if (run_.is_healed())
            return;
        if (left % 2 == 1)
            run_.cluster.network.links.mend(partitions_[partition]);
        else
            run_.cluster.network.links.cut(partitions_[partition]);
        if (left > 0)
            run_.plan(run_.random.between(1'000, 50'000), TimerKind::flap, partition, left - 1);
    }

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
        turns_.disturb(number);
        ++run_.report.faults[Fault::disk_freed];
    }

private:
    /// What happens to leaders is worth more: of these kinds it is every second that hits one, if there is one.
    [[nodiscard]] PlannedFault aimed(PlannedFault fault) const
    {
        if (fault.kind == Fault::hostile_message and fault.seed % 2 == 0)
            fault.server = leader_or(fault.server);
        return fault;
    }

    void inject(PlannedFault const& fault)
    {
        auto& sighting = run_.sight(TraceEventKind::fault, fault.server);
        sighting.fault = fault.kind;
        sighting.planned = fault.number;
        if (carry_out(fault))
            ++run_.report.faults[fault.kind];
        // What a hostile message is no reason for is an election; other laws look at the leaders to which these happen.
        if (fault.kind != Fault::hostile_message and fault.kind != Fault::log_full and
            fault.kind != Fault::leader_disk_hangs and fault.kind != Fault::bulk_stopped)
            turns_.disturb(fault.server);
        turns_.tell(sighting);
    }

    /// Returns whether it is to be counted now; some faults are counted when they take effect.
    bool carry_out(PlannedFault const& fault)
    {
        auto& server = run_.cluster[fault.server];
        auto& disk = server.storage.disk();
        auto  random = testing::Prng{fault.seed};
        switch (fault.kind) {
        case Fault::isolate_one:
        case Fault::split_in_halves:
        case Fault::one_way:
        case Fault::bridge:
        case Fault::ring:
            cut_links(fault.kind, random);
            run_.plan(fault.lasts_us, TimerKind::mend, partitions_.size() - 1);
            return true;
        case Fault::flapping_link:
            cut_links(fault.kind, random);
            run_.plan(fault.lasts_us / 8, TimerKind::flap, partitions_.size() - 1, 7);
            return true;
        case Fault::queue_full:
            return fill_queue(fault.server, random.below(run_.cluster.size()), fault.lasts_us);
        case Fault::link_slow:
            slow_links_down(fault, random);
            return true;
        case Fault::bulk_stopped:
            stop_bulk(leader_or(fault.server), random);
            return false;
        case Fault::power_lost:
            return end_if_up(fault.server, [&] { run_.cluster.lose_power(fault.server); });
        case Fault::power_lost_in_a_call:
            if (server.process)
                fail_power_soon(disk, random);
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
            if (not server.process or server.paused)
                return false;
            server.paused = true;
            run_.plan(fault.lasts_us, TimerKind::resume, fault.server, server.life);
            return true;
        case Fault::apply_slow:
            server.burdens.slow_apply(std::uint64_t{16} << random.below(9), run_.now_us + fault.lasts_us);
            return false;
        case Fault::memory_ran_out:
            if (server.process)
                server.burdens.run_out_of_memory_in(random.between(1, 60));
            return false;
        case Fault::other_members:
            run_.cluster.network.set_foreign(fault.server, true);
            run_.plan(fault.lasts_us, TimerKind::own_members, fault.server);
            return true;
        case Fault::hostile_message:
            return send_hostile_messages(fault.server, random);
        case Fault::disk_slow:
            server.disk_slow_until_us = run_.now_us + fault.lasts_us;
            server.disk_slow_factor = std::uint64_t{16} << random.below(10);
            return false;
        case Fault::read_slow:
            disk.slow_reads(server.time, random.between(1, run_.scenario.settings.core.election.at_least_ms * 250),
                            run_.now_us + fault.lasts_us);
            return false;
        case Fault::sync_slow:
            server.sync_slow_until_us = run_.now_us + fault.lasts_us;
            server.sync_extra_us = random.between(1'000, 50'000);
            return false;
        case Fault::sync_hangs:
            server.next_sync_hangs_us = fault.lasts_us;
            return false;
        case Fault::leader_disk_hangs: {
            auto& leader = run_.cluster[leader_or(fault.server)];
            leader.next_sync_hangs_us = random.between(2, 16) * election_us();
            return true;
        }
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
            return damage(fault, random);
        case Fault::clock_drifts:
            server.time.set_rate(LocalTime::true_rate * random.between(90, 110) / 100);
            return change_clock(fault);
        case Fault::clock_jumps:
            server.time.jump_us(random.between(1'000, 2 * fault.lasts_us));
            return change_clock(fault);
        case Fault::clock_stands_still:
            server.time.set_rate(0);
            return change_clock(fault);
        default:
            return false;
        }
    }

    void cut_links(Fault shape, testing::Prng& random)
    {
        auto const servers = run_.cluster.size();
        auto const one = random.below(2) == 0 ? random.below(servers) : leader_or(random.below(servers));
        partitions_.push_back(links_cut_by(shape, servers, one, random));
        run_.cluster.network.links.cut(partitions_.back());
    }

    /// All links from a server, or one of them.
    void slow_links_down(PlannedFault const& fault, testing::Prng& random)
    {
        auto const servers = run_.cluster.size();
        auto const from = random.below(2) == 0 ? fault.server : leader_or(fault.server);
        auto const only = random.below(2) == 0 ? random.below(servers) : servers;
        auto const bytes_per_ms = std::uint64_t{8} << random.below(8);
        for (auto to = std::size_t{0}; to < servers; ++to)
            if (to != from and (only == servers or only == to))
                run_.cluster.network.slow_down(from, to, bytes_per_ms, fault.lasts_us);
    }

    /// A server that believes to lead, or this one: what happens to leaders is worth more.
    [[nodiscard]] std::size_t leader_or(std::size_t other) const
    {
        for (auto number = std::size_t{0}; number < run_.cluster.size(); ++number)
            if (auto const& process = run_.cluster[number].process; process and is_leader(process->node.state()))
                return number;
        return other;
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

    bool damage(PlannedFault const& fault, testing::Prng& random)
    {
        if (fault.server >= run_.scenario.damageable)
            return false;
        auto&      server = run_.cluster[fault.server];
        auto&      disk = server.storage.disk();
        auto const hit = fault.kind == Fault::bit_rot     ? rot_a_bit(disk, random)
                         : fault.kind == Fault::file_lost ? lose_a_file(disk, random)
                                                          : set_a_file_back(disk, random);
        server.damaged = server.damaged or hit;
        return hit;
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
        if (not server.process or server.life != life) // Something that was planned before struck in this turn.
            return true;
        auto const notes = *std::exchange(server.process->notes, std::nullopt);
        run_.checks.received_hostile(before, server.process->node.state(), is_what_it_was(*hostile, notes),
                                     run_.checks.messages_of(number) == messages);
        return true;
    }

    /// Whether a node noted what a hostile message was, and whom it names as broken.
    [[nodiscard]] static bool is_what_it_was(HostileMessage const& hostile, Notes const& notes)
    {
        auto const is_breach_of_sender = not hostile.noted or *hostile.noted != Decision::response_from_non_member;
        return notes.count == 1 and notes.outcome == hostile.noted and notes.from == hostile.received.from and
               (not notes.outcome or is_violation(*notes.outcome) == is_breach_of_sender);
    }

    /// Of entries for which there is no room a node would take note, and do right.
    [[nodiscard]] static bool has_room(typename Run::Server& server, Entries const& entries)
    {
        return entries.empty() or
               (not lacks_room(server.process->node.state()) and server.burdens.fits(entries.bytes()) and
                server.storage.log().has_room(entries.bytes()));
    }

    /// The longest election timeout.
    [[nodiscard]] std::uint64_t election_us() const { return run_.scenario.settings.core.election.at_most_ms * 1000; }

    void stop_bulk(std::size_t from, testing::Prng& random)
    {
        auto const servers = run_.cluster.size();
        auto const only = random.below(4) == 0 ? random.below(servers) : servers;
        auto const lasts_us = random.between(2, 24) * election_us();
        auto const renewal_helps = random.below(2) == 0;
        for (auto to = std::size_t{0}; to < servers; ++to)
            if (to != from and (only == servers or only == to))
                run_.cluster.network.stop_bulk(from, to, lasts_us, renewal_helps);
    }

    /// That of a leader, of all servers, or of some; for less than a moment that counts, or for long.
    void fill_logs(std::size_t number, testing::Prng& random)
    {
        auto const one = leader_or(number);
        auto const which = random.below(4);
        auto const bytes = random.below(3) == 0 ? random.between(64, 8'000) : 0;
        auto const has_reserve = random.below(3) != 0;
        auto const lasts_us =
            random.below(4) == 0 ? random.below(election_us()) : random.between(2, 16) * election_us();
        for (auto server = std::size_t{0}; server < run_.cluster.size(); ++server)
            if (which < 2 ? server == one : which == 2 or random.below(2) == 0) {
                run_.cluster[server].burdens.limit_room(bytes, has_reserve, run_.now_us + lasts_us);
                turns_.disturb_disk(server);
            }
    }

    bool fill_queue(std::size_t number, std::size_t to, std::uint64_t lasts_us)
    {
        auto& server = run_.cluster[number];
        if (not server.process or number == to)
            return false;
        server.process->endpoint.arrive(TransportEvent{LinkChanged{ServerId{to + 1}, Link::full}});
        run_.plan(lasts_us, TimerKind::open_link, number * simulated_servers_max + to);
        return true;
    }

    bool change_clock(PlannedFault const& fault)
    {
        run_.plan(fault.lasts_us, TimerKind::true_time, fault.server);
        turns_.clock_changed(fault.server);
        return true;
    }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
    std::size_t            struck_ = 0; ///< How much of the plan.
    std::vector<LinkSet>   partitions_; ///< All that ever were.
};

} // namespace totora::inline v0::simulate
