// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace totora::inline v0
{

/// A host, by name or number, and a port.
struct HostAndPort
{
    std::string host;
    std::string port;
};

/// Reads "host:port" or "[host]:port"; nothing if it is neither.
[[nodiscard]] inline std::optional<HostAndPort> split_address(std::string_view address)
{
    auto const colon = address.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    auto       host = address.substr(0, colon);
    auto const digits = address.substr(colon + 1);
    auto       port = std::uint16_t{0};
    auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() or read.ec != std::errc{} or read.ptr != digits.data() + digits.size())
        return std::nullopt;
    if (host.starts_with('[') and host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos)
        return std::nullopt;
    if (host.empty())
        return std::nullopt;
    return HostAndPort{std::string{host}, std::string{digits}};
}

/// The endpoint of a numeric address; nothing if its host is a name.
[[nodiscard]] inline std::optional<boost::asio::ip::tcp::endpoint> parse_address(std::string_view address)
{
    auto const split = split_address(address);
    if (not split)
        return std::nullopt;
    auto       error = boost::system::error_code{};
    auto const number = boost::asio::ip::make_address(split->host, error);
    if (error)
        return std::nullopt;
    auto port = std::uint16_t{0};
    std::from_chars(split->port.data(), split->port.data() + split->port.size(), port);
    return boost::asio::ip::tcp::endpoint{number, port};
}

/// The endpoint of a numeric address and a port.
[[nodiscard]] inline std::optional<boost::asio::ip::tcp::endpoint>
endpoint_of(std::string const& number, std::string const& port)
{
    auto const is_v6 = number.find(':') != std::string::npos;
    return parse_address((is_v6 ? "[" + number + "]:" : number + ":") + port);
}

[[nodiscard]] inline std::string print_address(boost::asio::ip::tcp::endpoint const& endpoint)
{
    auto const host = endpoint.address().to_string();
    auto const port = std::to_string(endpoint.port());
    return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

} // namespace totora::inline v0
