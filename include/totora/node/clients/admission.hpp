// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/search.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/clients/proposals.hpp"
#include "totora/node/outcomes.hpp"
#include "totora/node/parts/room.hpp"
#include "totora/node/parts/stepper.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace totora::inline v0
{

/// Takes proposals to the core, and refuses before what would let too much wait, or what the log's disk has no room for.
template <typename Policies>
class Admission
{
public:
    using Payloads = std::span<std::span<std::byte const> const>;

    Admission(Policies& policies, Stepper<Policies>& stepper, Proposals<typename Policies::Response>& proposals,
              RoomWatch& room)
        : log_(policies.log), settings_(policies.settings), stepper_(stepper), state_(stepper.state()),
          proposals_(proposals), room_(room)
    {}

    /// Copies payloads beside the log, for the next turn, or refuses them then. If it throws, nothing has changed.
    void take(Payloads payloads, PendingProposal<typename Policies::Response>&& proposal)
    {
        auto const why = reason_to_refuse(payloads);
        if (not why)
            return proposals_.stage(payloads, std::move(proposal));
        proposals_.refuse(stepper_.refusal(*why), std::move(proposal));
        refused_for_pressure_ = refused_for_pressure_ or *why == ProposalError::too_much_pending;
    }

    /// Proposes everything that was staged since the last turn as one run: one write, one append per follower. What the
    /// core refuses was in no log (case 87). The state machine has applied everything up to `applied`.
    void propose_staged(Index applied)
    {
        if (not stepper_.running() or proposals_.staged_count() == 0)
            return;
        if (is_leader(state_))
            cut_staged(applied);
        if (proposals_.staged_count() == 0)
            return;
        stepper_.take_step(nobody, Proposed{proposals_.staged_count()});
        if (auto const* accepted = stepper_.template answered<Accepted>())
            return stepper_.perform(proposals_.accept(accepted->entries), nobody);
        auto const* refused = stepper_.template answered<Refused>();
        proposals_.refuse_staged(refused != nullptr ? refusal_of(*refused)
                                                    : stepper_.refusal(ProposalError::log_exhausted));
        stepper_.drop_answer();
        stepper_.perform({}, nobody);
    }

    /// Notifies once that proposals which were refused for pressure may be tried again, and not before their completions were called.
    /// `applied` as above.
    void notice_relief(Index applied)
    {
        if (not refused_for_pressure_ or proposals_.any_refused() or not stepper_.running() or
            (is_leader(state_) and is_under_pressure(applied)))
            return;
        refused_for_pressure_ = false;
        stepper_.notify(PressureEnded{});
    }

private:
    /// What a client is told whose proposal the core has refused.
    [[nodiscard]] RefusedBecause refusal_of(Refused const& refused) const
    {
        if (refused.why == Refusal::transfer_under_way)
            return {ProposalError::transfer_under_way, refused.leader};
        return stepper_.refusal(refused.why == Refusal::not_leader ? ProposalError::not_leader
                                                                   : ProposalError::log_exhausted);
    }

    [[nodiscard]] bool is_under_pressure(Index applied) const
    {
        return room_.lacks() or
               proposals_.staged_bytes() + pending_bytes(applied) > settings_.uncommitted_bytes_max / 2;
    }

    /// Why these payloads are not even staged; nothing if they are to be.
    [[nodiscard]] std::optional<ProposalError> reason_to_refuse(Payloads payloads) const
    {
        auto const most = std::min<std::uint64_t>(settings_.entry_bytes_max, agreed(state_).entry_bytes_max);
        auto const too_large = [=](auto const& payload) { return payload.size() > most; };
        if (not stepper_.running())
            return ProposalError::not_running;
        if (payloads.empty())
            return ProposalError::empty_proposal;
        if (core::any_of(payloads, too_large))
            return ProposalError::entry_too_large;
        if (proposals_.staged_bytes() >= settings_.uncommitted_bytes_max)
            return ProposalError::too_much_pending;
        return std::nullopt;
    }

    /// What lies above is in memory for a client, for the disk or for the state machine. Read from the log's own index, so that it
    /// is exact through changes of leader, and counts no entry twice (cases 77, 91).
    [[nodiscard]] Index forgettable(Index applied) const
    {
        return std::min({state_.commit_index, state_.writes.durable_index, applied});
    }

    [[nodiscard]] std::uint64_t pending_bytes(Index applied) const
    {
        return log_.bytes(next(forgettable(applied)), last_index(state_));
    }

    void cut_staged(Index applied)
    {
        if (not log_.has_room(proposals_.staged_bytes())) {
            refused_for_pressure_ = true;
            room_.refused(proposals_.staged_bytes(), settings_.entry_bytes_max);
            return proposals_.refuse_staged(stepper_.refusal(ProposalError::no_room));
        }
        auto const waiting = pending_bytes(applied);
        auto const allowed = settings_.uncommitted_bytes_max - std::min(waiting, settings_.uncommitted_bytes_max);
        if (proposals_.cut(allowed, waiting == 0, stepper_.refusal(ProposalError::too_much_pending)))
            refused_for_pressure_ = true;
    }

    typename Policies::Log&                 log_;
    NodeSettings const&                     settings_;
    Stepper<Policies>&                      stepper_;
    State const&                            state_;
    Proposals<typename Policies::Response>& proposals_;
    RoomWatch&                              room_;
    bool refused_for_pressure_ = false; ///< And `PressureEnded` was not notified yet.
};

} // namespace totora::inline v0
