// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/bytes.hpp"
#include "support/checking_log.hpp"
#include "support/log_entries.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/node/raft_node.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// One real node on a stage: the test plays its clock, its disk, and all the other servers.
namespace totora::test
{

/// Remembers what it applied and answers with the command; keeps its state over restarts if it is told to.
struct Recorder
{
    using Response = std::string;

    struct Applied
    {
        LogPosition position;
        std::string command;

        friend bool operator==(Applied const&, Applied const&) = default;
    };

    std::vector<Applied>             applied;
    Index                            kept;
    bool                             keeps = false;
    std::optional<Index>             throws_at;
    bool                             throws_no_exception = false; ///< But an int.
    int                              responses_too_many = 0;      ///< Or too few, if below 0.
    int                              calls = 0;
    std::function<void(std::size_t)> takes_time; ///< Called with the number of commands that are applied.

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        ++calls;
        if (takes_time)
            takes_time(commands.size());
        for (auto const& command : commands) {
            if (throws_at == command.index) {
                if (throws_no_exception)
                    throw 42;
                throw std::runtime_error("the reeds are wet");
            }
            applied.push_back({{command.term, command.index}, text_of(command.payload)});
            responses.push_back(text_of(command.payload));
            if (keeps)
                kept = command.index;
        }
        responses.resize(static_cast<std::size_t>(static_cast<int>(responses.size()) + responses_too_many));
    }

    [[nodiscard]] Index applied_index() const { return kept; }

    [[nodiscard]] std::vector<std::string> commands() const
    {
        auto texts = std::vector<std::string>{};
        for (auto const& one : applied)
            texts.push_back(one.command);
        return texts;
    }
};

/// A transport whose far end is the test.
class Wire
{
public:
    struct Sent
    {
        ServerId to;
        Rpc      rpc;
        Entries  entries;
    };

    struct Told
    {
        ServerId    server;
        Incarnation incarnation;
        std::string address;

        friend bool operator==(Told const&, Told const&) = default;
    };

    std::deque<TransportEvent> arriving;
    std::vector<Sent>          sent;
    std::vector<Told>          told;

    void send(Released const& message, Entries const& entries)
    {
        sent.push_back({message.to(), message.rpc(), entries});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (arriving.empty())
            return std::nullopt;
        auto event = std::move(arriving.front());
        arriving.pop_front();
        return event;
    }

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        told.push_back({server, incarnation, std::string{address}});
    }
};

static_assert(state_machine<Recorder>);
static_assert(message_transport<Wire>);

/// How a promise ended, and how often: exactly once, if all is well.
template <typename Decision>
struct End
{
    int                     times = 0;
    std::optional<Decision> outcome;

    template <typename Ending>
    [[nodiscard]] Ending const* as() const
    {
        return times == 1 and outcome ? std::get_if<Ending>(&*outcome) : nullptr;
    }

    [[nodiscard]] bool refused(ProposalError why, ServerId leader) const
    {
        auto const* refusal = as<RefusedBecause>();
        return refusal != nullptr and refusal->why == why and refusal->leader == leader;
    }
};

template <typename Decision>
using Ended = std::shared_ptr<End<Decision>>;

using ProposalEnd = Ended<ProposalOutcome<std::string>>;
using BatchEnd = Ended<ProposalOutcome<std::vector<std::string>>>;
using ReadEnd = Ended<ReadOutcome>;

/// A completion that writes down how it was called.
template <typename Decision>
[[nodiscard]] auto note_in(Ended<Decision> end)
{
    return [end = std::move(end)](Decision outcome) {
        ++end->times;
        end->outcome = std::move(outcome);
    };
}

/// Writes down what a node tells.
struct Events
{
    std::shared_ptr<std::vector<NodeEvent>> all = std::make_shared<std::vector<NodeEvent>>();

    void operator()(NodeEvent const& event) const { all->push_back(event); }

    template <typename Event>
    [[nodiscard]] std::vector<Event> of() const
    {
        auto found = std::vector<Event>{};
        for (auto const& event : *all)
            if (auto const* one = std::get_if<Event>(&event))
                found.push_back(*one);
        return found;
    }
};

/// The first members of a cluster of this size, with addresses.
[[nodiscard]] inline std::vector<Peer> peers_of(std::uint64_t voters)
{
    auto peers = std::vector<Peer>{};
    for (auto id = std::uint64_t{1}; id <= voters; ++id)
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, "host:" + std::to_string(id)});
    return peers;
}

/// Server S1 of a cluster in which the test is everybody else.
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

    /// Lets the node do everything that it can do.
    void run()
    {
        for (auto turns = 0; node->turn(); ++turns)
            if (turns == 10'000)
                throw std::runtime_error("the node never comes to rest");
    }

    void hear(ServerId from, Rpc const& rpc, Entries entries = {})
    {
        wire.arriving.push_back(Received{from, rpc, std::move(entries)});
        run();
    }

    void pass_ms(std::uint64_t ms)
    {
        clock.advance_ms(ms);
        run();
    }

    /// Elects S1 with the votes of S2 and, of five, S3. Its no-op is in its log, and nobody has it yet.
    void lead()
    {
        run(); // Applies what it can: before that it waits longer.
        pass_ms(600);
        auto const needed = node->state().configurations.in_force.members.size() / 2 + 1;
        for (auto id = std::uint64_t{2}; id <= needed; ++id)
            hear(ServerId{id}, RequestPreVoteResponse{term(), node->state().pre_vote_round, true});
        for (auto id = std::uint64_t{2}; id <= needed; ++id)
            hear(ServerId{id}, RequestVoteResponse{term(), true});
        if (not is_leader(node->state()))
            throw std::runtime_error("the stage's server was not elected");
    }

    /// Leads, and S2 holds all of its log: the no-op is committed.
    void lead_with_follower()
    {
        lead();
        accept_all(S2);
    }

    /// A follower says that it holds the whole log.
    void accept_all(ServerId follower) { accept(follower, last_index(node->state())); }

    void accept(ServerId follower, Index match, Round round = {})
    {
        hear(follower, accepted(term(), match, sent_to(follower).value, round));
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
    template <typename Said>
    [[nodiscard]] std::vector<Said> said_to(ServerId to) const
    {
        auto found = std::vector<Said>{};
        for (auto const& one : wire.sent)
            if (auto const* said = std::get_if<Said>(&one.rpc); said != nullptr and one.to == to)
                found.push_back(*said);
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
