// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"

#include <cstdint>

namespace totora::inline v0
{

/// Which links took bytes since they were last asked, of a transport that counts them.
class LinkBytes
{
public:
    /// True also if the transport does not count (`bytes_taken(server)`).
    template <typename Transport>
    [[nodiscard]] bool moved(Transport& transport, ServerId server)
    {
        if constexpr (requires { transport.bytes_taken(server); }) {
            auto const taken = std::uint64_t{transport.bytes_taken(server)};
            for (auto& known : known_)
                if (known.server == server) {
                    auto const moved = known.bytes != taken;
                    known.bytes = taken;
                    return moved;
                }
            known_.push_back({server, taken});
            return true;
        } else {
            return static_cast<void>(transport), static_cast<void>(server), true;
        }
    }

private:
    struct Known
    {
        ServerId      server;
        std::uint64_t bytes = 0;

        friend constexpr bool operator==(Known const&, Known const&) = default;
    };

    InplaceVector<Known, servers_max> known_;
};

} // namespace totora::inline v0
