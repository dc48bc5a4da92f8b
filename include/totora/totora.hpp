// SPDX-License-Identifier: BSL-1.0
#pragma once

// Raft for C++20. Include this, and the policies that you want to use.
//
//        everything that happens to a node is a message in       everything a node does is a message out
//  peers ──▶ RequestVote, AppendEntries, ... ┐                  ┌─▶ peers    RequestVote, AppendEntries, responses ...
//  clock ──▶ AlarmRang{alarm, arming}        ├▶ step(State,     ┼─▶ log      SaveVote, Append, Truncate: write w
//  log   ──▶ Persisted{w}, Halted{reason}    │    Message)      ├─▶ clock    arm or disarm an alarm
//  client ─▶ Proposed, ReadRequested         ┘  = Transition    ├─▶ machine  apply everything up to here
//                                                (constexpr)    └─▶ client   Accepted, Refused, ReadAllowed
//
// `RaftNode<StateMachine, Log, Transport, Clock>` carries these values between the core and four policies, which
// are yours or ours. A proposal travels one way: staged beside the log, accepted by the core, written and sent at once,
// acknowledged, committed, applied; then its completion is called. docs/examples/first.cpp is the shortest program.

// 1. The words: terms, indexes, the messages between servers.
#include "totora/core/message.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"

// 2. The paper: Figure 2 as one pure function. Read step.hpp first.
#include "totora/core/state.hpp"
#include "totora/core/step.hpp"

// 3. What a user supplies.
#include "totora/policy/clock.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/state_machine.hpp"
#include "totora/policy/transport.hpp"

// 4. What holds it together.
#include "totora/node/driver.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/version.hpp"

// The policies that come along are included one by one:
//   totora/log/memory_log.hpp, totora/log/segmented_log.hpp
//   totora/transport/loopback.hpp, totora/transport/tcp.hpp (needs Boost.Asio)
//   totora/clock/manual_clock.hpp, totora/clock/steady_clock.hpp
