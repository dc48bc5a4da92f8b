// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/announced.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

namespace totora::inline v0
{

/// What other servers have announced last that they can.
///
/// The core keeps that of a leader's followers only, so that a server that is elected, or lets others in, does not know it: the node passes
/// it on then.
class Announcements
{
public:
    void note(Announced const& announced)
    {
        for (auto& known : known_)
            if (known.server == announced.server) {
                known = announced;
                return;
            }
        if (known_.full())
            known_ = {}; // So many non-members have announced something: members do again when they connect.
        static_cast<void>(known_.push_back(announced));
        passed_on_ = {};
    }

    /// Whether a leader's followers are others than when this was asked last.
    [[nodiscard]] bool are_due(State const& state)
    {
        auto const now =
            is_leader(state) ? LogPosition{state.current_term, state.configurations.in_force.index} : LogPosition{};
        if (now == passed_on_)
            return false;
        passed_on_ = now;
        return is_leader(state);
    }

    [[nodiscard]] auto begin() const { return known_.begin(); }
    [[nodiscard]] auto end() const { return known_.end(); }

private:
    InplaceVector<Announced, 2 * servers_max> known_;
    LogPosition                               passed_on_; ///< For the configuration of this index, in this term.
};

} // namespace totora::inline v0
