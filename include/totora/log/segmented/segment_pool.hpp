// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/attempt.hpp"
#include "totora/log/segmented/sealed_file.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/policy/files.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// A file that records are written to.
template <typename File>
struct Segment
{
    std::uint64_t generation = 0;
    std::uint64_t size = 0;
    File          file;
};

/// Overwrites all of a file that is to become a segment, durably. What was written for its generation must not stay; and after a sync that
/// failed, what is on the disk of its content and size is unknown.
template <typename File>
[[nodiscard]] Result<Done, FileError> overwrite(File& file, std::uint64_t size)
{
    auto const zeros = std::vector<std::byte>(std::size_t{64} * 1024);
    for (auto offset = std::uint64_t{0}; offset < size; offset += zeros.size()) {
        auto const part = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), size - offset));
        auto const parts = std::array<std::span<std::byte const>, 1>{std::span{zeros}.first(part)};
        if (auto const written = file.write(offset, parts); not written)
            return written;
    }
    return file.sync();
}

/// Prepares segments before they are needed: allocated, written, and durable with their names, so that a sync of what
/// is written into one moves no metadata. A segment that the log no longer needs becomes the next one.
///
/// Space is prepared step by step, about as fast as it is used. If that is too slow, the log gets a smaller segment and
/// waits for no more than the present step. The syncer calls `work` and `retire`, the node all others.
///
/// Invariant: of `spare_`, the first `ready_size` bytes are durable zeros or records of a retired segment.
template <log_files Files>
class SegmentPool
{
public:
    using File = typename Files::File;
    using Ready = std::shared_ptr<Segment<typename Files::File>>;

    /// `step` is the least that is prepared at once, in bytes.
    SegmentPool(Files& files, std::uint64_t segment_size, std::uint64_t step, std::chrono::milliseconds pause)
        : files_(files), segment_size_(segment_size), step_(step), pause_(pause)
    {}

    /// Sets the generation after which new ones are numbered. Before everything else.
    void start_after(std::uint64_t newest_generation) { newest_generation_ = newest_generation; }

    [[nodiscard]] std::uint64_t segment_size() const { return segment_size_; }

    /// The bytes of the next segment that are ready.
    [[nodiscard]] std::uint64_t ready_size() const { return ready_size_; }

    /// Requests a segment of at least this size, or of `least` if there is too little space.
    void want(std::uint64_t size, std::uint64_t least = 0)
    {
        if (least > 0)
            least_size_ = least;
        auto wanted = wanted_size_.load();
        while (wanted < size and not wanted_size_.compare_exchange_weak(wanted, size)) {}
    }

    /// Takes over a file that recovery skipped, as the next segment. Before everything else but `start_after`.
    void adopt(std::uint64_t generation, std::uint64_t size, File file)
    {
        spare_ = std::make_shared<Segment<File>>(Segment<File>{generation, size, std::move(file)});
        ready_size_ = size;
        is_adopted_ = true;
    }

    /// Takes the next segment. If it is too small yet, it is prepared in this call: to `at_least` in any case, and to
    /// `wished` if there is space.
    [[nodiscard]] Result<Ready, FileError> take(std::uint64_t at_least, std::uint64_t wished = 0)
    {
        auto const lock = std::lock_guard{mutex_};
        if (ready_size_ < std::max(at_least, wished)) {
            auto const size = std::max({at_least, wished, smallest_size()});
            auto       made = prepare(size, size);
            if (not made and is_lack_of_space(made.error().number))
                made = prepare(at_least, at_least);
            while (made and ready_size_ < at_least) // Little space: it comes in pieces.
                made = prepare(at_least, at_least);
            if (not made and ready_size_ < at_least)
                return Unexpected{made.error()};
        }
        ready_size_ = 0;
        wanted_size_ = 0;
        is_adopted_ = false;
        return std::exchange(spare_, nullptr);
    }

    /// Prepares a part of the next segment. Returns whether there is more to do now, or the only permanent error: the
    /// directory is gone, and what is written to its open files is lost with it. Lack of memory is transient.
    [[nodiscard]] Result<bool, FileError> work(std::uint64_t bytes)
    {
        auto const lock = std::lock_guard{mutex_};
        auto const now = std::chrono::steady_clock::now();
        auto       outcome = Result<bool, FileError>{false};
        if (attempt("making a segment ready", [&] { outcome = work_at(now, bytes); }).has_value()) {
            failed_at_ = now;
            static_cast<void>(
                attempt("removing it", [&] { drop_spare(); })); // It may have thrown after a sync that failed.
        }
        return outcome;
    }

    /// Returns segments to the pool that are, durably, no longer part of the log.
    void retire(std::vector<std::uint64_t> const& generations)
    {
        auto const lock = std::lock_guard{mutex_};
        retired_.insert(retired_.end(), generations.begin(), generations.end());
    }

private:
    using Outcome = Result<Done, FileError>;

    /// Smaller segments would be too many.
    [[nodiscard]] std::uint64_t smallest_size() const { return segment_size_ / 4; }

    [[nodiscard]] Result<bool, FileError> work_at(std::chrono::steady_clock::time_point now, std::uint64_t bytes)
    {
        if (not retired_.empty())
            reuse_or_remove();
        if (ready_size_ >= wanted_size_ or (failed_at_ and now - *failed_at_ < pause_))
            return false;
        auto made = prepare(wanted_size_, bytes);
        if (not made and is_lack_of_space(made.error().number) and ready_size_ < least_size_)
            made = prepare(least_size_, least_size_);
        failed_at_ = made ? std::nullopt : std::optional{now};
        if (not made and made.error().number == ENOENT)
            return Unexpected{made.error()};
        return made and ready_size_ < wanted_size_;
    }

    /// Drops a file whose sync has failed, which is unreliable from then on, or an empty one. One that was taken over
    /// stays on the disk: the log may continue in it, as the newest segment has it.
    void drop_spare()
    {
        ready_size_ = 0;
        auto const spare = std::exchange(spare_, nullptr);
        auto const stays = std::exchange(is_adopted_, false);
        if (spare and not stays)
            (void)files_.remove(segment_name(spare->generation));
    }

    /// Grows the next segment towards a size, by `bytes` or a step; by less if there is no space for that.
    [[nodiscard]] Outcome prepare(std::uint64_t size, std::uint64_t bytes)
    {
        if (not spare_)
            if (auto const made = create(); not made)
                return made;
        auto growth = std::min(size - std::min(size, spare_->size), std::max(step_, bytes));
        auto made = spare_->file.allocate(spare_->size + growth);
        while (not made and is_lack_of_space(made.error().number) and growth > std::max<std::uint64_t>(step_ / 8, 1)) {
            growth /= 2;
            made = spare_->file.allocate(spare_->size + growth);
        }
        auto const allocated = made.has_value();
        if (made)
            made = spare_->file.sync();
        if (made)
            ready_size_ = spare_->size += growth;
        if (not made and (allocated or spare_->size == 0))
            drop_spare();
        return made;
    }

    [[nodiscard]] Outcome create()
    {
        auto const generation = ++newest_generation_;
        auto       file = files_.create(segment_name(generation));
        if (not file)
            return Unexpected{file.error()};
        if (auto const synced = files_.sync_directory(); not synced) {
            (void)files_.remove(segment_name(generation));
            return synced;
        }
        spare_ = std::make_shared<Segment<File>>(Segment<File>{generation, 0, std::move(*file)});
        return Done{};
    }

    /// Makes one retired segment the next one, and removes the rest. If one stays, or returns after a crash, it does no
    /// harm: a newer header that does not name it is durable.
    void reuse_or_remove()
    {
        for (auto const generation : std::exchange(retired_, {}))
            if (not reuse(generation))
                (void)files_.remove(segment_name(generation));
    }

    /// Makes a retired segment the next one, if there is none yet and it is large enough.
    [[nodiscard]] bool reuse(std::uint64_t generation)
    {
        if (spare_)
            return false;
        auto file = files_.open(segment_name(generation));
        if (not file)
            return false;
        auto const size = file->size();
        if (not size or *size < smallest_size())
            return false;
        if (not files_.rename(segment_name(generation), segment_name(newest_generation_ + 1)))
            return false;
        ++newest_generation_;
        if (not files_.sync_directory()) {
            (void)files_.remove(segment_name(newest_generation_));
            return true;
        }
        spare_ = std::make_shared<Segment<File>>(Segment<File>{newest_generation_, *size, std::move(*file)});
        ready_size_ = *size;
        return true;
    }

    Files&                    files_;
    std::uint64_t             segment_size_;
    std::uint64_t             step_;
    std::chrono::milliseconds pause_; ///< After a failure, before the next attempt.

    std::mutex                 mutex_;
    std::uint64_t              newest_generation_ = 0;
    Ready                      spare_;              ///< The next segment, as far as it is ready.
    bool                       is_adopted_ = false; ///< Whether that file is of an earlier start.
    std::vector<std::uint64_t> retired_;
    std::optional<std::chrono::steady_clock::time_point> failed_at_;
    std::atomic<std::uint64_t>                           ready_size_ = 0;
    std::atomic<std::uint64_t>                           wanted_size_ = 0;
    std::atomic<std::uint64_t>                           least_size_ = 0;
};

} // namespace totora::inline v0
