// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "connection.hpp"

#include "totora/core/result.hpp"
#include "totora/policy/files.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kv
{

inline constexpr std::size_t connections_max = 10'000;

/// The port that clients speak to.
template <typename Member>
class Server
{
public:
    Server(boost::asio::io_context& context, Member& member) : acceptor_(context), pause_(context), member_(member) {}

    /// Opens the port; a sentence says why not.
    [[nodiscard]] totora::Result<totora::Done, std::string> listen(std::string const& host, std::uint16_t port)
    {
        auto       failure = boost::system::error_code{};
        auto const address = boost::asio::ip::make_address(host, failure);
        if (failure)
            return totora::Unexpected{"the client host '" + host + "' is not an IP address"};
        auto const endpoint = Tcp::endpoint{address, port};
        acceptor_.open(endpoint.protocol(), failure);
        if (not failure)
            acceptor_.set_option(Tcp::acceptor::reuse_address{true}, failure);
        if (not failure)
            acceptor_.bind(endpoint, failure);
        if (not failure)
            acceptor_.listen(Tcp::acceptor::max_listen_connections, failure);
        if (failure)
            return totora::Unexpected{"cannot listen for clients on " + host + ":" + std::to_string(port) + ": " +
                                      failure.message()};
        accept();
        return totora::Done{};
    }

    /// The port that was opened, also if 0 was asked for.
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    [[nodiscard]] std::size_t connections() const { return connections_.size(); }

    /// Takes no more connections and requests; those that are here are answered.
    void finish()
    {
        auto ignored = boost::system::error_code{};
        acceptor_.close(ignored);
        pause_.cancel();
        for (auto const& connection : connections_)
            connection->finish();
    }

    void close()
    {
        finish();
        for (auto const& connection : std::vector(connections_.begin(), connections_.end()))
            connection->close();
    }

private:
    using Tcp = boost::asio::ip::tcp;

    void accept()
    {
        acceptor_.async_accept([this](boost::system::error_code failure, Tcp::socket socket) {
            if (not acceptor_.is_open())
                return;
            if (failure)
                return accept_later();
            welcome(std::move(socket));
            accept();
        });
    }

    /// When file descriptors run out, the waiting client would be reported again at once, for ever.
    void accept_later()
    {
        pause_.expires_after(std::chrono::milliseconds{100});
        pause_.async_wait([this](boost::system::error_code failure) {
            if (not failure)
                accept();
        });
    }

    void welcome(Tcp::socket socket)
    {
        auto ignored = boost::system::error_code{};
        socket.non_blocking(true, ignored);
        if (connections_.size() >= connections_max) {
            auto const error = std::string_view{"-ERR max number of clients reached\r\n"};
            socket.write_some(boost::asio::buffer(error), ignored);
            return;
        }
        socket.set_option(Tcp::no_delay{true}, ignored);
        auto const connection =
            std::make_shared<Connection<Member>>(std::move(socket), member_, [this](Connection<Member>& closed) {
                connections_.erase(closed.shared_from_this());
            });
        connections_.insert(connection);
        connection->start();
    }

    Tcp::acceptor                                 acceptor_;
    boost::asio::steady_timer                     pause_;
    Member&                                       member_;
    std::set<std::shared_ptr<Connection<Member>>> connections_;
};

} // namespace kv
