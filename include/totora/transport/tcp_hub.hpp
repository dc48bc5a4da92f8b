// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/local.hpp"
#include "totora/core/release.hpp"
#include "totora/core/result.hpp"
#include "totora/policy/transport.hpp"
#include "totora/transport/tcp_address.hpp"
#include "totora/transport/tcp_connection.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora
{

/// The connections of one server: what a `TcpTransport` owns, and what its handlers hold on to.
///
/// Each side dials the other for what it sends itself, so that neither waits for the other to call, nobody has to decide
/// which of two simultaneous connections stays, and every address is in use all the time, not first when a leader falls.
/// Incoming connections deliver. They also carry answers to servers that asked and that no address is known of (a leader
/// that a new server has not heard of yet) or whose known incarnation is another one.
class TcpHub final : public TcpConnectionOwner, public std::enable_shared_from_this<TcpHub>
{
public:
    using Error = boost::system::error_code;

    TcpHub(boost::asio::io_context& context, TcpSettings settings)
        : context_(context), settings_(std::move(settings)), acceptor_(context), tick_(context), resolver_(context),
          random_(settings_.seed)
    {}

    TcpHub(TcpHub const&) = delete;
    TcpHub& operator=(TcpHub const&) = delete;

    ~TcpHub() { close(); }

    [[nodiscard]] std::optional<TcpError> listen()
    {
        auto const endpoint = parse_address(settings_.listen);
        if (not endpoint)
            return TcpError{"cannot listen at \"" + settings_.listen + "\": not an address and a port"};
        auto error = Error{};
        acceptor_.open(endpoint->protocol(), error);
        if (not error)
            acceptor_.set_option(boost::asio::socket_base::reuse_address(true), error);
        if (not error)
            acceptor_.bind(*endpoint, error);
        if (not error)
            acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
        if (error)
            return TcpError{"cannot listen at " + settings_.listen + ": " + error.message()};
        accept();
        tick();
        return std::nullopt;
    }

    [[nodiscard]] std::string address() const
    {
        auto       error = Error{};
        auto const endpoint = acceptor_.local_endpoint(error);
        return error ? std::string{} : print_address(endpoint);
    }

    void send(ServerId to, Rpc const& rpc, Entries const& entries)
    {
        auto const connection = way_to(to, is_response(rpc));
        if (connection == nullptr or not connection->is_open()) {
            ++counters_.dropped_unconnected;
            return;
        }
        auto const route = Route{settings_.cluster, 0, settings_.self, connection->remote()};
        auto const head = encode(route, rpc, entries, connection->agreed().frame_bytes_max);
        if (not head) {
            ++counters_.dropped_oversized;
            return log_once(oversized_logged_, name_of(connection->remote()) +
                                                   ": a message is longer than the frames agreed with it, and is lost");
        }
        if (connection->send(*head, entries))
            return;
        ++counters_.dropped_full;
        if (auto* const peer = peer_of(*connection); peer != nullptr and not std::exchange(peer->full, true))
            tell(LinkChanged{to, Link::full});
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        if (inbox_.empty())
            return std::nullopt;
        auto event = std::move(inbox_.front());
        inbox_.pop_front();
        inbox_bytes_ -= bytes_of(event);
        if (not takes_more_ and inbox_.size() <= settings_.inbox_events_max / 2 and
            inbox_bytes_ <= settings_.inbox_bytes_max / 2)
            read_on();
        return event;
    }

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        if (server == settings_.self.id or closed_)
            return;
        auto const party = Party{server, incarnation};
        auto const known = peers_.find(server);
        if (known != peers_.end()) {
            if (known->second->party == party and known->second->address == address)
                return;
            forget(*known->second);
            peers_.erase(known);
        }
        if (address.empty())
            return;
        auto const& [place, added] = peers_.emplace(server, std::make_shared<Peer>(context_, party, address));
        dial(place->second);
    }

    void set_wake(std::function<void()> wake)
    {
        wake_ = std::move(wake);
        if (not inbox_.empty() and wake_)
            wake_();
    }

    /// Ends everything; nothing is delivered or logged any more.
    void close()
    {
        closed_ = true;
        auto ignored = Error{};
        acceptor_.close(ignored);
        resolver_.cancel();
        tick_.cancel();
        for (auto const& [id, peer] : peers_)
            if (peer->connection != nullptr)
                peer->connection->abandon();
        for (auto const& connection : accepted_)
            connection->abandon();
        peers_.clear();
        accepted_.clear();
        askers_.clear();
        inbox_.clear();
        inbox_bytes_ = 0;
    }

    [[nodiscard]] TcpCounters const& counters() const { return counters_; }

    void opened(TcpConnection& connection) override
    {
        if (auto* const peer = peer_of(connection)) {
            peer->full = false;
            log_once(peer->last_sentence, name_of(peer->party) + " at " + peer->address + ": connected");
            return tell(LinkChanged{peer->party.id, Link::open});
        }
        // A server that dials again has given up its earlier connection, even if we have not heard of it yet.
        for (auto const& other : std::vector{accepted_})
            if (other.get() != &connection and other->is_open() and other->remote() == connection.remote())
                other->close("replaced by a newer connection");
    }

    void received(TcpConnection& connection, Rpc const& rpc, Entries entries) override
    {
        auto const remote = connection.remote();
        auto const known = peers_.find(remote.id);
        auto const is_known = known != peers_.end() and known->second->party == remote;
        if (is_response(rpc)) {
            // An answer counts for the member that was asked, and another life of the server is another member.
            if (known != peers_.end() and not is_known) {
                ++counters_.refused[static_cast<std::size_t>(FrameRefusal::another_sender)];
                return;
            }
        } else if (is_known) {
            askers_.erase(remote.id);
        } else {
            askers_.insert_or_assign(remote.id, connection.shared_from_this());
        }
        tell(Received{remote.id, rpc, std::move(entries)});
    }

    void drained(TcpConnection& connection) override
    {
        auto* const peer = peer_of(connection);
        if (peer != nullptr and peer->full and connection.queue().below_half()) {
            peer->full = false;
            tell(LinkChanged{peer->party.id, Link::open});
        }
    }

    void closed(TcpConnection& connection, std::string_view sentence) override
    {
        std::erase_if(askers_, [&](auto const& asker) { return asker.second.get() == &connection; });
        counters_.lost += connection.agreed().version != 0 ? 1U : 0U;
        if (auto* const peer = peer_of(connection)) {
            log_once(peer->last_sentence, name_of(peer->party) + " at " + peer->address + ": " + std::string{sentence});
            // Not reset by a connection that ends as soon as it begins, or it would be dialed without a pause.
            if (connection.age() > std::chrono::milliseconds(settings_.backoff_max_ms))
                peer->attempts = 0;
            lose(*peer);
            return retry(peers_.at(peer->party.id));
        }
        if (connection.was_refused() or connection.agreed().version == 0)
            log_once(last_incoming_sentence_, "an incoming connection: " + std::string{sentence});
        std::erase_if(accepted_, [&](auto const& accepted) { return accepted.get() == &connection; });
    }

    [[nodiscard]] bool takes_more() const override { return takes_more_; }

private:
    using Time = std::chrono::steady_clock::time_point;

    /// A server that we send to.
    struct Peer
    {
        Peer(boost::asio::io_context& context, Party who, std::string_view where)
            : party(who), address(where), timer(context)
        {}

        Party                          party;
        std::string                    address;
        boost::asio::steady_timer      timer; ///< Until the next attempt to connect.
        std::shared_ptr<TcpConnection> connection;
        unsigned                       attempts = 0; ///< Since the last connection that held.
        bool                           full = false; ///< It was said that the queue is full.
        std::string                    last_sentence;
    };

    static constexpr auto tick_interval = std::chrono::milliseconds(100);

    void accept()
    {
        acceptor_.async_accept([weak = weak_from_this()](Error error, TcpConnection::Socket socket) {
            auto const hub = weak.lock();
            if (hub == nullptr or hub->closed_)
                return;
            if (error) {
                hub->accepting_ = false; // No descriptors left, perhaps: the tick tries again.
                return;
            }
            hub->welcome(std::move(socket));
            hub->accept();
        });
    }

    void welcome(TcpConnection::Socket socket)
    {
        if (accepted_.size() >= settings_.accepted_max) {
            ++counters_.turned_away;
            return;
        }
        accepted_.push_back(
            std::make_shared<TcpConnection>(*this, settings_, counters_, std::move(socket), std::nullopt));
        accepted_.back()->accept();
    }

    void dial(std::shared_ptr<Peer> const& peer)
    {
        if (auto const endpoint = parse_address(peer->address))
            return connect(peer, {*endpoint});
        auto const name = split_address(peer->address);
        if (not name) {
            log_once(peer->last_sentence, name_of(peer->party) + ": \"" + peer->address + "\" is no host and port");
            return;
        }
        resolver_.async_resolve(
            name->host, name->port,
            [weak = weak_from_this(),
             waiting = std::weak_ptr{peer}](Error error, boost::asio::ip::tcp::resolver::results_type const& results) {
                auto const hub = weak.lock();
                auto const there = waiting.lock();
                if (hub == nullptr or there == nullptr)
                    return;
                if (error) {
                    hub->log_once(there->last_sentence,
                                  name_of(there->party) + " at " + there->address + ": " + error.message());
                    return hub->retry(there);
                }
                auto endpoints = TcpConnection::Endpoints{};
                for (auto const& result : results)
                    endpoints.push_back(result.endpoint());
                hub->connect(there, endpoints);
            });
    }

    void connect(std::shared_ptr<Peer> const& peer, TcpConnection::Endpoints const& endpoints)
    {
        peer->connection =
            std::make_shared<TcpConnection>(*this, settings_, counters_, TcpConnection::Socket{context_}, peer->party);
        peer->connection->dial(endpoints);
    }

    /// Dials again after a while, longer each time up to the maximum, and never at the same moment as others.
    void retry(std::shared_ptr<Peer> const& peer)
    {
        ++counters_.retries;
        auto const doublings = std::min(peer->attempts++, 20U);
        auto const longest = std::min(settings_.backoff_max_ms, settings_.backoff_min_ms << doublings);
        auto const wait_ms = longest / 2 + next_random() % (longest / 2 + 1);
        peer->timer.expires_after(std::chrono::milliseconds(wait_ms));
        peer->timer.async_wait([weak = weak_from_this(), waiting = std::weak_ptr{peer}](Error error) {
            auto const hub = weak.lock();
            auto const there = waiting.lock();
            if (hub != nullptr and there != nullptr and not error)
                hub->dial(there);
        });
    }

    /// Lets go of the connection of a peer, and says so if it stood.
    void lose(Peer& peer)
    {
        auto const connection = std::exchange(peer.connection, nullptr);
        peer.full = false;
        if (connection != nullptr and connection->agreed().version != 0)
            tell(LinkChanged{peer.party.id, Link::unreachable});
    }

    void forget(Peer& peer)
    {
        if (peer.connection != nullptr)
            peer.connection->abandon();
        lose(peer);
    }

    [[nodiscard]] TcpConnection* way_to(ServerId to, bool is_answer) const
    {
        auto const peer = peers_.find(to);
        auto const asker = askers_.find(to);
        if (asker != askers_.end() and (is_answer or peer == peers_.end()))
            return asker->second.get();
        return peer == peers_.end() ? nullptr : peer->second->connection.get();
    }

    /// The peer that was dialed for this connection; null if it was accepted.
    [[nodiscard]] Peer* peer_of(TcpConnection const& connection) const
    {
        if (not connection.is_dialed())
            return nullptr;
        for (auto const& [id, peer] : peers_)
            if (peer->connection.get() == &connection)
                return peer.get();
        return nullptr;
    }

    /// Looks after connections that stand still, and after accepting if it failed.
    void tick()
    {
        tick_.expires_after(tick_interval);
        tick_.async_wait([weak = weak_from_this()](Error error) {
            auto const hub = weak.lock();
            if (hub == nullptr or hub->closed_ or error)
                return;
            auto const now = std::chrono::steady_clock::now();
            auto       connections = hub->accepted_;
            for (auto const& [id, peer] : hub->peers_)
                if (peer->connection != nullptr)
                    connections.push_back(peer->connection);
            for (auto const& connection : connections)
                if (not connection->is_closed())
                    connection->check(now);
            if (not std::exchange(hub->accepting_, true))
                hub->accept();
            hub->tick();
        });
    }

    void read_on()
    {
        takes_more_ = true;
        auto connections = accepted_;
        for (auto const& [id, peer] : peers_)
            if (peer->connection != nullptr)
                connections.push_back(peer->connection);
        for (auto const& connection : connections)
            connection->resume();
    }

    void tell(TransportEvent event)
    {
        inbox_bytes_ += bytes_of(event);
        inbox_.push_back(std::move(event));
        takes_more_ = inbox_.size() < settings_.inbox_events_max and inbox_bytes_ < settings_.inbox_bytes_max;
        if (inbox_.size() == 1 and wake_)
            wake_();
    }

    [[nodiscard]] static std::uint64_t bytes_of(TransportEvent const& event)
    {
        auto const* const message = std::get_if<Received>(&event);
        return message == nullptr ? 0 : message->entries.bytes();
    }

    /// Logs a sentence unless it is the one that was logged last in its place.
    void log_once(std::string& last, std::string sentence) const
    {
        if (last == sentence)
            return;
        last = std::move(sentence);
        if (settings_.log)
            settings_.log(last);
    }

    /// SplitMix64: enough for jitter, and the same everywhere.
    [[nodiscard]] std::uint64_t next_random()
    {
        random_ += 0x9E3779B97F4A7C15U;
        auto mixed = random_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }

    boost::asio::io_context&       context_;
    TcpSettings                    settings_;
    TcpCounters                    counters_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer      tick_;
    boost::asio::ip::tcp::resolver resolver_;
    std::uint64_t                  random_;
    bool                           accepting_ = true;
    bool                           closed_ = false;

    std::map<ServerId, std::shared_ptr<Peer>>          peers_;
    std::vector<std::shared_ptr<TcpConnection>>        accepted_;
    std::map<ServerId, std::shared_ptr<TcpConnection>> askers_; ///< Accepted connections that answers go back on.

    std::deque<TransportEvent> inbox_;
    std::uint64_t              inbox_bytes_ = 0;
    bool                       takes_more_ = true;
    std::function<void()>      wake_;
    std::string                last_incoming_sentence_;
    std::string                oversized_logged_;
};

} // namespace totora
