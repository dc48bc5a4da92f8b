// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <variant>

namespace totora::inline v0::laws
{

// What a server does about its disk: what is durable, what takes too long, what has no room; and about its alarms.

constexpr void check(Step const& step, Persisted const& persisted, StepVerdict& verdict)
{
    auto const& before = step.before;
    if (persisted.write <= before.writes.durable)
        return verdict.expect(changes_nothing(step), "what is known to be durable is no news");
    auto durable = before.writes.durable_index;
    auto left = std::size_t{0};
    for (auto const& pending : before.writes.pending) {
        durable = pending.write <= persisted.write ? pending.last : durable;
        left += pending.write > persisted.write ? 1U : 0U;
    }
    verdict.expect(step.after.writes.durable == persisted.write and step.after.writes.durable_index == durable,
                   "what the log reports is durable, and every write before it");
    if (is<Candidate>(before)) {
        auto const counts = before.writes.of_term <= persisted.write;
        auto const is_elected = is_majority(before.configurations.in_force, [&](ServerId voter) {
            return before.votes.contains(voter) or (counts and voter == before.own.id);
        });
        verdict.expect(is<Leader>(step.after) == (counts and is_elected),
                       "a candidate's own vote counts when it is durable, and not before");
    }
    // A leader begins with an entry of its own, and goes on with a change of the members whose last step is committed now.
    auto const appends =
        is<Leader>(step.after) and (not is<Leader>(before) or step.after.configurations != before.configurations);
    verdict.expect(step.after.writes.pending.size() == left + (appends ? 1U : 0U), "what is durable is not waited for");
}

/// Whether the voters that satisfy `is`, this leader not counted, are a majority.
template <typename Is>
[[nodiscard]] constexpr bool is_majority_without(State const& state, Is is)
{
    return is_majority(state.configurations.in_force, [&](ServerId server) {
        return server != state.own.id and
               std::any_of(state.followers.begin(), state.followers.end(),
                           [&](Progress const& progress) { return progress.server == server and is(progress); });
    });
}

/// Whether others could continue where this leader has no room: a majority has some, and one of it the whole log (case
/// 67).
[[nodiscard]] constexpr bool could_others_go_on(State const& state)
{
    auto const has_room = [](Progress const& progress) { return progress.recently_active and not progress.no_room; };
    auto const has_all = [&](Progress const& progress) {
        return has_room(progress) and votes(state, progress.server) and progress.match == state.log.last().index;
    };
    return is_majority_without(state, has_room) and
           std::any_of(state.followers.begin(), state.followers.end(), has_all);
}

/// A leader without room checks whether another should lead.
constexpr void check_lead_without_room(Step const& step, LogRoom room, StepVerdict& verdict)
{
    if (not is<Leader>(step.before))
        return;
    if (is_noted(step.outgoing, Decision::stepped_down_removed))
        return; // With room it could go on with a change, and that ended its lead.
    auto const stays = room == LogRoom::enough or not could_others_go_on(step.before);
    verdict.expect(is<Leader>(step.after) == stays and
                       is_noted(step.outgoing, Decision::stepped_down_no_room) == not stays,
                   "a leader without room steps down where others can continue, and only there, and notes it");
}

constexpr void check(Step const& step, RoomChanged const& changed, StepVerdict& verdict)
{
    if (changed.room == step.before.room)
        return verdict.expect(changes_nothing(step), "the same room is no news");
    verdict.expect(step.after.room == changed.room, "a server knows what room its log has");
    auto const had = step.before.room == LogRoom::enough;
    auto const has = changed.room == LogRoom::enough;
    verdict.expect(is_noted(step.outgoing, Decision::room_exhausted) == (had and not has) and
                       is_noted(step.outgoing, Decision::room_regained) == (has and not had),
                   "a log that fills up or has room again is noted");
    check_lead_without_room(step, changed.room, verdict);
    if (changed.room == LogRoom::nothing)
        verdict.expect(is<Follower>(step.after) or is<Leader>(step.after),
                       "a server that can write nothing does not campaign");
}

constexpr void check_storage_stall(Step const& step, StepVerdict& verdict)
{
    auto const& before = step.before;
    if (before.writes.watch.oldest == WriteNumber{})
        return verdict.expect(changes_nothing(step), "where nothing is written nothing is late");
    auto const is_late = before.writes.durable < before.writes.watch.oldest;
    verdict.expect(step.after.writes.watch.late == is_late, "a write that was in flight for a storage stall is late");
    if (not is_late)
        return verdict.expect(before.role == step.after.role, "a disk that keeps up changes no role");
    verdict.expect(not is<PreCandidate>(step.after), "a server that cannot write does not campaign");
    if (not is<Leader>(before))
        return;
    auto const are_ahead = is_majority_without(
        before, [&](Progress const& progress) { return progress.match > before.writes.durable_index; });
    verdict.expect(
        is<Leader>(step.after) == not are_ahead and
            is_noted(step.outgoing, Decision::stepped_down_disk_hangs) == are_ahead,
        "a leader whose disk hangs steps down where a majority without it is ahead, and only there, and notes it");
    verdict.expect(are_ahead or is_armed_by(step.outgoing, Alarm::storage_stall),
                   "a disk that hangs is looked after again");
}

/// Whether entries, or chunks, are outstanding to a follower that responds, and nothing gets through to it (case 94).
[[nodiscard]] constexpr bool stands_still(State const& state, Progress const& progress)
{
    auto const* sending = std::get_if<SendSnapshot>(&progress.mode);
    auto const  waits =
        sending != nullptr and (sending->snapshot == SnapshotId{} or sending->received == sending->snapshot.bytes);
    return not progress.moving and progress.recently_active and not progress.no_room and
           progress.match < state.log.last().index and not waits;
}

/// Dissertation §6.2: a leader without responses from a majority steps down; so does one whose entries get through to
/// no majority.
constexpr void check_quorum_check(Step const& step, Leader const& leader, StepVerdict& verdict)
{
    auto const& before = step.before;
    auto const  is_active = is_majority(before.configurations.in_force, [&](ServerId server) {
        auto const* progress = find_progress(before, server);
        return server == before.own.id or (progress != nullptr and progress->recently_active);
    });
    verdict.expect(is_noted(step.outgoing, Decision::stepped_down_no_quorum) == not is_active and
                       (is_active or is<Follower>(step.after)),
                   "a leader without responses from a majority steps down");
    if (not is_active)
        return;
    auto const gets_through = is_majority(before.configurations.in_force, [&](ServerId server) {
        auto const* progress = find_progress(before, server);
        return server == before.own.id or
               (progress != nullptr and
                (progress->moving or (progress->recently_active and not stands_still(before, *progress))));
    });
    auto const checks = gets_through ? 0 : leader.stalled + 1;
    verdict.expect(is<Leader>(step.after) == (checks < 6),
                   "a leader whose entries get through to no majority steps down, late");
    auto renewed = std::size_t{0};
    for (auto const& progress : before.followers)
        renewed += checks == 3 and stands_still(before, progress) ? 1U : 0U;
    verdict.expect(step.outgoing.links_to_renew.size() == renewed,
                   "links are renewed when entries get through to no majority, and before the lead is given up");
    auto const* still = std::get_if<Leader>(&step.after.role);
    if (still == nullptr)
        return;
    verdict.expect(is_armed_by(step.outgoing, Alarm::quorum_check), "a leader checks its quorum again");
    verdict.expect(still->stalled == checks, "a leader counts how long nothing gets through");
    for (auto const& progress : step.after.followers)
        verdict.expect(not progress.recently_active and not progress.moving,
                       "each check of the quorum counts what came since the one before");
}

/// Every heartbeat goes to all followers; a leader without a response to what it sent probes.
constexpr void check_heartbeats(Step const& step, StepVerdict& verdict)
{
    for (auto const& progress : step.before.followers) {
        auto heartbeats = std::size_t{0};
        auto questions = std::size_t{0};
        for (auto const& envelope : step.outgoing.messages) {
            auto const* append = std::get_if<AppendEntries>(&envelope.rpc());
            if (append == nullptr or envelope.to() != progress.server)
                continue;
            (append->number == AppendNumber{} ? heartbeats : questions) += 1;
            verdict.expect(append->entries.count == 0, "a heartbeat alarm sends no entries");
        }
        verdict.expect(heartbeats == 1, "a heartbeat goes to every follower");
        auto const* probe = std::get_if<Probe>(&progress.mode);
        auto const  is_out = probe != nullptr ? probe->awaiting or progress.paused : progress.first < progress.next;
        auto const  asks = is_out and not progress.acknowledged and not progress.link_full and not progress.no_room and
                          progress.next > step.before.log.base().index;
        verdict.expect(questions == (asks ? 1U : 0U), "a leader probes what has no response, and nothing else");
    }
    verdict.expect(is_armed_by(step.outgoing, Alarm::heartbeat), "a leader continues to send heartbeats");
}

/// What is watched of a disk: any write in flight.
constexpr void check_storage_watch(Step const& step, StepVerdict& verdict)
{
    auto const& after = step.after;
    verdict.expect(not after.settings.watch_storage or after.writes.durable == after.writes.last or
                       after.writes.watch.oldest != WriteNumber{},
                   "a write in flight is watched");
    verdict.expect(not after.writes.watch.late or after.writes.durable < after.writes.watch.oldest,
                   "what is durable is not late");
}

} // namespace totora::inline v0::laws
