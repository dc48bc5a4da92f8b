// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/message.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/appending.hpp"
#include "totora/testing/laws/disk.hpp"
#include "totora/testing/laws/leading.hpp"
#include "totora/testing/laws/membership.hpp"
#include "totora/testing/laws/sending_snapshots.hpp"
#include "totora/testing/laws/snapshots.hpp"
#include "totora/testing/laws/step_verdict.hpp"
#include "totora/testing/laws/transferring.hpp"
#include "totora/testing/laws/voting.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace totora::inline v0::laws
{

constexpr void check(Step const& step, AlarmRang const& ring, StepVerdict& verdict)
{
    auto const  kind = static_cast<std::size_t>(ring.alarm);
    auto const* leader = std::get_if<Leader>(&step.before.role);
    if (kind >= alarm_kinds or ring.arming != step.before.alarms.armings[kind])
        return verdict.expect(changes_nothing(step), "only the newest arming of an alarm rings");
    switch (ring.alarm) {
    case Alarm::election:
        return leader == nullptr ? check_campaign(step, verdict) : void();
    case Alarm::quorum_check:
        return leader != nullptr ? check_quorum_check(step, *leader, verdict) : void();
    case Alarm::storage_stall:
        return check_storage_stall(step, verdict);
    case Alarm::leader_silent:
        return verdict.expect(not step.after.leader_recently_active,
                              "a leader that sent nothing is not recently active");
    case Alarm::replay:
        return verdict.expect(not step.after.replaying, "a start has an end");
    case Alarm::catch_up:
        return;
    case Alarm::transfer:
        return verdict.expect(leader == nullptr or not is<Leader>(step.after) or
                                  std::get_if<Leader>(&step.after.role)->successor == nobody,
                              "a transfer has an end");
    case Alarm::heartbeat:
        if (leader == nullptr)
            return;
        check_lead_without_room(step, step.before.room, verdict);
        if (not is<Leader>(step.after))
            return;
        check_heartbeats(step, verdict);
        check_questions_about_chunks(step, verdict);
    }
}

constexpr void check(Step const& step, LinkChanged const& changed, StepVerdict& verdict)
{
    auto const* progress = progress_of(step.after, changed.server);
    verdict.expect(progress == nullptr or progress->link_full == (changed.link == Link::full),
                   "a leader knows which queues are full");
}

constexpr void check(Step const& step, AppendsCut const& cut, StepVerdict& verdict)
{
    auto const* earlier = progress_of(step.before, cut.server);
    auto const* progress = progress_of(step.after, cut.server);
    verdict.expect(progress == nullptr or progress->paused, "a leader knows to whom entries are held back");
    if (earlier == nullptr or progress == nullptr)
        return;
    auto const all_was_sent = cut.sent >= before(earlier->next);
    verdict.expect(progress->next == (all_was_sent ? earlier->next : std::max(next(progress->match), next(cut.sent))),
                   "what is sent next is what was not sent");
}

constexpr void check(Step const& step, AppendsResumed const& resumed, StepVerdict& verdict)
{
    auto const* progress = progress_of(step.after, resumed.server);
    verdict.expect(progress == nullptr or not progress->paused, "a leader knows to whom entries go again");
}

constexpr void check(Step const& step, Announced const& announced, StepVerdict& verdict)
{
    auto const* progress = progress_of(step.after, announced.server);
    verdict.expect(progress == nullptr or progress->announced == announced.can, "a leader knows what a member can");
    verdict.expect(step.before.configurations.in_force == step.after.configurations.in_force or is<Leader>(step.before),
                   "a leader agrees, and nobody else");
}

constexpr void check(Step const& step, LinkMoved const& moved, StepVerdict& verdict)
{
    auto const* progress = progress_of(step.after, moved.server);
    verdict.expect(progress == nullptr or progress->moving, "a leader knows to whom something moves");
}

constexpr void check(Step const& step, Replayed const&, StepVerdict& verdict)
{
    verdict.expect(not step.after.replaying, "who has applied its log has started");
    verdict.expect(not step.before.replaying or not is<Follower>(step.after) or
                       is_armed_by(step.outgoing, Alarm::election),
                   "who has applied its log waits no longer than others");
}

constexpr void check(Step const& step, Started const&, StepVerdict& verdict)
{
    verdict.expect(is<Leader>(step.after) or
                       (step.after.leader_recently_active and is_armed_by(step.outgoing, Alarm::election)),
                   "who starts may have promised something to a leader just before");
}

constexpr void check(Step const&, Halted const&, StepVerdict&) {}

/// What is checked in every step, whatever happened.
constexpr void check_any(Step const& step, ServerId answering, StepVerdict& verdict)
{
    auto const& after = step.after;
    check_roles(step, verdict);
    check_membership(step, verdict);
    check_beginning(step, verdict);
    check_knowledge(step, answering, verdict);
    check_commit(step, verdict);
    check_storage_watch(step, verdict);
    check_machine(step, verdict);
    check_source(step, verdict);
    auto const is_same_log = step.before.log.last() == after.log.last() and step.before.log.base() == after.log.base();
    verdict.expect(is_same_log or not step.outgoing.writes.empty(), "what changes in the log is written");
    for (auto const& envelope : step.outgoing.messages) {
        if (auto const* append = std::get_if<AppendEntries>(&envelope.rpc()))
            check_append_sent(step, envelope.to(), *append, verdict);
        if (auto const* chunk = std::get_if<InstallSnapshot>(&envelope.rpc()))
            check_chunk_sent(step, envelope.to(), *chunk, verdict);
        if (auto const* response = std::get_if<InstallSnapshotResponse>(&envelope.rpc()))
            verdict.expect(response->match > Index{} ? rests_on_log(envelope, after, response->match)
                                                     : not envelope.release().awaits(),
                           "a snapshot's answer waits for what it promises, and for nothing more");
        if (auto const* request = std::get_if<TimeoutNow>(&envelope.rpc()))
            check_timeout_now_sent(step, envelope.to(), *request, verdict);
        if (std::holds_alternative<RequestVote>(envelope.rpc()))
            verdict.expect(is<Candidate>(after) and rests_on_log(envelope, after, Index{}),
                           "a candidate's request waits for its own vote, and for nothing more");
        if (auto const* response = std::get_if<RequestVoteResponse>(&envelope.rpc()))
            verdict.expect(response->vote_granted ? rests_on_log(envelope, after, Index{})
                                                  : not envelope.release().awaits(),
                           "a vote waits until it is durable, and a refusal for nothing");
    }
}

/// The law that a step breaks, if any. `happened` is the input of the core, from `from`.
template <typename T>
[[nodiscard]] constexpr std::optional<std::string_view>
find_violated_law(State const& before, ServerId from, T const& happened, State const& after, Outgoing const& outgoing)
{
    if (before.fault or after.fault)
        return std::nullopt;
    auto const step = Step{before, from, after, outgoing};
    auto       verdict = StepVerdict{};
    if (std::any_of(outgoing.decisions.begin(), outgoing.decisions.end(), is_violation)) {
        verdict.expect(changes_nothing(step), "what no server can send changes nothing, and is not answered");
        if constexpr (requires { happened.term; })
            verdict.expect(not is_noted(outgoing, Decision::violation_term_jump) or
                               not can_have_been_reached(before, happened.term),
                           "a term that elections can have reached is accepted");
        return verdict.broken();
    }
    check(step, happened, verdict);
    check_any(step, from, verdict);
    if (not std::is_same_v<T, Started>)
        check_reads(step, verdict);
    return verdict.broken();
}

template <typename... Ts>
[[nodiscard]] constexpr std::optional<std::string_view>
find_violated_law(State const& before, ServerId from, std::variant<Ts...> const& happened, State const& after,
                  Outgoing const& outgoing)
{
    return std::visit([&](auto const& one) { return find_violated_law(before, from, one, after, outgoing); }, happened);
}

} // namespace totora::inline v0::laws
