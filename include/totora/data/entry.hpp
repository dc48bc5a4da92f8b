// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/numbers.hpp"
#include "totora/data/payload.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

namespace totora::inline v0
{

/// How many bytes stand before the payload of an encoded entry:
///
/// offset | size | field
/// ---|---|---
/// 0 | 8 | index
/// 8 | 8 | term
/// 16 | 8 | time of the proposal, milliseconds; 0 for none, as all entries have so far
/// 24 | 4 | length of the payload in bytes
/// 28 | 1 | kind (`EntryKind`)
/// 29 | 1 | flags, 0 in version 1
/// 30 | 2 | reserved, 0
/// 32 | 4 | reserved, 0
/// 36 | 4 | CRC32C of the bytes 0 to 35 and of the payload
///
/// All numbers are little-endian. The encoding is the same in memory, on the wire and in the log, so that an entry is
/// encoded and its checksum computed once, at the proposer, and checked at every hop.
inline constexpr std::size_t entry_header_size = 40;

/// One entry, read in place; the bytes belong to the `Entries` it was read from, and last as long as a copy of those.
struct EntryView
{
    Index                      index;
    Term                       term;
    std::uint64_t              time_ms = 0;
    EntryKind                  kind = EntryKind::command;
    std::uint8_t               flags = 0;
    std::uint32_t              checksum = 0;
    std::span<std::byte const> payload;
    std::span<std::byte const> encoded; ///< Header and payload.
};

/// How long the payload is of the entry that `bytes` begins with. Only if the header is whole.
[[nodiscard]] constexpr std::size_t payload_length(std::span<std::byte const> bytes)
{
    return get<std::uint32_t>(bytes.data() + 24);
}

/// How many bytes the entry takes that `bytes` begins with. Only if it is whole.
[[nodiscard]] constexpr std::size_t encoded_size(std::span<std::byte const> bytes)
{
    return entry_header_size + payload_length(bytes);
}

/// Reads the entry that `bytes` begins with. Only if it is whole. Does not look at the checksum.
[[nodiscard]] constexpr EntryView view_whole_entry(std::span<std::byte const> bytes)
{
    auto const* const header = bytes.data();
    auto const        encoded = bytes.first(encoded_size(bytes));
    return {.index = Index{get<std::uint64_t>(header)},
            .term = Term{get<std::uint64_t>(header + 8)},
            .time_ms = get<std::uint64_t>(header + 16),
            .kind = static_cast<EntryKind>(get<std::uint8_t>(header + 28)),
            .flags = get<std::uint8_t>(header + 29),
            .checksum = get<std::uint32_t>(header + 36),
            .payload = encoded.subspan(entry_header_size),
            .encoded = encoded};
}

/// Reads the entry that `bytes` begins with; nothing if they hold no whole one. Does not look at the checksum.
[[nodiscard]] constexpr std::optional<EntryView> view_entry(std::span<std::byte const> bytes)
{
    if (bytes.size() < entry_header_size or bytes.size() - entry_header_size < payload_length(bytes))
        return std::nullopt;
    return view_whole_entry(bytes);
}

/// Whether this version knows everything that stands in the header of an entry: its kind, no flags, and nothing in the reserved bytes.
/// What it does not know it neither stores nor applies nor passes over; the checksum shows that it is no damage.
[[nodiscard]] constexpr bool is_known(EntryView const& entry)
{
    auto const* const header = entry.encoded.data();
    return (entry.kind == EntryKind::command or entry.kind == EntryKind::no_op or
            entry.kind == EntryKind::configuration) and
           entry.flags == 0 and get<std::uint16_t>(header + 30) == 0 and get<std::uint32_t>(header + 32) == 0;
}

/// The checksum that an encoded entry should carry.
[[nodiscard]] constexpr std::uint32_t entry_checksum(std::span<std::byte const> encoded)
{
    return crc32c(encoded.subspan(entry_header_size), crc32c(encoded.first(entry_header_size - 4)));
}

/// Whether an entry is what its proposer made.
[[nodiscard]] constexpr bool is_intact(EntryView const& entry)
{
    return entry.checksum == entry_checksum(entry.encoded);
}

/// Writes the header of an entry, checksum included, in front of its payload, which is already there. `encoded` is both: at
/// least `entry_header_size` bytes.
constexpr void seal_entry(std::span<std::byte> encoded, Index index, Term term, EntryKind kind, std::uint64_t time_ms)
{
    auto* to = encoded.data();
    to = put(to, index.value);
    to = put(to, term.value);
    to = put(to, time_ms);
    to = put(to, static_cast<std::uint32_t>(encoded.size() - entry_header_size));
    to = put(to, static_cast<std::uint8_t>(kind));
    to = put(to, std::uint8_t{0});
    to = put(to, std::uint16_t{0});
    to = put(to, std::uint32_t{0});
    put(to, entry_checksum(encoded));
}

/// Whole encoded entries that follow each other in memory, and what keeps that memory alive.
using EntrySlice = PinnedBytes;

/// A range of entries with neighbouring indexes, pinned: the bytes never change and stay as long as any copy of
/// the range does, whatever happens to the log that they were read from. Copying copies no payload.
///
/// A forward range of `EntryView`, for the standard library and for range-v3 (docs/ranges.md); an entry is decoded when the iterator
/// stands on it.
class Entries : public Payload
{
public:
    class Iterator
    {
    public:
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::forward_iterator_tag;
        using value_type = EntryView;
        using difference_type = std::ptrdiff_t;
        using reference = EntryView;
        using pointer = void;

        Iterator() = default;
        explicit Iterator(EntrySlice const* slice) : slice_(slice) {}

        [[nodiscard]] EntryView operator*() const { return view_whole_entry(rest()); }

        Iterator& operator++()
        {
            offset_ += encoded_size(rest());
            if (offset_ >= slice_->bytes.size()) {
                ++slice_;
                offset_ = 0;
            }
            return *this;
        }

        Iterator operator++(int)
        {
            auto const before = *this;
            ++*this;
            return before;
        }

        friend bool operator==(Iterator const& a, Iterator const& b)
        {
            return a.slice_ == b.slice_ and a.offset_ == b.offset_;
        }

    private:
        [[nodiscard]] std::span<std::byte const> rest() const { return slice_->bytes.subspan(offset_); }

        EntrySlice const* slice_ = nullptr; ///< Of `slices()`, or the place after the last.
        std::size_t       offset_ = 0;
    };

    Entries() = default;

    /// Adds a slice of `count` whole entries after what is there. The caller has checked that they are whole,
    /// and that their indexes go on where the last slice ended. An empty slice is not added.
    void add(EntrySlice slice, std::uint64_t count)
    {
        if (slice.bytes.empty())
            return;
        count_ += count;
        Payload::add(std::move(slice));
    }

    [[nodiscard]] std::uint64_t count() const { return count_; }

    [[nodiscard]] Iterator begin() const { return Iterator{slices().data()}; }
    [[nodiscard]] Iterator end() const { return Iterator{slices().data() + slice_count()}; }

    /// The entries from `first` to `last`, both included, as far as they are here.
    [[nodiscard]] Entries between(Index first, Index last) const
    {
        auto cut = Entries{};
        for (auto at = std::size_t{0}; at < slice_count(); ++at) {
            auto const& whole = slice(at);
            auto        begin = std::size_t{0};
            auto        end = std::size_t{0};
            auto        taken = std::uint64_t{0};
            while (auto const entry = view_entry(whole.bytes.subspan(end))) {
                if (entry->index > last)
                    break;
                end += entry->encoded.size();
                if (entry->index < first)
                    begin = end;
                else
                    ++taken;
            }
            cut.add({whole.pin, whole.bytes.subspan(begin, end - begin)}, taken);
        }
        return cut;
    }

private:
    std::uint64_t count_ = 0;
};

} // namespace totora::inline v0
