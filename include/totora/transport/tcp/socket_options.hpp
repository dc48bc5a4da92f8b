// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace totora::inline v0
{

/// An option of a socket whose value is a number, for `setsockopt`.
template <int Level, int Name>
class TcpOption
{
public:
    explicit TcpOption(int value) : value_(value) {}

    template <typename Protocol>
    [[nodiscard]] int level(Protocol const& /*protocol*/) const
    {
        return Level;
    }
    template <typename Protocol>
    [[nodiscard]] int name(Protocol const& /*protocol*/) const
    {
        return Name;
    }
    template <typename Protocol>
    [[nodiscard]] int const* data(Protocol const& /*protocol*/) const
    {
        return &value_;
    }
    template <typename Protocol>
    [[nodiscard]] std::size_t size(Protocol const& /*protocol*/) const
    {
        return sizeof value_;
    }

private:
    int value_;
};

#if defined(__linux__) && defined(TIOCOUTQ)
/// Queries how many bytes a socket has taken that the other side has not acknowledged.
class TcpUnacknowledged
{
public:
    [[nodiscard]] int  name() const { return TIOCOUTQ; } // The name that Asio's headers include.
    [[nodiscard]] int* data() { return &count_; }
    [[nodiscard]] int  count() const { return count_; }

private:
    int count_ = 0;
};
#endif

/// How many bytes the system has taken that the other side has not acknowledged; nothing if it does not report it.
[[nodiscard]] inline std::optional<std::uint64_t> unacknowledged_bytes(boost::asio::ip::tcp::socket& socket)
{
#if defined(__linux__) && defined(TIOCOUTQ)
    auto asked = TcpUnacknowledged{};
    auto error = boost::system::error_code{};
    socket.io_control(asked, error);
    if (not error and asked.count() >= 0)
        return static_cast<std::uint64_t>(asked.count());
#else
    static_cast<void>(socket);
#endif
    return std::nullopt;
}

/// The most bytes the system may take before it sends them. Nothing overtakes what it has taken.
inline constexpr int unsent_bytes_max = 64 << 10;

/// Sets a socket to send at once, never block, take no more than it can soon send, and detect a host that is gone.
/// Options that the system lacks are omitted.
inline void set_options(boost::asio::ip::tcp::socket& socket, std::uint64_t write_stall_ms)
{
    auto ignored = boost::system::error_code{};
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    socket.non_blocking(true, ignored);
#if defined(TCP_NOTSENT_LOWAT)
    socket.set_option(TcpOption<IPPROTO_TCP, TCP_NOTSENT_LOWAT>(unsent_bytes_max), ignored);
#endif
#if defined(TCP_KEEPCNT) && defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL)
    // A host that lost power closes nothing. If there is nothing that it should acknowledge, one probe checks it.
    // `StallWatch` watches what it does not acknowledge: TCP_USER_TIMEOUT also ends a slow connection that loses
    // packets, because it counts from the first one that was sent again, whatever was acknowledged since.
    auto const seconds = static_cast<int>(std::clamp<std::uint64_t>(write_stall_ms / 1000, 1, 32'767)); // Of 16 bits.
    socket.set_option(TcpOption<IPPROTO_TCP, TCP_KEEPIDLE>(seconds), ignored);
    socket.set_option(TcpOption<IPPROTO_TCP, TCP_KEEPINTVL>(seconds), ignored);
    socket.set_option(TcpOption<IPPROTO_TCP, TCP_KEEPCNT>(1), ignored);
#else
    static_cast<void>(write_stall_ms);
#endif
}

/// Whether a dialed connection ends where it begins: a dialed port that is free may become the connection's own port.
[[nodiscard]] inline bool reaches_itself(boost::asio::ip::tcp::socket const& socket)
{
    auto       error = boost::system::error_code{};
    auto const here = socket.local_endpoint(error);
    return not error and here == socket.remote_endpoint(error) and not error;
}

} // namespace totora::inline v0
