// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/conformance/applied_commands.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace totora::inline v0::conformance
{

/// What of a machine's captures cannot be seen from outside, or is not required of all of them. See `check_state_machine`.
struct CaptureDemands
{
    /// How many bytes were allocated so far, by whatever counts them: an allocator, or an `operator new` of the program. Without it the
    /// kit cannot see how much a capture copies.
    std::function<std::uint64_t()> allocated_bytes;

    /// The n-th of the commands by which a machine grows, until its capture writes `written_bytes`.
    std::function<Command(std::size_t)> growing;

    std::uint64_t written_bytes = std::uint64_t{1} << 18U;
    std::uint64_t copied_bytes_max = std::uint64_t{1} << 14U; ///< That `capture` may allocate then.

    /// What a capture writes has checksums of its own: a flipped bit is refused, not only survived.
    bool refuses_damage = false;
};

} // namespace totora::inline v0::conformance
