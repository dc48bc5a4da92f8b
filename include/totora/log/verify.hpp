// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/log_directory.hpp"
#include "totora/log/scrubbing/check_sealed.hpp"
#include "totora/log/segmented/log_recovery.hpp"
#include "totora/log/segmented/log_replay.hpp"
#include "totora/log/segmented/read_header.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_index.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/log/segmented/segment_replay.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/log/snapshots/check_snapshot_file.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// What a log on disk was found to be, read whole.
struct LogVerdict
{
    Identity      identity;
    Index         last; ///< The last entry, of a log without damage.
    std::uint64_t bytes = 0;
    std::uint64_t segments = 0;
    std::uint64_t without_index = 0; ///< Sealed segments that each start reads.
    std::uint64_t snapshots = 0;     ///< Files of snapshots, damaged ones included.
    Index         kept_by_machine; ///< What is up to there is in no snapshot, but in a state machine that keeps itself.
    std::optional<TornTail> torn_tail;
    std::vector<std::string>
        damage; ///< A description of each damaged file, and for what is wrong with the log as a whole.
};

/// Reads all of a log on disk, and changes nothing.
template <log_files Files>
class LogVerification
{
public:
    explicit LogVerification(Files& files, std::function<void(RecoveryProgress const&)> on_progress = {})
        : files_(files), on_progress_(std::move(on_progress))
    {}

    /// What was found. An error if the log cannot be read, or is none.
    [[nodiscard]] Result<LogVerdict, LogError> run()
    {
        auto const identity = read_identity(files_);
        if (not identity)
            return Unexpected{identity.error()};
        verdict_.identity = *identity;
        auto const tell = [this](RecoveryProgress const& progress) {
            verdict_.bytes = progress.bytes;
            if (on_progress_)
                on_progress_(progress);
        };
        auto const recovered = LogRecovery<Files>{files_, tell, RecoveryDepth::everything}.run();
        if (recovered) {
            verdict_.last = recovered->index.last();
            verdict_.torn_tail = recovered->state.torn_tail;
        } else if (recovered.error().failure == LogFailure::damaged) {
            verdict_.damage.push_back(recovered.error().what);
        } else {
            return Unexpected{recovered.error()};
        }
        auto const looked = recovered ? look_for_indexes(recovered->segments) : look_for_damage();
        if (not looked)
            return Unexpected{looked.error()};
        if (auto const read = look_at_snapshots(recovered ? recovered->boundary : LogBoundary{}); not read)
            return Unexpected{read.error()};
        return std::move(verdict_);
    }

private:
    static constexpr auto whole_file = std::numeric_limits<std::uint64_t>::max();

    /// Counts the segments of a log whose records are whole, and those before the newest that have no index.
    [[nodiscard]] Result<Done, LogError> look_for_indexes(std::vector<EarlierSegment> const& segments)
    {
        verdict_.segments = segments.size();
        for (auto const& segment : segments) {
            if (segment.last > Index{})
                continue; // It holds only what is compacted, and is not read.
            auto source = open_window(files_, segment.generation, whole_file);
            if (not source)
                return log_failure(LogFailure::read_failed, source.error());
            auto const seed = segment_seed(verdict_.identity, segment.generation);
            auto const is_newest = &segment == &segments.back();
            if (not is_newest and not find_segment_index(*source, seed, segment.length))
                ++verdict_.without_index;
            if (source->failure())
                return log_failure(LogFailure::read_failed, *source->failure());
        }
        return Done{};
    }

    /// Reads the segments of a damaged log that the newest header names, as far as one can be read.
    [[nodiscard]] Result<Done, LogError> look_for_damage()
    {
        auto const names = files_.names();
        if (not names)
            return log_failure(LogFailure::read_failed, names.error());
        auto newest = SegmentHeader{};
        for (auto const& name : *names) {
            auto const generation = generation_of(name);
            if (not generation or *generation < newest.generation)
                continue;
            auto source = open_window(files_, *generation, whole_file);
            if (not source)
                return log_failure(LogFailure::read_failed, source.error());
            auto const header = read_header(*source, *generation, verdict_.identity);
            if (not header)
                return Unexpected{header.error()};
            if (header->has_value())
                newest = **header;
        }
        verdict_.segments = newest.earlier.size() + (newest.generation == 0 ? 0 : 1);
        for (auto const& segment : newest.earlier)
            if (auto const checked = check(segment); not checked)
                return checked;
        return Done{};
    }

    [[nodiscard]] Result<Done, LogError> check(EarlierSegment const& segment)
    {
        auto source = open_window(files_, segment.generation, whole_file);
        auto found = Result<Done, LogError>{Done{}};
        if (source)
            found = check_sealed(*source, verdict_.identity, segment.generation, segment.length);
        else if (source.error().number == ENOENT)
            found = damaged(segment.generation, "is missing");
        else
            found = log_failure(LogFailure::read_failed, source.error());
        if (found or found.error().failure != LogFailure::damaged)
            return found;
        auto const name = segment_name(segment.generation);
        auto const is_named = [&](std::string const& one) { return one.find(name) != std::string::npos; };
        if (std::none_of(verdict_.damage.begin(), verdict_.damage.end(), is_named))
            verdict_.damage.push_back(found.error().what);
        return Done{};
    }

    /// Reads all snapshots. What a log begins with must be in one of the server's own that is whole, if the state machine does not keep it.
    [[nodiscard]] Result<Done, LogError> look_at_snapshots(LogBoundary const& boundary)
    {
        auto const base = boundary.base.index;
        auto       names = files_.names();
        if (not names)
            return log_failure(LogFailure::read_failed, names.error());
        std::erase_if(*names, [](std::string const& name) { return not snapshot_number_of(name); });
        auto const listed = list_snapshots(files_, *names, verdict_.identity, base);
        if (not listed)
            return Unexpected{listed.error()};
        verdict_.snapshots = listed->files.size() + listed->damaged.size();
        for (auto const& name : listed->damaged)
            verdict_.damage.push_back("The file " + name + " has no header that can be read, or is too short.");
        auto reached = base == Index{};
        for (auto const& [snapshot, number] : listed->files) {
            auto file = files_.open(snapshot_file_name(number));
            if (not file)
                return log_failure(LogFailure::read_failed, file.error());
            auto const checked = check_snapshot_file(*file, snapshot_file_name(number), snapshot.id);
            if (not checked and checked.error().failure != LogFailure::damaged)
                return checked;
            if (not checked)
                verdict_.damage.push_back(checked.error().what);
            else
                reached = reached or (not snapshot.is_received and snapshot.id.last.index >= base);
        }
        if (not reached and boundary.is_kept_by_machine)
            verdict_.kept_by_machine = base;
        else if (not reached)
            verdict_.damage.push_back("The log begins after entry " + std::to_string(base.value) +
                                      ", and no snapshot that is whole stands for what was before.");
        return Done{};
    }

    Files&                                       files_;
    std::function<void(RecoveryProgress const&)> on_progress_;
    LogVerdict                                   verdict_;
};

/// Reads all of a log on disk, every record of every segment that belongs to it, and changes nothing. For a log that no
/// process has open. What no start needs to read may be damaged unnoticed: that is found here.
template <log_files Files>
[[nodiscard]] Result<LogVerdict, LogError>
verify_log(Files& files, std::function<void(RecoveryProgress const&)> on_progress = {})
{
    return LogVerification<Files>{files, std::move(on_progress)}.run();
}

} // namespace totora::inline v0
