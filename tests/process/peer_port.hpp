// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "process/kv_process.hpp"
#include "totora/data/identity.hpp"
#include "totora/transport/tcp/frame_reader.hpp"
#include "totora/wire/codec.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <poll.h>

namespace totora::process
{

/// One connection to the port that servers use among themselves, held by hand: writes any bytes, and reads what comes.
class PeerPort
{
public:
    explicit PeerPort(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        auto address = sockaddr_in{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
            close();
    }

    PeerPort(PeerPort&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    PeerPort& operator=(PeerPort&&) = delete;
    ~PeerPort() { close(); }

    void close()
    {
        if (socket_ >= 0)
            ::close(std::exchange(socket_, -1));
    }

    /// Writes what the server takes before it closes the connection.
    void write(std::span<std::byte const> bytes)
    {
        while (not bytes.empty()) {
            auto const count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0)
                return;
            bytes = bytes.subspan(static_cast<std::size_t>(count));
        }
    }

    void write(std::string_view text) { write(std::as_bytes(std::span{text})); }
    void write(FrameHead const& head) { write(head.bytes()); }

    /// The next frame; nothing if the connection ends before it.
    [[nodiscard]] std::optional<Frame> read_frame()
    {
        while (true) {
            if (auto frame = reader_.next())
                return *frame ? std::optional<Frame>{std::move(**frame)} : std::nullopt;
            auto const count = read(reader_.space());
            if (count == 0)
                return std::nullopt;
            reader_.arrived(count);
        }
    }

    /// Whether the server closes the connection, whatever it sends before that.
    [[nodiscard]] bool is_closed_by_server()
    {
        auto block = std::array<std::byte, 4096>{};
        while (is_readable(patience))
            if (read(block) == 0)
                return true;
        return false;
    }

    /// Sends a hello, and confirms what is asked back. Whether a hello was replied.
    [[nodiscard]] bool enter(Route const& route)
    {
        write(encode(route, Hello{}));
        auto const        answer = read_frame();
        auto const* const hello = answer ? std::get_if<Hello>(&answer->content) : nullptr;
        if (hello == nullptr)
            return false;
        write(encode(route, Confirmation{hello->challenge}));
        return true;
    }

private:
    [[nodiscard]] bool is_readable(Milliseconds limit) const
    {
        auto asked = pollfd{socket_, POLLIN, 0};
        return ::poll(&asked, 1, static_cast<int>(limit.count())) > 0;
    }

    [[nodiscard]] std::size_t read(std::span<std::byte> space) const
    {
        if (not is_readable(patience))
            return 0;
        auto const count = ::recv(socket_, space.data(), space.size(), 0);
        return count <= 0 ? 0 : static_cast<std::size_t>(count);
    }

    int         socket_;
    FrameReader reader_{FrameLimits{}.frame_bytes_max};
};

} // namespace totora::process
