// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/abilities.hpp"
#include "totora/core/values/configuration.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp/frame_queue.hpp"
#include "totora/wire/frame.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// The numeric addresses of a host, such as "10.0.0.7" or "fe80::1"; or none, and why.
struct FoundAddresses
{
    std::vector<std::string> addresses = {};
    std::string              failure = {};
};

/// A server's identity on the network, its limits and timeouts. Times are in milliseconds and above 0; a longer one
/// than a year is a year.
struct TcpSettings
{
    ClusterId cluster; ///< That of the log's identity (`read_identity`), like `self`.
    Party     self;
    Members
         first_members; ///< The first members of the cluster (`members_of`); empty if this server joined later or does not know them.
    Life life = {}; ///< `start` is the log's (`SegmentedLog::start`), if it counts them; `process` is drawn if it is 0.
    std::string listen; ///< "address:port", the address numeric; port 0 takes any free one (`TcpTransport::address`).
    FrameLimits limits = {};
    QueueLimits queue = {};
    Abilities   can = {}; ///< What the hello announces besides the limits. The node sets it (`TcpTransport::announce`).

    std::uint64_t backoff_min_ms = 20; ///< Before the second attempt to connect; doubled for each further one.
    std::uint64_t backoff_max_ms =
        1000; ///< At most this long, so that a server that comes back is found within a second.
    std::uint64_t handshake_ms = 2000;   ///< For connecting and the handshake, or the connection is given up.
    std::uint64_t write_stall_ms = 5000; ///< Without a byte taken or acknowledged, or the connection is given up.
    std::uint64_t seed = 1;              ///< Of the jitter; different for each server.

    /// The most incoming connections without a complete handshake. Above it one gives way: of those that have not
    /// sent their hello yet, the oldest of the address that has most of them.
    std::size_t handshakes_max = 128;
    /// The most incoming connections of servers that `update` did not name. Above it the one that has been idle longest
    /// gives way. A member that this server's log does not contain yet is such a server; the known ones each have a
    /// place.
    std::size_t   unknown_max = servers_max;
    std::uint64_t unknown_idle_ms = 60'000; ///< Without a frame of such a server, or its connection is given up.
    std::uint64_t unknown_bytes_max = 32U
                                      << 20U; ///< Of unfinished frames of all of them; at least one frame of the limit.

    std::uint64_t inbox_bytes_max = 32U << 20U; ///< Received and not taken; above it nothing is read from sockets.
    std::size_t   inbox_events_max = 4096;

    /// Finds the addresses of a host by its name. It may block: it is called on a separate thread, several at a time,
    /// and possibly after the transport's end. Empty: the system's resolver is used.
    std::function<FoundAddresses(std::string const& host)> find_addresses = {};

    /// Receives lines for the operator, on the thread of the transport, which is the node's: it must not block (a full
    /// pipe does, so write from another thread, and drop lines when its queue is full), throw, or end the transport.
    /// May be empty. At most five lines a second about one server, and five about all incoming connections.
    std::function<void(std::string_view)> log = {};
};

/// A time of the settings as a duration that can be added to any moment.
[[nodiscard]] constexpr std::chrono::milliseconds patience_of(std::uint64_t milliseconds)
{
    constexpr auto longest = std::chrono::milliseconds{std::chrono::hours{24 * 365}};
    return std::min(milliseconds, static_cast<std::uint64_t>(longest.count())) * std::chrono::milliseconds{1};
}

/// What is wrong with settings; empty if they are valid.
[[nodiscard]] inline std::string fault_in(TcpSettings const& settings)
{
    if (settings.backoff_min_ms == 0 or settings.backoff_max_ms == 0)
        return "backoff_min_ms and backoff_max_ms must be more than 0: a server that is not there would be dialed "
               "without a "
               "pause";
    if (settings.handshake_ms == 0 or settings.write_stall_ms == 0)
        return "handshake_ms and write_stall_ms must be more than 0: no connection would last";
    if (settings.handshakes_max == 0 or settings.unknown_max == 0)
        return "handshakes_max and unknown_max must be more than 0: nobody could connect, or no new member";
    if (settings.unknown_idle_ms == 0)
        return "unknown_idle_ms must be more than 0: no connection of a new member would last";
    return {};
}

/// The counters of a transport, since it began.
struct TcpCounters
{
    std::uint64_t connected = 0;          ///< Complete handshakes, in both directions.
    std::uint64_t lost = 0;               ///< Connections that ended after a complete handshake.
    std::uint64_t retries = 0;            ///< Attempts to connect after a failed or lost connection.
    std::uint64_t handshakes_refused = 0; ///< By either side.
    std::uint64_t gave_way = 0;           ///< Incoming connections dropped for their place, memory or idleness.
    std::uint64_t two_lives = 0;          ///< Handshakes refused because two processes have the identity of one server.

    std::uint64_t frames_sent = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t writes = 0; ///< Calls to the operating system that sent something; one may carry many frames.
    std::uint64_t frames_received = 0;
    std::uint64_t bytes_received = 0;

    std::uint64_t dropped_full = 0;        ///< Messages for which the queue had no room.
    std::uint64_t dropped_unconnected = 0; ///< Messages to servers that were not connected, or not known.
    std::uint64_t dropped_oversized = 0;   ///< Messages longer than the frames agreed with the addressee.

    std::uint64_t log_lines_suppressed =
        0; ///< Lines not passed to `TcpSettings::log`, because too many came in a second.

    /// The maximum of `TcpLoad::unfinished_bytes`, sampled whenever a frame outgrew the buffer of its connection.
    std::uint64_t unfinished_bytes_most = 0;

    std::array<std::uint64_t, frame_refusals> refused{}; ///< Frames received and dropped, by `FrameError`.

    [[nodiscard]] std::uint64_t refused_as(FrameError refusal) const
    {
        return refused[static_cast<std::size_t>(refusal)];
    }
};

/// The status of a server that `update` named, for operators.
struct TcpPeerStatus
{
    Party       party;
    std::string address;
    bool        open = false;    ///< Connected, and the handshake is complete.
    bool        full = false;    ///< The queue takes no entries now.
    bool        refused = false; ///< The last handshake was refused, by either side; `what` has the reason.
    std::string what;            ///< The last line about it for `TcpSettings::log`.
};

/// The present load of a transport, for operators.
struct TcpLoad
{
    std::size_t   handshaking = 0;      ///< Incoming connections without their handshake.
    std::size_t   known = 0;            ///< Incoming connections of servers that `update` named.
    std::size_t   unknown = 0;          ///< Incoming connections of others.
    std::uint64_t unfinished_bytes = 0; ///< Held for what arrives: buffers, and frames that have not arrived whole.
    std::uint64_t unknown_unfinished_bytes = 0; ///< The part of it for unknown servers and before handshakes.
    std::uint64_t inbox_bytes = 0;              ///< Of entries that were received and not taken.
    std::uint64_t queued_bytes = 0;             ///< Of bulk that waits to be sent.
};

/// The reason why a transport cannot begin, for the operator.
struct TcpError
{
    std::string what;
};

/// A refusal as text for the operator.
[[nodiscard]] constexpr std::string_view to_string(FrameError refusal)
{
    switch (refusal) {
    case FrameError::truncated:
        return "truncated";
    case FrameError::foreign_magic:
        return "not a frame of totora";
    case FrameError::newer_version:
        return "a frame of a newer version";
    case FrameError::unknown_kind:
        return "a frame of an unknown kind";
    case FrameError::oversized:
        return "longer than agreed";
    case FrameError::bad_checksum:
        return "damaged";
    case FrameError::bad_field:
        return "a field out of range";
    case FrameError::bad_entry:
        return "not the entries that it names";
    case FrameError::newer_entry:
        return "an entry that only a newer version of this program knows";
    case FrameError::another_cluster:
        return "of another cluster";
    case FrameError::another_group:
        return "of another group";
    case FrameError::another_server:
        return "for another server";
    case FrameError::another_incarnation:
        return "for another incarnation";
    case FrameError::another_sender:
        return "of another sender";
    case FrameError::bad_piece:
        return "a piece of another frame";
    }
    return "refused";
}

} // namespace totora::inline v0
