// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/status.hpp"

#include <optional>

namespace totora::inline v0
{

/// Notices that role, term or leader of this server have changed.
class RoleWatch
{
public:
    struct Change
    {
        RoleChanged now;
        bool        was_elected = false;     ///< This server leads, in a term in which it did not lead.
        bool        lost_leadership = false; ///< Also if it leads again, in a later term.
    };

    /// The change since this was asked last, if any.
    [[nodiscard]] std::optional<Change> notice(State const& state)
    {
        auto const now = RoleChanged{role_of(state), state.current_term, known_leader(state)};
        if (now == seen_)
            return std::nullopt;
        auto const leads = now.role == RoleName::leader;
        auto const led = seen_.role == RoleName::leader;
        auto const leads_on = led and leads and now.term == seen_.term;
        seen_ = now;
        return Change{now, leads and not leads_on, led and not leads_on};
    }

private:
    RoleChanged seen_;
};

} // namespace totora::inline v0
