// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/testing/simulate/checks/server_checks.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace totora::inline v0::simulate
{

/// The properties of leaders whose disks are slow or full, whose followers have no room, or whose links are stuck:
/// whether they had a reason for what they did.
class RoomChecks : public ServerChecks
{
public:
    void started(std::size_t server, State const& state)
    {
        ServerChecks::started(server, state);
        rooms_[server].sent_without_room = Term{};
    }

    void after_event(std::size_t server, State const& state)
    {
        if (std::exchange(rooms_[server].sent_without_room, Term{}) != Term{})
            fail("a follower that reported no room is sent no entries");
        ServerChecks::after_event(server, state);
    }

    void sent(std::size_t server, ServerId to, Rpc const& rpc)
    {
        ServerChecks::sent(server, to, rpc);
        if (not is_member(to))
            return;
        if (auto const* answer = std::get_if<AppendEntriesResponse>(&rpc))
            rooms_[server].answered[to.value - 1].add(*answer);
        else if (auto const* installed = std::get_if<InstallSnapshotResponse>(&rpc))
            rooms_[server].answered[to.value - 1].add(*installed);
    }

    /// The log of a server has lacked room for so long, by the server's clock.
    void lacks_room(std::size_t server, std::uint64_t for_us) { rooms_[server].lacks_room_us = for_us; }

    /// A leader sends a follower entries.
    void entries_sent_to(std::size_t leader, ServerId follower, Term term)
    {
        // That it has room again may be noted in the same step, after its messages.
        if (rooms_[leader].links[follower.value - 1].without_room_in == term)
            rooms_[leader].sent_without_room = term;
    }

    /// A server has received entries in its own term that it had no room for; `is_silent` if it sent nothing.
    void refused_entries(bool is_silent) { expect(not is_silent, "entries for which there is no room are answered"); }

    /// A leader reads how many bytes of entries its link to a follower has ever taken.
    void link_has_taken(std::size_t leader, ServerId follower, std::uint64_t bytes)
    {
        auto& link = rooms_[leader].links[follower.value - 1];
        link.moves = bytes != link.bytes;
        link.bytes = bytes;
    }

    /// A leader begins with a follower as if it knew nothing of it.
    void follower_let_in(std::size_t leader, ServerId follower)
    {
        rooms_[leader].links[follower.value - 1].without_room_in = Term{};
    }

    void link_renewed(std::size_t leader, ServerId follower, Term term)
    {
        rooms_[leader].links[follower.value - 1].renewed_in = term;
    }

    /// A server has noted a decision, and is now in this state: whether it had a reason.
    void noted(std::size_t server, State const& state, Decision decision, ServerId from = nobody)
    {
        switch (decision) {
        case Decision::follower_without_room:
            rooms_[server].links[from.value - 1].without_room_in = state.current_term;
            break;
        case Decision::follower_with_room_again:
            rooms_[server].links[from.value - 1].without_room_in = rooms_[server].sent_without_room = Term{};
            break;
        case Decision::stepped_down_no_progress:
            check_no_progress(server, state);
            break;
        case Decision::room_exhausted:
            check_exhausted(server, state);
            break;
        case Decision::stepped_down_disk_hangs:
            expect(is_majority(state.configurations.in_force,
                               [&](std::size_t other) {
                                   auto const durable = lives().durable_by(state.configurations.in_force, other,
                                                                           servers()[other].durable.last());
                                   return other != server and durable.index > state.writes.durable_index;
                               }),
                   "a leader steps down for its disk only where a quorum has durably what it has not");
            break;
        case Decision::stepped_down_no_room:
            check_no_room(server, state);
            break;
        default:
            break;
        }
    }

private:
    /// All that a follower answered a leader in the newest term in which that one led.
    struct Answered
    {
        Term  term;
        Index match;
        bool  has_room = false; ///< It reported so once at least.

        void add(AppendEntriesResponse const& answer)
        {
            if (not answer.success and answer.number == AppendNumber{}) // It refuses the term.
                return;
            if (answer.term > term)
                *this = {answer.term, {}, false};
            has_room = has_room or not answer.no_room;
            if (answer.success)
                match = std::max(match, answer.match);
        }

        /// One without room for chunks does not answer them.
        void add(InstallSnapshotResponse const& answer)
        {
            if (answer.snapshot == SnapshotId{} or answer.term < term) // It refuses the term, or is late.
                return;
            match = answer.term > term ? answer.match : std::max(match, answer.match);
            term = answer.term;
            has_room = true;
        }
    };

    /// What a leader knows of its link to a follower.
    struct LinkSeen
    {
        std::uint64_t bytes = 0;
        bool          moves = false; ///< It had taken more at the last reading.
        Term          renewed_in;
        Term          without_room_in; ///< In which the leader noted so, and nothing else since.
    };

    struct Room
    {
        Term sent_without_room; ///< In which entries were sent in this turn to a follower that had reported none.
        std::array<Answered, simulated_servers_max> answered; ///< By leader.
        std::uint64_t                               lacks_room_us = 0;
        std::array<LinkSeen, simulated_servers_max> links;
    };

    void check_no_progress(std::size_t server, State const& state)
    {
        auto const& links = rooms_[server].links;
        expect(not is_majority(state.configurations.in_force,
                               [&](std::size_t other) { return other == server or links[other].moves; }),
               "a leader does not step down while its links to a quorum take bytes");
        expect(std::any_of(links.begin(), links.end(),
                           [&](LinkSeen const& link) { return link.renewed_in == state.current_term; }),
               "a leader makes its connections again before it steps down for them");
    }

    void check_exhausted(std::size_t server, State const& state)
    {
        auto const& seen = servers()[server].seen;
        if (state.room == LogRoom::reserve_only and seen.leads and seen.term == state.current_term)
            expect(rooms_[server].lacks_room_us >= state.settings.election.at_most_ms * 1000 / 2,
                   "a leader whose log has no room for a moment has room");
    }

    void check_no_room(std::size_t server, State const& state)
    {
        auto const has_room = [&](std::size_t other) {
            auto const& answered = rooms_[other].answered[server];
            return other != server and answered.has_room and answered.term == state.current_term;
        };
        auto has_one_everything = false;
        expect(is_majority(state.configurations.in_force,
                           [&](std::size_t other) {
                               has_one_everything =
                                   has_one_everything or
                                   (has_room(other) and rooms_[other].answered[server].match >= last_index(state));
                               return has_room(other);
                           }),
               "a leader steps down for want of room only where a quorum has reported room");
        expect(has_one_everything,
               "a leader steps down for want of room only where another has acknowledged everything");
    }

    std::array<Room, simulated_servers_max> rooms_;
};

} // namespace totora::inline v0::simulate
