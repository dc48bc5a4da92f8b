// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/payload.hpp"
#include "totora/testing/conformance/sample_messages.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace totora::inline v0::conformance
{

/// What must not arrive, and the law that forbids it.
struct Unwanted
{
    std::string law;
};

/// A message that was passed to a transport.
struct SentMessage
{
    ServerId                from;
    ServerId                to;
    Message                 message;
    std::vector<std::byte>  entries; ///< The bytes of its entries.
    std::vector<std::byte>  chunk;   ///< The bytes of its chunk.
    std::optional<Unwanted> unwanted;
    bool                    arrived = false;
    bool                    is_forgiven = false;
    std::byte const*        by_reference = nullptr; ///< Damaged entries that may come back as this.
};

/// What was received, and what its bytes were: they must still be that when the transport has been destroyed.
struct KeptPayload
{
    Payload                payload;
    std::vector<std::byte> bytes;
    std::string            law; ///< That is broken otherwise.
};

/// The bytes of a payload, as they are: it is not known yet whether they are entries.
[[nodiscard]] inline std::vector<std::byte> bytes_of(Payload const& payload)
{
    auto bytes = std::vector<std::byte>{};
    for (auto const& slice : payload.slices())
        bytes.insert(bytes.end(), slice.bytes.begin(), slice.bytes.end());
    return bytes;
}

} // namespace totora::inline v0::conformance
