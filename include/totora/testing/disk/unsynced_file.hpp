// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <range/v3/algorithm/find_if.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace totora::inline v0::testing
{

/// The content of a file: as programs see it, and as it is on the disk. What was not synced may be lost, sector by sector.
class UnsyncedFile
{
public:
    static constexpr std::size_t sector_size = 512;

    /// A change that is not synced: bytes written, or a new size.
    struct Change
    {
        std::uint64_t number = 0; ///< Given by the disk, in the order of its calls.
        std::size_t   offset = 0; ///< Of the bytes, or the new size.
        std::size_t   size = 0;   ///< Of the bytes.
        std::size_t   stored = 0; ///< Where the bytes are kept.
        bool          resizes = false;

        /// How many sectors it touches, each of which may be lost alone; a new size counts as one.
        [[nodiscard]] std::size_t sectors() const
        {
            return resizes ? 1 : (offset + size + sector_size - 1) / sector_size - offset / sector_size;
        }
    };

    /// As programs see it.
    [[nodiscard]] std::vector<std::byte> const& now() const { return now_; }

    [[nodiscard]] std::vector<Change> const& unsynced() const { return unsynced_; }

    void resize(std::size_t size, std::uint64_t number = 0)
    {
        now_.resize(size);
        unsynced_.push_back({number, size, 0, 0, true});
    }

    void write(std::size_t offset, std::span<std::byte const> bytes, std::uint64_t number = 0)
    {
        now_.resize(std::max(now_.size(), offset + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), now_.begin() + static_cast<std::ptrdiff_t>(offset));
        unsynced_.push_back({number, offset, bytes.size(), written_.size(), false});
        written_.insert(written_.end(), bytes.begin(), bytes.end());
    }

    /// The changes up to this number are on the disk; or, if the sync failed, never will be, although programs see them (as on
    /// Linux).
    void settle(bool synced, std::uint64_t through = std::numeric_limits<std::uint64_t>::max())
    {
        auto const end = ranges::find_if(
            unsynced_, [&](auto number) { return number > through; }, &Change::number);
        if (synced)
            for (auto change = unsynced_.begin(); change != end; ++change)
                apply(*change, change->offset, change->offset + change->size);
        unsynced_.erase(unsynced_.begin(), end);
        if (unsynced_.empty())
            written_.clear();
    }

    /// Keeps only what is on the disk, and of the changes that were not synced the sectors for which `keeps(change,
    /// sector)`; sectors of a change are counted from 0.
    template <typename Keeps>
    void lose_power(Keeps keeps)
    {
        for (auto const& change : unsynced_) {
            auto const sectors = change.sectors();
            for (auto sector = std::size_t{0}; sector < sectors; ++sector) {
                auto const begin = (change.offset / sector_size + sector) * sector_size;
                if (keeps(change, sector))
                    apply(change, std::max(change.offset, begin),
                          std::min(change.offset + change.size, begin + sector_size));
            }
        }
        unsynced_.clear();
        written_.clear();
        now_ = durable_;
    }

    /// Replaces all of it, seen at once and durable.
    void set(std::vector<std::byte> const& bytes)
    {
        now_ = durable_ = bytes;
        unsynced_.clear();
        written_.clear();
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
    /// Writes a part of a change to the disk.
    void apply(Change const& change, std::size_t begin, std::size_t end)
    {
        if (change.resizes)
            return durable_.resize(change.offset);
        if (durable_.size() < end)
            durable_.resize(end);
        auto const from = written_.begin() + static_cast<std::ptrdiff_t>(change.stored + begin - change.offset);
        std::copy_n(from, end - begin, durable_.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    std::vector<std::byte> now_;
    std::vector<std::byte> durable_;
    std::vector<Change>    unsynced_;
    std::vector<std::byte> written_; ///< The bytes of the unsynced changes.
};

} // namespace totora::inline v0::testing
