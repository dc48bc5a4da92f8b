// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/faulty_network.hpp"
#include "support/history_machine.hpp"
#include "support/seeded/decision_totals.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/core/rules/invariants.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/testing/safety.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test
{

/// A whole cluster of real nodes in one thread and from one seed, with the five properties of Figure 3 asked after
/// every turn. A violation of one is thrown as an exception.
template <typename Storage = MemoryStorage, typename Machine = HistoryMachine>
class SeededCluster
{
public:
    using Node = RaftNode<Machine, typename Storage::Log, FaultyTransport, ManualClock>;

    struct Server
    {
        Server(ServerId name, Identity const& identity) : id(name), storage(identity) {}

        ServerId                         id;
        Storage                          storage; ///< Its durable part outlives a crash.
        typename Machine::Disk           disk;    ///< So does this.
        std::unique_ptr<Machine>         machine;
        std::unique_ptr<ManualClock>     clock;
        std::unique_ptr<FaultyTransport> transport;
        std::unique_ptr<Node>            node; ///< Null while it is down.
        bool                             slow_disk = false;
    };

    /// `joiners` are servers besides, which wait for the cluster's log to name them.
    SeededCluster(std::uint64_t seed, std::uint64_t size, NodeSettings settings = {}, std::uint64_t joiners = 0)
        : network(seed), settings_(settings), random_(seed ^ 0x5DEECE66DU)
    {
        auto peers = std::vector<Peer>{};
        for (auto id = std::uint64_t{1}; id <= size; ++id)
            peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
        for (auto const& peer : peers)
            servers.push_back(std::make_unique<Server>(
                peer.member.id, Identity{cluster_of("seeded"), peer.member.id, first_incarnation, peers}));
        for (auto id = size + 1; id <= size + joiners; ++id)
            servers.push_back(std::make_unique<Server>(
                ServerId{id}, Identity{cluster_of("seeded"), ServerId{id}, first_incarnation, {}}));
        for (auto& server : servers)
            start(*server);
    }

    FaultyNetwork                        network;
    std::vector<std::unique_ptr<Server>> servers;

    [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
    [[nodiscard]] Server&       any() { return *servers[draw(servers.size())]; }

    [[nodiscard]] Server* leader() const
    {
        Server* newest = nullptr;
        for (auto const& server : servers)
            if (server->node and server->node->status().role == RoleName::leader and
                (newest == nullptr or server->node->state().current_term > newest->node->state().current_term))
                newest = server.get();
        return newest;
    }

    void start(Server& server)
    {
        server.machine = std::make_unique<Machine>(server.disk);
        server.clock = std::make_unique<ManualClock>(random_());
        server.transport = std::make_unique<FaultyTransport>(network, server.id);
        server.storage.open();
        server.node =
            std::make_unique<Node>(*server.machine, server.storage.log(), *server.transport, *server.clock, settings_);
        auto const started = server.node->start();
        server.storage.throw_if_power_failed();
        expect(started.has_value(), "a server that lost only what was not durable starts again");
        expect(server.node->state().commit_index <= last_index(server.node->state()), "nothing committed is lost");
    }

    /// The power fails: everything that was not durable is gone.
    void crash(Server& server)
    {
        decisions.add(server.node);
        server.node.reset();
        server.storage.lose_power(random_);
        network.forget(server.id);
    }

    /// The power fails everywhere, and what was on the wires is gone as well.
    void crash_all()
    {
        for (auto& server : servers)
            crash(*server);
        network.lose_everything();
    }

    void start_all()
    {
        for (auto& server : servers)
            if (not server->node)
                start(*server);
    }

    /// Lets a server do what it can, and asks Figure 3.
    void turn(Server& server)
    {
        if (not server.node)
            return;
        auto const before = server.node->state();
        server.node->turn();
        server.storage.throw_if_power_failed();
        check(server, before);
    }

    void propose(Server& server)
    {
        if (not server.node)
            return;
        auto const command = ++proposed;
        auto       payload = std::vector<std::byte>(8);
        put(payload.data(), command);
        ++open;
        server.node->propose(payload, [this, command](ProposalOutcome<std::uint64_t> outcome) {
            --open;
            expect(ends_[command]++ == 0, "a promise ends once");
            if (auto const* applied = std::get_if<AppliedWith<std::uint64_t>>(&outcome)) {
                acknowledged[applied->position.index] = command;
                newest_acknowledged_ = std::max(newest_acknowledged_, applied->position.index);
            }
        });
    }

    void read(Server& server)
    {
        if (not server.node)
            return;
        ++open;
        server.node->read([this, at = &server, least = newest_acknowledged_](ReadOutcome const& outcome) {
            --open;
            if (auto const* readable = std::get_if<ReadableNow>(&outcome)) {
                ++reads;
                expect(readable->index >= least,
                       "a read sees everything that was acknowledged before it was asked for");
                auto const& history = at->machine->history;
                expect(least.value == 0 or (not history.empty() and history.back().position.index >= least),
                       "and the machine holds it");
            }
        });
    }

    /// One thing happens, somewhere.
    void happen()
    {
        auto& server = any();
        switch (draw(8)) {
        case 0:
            server.clock->advance_ms(1 + draw(longest_pause_ms));
            break;
        case 1:
        case 2:
        case 3:
            network.deliver(server.id);
            break;
        case 4:
            complete_syncs(server);
            break;
        case 5:
            propose(server);
            break;
        case 6:
            read(server);
            break;
        default:
            break;
        }
        turn(server);
    }

    /// Time passes everywhere, everything arrives, disks are quick.
    void run_healthy_ms(std::uint64_t ms)
    {
        for (auto passed = std::uint64_t{0}; passed < ms; ++passed)
            for (auto& server : servers) {
                server->clock->advance_ms(1);
                server->storage.release_syncs();
                while (network.deliver(server->id)) {}
                turn(*server);
            }
    }

    void complete_syncs(Server& server)
    {
        if (server.node)
            server.storage.complete_syncs(server.node->state(), random_);
    }

    /// What was promised to clients is on every server, at its promised position; all machines are equal.
    void check_converged()
    {
        auto const* led = leader();
        expect(led != nullptr, "a healthy cluster has a leader");
        for (auto const& server : servers) {
            expect(server->machine->history == led->machine->history, "all state machines are equal");
            for (auto const& [index, command] : acknowledged) {
                auto const& history = server->machine->history;
                auto const  at =
                    std::lower_bound(history.begin(), history.end(), index,
                                     [](auto const& step, Index wanted) { return step.position.index < wanted; });
                expect(at != history.end() and at->position.index == index and at->command == command,
                       "what was acknowledged is never lost");
            }
        }
    }

    std::uint64_t longest_pause_ms =
        20; ///< How far a clock moves at once, at most: what is long makes elections frequent.
    std::uint64_t proposed = 0;
    std::int64_t  open = 0; ///< Promises and reads that have not ended (those of crashed servers never do).
    std::uint64_t reads = 0;
    std::map<Index, std::uint64_t> acknowledged;
    DecisionTotals                 decisions; ///< Of the processes that lost their power.

private:
    void expect(bool holds, char const* what) const
    {
        if (not holds)
            throw std::runtime_error(what);
    }

    void check(Server const& server, State const& before)
    {
        auto const& state = server.node->state();
        auto const  status = server.node->status();
        if (status.failed)
            throw std::runtime_error("the node failed: " + status.failed->what);
        if (auto const broken = find_broken_invariant(state))
            throw std::runtime_error(std::string{*broken});
        if (auto const broken = find_broken_invariant(before, state))
            throw std::runtime_error(std::string{*broken});
        for (auto outcome = static_cast<std::size_t>(Decision::violation_sender); outcome < decision_count; ++outcome)
            if (status.decisions[outcome] != 0)
                throw std::runtime_error("a correct server was taken for a broken one: " +
                                         std::string{to_string(static_cast<Decision>(outcome))});
        if (auto const violation = safety_.observe(state))
            throw std::runtime_error(std::string{*violation});
        check_log_matching(server);
        check_applied(server);
    }

    void check_log_matching(Server const& server) const
    {
        for (auto const& other : servers)
            if (other->node and not testing::find_agreement(server.node->state().log, other->node->state().log))
                throw std::runtime_error(std::string{testing::figure_3::log_matching});
    }

    /// State Machine Safety: no two servers apply different commands at an index.
    void check_applied(Server const& server)
    {
        auto&       checked = checked_[server.machine.get()];
        auto const& history = server.machine->history;
        for (; checked < history.size(); ++checked) {
            if (checked == applied_.size())
                applied_.push_back(history[checked]);
            expect(applied_[checked] == history[checked], "all servers apply the same commands in the same order");
        }
    }

    NodeSettings                                 settings_;
    std::mt19937_64                              random_;
    testing::Safety                              safety_;
    std::vector<HistoryMachine::Step>            applied_;
    std::map<HistoryMachine const*, std::size_t> checked_;
    std::map<std::uint64_t, int>                 ends_;
    Index                                        newest_acknowledged_;
};

} // namespace totora::test
