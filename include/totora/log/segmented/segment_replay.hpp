// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/log_replay.hpp"
#include "totora/log/segmented/read_header.hpp"
#include "totora/log/segmented/read_newest_configurations.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_index.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/log/segmented/start_mark.hpp"
#include "totora/log/segmented/unproven_part.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Rebuilds a log from its segments, taken in order, and distinguishes a torn tail from damage in each.
///
/// Invariants: `durable` is the newest batch that any file read so far proves durable, and never falls; what is taken
/// and not proven durable is among the unproven parts.
template <log_files Files>
class SegmentReplay
{
public:
    using Window = SegmentWindow<typename Files::File>;

    SegmentReplay(Files& files, Identity const& identity, StartMark const& mark, RecoveryDepth depth)
        : files_(files), identity_(identity), mark_(mark), depth_(depth), durable_(mark.batch)
    {}

    [[nodiscard]] LogReplay const& log() const { return log_; }
    [[nodiscard]] StartMark const& mark() const { return mark_; }

    [[nodiscard]] Result<std::optional<SegmentHeader>, LogError>
    header_of(std::uint64_t generation, Window& source) const
    {
        return read_header(source, generation, identity_);
    }

    /// Forgets the entries found so far, and keeps what numbers batches and starts.
    void start_over()
    {
        auto const start = log_.newest_start;
        auto const batch = log_.newest_batch;
        log_ = LogReplay{identity_};
        log_.newest_start = std::max(start, mark_.start);
        log_.newest_batch = std::max(batch, mark_.batch);
        unproven_.clear();
    }

    /// Skips a file without a header: prepared and never used, or begun just before a crash.
    [[nodiscard]] Result<Done, LogError> skip_headerless(std::uint64_t generation, Window& source)
    {
        auto const survey = survey_headerless(source, segment_seed(identity_, generation));
        torn_bytes_ += survey.torn_bytes;
        durable_ = std::max(durable_, survey.durable);
        log_.newest_batch = std::max(log_.newest_batch, survey.newest);
        if (source.failure())
            return not_read(*source.failure());
        if (survey.first_batch and durable_ >= *survey.first_batch)
            return damaged(generation, "has no header that can be read");
        spares_.push_back({generation, source.size()});
        return Done{};
    }

    /// Surveys the segment that may be the newest, and notes which batches and starts it proves.
    [[nodiscard]] Result<SegmentSurvey, LogError> survey_newest(SegmentHeader const& header, Window& source)
    {
        auto const begin = size_of(header);
        auto const seed = segment_seed(identity_, header.generation);
        auto       last = header.last.index;
        auto const survey = survey_segment(source, seed, begin, header.batch,
                                           [&](Record const& record) { last = last_after(record, last); });
        if (source.failure())
            return not_read(*source.failure());
        if (survey.unknown)
            return of_newer_version("A record in the file " + segment_name(header.generation));
        if (source.size() < header.size)
            return damaged(header.generation, too_short(source.size(), header.size),
                           {survey.broken.value_or(next(last)), std::nullopt});
        durable_ = std::max({durable_, survey.durable, header.durable_batch});
        log_.newest_batch = std::max({log_.newest_batch, survey.newest, survey.batch});
        log_.newest_start = std::max(log_.newest_start, header.start);
        return survey;
    }

    /// The log begins where this header has it.
    void begin_after(SegmentHeader const& header) { log_.begin_after(header.boundary); }

    /// Skips the segment that would be the newest: an earlier one that it names is torn.
    void skip_torn(SegmentHeader const& header, Window const& source, SegmentSurvey const& survey)
    {
        torn_bytes_ += survey.torn_end;
        spares_.push_back({header.generation, source.size()});
    }

    /// Takes the entries of an earlier segment, from its index if everything in it is proven durable: what can be torn
    /// is read. Of one that holds only what is compacted nothing is read. False if it is torn.
    [[nodiscard]] Result<bool, LogError> take_earlier(EarlierSegment const& earlier)
    {
        if (earlier.last <= log_.index.base()) {
            log_.segments.push_back(earlier);
            return true;
        }
        auto const missing = next(log_.index.last());
        auto       source = open_window(files_, earlier.generation, segment_size_end);
        if (not source and source.error().number == ENOENT)
            return damaged(earlier.generation, "is missing", {missing, earlier.last});
        if (not source)
            return not_read(source.error());
        if (source->size() < earlier.length)
            return damaged(earlier.generation, too_short(source->size(), earlier.length), {missing, earlier.last});
        source->read_at_once(header_bytes);
        auto const header = read_header(*source, earlier.generation, identity_);
        if (not header)
            return Unexpected{header.error()};
        if (header->has_value() and depth_ == RecoveryDepth::indexes and take_index(earlier, **header, *source))
            return true;
        source->limit(earlier.length);
        source->read_at_once(Window::window_size);
        if (header->has_value())
            return take_earlier_records(earlier, **header, *source);
        if (durable_ >= earlier.batch)
            return damaged(earlier.generation, "has no header that can be read", {missing, earlier.last});
        return false;
    }

    /// Takes the header and the records of the newest segment.
    [[nodiscard]] Result<Done, LogError>
    take_newest(SegmentHeader const& header, Window& source, SegmentSurvey const& survey)
    {
        auto& state = log_.state;
        state.current_term = header.current_term;
        state.voted_for = header.voted_for == nobody ? std::nullopt : std::optional{header.voted_for};
        state.commit_index = header.commit_index;
        if (state.entries.last() != header.last)
            return damaged(header.generation, "does not go on where the earlier ones end",
                           {next(state.entries.last().index), header.last.index});

        auto       proven = size_of(header);
        auto       follows = true;
        auto       cut_batch = std::optional<std::uint64_t>{}; // Continues in a segment that was skipped.
        auto const take = [&](Record const& record) {
            follows = follows and log_.take_record(record, header.generation);
            if (record.head.kind != RecordKind::seal)
                return;
            if (record.head.numbers[0] <= durable_)
                proven = record.offset + size_of(record.head);
            if (log_.next)
                cut_batch = record.head.numbers[0];
        };
        auto const seed = segment_seed(identity_, header.generation);
        auto const begin = proven;
        source.limit(survey.end);
        (void)survey_segment(source, seed, begin, header.batch, take);
        if (source.failure())
            return not_read(*source.failure());
        if (auto const sound = check_newest(header, survey, follows); not sound)
            return Unexpected{sound.error()};
        note_torn_tail(survey);
        if (proven < survey.end or durable_ < header.batch)
            unproven_.push_back({header.generation, durable_ < header.batch ? 0 : proven, survey.end});
        log_.segments.push_back({header.generation, header.batch, {}, survey.end});
        log_.durable_batch = cut_batch.value_or(survey.batch) - 1;
        return Done{};
    }

    /// Makes the log that was found durable, unless it is only looked at, and returns it.
    [[nodiscard]] Result<RecoveredLog, LogError> finish(std::uint64_t newest_generation)
    {
        auto const newest = read_newest_configurations(files_, log_);
        if (not newest)
            return Unexpected{newest.error()};
        if (depth_ == RecoveryDepth::indexes)
            if (auto const kept = make_durable(files_, unproven_); not kept)
                return log_failure(LogFailure::sync_failed, kept.error());
        log_.newest_generation = newest_generation;
        log_.mark = mark_;
        log_.spares = std::move(spares_);
        if (log_.next)
            log_.awaited = log_.next->generation;
        log_.finish(*newest);
        return RecoveredLog{std::move(log_)};
    }

private:
    static constexpr std::uint64_t header_bytes = 4096; ///< Enough for most headers.

    /// Takes the entries of an earlier segment by its index. False, with nothing taken, if it must be read.
    [[nodiscard]] bool take_index(EarlierSegment const& earlier, SegmentHeader const& header, Window& source)
    {
        auto const index = find_segment_index(source, segment_seed(identity_, earlier.generation), earlier.length);
        if (not index or durable_ < index->batch or not log_.take_index(*index, earlier.generation, earlier.last))
            return false;
        log_.segments.push_back({earlier.generation, header.batch, {}, earlier.length});
        return true;
    }

    /// Takes the records of an earlier segment up to the length that the newest header names. False if they are torn.
    [[nodiscard]] Result<bool, LogError>
    take_earlier_records(EarlierSegment const& earlier, SegmentHeader const& header, Window& source)
    {
        auto const last_before = log_.index.last();
        auto       proven = size_of(header);
        auto const take = [&](Record const& record) {
            if (record.head.kind == RecordKind::append)
                (void)log_.take_entries(record, earlier.generation, last_before);
            if (record.head.kind == RecordKind::seal and record.head.numbers[0] <= durable_)
                proven = record.offset + size_of(record.head);
        };
        auto const survey =
            survey_segment(source, segment_seed(identity_, earlier.generation), proven, header.batch, take);
        if (source.failure())
            return not_read(*source.failure());
        if (survey.unknown)
            return of_newer_version("A record in the file " + segment_name(earlier.generation));
        durable_ = std::max(durable_, survey.durable);
        if (survey.end != earlier.length and durable_ < survey.batch)
            return false;
        log_.truncate(next(earlier.last));
        if (survey.end != earlier.length or log_.index.last() != earlier.last)
            return damaged(earlier.generation, "is damaged at byte " + std::to_string(survey.end),
                           damaged_entries(survey, next(log_.index.last()), earlier.last));
        if (proven < earlier.length)
            unproven_.push_back({earlier.generation, durable_ < header.batch ? 0 : proven, earlier.length});
        log_.segments.push_back({earlier.generation, header.batch, {}, earlier.length});
        return true;
    }

    /// Refuses a newest segment whose end cannot be a torn tail.
    [[nodiscard]] Result<Done, LogError>
    check_newest(SegmentHeader const& header, SegmentSurvey const& survey, bool follows) const
    {
        auto const last_index = log_.index.last();
        if (survey.batch <= durable_)
            return damaged(header.generation, "is damaged at byte " + std::to_string(survey.end),
                           damaged_entries(survey, next(last_index), last_index));
        if (not follows)
            return damaged(header.generation, "has records that do not follow each other",
                           {next(last_index), std::nullopt});
        if (log_.state.commit_index > last_index)
            return damaged(header.generation, "has lost entries that were committed",
                           {next(last_index), log_.state.commit_index});
        return Done{};
    }

    void note_torn_tail(SegmentSurvey const& survey)
    {
        auto const missing = next(log_.index.last());
        torn_bytes_ += survey.torn_end - survey.end;
        if (torn_bytes_ > 0)
            log_.state.torn_tail = TornTail{survey.broken.value_or(survey.resumes_at.value_or(missing)), torn_bytes_};
    }

    Files&                    files_;
    Identity                  identity_;
    StartMark                 mark_;
    RecoveryDepth             depth_;
    LogReplay                 log_;
    std::vector<SpareFile>    spares_;
    std::vector<UnprovenPart> unproven_;
    std::uint64_t             durable_ = 0;    ///< The newest batch that is proven durable.
    std::uint64_t             torn_bytes_ = 0; ///< Of all that was skipped.
};

} // namespace totora::inline v0
