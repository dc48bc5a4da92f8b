// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/values/result.hpp"
#include "totora/policy/transport.hpp"
#include "totora/transport/tcp/hub.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Messages over TCP, by Boost.Asio, on the thread that runs the `io_context`: that of the node.
///
/// It trusts its network: nothing is encrypted, and no process proves its identity (docs/security.md).
///
/// What may overtake (`may_overtake`) does not wait for entries: these leave in pieces, and everything else goes
/// between two. A message is lost if its addressee is not connected, or if its queue is full: link events report it,
/// and Raft repeats. Nothing blocks. A message written to a socket keeps its entries pinned until the operating system
/// has them all.
///
/// Memory, of one connection: before its handshake 4 KiB of what arrives; after it 64 KiB, the frame that is arriving
/// (up to the agreed limit), and for what is sent `QueueLimits`. In all: `handshakes_max` connections without a
/// handshake, one in each direction of each known server, `unknown_max` of others, whose unfinished frames have
/// `unknown_bytes_max` together; and the inbox. `load` shows it.
///
/// A connection ends, and is dialed again, when it breaks, when nothing of what is sent is taken or acknowledged for
/// `write_stall_ms` (heartbeats keep every connection of a leader busy, keep-alive probes the others), and when what
/// arrives on it cannot be a stream of frames. Single bad frames are counted and dropped. No response of another server
/// ends the transport, and none should end its user (case 96): a refused handshake is a line in the log, a status in
/// `peers`, a counter, and is retried.
class TcpTransport
{
public:
    /// Begins to listen; an error if that is not possible. The context outlives the transport.
    [[nodiscard]] static Result<TcpTransport, TcpError> open(boost::asio::io_context& context, TcpSettings settings)
    {
        if (auto fault = fault_in(settings); not fault.empty())
            return Unexpected{TcpError{std::move(fault)}};
        if (settings.life.process == 0)
            settings.life.process = draw_process();
        auto hub = std::make_shared<TcpHub>(context, std::move(settings));
        if (auto const error = hub->listen())
            return Unexpected{*error};
        return TcpTransport{std::move(hub)};
    }

    void send(Released const& message, Entries const& entries) { hub_->send(message.to(), message.rpc(), entries); }

    void send_chunk(Released const& message, PinnedBytes const& chunk)
    {
        hub_->send(message.to(), message.rpc(), Payload{chunk});
    }

    [[nodiscard]] std::optional<TransportEvent> receive() { return hub_->receive(); }

    /// The address is "host:port", "[host]:port" or empty, which forgets the server.
    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        hub_->update(server, incarnation, address);
    }

    /// Closes the connection to a server, and forgets it (`message_transport`).
    void remove(ServerId server) { hub_->update(server, Incarnation{}, {}); }

    /// What this server can, for the others (`message_transport`).
    void announce(Abilities const& can) { hub_->announce(can); }

    /// The most bytes of entries in a message (`message_transport`).
    [[nodiscard]] std::uint64_t entry_bytes_max() const { return entry_bytes_through(hub_->limits()); }

    /// How many bytes of entries a server has acknowledged, or, where the system does not report that, the sockets have
    /// taken (`message_transport`).
    [[nodiscard]] std::uint64_t bytes_taken(ServerId server) const { return hub_->bytes_taken(server); }

    /// Drops the connection to a server and redials it (`message_transport`).
    void renew(ServerId server) { hub_->renew(server); }

    /// Sets the function called when `receive` has something after it had nothing. It must not end the transport.
    void set_wake(std::function<void()> wake) { hub_->set_wake(std::move(wake)); }

    /// The address at which this server listens, with the actual port.
    [[nodiscard]] std::string address() const { return hub_->address(); }

    [[nodiscard]] TcpCounters const& counters() const { return hub_->counters(); }

    /// The present load.
    [[nodiscard]] TcpLoad load() const { return hub_->load(); }

    /// The status of each server that `update` named, in the order of their ids.
    [[nodiscard]] std::vector<TcpPeerStatus> peers() const { return hub_->peers(); }

    /// Closes all connections and timers, as the destructor does.
    void close() { hub_->close(); }

private:
    /// A number that no other process draws.
    [[nodiscard]] static std::uint64_t draw_process()
    {
        auto const now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
        try {
            auto device = std::random_device{};
            return now ^ (std::uint64_t{device()} << 32U | device());
        } catch (std::exception const&) { // Without random numbers of the system, the time is used.
            return now;
        }
    }

    explicit TcpTransport(std::shared_ptr<TcpHub> hub) : hub_(std::move(hub)) {}

    std::shared_ptr<TcpHub> hub_;
};

static_assert(chunk_transport<TcpTransport>);

} // namespace totora::inline v0
