// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp/frame_reader.hpp"
#include "totora/transport/tcp/names.hpp"
#include "totora/transport/tcp_address.hpp"
#include "totora/transport/tcp_settings.hpp"
#include "totora/wire/codec.hpp"
#include "totora/wire/handshake.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

/// What a server announced in its hello.
struct ProbedPeer
{
    ClusterId   cluster;
    Party       party;
    FrameLimits limits;
    Abilities   can = {}; ///< At least what is agreed, or it cannot be a member.
};

/// The server that answered at an address, or in a sentence why none did that can be a member.
using ProbeOutcome = Result<ProbedPeer, std::string>;

/// Asks at an address which incarnation of a server runs there, before the cluster's log names it: connects, sends a hello as the
/// transport does, and judges the answer as the transport would. No connection of a transport comes of it.
///
/// Invariant: `done_` is called once, within `handshake_ms`, or not at all if the context ends before.
class TcpProbe : public std::enable_shared_from_this<TcpProbe>
{
public:
    using Done = std::function<void(ProbeOutcome)>;

    /// `settings` are those of this server's transport; `id` is who is to be found. The context outlives the probe.
    TcpProbe(boost::asio::io_context& context, TcpSettings const& settings, ServerId id, Done done)
        : settings_(settings), id_(id), done_(std::move(done)), names_(settings.find_addresses), socket_(context),
          deadline_(context), looks_(context), reader_(hello_bytes_max)
    {}

    /// The address is "host:port" or "[host]:port".
    void begin(std::string_view address)
    {
        deadline_.expires_after(patience_of(settings_.handshake_ms));
        deadline_.async_wait([self = shared_from_this()](Error error) {
            if (not error)
                self->guarded([&] { self->fail("nobody answers there in time"); });
        });
        if (auto const endpoint = parse_address(address))
            return connect({*endpoint});
        auto const name = split_address(address);
        if (not name)
            return fail("this is no host and port");
        lookup_ = names_.begin(name->host);
        if (lookup_ == nullptr)
            return fail("there can be no thread to look up the name");
        await_addresses(name->port);
    }

private:
    using Error = boost::system::error_code;
    using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

    /// The largest frame of a handshake.
    static constexpr std::uint32_t hello_bytes_max = 4096;
    static constexpr auto          look_interval = std::chrono::milliseconds{10};

    void await_addresses(std::string const& port)
    {
        if (auto const found = lookup_->take()) {
            auto endpoints = Endpoints{};
            for (auto const& address : found->addresses)
                if (auto const endpoint = endpoint_of(address, port))
                    endpoints.push_back(*endpoint);
            return endpoints.empty() ? fail(found->failure) : connect(endpoints);
        }
        looks_.expires_after(look_interval);
        looks_.async_wait([self = shared_from_this(), port](Error error) {
            if (not error and not self->has_ended())
                self->guarded([&] { self->await_addresses(port); });
        });
    }

    void connect(Endpoints const& endpoints)
    {
        boost::asio::async_connect(
            socket_, endpoints,
            [self = shared_from_this()](Error error, boost::asio::ip::tcp::endpoint const& /*reached*/) {
                self->proceed(error, [&] { self->send_hello(); });
            });
    }

    [[nodiscard]] Hello own_hello() const
    {
        auto hello = Hello{};
        hello.limits = settings_.limits;
        hello.formats = settings_.can.formats;
        hello.machine = settings_.can.machine;
        hello.life = settings_.life;
        hello.first_members = settings_.first_members;
        return hello;
    }

    void send_hello()
    {
        auto const route = Route{settings_.cluster, 0, settings_.self, {id_, unknown_incarnation}};
        auto const hello = encode(route, own_hello());
        sent_.assign(hello.bytes().begin(), hello.bytes().end());
        boost::asio::async_write(
            socket_, boost::asio::buffer(sent_),
            [self = shared_from_this()](Error error, std::size_t) { self->proceed(error, [&] { self->read(); }); });
    }

    void read()
    {
        auto const space = reader_.space();
        socket_.async_read_some(boost::asio::buffer(space.data(), space.size()),
                                [self = shared_from_this()](Error error, std::size_t count) {
                                    self->proceed(error, [&] {
                                        self->reader_.arrived(count);
                                        self->take_frame();
                                    });
                                });
    }

    void take_frame()
    {
        auto const frame = reader_.next();
        if (not frame)
            return read();
        if (not *frame)
            return fail("what answers there is " + std::string{to_string(frame->error())});
        judge(**frame);
    }

    void judge(Frame const& frame)
    {
        if (auto const* const refusal = std::get_if<HandshakeError>(&frame.content))
            return fail("it refuses: " + refusal->what);
        auto const* const hello = std::get_if<Hello>(&frame.content);
        if (hello == nullptr)
            return fail("what answers there sends no hello");
        auto const party = frame.route.sender;
        auto const agreed = check_hello(own_hello(), settings_.cluster, settings_.self, frame.route, *hello,
                                        Party{id_, party.incarnation});
        if (not agreed)
            return fail(agreed.error().what);
        end(ProbedPeer{frame.route.cluster, party, hello->limits, abilities_of(*hello)});
    }

    /// The next step, unless the operation on the socket before it failed, or all is over.
    template <typename Action>
    void proceed(Error error, Action action)
    {
        if (not has_ended())
            guarded([&] { error ? fail(error.message()) : action(); });
    }

    /// A lack of memory ends the probe, and nothing else.
    template <typename Action>
    void guarded(Action action)
    {
        try {
            action();
        } catch (std::exception const&) {
            fail("no memory left"); // So short that it needs none.
        }
    }

    [[nodiscard]] bool has_ended() const { return not done_; }

    void fail(std::string why) { end(Unexpected{std::move(why)}); }

    void end(ProbeOutcome outcome)
    {
        if (has_ended())
            return;
        auto const done = std::exchange(done_, Done{});
        auto       ignored = Error{};
        socket_.close(ignored);
        deadline_.cancel();
        looks_.cancel();
        done(std::move(outcome));
    }

    TcpSettings                  settings_;
    ServerId                     id_;
    Done                         done_; ///< Empty once it was called.
    NameLookups                  names_;
    std::shared_ptr<NameLookup>  lookup_; ///< Null if none is pending.
    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer    deadline_;
    boost::asio::steady_timer    looks_; ///< Until the next look at `lookup_`.
    FrameReader                  reader_;
    std::vector<std::byte>       sent_;
};

/// Asks at an address which incarnation of server `id` runs there. `done` is called once, on the thread of the context, perhaps before
/// this returns.
inline void probe_peer(boost::asio::io_context& context, TcpSettings const& settings, ServerId id,
                       std::string_view address, TcpProbe::Done done)
{
    std::make_shared<TcpProbe>(context, settings, id, std::move(done))->begin(address);
}

} // namespace totora::inline v0
