// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/advance.hpp"
#include "totora/core/message.hpp"
#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/with_alternative.hpp"

#include <utility>

namespace totora::inline v0::core
{

// The file to read first. `step` is the only way in which a server changes: everything that happens to it is a message
// in, everything it does is a value out. What it does with each kind of message is in core/advance.hpp, to be read next.

/// The server after a step, and all that it wants done.
struct Transition
{
    State    state;
    Outgoing outgoing;

    friend constexpr bool operator==(Transition const&, Transition const&) = default;
};

/// One step, in place.
constexpr void advance(State& state, Message const& message, Outgoing& outgoing)
{
    with_alternative(message.body, [&](auto const& happened) { advance(state, message.from, happened, outgoing); });
}

/// One step, as a function of values: `step(state, message) -> (state, outgoing)`.
[[nodiscard]] constexpr Transition step(State state, Message const& message)
{
    auto transition = Transition{std::move(state), {}};
    advance(transition.state, message, transition.outgoing);
    return transition;
}

} // namespace totora::inline v0::core
