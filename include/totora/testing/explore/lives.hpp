// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/testing/explore/global_state.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace totora::inline v0::explore
{

// A server that lost its disk begins again under another incarnation: it is another server that has the same id. What the transport does
// for that is here. Frames go to the life that their sender means, and those of an earlier life may still arrive.

/// Whether these servers live. Nobody asks for a life that is over, or that has not begun: it was drawn at random, and is shown.
[[nodiscard]] inline bool are_these_lives(GlobalState const& global, StepCache const& steps, Members const& members)
{
    return std::all_of(members.begin(), members.end(), [&](Member const& member) {
        return steps.facts_of(global.servers[static_cast<std::size_t>(member.id.value - 1)]).life == member.incarnation;
    });
}

/// Whether a message that has just left is for the life that its receiver has: the one that the sender's configurations name, or any if
/// they name none, since a response goes to who has asked.
[[nodiscard]] inline bool reaches(GlobalState const& global, StepCache const& steps, std::uint32_t message)
{
    auto const& address = steps.address_of(message);
    auto const  meant = steps.facts_of(global.servers[address.from]).named[address.to];
    return meant == Incarnation{} or meant == steps.facts_of(global.servers[address.to]).life;
}

/// What was sent to a life that is over never arrives.
inline void remove_messages_to(GlobalState& global, StepCache const& steps, std::uint8_t server)
{
    auto* const begin = global.messages.data();
    auto* const end = std::remove_if(begin, begin + global.in_flight,
                                     [&](std::uint32_t message) { return steps.address_of(message).to == server; });
    global.in_flight = static_cast<std::uint32_t>(end - begin);
}

} // namespace totora::inline v0::explore
