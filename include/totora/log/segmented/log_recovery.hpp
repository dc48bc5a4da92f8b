// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/log_directory.hpp"
#include "totora/log/segmented/log_replay.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Reads a log's directory, and changes nothing in it but what makes the log that it found durable.
///
/// The newest segment with an intact header names the earlier ones that belong to the log, and how far. Its records are
/// what was written since. What cannot be read is torn, and cut with all that follows, if it lies in a batch that
/// nothing says was ever durable; it is damage, and recovery refuses, if a seal, a header or the file "run" says so, or if
/// no crash can have left it: the size of a segment is durable before its header is written, and none is shortened before
/// the next one's header is durable.
template <log_files Files>
class LogRecovery
{
public:
    explicit LogRecovery(Files& files, std::function<void(RecoveryProgress const&)> tell = {})
        : files_(files), tell_(std::move(tell))
    {}

    [[nodiscard]] Result<RecoveredLog, LogError> run()
    {
        auto identity = read_identity(files_);
        if (not identity)
            return Unexpected{identity.error()};
        identity_ = *identity;
        auto const mark = read_run_mark(files_);
        if (not mark)
            return Unexpected{mark.error()};
        mark_ = *mark;
        durable_ = mark_.batch;
        auto const names = files_.names();
        if (not names)
            return log_failure(LogFailure::read_failed, names.error());
        auto generations = std::vector<std::uint64_t>{};
        for (auto const& name : *names)
            if (auto const generation = generation_of(name))
                generations.push_back(*generation);
        std::sort(generations.rbegin(), generations.rend());

        if (not generations.empty() and generations.front() >= generation_end)
            return log_failure(LogFailure::damaged,
                               "The file " + segment_name(generations.front()) +
                                   " is no segment of this log, which has not begun so many. Remove it, "
                                   "or restore the directory.");

        begin_anew();
        auto newest = std::uint64_t{0};
        for (auto const generation : generations) {
            auto const used = try_as_newest(generation);
            if (not used)
                return Unexpected{used.error()};
            if (*used) {
                newest = generation;
                break;
            }
        }
        if (newest < mark_.generation)
            return damaged(mark_.generation, "is missing, or cannot be read");
        if (auto const there = check_next(generations); not there)
            return Unexpected{there.error()};
        if (log_.unknown)
            return of_newer_version("The entry " + std::to_string(log_.unknown->value));
        if (auto const kept = make_durable(); not kept)
            return log_failure(LogFailure::sync_failed, kept.error());
        log_.newest_generation = generations.empty() ? 0 : generations.front();
        log_.mark = mark_;
        log_.spares = std::move(spares_);
        if (log_.next)
            log_.awaited = log_.next->generation;
        log_.finish();
        return RecoveredLog{std::move(log_)};
    }

private:
    using Window = SegmentWindow<typename Files::File>;

    /// A part of a segment that may only be in the page cache.
    struct Unproven
    {
        std::uint64_t generation = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };

    void begin_anew()
    {
        auto const start = log_.newest_start;
        auto const batch = log_.newest_batch;
        log_ = LogReplay{identity_};
        log_.newest_start = std::max(start, mark_.start);
        log_.newest_batch = std::max(batch, mark_.batch);
        unproven_.clear();
    }

    /// Whether the segment in which the newest one says that the log goes on is there, as it was when that was written.
    [[nodiscard]] Result<Done, LogError> check_next(std::vector<std::uint64_t> const& generations)
    {
        if (not log_.next)
            return Done{};
        auto const [generation, size] = *log_.next;
        auto const from = DamagedEntries{next(log_.index.last()), std::nullopt};
        if (std::find(generations.begin(), generations.end(), generation) == generations.end())
            return damaged(generation, "is missing", from);
        auto file = files_.open(segment_name(generation));
        if (not file)
            return log_failure(LogFailure::read_failed, file.error());
        auto const size_now = file->size();
        if (not size_now)
            return log_failure(LogFailure::read_failed, size_now.error());
        if (*size_now < size)
            return damaged(generation, too_short(*size_now, size), from);
        return Done{};
    }

    /// Recovers the log from this segment and those that it names. False if the log ends before this segment.
    [[nodiscard]] Result<bool, LogError> try_as_newest(std::uint64_t generation)
    {
        auto source = open_window(files_, generation, std::numeric_limits<std::uint64_t>::max());
        if (not source)
            return log_failure(LogFailure::read_failed, source.error());
        auto const header = read_header(generation, *source);
        if (not header)
            return Unexpected{header.error()};
        if (not header->has_value())
            return pass_over(generation, *source);
        if (mark_.start == 0)
            return log_failure(LogFailure::damaged,
                               "The file " + std::string{run_name} +
                                   " is missing. Restore the directory: " + std::string{cannot_return});
        begin_anew();
        auto const begin = header_size_for((**header).earlier.size());
        auto const seed = segment_seed(identity_, generation);
        auto       last = (**header).last.index;
        auto const survey = survey_segment(*source, seed, begin, (**header).batch,
                                           [&](Record const& record) { last = last_after(record, last); });
        if (source->failure())
            return log_failure(LogFailure::read_failed, *source->failure());
        if (survey.unknown)
            return of_newer_version("A record in the file " + segment_name(generation));
        if (source->size() < (**header).size)
            return damaged(generation, too_short(source->size(), (**header).size),
                           {survey.broken.value_or(next(last)), std::nullopt});
        durable_ = std::max({durable_, survey.durable, (**header).durable_batch});
        log_.newest_batch = std::max({log_.newest_batch, survey.newest, survey.batch});
        log_.newest_start = std::max(log_.newest_start, (**header).start);

        progress_ = {.bytes = 0, .bytes_total = survey.end, .last = {}};
        for (auto const& earlier : (**header).earlier)
            progress_.bytes_total += earlier.length;
        for (auto const& earlier : (**header).earlier) {
            auto const taken = take_earlier(earlier);
            if (taken and not *taken) {
                torn_bytes_ += survey.torn_end;
                spares_.push_back({generation, source->size()});
            }
            if (not taken or not *taken)
                return taken;
            tell(earlier.length);
        }
        auto const taken = take_newest(**header, *source, survey);
        tell(survey.end);
        return taken;
    }

    void tell(std::uint64_t bytes_more)
    {
        progress_.bytes += bytes_more;
        progress_.last = log_.index.last();
        if (tell_)
            tell_(progress_);
    }

    /// The refusal of something that is intact, and that nothing of this version wrote.
    [[nodiscard]] static Unexpected<LogError> of_newer_version(std::string const& what)
    {
        return log_failure(
            LogFailure::foreign_format,
            what + " is of a kind, or has flags, that version " + std::to_string(log_format_version) +
                " of the format does not know. A newer version of this program wrote it: start that one.");
    }

    [[nodiscard]] static std::string too_short(std::uint64_t size, std::uint64_t size_before)
    {
        return "has only " + std::to_string(size) + " of " + std::to_string(size_before) +
               " bytes that it had before it was used";
    }

    /// The last entry of the log after a record, if `last` was the last one before it.
    [[nodiscard]] static Index last_after(Record const& record, Index last)
    {
        if (record.head.kind == RecordKind::append)
            return before(Index{record.head.numbers[0]} + record.head.count);
        return record.head.kind == RecordKind::truncate ? before(Index{record.head.numbers[0]}) : last;
    }

    /// The header of a segment, if it has one that was written for this generation.
    [[nodiscard]] Result<std::optional<SegmentHeader>, LogError> read_header(std::uint64_t generation, Window& source)
    {
        auto const begin = source.bytes(0, sealed_header_size);
        auto const size = begin.size() < sealed_header_size ? 0 : get<std::uint32_t>(begin.data() + 12);
        auto const bytes = source.bytes(0, std::max<std::uint64_t>(size, segment_header_size));
        if (source.failure())
            return log_failure(LogFailure::read_failed, *source.failure());
        // A file that never was a segment is all zeros here; one of another version says so, and its checksum is right.
        if (is_intact_header(bytes))
            if (auto const ours = check_format(segment_name(generation), segment_magic, bytes); not ours)
                return Unexpected{ours.error()};
        auto header = decode_segment_header(bytes);
        if (header and header->generation != generation)
            header.reset();
        if (header and (header->needed & ~known_features) != 0)
            return of_newer_version("Something in the file " + segment_name(generation));
        if (header and (header->cluster != identity_.cluster or header->id != identity_.id or
                        header->incarnation != identity_.incarnation or header->group != identity_.group))
            return log_failure(LogFailure::foreign_format, "The file " + segment_name(generation) +
                                                               " belongs to another "
                                                               "server's log.");
        return header;
    }

    /// Passes over a file without a header: prepared and never used, or begun just before a crash.
    [[nodiscard]] Result<bool, LogError> pass_over(std::uint64_t generation, Window& source)
    {
        auto       first_batch = std::optional<std::uint64_t>{};
        auto const seed = segment_seed(identity_, generation);
        for (auto offset = std::uint64_t{0}; offset + record_head_size <= source.size(); offset += record_alignment) {
            auto const bytes = source.bytes(offset, record_head_size);
            auto const head = may_be_head(bytes) ? decode_head(bytes, seed, offset) : std::nullopt;
            if (not head)
                continue;
            torn_bytes_ += is_at_rest(*head) ? 0 : size_of(*head);
            if (head->kind != RecordKind::seal)
                continue;
            first_batch = first_batch.value_or(head->numbers[0]);
            durable_ = std::max(durable_, head->numbers[1]);
            log_.newest_batch = std::max(log_.newest_batch, head->numbers[0]);
        }
        if (source.failure())
            return log_failure(LogFailure::read_failed, *source.failure());
        if (first_batch and durable_ >= *first_batch)
            return damaged(generation, "has no header that can be read");
        spares_.push_back({generation, source.size()});
        return false;
    }

    /// Takes the entries of an earlier segment. False if it is torn.
    [[nodiscard]] Result<bool, LogError> take_earlier(EarlierSegment const& earlier)
    {
        auto const begins_behind = log_.index.last();
        auto const missing = next(begins_behind);
        auto       source = open_window(files_, earlier.generation, earlier.length);
        if (not source and source.error().number == ENOENT)
            return damaged(earlier.generation, "is missing", {missing, earlier.last});
        if (not source)
            return log_failure(LogFailure::read_failed, source.error());
        if (source->size() < earlier.length)
            return damaged(earlier.generation, too_short(source->size(), earlier.length), {missing, earlier.last});
        auto const header = read_header(earlier.generation, *source);
        if (not header)
            return Unexpected{header.error()};
        if (not header->has_value()) {
            if (durable_ >= earlier.batch)
                return damaged(earlier.generation, "has no header that can be read", {missing, earlier.last});
            return false;
        }
        auto       proven = header_size_for((**header).earlier.size());
        auto const take = [&](Record const& record) {
            if (record.head.kind == RecordKind::append)
                (void)log_.take_entries(record, earlier.generation, begins_behind);
            if (record.head.kind == RecordKind::seal and record.head.numbers[0] <= durable_)
                proven = record.offset + size_of(record.head);
        };
        auto const survey =
            survey_segment(*source, segment_seed(identity_, earlier.generation), proven, (**header).batch, take);
        if (source->failure())
            return log_failure(LogFailure::read_failed, *source->failure());
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
            unproven_.push_back({earlier.generation, durable_ < (**header).batch ? 0 : proven, earlier.length});
        log_.segments.push_back({earlier.generation, (**header).batch, {}, earlier.length});
        return true;
    }

    /// Takes what the newest segment says.
    [[nodiscard]] Result<bool, LogError>
    take_newest(SegmentHeader const& header, Window& source, SegmentSurvey const& survey)
    {
        auto& state = log_.state;
        state.current_term = header.current_term;
        state.voted_for = header.voted_for == nobody ? std::nullopt : std::optional{header.voted_for};
        state.commit_index = header.commit_index;
        if (state.entries.last() != header.last)
            return damaged(header.generation, "does not go on where the earlier ones end",
                           {next(state.entries.last().index), header.last.index});

        auto       proven = header_size_for(header.earlier.size());
        auto       follows = true;
        auto       cut_batch = std::optional<std::uint64_t>{}; // Goes on in a segment that was passed over.
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
            return log_failure(LogFailure::read_failed, *source.failure());
        auto const last_index = log_.index.last();
        if (survey.batch <= durable_)
            return damaged(header.generation, "is damaged at byte " + std::to_string(survey.end),
                           damaged_entries(survey, next(last_index), last_index));
        if (not follows)
            return damaged(header.generation, "has records that do not follow each other",
                           {next(last_index), std::nullopt});
        if (state.commit_index > last_index)
            return damaged(header.generation, "has lost entries that were committed",
                           {next(last_index), state.commit_index});

        torn_bytes_ += survey.torn_end - survey.end;
        if (torn_bytes_ > 0)
            state.torn_tail = TornTail{survey.broken.value_or(survey.behind.value_or(next(last_index))), torn_bytes_};
        if (proven < survey.end or durable_ < header.batch)
            unproven_.push_back({header.generation, durable_ < header.batch ? 0 : proven, survey.end});
        log_.segments.push_back({header.generation, header.batch, {}, survey.end});
        log_.durable_batch = cut_batch.value_or(survey.batch) - 1;
        return true;
    }

    /// Makes durable what was found. It may be in the page cache only; and if an earlier sync of it failed, its pages are
    /// clean there and only writing them again takes them to the disk.
    [[nodiscard]] Result<Done, FileError> make_durable()
    {
        for (auto const& part : unproven_) {
            auto file = files_.open(segment_name(part.generation));
            if (not file)
                return Unexpected{file.error()};
            auto bytes = std::vector<std::byte>{};
            for (auto offset = part.begin; offset < part.end; offset += bytes.size()) {
                bytes.resize(static_cast<std::size_t>(std::min(Window::window_size, part.end - offset)));
                if (auto const got = file->read(offset, bytes); not got)
                    return Unexpected{got.error()};
                auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
                if (auto const written = file->write(offset, parts); not written)
                    return written;
            }
            if (auto const synced = file->sync(); not synced)
                return synced;
        }
        return files_.sync_directory();
    }

    Files&                                       files_;
    std::function<void(RecoveryProgress const&)> tell_;
    RecoveryProgress                             progress_;
    Identity                                     identity_;
    StartMark                                    mark_;
    LogReplay                                    log_;
    std::vector<SpareFile>                       spares_;
    std::vector<Unproven>                        unproven_;
    std::uint64_t                                durable_ = 0;    ///< The newest batch that anything says was durable.
    std::uint64_t                                torn_bytes_ = 0; ///< Of all that was passed over.
};

} // namespace totora::inline v0
