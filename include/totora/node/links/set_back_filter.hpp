// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/links/acknowledged.hpp"

#include <variant>

namespace totora::inline v0
{

/// Finds servers whose disk was lost or set back among those that answer, and keeps their answers from the core (case 68).
class SetBackFilter
{
public:
    [[nodiscard]] bool is_set_back(State const& state, ServerId server) const
    {
        auto const* const member = find_member(state.configurations.in_force, server);
        return member != nullptr and acknowledged_.is_set_back(*member);
    }

    /// A response was received and taken. Often enough, if only answers to heartbeats are noted: those to entries come by the thousand.
    void note(State const& state, ServerId from, Rpc const& rpc)
    {
        auto const* const answer = std::get_if<AppendEntriesResponse>(&rpc);
        if (answer == nullptr or answer->number != AppendNumber{})
            return;
        auto const* const progress = find_progress(state, from);
        auto const* const member = find_member(state.configurations.in_force, from);
        if (progress != nullptr and member != nullptr)
            acknowledged_.note(*member, *progress, state);
    }

    /// Whether a response is of a server that was set back: it does not count. `notify(SetBack)` is called when one is found.
    template <typename Notify>
    [[nodiscard]] bool drops(State const& state, ServerId from, Rpc const& response, Notify notify)
    {
        auto const* const answer = std::get_if<AppendEntriesResponse>(&response);
        auto const        is_refusal = answer != nullptr and not answer->success;
        if (not is_refusal and not acknowledged_.knows_any_set_back())
            return false;
        auto const* const sender = find_member(state.configurations.in_force, from);
        if (sender == nullptr)
            return false;
        if (is_refusal and is_leader(state))
            if (auto const found = acknowledged_.check(*sender, state, *answer))
                notify(*found);
        return acknowledged_.is_set_back(*sender);
    }

private:
    AcknowledgedEntries acknowledged_;
};

} // namespace totora::inline v0
