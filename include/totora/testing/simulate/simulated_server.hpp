// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/node/status.hpp"
#include "totora/testing/laws/step.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/checks/checking_log.hpp"
#include "totora/testing/simulate/checks/checking_machine.hpp"
#include "totora/testing/simulate/checks/checking_transport.hpp"
#include "totora/testing/simulate/clients/store.hpp"
#include "totora/testing/simulate/disk/disk_bound.hpp"
#include "totora/testing/simulate/disk/segmented_storage.hpp"
#include "totora/testing/simulate/drifting_clock.hpp"
#include "totora/testing/simulate/network/endpoint.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// The parts of a simulated cluster. Derive from it, and replace any of them:
///
///     struct MyParts : DefaultParts { using Machine = MyMachine; };
///     auto const report = Simulation<MyParts, ProposingClients<MyWorkload>>{make_scenario(seed, {})}.run();
///
/// docs/examples/simulate_own.cpp is the whole program.
struct DefaultParts
{
    using Machine = Store; ///< A `simulated_machine`; one that is no `Store` needs its own clients.
    using Storage =
        SegmentedStorage;       ///< A `simulated_storage`: segmented_storage.hpp with a log that derives, or another.
    using Transport = Endpoint; ///< What derives from `Endpoint`, and changes what is sent or received.

    /// How a client reads.
    template <typename Node, typename Completion>
    static void read(Node& node, Completion completion)
    {
        node.read(std::move(completion));
    }
};

using DecisionCounts = std::array<std::uint64_t, decision_count>;

/// What a node noted while it handled a message that no correct server can send.
struct Notes
{
    std::uint32_t           count = 0;
    std::optional<Decision> decision; ///< The last; nothing if that was a `PayloadMismatch`.
    ServerId                from;     ///< The sender that it named.
};

/// What a node notified of its snapshots, since the cluster last looked.
struct SnapshotNews
{
    std::vector<SnapshotStep> failed;
    bool                      restored = false;
};

/// Observes what a node notes, and checks the laws for each of its steps.
struct NodeListener
{
    DecisionCounts*        counts = nullptr;
    Checks*                checks = nullptr;
    std::optional<Failed>* failed = nullptr;
    std::optional<State>*  before = nullptr; ///< The state before the next step, once there was one.
    std::optional<Notes>*  notes = nullptr;  ///< Engaged while the message that is handled is a hostile one.
    std::size_t            server = 0;
    State const**          state = nullptr; ///< Of the node, as soon as there is one.
    SnapshotNews*          snapshots = nullptr;

    void operator()(NodeEvent const& event) const
    {
        if (auto const* noted = std::get_if<DecisionNoted>(&event)) {
            ++(*counts)[static_cast<std::size_t>(noted->decision)];
            if (*notes)
                *notes = Notes{(*notes)->count + 1, noted->decision, noted->from};
            else if (is_violation(noted->decision))
                checks->fail("a correct server was taken for a broken one: " + std::string{to_string(noted->decision)});
            if (*state != nullptr)
                checks->noted(server, **state, noted->decision, noted->from);
        } else if (auto const* mismatch = std::get_if<PayloadMismatch>(&event); mismatch != nullptr and *notes) {
            *notes = Notes{(*notes)->count + 1, std::nullopt, mismatch->from};
        } else if (std::holds_alternative<SetBack>(event)) {
            checks->fail("a server that kept its disk was taken for one whose disk was set back");
        } else if (auto const* broken = std::get_if<Failed>(&event)) {
            *failed = *broken;
        } else if (std::holds_alternative<SnapshotSaved>(event)) {
            checks->snapshot_saved(server);
        } else if (std::holds_alternative<MachineRestored>(event)) {
            snapshots->restored = true;
        } else if (auto const* not_done = std::get_if<SnapshotFailed>(&event)) {
            snapshots->failed.push_back(not_done->step);
        }
    }

    template <typename Happened>
    void stepped(ServerId from, Happened const& happened, State const& after, Outgoing const& outgoing) const
    {
        if (*before) {
            checks->stepped(server, **before, after);
            if (auto const broken = laws::find_violated_law(**before, from, happened, after, outgoing))
                checks->fail(*broken);
        }
        *before = after;
    }
};

/// A process: what ends with a crash. All of it refers to other parts of itself, so it stays where it is.
template <typename Parts>
struct SimulatedProcess
{
    using Log = CheckingLog<typename Parts::Storage::Log>;
    using Transport = CheckingTransport<typename Parts::Transport, Log>;
    using Machine = CheckingMachine<typename Parts::Machine>;
    using Node = RaftNode<Machine, Log, Transport, DriftingClock, NodeListener>;

    SimulatedProcess(std::size_t number, typename Parts::Storage& storage, typename Parts::Machine& its_machine,
                     OneByOne<typename Parts::Machine>& reference, Burdens& burdens, LocalTime const& time,
                     std::uint64_t seed, Network& network, Checks& checks, DecisionCounts& counts,
                     NodeSettings const& settings)
        : endpoint(network, number), clock(time, seed), transport(endpoint, log, burdens, checks, number),
          log(storage.log(), burdens, checks, number), machine(its_machine, reference, burdens, checks, number),
          node(machine, log, transport, clock, settings,
               NodeListener{&counts, &checks, &failed, &before_step, &notes, number, &state, &snapshot_news})
    {
        state = &node.state();
        machine.belongs_to(node.state());
        transport.belongs_to(node.state(), settings.window_bytes);
        log.belongs_to(node.state(), settings.uncommitted_bytes_max);
    }

    typename Parts::Transport endpoint;
    DriftingClock             clock;
    Transport                 transport;
    Log                       log;
    Machine                   machine;
    std::optional<Failed>     failed;
    std::optional<State>      before_step;
    std::optional<Notes>      notes; ///< While a hostile message is handled.
    State const*              state = nullptr;
    SnapshotNews              snapshot_news;
    Node                      node;
};

/// One server of a simulated cluster: what outlives its processes, and the process, if there is one.
template <typename Parts>
struct SimulatedServer
{
    using Process = SimulatedProcess<Parts>;

    static constexpr auto never = std::numeric_limits<std::uint64_t>::max();

    SimulatedServer(Identity const& identity, SegmentedLogOptions const& options, FaultCounts& counts,
                    std::uint64_t const& now_us, std::uint64_t apply_us)
        : storage(identity, options, counts), time(now_us), burdens(time, counts, apply_us),
          machine(std::make_unique<typename Parts::Machine>())
    {
        burdens.snapshots().belong_to(storage.disk());
    }

    /// No process runs. What it had is gone; the disk stays in its place.
    void begin_life(Identity const& identity, SegmentedLogOptions const& options, FaultCounts& counts)
    {
        std::destroy_at(&storage);
        std::construct_at(&storage, identity, options, counts);
        machine = std::make_unique<typename Parts::Machine>();
        disk_bound = {};
    }

    typename Parts::Storage                  storage;
    LocalTime                                time;
    Burdens                                  burdens;
    DiskBound                                disk_bound;
    std::unique_ptr<typename Parts::Machine> machine;
    std::unique_ptr<Process>                 process; ///< Null while the server is down.

    std::uint32_t life = 0;         ///< Counts the processes.
    std::uint64_t wakes_us = never; ///< When it was planned to be looked after.
    std::uint64_t sync_slow_until_us = 0;
    std::uint64_t sync_extra_us = 0; ///< For a slow disk.
    std::uint64_t next_sync_hangs_us = 0;
    std::uint64_t busy_until_us = 0; ///< Its thread is busy with what it did in its last turn.
    std::uint64_t disk_busy_until_us = 0;
    std::uint64_t disk_slow_until_us = 0;
    std::uint64_t disk_slow_factor = 1;      ///< While it is slow.
    std::uint64_t troubles = 0;              ///< Of the disk, when the process began.
    std::uint32_t sync_number = 0;           ///< Of the completion that is planned, or was last.
    bool          syncing = false;           ///< A completion is planned.
    bool          sync_hangs = false;        ///< The completion that is planned takes much longer.
    bool          sync_holds_writes = false; ///< And the node waits for it.
    std::uint64_t sync_hangs_since_us = 0;
    bool          paused = false;
    bool          damaged = false; ///< Synced data were damaged.
    bool          dead = false;    ///< For the rest of the run.
    bool          power_fails_in_start = false;
    std::uint64_t away_until_us = 0; ///< No process begins before, unless the log is left behind.
};

} // namespace totora::inline v0::simulate
