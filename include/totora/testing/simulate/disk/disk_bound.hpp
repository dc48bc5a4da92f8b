// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace totora::inline v0::simulate
{

/// Whether a log takes a bounded multiple of its entries on the disk: old segments are used again or removed, votes and truncations do
/// not pile up, and snapshots that are of no use are removed.
///
/// The header of a segment names the earlier ones, with 32 bytes each; in a log of many small segments these are most of it.
/// What a compaction leaves is given back with the header of a later segment; until then the entries count that were there before.
class DiskBound
{
public:
    /// A few; and received ones that others outran while the disk was slow, until their turn to be removed comes.
    static constexpr std::size_t snapshot_files_max = 64;

    /// The log has so many bytes of entries now.
    [[nodiscard]] bool holds(SimulatedDisk const& disk, std::uint64_t entry_bytes, std::uint64_t segment_bytes)
    {
        auto newest = std::uint64_t{0};
        auto segments = std::uint64_t{0};
        auto snapshots = std::size_t{0};
        auto snapshot_bytes = std::uint64_t{0};
        for (auto const& [name, file] : disk.names()) {
            newest = std::max(newest, generation_of(name).value_or(0));
            segments += generation_of(name) ? 1U : 0U;
            if (not snapshot_number_of(name))
                continue;
            ++snapshots;
            snapshot_bytes += file->now().size();
        }
        seen_.push_back({newest, entry_bytes});
        while (seen_.front().generation + given_back_after < newest)
            seen_.pop_front();
        auto most = std::uint64_t{0};
        for (auto const& look : seen_)
            most = std::max(most, look.entry_bytes);
        auto const bytes_max = 8 * most + 16 * segment_bytes + 32 * segments * segments / 2;
        return snapshots <= snapshot_files_max and disk.used() - snapshot_bytes <= bytes_max;
    }

private:
    struct Look
    {
        std::uint64_t generation = 0; ///< Of the newest segment's file, which may be there before it is used.
        std::uint64_t entry_bytes = 0;
    };

    static constexpr std::uint64_t given_back_after = 4; ///< Segments.

    std::deque<Look> seen_;
};

} // namespace totora::inline v0::simulate
