// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace totora::inline v0::laws
{

// §5.3, the follower's side: Figure 2, "AppendEntries RPC, receiver implementation".

/// The first of these entries that a log does not hold; one after the last if it holds them all. It holds what is compacted.
[[nodiscard]] constexpr Index first_missing(TermRuns const& log, Run const& entries)
{
    auto const first = std::max(entries.first, next(log.base().index));
    if (first > last_of(entries))
        return next(last_of(entries));
    if (log.term_at(first) != entries.term)
        return first;
    auto after_log = next(log.last().index);
    for (auto const& run : log.starts())
        if (run.first > first) {
            after_log = run.first;
            break;
        }
    return std::min(after_log, entries.first + entries.count);
}

/// The last entry of a log that may be the leader's too, if the leader has `previous` and the log does not: of all
/// whose index and term are at most those, the last (end of §5.3), or what is compacted if
/// there is none.
[[nodiscard]] constexpr bool is_last_in_common(TermRuns const& log, LogPosition hint, LogPosition previous)
{
    auto const is_at_most = hint.index <= previous.index and hint.term <= previous.term;
    if (log.term_at(hint.index) != hint.term or not(is_at_most or hint == log.base()))
        return false;
    auto const above = log.term_at(next(hint.index));
    return hint.index == previous.index or not above or *above > previous.term;
}

/// When a response that acknowledges `match` may leave: what it rests on, and nothing more, is durable.
[[nodiscard]] constexpr bool rests_on_log(Envelope const& envelope, State const& state, Index match)
{
    auto needed = state.writes.of_term;
    if (match > state.writes.durable_index)
        for (auto const& pending : state.writes.pending)
            if (pending.last >= match) {
                needed = std::max(needed, pending.write);
                break;
            }
    auto const awaited = envelope.release().awaits();
    return needed <= state.writes.durable ? not awaited : awaited == needed;
}

/// What a follower does with entries if it has the one before them.
constexpr void check_entries(Step const& step, AppendEntries const& append, StepVerdict& verdict)
{
    auto const&     log = step.after.log;
    auto const      missing = first_missing(step.before.log, append.entries);
    auto const      last = last_of(append.entries);
    Append const*   appended = nullptr;
    Truncate const* truncated = nullptr;
    for (auto const& write : step.outgoing.writes) {
        appended = std::get_if<Append>(&write) != nullptr ? std::get_if<Append>(&write) : appended;
        truncated = std::get_if<Truncate>(&write) != nullptr ? std::get_if<Truncate>(&write) : truncated;
    }
    if (missing > last) {
        verdict.expect(log == step.before.log and appended == nullptr and truncated == nullptr,
                       "entries that a log holds already change nothing of it");
    } else {
        verdict.expect(log.last() == LogPosition{append.entries.term, last} and
                           log.term_at(missing) == append.entries.term and
                           log.term_at(before(missing)) == step.before.log.term_at(before(missing)),
                       "what a log lacks of the entries is appended, in place of what conflicts");
        verdict.expect(appended != nullptr and appended->entries.first == missing and
                           last_of(appended->entries) == last and not appended->kind,
                       "what is appended is written");
        verdict.expect((truncated != nullptr) == (missing <= step.before.log.last().index) and
                           (truncated == nullptr or truncated->first == missing),
                       "what conflicts is removed, and nothing else is");
    }
    verdict.expect(step.after.commit_index == std::max(step.before.commit_index, std::min(append.leader_commit, last)),
                   "a follower commits what its leader has committed, as far as it was compared");
}

constexpr void check_acceptance(Step const& step, AppendEntries const& append, AppendEntriesResponse const& response,
                                StepVerdict& verdict)
{
    auto const last = last_of(append.entries);
    auto const match = append.entries.count > 0 ? last : std::min(last, step.after.writes.durable_index);
    verdict.expect(response.success and response.match == match,
                   "a follower reports up to where it compared its log; without entries, what of that is durable");
    verdict.expect(rests_on_log(step.outgoing.messages.front(), step.after, match),
                   "an acceptance waits for what it promises, and for nothing more");
    verdict.expect(not response.no_room or response.conflict_hint == append.previous,
                   "a follower without room reports where its log was compared");
    check_entries(step, append, verdict);
}

constexpr void check_refusal(Step const& step, AppendEntries const& append, AppendEntriesResponse const& response,
                             StepVerdict& verdict)
{
    verdict.expect(not response.success and response.match == append.previous.index,
                   "a follower refuses what does not follow its log");
    verdict.expect(is_last_in_common(step.before.log, response.conflict_hint, append.previous),
                   "a refusal names what the logs may have in common");
    verdict.expect(step.before.log == step.after.log and step.before.commit_index == step.after.commit_index,
                   "an append that is refused changes neither log nor commit index");
    verdict.expect(is_noted(step.outgoing, Decision::append_refused_mismatch), "a refusal is noted");
}

constexpr void check(Step const& step, AppendEntries const& append, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const* response = only_message<AppendEntriesResponse>(step.outgoing, step.from);
    if (append.term < before.current_term) {
        verdict.expect(before == step.after and step.outgoing.writes.empty(),
                       "an append of an older term changes nothing");
        return verdict.expect(response != nullptr and not response->success and
                                  response->term == before.current_term and response->number == AppendNumber{},
                              "an append of an older term is answered with the newer one, and with nothing else");
    }
    if (check_newer_term(step, append.term, true, verdict))
        return;
    auto const* follower = std::get_if<Follower>(&step.after.role);
    verdict.expect(follower != nullptr and follower->leader == step.from and step.after.leader_recently_active,
                   "who leads the term is followed");
    verdict.expect(is_armed_by(step.outgoing, Alarm::election) and is_armed_by(step.outgoing, Alarm::leader_silent),
                   "a server that receives from a leader waits for it again");
    verdict.expect(append.term > before.current_term ? not step.after.voted_for
                                                     : step.after.voted_for == before.voted_for,
                   "an append changes no vote in its term");
    if (response == nullptr)
        return verdict.expect(false, "an append is answered");
    verdict.expect(response->term == append.term and response->round == append.round and
                       response->number == append.number,
                   "an answer names the term, the round and the number of its append");
    verdict.expect(response->no_room == (before.room != LogRoom::enough), "a follower reports whether it has room");
    auto const is_compacted = append.previous.index < before.log.base().index;
    if (is_compacted or before.log.term_at(append.previous.index) == append.previous.term)
        check_acceptance(step, append, *response, verdict);
    else
        check_refusal(step, append, *response, verdict);
}

} // namespace totora::inline v0::laws
