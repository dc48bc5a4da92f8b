// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/recovery.hpp"
#include "totora/core/step.hpp"
#include "totora/node/outbox.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/promises.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/split.hpp"
#include "totora/node/staging.hpp"
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

namespace totora
{

/// Why a node did not start, in a sentence. Nothing was written.
struct StartError
{
    std::string sentence;
};

/// One server of a Raft cluster: the shell that carries messages between the core (core/step.hpp) and four policies.
///
/// It decides nothing about the protocol. It is single-threaded: every call comes from the thread that runs
/// it, which calls `turn` when something may have happened (node/driver.hpp does). Completions are called from
/// within `turn` or `stop`, never before the call that handed them over has returned, and must not throw; they
/// may propose and read. The node owns none of the policies, and all must outlive it.
template <state_machine Machine, durable_log Log, message_transport Transport, alarm_clock Clock,
          typename Observer = NoObserver>
class RaftNode
{
public:
    using Response = typename Machine::Response;
    using ProposalCompletion = typename Promise<Response>::Single;
    using BatchCompletion = typename Promise<Response>::Batch;
    using ReadCompletion = Completion<ReadOutcome>;

    RaftNode(Machine& machine, Log& log, Transport& transport, Clock& clock, NodeSettings settings = {},
             Observer observer = {})
        : machine_(machine), log_(log), transport_(transport), clock_(clock), settings_(settings),
          observer_(std::move(observer))
    {}

    RaftNode(RaftNode const&) = delete;
    RaftNode& operator=(RaftNode const&) = delete;

    /// Recovers the log and begins as a follower (§5.2). Fails with a sentence, and without any trace, if
    /// what was recovered cannot be a server.
    [[nodiscard]] Result<Identity, StartError> start()
    {
        auto recovered = log_.recover();
        if (not recovered)
            return Unexpected{StartError{recovered.error().sentence}};
        auto const& identity = recovered->identity;
        auto const own = Member{identity.id, identity.incarnation, MemberKind::voter};
        auto state = recover(settings_.core, own,
                             {.current_term = recovered->current_term,
                              .voted_for = recovered->voted_for,
                              .log = std::move(recovered->entries),
                              .configuration = recovered->configuration,
                              .previous_configuration = recovered->previous_configuration,
                              .commit_index = recovered->commit_index,
                              .applied_index = machine_.applied_index()});
        if (not state)
            return Unexpected{StartError{sentence_of(state.error())}};
        state_ = *std::move(state);
        applied_ = machine_.applied_index();
        running_ = true;
        if (recovered->torn_tail)
            tell(TornTailCut{*recovered->torn_tail});
        for (auto const& peer : identity.first_members)
            if (peer.member.id != identity.id)
                transport_.update(peer.member.id, peer.member.incarnation, peer.address);
        feed({nobody, Started{}});
        return identity;
    }

    /// Proposes a command. The payload is copied. The completion is called exactly once.
    void propose(std::span<std::byte const> payload, ProposalCompletion completion, std::uint64_t timeout_ms = never_ms)
    {
        auto promise = Promise<Response>{std::move(completion), deadline(timeout_ms)};
        propose_all(std::span{&payload, 1}, std::move(promise));
    }

    /// Proposes commands that follow each other in the log; they are accepted or refused together.
    void propose(std::span<std::span<std::byte const> const> payloads, BatchCompletion completion,
                 std::uint64_t timeout_ms = never_ms)
    {
        propose_all(payloads, Promise<Response>{std::move(completion), payloads.size(), deadline(timeout_ms)});
    }

    /// Asks for a linearizable read: when the completion says `ReadableNow`, and before it returns, the state machine
    /// may be read (§8; dissertation §6.4).
    void read(ReadCompletion completion, std::uint64_t timeout_ms = never_ms)
    {
        reads_.ask(std::move(completion), deadline(timeout_ms));
    }

    /// Does all that can be done now. True if there is more to do at once; otherwise the next turn is due when the log
    /// or the transport has something new, or at `next_turn_ms`.
    bool turn()
    {
        end_refused();
        if (not running_)
            return end_without_running();
        watch_log();
        auto more = take_messages();
        while (auto const rang = clock_.ring())
            feed({nobody, *rang});
        if (running_ and reads_.any_asked())
            feed({nobody, ReadRequested{}});
        if (running_ and not staged_.empty())
            propose_staged();
        write_out();
        more = apply_committed() or more;
        expire(clock_.now_ms());
        return running_ and (more or not staged_.empty() or reads_.any_asked() or not refused_.empty());
    }

    /// When the next alarm or deadline is due, by the clock's `now_ms`; nothing if none is.
    [[nodiscard]] std::optional<std::uint64_t> next_turn_ms() const
    {
        auto const earliest = std::min(pending_.earliest_ms(), reads_.earliest_ms());
        auto const ring = clock_.next_ring_ms();
        if (not ring and earliest == never_ms)
            return std::nullopt;
        return std::min(earliest, ring.value_or(never_ms));
    }

    /// Ends all promises, syncs the log and marks it as cleanly stopped. The node takes part in nothing any more.
    void stop()
    {
        if (not running_ and not failed_)
            return end_everything();
        running_ = false;
        end_everything();
        if (not failed_)
            log_.close();
    }

    [[nodiscard]] Status status() const
    {
        auto status = Status{};
        status.running = running_;
        status.failed = failed_;
        status.id = state_.own.id;
        status.role = role_of(state_);
        status.term = state_.current_term;
        status.leader = known_leader(state_);
        status.admitted = is_admitted(state_);
        status.last = last_index(state_);
        status.commit = state_.commit_index;
        status.applied = applied_;
        status.durable = state_.durable_index;
        status.outcomes = outcomes_;
        if (auto const* leader = std::get_if<Leader>(&state_.role))
            for (auto const& progress : leader->followers)
                status.followers.push_back({progress.server, progress.match, progress.next,
                                            std::holds_alternative<Replicate>(progress.flow), progress.full,
                                            progress.in_flight()});
        return status;
    }

    /// The server's state, for tests and inspection.
    [[nodiscard]] State const& state() const { return state_; }

    [[nodiscard]] Clock& clock() { return clock_; }

    /// Hands a wake-up to the policies that work in the background. It may be called from any thread.
    void set_wake(std::function<void()> wake)
    {
        if constexpr (requires { log_.set_wake(wake); })
            log_.set_wake(wake);
        if constexpr (requires { transport_.set_wake(wake); })
            transport_.set_wake(wake);
    }

private:
    struct Staged
    {
        std::size_t bytes = 0;
        Promise<Response> promise;
    };

    struct RefusedPromise
    {
        RefusedBecause why;
        Promise<Response> promise;
    };

    [[nodiscard]] std::uint64_t deadline(std::uint64_t timeout_ms) const
    {
        auto const now = clock_.now_ms();
        return timeout_ms >= never_ms - now ? never_ms : now + timeout_ms;
    }

    // --- From client to core -------------------------------------------------------------------------------------

    void propose_all(std::span<std::span<std::byte const> const> payloads, Promise<Response> promise)
    {
        auto const too_large = [&](auto const& payload) { return payload.size() > settings_.entry_bytes_max; };
        auto const before = staging_.bytes();
        if (payloads.empty())
            return refuse(NodeRefusal::empty_proposal, std::move(promise));
        if (std::any_of(payloads.begin(), payloads.end(), too_large))
            return refuse(NodeRefusal::entry_too_large, std::move(promise));
        if (not running_)
            return refuse(NodeRefusal::not_running, std::move(promise));
        if (before >= settings_.uncommitted_bytes_max)
            return refuse(NodeRefusal::too_much_pending, std::move(promise));
        for (auto const& payload : payloads)
            staging_.add(payload);
        staged_.push_back({staging_.bytes() - before, std::move(promise)});
    }

    void refuse(NodeRefusal why, Promise<Response> promise)
    {
        refused_.push_back({{why, known_leader(state_)}, std::move(promise)});
    }

    /// Proposes everything that was staged since the last turn as one run: one write, one append per follower.
    void propose_staged()
    {
        cut_staged();
        if (staged_.empty())
            return;
        advance(state_, Message{nobody, Proposed{staging_.count()}}, outgoing_);
        auto const* accepted = outgoing_.answer ? std::get_if<Accepted>(&*outgoing_.answer) : nullptr;
        if (accepted == nullptr)
            return refuse_staged();
        auto entries = Run{accepted->entries.term, accepted->entries.first, 0};
        for (auto& staged : std::exchange(staged_, {})) {
            entries.count = staged.promise.count();
            pending_.add(entries, std::move(staged.promise));
            entries.first = next(last_of(entries));
        }
        perform(staging_.seal(accepted->entries, EntryKind::command), nobody);
    }

    /// Refuses, before the core hears of it, what would let too much wait, or what the disk has no room for.
    void cut_staged()
    {
        if (not is_leader(state_))
            return;
        auto const waiting = log_.bytes(next(state_.commit_index), last_index(state_));
        auto bytes = std::uint64_t{0};
        auto fits = std::size_t{0};
        auto entries = std::size_t{0};
        for (; fits < staged_.size(); ++fits) {
            bytes += staged_[fits].bytes;
            if (waiting + bytes > settings_.uncommitted_bytes_max and waiting + bytes > staged_[fits].bytes)
                break;
            entries += static_cast<std::size_t>(staged_[fits].promise.count());
        }
        auto why = NodeRefusal::too_much_pending;
        if (not log_.has_room(staging_.bytes())) {
            fits = entries = 0;
            why = NodeRefusal::no_room;
        }
        while (staged_.size() > fits) {
            refuse(why, std::move(staged_.back().promise));
            staged_.pop_back();
        }
        staging_.keep(entries);
    }

    void refuse_staged()
    {
        auto why = NodeRefusal::not_running;
        if (auto const* refused = outgoing_.answer ? std::get_if<Refused>(&*outgoing_.answer) : nullptr)
            why = refused->why == Refusal::not_leader ? NodeRefusal::not_leader : NodeRefusal::log_exhausted;
        staging_.keep(0);
        for (auto& staged : std::exchange(staged_, {}))
            refuse(why, std::move(staged.promise));
        end_refused();
        perform({}, nobody);
    }

    // --- From the policies to the core ---------------------------------------------------------------------------

    void watch_log()
    {
        if (log_.failure())
            return fail(NodeFailure::storage, log_.failure()->sentence);
        auto const durable = log_.durable();
        if (durable.through() > state_.durable_write)
            feed({nobody, Persisted{durable.through()}});
        if (running_)
            outbox_.release(durable, [&](Released const& message) { transport_.send(message, {}); });
    }

    /// Makes durable what this turn wrote, and goes on with what that allows, if the log can say so at once.
    void write_out()
    {
        while (running_ and std::exchange(wrote_, false)) {
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
            if (auto const* changed = std::get_if<LinkChanged>(&*event))
                feed({nobody, *changed});
            else
                take(*std::get_if<Received>(&*event));
            if (not running_)
                return false;
        }
        return true;
    }

    void take(Received const& received)
    {
        // What the disk has no room for is as good as lost: the leader will send it again.
        if (not received.entries.empty() and not log_.has_room(received.entries.bytes()))
            return;
        feed(message_from(received.from, received.rpc), received.entries);
    }

    void feed(Message const& message, Entries const& arrived = {})
    {
        if (not running_)
            return;
        advance(state_, message, outgoing_);
        perform(arrived, message.from);
    }

    // --- From the core to the policies ---------------------------------------------------------------------------

    /// Does what a step wants done, in the order in which it must be done: write, then send.
    /// `entries` are the bytes of the step's own entries, accepted from a client or arrived from a leader.
    void perform(Entries const& entries, ServerId from)
    {
        for (auto const outcome : outgoing_.outcomes) {
            ++outcomes_[static_cast<std::size_t>(outcome)];
            tell(OutcomeNoted{outcome, from});
        }
        if (outgoing_.failed)
            return fail(NodeFailure::invariant, std::string{outgoing_.failed->condition});
        for (auto const& write : outgoing_.writes)
            std::visit([&](auto const& one) { this->write(one, entries); }, write);
        for (auto const& order : outgoing_.alarms)
            if (order.delay)
                clock_.arm(order.alarm, order.arming, *order.delay);
            else
                clock_.cancel(order.alarm);
        for (auto const& envelope : outgoing_.messages)
            if (running_)
                send(envelope, entries);
        if (outgoing_.apply_through)
            log_.save_commit(*outgoing_.apply_through);
        answer_reads();
        notice_role();
        if (running_ and log_.last() != last_position(state_))
            fail(NodeFailure::seam, "the log's last entry is not the one that the core knows");
    }

    void write(SaveVote const& one, Entries const&)
    {
        log_.save_vote(one.write, one.term, one.voted_for);
        wrote_ = true;
    }

    void write(Append const& one, Entries const& entries)
    {
        if (entries.empty())
            log_.append(one.write, make_no_op(one.entries));
        else if (entries.count() == one.entries.count)
            log_.append(one.write, entries);
        else
            log_.append(one.write, entries.between(one.entries.first, last_of(one.entries)));
        wrote_ = true;
    }

    void write(Truncate const& one, Entries const&)
    {
        log_.truncate(one.write, one.first);
        wrote_ = true;
    }

    void send(Envelope const& envelope, Entries const& entries)
    {
        auto const released = envelope.open();
        if (not released)
            return outbox_.hold(envelope);
        if (envelope.entries() == nullptr)
            return transport_.send(*released, {});
        send_in_parts(envelope.to(), *std::get_if<AppendEntries>(&released->rpc()), entries);
    }

    /// Pins the payload of an append in the turn in which it was made, and cuts it by bytes. What goes beyond a burst
    /// is left to the next heartbeat, like a message that was lost.
    void send_in_parts(ServerId to, AppendEntries const& whole, Entries const& own)
    {
        auto const last = last_of(whole.entries);
        auto sent = std::uint64_t{0};
        for (auto first = whole.entries.first; first <= last and sent < settings_.burst_bytes_max;) {
            auto const payload = payload_of(first, last, own);
            if (not payload or payload->empty())
                return fail(NodeFailure::storage, payload ? "the log does not hold what it said" : payload.error().sentence);
            auto const part = Envelope{to, Rpc{part_of(whole, first, payload->count())}, Release::at_once()};
            transport_.send(*part.open(), *payload);
            sent += payload->bytes();
            first = first + payload->count();
        }
    }

    [[nodiscard]] Result<Entries, LogError> payload_of(Index first, Index last, Entries const& own)
    {
        if (own.count() == last.value - first.value + 1 and own.bytes() <= settings_.append_bytes_max and
            (*own.begin()).index == first)
            return own;
        return log_.read(first, last, settings_.append_bytes_max);
    }

    void answer_reads()
    {
        if (outgoing_.answer) {
            if (auto const* started = std::get_if<ReadStarted>(&*outgoing_.answer))
                reads_.start(started->round);
            else if (auto const* refused = std::get_if<Refused>(&*outgoing_.answer))
                reads_.refuse_asked({NodeRefusal::not_leader, refused->leader});
        }
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
        if (led and not same) {
            pending_.lose_behind(state_.commit_index);
            reads_.refuse_waiting({NodeRefusal::not_leader, now.leader});
        }
        tell(now);
    }

    /// Gives the state machine what is committed and durable, at most so much in one turn. True if more is left.
    bool apply_committed()
    {
        if (running_ and applied_ < state_.applying) {
            auto const batch = log_.read(next(applied_), state_.applying, settings_.apply_bytes_max);
            if (not batch or batch->empty())
                fail(NodeFailure::storage, batch ? "the log does not hold what it said" : batch.error().sentence);
            else
                apply(*batch);
        }
        reads_.serve(applied_);
        return running_ and applied_ < state_.applying;
    }

    void apply(Entries const& batch)
    {
        commands_.clear();
        responses_.clear();
        auto last = LogPosition{};
        for (auto const entry : batch) {
            if (not is_intact(entry) or entry.index != next(last.index.value == 0 ? applied_ : last.index))
                return fail(NodeFailure::storage, "the log gave back a damaged entry at index " +
                                                      std::to_string(entry.index.value));
            last = {entry.term, entry.index};
            if (entry.kind == EntryKind::command)
                commands_.push_back(entry);
        }
        if (not commands_.empty() and not apply_commands())
            return;
        applied_ = last.index;
        for (auto at = std::size_t{0}; at < commands_.size(); ++at)
            pending_.applied({commands_[at].term, commands_[at].index}, std::move(responses_[at]));
    }

    /// Runs the user's code. A command that throws is neither skipped nor retried: either would let the servers differ.
    bool apply_commands()
    {
#if defined(__cpp_exceptions)
        try {
            machine_.apply(std::span<EntryView const>{commands_}, responses_);
        } catch (std::exception const& thrown) {
            fail(NodeFailure::apply, thrown.what());
            return false;
        } catch (...) {
            fail(NodeFailure::apply, "the state machine threw something that is no std::exception");
            return false;
        }
#else
        machine_.apply(std::span<EntryView const>{commands_}, responses_);
#endif
        if (responses_.size() == commands_.size())
            return true;
        fail(NodeFailure::apply, "the state machine gave another number of responses than it was given commands");
        return false;
    }

    // --- Ends ----------------------------------------------------------------------------------------------------

    void fail(NodeFailure why, std::string sentence)
    {
        if (not running_)
            return;
        running_ = false;
        failed_ = Failed{why, std::move(sentence)};
        auto silenced = Outgoing{}; // Not the recycled one, which may be in use.
        advance(state_, Message{nobody, StorageFailed{}}, silenced);
        for (auto const alarm : {Alarm::election, Alarm::leader_silent, Alarm::heartbeat, Alarm::quorum_check})
            clock_.cancel(alarm);
        tell(*failed_);
        end_everything();
    }

    void end_everything()
    {
        outbox_.clear();
        pending_.lose_behind(Index{});
        staging_.keep(0);
        for (auto& staged : std::exchange(staged_, {}))
            refuse(NodeRefusal::not_running, std::move(staged.promise));
        end_refused();
        reads_.end_all({NodeRefusal::not_running, nobody});
    }

    bool end_without_running()
    {
        reads_.end_all({NodeRefusal::not_running, nobody});
        return false;
    }

    void end_refused()
    {
        for (auto& refused : std::exchange(refused_, {}))
            refused.promise.end(refused.why);
    }

    void expire(std::uint64_t now_ms)
    {
        pending_.expire(now_ms);
        reads_.expire(now_ms);
    }

    void tell(NodeEvent const& event)
    {
        if constexpr (not std::same_as<Observer, NoObserver>)
            observer_(event);
        else
            static_cast<void>(event);
    }

    [[nodiscard]] static std::string sentence_of(RecoveryError error)
    {
        switch (error) {
        case RecoveryError::settings_unsound:
            return "the settings contradict each other: twice the heartbeat must be below the least election timeout, "
                   "and no limit may be 0";
        case RecoveryError::number_out_of_range: return "the log holds a term or an index that no server can reach";
        case RecoveryError::log_newer_than_term:
            return "the log ends in a later term than the server ever saved: its vote is lost, and it must be replaced "
                   "by a new server";
        case RecoveryError::commit_beyond_log:
            return "the log ends below what this server knew to be committed: it lost what it had acknowledged, and must be "
                   "replaced by a new server";
        case RecoveryError::applied_beyond_log:
            return "the state machine is ahead of the log: they do not belong together, or the log lost entries";
        case RecoveryError::configuration_unsound: return "the log holds a configuration that no cluster can have";
        }
        return "the log cannot be used";
    }

    Machine& machine_;
    Log& log_;
    Transport& transport_;
    Clock& clock_;
    NodeSettings settings_;
    [[no_unique_address]] Observer observer_;

    State state_;
    Outgoing outgoing_; ///< Recycled by every step.
    Outbox outbox_;
    Staging staging_;
    std::vector<Staged> staged_;
    std::vector<RefusedPromise> refused_;
    PendingProposals<Response> pending_;
    PendingReads reads_;
    Index applied_;
    bool wrote_ = false;
    bool running_ = false;
    std::optional<Failed> failed_;
    RoleChanged seen_;
    std::array<std::uint64_t, outcome_count> outcomes_{};
    std::vector<EntryView> commands_;
    std::vector<Response> responses_;
};

} // namespace totora
