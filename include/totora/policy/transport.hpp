// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/local.hpp"
#include "totora/core/release.hpp"
#include "totora/core/rpc.hpp"
#include "totora/policy/entry.hpp"

#include <concepts>
#include <optional>
#include <string_view>
#include <variant>

namespace totora
{

/// A message that arrived, with the payload of its entries, pinned. `entries` are exactly those that an
/// `AppendEntries` names; their checksums have been checked.
struct Received
{
    ServerId from;
    Rpc rpc;
    Entries entries;
};

/// What a transport has to say: a message, or that the way to a server has changed (`LinkChanged`, core/local.hpp).
using TransportEvent = std::variant<Received, LinkChanged>;

/// How messages travel between servers.
///
/// It may lose, repeat, delay and reorder. It never corrupts, never invents a sender, and never blocks the node.
/// All calls come from the node's thread.
template <typename T>
concept message_transport = requires(T& transport, Released const& message, Entries const& entries, ServerId server,
                                     Incarnation incarnation, std::string_view address) {
    /// Sends a message, with the payload of the entries it names. What cannot be queued is dropped, and a
    /// `LinkChanged` tells.
    { transport.send(message, entries) } -> std::same_as<void>;
    /// The next thing that happened, in order, or nothing.
    { transport.receive() } -> std::same_as<std::optional<TransportEvent>>;
    /// Says where a server is to be found, and which life of it is meant.
    { transport.update(server, incarnation, address) } -> std::same_as<void>;
};

} // namespace totora
