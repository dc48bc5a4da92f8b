// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"
#include "support/random/snapshots.hpp"
#include "support/random/values.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace totora::test
{

/// Messages that a server may receive from any sender: plausible ones, so that it comes far, and absurd ones.
///
/// Seeded; equal seeds make equal messages for equal servers. Each number is drawn near something that the server knows,
/// or from the ends of the range; each field on its own, so that most messages contradict themselves in some way.
class RandomMessages : private RandomSnapshots
{
public:
    constexpr explicit RandomMessages(std::uint64_t seed) : RandomSnapshots(seed) {}

    /// A server with some settings, log and configuration, plausible or hardly so, that may have come to lead.
    [[nodiscard]] constexpr State any_server()
    {
        absurd_percent = one_of({1, 2, 10, 50});
        calm = one_of({10, 100, 1'000, 10'000});
        slow_disk_ = one_of({1, 1, 10, 200});
        swallows_appends_ = below(4) == 0;
        auto settings = Settings{};
        settings.pre_vote = below(2) == 0;
        settings.sticky = below(2) == 0;
        settings.check_quorum = swallows_appends_ or below(2) == 0;
        settings.sticky = settings.sticky and settings.check_quorum;
        settings.append_entries_max = one_of({1, 2, 4096, std::numeric_limits<std::uint64_t>::max()});
        settings.window = one_of({1, 2, 256, std::numeric_limits<std::uint64_t>::max()});
        settings.can = any_abilities();
        auto log = TermRuns{};
        auto term = std::uint64_t{0};
        for (auto runs = below(4); runs > 0; --runs) {
            term += 1 + below(3);
            log.append({Term{term}, next(log.last().index), 1 + below(5)});
        }
        if (below(8) == 0 and log.last().index.value > 0) // Close to the end of the range.
            log.append({log.last().term, next(log.last().index), number_max - log.last().index.value - below(4)});
        auto const current = below(16) == 0 ? number_max - below(3) : term + below(3);
        auto const configuration = any_members(Index{below(std::min<std::uint64_t>(log.last().index.value, 4) + 1)});
        auto const committed = Index{below(std::min<std::uint64_t>(log.last().index.value, 8) + 1)};
        auto const applied = Index{below(committed.value + 1)};
        if (auto const base = below(2) == 0 ? applied.value : below(applied.value + 1); below(2) == 0)
            log.compact({*log.term_at(Index{base}), Index{base}});
        auto state = recover(settings, Member{S1, Incarnation{below(20) == 0 ? 2U : 1U}, MemberKind::voter},
                             {.current_term = Term{current},
                              .voted_for = below(3) == 0 ? std::optional<ServerId>{any_member()} : std::nullopt,
                              .log = std::move(log),
                              .configuration = configuration,
                              .previous_configuration = configuration,
                              .commit_index = committed,
                              .applied_index = applied});
        if (below(2) == 0) // No conditional expression: g++ 12 frees a log twice there, in a constant expression.
            return needed_by_a_follower(leader(*std::move(state)));
        return *std::move(state);
    }

    /// Anything that can happen to this server, except that its storage fails or confirms what was never written, which ends it.
    [[nodiscard]] constexpr Message any_message(State const& state)
    {
        auto const sender = any_sender(state);
        if (swallows_appends_ and is_leader(state) and below(4) > 0)
            return any_of_a_stalled_link(state);
        return any_message_of(state, sender);
    }

    /// What a follower of changing leaders sees; one in so many messages comes from its own disk.
    [[nodiscard]] constexpr Message any_append_or_confirmation(State const& state, std::uint64_t one_in)
    {
        if (below(one_in) == 0) {
            auto const waiting = state.writes.last.value - state.writes.durable.value;
            return local(Persisted{WriteNumber{state.writes.durable.value + below(waiting + 1)}});
        }
        auto append = AppendEntries{};
        append.term = Term{state.current_term.value + (below(6) == 0 ? 1U : 0U)};
        auto const first = 1 + below(std::min<std::uint64_t>(last_index(state).value, 6) + 1);
        append.previous.index = before(Index{last_index(state).value + 2 - first});
        append.previous.term = state.log.term_at(append.previous.index).value_or(Term{});
        append.entries = {below(2) == 0 ? std::max(append.previous.term, Term{1}) : append.term,
                          next(append.previous.index), below(4)};
        append.number = AppendNumber{below(9)};
        return from(append.term > state.current_term or known_leader(state) == nobody
                        ? (append.term.value % 2 == 0 ? S1 : S3)
                        : known_leader(state),
                    append);
    }

private:
    [[nodiscard]] constexpr Message any_message_of(State const& state, ServerId sender)
    {
        switch (below(28)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
            return any_of_votes(state, sender);
        case 6:
        case 7:
        case 8:
            return any_append_of(any_leader(state), state);
        case 9:
        case 10:
        case 11:
        case 12:
            return from(sender, any_append_response(state, sender));
        case 13:
        case 14:
            return any_ring(state);
        case 15:
        case 16:
            if (below(slow_disk_) > 0)
                return local(Proposed{1});
            return local(Persisted{std::min(state.writes.last, WriteNumber{any_near(state.writes.last.value)})});
        case 17:
            return local(Proposed{below(50) == 0 ? any_extreme() : below(4)});
        case 18:
            return local(ReadRequested{});
        case 19:
        case 20:
        case 21:
        case 22:
        case 23:
            return swallows_appends_ ? any_ring(state) : any_of_snapshots(state, sender);
        case 24:
        case 25:
            return any_of_operators(state, sender);
        default:
            return any_rarity(state, sender);
        }
    }

    /// Followers that answer heartbeats, and a leader that asks whether anything gets through.
    [[nodiscard]] constexpr Message any_of_a_stalled_link(State const& state)
    {
        auto const check = state.alarms.armings[static_cast<std::size_t>(Alarm::quorum_check)];
        if (state.followers.empty() or below(4) == 0)
            return local(AlarmRang{Alarm::quorum_check, check});
        auto const& progress = state.followers[static_cast<std::size_t>(below(state.followers.size()))];
        auto        response = AppendEntriesResponse{};
        response.term = state.current_term;
        response.success = true;
        response.match = progress.match;
        return from(progress.server, response);
    }

    /// What candidates ask, and what they are answered.
    [[nodiscard]] constexpr Message any_of_votes(State const& state, ServerId sender)
    {
        switch (below(6)) {
        case 0:
            return from(sender, RequestPreVote{any_term(state), any_position(state), Round{any_number(4)}});
        case 1:
        case 2:
            return from(sender, RequestPreVoteResponse{any_term(state), any_pre_vote_round(state), below(4) > 0,
                                                       below(12) == 0 ? any_position(state) : LogPosition{}});
        case 3:
            return from(sender, RequestVote{any_term(state), any_position(state), below(4) == 0});
        default:
            return from(sender, RequestVoteResponse{any_term(state), below(4) > 0});
        }
    }

    /// What operators ask for, and what a leader asks of its successor.
    [[nodiscard]] constexpr Message any_of_operators(State const& state, ServerId sender)
    {
        switch (below(6)) {
        case 0:
            return local(ChangeCancelled{});
        case 1:
            return local(TransferRequested{below(3) == 0 ? nobody : any_member()});
        case 2:
            return local(CampaignRequested{});
        case 3:
            return from(known_leader(state) != nobody and below(2) == 0 ? known_leader(state) : sender,
                        TimeoutNow{any_term(state), below(2) == 0 ? last_position(state) : any_position(state)});
        default:
            auto const expected = below(8) == 0 ? any_index(state) : state.configurations.in_force.index;
            return local(ChangeRequested{expected, any_members(Index{}).members, below(3) == 0});
        }
    }

    /// Rare events, and what the shell reports to the core of its links and its log.
    [[nodiscard]] constexpr Message any_rarity(State const& state, ServerId sender)
    {
        if (below(20) == 0)
            return local(Started{});
        if (below(20) == 0)
            return local(Replayed{});
        if (below(6) == 0)
            return local(Announced{sender, below(2) == 0 ? state.settings.can : any_abilities()});
        if (below(6) == 0)
            return local(AppendsCut{sender, any_index(state)});
        if (below(6) == 0)
            return local(AppendsResumed{sender});
        if (below(6) == 0 and not swallows_appends_)
            return local(LinkMoved{sender});
        if (below(8) == 0)
            return local(RoomChanged{static_cast<LogRoom>(below(20) < 12 ? 0 : below(3))});
        return local(LinkChanged{sender, static_cast<Link>(is_absurd() ? below(256) : below(3))});
    }

    [[nodiscard]] constexpr AppendEntries any_append(State const& state)
    {
        auto append = AppendEntries{};
        append.term = any_term(state);
        append.previous = any_position(state);
        append.entries.first = is_absurd() ? any_index(state) : next(append.previous.index);
        append.entries.count = is_absurd() ? any_extreme() : below(5);
        auto const held = state.log.term_at(append.entries.first);
        append.entries.term = held and below(2) == 0 ? *held : below(2) == 0 ? append.previous.term : append.term;
        if (is_absurd())
            append.entries.term = any_term(state);
        append.leader_commit = any_index(state);
        append.round = Round{any_number(9)};
        append.number = AppendNumber{any_number(99)};
        return append;
    }

    /// With a configuration among its entries, now and then.
    [[nodiscard]] constexpr Message any_append_of(ServerId leader, State const& state)
    {
        auto const append = any_append(state);
        if (below(12) != 0)
            return from(leader, append);
        return from(leader, AppendConfiguration{append, any_configuration(state, append.entries.first + below(2))});
    }

    [[nodiscard]] constexpr AppendEntriesResponse any_append_response(State const& state, ServerId sender)
    {
        auto        response = AppendEntriesResponse{};
        auto const* leader = std::get_if<Leader>(&state.role);
        auto const* progress = find_progress(state, sender);
        response.term = any_term(state);
        response.success = below(4) > 0;
        response.match = any_index(state);
        response.conflict_hint = below(4) > 0 ? any_position(state) : LogPosition{};
        response.round = Round{any_near(leader != nullptr ? leader->reads.newest.value : 1)};
        response.number = AppendNumber{any_near(progress != nullptr ? progress->sent.value : 1)};
        if (progress != nullptr and not response.success and below(2) == 0)
            response.match = before(progress->next);
        response.no_room = below(8) == 0;
        if (swallows_appends_) { // Nothing but heartbeats is ever answered.
            response.number = AppendNumber{};
            response.no_room = false;
        }
        return response;
    }

    [[nodiscard]] constexpr Round any_pre_vote_round(State const& state)
    {
        return Round{any_near(state.pre_vote_round.value)};
    }

    [[nodiscard]] constexpr Message any_ring(State const& state)
    {
        auto const kind = is_absurd() ? below(256) : below(alarm_kinds);
        auto const arming =
            kind < alarm_kinds ? state.alarms.armings[static_cast<std::size_t>(kind)].value : any_number(9);
        return local(AlarmRang{static_cast<Alarm>(kind), Arming{below(8) == 0 ? any_near(arming) : arming}});
    }

    std::uint64_t slow_disk_ = 1; ///< One in so many writes is confirmed.
    bool          swallows_appends_ = false;
};

} // namespace totora::test
