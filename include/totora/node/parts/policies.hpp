// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/settings.hpp"
#include "totora/node/status.hpp"
#include "totora/policy/clock.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/policy/transport.hpp"

#include <concepts>

namespace totora::inline v0
{

/// The four policies that a node is put together from, and its settings: what its parts share and do not own.
template <typename StateMachine, typename DurableLog, typename MessageTransport, typename AlarmClock,
          typename NodeObserver>
struct Policies
{
    // Not constraints of the templates: of those clang reports only that they are not satisfied, when it has deduced the arguments.
    static_assert(state_machine<StateMachine>, "policy/state_machine.hpp describes what a state machine needs");
    static_assert(durable_log<DurableLog>, "policy/log.hpp describes what a log needs");
    static_assert(message_transport<MessageTransport>, "policy/transport.hpp describes what a transport needs");
    static_assert(alarm_clock<AlarmClock>, "policy/clock.hpp describes what a clock needs");
    static_assert(std::invocable<NodeObserver&, NodeEvent const&>,
                  "an observer is called with each `NodeEvent const&`");

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
