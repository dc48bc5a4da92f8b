// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/bytes.hpp"
#include "support/log/checking_log.hpp"
#include "support/log_entries.hpp"
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

/// One real node on a stage: the test drives its clock, its disk, and all the other servers.
namespace totora::test
{

/// Server S1 of a cluster in which the test is every other server.
class Stage
{
public:
    using Node = RaftNode<Recorder, CheckingLog, Wire, ManualClock, Events>;

    explicit Stage(std::uint64_t voters = 3, NodeSettings settings = {})
        : Stage(Identity{cluster_of("stage"), S1, first_incarnation, peers_of(voters)}, settings)
    {}

    Stage(Identity const& identity, NodeSettings settings) : log(identity), settings_(settings) { restart(); }

    Recorder                     machine;
    CheckingLog                  log;
    Wire                         wire;
    ManualClock                  clock{1};
    Events                       events;
    std::unique_ptr<Node>        node;
    Result<Identity, StartError> started = Identity{};

    /// Another run of the server over what its log and its machine have kept.
    void restart()
    {
        node.reset();
        if (not machine.keeps)
            machine.applied.clear();
        wire.arriving.clear();
        wire.sent.clear();
        clock = ManualClock{1};
        node = std::make_unique<Node>(machine, log, wire, clock, settings_, events);
        started = node->start();
    }

    /// The power fails: what is not durable is gone. Then another run.
    void crash()
    {
        node.reset();
        log.memory.crash();
        restart();
    }

    /// Runs the node until it has nothing to do.
    void run()
    {
        for (auto turns = 0; node->turn(); ++turns)
            if (turns == 10'000)
                throw std::runtime_error("the node never comes to rest");
    }

    void receive(ServerId from, Rpc const& rpc, Entries entries = {})
    {
        wire.arriving.push_back(Received{from, rpc, std::move(entries)});
        run();
    }

    void pass_ms(std::uint64_t ms)
    {
        clock.advance_ms(ms);
        run();
    }

    /// Elects S1 with the votes of S2 and, of five, S3. Its no-op is in its log, and on no other server yet.
    void lead()
    {
        run(); // Applies what it can: before that it waits longer.
        pass_ms(600);
        auto const needed = node->state().configurations.in_force.members.size() / 2 + 1;
        for (auto id = std::uint64_t{2}; id <= needed; ++id)
            receive(ServerId{id}, RequestPreVoteResponse{term(), node->state().pre_vote_round, true});
        for (auto id = std::uint64_t{2}; id <= needed; ++id)
            receive(ServerId{id}, RequestVoteResponse{term(), true});
        if (not is_leader(node->state()))
            throw std::runtime_error("the stage's server was not elected");
    }

    /// Leads, and S2 holds all of its log: the no-op is committed.
    void lead_with_follower()
    {
        lead();
        accept_all(S2);
    }

    /// A follower acknowledges the whole log.
    void accept_all(ServerId follower) { accept(follower, last_index(node->state())); }

    void accept(ServerId follower, Index match, Round round = {})
    {
        receive(follower, accepted(term(), match, sent_to(follower).value, round));
    }

    [[nodiscard]] ProposalEnd propose(std::string_view command, std::uint64_t timeout_ms = never_ms)
    {
        auto end = std::make_shared<ProposalEnd::element_type>();
        node->propose(bytes_of(command), note_in(end), timeout_ms);
        return end;
    }

    [[nodiscard]] BatchEnd propose_batch(std::vector<std::string> const& commands, std::uint64_t timeout_ms = never_ms)
    {
        auto payloads = std::vector<std::vector<std::byte>>{};
        for (auto const& command : commands)
            payloads.push_back(bytes_of(command));
        auto const spans = std::vector<std::span<std::byte const>>{payloads.begin(), payloads.end()};
        auto       end = std::make_shared<BatchEnd::element_type>();
        node->propose(spans, note_in(end), timeout_ms);
        return end;
    }

    [[nodiscard]] ReadEnd read(std::uint64_t timeout_ms = never_ms)
    {
        auto end = std::make_shared<ReadEnd::element_type>();
        node->read(note_in(end), timeout_ms);
        return end;
    }

    [[nodiscard]] Term   term() const { return node->state().current_term; }
    [[nodiscard]] Status status() const { return node->status(); }

    /// The number of the newest append to a follower.
    [[nodiscard]] AppendNumber sent_to(ServerId follower) const
    {
        auto const* progress = find_progress(node->state(), follower);
        return progress->sent;
    }

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
    [[nodiscard]] std::vector<Wire::Sent> appends_to(ServerId to) const
    {
        auto found = std::vector<Wire::Sent>{};
        for (auto const& one : wire.sent)
            if (auto const* append = std::get_if<AppendEntries>(&one.rpc);
                append != nullptr and one.to == to and append->entries.count > 0)
                found.push_back(one);
        return found;
    }

private:
    NodeSettings settings_;
};

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
