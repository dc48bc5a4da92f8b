// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/state.hpp"

#include <cstdint>

namespace totora
{

/// What a node can be told. All members of a cluster should have the same limits; timing may differ a little.
struct NodeSettings
{
    Settings      core;                                      ///< Timing and flow of the protocol.
    std::uint64_t entry_bytes_max = std::uint64_t{8} << 20U; ///< The largest payload of one entry.
    std::uint64_t uncommitted_bytes_max = std::uint64_t{64}
                                          << 20U; ///< Encoded entries that may wait for their commitment.
    std::uint64_t append_bytes_max = std::uint64_t{1}
                                     << 20U; ///< Entries in one message; a single larger one goes alone.
    std::uint64_t burst_bytes_max = std::uint64_t{16} << 20U; ///< Entries for one follower that one step sends.
    std::uint64_t apply_bytes_max = std::uint64_t{4} << 20U;  ///< What the state machine is given in one turn.
    std::uint64_t receive_max = 1024;                         ///< Messages taken from the transport in one turn.
};

} // namespace totora
