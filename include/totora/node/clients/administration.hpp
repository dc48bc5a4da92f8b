// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/administration_outcomes.hpp"
#include "totora/node/clients/clients.hpp"
#include "totora/node/clients/pending_change.hpp"
#include "totora/node/clients/pending_transfer.hpp"
#include "totora/node/parts/stepper.hpp"

#include <optional>
#include <span>
#include <utility>

namespace totora::inline v0
{

/// Takes requests of operators to the core: to change the members, and to hand over. Addresses stay in the shell: the core decides about members alone.
template <typename Policies>
class Administration
{
public:
    Administration(Stepper<Policies>& stepper, Clients<typename Policies::Response>& clients)
        : stepper_(stepper), state_(stepper.state()), changes_(clients.changes), transfers_(clients.transfers)
    {}

    /// Asks for what was handed over since the last turn, one after the other.
    void run()
    {
        run_changes();
        for (; transfers_.any_asked() and stepper_.running();)
            ask_for_transfer(transfers_.take_asked());
    }

private:
    void run_changes()
    {
        for (; changes_.any_asked() and stepper_.running();) {
            auto request = changes_.take_asked();
            if (not request.wanted)
                ask(std::move(request), ChangeCancelled{});
            else if (auto const why = fault_in(*request.wanted))
                changes_.refuse(std::move(request), refused(*why));
            else
                ask_for_members(std::move(request));
        }
    }

    [[nodiscard]] ChangeRefused refused(ChangeError why) const { return {why, known_leader(state_)}; }

    /// What a configuration entry cannot hold.
    [[nodiscard]] static std::optional<ChangeError> fault_in(WantedMembers const& wanted)
    {
        if (wanted.peers.size() > servers_max)
            return ChangeError::too_many_members;
        for (auto const& peer : wanted.peers)
            if (peer.address.size() > address_size_max)
                return ChangeError::address_too_long;
        return std::nullopt;
    }

    void ask_for_members(PendingChange::Request&& request)
    {
        auto const& wanted = *request.wanted;
        auto const  asked = ChangeRequested{wanted.expected, members_of(wanted.peers), wanted.forced};
        if (is_leader(state_) and not state_.membership.is_under_way())
            (void)stepper_.address_book().note(wanted.peers); // Before the step, which may append them.
        ask(std::move(request), asked);
    }

    /// The completion waits before the effects of the step, which may be the end of the change.
    template <typename Asked>
    void ask(PendingChange::Request&& request, Asked const& asked)
    {
        stepper_.take_step(nobody, asked);
        auto const* const refusal = stepper_.template answered<Refused>();
        auto const        is_refused = refusal != nullptr;
        auto const        why = is_refused ? change_error_of(refusal->why) : ChangeError{};
        stepper_.drop_answer();
        if (not is_refused)
            changes_.begin(std::move(request));
        stepper_.perform({}, nobody);
        if (is_refused)
            changes_.refuse(std::move(request), refused(why));
    }

    /// What is under way to another server ends with the effects of the step.
    void ask_for_transfer(PendingTransfer::Request&& request)
    {
        stepper_.take_step(nobody, TransferRequested{request.to});
        auto const* const refusal = stepper_.template answered<Refused>();
        auto const        is_refused = refusal != nullptr;
        auto const        why = is_refused ? refusal->why : Refusal{};
        stepper_.drop_answer();
        stepper_.perform({}, nobody);
        if (not is_refused)
            transfers_.begin(std::move(request));
        else
            transfers_.refuse(std::move(request), {transfer_error_of(why), known_leader(state_)});
    }

    [[nodiscard]] static TransferError transfer_error_of(Refusal refusal)
    {
        if (refusal == Refusal::leads_already)
            return TransferError::leads_already;
        return refusal == Refusal::no_successor ? TransferError::no_successor : TransferError::not_leader;
    }

    Stepper<Policies>& stepper_;
    State const&       state_;
    PendingChange&     changes_;
    PendingTransfer&   transfers_;
};

} // namespace totora::inline v0
