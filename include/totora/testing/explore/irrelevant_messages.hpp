// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/global_state.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <variant>

namespace totora::inline v0::explore
{

// Messages that can never again change anything are dropped. No rule of ours decides which: the shipped step is run.
//
// Responses. Delivered to its receiver as it is now, the response changes nothing and nothing is sent. If its term is
// below the one on the receiver's disk, this stays so: that term never goes back, not even in a crash, and of a
// response of an earlier term a server looks at nothing but the term. If it is the one on the receiver's disk, this
// stays so as well: the term's candidacy and its votes, its leader's `match`, `since` and read rounds are all that a
// response is compared with, and they only grow within the term. (The rejection of an append is compared with `next`
// too, which does not; only an outdated one is dropped. The response about a
// snapshot is compared with what a follower is sent; none is dropped.) The step is run on the present state, and on everything that
// can happen to the receiver next without a message: alarms, writes, and losses of power.
//
// Responses to pre-votes. They are compared with the round of the candidate, whatever their term, and rounds only grow;
// but a server that lost its power begins with the first one again. So none is dropped where a server can crash.
//
// Requests. The response to a request of an earlier term carries the receiver's own term. Where no term above it can
// come within the scope, that response is known, and the request is irrelevant if it changes nothing and the response
// is irrelevant to its receiver: the sender's disk holds this last term too, and the sender stays a follower in it. An
// append of the last term itself is irrelevant in the same way if its response is: within a term a log only grows.
// Requests for a vote are not, however often they were rejected: that a vote stays given is what an exploration is to
// find out.
//
// Where members change, a leader's followers are those of its configuration: what it ignores or knows already, of a server that is no
// member or ceases to be one, it may use later in its term, when that server is a member again. So no response to an append of its term
// is dropped there while it leads. All else holds as it stands: the configuration of a candidate, and of a pre-candidate in its round,
// stays the same, since only followers and leaders append or truncate; `not_a_member` of a response to a pre-vote counts in its round alone.
//
// A server that is asked to campaign does not answer. If it is asked in a term below the one on its disk, it never will; in that term it
// may come to hold what the message speaks of.
//
// Subsumed. Two requests of terms below the one on the receiver's disk get the same rejection. The step is run to see
// whether the receiver does with the oldest and emptiest request of its kind what it does with this one; then that one
// represents it.
class IrrelevantMessages
{
public:
    IrrelevantMessages(Scope const& scope, StepCache& steps) : scope_(&scope), steps_(&steps) {}

    void drop_from(GlobalState& global)
    {
        if (not scope_->reductions.irrelevant_messages and not scope_->reductions.stale_requests)
            return;
        auto const last_term = highest_term(global);
        auto       kept = std::uint32_t{0};
        auto       changed = false;
        for (auto at = std::size_t{0}; at < global.in_flight; ++at) {
            auto       message = global.messages[at];
            auto const address = steps_->address_of(message);
            auto const over = steps_->facts_of(global.servers[address.to]).disk_term;
            if (address.term <= over and scope_->reductions.irrelevant_messages and
                (address.is_request ? is_irrelevant_request(global, message, address, last_term)
                                    : is_irrelevant_response(global.servers[address.to], message)))
                continue;
            if (address.term < over and scope_->reductions.stale_requests and address.is_request) {
                auto const other = subsumed(global.servers[address.to], message);
                changed = changed or other != message;
                message = other;
            }
            global.messages[kept++] = message;
        }
        global.in_flight = kept;
        if (changed)
            put_in_order(global, scope_->duplicates == any_number);
    }

private:
    [[nodiscard]] bool is_irrelevant_response(std::uint32_t server, std::uint32_t message)
    {
        auto known = irrelevant_responses_.find(server, message);
        if (known == testing::PairMap::unknown) {
            known = find_irrelevant_response(server, message) ? 1 : 0;
            irrelevant_responses_.insert(server, message, known);
        }
        return known != 0;
    }

    [[nodiscard]] bool is_idle(std::uint32_t server, std::uint32_t message)
    {
        auto const& step = steps_->step(server, {Event::deliver, message});
        return step.is_idle and not step.broken;
    }

    [[nodiscard]] bool find_irrelevant_response(std::uint32_t server, std::uint32_t message)
    {
        if (not is_idle(server, message))
            return false;
        auto const facts = steps_->facts_of(server);
        auto const address = steps_->address_of(message);
        if (address.is_pre_vote_answer and scope_->crashes != 0)
            return false;
        if (address.term < facts.disk_term)
            return true;
        if (address.is_snapshot_answer or address.is_timeout_now or (address.is_refusal and not address.is_outdated))
            return false;
        if (has_changes(*scope_) and facts.is_leader)
            return false;
        auto const stays_idle = [&](Happens happens) {
            auto const& step = steps_->step(server, happens);
            return step.broken or is_idle(step.after, message);
        };
        for (auto alarm = std::uint32_t{0}; alarm < alarm_kinds; ++alarm)
            if ((facts.armed >> alarm & 1U) != 0 and not stays_idle({Event::ring, alarm}))
                return false;
        for (auto count = std::uint32_t{1}; count <= facts.writes; ++count)
            if (not stays_idle({Event::persist, count}))
                return false;
        for (auto kept = std::uint32_t{0}; kept <= facts.writes; ++kept)
            if (not stays_idle({Event::crash, kept}))
                return false;
        return true;
    }

    [[nodiscard]] bool
    is_irrelevant_request(GlobalState const& global, std::uint32_t message, Address const& address, Term last_term)
    {
        if (scope_->wipes != 0)
            return false; // The response may reach another life of the asker.
        auto const  asker = global.servers[address.from];
        auto const  receiver = global.servers[address.to];
        auto const& facts = steps_->facts_of(asker);
        auto const  is_over = address.term < steps_->facts_of(receiver).disk_term;
        if (facts.disk_term != last_term or steps_->facts_of(receiver).disk_term != last_term or
            (is_over ? not facts.is_follower : not address.is_append))
            return false;
        auto const& step = steps_->step(receiver, {Event::deliver, message});
        if (step.broken or step.after != receiver)
            return false;
        return std::all_of(step.left.begin(), step.left.end(), [&](std::uint32_t answer) {
            return steps_->address_of(answer).to == address.from and is_irrelevant_response(asker, answer);
        });
    }

    /// The oldest request of its kind, if the receiver does the same with it; else the message itself.
    [[nodiscard]] std::uint32_t subsumed(std::uint32_t server, std::uint32_t message)
    {
        auto known = subsumed_.find(server, message);
        if (known == testing::PairMap::unknown) {
            auto const oldest = steps_->number_of(oldest_of(steps_->messages().value_of(message)));
            known = oldest == message or is_same_step(server, message, oldest) ? oldest : message;
            subsumed_.insert(server, message, known);
        }
        return known;
    }

    [[nodiscard]] static InFlight oldest_of(InFlight request)
    {
        request.configurations.clear();
        if (std::holds_alternative<AppendEntries>(request.rpc))
            request.rpc = Rpc{AppendEntries{.term = Term{1},
                                            .previous = {},
                                            .entries = {Term{1}, Index{1}, 0},
                                            .leader_commit = {},
                                            .round = {},
                                            .number = {}}};
        else if (std::holds_alternative<InstallSnapshot>(request.rpc))
            request.rpc =
                Rpc{InstallSnapshot{.term = Term{1}, .snapshot = {{Term{1}, Index{1}}, 1, 0}, .offset = 0, .bytes = 0}};
        else if (std::holds_alternative<RequestVote>(request.rpc))
            request.rpc = Rpc{RequestVote{.term = Term{1}, .last_log = {}}};
        return request;
    }

    /// Whether a server does the same with two messages.
    [[nodiscard]] bool is_same_step(std::uint32_t server, std::uint32_t message, std::uint32_t other)
    {
        auto const& does = steps_->step(server, {Event::deliver, message});
        auto const& would = steps_->step(server, {Event::deliver, other});
        return not does.broken and not would.broken and does.after == would.after and does.left == would.left and
               does.outdated == would.outdated;
    }

    /// No server will ever enter a higher term.
    [[nodiscard]] Term highest_term(GlobalState const& global) const
    {
        auto highest = Term{};
        for (auto at = std::size_t{0}; at < scope_->servers; ++at)
            highest = std::max(highest, steps_->facts_of(global.servers[at]).term);
        for (auto const message : global)
            highest = std::max(highest, steps_->address_of(message).term);
        // A leader that hands over or is removed asks another one to campaign, which no bound counts: the one that campaigns enters the term after
        // the leader's.
        auto const handed_over = std::uint64_t{scope_->changes} + scope_->transfers;
        auto const by_terms = Term{scope_->terms == any_number ? number_max : scope_->terms + handed_over};
        if (scope_->elections == any_number or scope_->changes == any_number or scope_->transfers == any_number)
            return by_terms;
        highest.value += scope_->elections - global.spent.of(Budget::elections) + handed_over;
        return std::min(highest, by_terms);
    }

    Scope const*     scope_;
    StepCache*       steps_;
    testing::PairMap irrelevant_responses_;
    testing::PairMap subsumed_;
};

} // namespace totora::inline v0::explore
