// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/segment_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace totora::inline v0
{

/// A record and where it stands in its segment.
struct Record
{
    RecordHead                 head;
    std::uint64_t              offset = 0;
    std::span<std::byte const> body; ///< The encoded entries, without padding.
};

/// The first entry of a record that is not what its proposer made, or is not the one it should be; nothing if all are.
[[nodiscard]] inline std::optional<Index> find_damaged_entry(Record const& record)
{
    auto expected = Index{record.head.numbers[0]};
    auto rest = record.body;
    auto guard = std::uint32_t{0};
    for (auto count = record.head.count; count > 0; --count) {
        auto const entry = view_entry(rest);
        if (not entry or entry->index != expected or not is_intact(*entry))
            return expected;
        guard = extend_body_guard(guard, entry->checksum);
        rest = rest.subspan(entry->encoded.size());
        expected = next(expected);
    }
    if (not rest.empty() or guard != record.head.body_guard)
        return Index{record.head.numbers[0]};
    return std::nullopt;
}

/// Whether a seal was written when nothing followed its batch: its batch was durable then. It ends no batch, and may stand at any
/// place after the last record.
[[nodiscard]] constexpr bool is_at_rest(RecordHead const& head)
{
    return head.kind == RecordKind::seal and head.numbers[0] == head.numbers[1];
}

/// What the bytes of a segment say about themselves: how far its records are whole, and what lies behind.
struct SegmentSurvey
{
    std::uint64_t end = 0;       ///< Behind the last whole record of an unbroken row.
    std::uint64_t batch = 0;     ///< The batch that what stands at `end` would be part of.
    std::uint64_t durable = 0;   ///< The newest batch that any seal says is durable, also one behind `end`.
    std::uint64_t newest = 0;    ///< The highest number of a batch that any seal has.
    std::uint64_t torn_end = 0;  ///< Behind the last head of a record that stands behind `end`; `end` if there is none.
    std::optional<Index> broken; ///< The first entry that cannot be used of the record at `end`, if its head is intact.
    bool unknown = false; ///< Whether the record at `end` is intact and of a kind that this version does not know.
    std::optional<Index> behind; ///< The first index of the first append behind `end` whose head is intact.

    /// Whether something was written behind `end`.
    [[nodiscard]] bool torn() const { return torn_end > end; }
};

/// Whether a record of ours could begin here, by what costs least to look at.
[[nodiscard]] constexpr bool may_be_head(std::span<std::byte const> bytes)
{
    return bytes.size() >= record_head_size and get<std::uint64_t>(bytes.data() + 16) - 1 < 5;
}

/// Walks the records from `begin` on, calls `visit(Record)` for each whole one, and then looks at all that lies behind the
/// first one that is not whole: only a seal there can tell a torn tail from damage. `source` gives the bytes: `size()`, and
/// `bytes(offset, count)`, which stay until it is asked again.
template <typename Source, typename Visit>
[[nodiscard]] SegmentSurvey
survey_segment(Source& source, SegmentSeed seed, std::uint64_t begin, std::uint64_t first_batch, Visit visit)
{
    auto       survey = SegmentSurvey{.end = begin,
                                      .batch = first_batch,
                                      .durable = 0,
                                      .newest = first_batch,
                                      .torn_end = begin,
                                      .broken = {},
                                      .unknown = false,
                                      .behind = {}};
    auto const head_at = [&](std::uint64_t offset) {
        return decode_head(source.bytes(offset, record_head_size), seed, offset);
    };
    auto const note_seal = [&](RecordHead const& head) {
        survey.newest = std::max(survey.newest, head.numbers[0]);
        survey.durable = std::max(survey.durable, head.numbers[1]);
    };

    while (auto const head = head_at(survey.end)) {
        survey.unknown = not is_known(head->kind);
        // A seal at rest is no part of the row, also where a row happens to end: a later batch may have been written up to it.
        if (survey.unknown or is_at_rest(*head))
            break;
        auto const body_begins = survey.end + record_head_size;
        auto const body = source.bytes(body_begins, head->body_size);
        auto const whole = body.size() == head->body_size;
        auto const record = Record{*head, survey.end, whole ? body : body.first(0)};
        survey.broken = whole ? find_damaged_entry(record) : Index{head->numbers[0]};
        if (survey.broken)
            break;
        visit(record);
        survey.end += size_of(*head);
        if (head->kind == RecordKind::seal) {
            note_seal(*head);
            survey.batch = head->numbers[0] + 1;
        }
    }

    survey.torn_end = survey.end;
    for (auto offset = survey.end; offset + record_head_size <= source.size(); offset += record_alignment) {
        if (not may_be_head(source.bytes(offset, record_head_size)))
            continue;
        auto const head = head_at(offset);
        if (not head)
            continue;
        if (head->kind == RecordKind::seal)
            note_seal(*head);
        if (is_at_rest(*head))
            continue;
        survey.torn_end = offset + size_of(*head);
        if (head->kind == RecordKind::append and offset > survey.end and not survey.behind)
            survey.behind = Index{head->numbers[0]};
    }
    return survey;
}

} // namespace totora::inline v0
