// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/testing/simulate/process_scheduler.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// Asks servers for what operators ask for, and has the answers checked.
template <typename Run>
class Operator
{
public:
    Operator(Run& run, ProcessScheduler<Run>& turns) : run_(run), turns_(turns) {}

    /// Whether a server can be asked now.
    [[nodiscard]] bool is_there(std::size_t number) const
    {
        auto const& server = run_.cluster[number];
        return server.process and not server.paused;
    }

    /// The leader of the newest term.
    [[nodiscard]] std::optional<std::size_t> newest_leader() const
    {
        auto newest = std::optional<std::size_t>{};
        for (auto number = std::size_t{0}; number < run_.cluster.size(); ++number)
            if (is_there(number) and is_leader(state(number)) and
                (not newest or state(number).current_term > state(*newest).current_term))
                newest = number;
        return newest;
    }

    [[nodiscard]] State const& state(std::size_t number) const { return run_.cluster[number].process->node.state(); }

    /// The number of the request.
    std::size_t change(std::size_t number, WantedMembers wanted)
    {
        auto const request = run_.checks.asked(number, wanted.peers);
        node(number).change_members(std::move(wanted), [&checks = run_.checks, request](ChangeOutcome const& outcome) {
            checks.change_ended(request, outcome);
        });
        turn(number);
        return request;
    }

    void cancel(std::size_t number)
    {
        auto const request = run_.checks.asked(number);
        node(number).cancel_change(
            [&checks = run_.checks, request](ChangeOutcome const& outcome) { checks.change_ended(request, outcome); });
        turn(number);
    }

    void transfer(std::size_t number, ServerId to)
    {
        auto const term = state(number).current_term;
        auto const request = run_.checks.asked(number);
        auto&      asked = node(number);
        asked.transfer_leadership(to, [&checks = run_.checks, &asked, request, term](TransferOutcome const& outcome) {
            auto const leads = asked.is_running() and is_leader(asked.state()) and asked.state().current_term == term;
            checks.transfer_ended(request, outcome, leads);
        });
        turn(number);
    }

    void campaign(std::size_t number)
    {
        node(number).campaign();
        turn(number);
    }

private:
    [[nodiscard]] auto& node(std::size_t number) { return run_.cluster[number].process->node; }

    void turn(std::size_t number) { turns_.turn(number); }

    Run&                   run_;
    ProcessScheduler<Run>& turns_;
};

} // namespace totora::inline v0::simulate
