// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/bytes.hpp"
#include "support/log/checking_log.hpp"
#include "support/log_entries.hpp"
#include "support/snapshot/durable_recorder.hpp"
#include "support/stage_parts.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/node/raft_node.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// Compiled once, in stage.cpp: it is most of what a test of the node costs.
extern template class totora::RaftNode<totora::test::Recorder, totora::test::CheckingLog, totora::test::Wire,
                                       totora::ManualClock, totora::test::Events>;
extern template class totora::RaftNode<totora::test::DurableRecorder, totora::test::CheckingLog, totora::test::Wire,
                                       totora::ManualClock, totora::test::Events>;

/// One real node on a stage: the test drives its clock, its disk, and all the other servers.
namespace totora::test
{

/// Server S1 of a cluster in which the test is every other server.
template <typename Machine>
class StageOf
{
public:
    using Node = RaftNode<Machine, CheckingLog, Wire, ManualClock, Events>;

    explicit StageOf(std::uint64_t voters = 3, NodeSettings settings = {});
    StageOf(Identity const& identity, NodeSettings settings);
    ~StageOf();
    StageOf(StageOf const&) = delete;
    StageOf& operator=(StageOf const&) = delete;

    Machine                      machine;
    CheckingLog                  log;
    Wire                         wire;
    ManualClock                  clock{1};
    Events                       events;
    std::unique_ptr<Node>        node;
    Result<Identity, StartError> started = Identity{};

    /// Another run of the server over what its log and its machine have kept.
    void restart();

    /// The power fails: what is not durable is gone. Then another run.
    void crash();

    /// Runs the node until it has nothing to do.
    void run();

    void receive(ServerId from, Rpc const& rpc, Entries entries = {});

    /// A chunk that another server sends.
    void receive_chunk(ServerId from, InstallSnapshot const& rpc, std::span<std::byte const> bytes);

    void pass_ms(std::uint64_t ms);

    /// Elects S1 with the votes of S2 and, of five, S3. Its no-op is in its log, and on no other server yet.
    void lead();

    /// Leads, and S2 holds all of its log: the no-op is committed.
    void lead_with_follower();

    /// A follower acknowledges the whole log.
    void accept_all(ServerId follower);

    void accept(ServerId follower, Index match, Round round = {});

    [[nodiscard]] ProposalEnd propose(std::string_view command, std::uint64_t timeout_ms = never_ms);

    [[nodiscard]] BatchEnd propose_batch(std::vector<std::string> const& commands, std::uint64_t timeout_ms = never_ms);

    [[nodiscard]] ReadEnd read(std::uint64_t timeout_ms = never_ms);

    [[nodiscard]] Term   term() const;
    [[nodiscard]] Status status() const;

    /// The number of the newest append to a follower.
    [[nodiscard]] AppendNumber sent_to(ServerId follower) const;

    /// Everything of a kind that was sent to a server since the wire was last emptied.
    template <typename OneRpc>
    [[nodiscard]] std::vector<OneRpc> messages_to(ServerId to) const
    {
        auto found = std::vector<OneRpc>{};
        for (auto const& one : wire.sent)
            if (auto const* rpc = std::get_if<OneRpc>(&one.rpc); rpc != nullptr and one.to == to)
                found.push_back(*rpc);
        return found;
    }

    /// The appends with entries to a server since the wire was last emptied.
    [[nodiscard]] std::vector<Wire::Sent> appends_to(ServerId to) const;

private:
    NodeSettings settings_;
};

extern template class StageOf<Recorder>;
extern template class StageOf<DurableRecorder>;

using Stage = StageOf<Recorder>;

/// A command in a slice of its own, as another server would have made it.
[[nodiscard]] inline Entries command_entry(Term term, Index index, std::string_view command)
{
    auto staging = Staging{};
    staging.add(bytes_of(command));
    return staging.seal({term, index, 1}, EntryKind::command);
}

/// The no-op of another leader.
[[nodiscard]] inline Entries no_op_entry(Term term, Index index) { return make_no_op({term, index, 1}); }

} // namespace totora::test
