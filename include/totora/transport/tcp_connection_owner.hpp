// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/rpc.hpp"
#include "totora/policy/entry.hpp"

#include <string_view>

namespace totora
{

class TcpConnection;

/// What a connection tells to whom it belongs.
class TcpConnectionOwner
{
public:
    virtual void               opened(TcpConnection& connection) = 0; ///< The handshake ended well.
    virtual void               received(TcpConnection& connection, Rpc const& rpc, Entries entries) = 0;
    virtual void               drained(TcpConnection& connection) = 0; ///< The queue has become shorter.
    virtual void               closed(TcpConnection& connection, std::string_view sentence) = 0; ///< Once, and last.
    [[nodiscard]] virtual bool takes_more() const = 0; ///< Whether to go on reading; if not, `resume` is called later.

protected:
    ~TcpConnectionOwner() = default;
};

} // namespace totora
