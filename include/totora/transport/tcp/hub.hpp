// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/data/identity.hpp"
#include "totora/policy/transport.hpp"
#include "totora/transport/tcp/connection.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/inbox.hpp"
#include "totora/transport/tcp/incoming.hpp"
#include "totora/transport/tcp/life_refusal.hpp"
#include "totora/transport/tcp/listener.hpp"
#include "totora/transport/tcp/lives.hpp"
#include "totora/transport/tcp/load.hpp"
#include "totora/transport/tcp/names.hpp"
#include "totora/transport/tcp/peer.hpp"
#include "totora/transport/tcp/repeat_filter.hpp"
#include "totora/transport/tcp/routes.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The connections of one server: owned by a `TcpTransport` and kept alive by its handlers.
///
/// Each server dials the others for what it sends, so that neither waits for the other to connect, no rule has to
/// choose between two simultaneous connections, and every address is in use all the time, not only after a leader has
/// failed. Incoming connections deliver; they also carry responses to servers without a known address or incarnation
/// (`TcpRoutes`).
class TcpHub final : public TcpConnectionOwner, public std::enable_shared_from_this<TcpHub>
{
public:
    TcpHub(boost::asio::io_context& context, TcpSettings settings)
        : context_(context), settings_(std::move(settings)), listener_(std::make_shared<TcpListener>(context)),
          tick_(context), incoming_(settings_, counters_, routes_), names_(settings_.find_addresses),
          lives_(10 * patience_of(settings_.backoff_max_ms)), inbox_(settings_),
          oversized_log_(settings_.log, counters_.log_lines_suppressed)
    {}

    TcpHub(TcpHub const&) = delete;
    TcpHub& operator=(TcpHub const&) = delete;

    ~TcpHub() { close(); }

    [[nodiscard]] std::optional<TcpError> listen()
    {
        auto const error = listener_->open(settings_.listen, [this](TcpListener::Socket socket) {
            incoming_.add(
                std::make_shared<TcpConnection>(*this, settings_, counters_, std::move(socket), std::nullopt));
        });
        if (not error)
            tick();
        return error;
    }

    [[nodiscard]] std::string        address() const { return listener_->address(); }
    [[nodiscard]] FrameLimits const& limits() const { return settings_.limits; }

    void send(ServerId to, Rpc const& rpc, Payload const& payload)
    {
        auto* const connection = routes_.to(to, is_response(rpc));
        if (connection == nullptr or not connection->is_open()) {
            ++counters_.dropped_unconnected;
            return;
        }
        auto const route = Route{settings_.cluster, 0, settings_.self, connection->remote()};
        auto const head =
            encode(route, rpc, payload, connection->agreed().frame_bytes_max, connection->agreed().version);
        if (not head) {
            ++counters_.dropped_oversized;
            return oversized_log_.log(to_string(connection->remote()) +
                                      ": a message is longer than the frames agreed with it, and is lost");
        }
        auto const lane = may_overtake(rpc) ? Lane::urgent : Lane::bulk;
        if (connection->send(*head, payload, lane))
            return;
        ++counters_.dropped_full;
        if (lane == Lane::urgent)
            return; // A full urgent lane does not concern bulk, and its messages are repeated anyway.
        if (auto* const peer = routes_.peer_of(*connection); peer != nullptr and peer->note_full(true))
            inbox_.put(LinkChanged{to, Link::full});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        auto const had_room = inbox_.has_room();
        auto       event = inbox_.take();
        if (inbox_.has_room() and not had_room)
            for (auto const& connection : connections())
                connection->resume();
        return event;
    }

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        if (server == settings_.self.id or closed_)
            return;
        auto const party = Party{server, incarnation};
        if (auto* const known = routes_.find(server)) {
            if (known->party() == party and known->address() == address)
                return;
            if (known->connection() != nullptr)
                known->connection()->abandon();
            release(*known);
            routes_.remove(server);
        }
        if (address.empty())
            return;
        auto const around = TcpPeer::Surroundings{context_, *this, settings_, counters_, names_};
        auto const peer = std::make_shared<TcpPeer>(around, party, address);
        routes_.add(peer);
        peer->dial();
    }

    /// What the hellos announce from now on. Connections whose hello announced something else are made again.
    void announce(Abilities const& can)
    {
        if (std::exchange(settings_.can, can) != can)
            for (auto const& connection : connections())
                connection->close("this server can something else now");
    }

    /// How many bytes of bulk have arrived at a server since `update` last named it.
    [[nodiscard]] std::uint64_t bytes_taken(ServerId server) const { return routes_.bytes_taken(server); }

    /// Gives up the connection to a server, which is dialed again.
    void renew(ServerId server) { routes_.close(server, "given up, to be dialed again"); }

    void set_wake(std::function<void()> wake) { inbox_.set_wake(std::move(wake)); }

    /// Ends everything; nothing is delivered or logged any more. Needs no memory, since the destructor calls it.
    void close()
    {
        closed_ = true;
        listener_->close();
        tick_.cancel();
        incoming_.abandon_all();
        routes_.abandon_all();
        inbox_.clear();
    }

    [[nodiscard]] TcpCounters const&         counters() const { return counters_; }
    [[nodiscard]] std::vector<TcpPeerStatus> peers() const { return routes_.statuses(); }

    [[nodiscard]] TcpLoad load() const
    {
        auto load = load_of(connections(), KnownTo{&routes_});
        load.inbox_bytes = inbox_.bytes();
        return load;
    }

    [[nodiscard]] std::uint64_t handshake_began() override { return lives_.begin(); }

    [[nodiscard]] std::optional<HandshakeError> check_life(TcpConnection& connection) override
    {
        auto const party = connection.remote();
        auto const before = lives_.newest(party);
        auto const now = std::chrono::steady_clock::now();
        auto const verdict = lives_.complete(party, connection.life(), connection.handshake(), now);
        if (verdict != LifeVerdict::superseded)
            lives_.forget(KnownTo{&routes_});
        auto refusal = life_refusal(verdict, party, connection.life(), before, lives_);
        if (verdict == LifeVerdict::newer)
            close_others(connection, "replaced by a newer process", TcpEnding::usual);
        if (verdict == LifeVerdict::twice) {
            ++counters_.two_lives;
            close_others(connection, refusal->what, TcpEnding::unusual);
        }
        return refusal;
    }

    void opened(TcpConnection& connection) override
    {
        if (auto const party = connection.remote(); routes_.find(party.id) == nullptr or routes_.knows(party))
            inbox_.put(Announced{party.id, connection.can()});
        if (auto* const peer = routes_.peer_of(connection)) {
            peer->opened();
            return inbox_.put(LinkChanged{peer->party().id, Link::open});
        }
        incoming_.opened(connection);
    }

    void grown(TcpConnection& connection) override
    {
        counters_.unfinished_bytes_most = std::max(counters_.unfinished_bytes_most, load().unfinished_bytes);
        incoming_.grown(connection);
    }

    void received(TcpConnection& connection, Received message) override
    {
        if (routes_.note_received(connection, is_response(message.rpc)))
            inbox_.put(std::move(message));
        else
            ++counters_.refused[static_cast<std::size_t>(FrameError::another_sender)];
    }

    void drained(TcpConnection& connection) override
    {
        auto* const peer = routes_.peer_of(connection);
        if (peer != nullptr and connection.queue().below_half() and peer->note_full(false))
            inbox_.put(LinkChanged{peer->party().id, Link::open});
    }

    void closed(TcpConnection& connection, std::string_view what) override
    {
        routes_.forget(connection);
        counters_.lost += connection.agreed().version != 0 ? 1U : 0U;
        if (auto* const peer = routes_.peer_of(connection)) {
            peer->log(what);
            release(*peer);
            return peer->retry();
        }
        incoming_.ended(connection, what);
    }

    [[nodiscard]] bool takes_more() const override { return inbox_.has_room(); }

private:
    static constexpr auto tick_interval = std::chrono::milliseconds(100);

    /// Closes the other open connections to the same server.
    void close_others(TcpConnection const& connection, std::string_view what, TcpEnding ending)
    {
        for (auto const& other : connections())
            if (other.get() != &connection and other->is_open() and other->remote() == connection.remote())
                other->close(what, ending);
    }

    /// Releases the connection of a peer, and reports the peer unreachable if it was open.
    void release(TcpPeer& peer)
    {
        if (peer.let_go())
            inbox_.put(LinkChanged{peer.party().id, Link::unreachable});
    }

    /// A copy of all connections, so that each may end during a loop over them.
    [[nodiscard]] std::vector<std::shared_ptr<TcpConnection>> connections() const
    {
        auto all = incoming_.all();
        routes_.for_each_peer([&](TcpPeer& peer) {
            if (peer.connection() != nullptr)
                all.push_back(peer.connection());
        });
        return all;
    }

    /// Every 100 ms: ends stalled and idle connections, logs what was held back, and accepts again if that failed.
    void tick()
    {
        tick_.expires_after(tick_interval);
        tick_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
            auto const hub = weak.lock();
            if (hub == nullptr or hub->closed_ or error)
                return;
            auto const now = std::chrono::steady_clock::now();
            for (auto const& connection : hub->connections())
                if (not connection->is_closed()) {
                    connection->check(now);
                    hub->incoming_.check_idle(*connection, now);
                }
            hub->incoming_.catch_up(now);
            hub->oversized_log_.catch_up(now);
            hub->routes_.for_each_peer([&](TcpPeer& peer) { peer.catch_up(now); });
            hub->listener_->try_again();
            hub->tick();
        });
    }

    boost::asio::io_context&     context_;
    TcpSettings                  settings_;
    TcpCounters                  counters_;
    std::shared_ptr<TcpListener> listener_;
    boost::asio::steady_timer    tick_;
    bool                         closed_ = false;

    TcpRoutes    routes_;
    TcpIncoming  incoming_;
    NameLookups  names_;
    TcpLives     lives_;
    TcpInbox     inbox_;
    RepeatFilter oversized_log_;
};

} // namespace totora::inline v0
