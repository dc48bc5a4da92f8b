// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rules/recovery.hpp"
#include "totora/core/step.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/acknowledged.hpp"
#include "totora/node/parts/applier.hpp"
#include "totora/node/parts/apply_pace.hpp"
#include "totora/node/parts/arrival.hpp"
#include "totora/node/parts/cold_reads.hpp"
#include "totora/node/parts/full_links.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/parts/link_bytes.hpp"
#include "totora/node/parts/pending.hpp"
#include "totora/node/parts/proposals.hpp"
#include "totora/node/parts/readiness.hpp"
#include "totora/node/parts/room.hpp"
#include "totora/node/parts/sender.hpp"
#include "totora/node/parts/staging.hpp"
#include "totora/node/parts/violation_counts.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/start_error.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/clock.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/policy/transport.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// One server of a Raft cluster: the shell that carries messages between the core (core/step.hpp) and four policies.
///
/// It decides nothing about the protocol. It is single-threaded: every call comes from the thread that runs
/// it, which calls `turn` when something may have happened (node/driver.hpp does). Completions are called from
/// within `turn` or `stop`, and not before the call that handed them over has returned, unless the node was stopped before.
/// `Observer` is called with each `NodeEvent const&` (node/status.hpp), on the node's thread, and must not block. Completions and observer
/// are called when a step is done, and may call everything here, `stop` included; they must not destroy the node. If one throws,
/// the node has failed, and the others are called all the same. The node owns none of the policies, and all must outlive it.
/// An observer that has `stepped(from, happened, state, outgoing)` is shown each step of the core besides, right after it and before
/// anything of it is done; there it may call nothing here. Checkers and recorders want that.
template <typename Machine, typename Log, typename Transport, typename Clock, typename Observer = NoObserver>
class RaftNode
{
    // Not constraints of the template: of those clang says only that they are not satisfied, when it has deduced the arguments.
    static_assert(state_machine<Machine>, "policy/state_machine.hpp says what a state machine needs");
    static_assert(durable_log<Log>, "policy/log.hpp says what a log needs");
    static_assert(message_transport<Transport>, "policy/transport.hpp says what a transport needs");
    static_assert(alarm_clock<Clock>, "policy/clock.hpp says what a clock needs");
    static_assert(std::invocable<Observer&, NodeEvent const&>, "an observer is called with each `NodeEvent const&`");

public:
    using Response = typename Machine::Response;
    using ProposalCompletion = typename PendingProposal<Response>::Single;
    using BatchCompletion = typename PendingProposal<Response>::Batch;
    using ReadCompletion = Completion<ReadOutcome>;

    RaftNode(Machine& machine, Log& log, Transport& transport, Clock& clock, NodeSettings settings = {},
             Observer observer = {})
        : log_(log), transport_(transport), clock_(clock), settings_(settings), observer_(std::move(observer)),
          cold_reads_(settings_.cold_bytes_max), sender_(log, transport, settings_, cold_reads_),
          applier_(machine, log, cold_reads_), apply_pace_(apply_call_ms_max(settings_)), proposals_(guard_),
          reads_(guard_)
    {}

    RaftNode(RaftNode const&) = delete;
    RaftNode& operator=(RaftNode const&) = delete;

    ~RaftNode()
    {
        if (wakes_)
            static_cast<void>(attempt("a policy", [&] { set_wake(nullptr); }));
    }

    /// Recovers the log and begins as a follower (§5.2). Fails with a sentence, and without any trace, if what was recovered
    /// or set cannot be a server, or if something throws. A node starts once: another run of the server is another node.
    [[nodiscard]] Result<Identity, StartError> start()
    {
        if (was_started_ or guard_.has_failed())
            return Unexpected{StartError{"the node was started before: make another one"}};
        auto       outcome = Result<Identity, StartError>{Unexpected{StartError{}}};
        auto const was_in_turn = std::exchange(in_turn_, true); // The observer takes no turn before the start is done.
        guard_.run(NodeFailure::unfinished_step, "the start of the node", [&] { outcome = begin(); });
        in_turn_ = was_in_turn;
        if (guard_.has_failed())
            outcome = Unexpected{forget_start()};
        return outcome;
    }

    /// Proposes a command. The payload is copied. The completion is called exactly once, with what became of the command.
    /// `timeout_ms` from now, by the clock, it is `Cancelled` if nothing else happened: the client waits no longer, and the
    /// command may still be applied. If this throws, for want of memory, nothing was proposed and the completion is not called.
    void propose(std::span<std::byte const> payload, ProposalCompletion completion, std::uint64_t timeout_ms = never_ms)
    {
        take_proposal({&payload, 1}, PendingProposal<Response>{std::move(completion), deadline(timeout_ms)});
    }

    /// Proposes commands that follow each other in the log; they are accepted or refused together, and end together, with a
    /// vector of responses.
    void propose(std::span<std::span<std::byte const> const> payloads, BatchCompletion completion,
                 std::uint64_t timeout_ms = never_ms)
    {
        take_proposal(payloads,
                      PendingProposal<Response>{std::move(completion), payloads.size(), deadline(timeout_ms)});
    }

    /// Asks for a linearizable read: when the completion says `ReadableNow`, and before it returns, the state machine
    /// may be read (§8; dissertation §6.4). Only a leader can allow it; others refuse, and name the leader. If this throws,
    /// nothing was asked and the completion is not called.
    void read(ReadCompletion completion, std::uint64_t timeout_ms = never_ms)
    {
        reads_.ask(std::move(completion), deadline(timeout_ms));
        if (was_stopped_)
            end_all_promises();
    }

    /// Where the next proposal will stand, if it is accepted while this server still leads in the same term: proposals are accepted in
    /// their order, and those that are refused leave no gap.
    [[nodiscard]] LogPosition next_proposal() const
    {
        return {state_.current_term, last_index(state_) + proposals_.staged_count() + 1};
    }

    /// Does all that can be done now. True if there is more to do at once; otherwise the next turn is due when the log
    /// or the transport has something new, or at `next_turn_ms`. Never throws. Called from within a completion or the
    /// observer it does nothing: the turn that calls them goes on.
    bool turn()
    {
        if (std::exchange(in_turn_, true))
            return false;
        auto more = false;
        guard_.run(NodeFailure::unfinished_step, "a turn of the node", [&] { more = take_turn(); });
        tell_failure();
        in_turn_ = false;
        return anyone_waits() or (running() and more);
    }

    /// Runs `task` with the node, between turns. If it throws, the node has failed, and the next turn tells so.
    template <std::invocable<RaftNode&> Task>
    void run(Task&& task)
    {
        guard_.run(NodeFailure::callback, "a posted task", [&] { task(*this); });
    }

    /// When the next alarm or deadline is due, by the clock's `now_ms`; nothing if none is.
    [[nodiscard]] std::optional<std::uint64_t> next_turn_ms() const
    {
        if (not running())
            return std::nullopt;
        auto const earliest = std::min(proposals_.pending().earliest_ms(), reads_.earliest_ms());
        auto const ring = clock_.next_ring_ms();
        if (not ring and earliest == never_ms)
            return std::nullopt;
        return std::min(earliest, ring.value_or(never_ms));
    }

    /// Ends all promises, syncs the log and marks it as cleanly stopped, and the log calls no wake-up any more: what it
    /// captured may go. The node takes part in nothing from now on. If that did not go well, it has failed like by any
    /// other error of the log. After an unfinished step the log is not touched: it is left as by a crash. Called from within a completion
    /// that `stop` calls it does nothing more. A node that is destroyed without this leaves its completions uncalled.
    ///
    /// What is proposed or read from now on, by those completions too, is refused before this, or that call, returns. So a
    /// completion that always tries again keeps `stop` from returning.
    void stop()
    {
        guard_.end();
        auto const is_first = not std::exchange(was_stopped_, true);
        end_everything();
        end_all_promises();
        if (is_first and was_started_)
            close_log();
        tell_failure();
    }

    [[nodiscard]] Status status() const
    {
        auto status = Status{};
        status.running = running();
        if (auto const* failed = guard_.failed())
            status.failed = *failed;
        status.id = state_.own.id;
        status.role = role_of(state_);
        status.term = state_.current_term;
        status.leader = known_leader(state_);
        status.admitted = is_admitted(state_);
        status.last = last_index(state_);
        status.commit = state_.commit_index;
        status.applied = applier_.applied();
        status.durable = state_.durable_index;
        status.ready = running() and ready_;
        status.room = state_.room;
        status.disk_hangs = state_.storage.late;
        status.entry_bytes_sent = sender_.entry_bytes_sent();
        status.entry_bytes_received = entry_bytes_received_;
        status.entry_bytes_stored = entry_bytes_stored_;
        status.decisions = decisions_;
        status.payload_mismatches = payload_mismatches_;
        status.violations = violations_.rows();
        if (auto const* leader = std::get_if<Leader>(&state_.role))
            for (auto const& progress : leader->followers)
                status.followers.push_back({progress.server, progress.match, progress.next,
                                            std::holds_alternative<Replicate>(progress.mode), progress.link_full,
                                            in_flight(progress), progress.no_room, is_set_back(progress.server)});
        return status;
    }

    /// The server's state, for tests and inspection.
    [[nodiscard]] State const& state() const { return state_; }

    [[nodiscard]] Clock& clock() { return clock_; }

    /// Hands a wake-up to the policies that work in the background. It may be called from any thread. An empty one takes the
    /// last one back: nobody calls it any more when this returns.
    void set_wake(std::function<void()> wake)
    {
        wakes_ = static_cast<bool>(wake);
        if (not wakes_)
            wake = [] {};
        auto copy = wake;
        if constexpr (requires { log_.set_wake(wake); })
            if (not log_closed_)
                log_.set_wake(std::move(wake));
        if constexpr (requires { transport_.set_wake(copy); })
            transport_.set_wake(std::move(copy));
    }

private:
    [[nodiscard]] bool running() const { return guard_.runs(); }

    [[nodiscard]] Result<Identity, StartError> begin()
    {
        if (not has_limits(settings_))
            return Unexpected{StartError{std::string{describe(RecoveryError::settings_unsound)}}};
        if (auto const fault = fault_in_limits(); not fault.empty())
            return Unexpected{StartError{fault}};
        auto recovered = log_.recover();
        if (not recovered)
            return Unexpected{StartError{recovered.error().what}};
        auto& identity = recovered->identity;
        if (auto const fault = fault_in(identity); not fault.empty())
            return Unexpected{StartError{"the log is no server's: " + fault}};
        if (auto const fault = fault_in_configurations(*recovered); not fault.empty())
            return Unexpected{StartError{fault}};
        applier_.start();
        auto state = core::recover(settings_.core, Member{identity.id, identity.incarnation, MemberKind::voter},
                                   {.current_term = recovered->current_term,
                                    .voted_for = recovered->voted_for,
                                    .log = std::move(recovered->entries),
                                    .configuration = recovered->configuration,
                                    .previous_configuration = recovered->previous_configuration,
                                    .commit_index = recovered->commit_index,
                                    .applied_index = applier_.applied()});
        if (not state)
            return Unexpected{StartError{std::string{describe(state.error())}}};
        state_ = *std::move(state);
        replayed_at_ = state_.commit_index;
        was_started_ = true;
        guard_.begin();
        if (recovered->torn_tail)
            tell(TornTailCut{*recovered->torn_tail});
        for (auto const& peer : identity.first_members)
            if (peer.member.id != identity.id)
                transport_.update(peer.member.id, peer.member.incarnation, peer.address);
        feed(nobody, Started{});
        return std::move(identity);
    }

    /// Leaves the node as it was before it began, and says why.
    [[nodiscard]] StartError forget_start()
    {
        was_started_ = false;
        guard_.end();
        end_everything();
        state_ = State{};
        seen_ = RoleChanged{};
        decisions_ = {};
        violations_ = {};
        return StartError{guard_.forget().what};
    }

    [[nodiscard]] bool take_turn()
    {
        proposals_.deliver_refusals();
        if (not running()) {
            end_everything();
            return false;
        }
        cold_reads_.begin_turn();
        watch_log();
        watch_room();
        auto const more_messages = take_messages();
        ring_alarms();
        resume_appends();
        if (reads_.any_asked())
            feed(nobody, ReadRequested{});
        propose_staged();
        write_out();
        auto const now_ms = apply_committed();
        notice_readiness();
        proposals_.pending().expire(now_ms);
        reads_.expire(now_ms);
        auto const can_read = not cold_reads_.is_stopped();
        return running() and (more_messages or (can_read and (applier_.applied() < state_.apply_index or
                                                              sender_.can_resume(std::get_if<Leader>(&state_.role)))));
    }

    [[nodiscard]] std::uint64_t deadline(std::uint64_t timeout_ms) const
    {
        auto const now = clock_.now_ms();
        return timeout_ms >= never_ms - now ? never_ms : now + timeout_ms;
    }

    /// An entry that no message can carry would be proposed, and would stand in the way of all others for ever (case 84).
    [[nodiscard]] std::string fault_in_limits() const
    {
        if constexpr (requires {
                          {
                              transport_.entry_bytes_max()
                              } -> std::convertible_to<std::uint64_t>;
                      }) {
            auto const most = std::uint64_t{transport_.entry_bytes_max()};
            auto const over = [&](std::uint64_t limit) { return limit > most; };
            if (over(settings_.entry_bytes_max) or over(settings_.append_bytes_max))
                return "entry_bytes_max and append_bytes_max must not be above " + std::to_string(most) +
                       ", the most that the transport carries in one message";
        }
        return {};
    }

    /// Whether a proposal or a read waits for the next turn, if only to be refused.
    [[nodiscard]] bool anyone_waits() const { return proposals_.has_work() or reads_.any_asked(); }

    /// Names the leader as long as this server takes part: what it knew when it ended is of no use to anybody.
    [[nodiscard]] RefusedBecause refusal(ProposalError why) const
    {
        return {why, running() ? known_leader(state_) : nobody};
    }

    // --- From client to core -------------------------------------------------------------------------------------

    void take_proposal(std::span<std::span<std::byte const> const> payloads, PendingProposal<Response> promise)
    {
        auto const too_large = [&](auto const& payload) { return payload.size() > settings_.entry_bytes_max; };
        auto const why = not running()                                              ? ProposalError::not_running
                         : payloads.empty()                                         ? ProposalError::empty_proposal
                         : std::any_of(payloads.begin(), payloads.end(), too_large) ? ProposalError::entry_too_large
                         : proposals_.staged_bytes() >= settings_.uncommitted_bytes_max
                             ? ProposalError::too_much_pending
                             : ProposalError{};
        if (why == ProposalError{})
            proposals_.stage(payloads, std::move(promise));
        else
            proposals_.refuse(refusal(why), std::move(promise));
        if (was_stopped_)
            end_all_promises();
    }

    /// Proposes everything that was staged since the last turn as one run: one write, one append per follower. What the
    /// core refuses was in no log (case 87).
    void propose_staged()
    {
        if (not running() or proposals_.staged_count() == 0)
            return;
        if (is_leader(state_))
            cut_staged();
        if (proposals_.staged_count() == 0)
            return;
        take_step(nobody, Proposed{proposals_.staged_count()});
        if (auto const* accepted = answered<Accepted>())
            return perform(proposals_.accept(accepted->entries), nobody);
        auto const* refused = answered<Refused>();
        auto const  not_leader = refused != nullptr and refused->why == totora::Refusal::not_leader;
        proposals_.refuse_staged(refusal(not_leader ? ProposalError::not_leader : ProposalError::log_exhausted));
        outgoing_.answer.reset();
        perform({}, nobody);
    }

    /// What lies above is in memory for a client, for the disk or for the state machine. Read from the log's own index, so that it
    /// is exact whoever led, and counts no entry twice (cases 77, 91).
    [[nodiscard]] Index forgettable() const
    {
        return std::min({state_.commit_index, state_.durable_index, applier_.applied()});
    }

    /// Refuses, before the core hears of it, what would let too much wait, or what the disk has no room for.
    void cut_staged()
    {
        if (not log_.has_room(proposals_.staged_bytes())) {
            room_.refused(proposals_.staged_bytes(), settings_.entry_bytes_max);
            return proposals_.refuse_staged(refusal(ProposalError::no_room));
        }
        auto const waiting = log_.bytes(next(forgettable()), last_index(state_));
        auto const allowed = settings_.uncommitted_bytes_max - std::min(waiting, settings_.uncommitted_bytes_max);
        proposals_.cut(allowed, waiting == 0, refusal(ProposalError::too_much_pending));
    }

    template <typename T>
    [[nodiscard]] T const* answered() const
    {
        return outgoing_.answer ? std::get_if<T>(&*outgoing_.answer) : nullptr;
    }

    // --- From the policies to the core ---------------------------------------------------------------------------

    void watch_log()
    {
        if (log_.failure())
            return fail({NodeFailure::storage, log_.failure()->what});
        auto const durable = log_.durable();
        if (durable.through() > state_.last_write)
            return fail({NodeFailure::untrusted_log, "the log confirmed write " +
                                                         std::to_string(durable.through().value) + " when only " +
                                                         std::to_string(state_.last_write.value) +
                                                         " were made: nothing that it confirmed can be relied on"});
        if (durable.through() > state_.durable_write)
            feed(nobody, Persisted{durable.through()});
        if (running())
            sender_.release(durable);
    }

    void watch_room()
    {
        auto const& core = settings_.core;
        if (not running())
            return;
        auto const lasting_ms = is_leader(state_) ? core.election.at_most_ms : 0; // A follower is waited for.
        auto const room = room_.ask(log_, clock_.now_ms(), core.heartbeat_ms, lasting_ms);
        if (room and *room != state_.room)
            feed(nobody, RoomChanged{*room});
    }

    /// Makes durable what this turn wrote, and goes on with what that allows, if the log can say so at once.
    void write_out()
    {
        while (running() and std::exchange(wrote_, false)) {
            log_.sync();
            watch_log();
        }
    }

    bool take_messages()
    {
        for (auto taken = std::uint64_t{0}; taken < settings_.receive_max; ++taken) {
            auto event = transport_.receive();
            if (not event)
                return false;
            if (auto const* changed = std::get_if<LinkChanged>(&*event)) {
                full_links_.note(*changed);
                feed(nobody, *changed);
            } else {
                take(*std::get_if<Received>(&*event));
            }
            if (not running())
                return false;
        }
        return true;
    }

    /// Tells the core which links have taken bytes, before it judges whether anything gets through (case 94). Of a transport
    /// that cannot tell, all are taken to have.
    void report_links()
    {
        auto const* leader = std::get_if<Leader>(&state_.role);
        if (leader == nullptr)
            return;
        auto const followers = leader->followers;
        for (auto const& progress : followers)
            if (link_bytes_.moved(transport_, progress.server))
                feed(nobody, LinkMoved{progress.server});
    }

    /// Each kind once or so: a clock that rings without end keeps no message waiting.
    void ring_alarms()
    {
        for (auto left = alarm_kinds; left > 0 and running(); --left) {
            auto const rang = clock_.ring();
            if (not rang)
                return;
            if (rang->alarm == Alarm::quorum_check)
                report_links();
            feed(nobody, *rang);
        }
    }

    /// Goes on with followers whose last append was cut.
    void resume_appends()
    {
        for (auto const server : sender_.take_resumed(std::get_if<Leader>(&state_.role)))
            feed(nobody, AppendsResumed{server});
    }

    void take(Received const& received)
    {
        if (not carries_own_entries(received)) {
            ++payload_mismatches_;
            return tell(PayloadMismatch{received.from});
        }
        if (is_response(received.rpc) and is_of_set_back(received.from, received.rpc))
            return;
        entry_bytes_received_ += received.entries.bytes();
        auto const fits = received.entries.empty() or log_.has_room(received.entries.bytes());
        if (not fits) {
            room_.refused(received.entries.bytes(), received.entries.bytes());
            watch_room();
        }
        // What does not fit is not stored, whatever the core knows by now: of a leader a lack of room must last.
        auto const* append = std::get_if<AppendEntries>(&received.rpc);
        if (received.entries.empty() or (fits and state_.room == LogRoom::enough)) {
            for_each_append(received,
                            [&](auto const& said, Entries const& entries) { feed(received.from, said, entries); });
        } else {
            // No disk space: to the core it is an append without entries, and the answer says why (case 90).
            auto stripped = *append;
            stripped.entries = Run{stripped.term, next(stripped.previous.index), 0};
            feed(received.from, stripped);
        }
        if (append != nullptr)
            readiness_.reached_by(state_, received.from, *append);
        // Often enough: the answers to entries come by the thousand.
        auto const* answer = std::get_if<AppendEntriesResponse>(&received.rpc);
        if (answer != nullptr and answer->number == AppendNumber{})
            note_acknowledged(received.from);
    }

    [[nodiscard]] bool is_set_back(ServerId server) const
    {
        auto const* const member = find_member(state_.configuration, server);
        return member != nullptr and acknowledged_.is_set_back(*member);
    }

    void note_acknowledged(ServerId from)
    {
        auto const* const leader = std::get_if<Leader>(&state_.role);
        auto const* const progress = leader != nullptr ? find_progress(*leader, from) : nullptr;
        auto const* const member = find_member(state_.configuration, from);
        if (progress != nullptr and member != nullptr)
            acknowledged_.note(*member, *progress, state_);
    }

    /// Whether a response is of a server whose disk was lost or set back: it does not count.
    [[nodiscard]] bool is_of_set_back(ServerId from, Rpc const& response)
    {
        auto const* const answer = std::get_if<AppendEntriesResponse>(&response);
        auto const        is_refusal = answer != nullptr and not answer->success;
        if (not is_refusal and not acknowledged_.knows_any_set_back())
            return false;
        auto const* const sender = find_member(state_.configuration, from);
        if (sender == nullptr)
            return false;
        if (is_refusal and is_leader(state_))
            if (auto const found = acknowledged_.judge(*sender, state_, *answer))
                tell(*found);
        return acknowledged_.is_set_back(*sender);
    }

    /// One step of the core. `happened` is whatever `advance` takes.
    template <typename Happened>
    void take_step(ServerId from, Happened const& happened)
    {
        core::advance(state_, from, happened, outgoing_);
        if constexpr (requires { observer_.stepped(from, happened, state_, outgoing_); })
            guard_.run(NodeFailure::callback, "the observer",
                       [&] { observer_.stepped(from, happened, state_, outgoing_); });
    }

    /// A step, and all that it wants done.
    template <typename Happened>
    void feed(ServerId from, Happened const& happened, Entries const& arrived = {})
    {
        if (not running())
            return;
        take_step(from, happened);
        perform(arrived, from);
        if (std::exchange(elected_, false))
            for (auto const server : full_links_)
                feed(nobody, LinkChanged{server, Link::full});
    }

    // --- From the core to the policies ---------------------------------------------------------------------------

    /// Does what a step wants done, in the order in which it must be done: write, then send. What users handed over is called
    /// last, when the step is done and the node is as it should be.
    /// `entries` are the bytes of the step's own entries, accepted from a client or arrived from a leader.
    void perform(Entries const& entries, ServerId from)
    {
        if (outgoing_.failed)
            return fail({NodeFailure::invariant, std::string{outgoing_.failed->condition}});
        for (auto const& write : outgoing_.writes)
            std::visit([&](auto const& one) { this->write(one, entries); }, write);
        for (auto const& order : outgoing_.alarms)
            if (order.delay)
                clock_.arm(order.alarm, order.arming, *order.delay);
            else
                clock_.cancel(order.alarm);
        for (auto const& envelope : outgoing_.messages)
            if (auto const failure = sender_.send(envelope, entries, std::get_if<Leader>(&state_.role)))
                return fail({NodeFailure::storage, failure->what});
        if constexpr (requires(ServerId server) { transport_.renew(server); })
            for (auto const server : outgoing_.links_to_renew)
                transport_.renew(server);
        if (outgoing_.apply_through)
            log_.save_commit(*outgoing_.apply_through);
        if (log_.last() != last_position(state_))
            return fail({NodeFailure::seam, "the log's last entry is not the one that the core knows"});
        for (auto const outcome : outgoing_.decisions) {
            ++decisions_[static_cast<std::size_t>(outcome)];
            if (is_violation(outcome))
                violations_.add(from, outcome);
            tell(DecisionNoted{outcome, from});
        }
        if (not running())
            return;
        answer_reads();
        notice_role();
        for (auto const& cut : sender_.take_cuts())
            feed(nobody, cut);
    }

    void write(SaveVote const& one, Entries const&)
    {
        log_.save_vote(one.write, one.term, one.voted_for);
        wrote_ = true;
    }

    void write(Append const& one, Entries const& entries)
    {
        if (one.kind == EntryKind::no_op)
            append(one.write, make_no_op(one.entries));
        else if (entries.count() == one.entries.count)
            append(one.write, entries);
        else
            append(one.write, entries.between(one.entries.first, last_of(one.entries)));
    }

    void append(WriteNumber write, Entries const& entries)
    {
        log_.append(write, entries);
        if (not is_leader(state_))
            entry_bytes_stored_ += entries.bytes();
        wrote_ = true;
    }

    void write(Truncate const& one, Entries const&)
    {
        log_.truncate(one.write, one.first);
        wrote_ = true;
    }

    void answer_reads()
    {
        if (auto const* started = answered<ReadStarted>())
            reads_.start(started->round);
        else if (answered<Refused>() != nullptr)
            reads_.refuse_asked(refusal(ProposalError::not_leader));
        if (outgoing_.read_allowed)
            reads_.allow(outgoing_.read_allowed->round, outgoing_.read_allowed->index);
    }

    /// Ends what only a leader can promise, when it leads no more.
    void notice_role()
    {
        auto const now = RoleChanged{role_of(state_), state_.current_term, known_leader(state_)};
        if (now.role == seen_.role and now.term == seen_.term and now.leader == seen_.leader)
            return;
        auto const led = seen_.role == RoleName::leader;
        auto const same = now.role == RoleName::leader and now.term == seen_.term;
        seen_ = now;
        elected_ = now.role == RoleName::leader and not(led and same);
        if (elected_)
            readiness_.leads(state_);
        if (led and not same) {
            proposals_.pending().lose_behind(state_.commit_index);
            reads_.refuse_waiting(refusal(ProposalError::not_leader));
        }
        tell(now);
    }

    /// Gives the state machine what is committed and durable, and serves the reads that waited for it. A slow machine is given
    /// the rest in later turns: messages and alarms come in between. Returns the time.
    std::uint64_t apply_committed()
    {
        auto const began_ms = clock_.now_ms();
        auto       now_ms = began_ms;
        auto       entries_left = settings_.apply_entries_max;
        auto       bytes_left = settings_.apply_bytes_max;
        for (auto goes_on = true; running() and goes_on;) {
            auto const first = next(applier_.applied());
            apply_batch(std::min(entries_left, apply_pace_.entries()), bytes_left);
            auto const applied = next(applier_.applied()).value - first.value;
            auto const took_ms = clock_.now_ms() - now_ms;
            now_ms += took_ms;
            apply_pace_.learn(applied, took_ms);
            if (not running() or applied == 0 or applier_.applied() >= state_.apply_index)
                break;
            entries_left -= std::min(entries_left, applied);
            bytes_left -= std::min(bytes_left, log_.bytes(first, applier_.applied()));
            goes_on = entries_left > 0 and
                      log_.bytes(next(applier_.applied()), next(applier_.applied())) <= bytes_left and
                      now_ms - began_ms < settings_.apply_ms_max and clock_.next_ring_ms().value_or(never_ms) > now_ms;
        }
        return now_ms;
    }

    void apply_batch(std::uint64_t count_max, std::uint64_t bytes_max)
    {
        auto const failed = applier_.apply(state_.log, state_.apply_index, count_max, bytes_max,
                                           [&](LogPosition position, Response&& response) {
                                               proposals_.pending().applied(position, std::move(response));
                                           });
        if (failed)
            return fail(*failed);
        proposals_.pending().end_through(applier_.applied());
        reads_.serve(applier_.applied());
    }

    /// Tells the core, and who asks whether this server may take clients, how far its state machine is.
    void notice_readiness()
    {
        if (state_.replaying and applier_.applied() >= replayed_at_)
            feed(nobody, Replayed{});
        auto const ready = running() and readiness_.is_ready(applier_.applied());
        if (ready != std::exchange(ready_, ready))
            tell(ReadinessChanged{ready});
    }

    // --- Ends ----------------------------------------------------------------------------------------------------

    /// Goes silent for good. The process lives. What follows from it waits until nothing else is under way.
    void fail(Failed failed) { guard_.fail(std::move(failed)); }

    /// Tells once that the node has failed, and ends everything. Needs no memory.
    void tell_failure()
    {
        if (not guard_.has_failed() or std::exchange(failure_told_, true))
            return;
        auto silenced = Outgoing{};
        core::advance(state_, nobody, StorageFailed{}, silenced);
        tell(guard_.event());
        end_everything();
    }

    void end_everything()
    {
        guard_.run(NodeFailure::unfinished_step, "a policy", [&] {
            for (auto kind = std::size_t{0}; kind < alarm_kinds; ++kind)
                clock_.cancel(static_cast<Alarm>(kind));
            sender_.clear();
        });
        proposals_.end_all({ProposalError::not_running, nobody});
        reads_.end_all({ProposalError::not_running, nobody});
    }

    /// Ends all promises of a stopped node, also those that come meanwhile.
    void end_all_promises()
    {
        if (std::exchange(ending_, true))
            return;
        do {
            proposals_.end_all({ProposalError::not_running, nobody});
            reads_.end_all({ProposalError::not_running, nobody});
        } while (anyone_waits());
        ending_ = false;
    }

    /// What an unfinished step may have left half made in the log's memory must not become durable.
    void close_log()
    {
        auto const* failed = guard_.failed();
        guard_.run(NodeFailure::unfinished_step, "the end of the log", [&] {
            if (failed != nullptr and failed->why == NodeFailure::unfinished_step)
                return set_wake(nullptr);
            log_.close();
            log_closed_ = true;
            if (auto const failure = log_.failure())
                guard_.fail({NodeFailure::storage, failure->what});
        });
    }

    void tell(NodeEvent const& event)
    {
        if constexpr (not std::same_as<Observer, NoObserver>)
            guard_.run(NodeFailure::callback, "the observer", [&] { observer_(event); });
        else
            static_cast<void>(event);
    }

    Log&                           log_;
    Transport&                     transport_;
    Clock&                         clock_;
    NodeSettings                   settings_;
    [[no_unique_address]] Observer observer_;

    Guard                                     guard_;
    State                                     state_;
    Outgoing                                  outgoing_; ///< Recycled by every step.
    ColdReads                                 cold_reads_;
    Sender<Log, Transport>                    sender_;
    Applier<Machine, Log>                     applier_;
    ApplyPace                                 apply_pace_;
    LinkBytes                                 link_bytes_;
    Proposals<Response>                       proposals_;
    PendingReads                              reads_;
    RoomWatch                                 room_;
    Readiness                                 readiness_;
    bool                                      ready_ = false;
    Index                                     replayed_at_; ///< What the disk knew to be committed at the start.
    std::uint64_t                             entry_bytes_received_ = 0;
    std::uint64_t                             entry_bytes_stored_ = 0;
    bool                                      wrote_ = false;
    bool                                      was_started_ = false;
    bool                                      was_stopped_ = false;
    bool                                      log_closed_ = false;
    bool                                      in_turn_ = false;
    bool                                      ending_ = false;
    bool                                      failure_told_ = false;
    bool                                      wakes_ = false; ///< Policies hold a wake-up that somebody handed over.
    RoleChanged                               seen_;
    bool                                      elected_ = false; ///< In this step.
    FullLinks                                 full_links_;
    std::array<std::uint64_t, decision_count> decisions_{};
    ViolationCounts                           violations_;
    AcknowledgedEntries                       acknowledged_;
    std::uint64_t                             payload_mismatches_ = 0;
};

} // namespace totora::inline v0
