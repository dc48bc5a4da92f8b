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

/// The door of a server: hands over what connects to its address.
class TcpListener : public std::enable_shared_from_this<TcpListener>
{
public:
    using Socket = boost::asio::ip::tcp::socket;
    using Welcome = std::function<void(Socket)>;

    explicit TcpListener(boost::asio::io_context& context) : acceptor_(context) {}

    /// Opens at an address of this host. A sentence if that is not possible.
    [[nodiscard]] std::optional<TcpError> open(std::string const& address, Welcome welcome)
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
        welcome_ = std::move(welcome);
        accept();
        return std::nullopt;
    }

    /// With the port that was really taken.
    [[nodiscard]] std::string address() const
    {
        auto       error = Error{};
        auto const endpoint = acceptor_.local_endpoint(error);
        return error ? std::string{} : print_address(endpoint);
    }

    /// Accepts again if that failed, perhaps because there were no descriptors left.
    void try_again()
    {
        if (not std::exchange(accepting_, true))
            accept();
    }

    void close()
    {
        welcome_ = nullptr;
        auto ignored = Error{};
        acceptor_.close(ignored);
    }

private:
    using Error = boost::system::error_code;

    void accept()
    {
        acceptor_.async_accept([weak = weak_from_this()](Error error, Socket socket) {
            auto const listener = weak.lock();
            if (listener == nullptr or not listener->welcome_)
                return;
            if (error) {
                listener->accepting_ = false;
                return;
            }
            listener->welcome_(std::move(socket));
            listener->accept();
        });
    }

    boost::asio::ip::tcp::acceptor acceptor_;
    Welcome                        welcome_;
    bool                           accepting_ = true;
};

} // namespace totora::inline v0
