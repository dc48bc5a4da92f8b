// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"

namespace totora::inline v0
{

/// The part of an append that carries only `count` of its entries, from `first` on. A complete message of its own: parts
/// that follow each other without a gap are together equivalent to the whole, whichever of them arrive.
[[nodiscard]] constexpr AppendEntries part_of(AppendEntries const& whole, Index first, std::uint64_t count)
{
    auto part = whole;
    part.entries = Run{whole.entries.term, first, count};
    if (first > whole.entries.first)
        part.previous = LogPosition{whole.entries.term, before(first)};
    return part;
}

} // namespace totora::inline v0
