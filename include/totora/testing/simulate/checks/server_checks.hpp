// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/rules/invariants.hpp"
#include "totora/core/rules/reads.hpp"
#include "totora/core/rules/violations.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/safety.hpp"
#include "totora/testing/simulate/checks/committed_log.hpp"
#include "totora/testing/simulate/checks/counted_servers.hpp"
#include "totora/testing/simulate/checks/durable_record.hpp"
#include "totora/testing/simulate/checks/entry_registry.hpp"
#include "totora/testing/simulate/faults/by_term.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

namespace totora::inline v0::simulate
{

/// The properties of each server and between them: Figure 3, votes and acknowledgements that are promises, and what is
/// durable. Servers are counted from 0.
class ServerChecks : public CountedServers
{
public:
    [[nodiscard]] CommittedLog const& committed() const { return committed_; }

    /// A server has lost its directory, and begins another life.
    void begin_life(std::size_t server, Incarnation life)
    {
        lives().begin(server, life, servers_[server].durable.last());
        auto const messages = servers_[server].messages;
        servers_[server] = Record{};
        servers_[server].messages = messages;
    }

    /// A process has recovered this: what is not durable may be gone, and nothing else. One that finds damage does not start.
    void recovered(std::size_t server, Recovered const& found)
    {
        auto&       record = servers_[server];
        auto const& log = found.entries;
        expect(registry_.holds(log, record.durable.last()), "what a log reported durable survives a crash");
        expect(log.base().index >= record.durable.base(), "what was compacted durably stays compacted");
        record.durable.start(log.last(), found.current_term, found.voted_for.value_or(nobody), log.base().index);
        expect(found.current_term >= record.promised_term, "a term in which something was promised survives a crash");
        auto const vote = votes_in(record, found.current_term);
        expect(vote == nobody or found.voted_for == vote, "a vote survives a crash");
    }

    /// It has started.
    void started(std::size_t server, State const& state)
    {
        auto& record = servers_[server];
        expect(registry_.knows(state.log), "what is recovered was made by a leader");
        expect(state.commit_index <= committed_.last(), "no server saved as committed what is not");
        record.seen = Seen{};
        record.seen.apply_index = state.apply_index;
        learn(record, state);
    }

    /// Called after a server has run: checks everything that can be checked at once.
    void after_event(std::size_t server, State const& state)
    {
        auto&       record = servers_[server];
        auto const& seen = record.seen;
        if (state.current_term < seen.term)
            fail("terms never go back");
        if (state.current_term == seen.term and seen.voted_for != nobody and state.voted_for != seen.voted_for)
            fail("a vote is given once in a term");
        if (state.commit_index < seen.commit)
            fail("what is committed stays committed");
        if (state.apply_index < seen.apply_index)
            fail("what is applied stays applied");
        expect_no(find_broken_invariant(state));
        advance_commit_to(server, state);
        if (is_leader(state))
            check_leader(server, state);
        learn(record, state);
    }

    /// A server has taken a step, whose effects are still to come.
    void stepped(std::size_t server, State const& before, State const& after)
    {
        if (after.commit_index <= std::max(before.commit_index, committed_.last()))
            return;
        expect(is_leader(before), "nobody but a leader commits what was not committed before");
        advance_commit_to(server, after, before.configurations.in_force);
    }

    /// The commit index of a server may have advanced; checked before its machine gets the entries.
    void advance_commit_to(std::size_t server, State const& state)
    {
        advance_commit_to(server, state, state.configurations.in_force);
    }

    /// By the configuration in force now or `earlier`: a leader may append one in the step in which it commits.
    void advance_commit_to(std::size_t server, State const& state, Configuration const& earlier)
    {
        auto& seen = servers_[server].seen;
        if (state.commit_index <= seen.commit)
            return;
        auto const known = committed_.last();
        expect_no(committed_.learn(state, seen.commit, registry_));
        seen.commit = state.commit_index;
        auto const newest = LogPosition{state.log.term_at(state.commit_index).value_or(Term{}), state.commit_index};
        if (committed_.last() > known)
            expect(is_on_majority(newest, earlier) or is_on_majority(newest, state.configurations.in_force),
                   "what is committed is durable on a majority");
    }

    /// A server sends a message: a vote is given once in a term, also across crashes, and what is promised is durable.
    void sent(std::size_t server, ServerId to, Rpc const& rpc)
    {
        auto& record = servers_[server];
        ++record.messages;
        if (not is_member(to))
            return fail("messages go to members");
        if (auto const* request = std::get_if<RequestVote>(&rpc);
            request != nullptr and not core::is_in_range(request->term))
            return fail("no server requests votes beyond the last term");
        if (auto const* request = std::get_if<RequestVote>(&rpc))
            vote(record, request->term, ServerId{server + 1});
        else if (auto const* response = std::get_if<RequestVoteResponse>(&rpc); response and response->vote_granted)
            vote(record, response->term, to);
        else if (auto const* answer = std::get_if<AppendEntriesResponse>(&rpc); answer and answer->success)
            acknowledge(record, answer->term, answer->match);
        else if (auto const* installed = std::get_if<InstallSnapshotResponse>(&rpc);
                 installed and installed->match > Index{})
            acknowledge(record, installed->term, installed->match);
    }

    /// How many messages a server has sent.
    [[nodiscard]] std::uint64_t messages_of(std::size_t server) const { return servers_[server].messages; }

    /// A server appends entries after `previous` to its log.
    void appended(std::size_t server, LogPosition previous, Entries const& entries)
    {
        for (auto const entry : entries) {
            expect_no(registry_.add(ServerId{server + 1}, previous, entry));
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

    /// The machine of a server keeps itself up to there.
    void machine_keeps(std::size_t server, Index index) { servers_[server].kept_by_machine = index; }

    /// A server lets its log begin after this entry, of which it says that a snapshot up to `newest` stands for it.
    void compact_written(std::size_t server, WriteNumber write, LogPosition base, Index newest)
    {
        expect(base.index <= std::max(newest, servers_[server].kept_by_machine),
               "a log is compacted only by a durable snapshot of its own, or by what its machine keeps");
        expect(committed_.log().holds(base), "what is compacted is committed");
        servers_[server].durable.compact(write, base.index);
    }

    /// A server puts a snapshot in place of its log.
    void install_written(std::size_t server, WriteNumber write, LogPosition snapshot)
    {
        expect(committed_.log().holds(snapshot), "a snapshot that is installed stands for what is committed");
        auto& durable = servers_[server].durable;
        durable.install(write, snapshot, registry_.agreement(durable.last(), committed_.log()));
    }

    /// The last entry of a server's log that is durable.
    [[nodiscard]] Index durable_last(std::size_t server) const { return servers_[server].durable.last().index; }

    /// A server removes all that follows this entry from its log.
    void truncated(std::size_t server, LogPosition last) { servers_[server].durable.truncate(last); }

    void durable_reported(std::size_t server, WriteNumber through) { servers_[server].durable.confirm(through); }

    /// A server relies on entries up to here being durable in its own log.
    void relies_on(std::size_t server, Index index)
    {
        expect(index <= servers_[server].durable.last().index,
               "a server applies and saves as committed what is durable in its own log");
    }

    /// Checks a whole server: its log, against everything that was ever made and committed.
    void in_full(State const& state)
    {
        expect(registry_.knows(state.log), "all entries of a log were made by the leaders of their terms");
        expect(committed_.agrees(state.log, state.commit_index), "committed entries never change");
    }

    /// The entries that a log reads back are those of the core.
    void read_back(State const& state, Entries const& entries)
    {
        for (auto const entry : entries) {
            expect(state.log.term_at(entry.index) == entry.term, "log and core agree on the term of each entry");
            expect(registry_.checksum({entry.term, entry.index}) == entry.checksum and is_intact(entry),
                   "a log gives back the bytes that were put into it");
        }
    }

protected:
    /// The state in which a process was last seen.
    struct Seen
    {
        Term        term;
        ServerId    voted_for;
        Index       commit;
        Index       apply_index;
        LogPosition last;
        bool        leads = false;
    };

    struct Record
    {
        Seen             seen;
        Term             promised_term;
        std::uint64_t    messages = 0;
        ByTerm<ServerId> votes; ///< That left this server.
        DurableRecord    durable;
        Index            kept_by_machine; ///< If it keeps itself.
    };

    [[nodiscard]] std::array<Record, simulated_servers_max> const& servers() const { return servers_; }
    [[nodiscard]] EntryRegistry const&                             registry() const { return registry_; }
    [[nodiscard]] CommittedLog&                                    committed_log() { return committed_; }
    [[nodiscard]] CommittedLog const&                              committed_log() const { return committed_; }

private:
    static void learn(Record& record, State const& state)
    {
        record.seen = {state.current_term,   state.voted_for.value_or(nobody),
                       state.commit_index,   state.apply_index,
                       last_position(state), is_leader(state)};
    }

    void check_leader(std::size_t server, State const& state)
    {
        auto const& seen = servers_[server].seen;
        if (seen.leads and seen.term == state.current_term)
            expect(registry_.holds(state.log, seen.last), testing::figure_3::leader_append_only);
        else
            expect_no(committed_.elect(state));
    }

    [[nodiscard]] static ServerId votes_in(Record const& record, Term term)
    {
        auto const* vote = record.votes.find(term);
        return vote != nullptr ? *vote : nobody;
    }

    /// Whether a majority has reported this entry durable, with all before it.
    [[nodiscard]] bool is_on_majority(LogPosition entry, Configuration const& configuration) const
    {
        return counts_none() or is_majority(configuration, [&](std::size_t server) {
                   auto const durable = servers_[server].durable.last();
                   return registry_.is_before(entry, lives().durable_by(configuration, server, durable));
               });
    }

    void acknowledge(Record& record, Term term, Index match)
    {
        record.promised_term = std::max(record.promised_term, term);
        expect(record.durable.has_stored(match, term), "what is acknowledged is durable at its sender");
        expect(record.durable.has_term(term), "the term of what is acknowledged is durable at its sender");
    }

    void vote(Record& record, Term term, ServerId candidate)
    {
        expect(record.durable.has_vote(term, candidate), "a vote is durable before it leaves");
        record.promised_term = std::max(record.promised_term, term);
        auto& given = record.votes[term];
        expect(given == nobody or given == candidate, "a server votes once in a term, also across crashes");
        given = candidate;
    }

    EntryRegistry                             registry_;
    CommittedLog                              committed_;
    std::array<Record, simulated_servers_max> servers_;
};

} // namespace totora::inline v0::simulate
