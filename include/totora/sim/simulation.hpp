// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/sim/checks.hpp"
#include "totora/sim/cluster.hpp"
#include "totora/sim/faults.hpp"
#include "totora/sim/links.hpp"
#include "totora/sim/prng.hpp"
#include "totora/sim/rot.hpp"
#include "totora/sim/scenario.hpp"
#include "totora/sim/schedule.hpp"
#include "totora/sim/sighting.hpp"
#include "totora/sim/store_clients.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::sim
{

/// What came of a run.
struct SimulationReport
{
    std::string   broken; ///< The first property that did not hold; empty if all did.
    std::uint64_t seed = 0;
    std::size_t   servers = 0;
    std::uint64_t events = 0; ///< Messages, alarms and completions handled.
    std::uint64_t simulated_us = 0;
    std::uint64_t answered = 0; ///< Requests of clients.
    std::uint64_t hash = 0;     ///< Of everything that happened: the same for the same seed, everywhere.
    std::uint32_t planned = 0;  ///< How many faults were planned.
    FaultCounts   faults;
    OutcomeCounts outcomes{};
    LastSightings last;
};

/// A whole cluster in one thread and in virtual time, from one seed.
///
///     auto const report = Simulation<>{make_scenario(seed, {})}.run();
///     if (not report.broken.empty()) ...
///
/// First everything may go wrong that the scenario plans, and what must never happen is looked for after each event. Then a
/// quorum is healed and all else stays as it is: a leader must emerge, and every request must end.
template <typename Parts = DefaultParts, typename Clients = StoreClients>
class Simulation
{
public:
    /// `watch` is called with every `Sighting`, if it is given.
    explicit Simulation(Scenario scenario, std::function<void(Sighting const&)> watch = {})
        : scenario_(std::move(scenario)), watch_(std::move(watch)), random_(Prng{scenario_.seed}.split(3)),
          cluster_(scenario_, now_us_, checks_, report_.faults),
          clients_(scenario_.clients, scenario_.servers, Prng{scenario_.seed}.split(4), checks_)
    {
        report_.seed = scenario_.seed;
        report_.servers = scenario_.servers;
    }

    Simulation(Simulation const&) = delete;
    Simulation& operator=(Simulation const&) = delete;

    [[nodiscard]] SimulationReport run()
    {
        for (auto server = std::size_t{0}; server < cluster_.size(); ++server)
            start(server);
        plan_clients();
        while (goes_on() and happened_ < scenario_.events) {
            strike_what_is_due();
            happen();
        }
        if (goes_on())
            heal();
        while (goes_on() and not is_settled())
            happen();
        for (auto server = std::size_t{0}; server < cluster_.size() and goes_on(); ++server)
            look_at_all_of(server);
        if (auto const contradiction = goes_on() ? clients_.judge() : std::string{}; not contradiction.empty())
            checks_.fail(contradiction);
        report_.broken = checks_.broken();
        report_.simulated_us = now_us_;
        report_.answered = clients_.answered();
        report_.outcomes = cluster_.outcomes();
        return std::move(report_);
    }

    /// To interfere before a run.
    [[nodiscard]] Cluster<Parts>& cluster() { return cluster_; }

private:
    enum class Occasion : std::uint8_t
    {
        arrival,
        wake,
        sync,
        client,
        start,
        resume,
        mend,      ///< A partition ends.
        flap,      ///< A link that flaps is cut, or mended.
        open_link, ///< The queue to a server takes entries again.
        true_time, ///< A clock goes right again.
        free_disk,
    };

    struct Planned
    {
        Occasion      what{};
        std::uint32_t stamp =
            0;              ///< The life of a process, the number of a sync, the visit of a client; how often to flap.
        std::size_t at = 0; ///< A server, a client, a frame or a partition.
    };

    using Server = typename Cluster<Parts>::Server;

    static constexpr auto never = std::numeric_limits<std::uint64_t>::max();
    static constexpr auto everything_after = std::uint64_t{1000}; ///< Events.

    [[nodiscard]] bool goes_on() const { return checks_.broken().empty(); }

    // --- What happens ----------------------------------------------------------------------------------------------

    void happen()
    {
        auto const next = schedule_.take();
        now_us_ = next.at_us;
        clients_.set_moment(happened_);
        auto const& planned = next.what;
        switch (planned.what) {
        case Occasion::arrival:
            return arrive(static_cast<std::uint32_t>(planned.at));
        case Occasion::wake:
            return wake(planned.at, next.at_us);
        case Occasion::sync:
            return complete_sync(planned.at, planned.stamp);
        case Occasion::client:
            return let_client_act(planned.at, planned.stamp);
        case Occasion::start:
            return start(planned.at);
        case Occasion::resume:
            return resume(planned.at, planned.stamp);
        case Occasion::mend:
            return mend(planned.at);
        case Occasion::flap:
            return flap(planned.at, planned.stamp);
        case Occasion::open_link:
            return open_link(planned.at / simulated_servers_max, planned.at % simulated_servers_max);
        case Occasion::true_time:
            return set_true_time(planned.at);
        case Occasion::free_disk:
            return free_disk(planned.at);
        }
    }

    void plan(std::uint64_t in_us, Occasion what, std::size_t at, std::uint32_t stamp = 0)
    {
        schedule_.plan(now_us_ + in_us, {what, stamp, at});
    }

    /// Tells of what happened to a server, and looks at everything from time to time.
    Sighting& sight(Sighted what, std::size_t server)
    {
        ++happened_;
        auto& sighting = report_.last.next();
        sighting.number = happened_;
        sighting.at_us = now_us_;
        sighting.what = what;
        sighting.server = server;
        sighting.refused = false;
        auto const& process = cluster_[server].process;
        sighting.before = process ? glance_at(process->node.state()) : Glance{};
        return sighting;
    }

    void end_sighting(Sighting& sighting)
    {
        auto const& process = cluster_[sighting.server].process;
        sighting.after = process ? glance_at(process->node.state()) : Glance{};
        fold(now_us_);
        fold((static_cast<std::uint64_t>(sighting.what) << 8U) + sighting.server);
        fold(sighting.after.term.value ^ std::rotl(sighting.after.commit.value, 24) ^
             std::rotl(sighting.after.last.index.value, 44) ^ static_cast<std::uint64_t>(sighting.after.role));
        if (watch_)
            watch_(sighting);
        if (happened_ % everything_after == 0)
            look_at_all_of(static_cast<std::size_t>(happened_ / everything_after % cluster_.size()));
    }

    void fold(std::uint64_t value) { report_.hash = (std::rotl(report_.hash, 7) ^ value) * 0x9E3779B97F4A7C15U; }

    /// Lets a node do what it can, and plans what follows from it.
    void turn(std::size_t number)
    {
        auto&      server = cluster_[number];
        auto       power_failed = false;
        auto const rang = server.process->clock.rang();
        try {
            cluster_.turn(number);
        } catch (PowerFailed const&) {
            power_failed = true;
        }
        if (power_failed) {
            ++report_.faults[Fault::power_lost_in_a_call];
            return end_process(number, [&] { cluster_.lose_power(number); });
        }
        report_.events += server.process->clock.rang() - rang;
        plan_departures();
        plan_clients();
        if (server.process->failed)
            return end_process(number, [&] { cluster_.kill(number); });
        plan_sync(number);
        plan_wake(number);
    }

    void arrive(std::uint32_t number)
    {
        auto const frame = cluster_.network.arrive(number);
        auto&      server = cluster_[frame.to];
        if (not server.process)
            return;
        auto  received = cluster_.network.read(frame);
        auto& sighting = sight(Sighted::message, frame.to);
        ++report_.events;
        sighting.from = ServerId{frame.from + 1};
        sighting.refused = not received;
        if (received) {
            if (frame.flipped)
                checks_.fail("a frame of which bits were flipped is refused");
            sighting.rpc = received->rpc;
            server.process->endpoint.arrive(TransportEvent{*std::move(received)});
            if (not server.paused)
                turn(frame.to);
        }
        end_sighting(sighting);
    }

    void wake(std::size_t number, std::uint64_t at_us)
    {
        auto& server = cluster_[number];
        if (server.wakes_us != at_us)
            return;
        server.wakes_us = Server::never;
        if (not server.process or server.paused)
            return;
        auto const due = server.process->node.next_turn_ms();
        if (not due or *due > server.process->clock.now_ms())
            return plan_wake(number);
        auto& sighting = sight(Sighted::alarm, number);
        turn(number);
        if (server.process)
            sighting.alarm = server.process->clock.last_rang();
        end_sighting(sighting);
    }

    void complete_sync(std::size_t number, std::uint32_t sync_number)
    {
        auto& server = cluster_[number];
        if (server.sync_number != sync_number)
            return;
        server.syncing = false;
        if (server.paused)
            return;
        auto& sighting = sight(Sighted::completion, number);
        ++report_.events;
        auto power_failed = false;
        try {
            server.storage.desk().work();
        } catch (PowerFailed const&) {
            power_failed = true;
        }
        if (power_failed) {
            ++report_.faults[Fault::power_lost_in_a_call];
            end_process(number, [&] { cluster_.lose_power(number); });
        } else {
            turn(number);
        }
        end_sighting(sighting);
    }

    void let_client_act(std::size_t client, std::uint32_t visit)
    {
        if (not clients_.wants_to_act(client, visit))
            return;
        auto const number = clients_.server_of(client);
        auto&      server = cluster_[number];
        if (not server.process) {
            ++happened_;
            clients_.turn_away(client);
            return plan_clients();
        }
        auto& sighting = sight(Sighted::request, number);
        clients_.act(client, server.process->node, *server.machine, happened_,
                     [](auto& node, auto completion) { Parts::read(node, std::move(completion)); });
        if (server.paused)
            plan_clients();
        else
            turn(number);
        end_sighting(sighting);
    }

    // --- What is planned -------------------------------------------------------------------------------------------

    void plan_departures()
    {
        for (auto const& departure : cluster_.network.departures())
            schedule_.plan(departure.arrives_us, {Occasion::arrival, 0, departure.frame});
        cluster_.network.departures().clear();
    }

    void plan_clients()
    {
        for (auto const& wish : clients_.plans())
            plan(wish.in_us, Occasion::client, wish.client, wish.visit);
        clients_.plans().clear();
    }

    void plan_sync(std::size_t number)
    {
        auto& server = cluster_[number];
        if (server.syncing or not server.storage.desk().waiting())
            return;
        auto takes = scenario_.syncs.takes_us + random_.between(0, scenario_.syncs.jitter_us);
        if (now_us_ < server.sync_slow_until_us) {
            takes += server.sync_extra_us;
            ++report_.faults[Fault::sync_slow];
        }
        if (auto const hangs = std::exchange(server.next_sync_hangs_us, 0); hangs > 0) {
            takes += hangs;
            ++report_.faults[Fault::sync_hangs];
        }
        server.syncing = true;
        plan(takes, Occasion::sync, number, ++server.sync_number);
    }

    void plan_wake(std::size_t number)
    {
        auto&      server = cluster_[number];
        auto const due = server.process->node.next_turn_ms();
        if (not due)
            return;
        auto const when = server.time.when_us(*due * 1000);
        if (when == never or when >= server.wakes_us)
            return;
        server.wakes_us = std::max(when, now_us_);
        schedule_.plan(server.wakes_us, {Occasion::wake, 0, number});
    }

    // --- Processes -------------------------------------------------------------------------------------------------

    void start(std::size_t number)
    {
        auto& server = cluster_[number];
        if (server.process or server.dead)
            return;
        auto const result = cluster_.start(number);
        if (result == StartResult::later)
            return plan(random_.between(10'000, 500'000), Occasion::start, number);
        if (result == StartResult::dead) {
            server.dead = true;
            return;
        }
        auto& sighting = sight(Sighted::start, number);
        turn(number);
        end_sighting(sighting);
    }

    /// Ends a process by `how`; another one begins after a while.
    template <typename How>
    void end_process(std::size_t number, How how)
    {
        cluster_.network.departures().clear();
        how();
        clients_.server_gone(number);
        plan_clients();
        plan(random_.between(5'000, 1'000'000), Occasion::start, number);
    }

    void resume(std::size_t number, std::uint32_t life)
    {
        auto& server = cluster_[number];
        if (not server.process or server.life != life or not server.paused)
            return;
        server.paused = false;
        auto& sighting = sight(Sighted::resumed, number);
        report_.events += server.process->endpoint.waiting();
        turn(number);
        end_sighting(sighting);
    }

    // --- What goes wrong, and is mended ----------------------------------------------------------------------------

    void strike_what_is_due()
    {
        for (; struck_ < scenario_.plan.size() and scenario_.plan[struck_].at_event <= happened_; ++struck_)
            strike(scenario_.plan[struck_]);
    }

    void strike(PlannedFault const& fault)
    {
        auto& sighting = sight(Sighted::fault, fault.server);
        sighting.fault = fault.kind;
        sighting.planned = fault.number;
        if (carry_out(fault))
            ++report_.faults[fault.kind];
        end_sighting(sighting);
    }

    /// Returns whether it is to be counted now; some faults are counted when they take effect.
    bool carry_out(PlannedFault const& fault)
    {
        auto& server = cluster_[fault.server];
        auto& disk = server.storage.disk();
        auto  random = Prng{fault.seed};
        switch (fault.kind) {
        case Fault::isolate_one:
        case Fault::split_in_halves:
        case Fault::one_way:
        case Fault::bridge:
        case Fault::ring:
            partitions_.push_back(links_cut_by(fault.kind, cluster_.size(), random));
            cluster_.network.links.cut(partitions_.back());
            plan(fault.lasts_us, Occasion::mend, partitions_.size() - 1);
            return true;
        case Fault::flapping_link:
            partitions_.push_back(links_cut_by(fault.kind, cluster_.size(), random));
            cluster_.network.links.cut(partitions_.back());
            plan(fault.lasts_us / 8, Occasion::flap, partitions_.size() - 1, 7);
            return true;
        case Fault::queue_full:
            return fill_queue(fault.server, random.below(cluster_.size()), fault.lasts_us);
        case Fault::power_lost:
            return end_if_up(fault.server, [&] { cluster_.lose_power(fault.server); });
        case Fault::power_lost_in_a_call:
            if (server.process and random.below(4) == 0)
                disk.cut_power_in(random.between(1, 60));
            else if (server.process)
                disk.cut_power_before_sync();
            return false;
        case Fault::power_lost_in_recovery:
            server.power_fails_in_start = true;
            (void)end_if_up(fault.server, [&] { cluster_.lose_power(fault.server); });
            return false;
        case Fault::power_lost_everywhere:
            for (auto number = std::size_t{0}; number < cluster_.size(); ++number)
                (void)end_if_up(number, [&] { cluster_.lose_power(number); });
            return true;
        case Fault::process_killed:
            return end_if_up(fault.server, [&] { cluster_.kill(fault.server); });
        case Fault::stopped_cleanly:
            return end_if_up(fault.server, [&] { stop_cleanly(fault.server); });
        case Fault::paused:
            if (not server.process or server.paused)
                return false;
            server.paused = true;
            plan(fault.lasts_us, Occasion::resume, fault.server, server.life);
            return true;
        case Fault::sync_slow:
            server.sync_slow_until_us = now_us_ + fault.lasts_us;
            server.sync_extra_us = random.between(1'000, 50'000);
            return false;
        case Fault::sync_hangs:
            server.next_sync_hangs_us = fault.lasts_us;
            return false;
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
            plan(fault.lasts_us, Occasion::free_disk, fault.server);
            return true;
        case Fault::bit_rot:
        case Fault::file_lost:
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

    template <typename How>
    bool end_if_up(std::size_t number, How how)
    {
        if (not cluster_[number].process)
            return false;
        end_process(number, how);
        return true;
    }

    /// A clean stop can fail as any write can.
    void stop_cleanly(std::size_t number)
    {
        try {
            cluster_[number].process->node.stop();
            cluster_.kill(number);
        } catch (PowerFailed const&) {
            ++report_.faults[Fault::power_lost_in_a_call];
            cluster_.lose_power(number);
        }
    }

    bool damage(PlannedFault const& fault, Prng& random)
    {
        if (fault.server >= scenario_.damageable)
            return false;
        auto&      server = cluster_[fault.server];
        auto const hit = fault.kind == Fault::bit_rot ? rot_a_bit(server.storage.disk(), random)
                                                      : lose_a_file(server.storage.disk(), random);
        server.damaged = server.damaged or hit;
        return hit;
    }

    bool fill_queue(std::size_t number, std::size_t to, std::uint64_t lasts_us)
    {
        auto& server = cluster_[number];
        if (not server.process or number == to)
            return false;
        server.process->endpoint.arrive(TransportEvent{LinkChanged{ServerId{to + 1}, Link::full}});
        plan(lasts_us, Occasion::open_link, number * simulated_servers_max + to);
        return true;
    }

    void open_link(std::size_t number, std::size_t to)
    {
        auto& server = cluster_[number];
        if (not server.process)
            return;
        auto const link = random_.below(2) == 0 ? Link::open : Link::unreachable;
        server.process->endpoint.arrive(TransportEvent{LinkChanged{ServerId{to + 1}, link}});
        auto& sighting = sight(Sighted::link, number);
        sighting.from = ServerId{to + 1};
        if (not server.paused)
            turn(number);
        end_sighting(sighting);
    }

    bool change_clock(PlannedFault const& fault)
    {
        plan(fault.lasts_us, Occasion::true_time, fault.server);
        look_at_clock(fault.server);
        return true;
    }

    void set_true_time(std::size_t number)
    {
        if (is_permanent(number))
            return;
        cluster_[number].time.set_rate(LocalTime::true_rate);
        look_at_clock(number);
    }

    /// A clock was changed: what was planned by it is planned anew.
    void look_at_clock(std::size_t number)
    {
        auto& server = cluster_[number];
        server.wakes_us = Server::never;
        if (server.process and not server.paused)
            plan_wake(number);
    }

    void free_disk(std::size_t number)
    {
        if (is_permanent(number))
            return;
        cluster_[number].storage.disk().free_space();
        ++report_.faults[Fault::disk_freed];
    }

    void mend(std::size_t partition)
    {
        if (not is_healed_)
            cluster_.network.links.mend(partitions_[partition]);
    }

    void flap(std::size_t partition, std::uint32_t left)
    {
        if (is_healed_)
            return;
        if (left % 2 == 1)
            cluster_.network.links.mend(partitions_[partition]);
        else
            cluster_.network.links.cut(partitions_[partition]);
        if (left > 0)
            plan(random_.between(1'000, 50'000), Occasion::flap, partition, left - 1);
    }

    // --- The quorum that is healed ---------------------------------------------------------------------------------

    /// Whether what is wrong with a server stays so.
    [[nodiscard]] bool is_permanent(std::size_t number) const
    {
        return is_healed_ and std::find(quorum_.begin(), quorum_.end(), number) == quorum_.end();
    }

    /// Heals a majority. All other failures become permanent: who is down stays down, what is cut stays cut.
    void heal()
    {
        is_healed_ = true;
        committed_before_ = checks_.committed().last();
        healed_at_us_ = progressed_at_us_ = now_us_;
        auto candidates = std::vector<std::size_t>{};
        for (auto number = std::size_t{0}; number < cluster_.size(); ++number)
            if (not cluster_[number].damaged)
                candidates.push_back(number);
        while (quorum_.size() < cluster_.size() / 2 + 1) {
            auto const chosen = candidates.begin() + static_cast<std::ptrdiff_t>(random_.below(candidates.size()));
            quorum_.push_back(*chosen);
            candidates.erase(chosen);
        }
        std::sort(quorum_.begin(), quorum_.end());
        for (auto number = std::size_t{0}; number < cluster_.size(); ++number)
            if (is_permanent(number))
                give_up(number);
            else
                heal(number);
        for (auto const a : quorum_)
            for (auto const b : quorum_)
                cluster_.network.heal(a, b);
        clients_.turn_to(quorum_);
    }

    void heal(std::size_t number)
    {
        auto& server = cluster_[number];
        server.storage.disk().heal();
        server.sync_slow_until_us = server.next_sync_hangs_us = 0;
        server.power_fails_in_start = false;
        server.time.set_rate(LocalTime::true_rate);
        if (server.process and server.paused)
            resume(number, server.life);
        if (server.syncing)
            plan(scenario_.syncs.takes_us, Occasion::sync, number, ++server.sync_number);
        if (server.process) {
            auto& sighting = sight(Sighted::healed, number);
            end_sighting(sighting);
            for (auto const other : quorum_)
                if (other != number)
                    open_link(number, other);
            look_at_clock(number);
        } else {
            plan(0, Occasion::start, number);
        }
    }

    /// A server that is not healed talks with the quorum in one direction at most: otherwise it might lead part of it, and the
    /// cluster would be alive without the rest. And one that hears nobody may only go on if the others know how to bear it:
    /// with pre-vote, stickiness (dissertation §4.2.3) and check-quorum.
    void give_up(std::size_t number)
    {
        auto&       server = cluster_[number];
        auto const& core = scenario_.settings.core;
        if (server.process and not(core.pre_vote and core.sticky and core.check_quorum))
            end_process(number, [&] { cluster_.lose_power(number); });
        if (not server.process)
            server.dead = true;
        auto const is_heard = random_.below(3) == 0;
        auto const hears = not is_heard and random_.below(2) == 0;
        auto       cut = LinkSet{};
        for (auto const other : quorum_) {
            if (not is_heard)
                cut.add(number, other);
            if (not hears)
                cut.add(other, number);
        }
        cluster_.network.links.cut(cut);
    }

    [[nodiscard]] std::uint64_t election_timeouts(std::uint64_t count) const
    {
        return count * scenario_.settings.core.election.at_most_ms * 1000;
    }

    /// Whether a server leads the quorum.
    [[nodiscard]] bool is_led() const
    {
        auto led = Term{};
        auto newest = Term{};
        for (auto const number : quorum_) {
            auto const& process = cluster_[number].process;
            if (not process)
                return false;
            auto const& state = process->node.state();
            newest = std::max(newest, state.current_term);
            if (is_leader(state))
                led = std::max(led, state.current_term);
        }
        return led == newest and led > Term{};
    }

    /// Whether all that had to happen after the healing has happened; what happens too late is a failure.
    [[nodiscard]] bool is_settled()
    {
        auto const passed = now_us_ - healed_at_us_;
        if (not was_led_ and is_led()) {
            was_led_ = true;
            led_at_us_ = now_us_;
        }
        if (not was_led_) {
            checks_.expect(passed <= election_timeouts(10), "a healed quorum has a leader within 10 election timeouts");
            return false;
        }
        if (now_us_ - led_at_us_ < election_timeouts(3))
            return false;
        if (checks_.committed().last() > committed_before_) // Until then clients go on asking.
            clients_.stop();
        else
            return checks_.expect(passed <= election_timeouts(50), "a healed quorum commits something new"), false;
        if (is_at_rest())
            return true;
        notice_progress();
        checks_.expect(
            now_us_ - progressed_at_us_ <= election_timeouts(50),
            "all requests of a healed quorum end, and its machines become equal, within 50 election timeouts");
        return false;
    }

    /// Who has much to catch up with, one entry in a round trip perhaps, is given the time, as long as it gets further.
    void notice_progress()
    {
        auto slowest = checks_.committed().last();
        for (auto const number : quorum_)
            if (auto const& process = cluster_[number].process)
                slowest = std::min(slowest, process->node.state().applying);
        if (slowest > slowest_applied_) {
            slowest_applied_ = slowest;
            progressed_at_us_ = now_us_;
        }
    }

    [[nodiscard]] bool is_at_rest() const
    {
        for (auto const number : quorum_) {
            auto const& process = cluster_[number].process;
            if (not process or clients_.open_at(number) > 0 or
                process->node.state().applying != checks_.committed().last())
                return false;
        }
        return true;
    }

    // --- Looking at everything -------------------------------------------------------------------------------------

    void look_at_all_of(std::size_t number)
    {
        auto& server = cluster_[number];
        if (not server.process)
            return;
        auto const& state = server.process->node.state();
        checks_.in_full(state);
        checks_.expect(is_bounded(server), "a log takes a bounded multiple of its entries on the disk");
        auto const last = last_index(state);
        if (last == Index{} or server.paused)
            return;
        auto const from = Index{random_.between(1, last.value)};
        try {
            if (auto const entries = server.storage.log().read(from, last, 20'000))
                checks_.read_back(state, *entries);
        } catch (PowerFailed const&) {
            end_process(number, [&] { cluster_.lose_power(number); });
        }
    }

    /// Old segments are used again or removed, votes and truncations do not pile up.
    [[nodiscard]] bool is_bounded(Server& server) const
    {
        auto const entries = server.storage.log().bytes(Index{1}, server.storage.log().last().index);
        return server.storage.disk().used() <= 8 * entries + 16 * scenario_.log.segment_bytes;
    }

    Scenario                             scenario_;
    std::function<void(Sighting const&)> watch_;
    std::uint64_t                        now_us_ = 0;
    std::uint64_t                        happened_ = 0; ///< Events, requests and faults.
    SimulationReport                     report_;
    Prng                                 random_;
    Checks                               checks_;
    Cluster<Parts>                       cluster_;
    Clients                              clients_;
    Schedule<Planned>                    schedule_;
    std::size_t                          struck_ = 0; ///< How much of the plan.
    std::vector<LinkSet>                 partitions_; ///< All that ever were.

    bool                     is_healed_ = false;
    bool                     was_led_ = false;
    Index                    slowest_applied_;      ///< Of the quorum.
    std::uint64_t            progressed_at_us_ = 0; ///< When that one got further.
    std::uint64_t            healed_at_us_ = 0;
    Index                    committed_before_; ///< The healing.
    std::uint64_t            led_at_us_ = 0;
    std::vector<std::size_t> quorum_;
};

} // namespace totora::sim
