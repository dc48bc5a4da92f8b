// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/clients/pending.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/testing/linearizability/history_verdict.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/clients/store.hpp"
#include "totora/testing/simulate/clients/store_requests.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// Clients of a cluster of `Store`s: they propose, read and record the answers; in the end the history is checked.
///
/// A `simulated_clients`. A client waits for one answer at a time, until its patience ends. Each key is
/// used for a while only, so that the histories stay short.
class StoreClients
{
public:
    /// A client wants to act again, after this time; `visit` distinguishes what was planned for an earlier wait.
    struct Plan
    {
        std::size_t   client = 0;
        std::uint32_t visit = 0;
        std::uint64_t in_us = 0;
    };

    StoreClients(ClientOptions const& options, std::size_t servers, testing::Prng random, Checks& checks)
        : options_(options), servers_(servers), random_(random), checks_(checks), clients_(options.count)
    {
        for (auto client = std::size_t{0}; client < clients_.size(); ++client)
            rest(client);
    }

    /// What is to be planned since the last call.
    [[nodiscard]] std::vector<Plan>& plans() { return plans_; }

    /// Whether a client that was planned to act still wants to. If it does it gives up waiting, and then picks any
    /// server, as it also does now and then: so some turn to a leader that others have left.
    [[nodiscard]] bool wants_to_act(std::size_t client, std::uint32_t visit)
    {
        auto& one = clients_[client];
        if (one.visit != visit)
            return false;
        if (std::exchange(one.waits_for, none) != none or random_.chance(options_.wanders))
            one.server = any_server();
        return not stopped_;
    }

    /// The server that it turns to.
    [[nodiscard]] std::size_t server_of(std::size_t client) const { return clients_[client].server; }

    /// That server is down: picks another one, later.
    void turn_away(std::size_t client)
    {
        clients_[client].server = any_server();
        rest(client);
    }

    /// Sends a server a request. `read` requests a read of a node, and its completion looks at `machine`.
    template <typename Node, typename Read>
    void act(std::size_t client, Node& node, Store const& machine, std::uint64_t moment, Read read)
    {
        moment_ = moment;
        auto& one = clients_[client];
        one.waits_for = requests_.size();
        plans_.push_back({client, ++one.visit, options_.patience_us});
        if (random_.chance(options_.reads))
            return ask_to_read(client, node, machine, read);
        auto const timeout_ms = random_.below(10) == 0 ? 200 : never_ms;
        if (random_.chance(options_.batches))
            propose_several(client, node, timeout_ms);
        else
            propose_one(client, node, timeout_ms);
    }

    /// Every event is a moment: what happens in one event counts as concurrent.
    void set_moment(std::uint64_t moment) { moment_ = moment; }

    /// The process there has ended, with all requests that wait at it.
    void server_gone(std::size_t server)
    {
        for (auto const number : requests_.forget(server))
            end_unknown(number);
    }

    /// Clients make no further requests.
    void stop() { stopped_ = true; }

    /// From now on clients use these servers only.
    void turn_to(std::vector<std::size_t> const& servers)
    {
        for (auto client = std::size_t{0}; client < clients_.size(); ++client)
            clients_[client].server = servers[client % servers.size()];
        preferred_ = servers;
    }

    /// How many requests wait at a server.
    [[nodiscard]] std::size_t open_at(std::size_t server) const { return requests_.open_at(server); }

    [[nodiscard]] std::uint64_t answered() const { return answered_; }

    /// Whether one order of all operations explains all answers.
    [[nodiscard]] linearizability::HistoryVerdict check_history() const
    {
        return linearizability::check_history(history_of(requests_.all()));
    }

private:
    static constexpr auto none = static_cast<std::size_t>(-1);
    static constexpr auto operations_per_key = std::size_t{48};

    struct Client
    {
        std::size_t   server = 0;
        std::size_t   waits_for = none; ///< An operation.
        std::uint32_t visit = 0;
        std::uint64_t saw = 0; ///< The value that it last received.
    };

    [[nodiscard]] std::size_t any_server()
    {
        return preferred_.empty() ? random_.below(servers_) : preferred_[random_.below(preferred_.size())];
    }

    void rest(std::size_t client)
    {
        plans_.push_back({client, ++clients_[client].visit, random_.between(1, 2 * options_.thinks_us)});
    }

    [[nodiscard]] std::uint32_t draw_key() const
    {
        return static_cast<std::uint32_t>(requests_.size() / operations_per_key);
    }

    [[nodiscard]] StoreCommand draw_command(Client const& client)
    {
        auto command = StoreCommand{};
        command.number = checks_.proposed();
        command.key = draw_key();
        auto const kind = random_.below(4);
        command.kind = kind < 2    ? StoreCommand::Kind::put
                       : kind == 2 ? StoreCommand::Kind::compare_and_set
                                   : StoreCommand::Kind::get;
        if (command.kind != StoreCommand::Kind::get)
            command.value = command.number + 1;
        if (command.kind == StoreCommand::Kind::compare_and_set)
            command.expected = client.saw;
        return command;
    }

    void begin(std::size_t client, StoreCommand const& command, bool is_read)
    {
        auto asked = StoreRequest{};
        asked.client = client;
        asked.server = clients_[client].server;
        asked.command = command;
        asked.is_read = is_read;
        asked.called = moment_;
        requests_.begin(asked);
    }

    void encode(std::vector<std::byte>& payload, StoreCommand const& command)
    {
        payload.assign(store_command_size + (options_.padding > 0 ? random_.below(options_.padding) : 0), std::byte{});
        encode_command(payload, command);
    }

    template <typename Node>
    void propose_one(std::size_t client, Node& node, std::uint64_t timeout_ms)
    {
        auto const command = draw_command(clients_[client]);
        auto const number = requests_.size();
        begin(client, command, false);
        encode(payload_, command);
        node.propose(
            payload_,
            [this, number](ProposalOutcome<std::uint64_t> const& outcome) {
                if (auto const* applied = std::get_if<AppliedWith<std::uint64_t>>(&outcome))
                    end_applied(number, applied->position, applied->response);
                else
                    end_otherwise(number, std::get_if<RefusedBecause>(&outcome));
            },
            timeout_ms);
    }

    template <typename Node>
    void propose_several(std::size_t client, Node& node, std::uint64_t timeout_ms)
    {
        auto const first = requests_.size();
        auto const count = random_.between(2, 4);
        auto       payloads = std::vector<std::vector<std::byte>>(count);
        auto       views = std::vector<std::span<std::byte const>>{};
        for (auto& payload : payloads) {
            auto const command = draw_command(clients_[client]);
            begin(client, command, false);
            encode(payload, command);
            views.emplace_back(payload);
        }
        node.propose(
            views,
            [this, first, count](ProposalOutcome<std::vector<std::uint64_t>> const& outcome) {
                auto const* applied = std::get_if<AppliedWith<std::vector<std::uint64_t>>>(&outcome);
                for (auto at = std::size_t{0}; at < count; ++at)
                    if (applied != nullptr) {
                        auto const index = Index{applied->position.index.value - (count - 1 - at)};
                        end_applied(first + at, {applied->position.term, index}, applied->response[at]);
                    } else {
                        end_otherwise(first + at, std::get_if<RefusedBecause>(&outcome));
                    }
            },
            timeout_ms);
    }

    template <typename Node, typename Read>
    void ask_to_read(std::size_t client, Node& node, Store const& machine, Read read)
    {
        auto const number = requests_.size();
        begin(client, {.key = draw_key(), .kind = StoreCommand::Kind::get}, true);
        read(node, [this, number, &machine](ReadOutcome const& outcome) {
            if (std::holds_alternative<ReadableNow>(outcome))
                end_known(number, machine.value(requests_[number].command.key));
            else
                end_otherwise(number, std::get_if<RefusedBecause>(&outcome));
        });
    }

    void end_applied(std::size_t number, LogPosition position, std::uint64_t answer)
    {
        checks_.acknowledged(requests_[number].command.number, position);
        end_known(number, answer);
    }

    void end_known(std::size_t number, std::uint64_t answer)
    {
        auto& asked = requests_[number];
        asked.is_known = true;
        asked.answer = answer;
        ++answered_;
        if (asked.command.kind == StoreCommand::Kind::get)
            clients_[asked.client].saw = answer;
        end(number);
    }

    void end_otherwise(std::size_t number, RefusedBecause const* refused)
    {
        auto& asked = requests_[number];
        if (refused == nullptr)
            return end_unknown(number);
        asked.happened_not = true;
        if (not asked.is_read)
            checks_.refused(asked.command.number);
        clients_[asked.client].server =
            refused->leader == nobody ? any_server() : static_cast<std::size_t>(refused->leader.value - 1);
        end(number);
    }

    void end_unknown(std::size_t number)
    {
        if (not requests_[number].is_read)
            checks_.left_open(requests_[number].command.number);
        end(number);
    }

    void end(std::size_t number)
    {
        auto& asked = requests_[number];
        checks_.expect(asked.is_open, "every proposal and every read ends exactly once");
        requests_.end(number, moment_);
        if (clients_[asked.client].waits_for == number) {
            clients_[asked.client].waits_for = none;
            rest(asked.client);
        }
    }

    ClientOptions            options_;
    std::size_t              servers_;
    testing::Prng            random_;
    Checks&                  checks_;
    std::vector<Client>      clients_;
    StoreRequests            requests_;
    std::vector<Plan>        plans_;
    std::vector<std::size_t> preferred_; ///< Servers to use; empty for all.
    std::vector<std::byte>   payload_;
    std::uint64_t            moment_ = 0;
    std::uint64_t            answered_ = 0;
    bool                     stopped_ = false;
};

} // namespace totora::inline v0::simulate
