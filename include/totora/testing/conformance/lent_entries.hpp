// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// Lends entries, and other bytes, that are overwritten as soon as nothing pins them, but stay allocated as long as the lender
/// exists. A policy that keeps them without a pin is found by what it makes of them, and reads no freed memory.
class Lender
{
public:
    /// The same entries, in memory that is lent.
    [[nodiscard]] Entries lend(Entries const& entries)
    {
        auto lent = Entries{};
        for (auto const& slice : entries.slices()) {
            auto count = std::uint64_t{0};
            auto rest = slice.bytes;
            while (auto const entry = view_entry(rest)) {
                rest = rest.subspan(entry->encoded.size());
                ++count;
            }
            lent.add(lend(slice), count);
        }
        return lent;
    }

    /// The same bytes.
    [[nodiscard]] PinnedBytes lend(PinnedBytes const& bytes)
    {
        auto const block = std::make_shared<std::vector<std::byte>>(bytes.bytes.begin(), bytes.bytes.end());
        {
            auto const lock = std::lock_guard{kept_->mutex};
            kept_->blocks.push_back(block);
        }
        auto pin = std::shared_ptr<void const>{block.get(), [kept = kept_, block](void const*) {
                                                   auto const lock = std::lock_guard{kept->mutex};
                                                   std::fill(block->begin(), block->end(), std::byte{0xA5});
                                               }};
        return {std::move(pin), std::span<std::byte const>{*block}};
    }

private:
    struct Kept
    {
        std::mutex                                           mutex; ///< The last pin may be released on any thread.
        std::vector<std::shared_ptr<std::vector<std::byte>>> blocks;
    };

    std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

} // namespace totora::inline v0::conformance
