// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/global_state.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace totora::inline v0::explore
{

// Messages that can never again change anything are dropped. No rule of ours decides which: the shipped step is asked.
//
// Responses. Delivered to its receiver as it is now, the response changes nothing and nothing is sent. If its term is below the one
// on the receiver's disk, this stays so: that term never goes back, not even in a crash, and of an answer whose term is
// over a server looks at nothing but the term. If it is the one on the receiver's disk, this stays so as well: the
// term's candidacy and its votes, its leader's `match`, `since` and read rounds are all that an answer is compared with,
// and they only grow within the term. (The refusal of an append is compared with `next` too, which does not; only an
// outdated one is dropped. The answer about a snapshot is compared with what a follower is sent; none is dropped.) The step is asked about the present, and about everything that can happen to the receiver
// next without a message: alarms, writes, and losses of power.
//
// Answers to pre-votes. They are compared with the round of the asker, whatever their term, and rounds only grow; but a server
// that lost its power begins with the first one again. So none is dropped where somebody can crash.
//
// Requests. The response to a request whose term is over carries the receiver's own term. Where no term above it can come within
// the scope, that answer is known, and the request is irrelevant if it changes nothing and the answer is irrelevant to whoever
// gets it: the asker's disk holds this last term too, and the asker stays a follower in it. An append of the last term itself
// is irrelevant in the same way if its answer is: within a term a log only grows. Requests for a vote are not, however often
// they were refused: that a vote stays given is what an exploration is to find out.
//
// Subsumed. Two requests whose terms are over for the receiver's disk are answered by the same refusal. The step is asked whether
// the receiver does with the oldest and emptiest request of its kind what it does with this one; then that one stands
// for it.
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
        if (address.is_snapshot_answer or (address.is_refusal and not address.is_outdated))
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
        auto const  asker = global.servers[address.from];
        auto const  asked = global.servers[address.to];
        auto const& facts = steps_->facts_of(asker);
        auto const  is_over = address.term < steps_->facts_of(asked).disk_term;
        if (facts.disk_term != last_term or steps_->facts_of(asked).disk_term != last_term or
            (is_over ? not facts.is_follower : not address.is_append))
            return false;
        auto const& step = steps_->step(asked, {Event::deliver, message});
        if (step.broken or step.after != asked)
            return false;
        auto const answers = step.left;
        return std::all_of(answers.begin(), answers.end(), [&](std::uint32_t answer) {
            return steps_->address_of(answer).to == address.from and is_irrelevant_response(asker, answer);
        });
    }

    /// The oldest request of its kind, if the receiver does the same with it.
    [[nodiscard]] std::uint32_t subsumed(std::uint32_t server, std::uint32_t message)
    {
        while (oldest_.size() <= message) {
            auto oldest = steps_->messages().value_of(static_cast<std::uint32_t>(oldest_.size()));
            if (std::holds_alternative<AppendEntries>(oldest.rpc))
                oldest.rpc = Rpc{AppendEntries{.term = Term{1},
                                               .previous = {},
                                               .entries = {Term{1}, Index{1}, 0},
                                               .leader_commit = {},
                                               .round = {},
                                               .number = {}}};
            else if (std::holds_alternative<InstallSnapshot>(oldest.rpc))
                oldest.rpc = Rpc{
                    InstallSnapshot{.term = Term{1}, .snapshot = {{Term{1}, Index{1}}, 1, 0}, .offset = 0, .bytes = 0}};
            else if (std::holds_alternative<RequestVote>(oldest.rpc))
                oldest.rpc = Rpc{RequestVote{.term = Term{1}, .last_log = {}}};
            oldest_.push_back(oldest);
        }
        auto const oldest = steps_->number_of(oldest_[message]);
        if (oldest == message)
            return message;
        auto const does = steps_->step(server, {Event::deliver, message});
        auto const would = steps_->step(server, {Event::deliver, oldest});
        auto const is_same = not does.broken and not would.broken and does.after == would.after and
                             does.left == would.left and does.outdated == would.outdated;
        return is_same ? oldest : message;
    }

    /// No server will ever be in a higher term.
    [[nodiscard]] Term highest_term(GlobalState const& global) const
    {
        auto highest = Term{};
        for (auto at = std::size_t{0}; at < scope_->servers; ++at)
            highest = std::max(highest, steps_->facts_of(global.servers[at]).term);
        for (auto const message : global)
            highest = std::max(highest, steps_->address_of(message).term);
        auto const by_terms = Term{scope_->terms == any_number ? number_max : scope_->terms};
        if (scope_->elections == any_number)
            return by_terms;
        highest.value += scope_->elections - global.spent.of(Budget::elections);
        return std::min(highest, by_terms);
    }

    Scope const*          scope_;
    StepCache*            steps_;
    testing::PairMap      irrelevant_responses_;
    std::vector<InFlight> oldest_; ///< For each message the oldest request of its kind.
};

} // namespace totora::inline v0::explore
