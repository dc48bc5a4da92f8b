// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/testing/linearizability/history.hpp"
#include "totora/testing/linearizability/history_verdict.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/scenario.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// What clients propose to a custom machine, and the object against which they are checked.
///
/// The first eight bytes of every payload are the number of the proposal, by which the checks identify it; what
/// `encode` adds begins after them.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept proposed_workload = linearizability::written_object<typename T::Object> and
    requires(T& workload, testing::Prng& random, typename T::Object::Action const& action,
             typename T::Machine::Response const& response, std::uint64_t number, std::vector<std::byte>& payload)
{
    /// The key and the action of the next operation, which is the `number`-th. A history with few operations per key is
    /// checked quickly.
    {
        workload.draw(random, number)
        } -> std::same_as<linearizability::Operation<typename T::Object>>;
    /// Adds the action to a payload.
    {
        workload.encode(payload, action)
        } -> std::same_as<void>;
    /// What the object answers where the machine gives this response.
    {
        workload.answer_of(action, response)
        } -> std::same_as<typename T::Object::Answer>;
};

/// A workload of which some operations are reads: they append no entry, and look at a machine when its node allows it.
template <typename T>
concept reading_workload = proposed_workload<T> and
    requires(T& workload, typename T::Object::Action const& action, typename T::Machine const& machine)
{
    /// Whether this action is a read.
    {
        workload.is_read(action)
        } -> std::same_as<bool>;
    /// What the object answers where the machine is in this state.
    {
        workload.read(machine, action)
        } -> std::same_as<typename T::Object::Answer>;
};
// clang-format on

/// Clients of a simulated cluster of custom machines: `Simulation<MyParts, ProposingClients<MyWorkload>>`. They read,
/// too, if it is a `reading_workload`.
///
/// A client proposes to the server that it takes for the leader, pauses and continues, whatever the outcome; so one
/// client may have several proposals open. In the end all their answers must be linearizable.
template <proposed_workload Workload>
class ProposingClients
{
public:
    using Object = typename Workload::Object;
    using Machine = typename Workload::Machine;
    using Response = typename Machine::Response;

    /// A client is to act after this time. These clients never cancel: all visits are 0.
    struct Plan
    {
        std::size_t   client = 0;
        std::uint32_t visit = 0;
        std::uint64_t in_us = 0;
    };

    ProposingClients(ClientOptions const& options, std::size_t servers, testing::Prng random, Checks& checks)
        : options_(options), random_(random), checks_(checks), turned_to_(options.count), alive_(servers),
          open_(servers)
    {
        std::iota(alive_.begin(), alive_.end(), std::size_t{0});
        for (auto client = std::size_t{0}; client < options.count; ++client)
            turn_away(client);
    }

    [[nodiscard]] std::vector<Plan>& plans() { return plans_; }
    [[nodiscard]] std::size_t        server_of(std::size_t client) const { return turned_to_[client]; }
    [[nodiscard]] std::size_t        open_at(std::size_t server) const { return open_[server].size(); }
    [[nodiscard]] std::uint64_t      answered() const { return answered_; }

    void set_moment(std::uint64_t moment) { moment_ = static_cast<linearizability::Moment>(moment); }
    void stop() { stopped_ = true; }

    /// Now and then a client picks any server before it acts: so some turn to a leader that others have left.
    [[nodiscard]] bool wants_to_act(std::size_t client, std::uint32_t)
    {
        if (random_.chance(options_.wanders))
            turned_to_[client] = any_server();
        return not stopped_;
    }

    /// That server is down: picks another one, later.
    void turn_away(std::size_t client)
    {
        turned_to_[client] = any_server();
        pause(client);
    }

    /// From now on clients use these servers only.
    void turn_to(std::vector<std::size_t> const& servers)
    {
        alive_ = servers;
        for (auto& server : turned_to_)
            server = any_server();
    }

    /// The process there has ended, with all requests that wait at it.
    void server_gone(std::size_t server)
    {
        for (auto const number : std::exchange(open_[server], {}))
            checks_.left_open(number);
    }

    /// Sends a server the next operation. `read` requests a read of a node, and its completion looks at `machine`.
    template <typename Node, typename Read>
    void act(std::size_t client, Node& node, Machine const& machine, std::uint64_t moment, Read read)
    {
        set_moment(moment);
        pause(client);
        auto const number = checks_.proposed();
        auto       operation = workload_.draw(random_, number);
        operation.client = client;
        operation.called = moment_;
        auto const& action = history_.emplace(number, std::move(operation)).first->second.action;
        open_[turned_to_[client]].insert(number);
        if constexpr (reading_workload<Workload>)
            if (workload_.is_read(action))
                return ask_to_read(client, number, node, machine, read);
        propose(client, number, node, action);
    }

    /// Whether one order of all operations explains all answers.
    [[nodiscard]] linearizability::HistoryVerdict check_history() const
    {
        auto history = linearizability::History<Object>{};
        for (auto const& [number, operation] : history_)
            history.push_back(operation);
        return linearizability::check_history(history);
    }

private:
    void pause(std::size_t client) { plans_.push_back({client, 0, random_.between(1, 2 * options_.thinks_us)}); }

    [[nodiscard]] std::size_t any_server() { return alive_[random_.below(alive_.size())]; }

    template <typename Node>
    void propose(std::size_t client, std::uint64_t number, Node& node, typename Object::Action const& action)
    {
        auto payload = std::vector<std::byte>(sizeof number);
        put(payload.data(), number);
        workload_.encode(payload, action);
        auto const server = turned_to_[client];
        node.propose(payload, [this, client, server, number](ProposalOutcome<Response> const& outcome) {
            open_[server].erase(number);
            if (auto const* applied = std::get_if<AppliedWith<Response>>(&outcome)) {
                checks_.acknowledged(number, applied->position);
                auto& operation = history_.at(number);
                end(operation, workload_.answer_of(operation.action, applied->response));
            } else if (auto const* refused = std::get_if<RefusedBecause>(&outcome)) {
                take_for_refused(client, number, *refused);
            } else {
                checks_.left_open(number);
            }
        });
    }

    /// A read without an answer is forgotten. None is ever applied; for the checks it is a proposal that was not.
    template <typename Node, typename Read>
    void ask_to_read(std::size_t client, std::uint64_t number, Node& node, Machine const& machine, Read read)
    {
        auto const server = turned_to_[client];
        read(node, [this, client, server, number, &machine](ReadOutcome const& outcome) {
            open_[server].erase(number);
            if (auto const* refused = std::get_if<RefusedBecause>(&outcome))
                return take_for_refused(client, number, *refused);
            checks_.left_open(number);
            if (not std::holds_alternative<ReadableNow>(outcome))
                return static_cast<void>(history_.erase(number));
            auto& operation = history_.at(number);
            end(operation, workload_.read(machine, operation.action));
        });
    }

    void end(linearizability::Operation<Object>& operation, typename Object::Answer answer)
    {
        operation.ended = {moment_, std::move(answer)};
        ++answered_;
    }

    void take_for_refused(std::size_t client, std::uint64_t number, RefusedBecause const& refused)
    {
        checks_.refused(number);
        history_.erase(number);
        turned_to_[client] =
            refused.leader == nobody ? any_server() : static_cast<std::size_t>(refused.leader.value - 1);
    }

    Workload                             workload_;
    ClientOptions                        options_;
    testing::Prng                        random_;
    Checks&                              checks_;
    std::vector<std::size_t>             turned_to_; ///< The server that each client takes for the leader.
    std::vector<std::size_t>             alive_;     ///< Servers that clients can turn to.
    std::vector<std::set<std::uint64_t>> open_;      ///< Proposals that wait at each server.
    std::map<std::uint64_t, linearizability::Operation<Object>>
                            history_; ///< By number; without what certainly had no effect.
    std::vector<Plan>       plans_;
    linearizability::Moment moment_ = 0;
    std::uint64_t           answered_ = 0;
    bool                    stopped_ = false;
};

} // namespace totora::inline v0::simulate
