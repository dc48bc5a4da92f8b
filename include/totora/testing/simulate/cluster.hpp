// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/durable_machine.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/disk/simulated_storage.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/network.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/simulated_server.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::simulate
{

/// The result of the start of a process.
enum class StartResult
{
    up,
    later, ///< Something failed that may work again.
    dead,  ///< Its durable data are damaged, and it noticed.
};

/// The servers of a simulated cluster: real nodes, logs and frames, and how their processes begin, run and end.
///
/// Without any timing: see simulation.hpp. Servers are counted from 0.
template <typename Parts>
class Cluster
{
public:
    using Server = SimulatedServer<Parts>;
    using Process = SimulatedProcess<Parts>;

    Cluster(Scenario const& scenario, std::uint64_t const& now_us, Checks& checks, FaultCounts& faults)
        : network(cluster_of("simulated"), scenario.network, testing::Prng{scenario.seed}.split(1), now_us, faults),
          scenario_(scenario), checks_(checks), faults_(faults), random_(testing::Prng{scenario.seed}.split(2))
    {
        checks.has_servers(scenario.servers);
        auto const members = scenario.first_members > 0 ? scenario.first_members : scenario.servers;
        auto       peers = std::vector<Peer>{};
        for (auto id = std::uint64_t{1}; id <= members; ++id)
            peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
        checks.begins_with(peers);
        if (scenario.members_change or scenario.damageable > 0)
            checks.allows_chunk_bytes(3'000'000);
        for (auto id = std::uint64_t{1}; id <= scenario.servers; ++id) {
            auto const identity = Identity{cluster_of("simulated"), ServerId{id}, first_incarnation,
                                           id <= members ? peers : std::vector<Peer>{}};
            servers_.push_back(std::make_unique<Server>(identity, scenario.log, faults, now_us, scenario.apply_us));
            auto& server = *servers_.back();
            prepare(server.storage);
            if (scenario.clocks_drift)
                server.time.set_rate(LocalTime::true_rate - LocalTime::drift_max +
                                     random_.below(2 * LocalTime::drift_max + 1));
        }
    }

    Network network;

    [[nodiscard]] std::size_t     size() const { return servers_.size(); }
    [[nodiscard]] Server&         operator[](std::size_t number) { return *servers_[number]; }
    [[nodiscard]] Server const&   operator[](std::size_t number) const { return *servers_[number]; }
    [[nodiscard]] DecisionCounts& decisions() { return decisions_; }

    /// Begins a process on what the last one left.
    [[nodiscard]] StartResult start(std::size_t number)
    {
        auto& server = *servers_[number];
        auto& disk = server.storage.disk();
        server.troubles = disk.troubles();
        ++server.life;
        server.burdens.begin();
        try {
            if (std::exchange(server.power_fails_in_start, false))
                disk.cut_power_in(random_.between(1, 40));
            auto const opened = server.storage.open();
            disk.keep_power();
            if (not opened)
                return fail_to_start(server, opened.error().what);
            if constexpr (requires { server.machine->begin_run(scenario_.machine_saves_every); })
                server.machine->begin_run(scenario_.machine_saves_every);
            else if (scenario_.machines_forget and not durable_machine<typename Parts::Machine>)
                server.machine = std::make_unique<typename Parts::Machine>();
            server.process = std::make_unique<Process>(number, server.storage, *server.machine, reference_,
                                                       server.burdens, server.time, random_.next(), network, checks_,
                                                       decisions_, scenario_.settings);
            server.process->machine.write_in_parts(scenario_.captures_in_parts);
            auto const started = server.process->node.start();
            throw_if_power_failed(server);
            if (not started)
                return fail_to_start(server, started.error().what);
        } catch (PowerFailed const&) {
            ++faults_[Fault::power_lost_in_recovery];
            lose_power(number);
            return StartResult::later;
        }
        (void)server.time.settle();
        checks_.started(number, server.process->node.state());
        if constexpr (snapshot_log<typename Parts::Storage::Log>)
            checks_.started_with(number, server.process->node.state(), server.storage.log().snapshots(), server.damaged,
                                 durable_machine<typename Parts::Machine>);
        if (not server.process->snapshot_news.failed.empty())
            checks_.passed_over_damage(server.process->snapshot_news.restored);
        look_at_snapshots(number, true);
        return StartResult::up;
    }

    /// The process has ended; what it wrote is still seen by the next one.
    void kill(std::size_t number)
    {
        auto& server = *servers_[number];
        server.process.reset();
        server.storage.close();
        server.wakes_us = Server::never;
        server.busy_until_us = 0;
        (void)server.time.settle();
        server.sync_hangs = false;
        server.syncing = false;
        ++server.sync_number;
        server.paused = false;
    }

    /// The power fails: what was not synced is lost, or not. If a batch waited for the disk, in the middle of that.
    void lose_power(std::size_t number)
    {
        if (servers_[number]->storage.desk().waiting())
            begin_work(*servers_[number]);
        servers_[number]->burdens.snapshots().power_lost();
        kill(number);
        servers_[number]->storage.disk().lose_power(static_cast<Kept>(std::min<std::uint64_t>(random_.below(6), 2)),
                                                    random_);
    }

    /// Runs a node until it has nothing to do, or only as far as that takes no time. Returns whether there is more to
    /// do at once. Throws `PowerFailed` if the power fails meanwhile, and `std::bad_alloc` if memory ran out and the
    /// node does not handle it.
    [[nodiscard]] bool turn(std::size_t number, std::uint64_t now_us)
    {
        auto& server = *servers_[number];
        auto& node = server.process->node;
        auto  more = true;
        for (auto turns = std::uint64_t{0}; more and server.busy_until_us <= now_us; ++turns) {
            more = node.turn();
            server.busy_until_us = now_us + server.time.settle();
            if (turns > turns_max + last_index(node.state()).value) // A turn may apply a single entry.
                checks_.fail("a node comes to rest");
            if (not checks_.broken().empty())
                return false;
        }
        throw_if_power_failed(server);
        checks_.after_event(number, node.state());
        if (not server.process->failed)
            checks_.look_at_addresses(number, node.state());
        look_at_snapshots(number, false);
        if (auto const& failed = server.process->failed)
            if (not has_reason_to_fail(server, failed->why))
                checks_.fail("a node failed, and nothing was wrong with its disk: " + failed->what);
        return more;
    }

    /// A server loses its directory. Another one is made for it, in which it waits to be let in (`kv init --join`).
    void lose_directory(std::size_t number, Incarnation life)
    {
        kill(number);
        auto& server = *servers_[number];
        server.begin_life({cluster_of("simulated"), ServerId{number + 1}, life, {}}, scenario_.log, faults_);
        prepare(server.storage);
        network.residents.begin_life(number, life);
        checks_.begin_life(number, life);
    }

    /// Writes and syncs what waits at a server. Throws `PowerFailed` if the power fails meanwhile.
    void work(std::size_t number)
    {
        servers_[number]->storage.desk().work();
        throw_if_power_failed(*servers_[number]);
    }

    /// Stops a node cleanly. Throws `PowerFailed` if the power fails meanwhile.
    void stop(std::size_t number)
    {
        auto& server = *servers_[number];
        server.process->node.stop();
        throw_if_power_failed(server);
    }

private:
    /// How many turns a node may request at once, besides those in which it applies its log.
    static constexpr auto turns_max = std::uint64_t{10'000};

    /// A directory was made. Where terms end, no server begins too far from the others.
    void prepare(typename Parts::Storage& storage) const
    {
        storage.desk().at_once = scenario_.syncs.at_once;
        if (scenario_.terms_end)
            begin_in(storage, Term{number_max - term_jump_max / 2});
    }

    static void throw_if_power_failed(Server& server)
    {
        if (server.storage.disk().power_failed())
            throw PowerFailed{};
    }

    [[nodiscard]] static bool is_disk_well(Server& server)
    {
        return server.storage.disk().troubles() == server.troubles and not server.damaged;
    }

    [[nodiscard]] static bool has_reason_to_fail(Server& server, NodeFailure why)
    {
        auto const is_of_disk = why == NodeFailure::storage or why == NodeFailure::restore;
        return server.burdens.ran_out() or (is_of_disk and not is_disk_well(server)) or
               (why == NodeFailure::restore and server.burdens.snapshots().ran_out());
    }

    /// Checks and counts what a node did with snapshots.
    void look_at_snapshots(std::size_t number, bool at_start)
    {
        auto&      server = *servers_[number];
        auto const news = std::exchange(server.process->snapshot_news, {});
        auto const any_damaged = std::any_of(servers_.begin(), servers_.end(), [](auto& one) { return one->damaged; });
        for (auto const step : news.failed) {
            auto const has_reason = not is_disk_well(server) or server.burdens.ran_out() or
                                    server.burdens.snapshots().ran_out() or
                                    (step == SnapshotStep::receive and any_damaged);
            if (step == SnapshotStep::write or step == SnapshotStep::receive)
                server.burdens.snapshots().failed_to_store();
            checks_.snapshot_failed(number, step, has_reason);
        }
        if (news.restored)
            checks_.machine_restored(at_start);
    }

    /// Gets as far as a random call.
    void begin_work(Server& server)
    {
        if (random_.below(4) == 0)
            server.storage.disk().cut_power_in(random_.between(1, 3));
        else
            server.storage.disk().cut_power_before_sync();
        try {
            server.storage.desk().work();
        } catch (PowerFailed const&) {}
    }

    [[nodiscard]] StartResult fail_to_start(Server& server, std::string const& what)
    {
        server.process.reset();
        server.storage.close();
        if (server.damaged) {
            if (what.find("snapshot") != std::string::npos)
                checks_.refused_for_damage();
            return StartResult::dead;
        }
        if (server.storage.disk().troubles() == server.troubles and not server.burdens.ran_out() and
            not server.burdens.snapshots().ran_out())
            checks_.fail("a server that lost only what was not durable does not start: " + what);
        return StartResult::later;
    }

    Scenario const&                      scenario_;
    Checks&                              checks_;
    FaultCounts&                         faults_;
    testing::Prng                        random_;
    DecisionCounts                       decisions_{};
    OneByOne<typename Parts::Machine>    reference_;
    std::vector<std::unique_ptr<Server>> servers_;
};

} // namespace totora::inline v0::simulate
