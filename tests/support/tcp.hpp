// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/frames.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/transport/tcp.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Servers on one `io_context`, over real sockets of this host.
namespace totora::test
{

inline constexpr auto party_1 = Party{ServerId{1}, Incarnation{11}};
inline constexpr auto party_2 = Party{ServerId{2}, Incarnation{22}};

/// Runs one handler, or waits for a millisecond.
void run_a_little(boost::asio::io_context& context);

/// Runs handlers until something is true. False if it is not after a time that is long for any machine.
template <typename Condition>
[[nodiscard]] bool until(boost::asio::io_context& context, Condition condition)
{
    auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (not condition()) {
        if (std::chrono::steady_clock::now() > limit)
            return false;
        run_a_little(context);
    }
    return true;
}

/// Settings of a server of the tests, at any free port.
[[nodiscard]] inline TcpSettings settings_of(Party self)
{
    auto settings = TcpSettings{};
    settings.cluster = any_cluster;
    settings.self = self;
    settings.listen = "127.0.0.1:0";
    settings.backoff_min_ms = 1;
    settings.backoff_max_ms = 20;
    settings.seed = self.id.value;
    return settings;
}

/// A transport, what it received and what it logged.
class TcpServer
{
public:
    TcpServer(boost::asio::io_context& context, TcpSettings settings);

    ~TcpServer();

    [[nodiscard]] TcpTransport&      transport() { return *transport_; }
    [[nodiscard]] TcpCounters const& counters() const { return transport_->counters(); }

    void send(Party to, Rpc const& rpc, Entries const& entries = {});

    void knows(Party peer, TcpServer& other);

    /// Takes what has arrived, and returns how much has in all.
    std::size_t take();

    /// Whether this was the last reported state of the link to a server.
    [[nodiscard]] bool link_is(Party peer, Link link)
    {
        take();
        auto last = std::optional<Link>{};
        for (auto const& change : links)
            if (change.server == peer.id)
                last = change.link;
        return last == link;
    }

    [[nodiscard]] bool has_logged(std::string_view words) const
    {
        for (auto const& line : *logged_)
            if (line.find(words) != std::string::npos)
                return true;
        return false;
    }

    std::deque<Received>     messages;
    std::vector<LinkChanged> links;
    std::vector<Announced>   announced;

private:
    std::shared_ptr<std::vector<std::string>> logged_ = std::make_shared<std::vector<std::string>>();
    std::optional<TcpTransport>               transport_;
};

/// Two servers that know each other.
struct Pair
{
    explicit Pair(TcpSettings first = settings_of(party_1), TcpSettings second = settings_of(party_2))
        : one(context, std::move(first)), two(context, std::move(second))
    {
        one.knows(party_2, two);
        two.knows(party_1, one);
    }

    [[nodiscard]] bool connected()
    {
        return until(context, [&] { return one.link_is(party_2, Link::open) and two.link_is(party_1, Link::open); });
    }

    boost::asio::io_context context;
    TcpServer               one;
    TcpServer               two;
};

/// The other end of a connection, held by hand: writes any bytes, and reads what comes.
class RawPeer
{
public:
    using Socket = boost::asio::ip::tcp::socket;

    explicit RawPeer(boost::asio::io_context& context) : context_(&context), socket_(context) {}

    /// Connects, from a certain address of this machine if one is named.
    void connect(std::string_view address, std::string_view here = {});

    void adopt(Socket socket);

    void write(std::span<std::byte const> rest);

    void write(FrameHead const& head) { write(head.bytes()); }

    void close() { socket_.close(); }

    /// Reads what is there. Does not wait.
    void read();

    /// Reads so much at most and drops it. Returns how much that was. Does not wait.
    std::size_t read_some(std::size_t most);

    /// The frames that have come and were not taken before.
    [[nodiscard]] std::optional<Frame> next_frame();

    /// Waits for a frame.
    [[nodiscard]] std::optional<Frame> await_frame();

    /// Sends the hello of one server to another, and confirms what that one asks. Whether a hello was replied.
    [[nodiscard]] bool handshake(Party from, Party to, Life life = {});

    /// Whether the other side closes the connection.
    [[nodiscard]] bool is_hung_up();

    std::vector<std::byte> bytes; ///< Read, not yet taken.
    bool                   ended = false;

private:
    boost::asio::io_context* context_;
    Socket                   socket_;
    FrameReader              reader_{FrameLimits{}.frame_bytes_max};
};

/// A route between servers of the tests.
[[nodiscard]] inline Route route(Party from, Party to) { return {any_cluster, 0, from, to}; }

} // namespace totora::test
