// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented/region_writer.hpp"
#include "totora/log/segmented/segment_pool.hpp"
#include "totora/log/segmented/segment_record.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Writes and syncs what the node planned: everything that waits with one sync (group commit).
///
/// The node decides the place of each byte and never writes to a file itself, so that a disk that hangs does not block
/// it. The node calls `hand_over`, `confirm`, `durable` and `failure`; the syncer calls `work` and `seal_at_rest`,
/// never two at a time. When a log is opened or closed, the node calls `write_and_sync` itself.
///
/// Invariants: `durable` never falls; after the first failure it does not change, nor does the failure.
template <log_files Files>
class SegmentWriter
{
public:
    using File = typename Files::File;
    using Regions = std::vector<Region<File>>;

    SegmentWriter(SegmentPool<Files>& pool, Identity const& identity, std::uint64_t durable_batch)
        : pool_(pool), identity_(identity), durable_batch_(durable_batch), regions_(identity)
    {}

    /// Sets the function that is called, on another thread, when something became durable or failed. The previous
    /// one is not called any more once this returns.
    void set_wake(std::function<void()> wake)
    {
        auto const lock = std::lock_guard{wake_mutex_};
        wake_ = std::move(wake);
    }

    /// Hands over regions, of which the last ends with a seal, and empties `regions`.
    void hand_over(Regions& regions, WriteNumber through)
    {
        auto const lock = std::lock_guard{mutex_};
        std::move(regions.begin(), regions.end(), std::back_inserter(waiting_));
        regions.clear();
        waiting_through_ = through;
    }

    /// Notes that the writes up to this one need nothing written except what was handed over.
    void confirm(WriteNumber through)
    {
        auto const lock = std::lock_guard{mutex_};
        waiting_through_ = through;
    }

    [[nodiscard]] WriteNumber   durable() const { return WriteNumber{durable_}; }
    [[nodiscard]] std::uint64_t durable_batch() const { return durable_batch_; }

    [[nodiscard]] std::optional<LogError> failure() const
    {
        if (not failed_)
            return std::nullopt;
        auto const lock = std::lock_guard{mutex_};
        return failure_;
    }

    /// Fails the log permanently: the first failure is kept, and nothing becomes durable any more.
    void fail(LogError error)
    {
        auto const lock = std::lock_guard{mutex_};
        if (failed_)
            return;
        failure_ = std::move(error);
        failed_ = true;
    }

    /// The same from another thread than the node's and the syncer's, with the wake-up.
    void fail_from_elsewhere(LogError error)
    {
        fail(std::move(error));
        wake();
    }

    /// Calls the wake-up.
    void wake()
    {
        auto const lock = std::lock_guard{wake_mutex_};
        if (wake_)
            wake_();
    }

    /// Writes and syncs what waits, and prepares twice as much of the next segment. Returns whether there is more to
    /// do. Never throws, since no caller on the syncer's thread could catch it: lack of memory for writing fails the
    /// log.
    [[nodiscard]] bool work() noexcept
    {
        auto more = false;
        guarded([&] { more = write_and_prepare(); });
        return more;
    }

    /// Writes and syncs what waits. Returns whether there was anything.
    bool write_and_sync()
    {
        auto const working = std::lock_guard{work_mutex_};
        auto       through = WriteNumber{};
        {
            auto const lock = std::lock_guard{mutex_};
            taken_.swap(waiting_);
            through = waiting_through_;
        }
        if (taken_.empty() and (through.value <= durable_ or failed_))
            return false;
        if (taken_.empty())
            durable_ = through.value; // All before was settled when it was taken.
        else if (not failed_) {
            auto outcome = regions_.write(taken_, durable_batch_);
            auto failure = LogFailure::write_failed;
            if (outcome) {
                outcome = regions_.sync(taken_);
                failure = LogFailure::sync_failed;
            }
            if (outcome)
                settle(through);
            else
                fail({failure, outcome.error().what});
        }
        taken_.clear();
        wake();
        return true;
    }

    /// Records in the segment what the last sync made durable, when nothing has followed it for a while: otherwise only
    /// the next seal would, perhaps hours later. On a separate page if there is one, so that damage to the last batch
    /// spares it.
    ///
    /// It is not one of the node's writes: it has no number, calls no wake-up, and the next record overwrites it.
    /// Nothing of it is planned, so that no call of the node waits for it.
    void seal_at_rest() noexcept
    {
        guarded([&] { seal_last_sync(); });
    }

private:
    using Outcome = Result<Done, FileError>;

    static constexpr std::uint64_t page_size = 4096; ///< The unit in which disks are often damaged.

    template <std::invocable Act>
    void guarded(Act act) noexcept
    {
        attempt("the thread of the log", act, [&](std::string what) {
            fail({LogFailure::write_failed, std::move(what)});
            wake();
        });
    }

    [[nodiscard]] bool write_and_prepare()
    {
        auto const written_before = regions_.written_bytes();
        auto const wrote = write_and_sync();
        auto const more = pool_.work(2 * (regions_.written_bytes() - written_before));
        if (more)
            return *more or wrote;
        if (not failed_) {
            fail({LogFailure::write_failed, more.error().what});
            wake();
        }
        return wrote;
    }

    void seal_last_sync()
    {
        auto const working = std::lock_guard{work_mutex_};
        auto const segment = std::exchange(unsealed_, nullptr);
        if (not segment or failed_)
            return;
        auto const apart = (unsealed_end_ + page_size - 1) / page_size * page_size;
        auto const fits = [&](std::uint64_t offset) { return offset + record_head_size <= segment->size; };
        auto const offset = fits(apart) ? apart : unsealed_end_;
        if (not fits(offset))
            return;
        auto const batch = durable_batch_.load();
        auto       bytes = std::array<std::byte, record_head_size>{};
        encode_head(bytes, {.kind = RecordKind::seal, .numbers = {batch, batch, unsealed_commit_}},
                    segment_seed(identity_, segment->generation), offset);
        auto const parts = std::array<std::span<std::byte const>, 1>{bytes};
        auto       failure = LogFailure::write_failed;
        auto       outcome = segment->file.write(offset, parts);
        if (outcome) {
            failure = LogFailure::sync_failed;
            outcome = segment->file.sync();
        }
        if (outcome)
            return;
        fail({failure, outcome.error().what});
        wake();
    }

    /// Everything taken is durable now: publishes that, and retires segments.
    void settle(WriteNumber through)
    {
        auto const& last = taken_.back();
        auto const& seal = last.records.back().head;
        durable_batch_ = seal.numbers[0];
        unsealed_ = last.segment;
        unsealed_commit_ = seal.numbers[2];
        unsealed_end_ = last.offset + last.header.size();
        for (auto const& record : last.records)
            unsealed_end_ += size_of(record.head);
        durable_ = through.value;
        for (auto const& region : taken_)
            if (not region.retiring.empty())
                pool_.retire(region.retiring);
    }

    SegmentPool<Files>& pool_;
    Identity            identity_;

    mutable std::mutex      mutex_; ///< Guards `waiting_` to `failure_`.
    Regions                 waiting_;
    WriteNumber             waiting_through_;
    std::optional<LogError> failure_;

    std::mutex wake_mutex_; ///< Held during a call of `wake_`, so that replacing it waits for the call to end.
    std::function<void()> wake_;

    std::atomic<std::uint64_t> durable_ = 0; // Read by the node at any time, like the next two.
    std::atomic<std::uint64_t> durable_batch_;
    std::atomic<bool>          failed_ = false;

    // The rest belongs to the thread that writes: the syncer's, or the node's when a log is opened.
    std::mutex                     work_mutex_;
    Regions                        taken_;
    RegionWriter<File>             regions_;
    std::shared_ptr<Segment<File>> unsealed_; ///< The segment synced last, until a later seal records that.
    std::uint64_t                  unsealed_end_ = 0;
    std::uint64_t                  unsealed_commit_ = 0;
};

} // namespace totora::inline v0
