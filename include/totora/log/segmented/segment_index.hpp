// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/term_runs.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/checksum.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/log_image.hpp"
#include "totora/log/segmented/segment_record.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Neighbouring entries of a segment, with nothing between them.
struct EntryRow
{
    std::uint32_t offset = 0; ///< Of the first one, in the file.
    std::uint32_t count = 0;

    friend constexpr bool operator==(EntryRow const&, EntryRow const&) = default;
};

/// What a start needs to know of a sealed segment's entries, so that it need not read them: terms, places, sizes, and
/// which are configurations. It follows the records of the segment, if there was place.
///
/// Invariant, checked when it is decoded: rows and sizes have the same number of entries, at least one; terms and
/// configurations ascend within them; rows ascend, and end at or before the index.
struct SegmentIndex
{
    std::uint64_t              batch = 0; ///< The last one of which the segment holds a part.
    Index                      first;
    std::vector<EntryRow>      rows;
    std::vector<TermStart>     terms;
    std::vector<Index>         configurations;
    std::vector<std::uint32_t> sizes; ///< Of each encoded entry.

    friend bool operator==(SegmentIndex const&, SegmentIndex const&) = default;

    [[nodiscard]] Index last() const { return before(first + sizes.size()); }
};

inline constexpr std::size_t segment_index_head_size = 48; ///< Before rows, terms, configurations and sizes.

/// The bytes of an index at least, without entries: with the term that each has.
inline constexpr std::size_t segment_index_size_min = segment_index_head_size + 16;

/// The bytes that an entry adds to an index at most: its size, and a row, a term and a configuration of its own.
inline constexpr std::size_t segment_index_entry_max = 4 + 8 + 16 + 8;

/// The index of the last segment that holds entries of a log. Precondition: there is one.
[[nodiscard]] inline SegmentIndex index_of_last_segment(LogImage const& image, std::uint64_t batch)
{
    auto index = SegmentIndex{};
    index.batch = batch;
    index.first = image.index.first_of_last_segment();
    auto const last = image.index.last();
    index.sizes.reserve(static_cast<std::size_t>(last.value - index.first.value + 1));
    auto ends = std::uint64_t{0};
    image.index.visit(index.first, [&](EntryPlace const& place, std::uint32_t size) {
        if (place.offset != ends)
            index.rows.push_back({place.offset, 0});
        ++index.rows.back().count;
        index.sizes.push_back(size);
        ends = std::uint64_t{place.offset} + size;
    });
    for (auto run = image.runs.run_from(index.first, last.value); run.count > 0;
         run = image.runs.run_from(run.first + run.count, last.value))
        index.terms.push_back({run.first, run.term});
    auto const configuration = std::lower_bound(image.configurations.begin(), image.configurations.end(), index.first);
    index.configurations.assign(configuration, image.configurations.end());
    return index;
}

/// The checksum of an encoded index, which counts only in the segment and at the offset that it was written for.
[[nodiscard]] inline std::uint32_t
segment_index_guard(std::span<std::byte const> index, SegmentSeed seed, std::uint64_t offset)
{
    auto place = std::array<std::byte, 8>{};
    put(place.data(), offset);
    return crc32c(index.subspan(4), crc32c(place, seed.value));
}

/// Encodes an index for its place: checksum of the rest (4), length (4), 0 (4), the numbers of entries, rows, terms and
/// configurations (4 each), 0 (4), batch, first index (8 each); then for each row its offset and count (4 each), for each
/// term its first index and the term (8 each), the indexes of the configurations (8 each), the sizes (4 each). Zeros up
/// to a multiple of 8 belong to it.
[[nodiscard]] inline std::vector<std::byte>
encode_segment_index(SegmentIndex const& index, SegmentSeed seed, std::uint64_t offset)
{
    auto const size = segment_index_head_size + 8 * index.rows.size() + 16 * index.terms.size() +
                      8 * index.configurations.size() + 4 * index.sizes.size();
    auto       bytes = std::vector<std::byte>(static_cast<std::size_t>(aligned(size)));
    auto const number = [](std::size_t count) { return static_cast<std::uint32_t>(count); };
    auto*      to = put(put(bytes.data() + 4, number(bytes.size())), std::uint32_t{0});
    to = put(put(to, number(index.sizes.size())), number(index.rows.size()));
    to = put(put(to, number(index.terms.size())), number(index.configurations.size()));
    to = put(put(put(to, std::uint32_t{0}), index.batch), index.first.value);
    for (auto const& row : index.rows)
        to = put(put(to, row.offset), row.count);
    for (auto const& start : index.terms)
        to = put(put(to, start.first.value), start.term.value);
    for (auto const configuration : index.configurations)
        to = put(to, configuration.value);
    for (auto const entry : index.sizes)
        to = put(to, entry);
    put(bytes.data(), segment_index_guard(bytes, seed, offset));
    return bytes;
}

/// Whether what an index claims of its entries can be true of a segment whose records end at `end`.
[[nodiscard]] inline bool is_consistent(SegmentIndex const& index, std::uint64_t end)
{
    auto ends = std::uint64_t{0};
    auto entry = std::size_t{0};
    for (auto const& row : index.rows) {
        if (row.offset < ends or row.count > index.sizes.size() - entry)
            return false;
        ends = row.offset;
        for (auto left = row.count; left > 0; --left)
            ends += index.sizes[entry++];
    }
    auto const ascends = [&](Index one, Index following) { return one < following and following <= index.last(); };
    for (auto at = std::size_t{1}; at < index.terms.size(); ++at)
        if (not ascends(index.terms[at - 1].first, index.terms[at].first) or
            index.terms[at - 1].term >= index.terms[at].term)
            return false;
    for (auto at = std::size_t{0}; at < index.configurations.size(); ++at)
        if (not ascends(at == 0 ? before(index.first) : index.configurations[at - 1], index.configurations[at]))
            return false;
    return not index.sizes.empty() and entry == index.sizes.size() and ends <= end and index.first > Index{} and
           not index.terms.empty() and index.terms.front().first == index.first;
}

/// How many bytes the index takes that begins with `head`, if one does; its first `segment_index_head_size` bytes are
/// enough.
[[nodiscard]] inline std::uint64_t segment_index_size(std::span<std::byte const> head)
{
    return head.size() < segment_index_head_size ? 0 : get<std::uint32_t>(head.data() + 4);
}

/// The index that was written at this offset of a segment; nothing if there is no intact one, or if a newer version
/// wrote it: then the records are to be read.
[[nodiscard]] inline std::optional<SegmentIndex>
decode_segment_index(std::span<std::byte const> bytes, SegmentSeed seed, std::uint64_t offset)
{
    if (bytes.size() < segment_index_head_size or segment_index_size(bytes) != bytes.size() or
        get<std::uint32_t>(bytes.data()) != segment_index_guard(bytes, seed, offset) or
        get<std::uint32_t>(bytes.data() + 8) != 0 or get<std::uint32_t>(bytes.data() + 28) != 0)
        return std::nullopt;
    auto const* from = bytes.data() + 12;
    auto const  count = [&from] { return std::size_t{get<std::uint32_t>(std::exchange(from, from + 4))}; };
    auto const  number = [&from] { return get<std::uint64_t>(std::exchange(from, from + 8)); };
    auto const  entries = count();
    auto const  rows = count();
    auto const  terms = count();
    auto const  configurations = count();
    from += 4;
    if (bytes.size() != aligned(segment_index_head_size + 8 * rows + 16 * terms + 8 * configurations + 4 * entries))
        return std::nullopt;
    auto index = SegmentIndex{};
    index.batch = number();
    index.first = Index{number()};
    index.rows.resize(rows);
    for (auto& row : index.rows) {
        row.offset = static_cast<std::uint32_t>(count());
        row.count = static_cast<std::uint32_t>(count());
    }
    index.terms.resize(terms);
    for (auto& start : index.terms) {
        start.first = Index{number()};
        start.term = Term{number()};
    }
    index.configurations.resize(configurations);
    for (auto& configuration : index.configurations)
        configuration = Index{number()};
    index.sizes.resize(entries);
    for (auto& size : index.sizes)
        size = static_cast<std::uint32_t>(count());
    if (not is_consistent(index, offset))
        return std::nullopt;
    return index;
}

/// The index of a segment whose records end at `length`; nothing if there is none that can be used.
template <typename Source>
[[nodiscard]] std::optional<SegmentIndex> find_segment_index(Source& source, SegmentSeed seed, std::uint64_t length)
{
    auto const size = segment_index_size(source.bytes(length, segment_index_head_size));
    return decode_segment_index(source.bytes(length, size), seed, length);
}

} // namespace totora::inline v0
