// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/core/messages/rpc.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/frame_queue.hpp"
#include "totora/transport/tcp/frame_stream.hpp"
#include "totora/transport/tcp/socket_options.hpp"
#include "totora/transport/tcp_settings.hpp"
#include "totora/wire/codec.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// One TCP connection: a handshake, and then messages in both directions.
///
/// The dialing side sends its hello first, the other replies with its own and a new number, and the dialing side confirms
/// that number, so that the hello of a dead process, left in a queue, does not pass for a running one. Each side
/// checks the other's hello, and replies to one that it cannot accept with the reason.
///
/// Invariants: open only once the handshake is complete, which takes a hello that was accepted (`acceptable_`); after
/// `close` it touches nothing of its owner.
class TcpConnection final : public FrameStream
{
public:
    using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
    using Address = boost::asio::ip::address;

    /// `dialed` is the server to reach; nothing if the connection was accepted.
    TcpConnection(TcpConnectionOwner& owner, TcpSettings const& settings, TcpCounters& counters, Socket socket,
                  std::optional<Party> dialed)
        : FrameStream(settings, counters, std::move(socket), greeting_bytes_max), owner_(&owner), dialed_(dialed),
          began_(std::chrono::steady_clock::now())
    {}

    /// Connects, and sends its hello.
    void dial(Endpoints const& endpoints)
    {
        boost::asio::async_connect(
            socket(), endpoints, [self = shared()](Error error, boost::asio::ip::tcp::endpoint const& /*reached*/) {
                if (self->is_closed())
                    return;
                if (error)
                    return self->close(error.message());
                if (reaches_itself(self->socket()))
                    return self->drop("dialed itself: the port was free, and the system took it for this connection");
                self->send_hello();
            });
    }

    /// Waits for the hello of the other side, which has dialed.
    void accept()
    {
        auto error = Error{};
        source_ = socket().remote_endpoint(error).address();
        set_options(socket(), settings().write_stall_ms);
        read();
    }

    /// Ends the connection if its handshake takes too long, or if what it reads or writes has stalled.
    void check(Time now)
    {
        if (not agreed_ and now - began_ > patience_of(settings().handshake_ms))
            close(farewell() ? std::string_view{*farewell()} : std::string_view{"no handshake in time"});
        else
            check_stalls(now);
    }

    [[nodiscard]] std::shared_ptr<TcpConnection> shared()
    {
        return std::static_pointer_cast<TcpConnection>(shared_from_this());
    }

    [[nodiscard]] bool           is_open() const { return agreed_.has_value() and not is_closed(); }
    [[nodiscard]] bool           is_dialed() const { return dialed_.has_value(); }
    [[nodiscard]] Party          remote() const { return remote_; } ///< Known once the connection is open.
    [[nodiscard]] Agreement      agreed() const { return agreed_.value_or(Agreement{}); }
    [[nodiscard]] Abilities      can() const { return can_; }             ///< What the other end can.
    [[nodiscard]] Life           life() const { return life_; }           ///< Of the process at the other end.
    [[nodiscard]] std::uint64_t  handshake() const { return handshake_; } ///< Its number (`handshake_began`).
    [[nodiscard]] Time           began() const { return began_; }
    [[nodiscard]] Time::duration age() const { return std::chrono::steady_clock::now() - began_; }
    [[nodiscard]] bool           was_refused() const { return refused_; } ///< The handshake, by either side.
    [[nodiscard]] bool           has_accepted_hello() const { return acceptable_.has_value(); }
    [[nodiscard]] Address source() const { return source_; } ///< The address of an accepted connection's other end.
    [[nodiscard]] Time last_frame() const { return last_frame_; } ///< When one arrived, or the connection was opened.

private:
    /// The largest frame before the handshake is complete.
    static constexpr std::uint32_t greeting_bytes_max = 4096;

    [[nodiscard]] Hello own_hello() const
    {
        return {.limits = settings().limits,
                .formats = settings().can.formats,
                .machine = settings().can.machine,
                .features = {},
                .life = settings().life,
                .challenge = challenge(),
                .first_members = settings().first_members};
    }

    /// A number unique to this handshake, among those of all processes.
    [[nodiscard]] std::uint64_t challenge() const
    {
        return (settings().life.process ^ handshake_) * 0x9E3779B97F4A7C15U;
    }

    [[nodiscard]] Route route_to(Party const& addressee) const
    {
        return {.cluster = settings().cluster, .group = 0, .sender = settings().self, .addressee = addressee};
    }

    /// Sends a frame of the handshake.
    void send_handshake(FrameHead const& head) { static_cast<void>(send(head, {}, Lane::urgent)); }

    void send_hello()
    {
        set_options(socket(), settings().write_stall_ms);
        handshake_ = owner_->handshake_began();
        send_handshake(encode(route_to(*dialed_), own_hello()));
        read();
    }

    [[nodiscard]] bool takes_more() const override { return owner_->takes_more(); }

    void on_growth() override { owner_->grown(*this); }
    void on_written() override { owner_->drained(*this); }
    void on_close(std::string_view what) override { std::exchange(owner_, nullptr)->closed(*this, what); }

    void on_bad_frame(FrameError refusal) override
    {
        if (is_broken())
            close(std::string{"received what is "} + std::string{to_string(refusal)});
        else if (not agreed_)
            close(std::string{"sent as its hello what is "} + std::string{to_string(refusal)});
    }

    void deliver(Frame frame) override
    {
        if (auto const* refusal = std::get_if<HandshakeError>(&frame.content)) {
            refused_ = true;
            ++counters().handshakes_refused;
            return close("refused: " + refusal->what);
        }
        if (auto const* hello = std::get_if<Hello>(&frame.content))
            return acceptable_ ? refuse(FrameError::bad_field) : receive(frame.route, *hello);
        if (auto const* confirmation = std::get_if<Confirmation>(&frame.content)) {
            if (dialed_ or not acceptable_ or agreed_ or confirmation->answer != challenge())
                return refuse(FrameError::bad_field);
            return agree();
        }
        if (not agreed_)
            return close("spoke before the handshake");

        if (auto const refusal = refuse_route(frame.route, settings().cluster, settings().self))
            return refuse(*refusal);
        if (frame.route.sender != remote_)
            return refuse(FrameError::another_sender);
        ++counters().frames_received;
        last_frame_ = arrived();
        owner_->received(*this, Received{remote_.id, std::get<Rpc>(frame.content), std::move(frame.entries),
                                         std::move(frame.chunk)});
    }

    void receive(Route const& route, Hello const& hello)
    {
        auto const agreement = check_hello(own_hello(), settings().cluster, settings().self, route, hello, dialed_);
        remote_ = route.sender;
        if (not agreement and route.cluster != settings().cluster)
            return decline_foreign(route, agreement.error());
        if (not agreement)
            return decline(agreement.error());
        acceptable_ = *agreement;
        can_ = abilities_of(hello);
        life_ = hello.life;
        challenged_ = hello.challenge;
        if (dialed_)
            return agree();
        if (route.addressee.incarnation == unknown_incarnation)
            end_after_writing(to_string(remote_) + " asked which incarnation runs here");
        handshake_ = owner_->handshake_began();
        send_handshake(encode(route_to(remote_), own_hello()));
    }

    /// Completes the handshake, unless another process of that server replaces this one.
    void agree()
    {
        if (auto const refusal = owner_->check_life(*this))
            return decline(*refusal);
        agreed_ = acceptable_;
        last_frame_ = std::chrono::steady_clock::now();
        limit_frames(agreed_->frame_bytes_max);
        if (dialed_)
            send_handshake(encode(route_to(remote_), Confirmation{challenged_}));
        ++counters().connected;
        owner_->opened(*this);
    }

    /// Refuses the handshake with the reason, and waits until the other side has read it and closes.
    void decline(HandshakeError const& refusal) { decline(route_to(remote_), refusal, refusal); }

    /// Refuses a server that does not know the cluster's id, and reveals nothing but the refusal: the id keeps out
    /// those that were not meant to find the cluster.
    void decline_foreign(Route const& route, HandshakeError const& refusal)
    {
        auto const echoed = Route{route.cluster, route.group, route.addressee, route.sender};
        decline(echoed,
                {HandshakeFault::another_cluster, "another cluster; for more, see the log of the server that refuses"},
                refusal);
    }

    void decline(Route const& route, HandshakeError const& sent, HandshakeError const& refusal)
    {
        refused_ = true;
        ++counters().handshakes_refused;
        end_after_writing("refused: " + refusal.what);
        send_handshake(encode(route, sent));
    }

    TcpConnectionOwner*      owner_; ///< Null once closed.
    std::optional<Party>     dialed_;
    Time                     began_;
    Address                  source_;
    Party                    remote_;
    Life                     life_;
    Abilities                can_;
    std::uint64_t            handshake_ = 0;
    std::uint64_t            challenged_ = 0; ///< By the other side.
    std::optional<Agreement> acceptable_;     ///< The agreement that the hellos lead to.
    std::optional<Agreement> agreed_;         ///< The same, once the handshake is complete.
    bool                     refused_ = false;
    Time                     last_frame_;
};

} // namespace totora::inline v0
