// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/testing/explore/walkers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0::explore
{

// One walk over the fields of what an exploration holds. Three walkers use it: one writes bytes, one reads them, one
// exchanges the ids of servers. What it does not visit is the same in every state of an exploration (settings, members),
// or makes an exploration stop (`broken`); that nothing else is left out is asked of every state that is kept: what is
// read back must equal what was written.

template <typename Walker>
void walk(Walker& walker, LogPosition& position)
{
    walker.number(position.term.value);
    walker.number(position.index.value);
}

template <typename Walker>
void walk(Walker& walker, Run& run)
{
    walker.number(run.term.value);
    walker.number(run.first.value);
    walker.number(run.count);
}

template <typename Walker>
void walk(Walker& walker, TermRuns& log)
{
    auto base = log.base();
    auto last = log.last().index;
    auto starts = log.starts();
    auto count = std::uint64_t{starts.size()};
    walk(walker, base);
    walker.number(last.value);
    walker.number(count);
    starts.resize(static_cast<std::size_t>(count));
    for (auto& start : starts) {
        walker.number(start.first.value);
        walker.number(start.term.value);
    }
    if constexpr (Walker::reads) {
        log = TermRuns{base};
        for (auto at = std::size_t{0}; at < starts.size(); ++at) {
            auto const end = at + 1 < starts.size() ? starts[at + 1].first : next(last);
            log.append({starts[at].term, starts[at].first, end.value - starts[at].first.value});
        }
    }
}

template <typename Walker>
void walk(Walker& walker, RequestPreVote& request)
{
    walker.number(request.term.value);
    walk(walker, request.last_log);
    walker.number(request.round.value);
}

template <typename Walker>
void walk(Walker& walker, RequestPreVoteResponse& response)
{
    walker.number(response.term.value);
    walker.number(response.round.value);
    walker.number(response.vote_granted);
}

template <typename Walker>
void walk(Walker& walker, RequestVote& request)
{
    walker.number(request.term.value);
    walk(walker, request.last_log);
    walker.number(request.transfer);
}

template <typename Walker>
void walk(Walker& walker, RequestVoteResponse& response)
{
    walker.number(response.term.value);
    walker.number(response.vote_granted);
}

template <typename Walker>
void walk(Walker& walker, AppendEntries& append)
{
    walker.number(append.term.value);
    walk(walker, append.previous);
    walk(walker, append.entries);
    walker.number(append.leader_commit.value);
    walker.number(append.round.value);
    walker.number(append.number.value);
    walker.number(append.committed.value);
}

template <typename Walker>
void walk(Walker& walker, AppendEntriesResponse& response)
{
    walker.number(response.term.value);
    walker.number(response.success);
    walker.number(response.match.value);
    walk(walker, response.conflict_hint);
    walker.number(response.round.value);
    walker.number(response.number.value);
    walker.number(response.no_room);
}

template <typename Walker>
void walk(Walker& walker, Probe& probe)
{
    walker.number(probe.since.value);
    walker.number(probe.awaiting);
    walker.number(probe.only_asks);
    walker.number(probe.carries);
}

template <typename Walker>
void walk(Walker& walker, Replicate& replicate)
{
    walker.number(replicate.since.value);
}

template <typename Walker>
void walk(Walker& walker, Progress& progress)
{
    walker.server(progress.server);
    walker.number(progress.match.value);
    walker.number(progress.first.value);
    walker.number(progress.next.value);
    walk_variant(walker, progress.mode);
    walker.number(progress.sent.value);
    walker.number(progress.round.value);
    walker.number(progress.recently_active);
    walker.number(progress.acknowledged);
    walker.number(progress.link_full);
    walker.number(progress.paused);
    walker.number(progress.no_room);
    walker.number(progress.moving);
}

template <typename Walker>
void walk(Walker& walker, Follower& follower)
{
    walker.server(follower.leader);
}

template <typename Walker>
void walk(Walker& walker, PreCandidate& asking)
{
    walker.number(asking.round.value);
    walker.set(asking.granted);
}

template <typename Walker>
void walk(Walker& walker, Candidate& candidate)
{
    walker.set(candidate.granted);
}

template <typename Walker>
void walk(Walker& walker, Leader& leader)
{
    walk_all(walker, leader.followers);
    walker.number(leader.reads.newest.value);
    walker.number(leader.reads.confirmed.value);
    walker.number(leader.reads.waiting);
    walker.number(leader.stalled);
}

template <typename Walker>
void walk(Walker& walker, PendingAppend& pending)
{
    walker.number(pending.write.value);
    walker.number(pending.last.value);
}

template <typename Walker>
void walk(Walker& walker, SaveVote& vote)
{
    walker.number(vote.write.value);
    walker.number(vote.term.value);
    walk_optional(walker, vote.voted_for, [&](ServerId& server) { walker.server(server); });
}

template <typename Walker>
void walk(Walker& walker, Append& append)
{
    walker.number(append.write.value);
    walk(walker, append.entries);
    auto kind = append.kind ? static_cast<std::uint64_t>(*append.kind) : 0;
    walker.number(kind);
    append.kind = kind == 0 ? std::optional<EntryKind>{} : std::optional{static_cast<EntryKind>(kind)};
}

template <typename Walker>
void walk(Walker& walker, Truncate& truncate)
{
    walker.number(truncate.write.value);
    walker.number(truncate.first.value);
}

template <typename Walker>
void walk(Walker& walker, Envelope& envelope)
{
    auto to = envelope.to();
    auto awaits = envelope.release().awaits();
    auto rpc = envelope.rpc();
    walker.server(to);
    walk_optional(walker, awaits, [&](WriteNumber& write) { walker.number(write.value); });
    walk_variant(walker, rpc);
    envelope = Envelope{to, rpc, awaits ? Release::once_durable(*awaits) : Release::at_once()};
}

/// What of a state can differ between two states of one exploration.
template <typename Walker>
void walk(Walker& walker, State& state)
{
    walker.server(state.own.id);
    walker.number(state.current_term.value);
    walk_optional(walker, state.voted_for, [&](ServerId& server) { walker.server(server); });
    walk(walker, state.log);
    walker.number(state.writes.last.value);
    walker.number(state.writes.of_term.value);
    walker.number(state.writes.durable.value);
    walker.number(state.writes.durable_index.value);
    walk_all(walker, state.writes.pending);
    walker.number(state.writes.watch.oldest.value);
    walker.number(state.writes.watch.late);
    auto room = static_cast<std::uint64_t>(state.room);
    walker.number(room);
    state.room = static_cast<LogRoom>(room);
    walker.number(state.commit_index.value);
    walker.number(state.apply_index.value);
    walk_variant(walker, state.role);
    walker.number(state.leader_heard);
    walker.number(state.replaying);
    walker.number(state.pre_vote_round.value);
    for (auto& arming : state.alarms.armings)
        walker.number(arming.value);
}

} // namespace totora::inline v0::explore
