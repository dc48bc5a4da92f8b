// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "resp.hpp"

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kv
{

/// An answer as a client receives it.
struct Reply
{
    char               kind = 0; ///< RESP's letter: '+', '-', ':', '$', '=', '*' or '%'; '_' for nil.
    std::string        text;     ///< Of everything but arrays and maps; that of '=' begins with "txt:".
    std::vector<Reply> elements; ///< Those of a map are keys and values in turns.

    [[nodiscard]] bool is_error() const { return kind == '-'; }
    [[nodiscard]] bool is_error(std::string_view code) const { return is_error() and text.starts_with(code); }

    friend bool operator==(Reply const&, Reply const&) = default;
};

/// Reads the answer that `bytes` begins with and takes it off them; nothing, and nothing taken, if it is not whole.
[[nodiscard]] inline std::optional<Reply> take_reply(std::string_view& bytes)
{
    auto const end = bytes.find("\r\n");
    if (end == std::string_view::npos or end == 0)
        return std::nullopt;
    auto       reply = Reply{bytes.front(), std::string{bytes.substr(1, end - 1)}, {}};
    auto       rest = bytes.substr(end + 2);
    auto const is_text = reply.kind == '$' or reply.kind == '=';
    if (is_text or reply.kind == '*' or reply.kind == '%') {
        auto const count = (reply.kind == '%' ? 2 : 1) * parse_integer(reply.text).value_or(-1);
        reply.text.clear();
        if (count < 0) {
            reply.kind = '_';
        } else if (is_text) {
            if (rest.size() < static_cast<std::size_t>(count) + 2)
                return std::nullopt;
            reply.text = rest.substr(0, static_cast<std::size_t>(count));
            rest.remove_prefix(static_cast<std::size_t>(count) + 2);
        } else {
            for (auto left = count; left > 0; --left) {
                auto element = take_reply(rest);
                if (not element)
                    return std::nullopt;
                reply.elements.push_back(*std::move(element));
            }
        }
    }
    bytes = rest;
    return reply;
}

/// Writes a request as clients do.
inline void write_request(std::string& to, std::initializer_list<std::string_view> words)
{
    write_array(to, words.size());
    for (auto const word : words)
        write_bulk(to, word);
}

/// A client that waits for its answers, over one connection. What it cannot get in time is an empty optional, and the
/// connection is then gone: whether the request was done is unknown.
class Client
{
public:
    using Milliseconds = std::chrono::milliseconds;

    Client() = default;
    Client(Client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), unread_(std::move(other.unread_)), limit_(other.limit_)
    {}
    Client& operator=(Client&& other) noexcept
    {
        std::swap(socket_, other.socket_);
        std::swap(unread_, other.unread_);
        limit_ = other.limit_;
        return *this;
    }
    ~Client() { close(); }

    /// Connects to a port of this machine; `limit` is how long any call waits.
    [[nodiscard]] static std::optional<Client> connect(std::uint16_t port, Milliseconds limit = Milliseconds{10'000})
    {
        auto client = Client{};
        client.limit_ = limit;
        client.socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        auto address = sockaddr_in{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (client.socket_ < 0 or
            ::connect(client.socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
            return std::nullopt;
        auto const on = 1;
        ::setsockopt(client.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return client;
    }

    [[nodiscard]] bool is_open() const { return socket_ >= 0; }
    [[nodiscard]] int  socket() const { return socket_; }

    void close()
    {
        if (socket_ >= 0)
            ::close(std::exchange(socket_, -1));
        unread_.clear();
    }

    /// Sends all of it; false if the connection broke.
    bool send(std::string_view bytes)
    {
        while (is_open() and not bytes.empty()) {
            auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 and errno != EINTR)
                close();
            else if (sent > 0)
                bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return is_open();
    }

    /// Waits for the next answer.
    [[nodiscard]] std::optional<Reply> receive()
    {
        auto const deadline = std::chrono::steady_clock::now() + limit_;
        while (is_open()) {
            auto bytes = std::string_view{unread_};
            if (auto reply = take_reply(bytes)) {
                unread_.erase(0, unread_.size() - bytes.size());
                return reply;
            }
            auto const left = std::chrono::duration_cast<Milliseconds>(deadline - std::chrono::steady_clock::now());
            auto       waiting = pollfd{socket_, POLLIN, 0};
            auto const is_readable = left.count() > 0 and ::poll(&waiting, 1, static_cast<int>(left.count())) > 0;
            char       piece[16'384];
            auto const received = is_readable ? ::recv(socket_, piece, sizeof piece, 0) : 0;
            if (received <= 0)
                close();
            else
                unread_.append(piece, static_cast<std::size_t>(received));
        }
        return std::nullopt;
    }

    /// Asks one thing and waits for its answer.
    [[nodiscard]] std::optional<Reply> ask(std::initializer_list<std::string_view> words)
    {
        auto request = std::string{};
        write_request(request, words);
        if (not send(request))
            return std::nullopt;
        return receive();
    }

private:
    int          socket_ = -1;
    std::string  unread_;
    Milliseconds limit_{};
};

} // namespace kv
