// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/saturating.hpp"
#include "totora/node/parts/apply_turn.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/snapshot_settings.hpp"
#include "totora/node/snapshots/chunk_sender.hpp"
#include "totora/node/snapshots/compaction_point.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/node/snapshots/own_state.hpp"
#include "totora/node/snapshots/restore_machine.hpp"
#include "totora/node/snapshots/snapshot_check.hpp"
#include "totora/node/snapshots/snapshot_taker.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// What a node does with snapshots between its steps. Without them nothing.
template <typename Policies, bool = has_snapshots<Policies>>
class SnapshotTurn
{
public:
    SnapshotTurn(Policies&, Stepper<Policies>&, ApplyTurn<Policies>&) {}

    void               begin(SnapshotsAtStart const&) {}
    void               restore() {}
    void               run() {}
    [[nodiscard]] bool has_more() const { return false; }
    void               show(Status&) const {}
};

/// Takes snapshots, sends them, and restores the state machine from those that were received.
template <typename Policies>
class SnapshotTurn<Policies, true>
{
public:
    using Machine = Refined<TakesCaptures, typename Policies::Machine>;
    using Log = Refined<KeepsSnapshots, typename Policies::Log>;

    /// The machine keeps itself: the log is compacted by that, and a file is made when a follower needs it.
    static constexpr bool is_machine_durable = has_durable_machine<Policies>;

    SnapshotTurn(Policies& policies, Stepper<Policies>& stepper, ApplyTurn<Policies>& applying)
        : machine_(refined<TakesCaptures>(policies.machine)), log_(refined<KeepsSnapshots>(policies.log)),
          clock_(policies.clock), settings_(policies.settings.snapshots), stepper_(stepper), state_(stepper.state()),
          applying_(applying), taker_(machine_, log_, settings_), sender_(log_, settings_, stepper),
          own_state_(policies, state_)
    {}

    /// The server has started. What it had begun before its end goes on: the log is compacted by its newest snapshot, and one that it had
    /// received whole, and not begun to install, is offered to it again.
    void begin(SnapshotsAtStart const& done)
    {
        for (auto const& failed : done.failures)
            stepper_.notify(failed);
        for (auto const& id : done.damaged)
            log_.remove_snapshot(id);
        stepper_.snapshots().resume();
        if (done.restored)
            stepper_.notify(MachineRestored{*done.restored});
        if constexpr (is_machine_durable)
            own_state_.begin();
        else if (auto const* const newest = newest_own())
            compact_by(newest->id.last.index);
        if (not state_.reception.is_complete())
            return;
        if (auto const* const stored = find([&](auto const& one) { return one.id == state_.reception.snapshot; }))
            stepper_.feed(nobody, SnapshotReceived{stored->id, stored->configurations});
    }

    /// A snapshot is taken as soon as there is something new to take; or the log compacted, if that needs none.
    void request()
    {
        if constexpr (is_machine_durable)
            own_state_.request();
        else
            taker_.request();
    }

    /// Restores the state machine, if a snapshot has taken the place of entries that it was not given, as soon as all of it is checked. Until then
    /// the machine is given nothing (`ApplyTurn::can_apply`), and the node goes on.
    void restore()
    {
        auto const& position = stepper_.snapshots().restore();
        if (not position or not stepper_.running())
            return;
        auto const* const stored =
            find([&](auto const& one) { return one.id.last == *position and not one.is_received; });
        if (stored == nullptr)
            return stepper_.fail({NodeFailure::restore, "the log does not keep the snapshot that it begins after"});
        auto const id = stored->id;
        if (not inspection_ or inspection_->snapshot() != id)
            inspection_.emplace(id);
        auto const checked = inspection_->go_on(log_);
        if (not checked and checked.error().failure == LogFailure::not_now)
            return;
        auto inspection = std::exchange(inspection_, std::nullopt);
        auto failed = restore_machine(machine_, log_, id, checked, inspection->take_kept());
        if (failed and failed->is_later)
            return; // Descriptors are short: all of it is checked again in another turn.
        if (failed)
            return stepper_.fail({NodeFailure::restore, std::move(failed->what)});
        stepper_.snapshots().restored();
        stepper_.notify(MachineRestored{id});
        applying_.restored(id.last.index);
    }

    /// Takes a snapshot if it is time, hands the core what the log has made durable, sends chunks, and removes what is of no use any more.
    void run()
    {
        if (not stepper_.running())
            return;
        if (is_machine_durable and not follow_machine())
            return;
        if (auto const failed = taker_.go_on(state_, applying_.applied(), clock_.now_ms()))
            stepper_.notify(*failed);
        watch();
        receive_again();
        sender_.run(clock_.now_ms());
        if (auto const one = sender_.take_unreadable())
            replace(one->id, one->is_damaged);
        stepper_.snapshots().drop_unwanted_chunks(state_);
        if (log_.snapshots().size() > (is_machine_durable ? 0 : 1))
            remove_unused();
    }

    /// Whether there is more to do at once.
    [[nodiscard]] bool has_more() const
    {
        return taker_.is_writing() or stepper_.snapshots().wants_any() or sender_.can_send();
    }

    void show(Status& status) const
    {
        if (auto const* const newest = newest_own())
            status.snapshot = newest->id;
        if (state_.reception.is_under_way())
            status.reception = TransferStatus{state_.reception.snapshot, state_.reception.received};
    }

private:
    template <typename Wanted>
    [[nodiscard]] StoredSnapshot const* find(Wanted wanted) const
    {
        for (auto const& one : log_.snapshots())
            if (wanted(one))
                return &one;
        return nullptr;
    }

    /// The newest one from which the machine can be brought to where it is.
    [[nodiscard]] StoredSnapshot const* newest_own() const { return newest_own_through(applying_.applied()); }

    [[nodiscard]] StoredSnapshot const* newest_own_through(Index last) const
    {
        StoredSnapshot const* newest = nullptr;
        for (auto const& one : log_.snapshots())
            if (not one.is_received and one.id.last.index <= last)
                newest = &one;
        return newest;
    }

    /// Hands the core the snapshots that the log has made durable.
    void watch()
    {
        while (stepper_.running()) {
            auto const end = log_.snapshot_end();
            if (not end)
                return;
            if (end->is_received)
                received(*end);
            else
                taken(*end);
        }
    }

    void received(SnapshotEnd const& end)
    {
        if (end.failure) {
            stepper_.notify(SnapshotFailed{SnapshotStep::receive, end.failure->what});
            auto const is_damaged = end.failure->failure == LogFailure::damaged;
            stepper_.snapshots().pause(end.id, add_sat(clock_.now_ms(), is_damaged ? 0 : settings_.pause_ms));
            return receive_again();
        }
        if (auto const* const stored = find([&](auto const& one) { return one.id == end.id; }))
            stepper_.feed(nobody, SnapshotReceived{stored->id, stored->configurations});
    }

    /// What could not be stored is received again, after a pause if that was no damage: the leader would send all of it to a full disk
    /// as fast as the network carries it. Until then no more of it is taken; if all was there, it seems to be installed.
    void receive_again()
    {
        if (auto const id = stepper_.snapshots().end_pause(clock_.now_ms()))
            stepper_.feed(nobody, SnapshotDamaged{*id});
    }

    void taken(SnapshotEnd const& end)
    {
        taker_.ended(end.failure.has_value(), clock_.now_ms());
        if (end.failure)
            return stepper_.notify(SnapshotFailed{SnapshotStep::write, end.failure->what});
        stepper_.notify(SnapshotSaved{end.id});
        if constexpr (not is_machine_durable)
            compact_by(end.id.last.index);
    }

    /// A snapshot up to there is durable.
    void compact_by(Index snapshot) { compact_to(compaction_point(settings_, state_, log_, snapshot)); }

    void compact_to(Index point)
    {
        if (point > state_.log.base().index)
            stepper_.feed(nobody, SnapshotTaken{point});
    }

    /// Compacts the log by what the machine has durably, and has a snapshot taken if a follower needs one. False if the node has failed.
    [[nodiscard]] bool follow_machine()
    {
        if constexpr (is_machine_durable) {
            if (auto failed = own_state_.look(applying_.applied()))
                stepper_.fail(*std::move(failed));
            else if (auto const point = own_state_.compaction(taker_.is_under_way()))
                compact_to(*point);
            taker_.demand(own_state_.needs_file());
        }
        return stepper_.running();
    }

    /// Another one is taken, after a pause, in place of one that cannot be sent to a follower. The file goes if it is damaged, or nothing else
    /// needs it.
    void replace(SnapshotId const& id, bool is_damaged)
    {
        taker_.pause(clock_.now_ms());
        if (is_damaged or not own_state_.needs_for_itself())
            log_.remove_snapshot(id);
    }

    /// What is received is kept until it is installed (decision 0010, "Rules for the shell").
    void remove_unused()
    {
        auto unused = std::vector<SnapshotId>{};
        for (auto const& one : log_.snapshots())
            if (one.is_received ? one.id != state_.reception.snapshot : not is_kept(one))
                unused.push_back(one.id);
        for (auto const& id : unused)
            log_.remove_snapshot(id);
    }

    /// Of the server's own are kept: the newest from which the machine was brought to where it is; the one before, if the log reaches back to
    /// it; what is being sent. Of a machine that keeps itself only what it or a follower needs.
    [[nodiscard]] bool is_kept(StoredSnapshot const& own) const
    {
        auto const is_being_sent = sender_.is_sending(own.id);
        if constexpr (is_machine_durable) {
            return own_state_.keeps(own, is_being_sent);
        } else {
            auto const* const newest = newest_own();
            if (newest == nullptr or own.id.last.index >= newest->id.last.index or is_being_sent)
                return true;
            return own.id.last.index >= state_.log.base().index and
                   &own == newest_own_through(before(newest->id.last.index));
        }
    }

    Machine&                    machine_;
    Log&                        log_;
    typename Policies::Clock&   clock_;
    SnapshotSettings const&     settings_;
    Stepper<Policies>&          stepper_;
    State const&                state_;
    ApplyTurn<Policies>&        applying_;
    SnapshotTaker<Machine, Log> taker_;
    ChunkSender<Policies>       sender_;

    std::optional<SnapshotInspection<Log>> inspection_; ///< Of what the machine is to be restored from.

    [[no_unique_address]] OwnState<Policies> own_state_;
};

} // namespace totora::inline v0
