// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/decision.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/with_alternative.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/clients/clients.hpp"
#include "totora/node/clients/staging.hpp"
#include "totora/node/links/sender.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/address_book.hpp"
#include "totora/node/parts/configuration_watch.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/parts/notifier.hpp"
#include "totora/node/parts/role_watch.hpp"
#include "totora/node/parts/seams.hpp"
#include "totora/node/parts/violation_counts.hpp"
#include "totora/node/snapshots/snapshot_effects.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/adapter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// A refusal names the leader as long as this server takes part: what it knew when it ended is stale.
[[nodiscard]] inline RefusedBecause refusal(ProposalError why, Guard const& guard, State const& state)
{
    return {why, guard.runs() ? known_leader(state) : nobody};
}

/// How often what happened in the steps of a node.
struct StepCounts
{
    std::array<std::uint64_t, decision_count> decisions{};
    ViolationCounts                           violations;
    std::uint64_t                             entry_bytes_stored = 0; ///< Of entries that a leader sent.
};

/// Performs the effects of a step, in the one order in which they must be performed. Nothing else in a node makes a numbered
/// write, arms an alarm, makes a message or saves a commit index; `Intake` syncs, and node/snapshots/ keeps the files of snapshots.
template <typename Policies>
class Effects
{
public:
    using Log = typename Policies::Log;
    using Transport = typename Policies::Transport;

    Effects(Policies& policies, Guard& guard, Notifier<typename Policies::Observer>& notifier,
            Sender<Log, Transport>& sender, Clients<typename Policies::Response>& clients)
        : log_(policies.log), transport_(policies.transport), clock_(policies.clock), guard_(guard),
          notifier_(notifier), sender_(sender), clients_(clients), snapshots_(policies)
    {}

    /// `entries` are the bytes of the step's own entries, accepted from a client or received from a leader. Nothing is performed after a
    /// failure. What users handed over is called last, when log and core agree and the node is as it should be.
    void perform(State const& state, Outgoing const& outgoing, Entries const& entries, ServerId from)
    {
        if (outgoing.failed)
            return guard_.fail({NodeFailure::invariant, std::string{outgoing.failed->condition}});
        write(state, outgoing, entries); // First: an append that is sent may be read from the log.
        book_.introduce(transport_);
        snapshots_.perform(state, outgoing);
        arm(outgoing);
        if (not send(state, outgoing, entries))
            return;
        renew(outgoing);
        save_commit(outgoing);
        if (auto const fault = fault_at_seam(state, log_))
            return guard_.fail({NodeFailure::seam, std::string{*fault}});
        count(outgoing, from);
        notify_decisions(outgoing, from);
        if (not guard_.runs())
            return;
        answer(state, outgoing);
        notify_role(state);
        if (configuration_.has_changed(state))
            notifier_.notify(ConfigurationChanged{state.configurations.in_force});
        if (auto fault = configuration_.judge(state); not fault.empty())
            guard_.fail({NodeFailure::outdated, std::move(fault)});
    }

    /// Whether something was written since this was asked last: it is to be synced.
    [[nodiscard]] bool take_written() { return std::exchange(wrote_, false); }

    /// Whether this server was elected since this was asked last.
    [[nodiscard]] bool take_elected() { return std::exchange(elected_, false); }

    [[nodiscard]] StepCounts const& counts() const { return counts_; }

    [[nodiscard]] AddressBook&       address_book() { return book_; }
    [[nodiscard]] AddressBook const& address_book() const { return book_; }

    [[nodiscard]] SnapshotEffects<Policies>&       snapshots() { return snapshots_; }
    [[nodiscard]] SnapshotEffects<Policies> const& snapshots() const { return snapshots_; }

    /// Leaves everything as before the first step.
    void reset()
    {
        role_ = {};
        configuration_ = {};
        counts_ = {};
        book_ = {};
    }

private:
    void write(State const& state, Outgoing const& outgoing, Entries const& entries)
    {
        for (auto const& write : outgoing.writes) {
            with_alternative(write, [&](auto const& one) { make(one, state, entries); });
            wrote_ = true;
        }
    }

    void make(SaveVote const& one, State const&, Entries const&) { log_.save_vote(one.write, one.term, one.voted_for); }

    void make(Append const& one, State const& state, Entries const& entries)
    {
        if (one.kind == EntryKind::configuration)
            return append_configuration(one, state);
        if (one.kind == EntryKind::no_op)
            append(one.write, state, make_no_op(one.entries));
        else if (entries.count() == one.entries.count)
            append(one.write, state, entries);
        else
            append(one.write, state, entries.between(one.entries.first, last_of(one.entries)));
        if (auto const& newest = state.configurations.in_force;
            newest.index >= one.entries.first and newest.index <= last_of(one.entries))
            follow(newest, entries.between(newest.index, newest.index));
    }

    void make(Truncate const& one, State const&, Entries const&)
    {
        log_.truncate(one.write, one.first);
        book_.truncate(one.first);
    }

    void make(Compact const& one, State const& state, Entries const&) { move_boundary(one, state); }

    void make(Install const& one, State const& state, Entries const&) { move_boundary(one, state); }

    /// The core makes these writes only when it is given snapshots.
    template <typename Boundary>
    void move_boundary(Boundary const& one, State const& state)
    {
        if (not snapshots_.make(one, state, book_))
            guard_.fail({NodeFailure::seam, "the log is to begin later than it can"});
    }

    /// A leader's own configuration: the core knows the members, and the book where they are.
    void append_configuration(Append const& one, State const& state)
    {
        auto const& configuration = state.configurations.in_force;
        auto const  entry = make_configuration(one.entries, book_.encode(configuration));
        append(one.write, state, entry);
        follow(configuration, entry);
    }

    /// The entry of a configuration was appended: its members are to be found where it says.
    void follow(Configuration const& configuration, Entries const& entry)
    {
        auto held = entry.empty() ? std::nullopt : decode_named_configuration(*entry.begin());
        if (not held or held->configuration != configuration)
            return guard_.fail({NodeFailure::seam, "the entry of a configuration holds another one"});
        book_.append(configuration.index, std::move(held->peers));
    }

    void append(WriteNumber write, State const& state, Entries const& entries)
    {
        log_.append(write, entries);
        if (not is_leader(state))
            counts_.entry_bytes_stored += entries.bytes();
    }

    void arm(Outgoing const& outgoing)
    {
        for (auto const& order : outgoing.alarms)
            if (order.delay)
                clock_.arm(order.alarm, order.arming, *order.delay);
            else
                clock_.cancel(order.alarm);
    }

    /// False, and the node has failed, if the log could not give back what an append carries.
    [[nodiscard]] bool send(State const& state, Outgoing const& outgoing, Entries const& entries)
    {
        for (auto const& envelope : outgoing.messages) {
            if (snapshots_.send(envelope))
                continue;
            if (auto const failure = sender_.send(envelope, entries, state)) {
                guard_.fail({NodeFailure::storage, failure->what});
                return false;
            }
        }
        return true;
    }

    void renew(Outgoing const& outgoing)
    {
        for (auto const server : outgoing.links_to_renew)
            if_offered(
                transport_, [server](auto& one) -> decltype(one.renew(server)) { return one.renew(server); }, [] {});
    }

    /// After the writes: it is written with the next one.
    void save_commit(Outgoing const& outgoing)
    {
        if (outgoing.apply_through)
            log_.save_commit(*outgoing.apply_through);
    }

    void count(Outgoing const& outgoing, ServerId from)
    {
        for (auto const decision : outgoing.decisions) {
            ++counts_.decisions[static_cast<std::size_t>(decision)];
            if (is_violation(decision))
                counts_.violations.add(from, decision);
        }
    }

    void notify_decisions(Outgoing const& outgoing, ServerId from)
    {
        for (auto const decision : outgoing.decisions)
            notifier_.notify(DecisionNoted{decision, from});
    }

    /// Answers the reads that were asked for, and allows those of earlier rounds.
    void answer(State const& state, Outgoing const& outgoing)
    {
        if (outgoing.answer) {
            if (auto const* started = std::get_if<ReadStarted>(&*outgoing.answer))
                clients_.reads.start(started->round);
            else if (std::holds_alternative<Refused>(*outgoing.answer))
                clients_.reads.refuse_asked(refusal(ProposalError::not_leader, guard_, state));
        }
        if (outgoing.read_allowed)
            clients_.reads.allow(outgoing.read_allowed->round, outgoing.read_allowed->index);
        if (outgoing.transfer_ended)
            clients_.transfers.end(TransferFailed{*outgoing.transfer_ended});
        if (outgoing.change_ended)
            clients_.changes.end(*outgoing.change_ended);
    }

    /// Ends the proposals and reads that only a leader can serve, when it leads no more.
    void notify_role(State const& state)
    {
        auto const changed = role_.notice(state);
        if (not changed)
            return;
        elected_ = changed->was_elected;
        if (changed->lost_leadership) {
            clients_.proposals.pending().lose_after(state.commit_index);
            clients_.reads.refuse_waiting(refusal(ProposalError::not_leader, guard_, state));
            clients_.changes.lose();
            clients_.transfers.end(HandedOver{});
        }
        notifier_.notify(changed->now);
    }

    Log&                                            log_;
    Transport&                                      transport_;
    typename Policies::Clock&                       clock_;
    Guard&                                          guard_;
    Notifier<typename Policies::Observer>&          notifier_;
    Sender<Log, Transport>&                         sender_;
    Clients<typename Policies::Response>&           clients_;
    [[no_unique_address]] SnapshotEffects<Policies> snapshots_;
    AddressBook                                     book_;
    RoleWatch                                       role_;
    StepCounts                                      counts_;
    ConfigurationWatch                              configuration_;
    bool                                            wrote_ = false;
    bool                                            elected_ = false;
};

} // namespace totora::inline v0
