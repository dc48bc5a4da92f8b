// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/node/clients/clients.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/parts/node_parts.hpp"
#include "totora/node/parts/policies.hpp"
#include "totora/node/parts/status_of.hpp"
#include "totora/node/parts/thread_check.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/start_error.hpp"
#include "totora/node/status.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// One server of a Raft cluster: the shell that carries messages between the core (core/step.hpp) and four policies, none of which it
/// owns, and all of which outlive it. It decides nothing about the protocol.
///
/// All calls come from the thread that runs it, which calls `turn` when something may have happened (node/driver.hpp does). `Observer` is
/// called with each `NodeEvent const&` (node/status.hpp), and must not block. Completions are called from within `turn` or `stop`,
/// and not before the call that handed them over has returned, unless the node was stopped before. Both are called when a step is done,
/// and may call everything here, `stop` included; they must not destroy the node. If one throws, the node has failed, and the others
/// are called all the same. An observer that has `stepped(from, happened, state, outgoing)`, as checkers and recorders do, is shown
/// each step of the core before its effects are performed; there it may call nothing here.
template <typename Machine, typename Log, typename Transport, typename Clock, typename Observer = NoObserver>
class RaftNode
{
    using Policies = totora::Policies<Machine, Log, Transport, Clock, Observer>;

public:
    using Response = typename Machine::Response;
    using ProposalCompletion = typename PendingProposal<Response>::Single;
    using BatchCompletion = typename PendingProposal<Response>::Batch;
    using ReadCompletion = Completion<ReadOutcome>;
    using ChangeCompletion = Completion<ChangeOutcome>;
    using TransferCompletion = Completion<TransferOutcome>;

    RaftNode(Machine& machine, Log& log, Transport& transport, Clock& clock, NodeSettings settings = {},
             Observer observer = {})
        : parts_(machine, log, transport, clock, settings, std::move(observer))
    {}

    RaftNode(RaftNode const&) = delete;
    RaftNode& operator=(RaftNode const&) = delete;

    /// Recovers the log and begins as a follower (§5.2). Fails with a description, and without any trace, if what was recovered
    /// or set cannot be a server, or if something throws. A node starts once: another run of the server is another node.
    [[nodiscard]] Result<Identity, StartError> start()
    {
        if (parts_.was_started or parts_.guard.has_failed())
            return Unexpected{StartError{"the node was started before: make another one"}};
        auto       outcome = Result<Identity, StartError>{Unexpected{StartError{}}};
        auto const was_in_turn = std::exchange(in_turn_, true); // The observer takes no turn before the start is done.
        parts_.guard.run(NodeFailure::unfinished_step, "the start of the node", [&] { outcome = parts_.begin(); });
        in_turn_ = was_in_turn;
        if (parts_.guard.has_failed())
            outcome = Unexpected{parts_.forget_start()};
        return outcome;
    }

    /// Proposes a command. The payload is copied. The completion is called exactly once, with the outcome.
    /// `timeout_ms` from now, by the clock, it is `Cancelled` if nothing else happened: the client waits no longer, and the
    /// command may still be applied. If this throws, for want of memory, nothing was proposed and the completion is not called.
    void propose(std::span<std::byte const> payload, ProposalCompletion completion, std::uint64_t timeout_ms = never_ms)
    {
        take_proposal({&payload, 1},
                      PendingProposal<Response>{std::move(completion), deadline_ms(parts_.policies.clock, timeout_ms)});
    }

    /// Proposes commands that follow each other in the log; they are accepted or refused together, and end together, with a
    /// vector of responses.
    void propose(std::span<std::span<std::byte const> const> payloads, BatchCompletion completion,
                 std::uint64_t timeout_ms = never_ms)
    {
        take_proposal(payloads, PendingProposal<Response>{std::move(completion), payloads.size(),
                                                          deadline_ms(parts_.policies.clock, timeout_ms)});
    }

    /// Asks for a linearizable read: when the completion is called with `ReadableNow`, and before it returns, the state machine
    /// may be read (§8; dissertation §6.4). Only a leader can allow it; others refuse, and name the leader. If this throws,
    /// nothing was asked and the completion is not called.
    void read(ReadCompletion completion, std::uint64_t timeout_ms = never_ms)
    {
        thread_.expect_here();
        parts_.clients.reads.ask(std::move(completion), deadline_ms(parts_.policies.clock, timeout_ms));
        if (was_stopped_)
            parts_.shutdown.complete_all();
    }

    /// Changes the members of the cluster to any others, in one request (§6); only a leader can. While it is under way `Status` shows how
    /// far it is. The completion is called when it is over, with what came of it. If this throws, nothing was asked.
    void change_members(WantedMembers wanted, ChangeCompletion completion)
    {
        ask_for_change(std::move(wanted), std::move(completion));
    }

    /// Takes back the change that is under way, while that can be done: the completion is called with `ChangeGivenUp` when none of it remains.
    void cancel_change(ChangeCompletion completion) { ask_for_change(std::nullopt, std::move(completion)); }

    /// Hands the lead over to a voter (dissertation §3.10), or if none is named to the one that can take over soonest. Proposals are
    /// refused meanwhile, for at most an election timeout. If this throws, nothing was asked.
    void transfer_leadership(ServerId to, TransferCompletion completion)
    {
        thread_.expect_here();
        parts_.clients.transfers.ask(to, std::move(completion));
        if (was_stopped_)
            parts_.shutdown.complete_all();
    }

    /// Campaigns as if the election timeout had passed; a leader leads on. Not from within a completion or the observer.
    void campaign()
    {
        thread_.expect_here();
        if (std::exchange(in_turn_, true))
            return;
        parts_.guard.run(NodeFailure::unfinished_step, "a campaign",
                         [&] { parts_.stepper.feed(nobody, CampaignRequested{}); });
        in_turn_ = false;
    }

    /// Where the next proposal will stand, if it is accepted while this server still leads in the same term: proposals are accepted in
    /// their order, and those that are refused leave no gap.
    [[nodiscard]] LogPosition next_proposal() const
    {
        return {state().current_term, last_index(state()) + parts_.clients.proposals.staged_count() + 1};
    }

    /// Takes a snapshot of the state machine as soon as it has applied something that is in none yet, and compacts the log by it. Of a machine
    /// that keeps itself the log is compacted as soon as that has more, without a snapshot.
    void take_snapshot() requires has_snapshots<Policies>
    {
        thread_.expect_here();
        parts_.snapshots.request();
    }

    /// Does all that can be done now. True if there is more to do at once; otherwise the next turn is due when the log
    /// or the transport has something new, or at `next_turn_ms`. Never throws. Called from within a completion or the
    /// observer it does nothing: the turn that calls them goes on.
    bool turn()
    {
        thread_.expect_here();
        if (std::exchange(in_turn_, true))
            return false;
        thread_.bind();
        auto more = false;
        parts_.guard.run(NodeFailure::unfinished_step, "a turn of the node", [&] { more = parts_.take_turn(); });
        parts_.shutdown.notify_failure();
        in_turn_ = false;
        return parts_.shutdown.anyone_waits() or (is_running() and more);
    }

    /// Runs `task` with the node, between turns. If it throws, the node has failed, and the next turn notifies of it.
    template <std::invocable<RaftNode&> Task>
    void run(Task&& task)
    {
        thread_.expect_here();
        parts_.guard.run(NodeFailure::callback, "a posted task", [&] { task(*this); });
    }

    /// When the next alarm or deadline is due, by the clock's `now_ms`; nothing if none is.
    [[nodiscard]] std::optional<std::uint64_t> next_turn_ms() const
    {
        if (not is_running())
            return std::nullopt;
        auto const ring_ms = parts_.policies.clock.next_ring_ms().value_or(never_ms);
        auto const earliest_ms =
            std::min({ring_ms, parts_.clients.proposals.pending().earliest_ms(), parts_.clients.reads.earliest_ms()});
        return earliest_ms != never_ms ? std::optional{earliest_ms} : std::nullopt;
    }

    /// Calls all completions, syncs the log and marks it as cleanly stopped; the log calls no wake-up any more: what that captured
    /// may go. The node takes part in nothing from now on. If that did not go well, it has failed as by any other error of the log.
    /// After an unfinished step the log is not touched: it is left as by a crash. Called from within a completion that `stop` calls it
    /// does nothing more. A node that is destroyed without this leaves its completions uncalled.
    ///
    /// What is proposed or read from now on, by those completions too, is refused before this, or that call, returns. So a
    /// completion that always tries again keeps `stop` from returning.
    void stop()
    {
        thread_.expect_here();
        parts_.guard.end();
        auto const is_first = not std::exchange(was_stopped_, true);
        parts_.shutdown.end_everything();
        parts_.shutdown.complete_all();
        if (is_first and parts_.was_started)
            parts_.shutdown.close_log();
        parts_.shutdown.notify_failure();
    }

    [[nodiscard]] Status status() const
    {
        thread_.expect_here();
        return status_of(parts_.stepper, parts_.guard, parts_.intake, parts_.applying, parts_.sender, parts_.snapshots,
                         parts_.policies.log);
    }

    /// Whether it takes part: it was started, was not stopped and has not failed.
    [[nodiscard]] bool is_running() const { return parts_.guard.runs(); }

    /// Where the server of this id is to be found, by the configuration in force or the one before: for the leader named by a refusal.
    /// Nothing if neither names it.
    [[nodiscard]] std::optional<std::string> address_of(ServerId id) const
    {
        return parts_.stepper.address_book().address_of(id);
    }

    [[nodiscard]] State const& state() const { return parts_.stepper.state(); } ///< For tests and inspection.
    [[nodiscard]] Clock&       clock() { return parts_.policies.clock; }

    /// The thread that runs the node has ended, or runs it no more: another one may. Builds without NDEBUG assert that all calls come from
    /// one thread, from the first turn on.
    void change_thread() { thread_.release(); }

    /// Hands a wake-up, a callable `void()` that can be copied, to the policies that work in the background. It may be called from any
    /// thread. An empty `std::function`, or `nullptr`, takes the last one back: nobody calls it any more when this returns.
    void set_wake(auto const& wake) { parts_.wake.set(wake); }

private:
    void take_proposal(std::span<std::span<std::byte const> const> payloads, PendingProposal<Response>&& proposal)
    {
        thread_.expect_here();
        parts_.admission.take(payloads, std::move(proposal));
        if (was_stopped_)
            parts_.shutdown.complete_all();
    }

    void ask_for_change(std::optional<WantedMembers> wanted, ChangeCompletion&& completion)
    {
        thread_.expect_here();
        parts_.clients.changes.ask(std::move(wanted), std::move(completion));
        if (was_stopped_)
            parts_.shutdown.complete_all();
    }

    NodeParts<Policies> parts_;
    ThreadCheck         thread_;
    bool                was_stopped_ = false;
    bool                in_turn_ = false;
};

} // namespace totora::inline v0
