// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/prng.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace totora::inline v0::simulate
{

/// What a disk keeps of what was not synced when the power fails.
enum class Kept : std::uint8_t
{
    nothing,
    everything,
    some_sectors,
};

/// How many sectors of unsynced writes a loss of power left on a disk, and how many not.
struct SectorCounts
{
    std::uint64_t kept = 0;
    std::uint64_t lost = 0;
};

/// The content of a file: as programs see it, and as it is on the disk.
class SimulatedFile
{
public:
    static constexpr std::size_t sector_size = 512;

    /// As programs see it.
    [[nodiscard]] std::vector<std::byte> const& now() const { return now_; }

    void resize(std::size_t size)
    {
        now_.resize(size);
        unsynced_.push_back({size, 0, 0, true});
    }

    void write(std::size_t offset, std::span<std::byte const> bytes)
    {
        now_.resize(std::max(now_.size(), offset + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), now_.begin() + static_cast<std::ptrdiff_t>(offset));
        unsynced_.push_back({offset, bytes.size(), written_.size(), false});
        written_.insert(written_.end(), bytes.begin(), bytes.end());
    }

    /// What was written is on the disk; or, if the sync failed, never will be, although it is clean to the eye (as on Linux).
    void settle(bool synced)
    {
        if (synced)
            for (auto const& change : unsynced_)
                apply(change, change.offset, change.offset + change.size);
        forget_changes();
    }

    /// Only what is on the disk is left, and what it keeps of the changes that were not synced.
    void lose_power(Kept kept, testing::Prng& random, SectorCounts& counts)
    {
        for (auto const& change : unsynced_)
            keep(change, kept, random, counts);
        forget_changes();
        now_ = durable_;
    }

    /// Flips a bit, seen at once and durable.
    void flip(std::size_t byte, unsigned bit)
    {
        auto const mask = static_cast<std::byte>(1U << bit);
        now_[byte] ^= mask;
        if (byte < durable_.size())
            durable_[byte] ^= mask;
    }

    /// Nothing was ever written from here on: it is all zeros, seen at once and durable.
    void set_back(std::size_t first)
    {
        for (auto* const bytes : {&now_, &durable_})
            if (first < bytes->size())
                std::fill(bytes->begin() + static_cast<std::ptrdiff_t>(first), bytes->end(), std::byte{});
    }

private:
    /// A part of the file that was written, or a new size, and not synced yet.
    struct Change
    {
        std::size_t offset = 0; ///< Of the bytes, or the new size.
        std::size_t size = 0;
        std::size_t stored = 0; ///< Where in `written_` the bytes are.
        bool        resizes = false;
    };

    /// Takes a part of a change to the disk.
    void apply(Change const& change, std::size_t begin, std::size_t end)
    {
        if (change.resizes)
            return durable_.resize(change.offset);
        if (durable_.size() < end)
            durable_.resize(end);
        auto const from = written_.begin() + static_cast<std::ptrdiff_t>(change.stored + begin - change.offset);
        std::copy_n(from, end - begin, durable_.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    void keep(Change const& change, Kept kept, testing::Prng& random, SectorCounts& counts)
    {
        if (kept == Kept::nothing)
            return;
        if (kept == Kept::everything)
            return apply(change, change.offset, change.offset + change.size);
        if (change.resizes) {
            if (random.below(2) == 0)
                apply(change, 0, 0);
            return;
        }
        for (auto begin = change.offset; begin < change.offset + change.size;) {
            auto const end = std::min(change.offset + change.size, (begin / sector_size + 1) * sector_size);
            auto const is_kept = random.below(2) == 0;
            if (is_kept)
                apply(change, begin, end);
            ++(is_kept ? counts.kept : counts.lost);
            begin = end;
        }
    }

    void forget_changes()
    {
        unsynced_.clear();
        written_.clear();
    }

    std::vector<std::byte> now_;
    std::vector<std::byte> durable_;
    std::vector<Change>    unsynced_;
    std::vector<std::byte> written_; ///< The bytes of the unsynced changes.
};

} // namespace totora::inline v0::simulate
