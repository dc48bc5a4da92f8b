// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/outgoing.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/types.hpp"
#include "totora/node/parts/guard.hpp"
#include "totora/node/status.hpp"

#include <concepts>
#include <utility>

namespace totora::inline v0
{

/// Calls the observer of a node. If it throws, the node has failed.
template <typename Observer>
class Notifier
{
public:
    Notifier(Observer observer, Guard& guard) : observer_(std::move(observer)), guard_(guard) {}

    /// `happened` is a `NodeEvent`, or one of its alternatives: where nobody observes, no event is made of it.
    template <typename Happened>
    void notify(Happened const& happened)
    {
        if constexpr (not std::same_as<Observer, NoObserver>) {
            NodeEvent const& event = happened;
            guard_.run(NodeFailure::callback, "the observer", [&] { observer_(event); });
        } else {
            static_cast<void>(happened);
        }
    }

    /// A step of the core was taken, and none of its effects performed yet.
    template <typename Happened>
    void stepped(ServerId from, Happened const& happened, State const& state, Outgoing const& outgoing)
    {
        if constexpr (requires { observer_.stepped(from, happened, state, outgoing); })
            guard_.run(NodeFailure::callback, "the observer",
                       [&] { observer_.stepped(from, happened, state, outgoing); });
    }

private:
    [[no_unique_address]] Observer observer_;
    Guard&                         guard_;
};

} // namespace totora::inline v0
