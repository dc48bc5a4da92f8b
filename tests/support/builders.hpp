// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/invariants.hpp"
#include "totora/core/rules/recovery.hpp"
#include "totora/core/step.hpp"
#include "totora/testing/laws/step.hpp"

#include "support/configurations.hpp"
#include "support/prove.hpp"

#include <initializer_list>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// How tests make states and state what they expect. Everything is constexpr.
namespace totora::test
{

using namespace core; // Tests of the core speak its verbs.

/// A log of these runs; each begins where the one before ended.
[[nodiscard]] constexpr TermRuns log_of(std::initializer_list<Run> runs)
{
    auto log = TermRuns{};
    for (auto const& run : runs)
        log.append(run);
    return log;
}

/// A server as it is after a restart with this log, all of it durable; no alarm is armed yet.
[[nodiscard]] constexpr State server(ServerId id, Term term, TermRuns log, std::uint64_t voters = 3)
{
    auto state = recover(Settings{}, Member{id, Incarnation{1}, MemberKind::voter},
                         {.current_term = term,
                          .voted_for = std::nullopt,
                          .log = std::move(log),
                          .configuration = cluster(voters),
                          .previous_configuration = cluster(voters),
                          .commit_index = Index{},
                          .applied_index = Index{}});
    return *std::move(state);
}

/// A follower without an active leader, which knows none.
[[nodiscard]] constexpr State
follower(ServerId id, Term term, std::initializer_list<Run> runs, std::uint64_t voters = 3)
{
    return server(id, term, log_of(runs), voters);
}

/// Servers with empty logs, S1 and so on: these many voters, and then joiners, which know no configuration.
[[nodiscard]] constexpr std::vector<State>
new_servers(std::uint64_t voters, Settings const& settings, std::uint64_t joiners)
{
    auto servers = std::vector<State>{};
    for (auto id = std::uint64_t{1}; id <= voters + joiners; ++id) {
        servers.push_back(server(ServerId{id}, Term{}, TermRuns{}, id <= voters ? voters : 0));
        servers.back().settings = settings;
    }
    return servers;
}

/// A message of another server.
template <typename Rpc>
[[nodiscard]] constexpr Message from(ServerId sender, Rpc const& rpc)
{
    return {sender, MessageBody{rpc}};
}

/// Something that happens on the server itself.
template <typename Local>
[[nodiscard]] constexpr Message local(Local const& happening)
{
    return {nobody, MessageBody{happening}};
}

/// The newest arming of an alarm rings.
[[nodiscard]] constexpr Message ring(State const& state, Alarm alarm)
{
    return local(AlarmRang{alarm, state.alarms.armings[static_cast<std::size_t>(alarm)]});
}

/// Everything that was written becomes durable.
[[nodiscard]] constexpr Message persisted(State const& state) { return local(Persisted{state.writes.last}); }

/// A candidate of the term after `term`: it asked with a pre-vote unless `settings.pre_vote` is off, and its own vote is durable.
[[nodiscard]] constexpr State candidate(State state)
{
    state.settings.pre_vote = false;
    state = step(std::move(state), ring(state, Alarm::election)).state;
    return step(state, persisted(state)).state;
}

/// A leader of the term after `state`'s, elected by all others. Its no-op is in its log, and durable there only.
[[nodiscard]] constexpr State leader(State state)
{
    auto const pre_vote = state.settings.pre_vote;
    state = candidate(std::move(state));
    for (auto const& member : cluster(servers_max).members)
        if (not is_leader(state) and member.id != state.own.id and is_voter(state.configurations.in_force, member.id))
            state = step(state, from(member.id, RequestVoteResponse{state.current_term, true})).state;
    state.settings.pre_vote = pre_vote;
    return step(state, persisted(state)).state;
}

/// An append with entries, as the leader of `term` would send it.
[[nodiscard]] constexpr AppendEntries append_of(Term term, LogPosition previous, Term entries_term, std::uint64_t count,
                                                Index commit = {}, std::uint64_t number = 1)
{
    return {.term = term,
            .previous = previous,
            .entries = {entries_term, next(previous.index), count},
            .leader_commit = commit,
            .round = Round{},
            .number = AppendNumber{number},
            .committed = commit};
}

/// A heartbeat; with a number, an append that tests the place where entries would go.
[[nodiscard]] constexpr AppendEntries
heartbeat_of(Term term, LogPosition previous, Index commit = {}, std::uint64_t number = 0, Round round = {})
{
    auto heartbeat = append_of(term, previous, term, 0, commit, number);
    heartbeat.round = round;
    return heartbeat;
}

/// The answer of a follower that holds the leader's log up to `match`.
[[nodiscard]] constexpr AppendEntriesResponse
accepted(Term term, Index match, std::uint64_t number = 1, Round round = {})
{
    return {.term = term,
            .success = true,
            .match = match,
            .conflict_hint = {},
            .round = round,
            .number = AppendNumber{number}};
}

/// The answer of a follower that does not hold `previous`.
[[nodiscard]] constexpr AppendEntriesResponse
refused(Term term, Index previous, LogPosition hint, std::uint64_t number = 1)
{
    return {.term = term,
            .success = false,
            .match = previous,
            .conflict_hint = hint,
            .round = {},
            .number = AppendNumber{number}};
}

/// The response to a leader of an older term: it carries no more than the newer one.
[[nodiscard]] constexpr AppendEntriesResponse refused_by_newer_term(Term term)
{
    return {.term = term, .success = false, .match = {}, .conflict_hint = {}, .round = {}, .number = {}};
}

/// Exactly this message, leaving at once or by `release`.
template <typename AnyRpc>
[[nodiscard]] constexpr std::vector<Envelope> just(ServerId to, AnyRpc const& rpc, Release release = Release::at_once())
{
    auto messages = std::vector<Envelope>{};
    messages.push_back(Envelope{to, Rpc{rpc}, release});
    return messages;
}

/// What a step sent to one server, in order. Sealed or not: a test may look.
template <typename OneRpc>
[[nodiscard]] constexpr std::vector<OneRpc> sent(Outgoing const& outgoing, ServerId to)
{
    auto found = std::vector<OneRpc>{};
    for (auto const& envelope : outgoing.messages)
        if (auto const* rpc = std::get_if<OneRpc>(&envelope.rpc()); rpc != nullptr and envelope.to() == to)
            found.push_back(*rpc);
    return found;
}

/// Whether a step named this outcome.
[[nodiscard]] constexpr bool noted(Outgoing const& outgoing, Decision outcome)
{
    return std::find(outgoing.decisions.begin(), outgoing.decisions.end(), outcome) != outgoing.decisions.end();
}

/// Whether a step did nothing but name what happened.
[[nodiscard]] constexpr bool did_nothing(Outgoing const& outgoing)
{
    return outgoing.messages.empty() and outgoing.writes.empty() and outgoing.alarms.empty() and
           not outgoing.store_chunk and outgoing.chunks_wanted.empty() and not outgoing.restore and
           not outgoing.apply_through and not outgoing.answer and not outgoing.read_allowed and
           outgoing.links_to_renew.empty() and not outgoing.failed;
}

/// Exactly these messages, in this order.
[[nodiscard]] constexpr std::vector<Envelope> exactly(std::initializer_list<Envelope> messages) { return {messages}; }

/// Exactly these writes, in this order.
[[nodiscard]] constexpr InplaceVector<Write, writes_max> writes_of(std::initializer_list<Write> made)
{
    auto writes = InplaceVector<Write, writes_max>{};
    for (auto const& write : made)
        writes.push_back(write);
    return writes;
}

/// Exactly these outcomes, in this order.
[[nodiscard]] constexpr InplaceVector<Decision, decisions_max> decisions_of(std::initializer_list<Decision> named)
{
    auto outcomes = InplaceVector<Decision, decisions_max>{};
    for (auto const outcome : named)
        outcomes.push_back(outcome);
    return outcomes;
}

/// What a step orders for an alarm; null if nothing.
[[nodiscard]] constexpr AlarmOrder const* order_for(Outgoing const& outgoing, Alarm alarm)
{
    for (auto const& order : outgoing.alarms)
        if (order.alarm == alarm)
            return &order;
    return nullptr;
}

/// Whether a step arms an alarm (again).
[[nodiscard]] constexpr bool arms(Outgoing const& outgoing, Alarm alarm)
{
    auto const* order = order_for(outgoing, alarm);
    return order != nullptr and order->delay.has_value();
}

/// What a leader knows of a follower. The state is a leader's, and the server its follower.
[[nodiscard]] constexpr Progress const& progress_of(State const& leader, ServerId follower)
{
    return *find_progress(leader, follower);
}

/// Whether a leader still looks for the place where a follower's log agrees with its own.
[[nodiscard]] constexpr bool is_probing(State const& leader, ServerId follower)
{
    return std::holds_alternative<Probe>(progress_of(leader, follower).mode);
}

[[nodiscard]] constexpr bool is_follower(State const& state) { return std::holds_alternative<Follower>(state.role); }
[[nodiscard]] constexpr bool is_pre_candidate(State const& state)
{
    return std::holds_alternative<PreCandidate>(state.role);
}
[[nodiscard]] constexpr bool is_candidate(State const& state) { return std::holds_alternative<Candidate>(state.role); }

/// States that no invariant of the later state, nor of the step that led to it, is broken.
constexpr void require_invariants(State const& earlier, State const& later)
{
    require(not later.fault, "no invariant failed within the step");
    require(not find_broken_invariant(later), "every invariant of a state holds");
    require(not find_broken_invariant(earlier, later), "every invariant of a step holds");
}

/// States that a step keeps the laws (testing/laws/): at run time alone, since in a constant expression it takes long.
constexpr void require_laws(State const& earlier, Message const& message, State const& later, Outgoing const& outgoing)
{
    if (std::is_constant_evaluated())
        return;
    if (auto const broken = laws::find_violated_law(earlier, message.from, message.body, later, outgoing))
        require(false, broken->data());
}

/// `step`, with every invariant and every law asked after it.
[[nodiscard]] constexpr Transition checked_step(State const& state, Message const& message)
{
    auto transition = step(state, message);
    require_invariants(state, transition.state);
    require_laws(state, message, transition.state, transition.outgoing);
    return transition;
}

/// States that a step named this outcome, did nothing, and left everything as it was.
constexpr void require_nothing_but(Decision outcome, State const& before, Transition const& transition)
{
    require(transition.outgoing.decisions == decisions_of({outcome}), "it is noted by its name");
    require(transition.state == before, "nothing changes");
    require(did_nothing(transition.outgoing), "and nothing is sent or done");
}

} // namespace totora::test
