// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/scrubbing/check_sealed.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_header.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/segmented/segment_window.hpp"
#include "totora/log/segmented/segment_writer.hpp"
#include "totora/log/snapshots/check_snapshot_file.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Reads the sealed segments and the snapshots again and again, slowly, so that damage to what nobody reads is found while other
/// servers still have it. What it finds in a segment fails the log; a snapshot is reported, and another can be taken.
///
/// It has a thread of its own, from the first of them on. The node calls all functions; `stop` before the files
/// are gone. A segment that is retired meanwhile may be renamed and written over while it is read: what is found in it
/// counts only if the log still needs it.
template <log_files Files>
class Scrubber
{
public:
    Scrubber(Files& files, SegmentWriter<Files>& writer, Identity identity, std::uint64_t bytes_per_second,
             std::chrono::milliseconds pause)
        : files_(files), writer_(writer), identity_(std::move(identity)), bytes_per_second_(bytes_per_second),
          pause_(std::clamp<std::chrono::milliseconds>(pause, {}, pause_max))
    {}

    Scrubber(Scrubber const&) = delete;
    Scrubber& operator=(Scrubber const&) = delete;
    ~Scrubber() { stop(); }

    /// Sets what is to be read: all sealed segments, in order. Call it before one that is missing is given back.
    void update(std::vector<SealedSegment> segments)
    {
        if (bytes_per_second_ == 0)
            return;
        auto const lock = std::lock_guard{mutex_};
        segments_ = std::move(segments);
        begin();
    }

    /// Sets which snapshots are to be read.
    void update_snapshots(std::vector<SnapshotFile> snapshots)
    {
        if (bytes_per_second_ == 0)
            return;
        auto const lock = std::lock_guard{mutex_};
        snapshots_ = std::move(snapshots);
        begin();
    }

    /// Sets what is called, on the scrubber's thread, with a snapshot that is damaged. Before the first update.
    void on_damaged_snapshot(std::function<void(SnapshotFile const&, LogError)> report) { report_ = std::move(report); }

    void stop()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            stopping_ = true;
            changed_.notify_all();
        }
        if (thread_.joinable())
            thread_.join();
    }

    /// Nothing if it reads nothing.
    [[nodiscard]] std::optional<ScrubStatus> status() const
    {
        if (bytes_per_second_ == 0)
            return std::nullopt;
        auto const lock = std::lock_guard{mutex_};
        auto       status = status_;
        status.bytes_total = 0;
        for (auto const& segment : segments_)
            status.bytes_total += segment.length;
        for (auto const& one : snapshots_)
            status.bytes_total += one.snapshot.id.bytes;
        status.bytes = std::min(status.bytes, status.bytes_total);
        return status;
    }

private:
    using Clock = std::chrono::steady_clock;

    static constexpr std::chrono::milliseconds retry_after{100}; ///< If nothing could be read yet.
    static constexpr std::chrono::milliseconds pause_max = std::chrono::hours{24 * 365};

    /// A file that is read as fast as the scrubber may.
    class PacedFile
    {
    public:
        PacedFile(typename Files::File file, Scrubber& scrubber) : file_(std::move(file)), scrubber_(&scrubber) {}

        [[nodiscard]] Result<std::size_t, FileError> read(std::uint64_t offset, std::span<std::byte> into)
        {
            if (not scrubber_->wait_for_turn(into.size()))
                return Unexpected{FileError{ECANCELED, "The log is closed."}};
            return file_.read(offset, into);
        }

    private:
        typename Files::File file_;
        Scrubber*            scrubber_;
    };

    /// Begins with the first segment or snapshot. Under the lock.
    void begin()
    {
        changed_.notify_all();
        auto const has_any = not segments_.empty() or not snapshots_.empty();
        if (not thread_.joinable() and has_any and not stopping_)
            thread_ = std::thread{[this] { run(); }};
    }

    void run()
    {
        while (not wait(pass_begins_)) {
            // Nobody catches what the thread throws, as for lack of memory; the next pass is another attempt.
            auto passed = false;
            attempt(
                "scrubbing", [&] { passed = scrub_all(); }, [](std::string const&) {});
            pass_begins_ = Clock::now() + (passed ? pause_ : std::min(pause_, retry_after));
        }
    }

    /// Waits until then; whether the scrubber was stopped.
    [[nodiscard]] bool wait(Clock::time_point until)
    {
        auto lock = std::unique_lock{mutex_};
        return changed_.wait_until(lock, until, [&] { return stopping_; });
    }

    [[nodiscard]] bool wait_for_turn(std::uint64_t bytes)
    {
        if (wait(read_next_))
            return false;
        read_next_ =
            std::max(read_next_, Clock::now()) + std::chrono::microseconds{bytes * 1'000'000 / bytes_per_second_};
        return true;
    }

    /// One pass over all segments that are durable and all snapshots. Whether there were any, and all were read.
    [[nodiscard]] bool scrub_all()
    {
        auto generation = std::uint64_t{0};
        auto read = std::uint64_t{0};
        auto all = true;
        while (auto const segment = next_after(generation)) {
            generation = segment->generation;
            auto const outcome = scrub(*segment);
            if (not outcome and counts(*segment)) {
                if (outcome.error().failure != LogFailure::not_now)
                    writer_.fail_from_elsewhere(outcome.error());
                all = false;
            }
            auto const lock = std::lock_guard{mutex_};
            if (stopping_)
                return false;
            status_.bytes += segment->length;
            ++read;
        }
        for (auto const& one : listed_snapshots()) {
            all = scrub(one) and all;
            auto const lock = std::lock_guard{mutex_};
            if (stopping_)
                return false;
            status_.bytes += one.snapshot.id.bytes;
            ++read;
        }
        auto const lock = std::lock_guard{mutex_};
        status_.bytes = 0;
        if (read == 0 or not all)
            return false;
        ++status_.passes;
        return true;
    }

    /// The first durable segment of a later generation.
    [[nodiscard]] std::optional<SealedSegment> next_after(std::uint64_t generation) const
    {
        auto const durable = writer_.durable_batch();
        auto const lock = std::lock_guard{mutex_};
        for (auto const& segment : segments_)
            if (segment.generation > generation and segment.last_batch <= durable)
                return segment;
        return std::nullopt;
    }

    /// Whether what was found in a segment counts: the log needs it still, and the scrubber was not stopped.
    [[nodiscard]] bool counts(SealedSegment const& segment) const
    {
        auto const lock = std::lock_guard{mutex_};
        return not stopping_ and std::find(segments_.begin(), segments_.end(), segment) != segments_.end();
    }

    [[nodiscard]] Result<Done, LogError> scrub(SealedSegment const& segment)
    {
        auto file = files_.open(segment_name(segment.generation));
        if (not file)
            return failure(file.error());
        auto const size = file->size();
        if (not size)
            return failure(size.error());
        auto       source = SegmentWindow<PacedFile>{PacedFile{std::move(*file), *this}, *size};
        auto const checked = check_sealed(source, identity_, segment.generation, segment.length);
        return source.failure() ? failure(*source.failure()) : checked;
    }

    [[nodiscard]] std::vector<SnapshotFile> listed_snapshots() const
    {
        auto const lock = std::lock_guard{mutex_};
        return snapshots_;
    }

    /// Whether it is sound, or of no interest any more.
    [[nodiscard]] bool scrub(SnapshotFile const& one)
    {
        if (std::find(reported_.begin(), reported_.end(), one.number) != reported_.end())
            return true;
        auto const name = snapshot_file_name(one.number);
        auto       file = files_.open(name);
        auto       checked = file ? Result<Done, LogError>{Done{}} : failure(file.error());
        if (file) {
            auto paced = PacedFile{std::move(*file), *this};
            checked = check_snapshot_file(paced, name, one.snapshot.id);
        }
        if (checked)
            return true;
        {
            auto const lock = std::lock_guard{mutex_};
            auto const same = [&](SnapshotFile const& other) { return other.number == one.number; };
            if (stopping_ or std::none_of(snapshots_.begin(), snapshots_.end(), same))
                return true;
        }
        if (checked.error().failure == LogFailure::damaged and report_) {
            reported_.push_back(one.number);
            report_(one, checked.error());
        }
        return false;
    }

    [[nodiscard]] static Unexpected<LogError> failure(FileError const& error)
    {
        return Unexpected{
            LogError{is_shortage(error.number) ? LogFailure::not_now : LogFailure::read_failed, error.what}};
    }

    Files&                    files_;
    SegmentWriter<Files>&     writer_;
    Identity                  identity_;
    std::uint64_t             bytes_per_second_;
    std::chrono::milliseconds pause_; ///< Between two passes.

    std::function<void(SnapshotFile const&, LogError)> report_;

    mutable std::mutex         mutex_; ///< Guards `segments_` to `stopping_`.
    std::condition_variable    changed_;
    std::vector<SealedSegment> segments_;
    std::vector<SnapshotFile>  snapshots_;
    ScrubStatus                status_;
    bool                       stopping_ = false;

    std::thread thread_; // The rest belongs to the thread.

    Clock::time_point pass_begins_{};
    Clock::time_point read_next_{};

    std::vector<std::uint64_t> reported_; ///< Files of snapshots that are damaged: once is enough.
};

} // namespace totora::inline v0
