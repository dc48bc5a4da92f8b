// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/policy/transport.hpp"
#include "totora/transport/tcp/accepted.hpp"
#include "totora/transport/tcp/connection.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/inbox.hpp"
#include "totora/transport/tcp/listener.hpp"
#include "totora/transport/tcp/lives.hpp"
#include "totora/transport/tcp/names.hpp"
#include "totora/transport/tcp/peer.hpp"
#include "totora/transport/tcp/repeat_filter.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace totora::inline v0
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
    TcpHub(boost::asio::io_context& context, TcpSettings settings)
        : context_(context), settings_(std::move(settings)), listener_(std::make_shared<TcpListener>(context)),
          tick_(context), names_(settings_.find_addresses), lives_(10 * patience_of(settings_.backoff_max_ms)),
          inbox_(settings_), incoming_log_(settings_.log, counters_.sentences_left_out),
          oversized_log_(settings_.log, counters_.sentences_left_out)
    {}

    TcpHub(TcpHub const&) = delete;
    TcpHub& operator=(TcpHub const&) = delete;

    ~TcpHub() { close(); }

    [[nodiscard]] std::optional<TcpError> listen()
    {
        auto const error =
            listener_->open(settings_.listen, [this](TcpListener::Socket socket) { welcome(std::move(socket)); });
        if (not error)
            tick();
        return error;
    }

    [[nodiscard]] std::string        address() const { return listener_->address(); }
    [[nodiscard]] FrameLimits const& limits() const { return settings_.limits; }

    void send(ServerId to, Rpc const& rpc, Entries const& entries)
    {
        auto const connection = way_to(to, is_response(rpc));
        if (connection == nullptr or not connection->is_open()) {
            ++counters_.dropped_unconnected;
            return;
        }
        auto const route = Route{settings_.cluster, 0, settings_.self, connection->remote()};
        auto const head =
            encode(route, rpc, entries, connection->agreed().frame_bytes_max, connection->agreed().version);
        if (not head) {
            ++counters_.dropped_oversized;
            return oversized_log_.tell(name_of(connection->remote()) +
                                       ": a message is longer than the frames agreed with it, and is lost");
        }
        auto const lane = may_overtake(rpc) ? Lane::urgent : Lane::bulk;
        if (connection->send(*head, entries, lane))
            return;
        ++counters_.dropped_full;
        if (lane == Lane::urgent)
            return; // Its lane being full says nothing of the other, and it is sent again anyway.
        if (auto* const peer = peer_of(*connection); peer != nullptr and peer->note_full(true))
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
        auto const known = peers_.find(server);
        if (known != peers_.end()) {
            if (known->second->party() == party and known->second->address() == address)
                return;
            if (known->second->connection() != nullptr)
                known->second->connection()->abandon();
            lose(*known->second);
            peers_.erase(known);
        }
        if (address.empty())
            return;
        auto const around = TcpPeer::Surroundings{context_, *this, settings_, counters_, names_};
        auto const& [place, added] = peers_.emplace(server, std::make_shared<TcpPeer>(around, party, address));
        place->second->dial();
    }

    /// How many bytes of bulk have arrived at a server since `update` last named it.
    [[nodiscard]] std::uint64_t bytes_taken(ServerId server) const
    {
        auto const known = peers_.find(server);
        return known == peers_.end() ? 0 : known->second->bulk_bytes_arrived();
    }

    /// Gives up the connection to a server, which is dialed again.
    void renew(ServerId server)
    {
        auto const known = peers_.find(server);
        if (known != peers_.end() and known->second->connection() != nullptr)
            known->second->connection()->close("given up, to be dialed again");
    }

    void set_wake(std::function<void()> wake) { inbox_.set_wake(std::move(wake)); }

    /// Ends everything; nothing is delivered or logged any more. Needs no memory: the destructor does it.
    void close()
    {
        closed_ = true;
        listener_->close();
        tick_.cancel();
        for (auto const& accepted : accepted_.all())
            accepted->abandon();
        for (auto const& [id, peer] : peers_)
            if (peer->connection() != nullptr)
                peer->connection()->abandon();
        peers_.clear();
        accepted_.clear();
        askers_.clear();
        inbox_.clear();
    }

    [[nodiscard]] TcpCounters const& counters() const { return counters_; }

    [[nodiscard]] std::vector<TcpPeerStatus> peers() const
    {
        auto all = std::vector<TcpPeerStatus>{};
        for (auto const& [id, peer] : peers_)
            all.push_back(peer->status());
        return all;
    }

    [[nodiscard]] TcpLoad load() const
    {
        auto load = TcpLoad{};
        load.inbox_bytes = inbox_.bytes();
        for (auto const& one : connections()) {
            load.unfinished_bytes += one->unfinished_bytes();
            load.queued_bytes += one->queue().bulk_bytes();
            if (one->is_dialed())
                continue;
            auto const is_known = one->is_open() and knows(one->remote());
            ++(not one->is_open() ? load.greeting : is_known ? load.known : load.unknown);
            load.unknown_unfinished_bytes += is_known ? 0 : one->unfinished_bytes();
        }
        return load;
    }

    [[nodiscard]] std::uint64_t handshake_began() override { return lives_.begin(); }

    [[nodiscard]] std::optional<HandshakeError> judge_life(TcpConnection& connection) override
    {
        auto const party = connection.remote();
        auto const before = lives_.newest(party);
        auto const now = std::chrono::steady_clock::now();
        auto const verdict = lives_.complete(party, connection.life(), connection.handshake(), now);
        if (verdict == LifeVerdict::superseded)
            return HandshakeError{HandshakeFault::superseded, name_of(party) + " has been started again since"};
        lives_.forget([this](Party const& met) { return knows(met); });
        if (verdict == LifeVerdict::set_back)
            return HandshakeError{HandshakeFault::superseded,
                                  name_of(party) + " comes from start " + std::to_string(connection.life().start) +
                                      " and was met at start " + std::to_string(lives_.highest_start(party)) +
                                      ": its disk was lost or set back, and it is not talked to"};
        if (verdict == LifeVerdict::newer)
            close_others(connection, "replaced by a newer process", TcpEnding::usual);
        if (verdict != LifeVerdict::twice)
            return std::nullopt;
        ++counters_.two_lives;
        auto sentence = "two processes run as " + name_of(party) + ", of starts " + std::to_string(before.start) +
                        " and " + std::to_string(connection.life().start) +
                        ": neither is talked to until one has ended";
        if (before == connection.life())
            sentence = "another process runs as " + name_of(party) + " too: neither is talked to until one has ended";
        close_others(connection, sentence, TcpEnding::unusual);
        return HandshakeError{HandshakeFault::two_lives, std::move(sentence)};
    }

    void opened(TcpConnection& connection) override
    {
        if (auto* const peer = peer_of(connection)) {
            peer->opened();
            return inbox_.put(LinkChanged{peer->party().id, Link::open});
        }
        // A server that dials again has given up its earlier connection, even if we have not heard of it yet.
        for (auto const& other : std::vector{accepted_.all()})
            if (other.get() != &connection and other->is_open() and other->remote() == connection.remote())
                other->close("replaced by a newer connection", TcpEnding::usual);
        auto const is_known = [this](Party const& party) { return knows(party); };
        give_way(accepted_.to_end_of_unknown(settings_.unknown_max, connection, is_known),
                 "was idle longest of the servers that are no known members");
    }

    void grown(TcpConnection& connection) override
    {
        auto const all = load();
        counters_.unfinished_bytes_most = std::max(counters_.unfinished_bytes_most, all.unfinished_bytes);
        if (connection.is_dialed() or knows(connection.remote()))
            return;
        auto const one_frame =
            std::uint64_t{connection.agreed().frame_bytes_max} + FrameReader::part_max + FrameReader::block_size;
        auto const is_known = [this](Party const& party) { return knows(party); };
        give_way(accepted_.to_end_for_memory(std::max(settings_.unknown_bytes_max, one_frame), is_known),
                 "held too much of an unfinished frame, and is of no known member");
    }

    void received(TcpConnection& connection, Rpc const& rpc, Entries entries) override
    {
        auto const remote = connection.remote();
        auto const known = peers_.find(remote.id);
        auto const is_known = known != peers_.end() and known->second->party() == remote;
        if (is_response(rpc)) {
            // An answer counts for the member that was asked, and another life of the server is another member.
            if (known != peers_.end() and not is_known) {
                ++counters_.refused[static_cast<std::size_t>(FrameError::another_sender)];
                return;
            }
        } else if (is_known) {
            askers_.erase(remote.id);
        } else {
            askers_.insert_or_assign(remote.id, connection.shared());
        }
        inbox_.put(Received{remote.id, rpc, std::move(entries)});
    }

    void drained(TcpConnection& connection) override
    {
        auto* const peer = peer_of(connection);
        if (peer != nullptr and connection.queue().below_half() and peer->note_full(false))
            inbox_.put(LinkChanged{peer->party().id, Link::open});
    }

    void closed(TcpConnection& connection, std::string_view sentence) override
    {
        std::erase_if(askers_, [&](auto const& asker) { return asker.second.get() == &connection; });
        counters_.lost += connection.agreed().version != 0 ? 1U : 0U;
        if (auto* const peer = peer_of(connection)) {
            peer->tell(sentence);
            lose(*peer);
            return peer->retry();
        }
        if (connection.agreed().version == 0 or connection.ending() == TcpEnding::unusual)
            incoming_log_.tell(origin_of(connection) + ": " + std::string{sentence});
        accepted_.remove(connection);
    }

    [[nodiscard]] bool takes_more() const override { return inbox_.has_room(); }

private:
    static constexpr auto tick_interval = std::chrono::milliseconds(100);

    void welcome(TcpConnection::Socket socket)
    {
        give_way(accepted_.to_end_for_handshake(settings_.handshakes_max), "gave way to others before its handshake");
        auto const accepted =
            std::make_shared<TcpConnection>(*this, settings_, counters_, std::move(socket), std::nullopt);
        accepted_.add(accepted);
        accepted->accept();
    }

    /// Ends a connection, if there is one to be ended, for the sake of others.
    void give_way(std::shared_ptr<TcpConnection> const& connection, std::string_view why)
    {
        if (connection == nullptr)
            return;
        ++counters_.gave_way;
        connection->drop(why);
    }

    /// Whether `update` named this server, in this incarnation.
    [[nodiscard]] bool knows(Party const& party) const
    {
        auto const peer = peers_.find(party.id);
        return peer != peers_.end() and peer->second->party() == party;
    }

    /// Closes what is open to the same server, but not this one.
    void close_others(TcpConnection const& connection, std::string_view sentence, TcpEnding ending)
    {
        for (auto const& other : connections())
            if (other.get() != &connection and other->is_open() and other->remote() == connection.remote())
                other->close(sentence, ending);
    }

    /// Whose an incoming connection is, or was, for the operator.
    [[nodiscard]] static std::string origin_of(TcpConnection const& connection)
    {
        auto const is_known = connection.agreed().version != 0;
        auto       name = is_known ? name_of(connection.remote()) : std::string{"an incoming connection"};
        return connection.source().is_unspecified() ? name : name + " from " + connection.source().to_string();
    }

    /// Lets go of the connection of a peer, and says so if it was open.
    void lose(TcpPeer& peer)
    {
        if (peer.let_go())
            inbox_.put(LinkChanged{peer.party().id, Link::unreachable});
    }

    [[nodiscard]] TcpConnection* way_to(ServerId to, bool is_answer) const
    {
        auto const peer = peers_.find(to);
        auto const asker = askers_.find(to);
        if (asker != askers_.end() and (is_answer or peer == peers_.end()))
            return asker->second.get();
        return peer == peers_.end() ? nullptr : peer->second->connection().get();
    }

    /// The peer that was dialed for this connection; null if it was accepted.
    [[nodiscard]] TcpPeer* peer_of(TcpConnection const& connection) const
    {
        if (not connection.is_dialed())
            return nullptr;
        for (auto const& [id, peer] : peers_)
            if (peer->connection().get() == &connection)
                return peer.get();
        return nullptr;
    }

    /// All that there are, so that each may end while they are gone through.
    [[nodiscard]] std::vector<std::shared_ptr<TcpConnection>> connections() const
    {
        auto all = accepted_.all();
        for (auto const& [id, peer] : peers_)
            if (peer->connection() != nullptr)
                all.push_back(peer->connection());
        return all;
    }

    /// Looks after connections that stand still, after sentences that were held back, and after accepting if it failed.
    void tick()
    {
        tick_.expires_after(tick_interval);
        tick_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
            auto const hub = weak.lock();
            if (hub == nullptr or hub->closed_ or error)
                return;
            auto const now = std::chrono::steady_clock::now();
            for (auto const& connection : hub->connections())
                if (not connection->is_closed())
                    hub->look_after(*connection, now);
            hub->incoming_log_.catch_up(now);
            hub->oversized_log_.catch_up(now);
            for (auto const& [id, peer] : hub->peers_)
                peer->catch_up(now);
            hub->listener_->try_again();
            hub->tick();
        });
    }

    void look_after(TcpConnection& connection, TcpConnection::Time now)
    {
        connection.check(now);
        if (not connection.is_dialed() and connection.is_open() and not knows(connection.remote()) and
            now - connection.last_frame() > patience_of(settings_.unknown_idle_ms))
            give_way(connection.shared(), "is of no known member, and sends nothing");
    }

    boost::asio::io_context&     context_;
    TcpSettings                  settings_;
    TcpCounters                  counters_;
    std::shared_ptr<TcpListener> listener_;
    boost::asio::steady_timer    tick_;
    bool                         closed_ = false;

    std::map<ServerId, std::shared_ptr<TcpPeer>>       peers_;
    TcpAccepted                                        accepted_;
    std::map<ServerId, std::shared_ptr<TcpConnection>> askers_; ///< Accepted connections that answers go back on.

    NameLookups  names_;
    TcpLives     lives_;
    TcpInbox     inbox_;
    RepeatFilter incoming_log_;
    RepeatFilter oversized_log_;
};

} // namespace totora::inline v0
