// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/builders.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace totora::test
{

/// Messages that a server may get from anybody: plausible ones, so that it comes far, and absurd ones.
///
/// Seeded; equal seeds make equal messages for equal servers. Each number is drawn near something that the server knows,
/// or from the ends of the range; each field on its own, so that most messages contradict themselves in some way.
class RandomMessages
{
public:
    constexpr explicit RandomMessages(std::uint64_t seed) : random_(seed * 0x9E3779B97F4A7C15U + 1) {}

    /// A server with some settings, log and configuration, plausible or hardly so, that may have come to lead.
    [[nodiscard]] constexpr State any_server()
    {
        absurd_percent_ = one_of({1, 2, 10, 50});
        calm_ = one_of({10, 100, 1'000, 10'000});
        slow_disk_ = one_of({1, 1, 10, 200});
        swallows_appends_ = below(8) == 0;
        auto settings = Settings{};
        settings.pre_vote = below(2) == 0;
        settings.sticky = below(2) == 0;
        settings.check_quorum = below(2) == 0;
        settings.sticky = settings.sticky and settings.check_quorum;
        settings.append_entries_max = one_of({1, 2, 4096, std::numeric_limits<std::uint64_t>::max()});
        settings.window = one_of({1, 2, 256, std::numeric_limits<std::uint64_t>::max()});
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
        auto const applied = Index{below(std::min<std::uint64_t>(log.last().index.value, 8) + 1)};
        auto       state = recover(settings, Member{S1, Incarnation{below(20) == 0 ? 2U : 1U}, MemberKind::voter},
                                   {.current_term = Term{current},
                                    .voted_for = below(3) == 0 ? std::optional<ServerId>{any_member()} : std::nullopt,
                                    .log = std::move(log),
                                    .configuration = configuration,
                                    .previous_configuration = configuration,
                                    .commit_index = applied,
                                    .applied_index = Index{below(applied.value + 1)}});
        if (below(2) == 0) // No conditional expression: g++ 12 frees a log twice there, in a constant expression.
            return leader(*std::move(state));
        return *std::move(state);
    }

    /// Anything that can happen to this server, except that its storage fails or confirms what was never written, which ends it.
    [[nodiscard]] constexpr Message any_message(State const& state)
    {
        auto const sender = any_sender(state);
        switch (below(20)) {
        case 0:
            return from(sender, RequestPreVote{any_term(state), any_position(state), Round{any_number(4)}});
        case 1:
        case 2:
            return from(sender, RequestPreVoteResponse{any_term(state), any_pre_vote_round(state), below(4) > 0});
        case 3:
            return from(sender, RequestVote{any_term(state), any_position(state), below(4) == 0});
        case 4:
        case 5:
            return from(sender, RequestVoteResponse{any_term(state), below(4) > 0});
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
        default:
            if (below(20) == 0)
                return local(Started{});
            if (below(20) == 0)
                return local(Replayed{});
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
    /// xorshift64*: enough for tests, and constexpr.
    [[nodiscard]] constexpr std::uint64_t draw()
    {
        random_ ^= random_ >> 12U;
        random_ ^= random_ << 25U;
        random_ ^= random_ >> 27U;
        return random_ * 0x2545F4914F6CDD1DU;
    }

    [[nodiscard]] constexpr std::uint64_t below(std::uint64_t bound) { return (draw() >> 16U) % bound; }

    [[nodiscard]] constexpr std::uint64_t one_of(std::array<std::uint64_t, 4> const& values)
    {
        return values[below(4)];
    }

    [[nodiscard]] constexpr bool is_absurd() { return below(100) < absurd_percent_; }

    [[nodiscard]] constexpr std::uint64_t any_extreme()
    {
        constexpr auto highest = std::numeric_limits<std::uint64_t>::max();
        constexpr auto extremes = std::array<std::uint64_t, 14>{0,
                                                                1,
                                                                2,
                                                                number_max - 1,
                                                                number_max,
                                                                number_max + 1,
                                                                std::uint64_t{1} << 63U,
                                                                highest - 1,
                                                                highest,
                                                                0xFFFF'FFFF,
                                                                0x1'0000'0000,
                                                                16,
                                                                17,
                                                                number_max - 2};
        return extremes[below(extremes.size())];
    }

    /// Something from 0 to a little above `value`, mostly close to it.
    [[nodiscard]] constexpr std::uint64_t any_near(std::uint64_t value)
    {
        if (is_absurd())
            return any_extreme();
        auto const distance = below(4);
        switch (below(6)) {
        case 0:
            return value + distance;
        case 1:
            return value < 64 ? below(value + 1) : value - below(64);
        case 2:
            return value < distance ? 0 : value - distance;
        default:
            return value;
        }
    }

    [[nodiscard]] constexpr std::uint64_t any_number(std::uint64_t small)
    {
        return is_absurd() ? any_extreme() : below(small);
    }

    [[nodiscard]] constexpr ServerId any_member() { return ServerId{1 + below(5)}; }

    [[nodiscard]] constexpr ServerId any_sender(State const& state)
    {
        if (is_absurd())
            return ServerId{one_of({0, state.own.id.value, 99, any_extreme()})};
        auto const& members = state.configurations.in_force.members;
        if (members.size() > 1 and below(8) > 0)
            return members[1 + static_cast<std::size_t>(below(members.size() - 1))].id;
        return ServerId{2 + below(servers_max)};
    }

    [[nodiscard]] constexpr ServerId any_leader(State const& state)
    {
        auto const known = known_leader(state);
        return known != nobody and known != state.own.id and not is_absurd() ? known : any_sender(state);
    }

    [[nodiscard]] constexpr Term any_term(State const& state)
    {
        // A term that runs away would leave nothing but the last one for the rest of a life.
        auto const value = state.current_term.value;
        if (is_absurd()) {
            auto const extreme = any_extreme();
            return Term{extreme > 64 and extreme <= number_max and below(200) != 0 ? number_max + 1 : extreme};
        }
        auto const choice = below(calm_);
        return Term{choice == 0 ? value + 1 : choice == 1 and value > 0 ? value - 1 : value};
    }

    [[nodiscard]] constexpr Index any_index(State const& state)
    {
        switch (below(4)) {
        case 0:
            return Index{any_near(state.commit_index.value)};
        case 1:
            return Index{any_near(state.writes.durable_index.value)};
        default:
            return Index{any_near(last_index(state).value)};
        }
    }

    /// Mostly a position that the log holds.
    [[nodiscard]] constexpr LogPosition any_position(State const& state)
    {
        auto const index = any_index(state);
        auto const term = state.log.term_at(index);
        if (term and not is_absurd() and below(8) > 0)
            return {*term, index};
        return {any_term(state), index};
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
        response.conflict_hint = any_position(state);
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

    /// Members of which S1 is one, some of them learners; it may be all a configuration can hold.
    [[nodiscard]] constexpr Configuration any_members(Index index)
    {
        auto configuration = cluster(below(10) == 0 ? servers_max : below(8) == 0 ? 1 : one_of({2, 3, 3, 5}));
        configuration.index = index;
        for (auto& member : configuration.members)
            if (below(10) == 0)
                member.kind = MemberKind::learner;
        if (not is_sound(configuration))
            configuration.members[0].kind = MemberKind::voter;
        return configuration;
    }

    /// What somebody says is a configuration.
    [[nodiscard]] constexpr Configuration any_configuration(State const& state, Index index)
    {
        if (not is_absurd())
            return any_members(index);
        auto configuration = Configuration{.index = below(2) == 0 ? any_index(state) : index, .members = {}};
        for (auto count = below(servers_max + 2); count > 0; --count)
            configuration.members.push_back({ServerId{any_number(40)}, Incarnation{any_number(3)},
                                             static_cast<MemberKind>(below(8) == 0 ? below(256) : 1 + below(2))});
        return configuration;
    }

    std::uint64_t random_;
    std::uint64_t absurd_percent_ = 1; ///< How often a field is drawn from the ends of the range.
    std::uint64_t calm_ = 1;           ///< One in so many terms is a newer one.
    std::uint64_t slow_disk_ = 1;      ///< One in so many writes is confirmed.
    bool          swallows_appends_ = false;
};

} // namespace totora::test
