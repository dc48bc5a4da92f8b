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
#include "totora/testing/laws/judgement.hpp"
#include "totora/testing/laws/leading.hpp"
#include "totora/testing/laws/sending_snapshots.hpp"
#include "totora/testing/laws/snapshots.hpp"
#include "totora/testing/laws/voting.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

namespace totora::inline v0::laws
{

constexpr void judge(Step const& step, AlarmRang const& ring, Judgement& judgement)
{
    auto const  kind = static_cast<std::size_t>(ring.alarm);
    auto const* leader = std::get_if<Leader>(&step.before.role);
    if (kind >= alarm_kinds or ring.arming != step.before.alarms.armings[kind])
        return judgement.expect(changes_nothing(step), "only the newest arming of an alarm rings");
    switch (ring.alarm) {
    case Alarm::election:
        return leader == nullptr ? judge_campaign(step, judgement) : void();
    case Alarm::quorum_check:
        return leader != nullptr ? judge_quorum_check(step, *leader, judgement) : void();
    case Alarm::storage_stall:
        return judge_storage_stall(step, judgement);
    case Alarm::leader_silent:
        return judgement.expect(not step.after.leader_recently_active,
                                "a leader that sent nothing is not recently active");
    case Alarm::replay:
        return judgement.expect(not step.after.replaying, "a start has an end");
    case Alarm::heartbeat:
        if (leader == nullptr)
            return;
        judge_lead_without_room(step, step.before.room, judgement);
        if (not is<Leader>(step.after))
            return;
        judge_heartbeats(step, judgement);
        judge_questions_about_chunks(step, judgement);
    }
}

constexpr void judge(Step const& step, LinkChanged const& changed, Judgement& judgement)
{
    auto const* progress = progress_of(step.after, changed.server);
    judgement.expect(progress == nullptr or progress->link_full == (changed.link == Link::full),
                     "a leader knows which queues are full");
}

constexpr void judge(Step const& step, AppendsCut const& cut, Judgement& judgement)
{
    auto const* earlier = progress_of(step.before, cut.server);
    auto const* progress = progress_of(step.after, cut.server);
    judgement.expect(progress == nullptr or progress->paused, "a leader knows to whom entries are held back");
    if (earlier == nullptr or progress == nullptr)
        return;
    auto const all_was_sent = cut.sent >= before(earlier->next);
    judgement.expect(progress->next == (all_was_sent ? earlier->next : std::max(next(progress->match), next(cut.sent))),
                     "what is sent next is what was not sent");
}

constexpr void judge(Step const& step, AppendsResumed const& resumed, Judgement& judgement)
{
    auto const* progress = progress_of(step.after, resumed.server);
    judgement.expect(progress == nullptr or not progress->paused, "a leader knows to whom entries go again");
}

constexpr void judge(Step const& step, LinkMoved const& moved, Judgement& judgement)
{
    auto const* progress = progress_of(step.after, moved.server);
    judgement.expect(progress == nullptr or progress->moving, "a leader knows to whom something moves");
}

constexpr void judge(Step const& step, Replayed const&, Judgement& judgement)
{
    judgement.expect(not step.after.replaying, "who has applied its log has started");
    judgement.expect(not step.before.replaying or not is<Follower>(step.after) or
                         is_armed_by(step.outgoing, Alarm::election),
                     "who has applied its log waits no longer than others");
}

constexpr void judge(Step const& step, Started const&, Judgement& judgement)
{
    judgement.expect(is<Leader>(step.after) or
                         (step.after.leader_recently_active and is_armed_by(step.outgoing, Alarm::election)),
                     "who starts may have promised something to a leader just before");
}

constexpr void judge(Step const&, Halted const&, Judgement&) {}

/// What is checked in every step, whatever happened.
constexpr void judge_any(Step const& step, ServerId answering, Judgement& judgement)
{
    auto const& after = step.after;
    judge_roles(step, judgement);
    judge_beginning(step, judgement);
    judge_knowledge(step, answering, judgement);
    judge_commit(step, judgement);
    judge_storage_watch(step, judgement);
    judge_machine(step, judgement);
    judge_source(step, judgement);
    auto const is_same_log = step.before.log.last() == after.log.last() and step.before.log.base() == after.log.base();
    judgement.expect(is_same_log or not step.outgoing.writes.empty(), "what changes in the log is written");
    for (auto const& envelope : step.outgoing.messages) {
        if (auto const* append = std::get_if<AppendEntries>(&envelope.rpc()))
            judge_append_sent(step, envelope.to(), *append, judgement);
        if (auto const* chunk = std::get_if<InstallSnapshot>(&envelope.rpc()))
            judge_chunk_sent(step, envelope.to(), *chunk, judgement);
        if (auto const* response = std::get_if<InstallSnapshotResponse>(&envelope.rpc()))
            judgement.expect(response->match > Index{} ? rests_on_log(envelope, after, response->match)
                                                       : not envelope.release().awaits(),
                             "a snapshot's answer waits for what it promises, and for nothing more");
        if (std::holds_alternative<RequestVote>(envelope.rpc()))
            judgement.expect(is<Candidate>(after) and rests_on_log(envelope, after, Index{}),
                             "a candidate's request waits for its own vote, and for nothing more");
        if (auto const* response = std::get_if<RequestVoteResponse>(&envelope.rpc()))
            judgement.expect(response->vote_granted ? rests_on_log(envelope, after, Index{})
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
    auto       judgement = Judgement{};
    if (std::any_of(outgoing.decisions.begin(), outgoing.decisions.end(), is_violation)) {
        judgement.expect(changes_nothing(step), "what no server can send changes nothing, and is not answered");
        if constexpr (requires { happened.term; })
            judgement.expect(not is_noted(outgoing, Decision::violation_term_jump) or
                                 not can_have_been_reached(before, happened.term),
                             "a term that elections can have reached is accepted");
        return judgement.broken();
    }
    judge(step, happened, judgement);
    judge_any(step, from, judgement);
    if (not std::is_same_v<T, Started>)
        judge_reads(step, judgement);
    return judgement.broken();
}

template <typename... Ts>
[[nodiscard]] constexpr std::optional<std::string_view>
find_violated_law(State const& before, ServerId from, std::variant<Ts...> const& happened, State const& after,
                  Outgoing const& outgoing)
{
    return std::visit([&](auto const& one) { return find_violated_law(before, from, one, after, outgoing); }, happened);
}

} // namespace totora::inline v0::laws
