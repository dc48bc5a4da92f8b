// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/log/log_directory.hpp"
#include "totora/log/segmented/log_damage.hpp"
#include "totora/log/segmented/log_replay.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_replay.hpp"
#include "totora/log/segmented/segment_survey.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/log/segmented/start_mark.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Reads a log's directory, and changes nothing in it except that the log it found becomes durable.
///
/// The newest segment with an intact header names the earlier ones that belong to the log, and how far. Its records are
/// what was written since. What cannot be read is torn, and cut with all that follows, if it lies in a batch that
/// nothing proves was ever durable. It is damage, and recovery refuses, if a seal, a header or the file "run" proves
/// that, or if no crash can have left it: the size of a segment is durable before its header is written, and none is
/// shortened before the next one's header is durable.
///
/// An earlier segment of which everything is proven durable is known by its index. Whether its records are still whole
/// is seen when they are read.
template <log_files Files>
class LogRecovery
{
public:
    explicit LogRecovery(Files& files, std::function<void(RecoveryProgress const&)> on_progress = {},
                         RecoveryDepth depth = RecoveryDepth::indexes)
        : files_(files), on_progress_(std::move(on_progress)), depth_(depth)
    {}

    [[nodiscard]] Result<RecoveredLog, LogError> run()
    {
        if (auto const marked = read_marks(); not marked)
            return Unexpected{marked.error()};
        auto const generations = list_generations();
        if (not generations)
            return Unexpected{generations.error()};
        auto const newest = find_newest(*generations);
        if (not newest)
            return Unexpected{newest.error()};
        if (auto const marked = segments_->mark().generation; *newest < marked)
            return damaged(marked, "is missing, or cannot be read");
        if (auto const there = check_next(*generations); not there)
            return Unexpected{there.error()};
        if (auto const& unknown = segments_->log().unknown)
            return of_newer_version("The entry " + std::to_string(unknown->value));
        auto found = segments_->finish(generations->empty() ? 0 : generations->front());
        if (found)
            found->snapshot_files = std::move(snapshot_files_);
        return found;
    }

private:
    using Window = typename SegmentReplay<Files>::Window;

    /// Reads the files "identity" and "run".
    [[nodiscard]] Result<Done, LogError> read_marks()
    {
        auto const identity = read_identity(files_);
        if (not identity)
            return Unexpected{identity.error()};
        auto const mark = read_run_mark(files_);
        if (not mark)
            return Unexpected{mark.error()};
        segments_.emplace(files_, *identity, *mark, depth_);
        return Done{};
    }

    /// The generations of all segment files, the newest first. Notes the files of snapshots.
    [[nodiscard]] Result<std::vector<std::uint64_t>, LogError> list_generations()
    {
        auto const names = files_.names();
        if (not names)
            return not_read(names.error());
        auto generations = std::vector<std::uint64_t>{};
        for (auto const& name : *names)
            if (auto const generation = generation_of(name))
                generations.push_back(*generation);
            else if (snapshot_number_of(name))
                snapshot_files_.push_back(name);
        std::sort(generations.rbegin(), generations.rend());
        if (not generations.empty() and generations.front() >= generation_end)
            return log_failure(LogFailure::damaged,
                               "The file " + segment_name(generations.front()) +
                                   " is no segment of this log, which has not begun so many. Remove it, "
                                   "or restore the directory.");
        return generations;
    }

    /// Recovers the log from the newest segment that is part of it. Its generation; 0 if there is none.
    [[nodiscard]] Result<std::uint64_t, LogError> find_newest(std::vector<std::uint64_t> const& generations)
    {
        segments_->start_over();
        for (auto const generation : generations) {
            auto const used = try_as_newest(generation);
            if (not used)
                return Unexpected{used.error()};
            if (*used)
                return generation;
        }
        return std::uint64_t{0};
    }

    /// Whether the segment in which the log continues after the newest one exists, with the size it had when that was
    /// written.
    [[nodiscard]] Result<Done, LogError> check_next(std::vector<std::uint64_t> const& generations)
    {
        auto const& log = segments_->log();
        if (not log.next)
            return Done{};
        auto const [generation, size] = *log.next;
        auto const from = DamagedEntries{next(log.index.last()), std::nullopt};
        if (std::find(generations.begin(), generations.end(), generation) == generations.end())
            return damaged(generation, "is missing", from);
        auto file = files_.open(segment_name(generation));
        if (not file)
            return not_read(file.error());
        auto const size_now = file->size();
        if (not size_now)
            return not_read(size_now.error());
        if (*size_now < size)
            return damaged(generation, too_short(*size_now, size), from);
        return Done{};
    }

    /// Recovers the log from this segment and those that it names. False if the log ends before this segment.
    [[nodiscard]] Result<bool, LogError> try_as_newest(std::uint64_t generation)
    {
        auto source = open_window(files_, generation, std::numeric_limits<std::uint64_t>::max());
        if (not source)
            return not_read(source.error());
        auto const header = segments_->header_of(generation, *source);
        if (not header)
            return Unexpected{header.error()};
        if (not header->has_value()) {
            auto const skipped = segments_->skip_headerless(generation, *source);
            return skipped ? Result<bool, LogError>{false} : Unexpected{skipped.error()};
        }
        if (segments_->mark().start == 0)
            return log_failure(LogFailure::damaged,
                               "The file " + std::string{run_name} +
                                   " is missing. Restore the directory: " + std::string{cannot_return});
        segments_->start_over();
        auto const survey = segments_->survey_newest(**header, *source);
        if (not survey)
            return Unexpected{survey.error()};
        return take_all(**header, *source, *survey);
    }

    /// Takes the entries of the earlier segments and then of the newest. False if an earlier one is torn.
    [[nodiscard]] Result<bool, LogError>
    take_all(SegmentHeader const& header, Window& source, SegmentSurvey const& survey)
    {
        segments_->begin_after(header);
        progress_ = {.bytes = 0, .bytes_total = survey.end, .last = {}};
        for (auto const& earlier : header.earlier)
            progress_.bytes_total += earlier.length;
        for (auto const& earlier : header.earlier) {
            auto const taken = segments_->take_earlier(earlier);
            if (taken and not *taken)
                segments_->skip_torn(header, source, survey);
            if (not taken or not *taken)
                return taken;
            report_progress(earlier.length);
        }
        auto const taken = segments_->take_newest(header, source, survey);
        report_progress(survey.end);
        if (not taken)
            return Unexpected{taken.error()};
        return true;
    }

    void report_progress(std::uint64_t bytes_more)
    {
        progress_.bytes += bytes_more;
        progress_.last = segments_->log().index.last();
        if (on_progress_)
            on_progress_(progress_);
    }

    Files&                                       files_;
    std::function<void(RecoveryProgress const&)> on_progress_;
    RecoveryDepth                                depth_;
    RecoveryProgress                             progress_;
    std::vector<std::string>                     snapshot_files_;
    std::optional<SegmentReplay<Files>>          segments_; ///< Once the marks are read.
};

} // namespace totora::inline v0
