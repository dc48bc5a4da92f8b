// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/transport/tcp_address.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace totora::inline v0
{

/// Accepts connections at a server's address, and passes each one's socket on.
class TcpListener : public std::enable_shared_from_this<TcpListener>
{
public:
    using Socket = boost::asio::ip::tcp::socket;
    using OnAccept = std::function<void(Socket)>;

    explicit TcpListener(boost::asio::io_context& context) : acceptor_(context) {}

    /// Opens at an address of this host; an error if that is not possible.
    [[nodiscard]] std::optional<TcpError> open(std::string const& address, OnAccept on_accept)
    {
        auto const endpoint = parse_address(address);
        if (not endpoint)
            return TcpError{"cannot listen at \"" + address + "\": not an address and a port"};
        auto error = Error{};
        acceptor_.open(endpoint->protocol(), error);
        if (not error)
            acceptor_.set_option(boost::asio::socket_base::reuse_address(true), error);
        if (not error)
            acceptor_.bind(*endpoint, error);
        if (not error)
            acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
        if (error)
            return TcpError{"cannot listen at " + address + ": " + error.message()};
        on_accept_ = std::move(on_accept);
        accept();
        return std::nullopt;
    }

    /// The address, with the actual port.
    [[nodiscard]] std::string address() const
    {
        auto       error = Error{};
        auto const endpoint = acceptor_.local_endpoint(error);
        return error ? std::string{} : print_address(endpoint);
    }

    /// Accepts again if that failed, for example for lack of descriptors.
    void try_again()
    {
        if (not std::exchange(accepting_, true))
            accept();
    }

    void close()
    {
        on_accept_ = nullptr;
        auto ignored = Error{};
        acceptor_.close(ignored);
    }

private:
    using Error = boost::system::error_code;

    void accept()
    {
        acceptor_.async_accept([weak = weak_from_this()](Error error, Socket socket) {
            auto const listener = weak.lock();
            if (listener == nullptr or not listener->on_accept_)
                return;
            if (error) {
                listener->accepting_ = false;
                return;
            }
            listener->on_accept_(std::move(socket));
            listener->accept();
        });
    }

    boost::asio::ip::tcp::acceptor acceptor_;
    OnAccept                       on_accept_;
    bool                           accepting_ = true;
};

} // namespace totora::inline v0
