// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/fields.hpp"

#include <algorithm>
#include <cstdint>

namespace totora::inline v0
{

/// What a server can do, each up to a number; or what a cluster has agreed on, which every one of its servers can.
///
/// A hello announces what a server can. What is agreed stands in the configuration: a leader raises it when all members have announced
/// that they can more, and never lowers it. Unlike the members it is in force only once its entry is committed, so that nothing is
/// sent or written that a server of the cluster may not understand. The defaults are what every cluster begins with.
struct Abilities
{
    std::uint32_t formats = 1; ///< The version of entries, messages, log records and segments.
    std::uint32_t machine = 1; ///< The version by which the state machine applies entries (case 110).
    std::uint32_t entry_bytes_max = std::uint32_t{8} << 20U; ///< Of one payload.
    std::uint32_t servers_max = 16; ///< Of one configuration; of a joint one, both halves together.

    friend constexpr bool operator==(Abilities const&, Abilities const&) = default;

    static constexpr void visit_fields(auto& self, auto&& visit)
    {
        visit("formats", self.formats);
        visit("machine", self.machine);
        visit("entry_bytes_max", self.entry_bytes_max);
        visit("servers_max", self.servers_max);
    }
};
static_assert(lists_its_fields<Abilities>());

/// Whether who can `one` can all of `other`.
[[nodiscard]] constexpr bool cover(Abilities const& one, Abilities const& other)
{
    return one.formats >= other.formats and one.machine >= other.machine and
           one.entry_bytes_max >= other.entry_bytes_max and one.servers_max >= other.servers_max;
}

/// What both can.
[[nodiscard]] constexpr Abilities common(Abilities const& one, Abilities const& other)
{
    return {std::min(one.formats, other.formats), std::min(one.machine, other.machine),
            std::min(one.entry_bytes_max, other.entry_bytes_max), std::min(one.servers_max, other.servers_max)};
}

} // namespace totora::inline v0
