// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/network/wire.hpp"

#include <cstdint>

namespace totora::inline v0::simulate
{

/// The link from one server to another, and what goes wrong with it.
struct Way
{
    struct Slow
    {
        std::uint64_t until_us = 0;
        std::uint64_t bytes_per_ms = 0;
    };

    struct Stopped
    {
        std::uint64_t until_us = 0;
        bool          renewal_helps = false;
    };

    Wire          wire;
    Slow          slow;
    Stopped       stopped;
    std::uint64_t newest_us = 0; ///< When the last message in order arrives.
    std::uint64_t bulk_bytes = 0;
    std::uint64_t bulk_stopped_us = 0;
    std::uint64_t disturbed_us = 0;
};

} // namespace totora::inline v0::simulate
