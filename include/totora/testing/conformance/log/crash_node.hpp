// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/disk/disk_image.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The unit in which a disk writes: a sector is as it was, or as it was after one of the writes to it.
inline constexpr std::size_t sector_size = 512;

/// A file on a disk that may lose its power: what is certainly on the disk, and what may be.
///
/// Each sector that was written since the last sync has a version for each write, of which any may be found. A new size
/// is such a version too, apart from the bytes. A sync that failed leaves all versions possible permanently, and later
/// syncs do not write them again, as on Linux. What is written again counts as any write; with the last bytes of a file
/// its size is, too.
class CrashNode
{
public:
    CrashNode() : durable_(std::make_shared<FileContent const>()) {}
    explicit CrashNode(SharedContent content) : durable_(std::move(content)), now_(durable_->bytes) {}

    bool renamed = false; ///< And not written to since.

    /// What programs see.
    [[nodiscard]] std::vector<std::byte> const& now() const { return now_; }

    void write(std::uint64_t offset, std::span<std::byte const> bytes)
    {
        if (bytes.empty())
            return;
        auto const end = offset + bytes.size();
        if (end > now_.size())
            resize(end);
        size_is_dirty_ = size_is_dirty_ or (end == now_.size() and not sizes_.empty());
        std::copy(bytes.begin(), bytes.end(), now_.begin() + static_cast<std::ptrdiff_t>(offset));
        touch(offset, end);
    }

    /// Bytes that are new are zero.
    void resize(std::uint64_t size)
    {
        auto const before = std::uint64_t{now_.size()};
        now_.resize(static_cast<std::size_t>(size));
        sizes_.push_back(size);
        size_is_dirty_ = true;
        if (size < before)
            touch(size, before);
    }

    void sync(bool succeeds)
    {
        if (succeeds) {
            auto bytes = durable_->bytes;
            if (std::exchange(size_is_dirty_, false)) {
                bytes.resize(now_.size());
                sizes_.clear();
            }
            for (auto const& [number, sector] : sectors_)
                if (sector.is_dirty)
                    place(bytes, number, sector.versions.back());
            std::erase_if(sectors_, [](auto const& sector) { return sector.second.is_dirty; });
            durable_ = std::make_shared<FileContent const>(std::move(bytes));
        }
        size_is_dirty_ = false;
        for (auto& [number, sector] : sectors_)
            sector.is_dirty = false;
    }

    /// How many versions there are of each thing that may have changed: of the size, then of each sector by its number.
    /// Version 0 is what is certainly on the disk.
    void add_choices(std::vector<std::uint32_t>& counts) const
    {
        if (not sizes_.empty())
            counts.push_back(static_cast<std::uint32_t>(sizes_.size() + 1));
        for (auto const& [number, sector] : sectors_)
            counts.push_back(static_cast<std::uint32_t>(sector.versions.size() + 1));
    }

    /// The file with these versions, and takes them off the front of `choice`.
    [[nodiscard]] SharedContent content(std::span<std::uint32_t const>& choice) const
    {
        if (sizes_.empty() and sectors_.empty())
            return durable_;
        auto       bytes = durable_->bytes;
        auto const size = sizes_.empty() ? 0U : take(choice);
        if (size > 0)
            bytes.resize(static_cast<std::size_t>(sizes_[size - 1]));
        for (auto const& [number, sector] : sectors_)
            if (auto const version = take(choice); version > 0)
                place(bytes, number, sector.versions[version - 1]);
        return std::make_shared<FileContent const>(std::move(bytes));
    }

    [[nodiscard]] std::map<std::uint64_t, std::size_t> versions_of_sectors() const
    {
        auto found = std::map<std::uint64_t, std::size_t>{};
        for (auto const& [number, sector] : sectors_)
            found[number] = sector.versions.size();
        return found;
    }

    [[nodiscard]] std::vector<std::uint64_t> const& sizes() const { return sizes_; }

    [[nodiscard]] static std::uint32_t take(std::span<std::uint32_t const>& choice)
    {
        auto const first = choice.front();
        choice = choice.subspan(1);
        return first;
    }

private:
    using Block = std::array<std::byte, sector_size>;

    struct Sector
    {
        std::vector<Block> versions; ///< After each write since it was durable.
        bool               is_dirty = false;
    };

    /// Notes a version of each sector from `begin` to `end`.
    void touch(std::uint64_t begin, std::uint64_t end)
    {
        for (auto number = begin / sector_size; number * sector_size < end; ++number) {
            auto&      sector = sectors_[number];
            auto&      block = sector.versions.emplace_back();
            auto const from = std::min<std::size_t>(number * sector_size, now_.size());
            std::copy_n(now_.begin() + static_cast<std::ptrdiff_t>(from), std::min(sector_size, now_.size() - from),
                        block.begin());
            sector.is_dirty = true;
        }
    }

    /// Puts a sector into a file, as far as the file is long enough.
    static void place(std::vector<std::byte>& bytes, std::uint64_t number, Block const& block)
    {
        auto const begin = static_cast<std::size_t>(number * sector_size);
        if (begin < bytes.size())
            std::copy_n(block.begin(), std::min(sector_size, bytes.size() - begin),
                        bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    }

    SharedContent                   durable_;
    std::vector<std::byte>          now_;
    std::map<std::uint64_t, Sector> sectors_; ///< Those that are not durable as they are now, by number.
    std::vector<std::uint64_t>      sizes_;   ///< After each change of the size since it was durable.
    bool                            size_is_dirty_ = false;
};

} // namespace totora::inline v0::conformance
