// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/step_verdict.hpp"
#include "totora/testing/laws/voting.hpp"

#include <variant>

namespace totora::inline v0::laws
{

// Dissertation §3.10: how a leader hands over.

/// What a server does that is asked to campaign at once.
constexpr void check(Step const& step, TimeoutNow const& request, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const* follower = std::get_if<Follower>(&before.role);
    auto const  is_newer = request.term > before.current_term;
    auto const  is_asked = (is_newer and before.room != LogRoom::nothing) or
                          (request.term == before.current_term and follower != nullptr and
                           (follower->leader == nobody or follower->leader == step.from));
    auto const is_in_log = before.log.term_at(request.last_log.index) == request.last_log.term;
    auto const holds = (is_in_log or request.last_log == LogPosition{}) and // What comes before the first entry.
                       before.writes.durable_index >= request.last_log.index;
    auto const obeys = is_asked and holds and may_campaign(before) and request.term.value < number_max;
    verdict.expect(is_noted(step.outgoing, Decision::campaign_started) == obeys,
                   "a follower campaigns at once if its leader asks, and it has durably what that speaks of");
    if (obeys)
        return verdict.expect(is<Candidate>(step.after) and step.after.voted_for == step.after.own.id and
                                  step.after.current_term.value == request.term.value + 1,
                              "it asks no pre-vote");
    if (not check_newer_term(step, request.term, true, verdict) and not is_newer)
        verdict.expect(changes_nothing(step), "one that does not count changes nothing");
}

/// What a leader sends to who is to take over, in any step: not before that has all it speaks of.
constexpr void check_timeout_now_sent(Step const& step, ServerId to, TimeoutNow const& request, StepVerdict& verdict)
{
    auto const* leader = std::get_if<Leader>(&step.before.role);
    verdict.expect(leader != nullptr and request.term == step.before.current_term and votes(step.after, to) and
                       to != step.after.own.id,
                   "a leader asks a voter to campaign");
    verdict.expect(step.after.log.term_at(request.last_log.index) == request.last_log.term,
                   "it speaks of an entry of its log");
    auto const* progress = find_progress(step.after, to);
    if (progress != nullptr) // It leads on until the other is elected.
        verdict.expect(request.last_log == step.after.log.last() and progress->match == request.last_log.index,
                       "the target of a transfer has all of the log");
}

constexpr void check(Step const& step, TransferRequested const& asked, StepVerdict& verdict)
{
    auto const* refused = step.outgoing.answer ? std::get_if<Refused>(&*step.outgoing.answer) : nullptr;
    auto const* started = step.outgoing.answer ? std::get_if<TransferStarted>(&*step.outgoing.answer) : nullptr;
    auto const* leader = std::get_if<Leader>(&step.after.role);
    verdict.expect((refused != nullptr) != (started != nullptr), "who asks for a transfer is answered");
    verdict.expect(refused == nullptr or changes_nothing(step), "a transfer that is refused changes nothing");
    verdict.expect(started == nullptr or (is<Leader>(step.before) and votes(step.before, started->to) and
                                          (asked.to == nobody or asked.to == started->to) and leader != nullptr and
                                          leader->successor == started->to),
                   "a leader hands over to the voter that was named");
    verdict.expect(refused == nullptr or not is<Leader>(step.before) or asked.to == nobody or
                       asked.to == step.before.own.id or not votes(step.before, asked.to),
                   "and to any that is named");
}

constexpr void check(Step const& step, CampaignRequested const&, StepVerdict& verdict)
{
    if (is<Leader>(step.before))
        return verdict.expect(changes_nothing(step), "a leader leads on");
    check_campaign(step, verdict);
}

} // namespace totora::inline v0::laws
