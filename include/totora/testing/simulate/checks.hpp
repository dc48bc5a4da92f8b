// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/rules/invariants.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/violations.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/testing/simulate/committed_log.hpp"
#include "totora/testing/simulate/disk/durable_record.hpp"
#include "totora/testing/simulate/entry_registry.hpp"
#include "totora/testing/simulate/faults/by_term.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/network/wire.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::simulate
{

/// Bytes of entries that servers sent, and that others stored because they lacked them: more than once the one for the other is
/// traffic for nothing.
struct EntryBytes
{
    std::uint64_t sent = 0;
    std::uint64_t stored = 0;
    std::uint64_t appends = 0;       ///< That carried entries.
    std::uint64_t appends_known = 0; ///< Of those, two entries and more that were all durable at the follower.
};

/// Stands beside the nodes of a whole cluster and knows what they all ever did. The first property that does not hold is kept,
/// as a sentence. Servers are counted from 0.
///
/// `after_event` is asked after every event and looks at what has changed; `in_full` looks at everything.
class Checks
{
public:
    [[nodiscard]] std::string const& broken() const { return broken_; }

    /// Says that something does not hold; only the first time counts.
    void fail(std::string_view sentence)
    {
        if (broken_.empty())
            broken_ = sentence;
    }

    void expect(bool holds, std::string_view sentence)
    {
        if (not holds)
            fail(sentence);
    }

    [[nodiscard]] CommittedLog const& committed() const { return committed_; }

    /// So many servers vote, those of the first numbers: from now on what is committed must be durable on a majority of them.
    void has_voters(std::size_t count) { voters_ = count; }

    // --- Of one server ---------------------------------------------------------------------------------------------

    /// A process has started: what is not durable may be gone, and nothing else. One that finds damage does not start.
    void started(std::size_t server, State const& state)
    {
        auto& record = servers_[server];
        expect(state.log.holds(record.durable.last()), "what a log reported durable survives a crash");
        record.durable.start(
            {state.log.term_at(state.writes.durable_index).value_or(Term{}), state.writes.durable_index},
            state.current_term, state.voted_for.value_or(nobody));
        expect(state.current_term >= record.promised_term, "a term in which something was promised survives a crash");
        auto const vote = votes_in(record, state.current_term);
        expect(vote == nobody or state.voted_for == vote, "a vote survives a crash");
        expect(registry_.knows(state.log), "what is recovered was made by a leader");
        expect(state.commit_index <= committed_.last(), "nobody saved as committed what is not");
        record.sent_without_room = Term{};
        record.seen = Seen{};
        record.seen.apply_index = state.apply_index;
        learn(record, state);
    }

    /// A server has done something: everything that can be seen at once.
    void after_event(std::size_t server, State const& state)
    {
        auto&       record = servers_[server];
        auto const& seen = record.seen;
        if (std::exchange(record.sent_without_room, Term{}) != Term{})
            fail("a follower that has said that it has no room is sent no entries");
        if (state.current_term < seen.term)
            fail("terms never go back");
        if (state.current_term == seen.term and seen.voted_for != nobody and state.voted_for != seen.voted_for)
            fail("a vote is given once in a term");
        if (state.commit_index < seen.commit)
            fail("what is committed stays committed");
        if (state.apply_index < seen.apply_index)
            fail("what is applied stays applied");
        if (auto const violation = find_broken_invariant(state))
            fail(*violation);
        advance_commit_to(server, state);
        if (auto const* leader = std::get_if<Leader>(&state.role)) {
            expect(leader->reads.newest.value - leader->reads.confirmed.value <= rounds_max,
                   "at most two read rounds are out");
            check_leader(server, state);
        }
        learn(record, state);
    }

    /// A server may have learnt that more is committed; it is asked before its machine is given that.
    void advance_commit_to(std::size_t server, State const& state)
    {
        auto& seen = servers_[server].seen;
        if (state.commit_index <= seen.commit)
            return;
        auto const known = committed_.last();
        note(committed_.learn(state.log, seen.commit, state.commit_index, state.current_term, registry_));
        seen.commit = state.commit_index;
        if (committed_.last() > known)
            expect(is_on_majority({state.log.term_at(state.commit_index).value_or(Term{}), state.commit_index}),
                   "what is committed is durable on a majority");
    }

    /// A server says something: a vote is given once in a term, also across crashes, and what is promised is durable.
    void sent(std::size_t server, ServerId to, Rpc const& rpc)
    {
        auto& record = servers_[server];
        ++record.messages;
        if (not is_member(to))
            return fail("messages go to members");
        if (auto const* request = std::get_if<RequestVote>(&rpc);
            request != nullptr and not core::is_in_range(request->term))
            return fail("nobody asks for votes beyond the last term");
        if (auto const* request = std::get_if<RequestVote>(&rpc))
            vote(record, request->term, ServerId{server + 1});
        else if (auto const* response = std::get_if<RequestVoteResponse>(&rpc); response and response->vote_granted)
            vote(record, response->term, to);
        else if (auto const* answer = std::get_if<AppendEntriesResponse>(&rpc); answer and answer->success)
            acknowledge(record, *answer);
        if (auto const* answer = std::get_if<AppendEntriesResponse>(&rpc))
            record.answered[to.value - 1].add(*answer);
    }

    /// The log of a server has said for so long, by the server's clock, that something does not fit.
    void lacks_room(std::size_t server, std::uint64_t for_us) { servers_[server].lacks_room_us = for_us; }

    /// A leader sends a follower entries.
    void entries_sent_to(std::size_t leader, ServerId follower, Term term)
    {
        // That it has room again may be noted in the same step, after its messages.
        if (servers_[leader].links[follower.value - 1].without_room_in == term)
            servers_[leader].sent_without_room = term;
    }

    /// A server has received entries in its own term that it had no room for; `is_silent` if it sent nothing.
    void refused_entries(bool is_silent) { expect(not is_silent, "entries for which there is no room are answered"); }

    /// A leader asks how many bytes of entries its link to a follower has ever taken.
    void link_has_taken(std::size_t leader, ServerId follower, std::uint64_t bytes)
    {
        auto& link = servers_[leader].links[follower.value - 1];
        link.moves = bytes != link.bytes;
        link.bytes = bytes;
    }

    void link_renewed(std::size_t leader, ServerId follower, Term term)
    {
        servers_[leader].links[follower.value - 1].renewed_in = term;
    }

    /// A server has noted an outcome, and is now in this state: whether it had a reason.
    void noted(std::size_t server, State const& state, Decision outcome, ServerId from = nobody)
    {
        if (outcome == Decision::follower_without_room)
            servers_[server].links[from.value - 1].without_room_in = state.current_term;
        if (outcome == Decision::follower_with_room_again)
            servers_[server].links[from.value - 1].without_room_in = servers_[server].sent_without_room = Term{};
        auto const others = [&](auto is) {
            auto count = std::size_t{0};
            for (auto other = std::size_t{0}; other < voters_; ++other)
                count += other != server and is(servers_[other]) ? 1U : 0U;
            return count;
        };
        auto const has_room = [&](Record const& other) {
            return other.answered[server].has_room and other.answered[server].term == state.current_term;
        };
        if (outcome == Decision::stepped_down_no_progress) {
            auto const link_to = [&](Record const& other) {
                return servers_[server].links[static_cast<std::size_t>(&other - servers_.data())];
            };
            expect(2 * (1 + others([&](Record const& other) { return link_to(other).moves; })) <= voters_,
                   "a leader does not step down while its links to a quorum take bytes");
            expect(others([&](Record const& other) { return link_to(other).renewed_in == state.current_term; }) > 0,
                   "a leader makes its connections again before it steps down for them");
        }
        if (outcome == Decision::room_exhausted and state.room == LogRoom::reserve_only and
            servers_[server].seen.leads and servers_[server].seen.term == state.current_term)
            expect(servers_[server].lacks_room_us >= state.settings.election.at_most_ms * 1000 / 2,
                   "a leader whose log has no room for a moment has room");
        if (outcome == Decision::stepped_down_disk_hangs)
            expect(2 * others([&](Record const& other) {
                       return other.durable.last().index > state.writes.durable_index;
                   }) > voters_,
                   "a leader steps down for its disk only where a quorum has durably what it has not");
        if (outcome == Decision::stepped_down_no_room) {
            expect(2 * others(has_room) > voters_,
                   "a leader steps down for want of room only where a quorum has said that it has room");
            expect(others([&](Record const& other) {
                       return has_room(other) and other.answered[server].match >= last_index(state);
                   }) > 0,
                   "a leader steps down for want of room only where another has said that it has everything");
        }
    }

    /// Whether this is one of the servers, as far as they were counted.
    [[nodiscard]] bool is_member(ServerId server) const
    {
        return server != nobody and (voters_ == 0 or server.value <= voters_);
    }

    /// How many messages a server has sent.
    [[nodiscard]] std::uint64_t messages_of(std::size_t server) const { return servers_[server].messages; }

    /// A server was sent what no correct server sends; `is_noted` if it noted just that, `is_silent` if it sent nothing.
    void received_hostile(State const& before, State const& after, bool is_noted, bool is_silent)
    {
        expect(before == after, "what no correct server can send changes nothing");
        expect(is_silent, "what no correct server can send is not answered");
        expect(is_noted, "what no correct server can send is noted, by its name and sender");
    }

    /// A server sends entries of so many bytes; it stores so many that it did not make itself.
    void entries_sent(std::uint64_t bytes) { entry_bytes_.sent += bytes; }
    void entries_stored(std::uint64_t bytes) { entry_bytes_.stored += bytes; }

    /// A leader sends a follower a run of entries. One alone may be a probe.
    void append_sent(ServerId to, Run const& run)
    {
        ++entry_bytes_.appends;
        if (run.count > 1 and registry_.is_before({run.term, last_of(run)}, servers_[to.value - 1].durable.last()))
            ++entry_bytes_.appends_known;
    }

    [[nodiscard]] EntryBytes entry_bytes() const { return entry_bytes_; }

    /// A server has taken this frame for intact and for one of its own cluster.
    void accepted(FrameInFlight const& frame)
    {
        expect(not frame.flipped, "a frame of which bits were flipped is refused");
        expect(not frame.foreign, "a frame of another cluster is refused");
    }

    /// A server puts entries behind `previous` into its log.
    void appended(std::size_t server, LogPosition previous, Entries const& entries)
    {
        for (auto const entry : entries) {
            note(registry_.add(ServerId{server + 1}, previous, entry));
            previous = {entry.term, entry.index};
        }
    }

    // What a server writes, and what its log reports of it.

    void vote_written(std::size_t server, WriteNumber write, Term term, ServerId vote)
    {
        servers_[server].durable.save_vote(write, term, vote);
    }

    void append_written(std::size_t server, WriteNumber write, LogPosition last)
    {
        servers_[server].durable.append(write, last);
    }

    /// A server removes all that follows this entry from its log.
    void truncated(std::size_t server, LogPosition last) { servers_[server].durable.truncate(last); }

    void durable_reported(std::size_t server, WriteNumber through) { servers_[server].durable.confirm(through); }

    /// A server relies on entries up to here being durable in its own log.
    void relies_on(std::size_t server, Index index)
    {
        expect(index <= servers_[server].durable.last().index,
               "a server applies and saves as committed what is durable in its own log");
    }

    /// A machine is given the command of this number.
    void applied(EntryView const& entry, std::uint64_t number)
    {
        note(committed_.apply(entry.index, entry.checksum, number));
        if (number >= proposals_.size())
            return fail("what is applied was proposed by a client");
        auto& proposal = proposals_[number];
        expect(proposal.end != End::refused, "what was refused is never applied");
        expect(proposal.at == Index{} or proposal.at == entry.index, "a proposal is applied once");
        proposal.at = entry.index;
    }

    /// A machine that has applied everything up to here has this digest.
    void machine_is(Index index, std::uint64_t digest) { note(committed_.compare(index, digest)); }

    // --- Of clients ------------------------------------------------------------------------------------------------

    /// A client makes a proposal; its number.
    [[nodiscard]] std::uint64_t proposed()
    {
        proposals_.emplace_back();
        return proposals_.size() - 1;
    }

    void acknowledged(std::uint64_t number, LogPosition position)
    {
        end(number, End::applied);
        expect(committed_.holds(position, number), "what is acknowledged is committed, at the place that was said");
    }

    void refused(std::uint64_t number)
    {
        end(number, End::refused);
        expect(proposals_[number].at == Index{}, "what was refused was never applied");
    }

    void left_open(std::uint64_t number) { end(number, End::unknown); }

    // --- Of everything ---------------------------------------------------------------------------------------------

    /// Looks at a whole server: its log, against everything that was ever made and committed.
    void in_full(State const& state)
    {
        expect(registry_.knows(state.log), "all entries of a log were made by the leaders of their terms");
        expect(committed_.agrees(state.log, state.commit_index), "committed entries never change");
    }

    /// What a log gives back is what the core believes to stand there.
    void read_back(State const& state, Entries const& entries)
    {
        for (auto const entry : entries) {
            expect(state.log.term_at(entry.index) == entry.term, "log and core agree on the term of each entry");
            expect(registry_.checksum({entry.term, entry.index}) == entry.checksum and is_intact(entry),
                   "a log gives back the bytes that were put into it");
        }
    }

private:
    enum class End : std::uint8_t
    {
        open,
        applied,
        refused,
        unknown,
    };

    struct Proposal
    {
        End   end = End::open;
        Index at; ///< Where it was applied; 0 if it was not.
    };

    /// What a process was seen to be last.
    struct Seen
    {
        Term        term;
        ServerId    voted_for;
        Index       commit;
        Index       apply_index;
        LogPosition last;
        bool        leads = false;
    };

    /// What a follower has said to a leader in the newest term that this one led, all in all.
    struct Answered
    {
        Term  term;
        Index match;
        bool  has_room = false; ///< It said so once at least.

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
    };

    /// What a leader knows of its link to a follower.
    struct LinkSeen
    {
        std::uint64_t bytes = 0;
        bool          moves = false; ///< It had taken more when it was asked last.
        Term          renewed_in;
        Term          without_room_in; ///< In which the leader noted so, and nothing else since.
    };

    struct Record
    {
        Term
            sent_without_room; ///< In which entries were sent in this turn to a follower that had said that it has none.
        Seen                                        seen;
        Term                                        promised_term;
        std::uint64_t                               messages = 0;
        std::array<Answered, simulated_servers_max> answered; ///< By leader.
        std::uint64_t                               lacks_room_us = 0;
        std::array<LinkSeen, simulated_servers_max> links;
        ByTerm<ServerId>                            votes; ///< That left this server.
        DurableRecord                               durable;
    };

    void note(std::optional<std::string_view> violation)
    {
        if (violation)
            fail(*violation);
    }

    static void learn(Record& record, State const& state)
    {
        record.seen = {state.current_term,   state.voted_for.value_or(nobody),
                       state.commit_index,   state.apply_index,
                       last_position(state), is_leader(state)};
    }

    /// Election Safety, Leader Append-Only and Leader Completeness.
    void check_leader(std::size_t server, State const& state)
    {
        auto const& seen = servers_[server].seen;
        if (seen.leads and seen.term == state.current_term)
            return expect(last_index(state) >= seen.last.index and state.log.holds(seen.last),
                          "a leader only appends to its log");
        auto& leader = leaders_[state.current_term];
        expect(leader == nobody or leader == state.own.id, "at most one leader is elected in a term");
        leader = state.own.id;
        expect(committed_.is_complete(state.log, state.current_term),
               "what was committed is in the logs of the leaders of all higher terms");
    }

    [[nodiscard]] static ServerId votes_in(Record const& record, Term term)
    {
        auto const* vote = record.votes.find(term);
        return vote != nullptr ? *vote : nobody;
    }

    /// Whether a majority has reported this entry, and with it all before, durable.
    [[nodiscard]] bool is_on_majority(LogPosition entry) const
    {
        auto const holds = [&](Record const& record) { return registry_.is_before(entry, record.durable.last()); };
        auto const voters = servers_.begin() + static_cast<std::ptrdiff_t>(voters_);
        return voters_ == 0 or 2 * static_cast<std::size_t>(std::count_if(servers_.begin(), voters, holds)) > voters_;
    }

    void acknowledge(Record& record, AppendEntriesResponse const& answer)
    {
        record.promised_term = std::max(record.promised_term, answer.term);
        expect(answer.match <= record.durable.last().index, "what is acknowledged is durable where that is said");
        expect(record.durable.has_term(answer.term), "the term of what is acknowledged is durable where that is said");
    }

    void vote(Record& record, Term term, ServerId candidate)
    {
        expect(record.durable.has_vote(term, candidate), "a vote is durable before it leaves");
        record.promised_term = std::max(record.promised_term, term);
        auto& given = record.votes[term];
        expect(given == nobody or given == candidate, "a server votes once in a term, also across crashes");
        given = candidate;
    }

    void end(std::uint64_t number, End how)
    {
        expect(proposals_[number].end == End::open, "every proposal ends exactly once");
        proposals_[number].end = how;
    }

    std::string                               broken_;
    EntryRegistry                             registry_;
    CommittedLog                              committed_;
    std::array<Record, simulated_servers_max> servers_;
    std::size_t                               voters_ = 0;
    EntryBytes                                entry_bytes_;
    ByTerm<ServerId>                          leaders_;
    std::vector<Proposal>                     proposals_;
};

} // namespace totora::inline v0::simulate
