// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/settings.hpp"

namespace totora::inline v0
{

/// The four policies that a node is put together from, and its settings: what its parts share and do not own.
template <typename StateMachine, typename DurableLog, typename MessageTransport, typename AlarmClock,
          typename NodeObserver>
struct Policies
{
    using Machine = StateMachine;
    using Log = DurableLog;
    using Transport = MessageTransport;
    using Clock = AlarmClock;
    using Observer = NodeObserver;
    using Response = typename Machine::Response;

    Machine&     machine;
    Log&         log;
    Transport&   transport;
    Clock&       clock;
    NodeSettings settings;
};

} // namespace totora::inline v0
