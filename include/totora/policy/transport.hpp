// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/announced.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"

#include <concepts>
#include <optional>
#include <string_view>
#include <variant>

namespace totora::inline v0
{

/// A message that arrived, with its payload, pinned. `entries` are exactly those that an `AppendEntries` names; their checksums have
/// been checked. `chunk` are exactly the bytes that an `InstallSnapshot` names.
struct Received
{
    ServerId from;
    Rpc rpc;
    Entries entries;
    PinnedBytes chunk = {};
};

/// An event of a transport: a message, or that the way to a server has changed, or what a server has announced that it can
/// (core/messages/local.hpp, core/messages/announced.hpp).
using TransportEvent = std::variant<Received, LinkChanged, Announced>;

/// How messages travel between servers.
///
/// It may lose, repeat, delay and reorder. All calls come from the node's thread, and none throws, whatever the address.
///
/// What the compiler cannot check: it never corrupts, never invents a sender, and never blocks the node, nor does anything
/// that it calls on the node's thread, such as a user's log of messages: a pipe that nobody reads blocks. It delivers only
/// what was sent within this cluster and to this incarnation of this server, and an answer (`is_response`) only from the
/// incarnation that `update` named: another life of a server is another member (case 45).
///
/// A transport with events of its own may have `set_wake(std::function<void()>)`; `Driver` hands it what to call when
/// `receive` has something after it had nothing. It replaces an earlier one, as with a log. One that cannot carry
/// entries of every length must have `entry_bytes_max()`, the largest payload of an entry that goes into one message, and the most bytes of encoded
/// entries of several; a node that would accept more does not start. Without it, entries that are too long are dropped again and again,
/// and the cluster stands still without an error. One that knows how far it is with what it queues may have `bytes_taken(ServerId) -> std::uint64_t`,
/// which grows whenever some of what may not overtake (`may_overtake`) has left for that server, so that a leader can distinguish a
/// slow link from one that stands still; and `renew(ServerId)`, which drops the connection to a server and makes another;
/// and `announce(Abilities)`, called when the node starts, with what this server can: it reaches the other servers, whose transports report it
/// with an `Announced` event, again after each start of this one. Over a transport without it nothing is ever agreed beyond what every cluster begins with;
/// and `remove(ServerId)`, for a server that no configuration of this node names any more: it closes the way to it, and forgets it.
///
/// What may overtake should not wait for what may not: a leader whose heartbeats wait for its entries is replaced (case 94).
template <typename T>
concept message_transport = requires(T& transport, Released const& message, Entries const& entries, ServerId server,
                                     Incarnation incarnation, std::string_view address) {
    /// Sends a message, with the payload of the entries it names. What cannot be queued is dropped, and a `LinkChanged` may
    /// report it: after `Link::full` that server is sent no more entries until `Link::open` or `Link::unreachable` follows. Who keeps
    /// the message after the call copies `message.rpc()`; a copy of `entries` keeps their bytes.
    { transport.send(message, entries) } -> std::same_as<void>;
    /// The next thing that happened, in order; nothing if there is none. Does not wait.
    { transport.receive() } -> std::same_as<std::optional<TransportEvent>>;
    /// The address of a server, and which life of it is meant, in place of what was said of it before. Called for the members of the
    /// configuration in force and of the one before, the own server left out: when the node starts, and whenever an entry, its
    /// truncation or a snapshot changes one of them.
    { transport.update(server, incarnation, address) } -> std::same_as<void>;
};

/// A transport that carries chunks of snapshots too. Over one that does not, no node takes snapshots.
///
/// A chunk is bulk: it never goes ahead of what was sent earlier, and what may overtake should not wait for it.
template <typename T>
concept chunk_transport = message_transport<T> and requires(T& transport, Released const& message, PinnedBytes const& chunk) {
    /// As `send`, of an `InstallSnapshot` with bytes and exactly these bytes. A copy of `chunk` keeps them.
    { transport.send_chunk(message, chunk) } -> std::same_as<void>;
};

} // namespace totora::inline v0
