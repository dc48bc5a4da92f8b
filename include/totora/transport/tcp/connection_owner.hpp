// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/data/entry.hpp"
#include "totora/wire/frame.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace totora::inline v0
{

class TcpConnection;

/// What a connection tells to whom it belongs.
class TcpConnectionOwner
{
public:
    /// A handshake begins: its number, which a later one's is above.
    [[nodiscard]] virtual std::uint64_t handshake_began() = 0;
    /// A handshake has ended well as far as greetings tell. A refusal if the process at the other end is not the one to talk to.
    [[nodiscard]] virtual std::optional<HandshakeError> judge_life(TcpConnection& connection) = 0;
    virtual void               opened(TcpConnection& connection) = 0; ///< The handshake ended well.
    virtual void               received(TcpConnection& connection, Rpc const& rpc, Entries entries) = 0;
    virtual void               grown(TcpConnection& connection) = 0;   ///< It holds more of an unfinished frame.
    virtual void               drained(TcpConnection& connection) = 0; ///< The queue has become shorter.
    virtual void               closed(TcpConnection& connection, std::string_view sentence) = 0; ///< Once, and last.
    [[nodiscard]] virtual bool takes_more() const = 0; ///< Whether to go on reading; if not, `resume` is called later.

protected:
    ~TcpConnectionOwner() = default;
};

} // namespace totora::inline v0
