// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/data/identity.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/frame_queue.hpp"
#include "totora/transport/tcp/frame_reader.hpp"
#include "totora/transport/tcp/socket_options.hpp"
#include "totora/transport/tcp/stall_watch.hpp"
#include "totora/transport/tcp_settings.hpp"
#include "totora/wire/codec.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// Whether the end of a connection is worth a sentence.
enum class TcpEnding : std::uint8_t
{
    usual, ///< It was replaced, or the other side ended it in order.
    unusual,
};

/// One TCP connection: a handshake, and then frames in both directions.
///
/// The dialing side greets first, the other one answers with its greeting and a fresh number, and the dialing side confirms
/// that number, so that what a dead process left in a queue is not taken for one that runs. Each side judges the greeting of
/// the other, and answers what it cannot accept with a sentence. The object lives until its last handler has run; after `close` it
/// touches nothing of its owner.
class TcpConnection : public std::enable_shared_from_this<TcpConnection>
{
public:
    using Socket = boost::asio::ip::tcp::socket;
    using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
    using Address = boost::asio::ip::address;
    using Time = std::chrono::steady_clock::time_point;
    using Error = boost::system::error_code;

    /// `dialed` is whom we mean to reach; nothing if the connection was accepted.
    TcpConnection(TcpConnectionOwner& owner, TcpSettings const& settings, TcpCounters& counters, Socket socket,
                  std::optional<Party> dialed)
        : owner_(&owner), settings_(&settings), counters_(&counters), socket_(std::move(socket)), dialed_(dialed),
          began_(std::chrono::steady_clock::now()), queue_(settings.queue)
    {}

    /// Connects, and greets.
    void dial(Endpoints const& endpoints)
    {
        boost::asio::async_connect(
            socket_, endpoints,
            [self = shared_from_this()](Error error, boost::asio::ip::tcp::endpoint const& /*reached*/) {
                if (self->is_closed())
                    return;
                if (error)
                    return self->close(error.message());
                if (reaches_itself(self->socket_))
                    return self->drop("dialed itself: the port was free, and the system took it for this connection");
                self->greet();
            });
    }

    /// Waits for the greeting of the other side, which has dialed.
    void accept()
    {
        auto error = Error{};
        source_ = socket_.remote_endpoint(error).address();
        set_options(socket_, settings_->write_stall_ms);
        read();
    }

    /// Queues a message. False: there was no room for it.
    [[nodiscard]] bool send(FrameHead const& head, Entries const& entries, Lane lane)
    {
        if (is_closed() or not queue_.push(head, entries, lane))
            return false;
        // Written at the end of this turn, so that all messages of a turn share one call to the operating system.
        if (not writing_)
            write_soon();
        return true;
    }

    /// Reads on after `takes_more` was false.
    void resume()
    {
        arrived_ = std::chrono::steady_clock::now(); // What was not read cannot have stood still.
        if (std::exchange(paused_, false) and not is_closed())
            within_memory([&] { deliver_and_read(); });
    }

    /// Gives the connection up if it takes too long to be greeted, to be rid of what it has to say, or to read a frame to its end.
    void check(Time now)
    {
        if (not agreed_ and now - began_ > patience_of(settings_->handshake_ms))
            close(farewell_ ? std::string_view{*farewell_} : std::string_view{"no handshake in time"});
        else if (reader_.within_frame() and not paused_ and now - arrived_ > 2 * patience_of(settings_->write_stall_ms))
            close("a frame began to arrive and never ended");
        else if (stalls_.look(now, unacknowledged_bytes(socket_), awaits_room_) >
                 patience_of(settings_->write_stall_ms))
            close("nothing taken for too long");
    }

    /// Ends the connection without a trace: its port is free at once.
    void drop(std::string_view sentence)
    {
        auto ignored = Error{};
        socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        close(sentence);
    }

    /// Ends the connection; the owner is told.
    void close(std::string_view sentence, TcpEnding ending = TcpEnding::unusual)
    {
        if (is_closed())
            return;
        ending_ = ending;
        auto const self = shared_from_this(); // The owner may let go of us.
        auto*      owner = std::exchange(owner_, nullptr);
        auto       ignored = Error{};
        socket_.close(ignored);
        owner->closed(*this, sentence);
    }

    /// Ends the connection; the owner knows.
    void abandon()
    {
        owner_ = nullptr;
        auto ignored = Error{};
        socket_.close(ignored);
    }

    [[nodiscard]] bool              is_closed() const { return owner_ == nullptr; }
    [[nodiscard]] bool              is_open() const { return agreed_.has_value() and not is_closed(); }
    [[nodiscard]] bool              is_dialed() const { return dialed_.has_value(); }
    [[nodiscard]] Party             remote() const { return remote_; } ///< Known once the connection is open.
    [[nodiscard]] Agreement         agreed() const { return agreed_.value_or(Agreement{}); }
    [[nodiscard]] Life              life() const { return life_; }           ///< Of the process at the other end.
    [[nodiscard]] std::uint64_t     handshake() const { return handshake_; } ///< Its number (`handshake_began`).
    [[nodiscard]] FrameQueue const& queue() const { return queue_; }

    /// How many bytes of bulk have surely arrived: those that the operating system has taken, without what the other side has
    /// not acknowledged, all of which may be bulk. It takes them in large portions, a slow wire seconds apart. Never fewer than
    /// before, also when the connection is gone.
    [[nodiscard]] std::uint64_t bulk_bytes_arrived()
    {
        if (socket_.is_open()) {
            auto const missing = std::min(bulk_bytes_taken_, unacknowledged_bytes(socket_).value_or(0));
            bulk_bytes_arrived_ = std::max(bulk_bytes_arrived_, bulk_bytes_taken_ - missing);
        }
        return bulk_bytes_arrived_;
    }

    /// How long ago the connection was begun.
    [[nodiscard]] Time::duration age() const { return std::chrono::steady_clock::now() - began_; }

    [[nodiscard]] Time began() const { return began_; }

    [[nodiscard]] bool      was_refused() const { return refused_; }
    [[nodiscard]] TcpEnding ending() const { return ending_; } ///< Once it is closed.

    [[nodiscard]] bool    has_greeted() const { return judged_.has_value(); } ///< As a server that can be talked to.
    [[nodiscard]] Address source() const { return source_; }      ///< Where an accepted connection comes from.
    [[nodiscard]] Time last_frame() const { return last_frame_; } ///< When one was taken, or the connection was opened.

    /// The bytes that are held for what arrives: a buffer, and a frame that has not arrived whole.
    [[nodiscard]] std::size_t unfinished_bytes() const { return is_closed() ? 0 : reader_.held(); }

    /// A dialed port that is free may become the own port of the connection, which then ends where it begins.
    [[nodiscard]] static bool reaches_itself(Socket const& socket)
    {
        auto       error = Error{};
        auto const here = socket.local_endpoint(error);
        return not error and here == socket.remote_endpoint(error) and not error;
    }

private:
    /// Before the handshake nobody needs more than this.
    static constexpr std::uint32_t greeting_bytes_max = 4096;

    /// How many parts one call to the operating system takes (Asio's own limit).
    static constexpr std::size_t parts_max = 64;

    [[nodiscard]] Hello greeting() const
    {
        return {.limits = settings_->limits,
                .features = {},
                .life = settings_->life,
                .challenge = challenge(),
                .first_members = settings_->first_members};
    }

    /// A number that no other handshake of any process has.
    [[nodiscard]] std::uint64_t challenge() const
    {
        return (settings_->life.process ^ handshake_) * 0x9E3779B97F4A7C15U;
    }

    [[nodiscard]] Route route_to(Party const& addressee) const
    {
        return {.cluster = settings_->cluster, .group = 0, .sender = settings_->self, .addressee = addressee};
    }

    /// Sends a frame of the handshake.
    void say(FrameHead const& head) { static_cast<void>(send(head, {}, Lane::urgent)); }

    void greet()
    {
        set_options(socket_, settings_->write_stall_ms);
        handshake_ = owner_->handshake_began();
        say(encode(route_to(*dialed_), greeting()));
        read();
    }

    /// Missing memory costs the connection, as if it had broken on the way: what it holds is free then, and it is dialed again.
    /// If it was closed already, the owner did not get to the end of that, and has to know.
    template <typename Act>
    void within_memory(Act act)
    {
        try {
            act();
        } catch (std::bad_alloc const&) {
            if (is_closed())
                throw;
            close("there is no memory left for what it carries");
        }
    }

    void read()
    {
        auto const space = reader_.space();
        socket_.async_read_some(boost::asio::buffer(space.data(), space.size()),
                                [self = shared_from_this()](Error error, std::size_t count) {
                                    if (self->is_closed())
                                        return;
                                    if (error)
                                        return self->ended(error);
                                    self->counters_->bytes_received += count;
                                    if (self->farewell_) // Until the other side has read it and closes.
                                        return self->within_memory([&] { self->read(); });
                                    self->arrived_ = std::chrono::steady_clock::now();
                                    self->reader_.arrived(count);
                                    self->within_memory([&] { self->deliver_and_read(); });
                                });
    }

    void ended(Error error)
    {
        auto const is_usual = error == boost::asio::error::eof and not farewell_;
        close(farewell_.value_or(error.message()), is_usual ? TcpEnding::usual : TcpEnding::unusual);
    }

    void deliver_and_read()
    {
        while (not is_closed() and owner_->takes_more()) {
            auto frame = reader_.next();
            if (not frame and reader_.held() > FrameReader::block_size)
                owner_->grown(*this);
            if (is_closed())
                return;
            if (not frame or farewell_)
                return read();
            if (*frame)
                deliver(std::move(**frame));
            else
                refuse(frame->error());
        }
        paused_ = true;
    }

    /// Counts a frame that is dropped. After some refusals nobody knows where the next frame begins.
    void refuse(FrameError refusal)
    {
        ++counters_->refused[static_cast<std::size_t>(refusal)];
        if (reader_.broken())
            close(std::string{"received what is "} + std::string{to_string(refusal)});
        else if (not agreed_)
            close(std::string{"greeted with what is "} + std::string{to_string(refusal)});
    }

    void deliver(Frame frame)
    {
        if (auto const* refusal = std::get_if<HandshakeError>(&frame.content)) {
            refused_ = true;
            ++counters_->handshakes_refused;
            return close("refused: " + refusal->what);
        }
        if (auto const* hello = std::get_if<Hello>(&frame.content))
            return judged_ ? refuse(FrameError::bad_field) : judge(frame.route, *hello);
        if (auto const* confirmation = std::get_if<Confirmation>(&frame.content)) {
            if (dialed_ or not judged_ or agreed_ or confirmation->answer != challenge())
                return refuse(FrameError::bad_field);
            return agree();
        }
        if (not agreed_)
            return close("spoke before the handshake");

        if (auto const refusal = refuse_route(frame.route, settings_->cluster, settings_->self))
            return refuse(*refusal);
        if (frame.route.sender != remote_)
            return refuse(FrameError::another_sender);
        ++counters_->frames_received;
        last_frame_ = arrived_;
        owner_->received(*this, std::get<Rpc>(frame.content), std::move(frame.entries));
    }

    void judge(Route const& route, Hello const& hello)
    {
        auto const judged = judge_hello(greeting(), settings_->cluster, settings_->self, route, hello, dialed_);
        remote_ = route.sender;
        if (not judged and route.cluster != settings_->cluster)
            return decline_foreign(route, judged.error());
        if (not judged)
            return decline(judged.error());
        judged_ = *judged;
        life_ = hello.life;
        challenged_ = hello.challenge;
        if (dialed_)
            return agree();
        handshake_ = owner_->handshake_began();
        say(encode(route_to(remote_), greeting()));
    }

    /// The handshake is complete, unless another process of that server is the one to talk to.
    void agree()
    {
        if (auto const refusal = owner_->judge_life(*this))
            return decline(*refusal);
        agreed_ = judged_;
        last_frame_ = std::chrono::steady_clock::now();
        reader_.limit(agreed_->frame_bytes_max);
        if (dialed_)
            say(encode(route_to(remote_), Confirmation{challenged_}));
        ++counters_->connected;
        owner_->opened(*this);
    }

    /// Says why there will be no talk, and waits until the other side has read it and closes.
    void decline(HandshakeError const& refusal) { decline(route_to(remote_), refusal, refusal); }

    /// A server that does not know the cluster's id is told nothing of this one but that it refuses: the id is what keeps those out
    /// that were not meant to find it.
    void decline_foreign(Route const& route, HandshakeError const& refusal)
    {
        auto const echoed = Route{route.cluster, route.group, route.addressee, route.sender};
        decline(echoed,
                {HandshakeFault::another_cluster, "another cluster; the log of the server that refuses says more"},
                refusal);
    }

    void decline(Route const& route, HandshakeError const& told, HandshakeError const& refusal)
    {
        refused_ = true;
        ++counters_->handshakes_refused;
        farewell_ = "refused: " + refusal.what;
        say(encode(route, told));
    }

    void write_soon()
    {
        boost::asio::post(socket_.get_executor(),
                          [self = shared_from_this()] { self->within_memory([&] { self->write(); }); });
        writing_ = true;
    }

    void write()
    {
        if (is_closed())
            return;
        queue_.gather(parts_, parts_max);
        buffers_.clear();
        for (auto const part : parts_)
            buffers_.emplace_back(part.data(), part.size());
        auto       error = Error{};
        auto const count = socket_.write_some(buffers_, error);
        if (error == boost::asio::error::would_block or error == boost::asio::error::interrupted)
            return await_room();
        if (error)
            return close(error.message());
        wrote(count);
    }

    /// What leaves is chosen when there is room for it, and not before, so that what became urgent meanwhile comes first.
    void await_room()
    {
        awaits_room_ = true;
        socket_.async_wait(Socket::wait_write, [self = shared_from_this()](Error error) {
            if (self->is_closed())
                return;
            if (error)
                return self->close(error.message());
            self->within_memory([&] { self->write(); });
        });
    }

    void wrote(std::size_t count)
    {
        auto const through = queue_.written(count);
        ++counters_->writes;
        counters_->bytes_sent += count;
        counters_->frames_sent += through.frames;
        bulk_bytes_taken_ += through.bulk_bytes;
        stalls_.took(count);
        awaits_room_ = false;
        writing_ = false;
        if (not queue_.empty()) {
            write_soon();
        } else if (farewell_) {
            auto ignored = Error{};
            socket_.shutdown(Socket::shutdown_send, ignored);
        }
        owner_->drained(*this);
    }

    TcpConnectionOwner*        owner_; ///< Null once closed.
    TcpSettings const*         settings_;
    TcpCounters*               counters_;
    Socket                     socket_;
    std::optional<Party>       dialed_;
    Time                       began_;
    Address                    source_;
    Party                      remote_;
    Life                       life_;
    std::uint64_t              handshake_ = 0;
    std::uint64_t              challenged_ = 0; ///< By the other side.
    std::optional<Agreement>   judged_;         ///< What greetings agree on.
    std::optional<Agreement>   agreed_;         ///< The same, once the handshake is complete.
    std::optional<std::string> farewell_;       ///< Why we refused; nothing is read any more but the end of the stream.
    bool                       refused_ = false;
    TcpEnding                  ending_ = TcpEnding::unusual;
    Time                       arrived_; ///< When bytes came last.
    Time                       last_frame_;

    FrameReader reader_{greeting_bytes_max};
    bool        paused_ = false;

    FrameQueue                              queue_;
    bool                                    writing_ = false;     ///< Or about to.
    bool                                    awaits_room_ = false; ///< The system takes nothing now.
    StallWatch                              stalls_;
    std::uint64_t                           bulk_bytes_taken_ = 0;
    std::uint64_t                           bulk_bytes_arrived_ = 0;
    std::vector<std::span<std::byte const>> parts_;
    std::vector<boost::asio::const_buffer>  buffers_;
};

} // namespace totora::inline v0
