// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/policy/transport.hpp"
#include "totora/wire/frame.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0
{

class TcpConnection;

/// Why a connection ended: an unusual end is logged.
enum class TcpEnding : std::uint8_t
{
    usual, ///< It was replaced, or the other side ended it in order.
    unusual,
};

/// What a connection notifies its owner of.
class TcpConnectionOwner
{
public:
    /// A handshake begins. Returns its number; later ones have higher numbers.
    [[nodiscard]] virtual std::uint64_t handshake_began() = 0;
    /// The hellos of a handshake are accepted. A refusal if another process of that server replaces this one.
    [[nodiscard]] virtual std::optional<HandshakeError> check_life(TcpConnection& connection) = 0;
    virtual void               opened(TcpConnection& connection) = 0; ///< The handshake is complete.
    virtual void               received(TcpConnection& connection, Received message) = 0;
    virtual void               grown(TcpConnection& connection) = 0;   ///< It holds more of an unfinished frame.
    virtual void               drained(TcpConnection& connection) = 0; ///< The queue has become shorter.
    virtual void               closed(TcpConnection& connection, std::string_view what) = 0; ///< Once, and last.
    [[nodiscard]] virtual bool takes_more() const = 0; ///< Whether to go on reading; if not, `resume` is called later.

protected:
    ~TcpConnectionOwner() = default;
};

} // namespace totora::inline v0
