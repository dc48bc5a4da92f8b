// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/laws/step_verdict.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

namespace totora::inline v0::laws
{

// §5.3, §5.4.2 and §8, the leader's side: Figure 2, "Leaders"; what it sends, and what it does with the responses.

/// From which number on responses count for what is sent to a follower now.
[[nodiscard]] constexpr AppendNumber spoken_of_since(Progress const& progress)
{
    return std::visit([](auto const& flow) { return flow.since; }, progress.mode);
}

[[nodiscard]] constexpr Progress const* progress_of(State const& state, ServerId server)
{
    return find_progress(state, server);
}

/// A heartbeat may overtake entries: it tests nothing beyond what its follower has acknowledged (case 94).
constexpr void check_heartbeat(AppendEntries const& append, Progress const& progress, StepVerdict& verdict)
{
    verdict.expect(append.entries.count == 0 and append.previous.index <= progress.match and
                       append.leader_commit <= progress.match,
                   "a heartbeat states nothing beyond what its follower has acknowledged");
}

constexpr void
check_numbered(Step const& step, AppendEntries const& append, Progress const& progress, StepVerdict& verdict)
{
    auto const* earlier = progress_of(step.before, progress.server);
    auto const  number_before = earlier != nullptr ? earlier->sent : AppendNumber{};
    verdict.expect(append.number > number_before and append.number <= progress.sent,
                   "appends to a follower are counted");
    verdict.expect(not progress.link_full and not progress.no_room,
                   "nothing that could be dropped goes to a follower that cannot take it");
    verdict.expect(append.entries.count == 0 or not progress.paused, "no entries go where they are held back");
    verdict.expect(append.entries.count <= step.after.settings.append_entries_max,
                   "an append has as many entries as it may");
    verdict.expect(append.previous.index >= progress.match, "what is acknowledged is not sent again");
}

/// All that a leader sends in any step.
constexpr void check_append_sent(Step const& step, ServerId to, AppendEntries const& append, StepVerdict& verdict)
{
    auto const& state = step.after;
    auto const* progress = progress_of(state, to);
    if (progress == nullptr)
        return verdict.expect(is<Leader>(step.before) and is_member(step.before, to) and
                                  (is_noted(step.outgoing, Decision::stepped_down_removed) or not is_member(state, to)),
                              "appends go from leaders to followers");
    auto const is_at_no_entry = append.number == AppendNumber{} and append.previous == LogPosition{};
    verdict.expect(append.term == state.current_term and append.entries.first == next(append.previous.index) and
                       (is_at_no_entry or state.log.term_at(append.previous.index) == append.previous.term),
                   "what a leader sends follows an entry of its log");
    verdict.expect(append.entries.count == 0 or (state.log.term_at(append.entries.first) == append.entries.term and
                                                 state.log.term_at(last_of(append.entries)) == append.entries.term),
                   "the entries that a leader sends are those of its log");
    auto const* leader = std::get_if<Leader>(&state.role);
    auto const* led = std::get_if<Leader>(&step.before.role);
    verdict.expect(append.round <= leader->reads.newest and (led == nullptr or append.round >= led->reads.newest),
                   "an append carries the newest round");
    verdict.expect(append.leader_commit <= state.commit_index and append.committed <= state.commit_index and
                       append.committed >= step.before.commit_index,
                   "a leader sends what it knows to be committed");
    if (append.number == AppendNumber{})
        check_heartbeat(append, *progress, verdict);
    else
        check_numbered(step, append, *progress, verdict);
}

/// Only what its response reports changes what a leader records of a follower.
constexpr void check_knowledge(Step const& step, ServerId answering, StepVerdict& verdict)
{
    if (not is<Leader>(step.before) or not is<Leader>(step.after))
        return;
    for (auto const& progress : step.after.followers) {
        auto const* earlier = progress_of(step.before, progress.server);
        if (earlier == nullptr) {
            verdict.expect(progress.match == Index{} and progress.round == Round{} and
                               not is_member(step.before, progress.server) and is_member(step.after, progress.server),
                           "nothing is known of a newcomer");
            continue;
        }
        verdict.expect(progress.server == answering or
                           (earlier->match == progress.match and earlier->round == progress.round and
                            earlier->no_room == progress.no_room),
                       "only a follower's response reports what it has");
    }
}

/// Figure 2, "Leaders", last rule: the highest entry of its own term that is durable on a majority, itself counted like any other.
constexpr void check_commit(Step const& step, StepVerdict& verdict)
{
    auto const* leader = std::get_if<Leader>(&step.after.role);
    auto const  before = step.before.commit_index;
    if (leader == nullptr or not is<Leader>(step.before))
        return verdict.expect(step.after.commit_index == before or not is<Leader>(step.after),
                              "leaders commit what is replicated, and followers what their leader reports");
    if (step.after.configurations.in_force.index != step.before.configurations.in_force.index)
        return verdict.expect(step.after.commit_index >= before, "what is committed stays committed");
    auto const replicated = Index{highest_of_majority(step.after, step.after.writes.durable_index.value,
                                                      [](Progress const& progress) { return progress.match.value; })};
    auto const commits = replicated > before and step.after.log.term_at(replicated) == step.after.current_term;
    verdict.expect(step.after.commit_index == (commits ? replicated : before),
                   "a leader commits what is durable on a majority, if it is of its own term, at once");
}

/// Dissertation §6.4: reads are allowed when a majority has answered a round that began after they were requested.
constexpr void check_reads(Step const& step, StepVerdict& verdict)
{
    auto const* leader = std::get_if<Leader>(&step.after.role);
    auto const* led = std::get_if<Leader>(&step.before.role);
    auto const& allowed = step.outgoing.read_allowed;
    if (leader == nullptr or led == nullptr)
        return verdict.expect(not allowed or is_noted(step.outgoing, Decision::stepped_down_removed),
                              "only leaders allow reads");
    if (step.after.configurations.in_force.index != step.before.configurations.in_force.index)
        return; // It was answered under another configuration.
    auto const answered = highest_of_majority(step.after, leader->reads.newest.value,
                                              [](Progress const& progress) { return progress.round.value; });
    auto const knows = step.after.log.term_at(step.after.commit_index) == step.after.current_term;
    verdict.expect(leader->reads.confirmed ==
                       (knows ? std::max(led->reads.confirmed, Round{answered}) : led->reads.confirmed),
                   "a round is confirmed when a majority has answered it, and the leader knows what is committed");
    verdict.expect(
        allowed.has_value() == (leader->reads.confirmed != led->reads.confirmed) and
            (not allowed or (allowed->round == leader->reads.confirmed and allowed->index == step.after.commit_index)),
        "the reads of a confirmed round are allowed, at what is committed");
}

constexpr void check(Step const& step, ReadRequested const&, StepVerdict& verdict)
{
    auto const* led = std::get_if<Leader>(&step.before.role);
    auto const* started = step.outgoing.answer ? std::get_if<ReadStarted>(&*step.outgoing.answer) : nullptr;
    auto const* refused = step.outgoing.answer ? std::get_if<Refused>(&*step.outgoing.answer) : nullptr;
    if (led == nullptr)
        return verdict.expect(refused != nullptr and refused->why == Refusal::not_leader, "only leaders begin reads");
    verdict.expect(started != nullptr and started->round > led->reads.newest,
                   "a read belongs to a round that begins after it");
    auto const* leader = std::get_if<Leader>(&step.after.role);
    if (led->reads.newest.value - led->reads.confirmed.value >= 2)
        verdict.expect(leader != nullptr and leader->reads.newest == led->reads.newest and leader->reads.waiting and
                           step.outgoing.messages.empty(),
                       "at most two rounds are out");
    else
        verdict.expect(step.outgoing.messages.size() >= step.before.followers.size(),
                       "a round goes to all followers at once");
}

constexpr void check(Step const& step, Proposed const& proposed, StepVerdict& verdict)
{
    auto const  last = step.before.log.last().index;
    auto const* accepted = step.outgoing.answer ? std::get_if<Accepted>(&*step.outgoing.answer) : nullptr;
    auto const* leader = std::get_if<Leader>(&step.before.role);
    auto const  takes = leader != nullptr and leader->successor == nobody and proposed.count > 0 and
                       proposed.count <= number_max - last.value;
    if (not takes)
        return verdict.expect(accepted == nullptr and changes_nothing(step),
                              "a proposal that is refused changes nothing");
    verdict.expect(accepted != nullptr and
                       accepted->entries == Run{step.before.current_term, next(last), proposed.count} and
                       step.after.log.last() == LogPosition{step.before.current_term, last + proposed.count},
                   "a leader appends what is proposed, in its term");
}

/// What a follower that rejected, or that has no room, is sent next: not beyond what it may have in common with the
/// leader.
constexpr void check_step_back(Progress const& earlier, Progress const& progress, AppendEntriesResponse const& response,
                               Outgoing const& outgoing, StepVerdict& verdict)
{
    auto const is_current = response.number >= spoken_of_since(earlier);
    auto const goes_back =
        is_current and (response.no_room or
                        (not response.success and response.match >= earlier.match and response.match < earlier.next));
    verdict.expect(progress.next >= earlier.next or goes_back or std::holds_alternative<SendSnapshot>(progress.mode),
                   "only the refusal of what is outstanding moves back what is sent next");
    if (response.success or response.no_room or not is_noted(outgoing, Decision::probe_moved_back))
        return;
    for (auto const& envelope : outgoing.messages)
        if (auto const* append = std::get_if<AppendEntries>(&envelope.rpc());
            append != nullptr and envelope.to() == progress.server and append->number != AppendNumber{})
            verdict.expect(append->previous.index <= std::max(progress.match, response.conflict_hint.index),
                           "after a refusal a leader continues where the logs may have something in common");
}

/// What a leader knew of the follower that answered, and what it knows now.
struct Answered
{
    Progress const* earlier = nullptr;
    Progress const* later = nullptr; ///< Null if nothing else is to be checked.
};

[[nodiscard]] constexpr Answered check_answer(Step const& step, Term term, StepVerdict& verdict)
{
    if (check_newer_term(step, term, is_member(step.before, step.from), verdict) or term > step.before.current_term)
        return {};
    auto const* earlier = progress_of(step.before, step.from);
    if (earlier == nullptr or term != step.before.current_term) {
        verdict.expect(changes_nothing(step), "only answers of this term, to a leader, count");
        return {};
    }
    auto const* later = progress_of(step.after, step.from);
    verdict.expect(later != nullptr or is_noted(step.outgoing, Decision::stepped_down_removed) or
                       not is_member(step.after, step.from),
                   "an answer of its own term deposes no leader");
    return {earlier, later};
}

constexpr void check(Step const& step, AppendEntriesResponse const& response, StepVerdict& verdict)
{
    auto const [earlier, progress] = check_answer(step, response.term, verdict);
    if (progress == nullptr)
        return;
    auto const is_current = response.number >= spoken_of_since(*earlier);
    verdict.expect(progress->recently_active and progress->acknowledged == (earlier->acknowledged or is_current) and
                       progress->moving == (earlier->moving or is_current),
                   "a follower that answers is recently active");
    verdict.expect(progress->match == (response.success ? std::max(earlier->match, response.match) : earlier->match),
                   "a follower has what it reports, and no less than it reported before");
    verdict.expect(progress->round == std::max(earlier->round, response.round), "an answer confirms its round");
    verdict.expect(progress->no_room == response.no_room, "a leader learns which followers have room");
    verdict.expect(earlier->no_room == response.no_room or
                       is_noted(step.outgoing, response.no_room ? Decision::follower_without_room
                                                                : Decision::follower_with_room_again),
                   "a follower that fills up or has room again is noted");
    check_step_back(*earlier, *progress, response, step.outgoing, verdict);
}

/// A leader begins: it has acknowledgements from no server, and appends an entry of its own (§5.3, §8).
constexpr void check_beginning(Step const& step, StepVerdict& verdict)
{
    auto const* leader = std::get_if<Leader>(&step.after.role);
    if (leader == nullptr or is<Leader>(step.before))
        return;
    verdict.expect(step.after.log.last() == LogPosition{step.after.current_term, next(step.before.log.last().index)},
                   "a leader begins its term with an entry of its own");
    auto followers = std::size_t{0};
    for (auto const& progress : step.after.followers) {
        verdict.expect(progress.match == Index{} and progress.next >= next(step.before.log.last().index),
                       "a leader begins where its log ended, and knows of no match");
        ++followers;
    }
    auto const others =
        step.after.configurations.in_force.members.size() - (is_member(step.after, step.after.own.id) ? 1U : 0U);
    verdict.expect(followers == others and leader->reads.newest == leader->reads.confirmed and
                       not step.after.leader_recently_active and step.after.reception == SnapshotReception{},
                   "a leader begins with all other members, and with no reads");
}

} // namespace totora::inline v0::laws
