// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/transport/tcp/socket_options.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>

#include <array>
#include <string_view>

#include <netinet/tcp.h>

namespace kv
{

/// After how long a silent client is asked whether its host is still there, and after how many such questions without an answer
/// it is closed: about two minutes.
inline constexpr int keep_alive_seconds = 60;
inline constexpr int keep_alive_pause_seconds = 20;
inline constexpr int keep_alive_probes = 3;

/// Answers leave at once, and a host that is gone is noticed.
inline void set_socket_options(boost::asio::ip::tcp::socket& socket)
{
    auto ignored = boost::system::error_code{};
    socket.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
    socket.set_option(boost::asio::socket_base::keep_alive{true}, ignored);
#if defined(TCP_KEEPCNT) && defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL)
    socket.set_option(totora::TcpOption<IPPROTO_TCP, TCP_KEEPIDLE>{keep_alive_seconds}, ignored);
    socket.set_option(totora::TcpOption<IPPROTO_TCP, TCP_KEEPINTVL>{keep_alive_pause_seconds}, ignored);
    socket.set_option(totora::TcpOption<IPPROTO_TCP, TCP_KEEPCNT>{keep_alive_probes}, ignored);
#endif
}

/// Sends an error if the socket takes it at once; nothing is allocated.
inline void send_error_at_once(boost::asio::ip::tcp::socket& socket, std::string_view error)
{
    auto       ignored = boost::system::error_code{};
    auto const line = std::array{boost::asio::buffer("-", 1), boost::asio::buffer(error.data(), error.size()),
                                 boost::asio::buffer("\r\n", 2)};
    socket.write_some(line, ignored);
}

} // namespace kv
