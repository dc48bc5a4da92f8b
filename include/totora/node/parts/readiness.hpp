// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"

#include <algorithm>
#include <optional>

namespace totora::inline v0
{

/// Whether a server has caught up with the cluster since it started: a leader when the first entry of its term is applied, a
/// follower when that is applied which its leader had committed when it first reached it. Without a leader it stays as it was;
/// never yet reached by one, it is not ready.
class Readiness
{
public:
    /// It was elected, and its last entry is the first of its term.
    void leads(State const& state) { begin({state.own.id, state.current_term}, last_index(state)); }

    /// An append of `from` was received, and may have made this server its follower.
    void reached_by(State const& state, ServerId from, AppendEntries const& append)
    {
        auto const* follower = std::get_if<Follower>(&state.role);
        if (follower != nullptr and follower->leader == from and append.term == state.current_term)
            begin({from, append.term}, std::max(append.committed, append.leader_commit));
    }

    [[nodiscard]] bool is_ready(Index applied) const { return through_ and applied >= *through_; }

private:
    struct Lead
    {
        ServerId leader;
        Term     term;

        friend bool operator==(Lead const&, Lead const&) = default;
    };

    void begin(Lead lead, Index through)
    {
        if (lead == lead_)
            return;
        lead_ = lead;
        through_ = through;
    }

    Lead                 lead_;
    std::optional<Index> through_; ///< Ready when this is applied.
};

} // namespace totora::inline v0
