// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/advance.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/known_peers.hpp"
#include "totora/node/clients/clients.hpp"
#include "totora/node/clients/pending.hpp"
#include "totora/node/links/full_links.hpp"
#include "totora/node/links/sender.hpp"
#include "totora/node/parts/address_book.hpp"
#include "totora/node/parts/announcements.hpp"
#include "totora/node/parts/effects.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/parts/notifier.hpp"
#include "totora/node/parts/readiness.hpp"
#include "totora/node/snapshots/snapshot_effects.hpp"
#include "totora/node/status.hpp"

#include <utility>
#include <variant>

namespace totora::inline v0
{

/// Holds the server's state, and takes the steps of the core with all that they want done.
template <typename Policies>
class Stepper
{
public:
    using Log = typename Policies::Log;
    using Transport = typename Policies::Transport;

    Stepper(Policies& policies, Guard& guard, Notifier<typename Policies::Observer>& notifier,
            Sender<Log, Transport>& sender, Clients<typename Policies::Response>& clients)
        : guard_(guard), notifier_(notifier), sender_(sender), effects_(policies, guard, notifier, sender, clients)
    {}

    [[nodiscard]] State const&                     state() const { return state_; }
    [[nodiscard]] bool                             running() const { return guard_.runs(); }
    [[nodiscard]] StepCounts const&                counts() const { return effects_.counts(); }
    [[nodiscard]] Readiness&                       readiness() { return readiness_; }
    [[nodiscard]] Readiness const&                 readiness() const { return readiness_; }
    [[nodiscard]] FullLinks&                       full_links() { return full_links_; }
    [[nodiscard]] Announcements&                   announcements() { return announcements_; }
    [[nodiscard]] SnapshotEffects<Policies>&       snapshots() { return effects_.snapshots(); }
    [[nodiscard]] SnapshotEffects<Policies> const& snapshots() const { return effects_.snapshots(); }
    [[nodiscard]] AddressBook&                     address_book() { return effects_.address_book(); }
    [[nodiscard]] AddressBook const&               address_book() const { return effects_.address_book(); }

    /// Begins with what was recovered; `peers` are the members of its configurations.
    void begin(State recovered, KnownPeers peers)
    {
        state_ = std::move(recovered);
        address_book().begin(state_.own.id, std::move(peers), state_.configurations);
    }

    /// Leaves everything as before the first step.
    void reset()
    {
        state_ = State{};
        effects_.reset();
    }

    /// A step, and all that it wants done. `happened` is whatever `advance` takes.
    template <typename Happened>
    void feed(ServerId from, Happened const& happened, Entries const& received = {})
    {
        if (not running())
            return;
        take_step(from, happened);
        perform(received, from);
        if (effects_.take_elected()) {
            readiness_.leads(state_);
            for (auto const server : full_links_)
                feed(nobody, LinkChanged{server, Link::full});
        }
        if (announcements_.are_due(state_))
            for (auto const& announced : Announcements{announcements_})
                feed(nobody, announced);
    }

    /// Only the step. `perform` is to follow.
    template <typename Happened>
    void take_step(ServerId from, Happened const& happened)
    {
        core::advance(state_, from, happened, outgoing_);
        notifier_.stepped(from, happened, state_, outgoing_);
    }

    /// The answer to the client of the last step, if it is a `T`.
    template <typename T>
    [[nodiscard]] T const* answered() const
    {
        return outgoing_.answer ? std::get_if<T>(&*outgoing_.answer) : nullptr;
    }

    void drop_answer() { outgoing_.answer.reset(); }

    /// Performs the effects of the last step, and notifies the core of what was not sent of it.
    void perform(Entries const& entries, ServerId from)
    {
        effects_.perform(state_, outgoing_, entries, from);
        if (not running())
            return;
        for (auto const& cut : sender_.take_cuts())
            feed(nobody, cut);
    }

    /// Whether something was written since this was asked last: it is to be synced.
    [[nodiscard]] bool take_written() { return effects_.take_written(); }

    /// The node takes part no more: the state does not lead, and no step changes it.
    void halt(HaltReason reason)
    {
        auto silenced = Outgoing{};
        core::advance(state_, nobody, Halted{reason}, silenced);
    }

    void fail(Failed failed) { guard_.fail(std::move(failed)); }

    template <typename Happened>
    void notify(Happened const& happened)
    {
        notifier_.notify(happened);
    }

    [[nodiscard]] RefusedBecause refusal(ProposalError why) const { return totora::refusal(why, guard_, state_); }

private:
    Guard&                                 guard_;
    Notifier<typename Policies::Observer>& notifier_;
    Sender<Log, Transport>&                sender_;
    State                                  state_;
    Outgoing                               outgoing_; ///< Recycled by every step.
    Effects<Policies>                      effects_;
    Readiness                              readiness_;
    FullLinks                              full_links_;
    Announcements                          announcements_;
};

} // namespace totora::inline v0
