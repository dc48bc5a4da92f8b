// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/snapshots/log_boundary.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace totora::inline v0
{

/// A record and its place in its segment.
struct Record
{
    RecordHead                 head;
    std::uint64_t              offset = 0;
    std::span<std::byte const> body; ///< The encoded entries or the boundary, without padding.
};

/// The last entry that is compacted away, or that a snapshot stands for, by a record that moves the boundary.
[[nodiscard]] inline LogPosition base_of(RecordHead const& head)
{
    return {Term{head.numbers[1]}, Index{head.numbers[0]}};
}

/// The boundary that a record moves the log's to; nothing if it is of a newer version.
[[nodiscard]] inline std::optional<LogBoundary> boundary_of(Record const& record)
{
    return decode_boundary(record.body, base_of(record.head));
}

/// The first entry of a record that is damaged or has an unexpected index; nothing if all are intact.
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

/// The last entry of a log after one more record, if `last` was its last entry before.
[[nodiscard]] inline Index last_after(Record const& record, Index last)
{
    if (record.head.kind == RecordKind::install)
        return Index{record.head.numbers[0]};
    if (record.head.kind == RecordKind::append)
        return before(Index{record.head.numbers[0]} + record.head.count);
    return record.head.kind == RecordKind::truncate ? before(Index{record.head.numbers[0]}) : last;
}

/// Whether a seal was written at rest, with nothing after its batch: that batch was durable then. It ends no batch, and
/// may stand at any place after the last record.
[[nodiscard]] constexpr bool is_at_rest(RecordHead const& head)
{
    return head.kind == RecordKind::seal and head.numbers[0] == head.numbers[1];
}

/// Whether a record of this log could begin here, by the cheapest check.
[[nodiscard]] constexpr bool may_be_head(std::span<std::byte const> bytes)
{
    return bytes.size() >= record_head_size and get<std::uint64_t>(bytes.data() + 16) - 1 < 7;
}

/// What the bytes of a segment show by themselves: how far its records are whole, and what follows the last whole one.
///
/// Invariant: `begin <= end <= torn_end` of the range that was surveyed.
struct SegmentSurvey
{
    std::uint64_t        end = 0;      ///< After the last whole record of an unbroken row.
    std::uint64_t        batch = 0;    ///< The batch that a record at `end` would be part of.
    std::uint64_t        durable = 0;  ///< The newest batch that any seal names durable, also one after `end`.
    std::uint64_t        newest = 0;   ///< The highest batch number of any seal.
    std::uint64_t        torn_end = 0; ///< After the last intact head that follows `end`; `end` if there is none.
    std::optional<Index> broken;       ///< The first unusable entry of the record at `end`, if its head is intact.
    bool unknown = false;              ///< Whether the record at `end` is intact and of a kind unknown to this version.
    std::optional<Index> resumes_at;   ///< The first index of the first append after `end` whose head is intact.

    /// Whether something was written after `end`.
    [[nodiscard]] bool torn() const { return torn_end > end; }

    void note_seal(RecordHead const& head)
    {
        newest = std::max(newest, head.numbers[0]);
        durable = std::max(durable, head.numbers[1]);
    }
};

/// Walks the unbroken row of whole records from `survey.end` on, and calls `visit(Record)` for each.
template <typename Source, typename Visit>
void survey_whole_records(Source& source, SegmentSeed seed, SegmentSurvey& survey, Visit visit)
{
    while (auto const head = decode_head(source.bytes(survey.end, record_head_size), seed, survey.end)) {
        survey.unknown = not is_known(head->kind);
        // A seal at rest is no part of the row, even if it stands at its end: a later batch may have been written up to
        // it.
        if (survey.unknown or is_at_rest(*head))
            break;
        auto const body_begins = survey.end + record_head_size;
        auto const body = source.bytes(body_begins, head->body_size);
        auto const whole = body.size() == head->body_size;
        auto const record = Record{*head, survey.end, whole ? body : body.first(0)};
        if (moves_boundary(head->kind)) {
            if (not whole or crc32c(body) != head->body_guard)
                break;
            survey.unknown = not boundary_of(record);
        } else {
            survey.broken = whole ? find_damaged_entry(record) : Index{head->numbers[0]};
        }
        if (survey.broken or survey.unknown)
            break;
        visit(record);
        survey.end += size_of(*head);
        if (head->kind == RecordKind::seal) {
            survey.note_seal(*head);
            survey.batch = head->numbers[0] + 1;
        }
    }
}

/// Looks for intact heads after `survey.end`: only a seal there distinguishes a torn tail from damage.
template <typename Source>
void survey_torn_tail(Source& source, SegmentSeed seed, SegmentSurvey& survey)
{
    survey.torn_end = survey.end;
    for (auto offset = survey.end; offset + record_head_size <= source.size(); offset += record_alignment) {
        if (not may_be_head(source.bytes(offset, record_head_size)))
            continue;
        auto const head = decode_head(source.bytes(offset, record_head_size), seed, offset);
        if (not head)
            continue;
        if (head->kind == RecordKind::seal)
            survey.note_seal(*head);
        if (is_at_rest(*head))
            continue;
        survey.torn_end = offset + size_of(*head);
        if (head->kind == RecordKind::append and offset > survey.end and not survey.resumes_at)
            survey.resumes_at = Index{head->numbers[0]};
    }
}

/// Surveys a segment from `begin` on, and calls `visit(Record)` for each whole record. `source` gives the bytes:
/// `size()`, and `bytes(offset, count)`, which stay valid until the next call.
template <typename Source, typename Visit>
[[nodiscard]] SegmentSurvey
survey_segment(Source& source, SegmentSeed seed, std::uint64_t begin, std::uint64_t first_batch, Visit visit)
{
    auto survey = SegmentSurvey{};
    survey.end = begin;
    survey.batch = first_batch;
    survey.newest = first_batch;
    survey_whole_records(source, seed, survey, visit);
    survey_torn_tail(source, seed, survey);
    return survey;
}

/// What a file without an intact header holds: prepared and never used, or begun just before a crash.
struct HeaderlessSurvey
{
    std::optional<std::uint64_t> first_batch;    ///< Of the first seal.
    std::uint64_t                durable = 0;    ///< The newest batch that any seal names durable.
    std::uint64_t                newest = 0;     ///< The highest batch number of any seal.
    std::uint64_t                torn_bytes = 0; ///< Of all records.
};

/// Surveys a file without an intact header for the records of this segment, wherever they stand.
template <typename Source>
[[nodiscard]] HeaderlessSurvey survey_headerless(Source& source, SegmentSeed seed)
{
    auto survey = HeaderlessSurvey{};
    for (auto offset = std::uint64_t{0}; offset + record_head_size <= source.size(); offset += record_alignment) {
        auto const bytes = source.bytes(offset, record_head_size);
        auto const head = may_be_head(bytes) ? decode_head(bytes, seed, offset) : std::nullopt;
        if (not head)
            continue;
        survey.torn_bytes += is_at_rest(*head) ? 0 : size_of(*head);
        if (head->kind != RecordKind::seal)
            continue;
        survey.first_batch = survey.first_batch.value_or(head->numbers[0]);
        survey.durable = std::max(survey.durable, head->numbers[1]);
        survey.newest = std::max(survey.newest, head->numbers[0]);
    }
    return survey;
}

} // namespace totora::inline v0
