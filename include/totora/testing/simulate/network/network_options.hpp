// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/simulate/faults/faults.hpp"

#include <cstdint>

namespace totora::inline v0::simulate
{

/// How a network carries messages; times in microseconds.
struct NetworkOptions
{
    std::uint64_t           latency_us = 500; ///< The least.
    std::uint64_t           jitter_us = 500;  ///< On top, at most.
    std::uint64_t           delayed_us = 1'000'000;
    std::uint64_t           bytes_per_ms = 0; ///< That a link carries; 0 for any number.
    std::uint64_t           queue_bytes_max = 65'536;
    bool                    ordered = false; ///< Unless one is delayed or reordered, messages of a link stay in order.
    PerFault<std::uint32_t> chances;         ///< Of the faults of single messages, out of a million.
};

} // namespace totora::inline v0::simulate
