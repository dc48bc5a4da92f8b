// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/adapter.hpp"

#include <cstdint>
#include <optional>
#include <utility>

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
        auto const taken = if_offered(
            transport,
            [server](auto& one) -> decltype(std::optional{static_cast<std::uint64_t>(one.bytes_taken(server))}) {
                return static_cast<std::uint64_t>(one.bytes_taken(server));
            },
            [] { return std::optional<std::uint64_t>{}; });
        if (not taken)
            return true;
        for (auto& known : known_)
            if (known.server == server)
                return std::exchange(known.bytes, *taken) != *taken;
        known_.push_back({server, *taken});
        return true;
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
