// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/attempt.hpp"
#include "totora/data/saturating.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/log/syncer.hpp"
#include "totora/policy/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Where a block begins: in a segment of the log, or in the file of a snapshot that is whole.
struct BlockPlace
{
    bool          is_snapshot = false;
    std::uint64_t number = 0; ///< The segment's generation, or that of the snapshot's file.
    std::uint64_t offset = 0;

    [[nodiscard]] bool is_in_file_of(BlockPlace const& other) const
    {
        return is_snapshot == other.is_snapshot and number == other.number;
    }
    [[nodiscard]] std::string file_name() const
    {
        return is_snapshot ? snapshot_file_name(number) : segment_name(number);
    }
};

[[nodiscard]] inline BlockPlace block_place(EntryPlace place) { return {false, place.segment, place.offset}; }

/// Reads parts of files on a thread of its own, so that a slow disk does not hold up the node, and keeps them until they are used.
///
/// A block is named by its place, and a place is written once: so it does not matter which entries were truncated, compacted or
/// replaced while it was read. Who takes something out of a block checks it.
///
/// The thread, a syncer of its own, begins with the first request. The node calls all functions; `stop` before the files are gone. At most
/// `requests_max` blocks that nobody has used wait, of eight times `bytes_max` at most, and of the used ones as many as fit into `bytes_max`.
template <log_files Files, log_syncer Reader>
class ColdBlocks
{
public:
    /// More than there can be readers: the followers, whether they are sent entries or a snapshot, and the state machine, whether it is given
    /// entries or a snapshot; each with a block at hand and one ahead.
    static constexpr std::size_t requests_max = 34;

    struct Block
    {
        BlockPlace                                    begin;
        std::uint64_t                                 size = 0;
        std::shared_ptr<std::vector<std::byte> const> bytes; ///< Null if it could not be read.
        std::uint64_t got = 0; ///< So many of the bytes are in the file; the others are 0.
        FileError     failure;
        bool          is_used = false;

        [[nodiscard]] bool holds(BlockPlace const& place, std::uint64_t bytes_from_there) const
        {
            return begin.is_in_file_of(place) and begin.offset <= place.offset and
                   place.offset + bytes_from_there <= begin.offset + size;
        }
    };

    ColdBlocks(Files& files, std::uint64_t bytes_max) : files_(files), bytes_max_(bytes_max) {}

    ColdBlocks(ColdBlocks const&) = delete;
    ColdBlocks& operator=(ColdBlocks const&) = delete;
    ~ColdBlocks() { stop(); }

    /// Sets the function called on the thread whenever a block has come. The one before is not running any more when this returns.
    void set_wake(std::function<void()> wake)
    {
        auto const lock = std::lock_guard{wake_mutex_};
        wake_ = std::move(wake);
    }

    /// A block with so many bytes from a place on, if one is at hand; one that could not be read is given out once.
    [[nodiscard]] std::optional<Block> find(BlockPlace const& place, std::uint64_t bytes)
    {
        auto const lock = std::lock_guard{mutex_};
        auto const found =
            std::find_if(blocks_.begin(), blocks_.end(), [&](Block const& block) { return block.holds(place, bytes); });
        if (found == blocks_.end())
            return std::nullopt;
        auto block = std::move(*found);
        blocks_.erase(found);
        block.is_used = true;
        if (block.bytes != nullptr)
            blocks_.push_back(block);
        evict();
        return block;
    }

    /// Has a block read, if it is not at hand or asked for.
    void request(BlockPlace const& begin, std::uint64_t size)
    {
        auto const asked = Block{begin, size, nullptr, 0, {}, false};
        auto const holds = [&](Block const& block) { return block.holds(begin, size); };
        {
            auto const lock = std::lock_guard{mutex_};
            if (stopping_ or std::any_of(blocks_.begin(), blocks_.end(), holds) or
                std::any_of(requests_.begin(), requests_.end(), holds))
                return;
            if (requests_.size() == requests_max)
                requests_.pop_back();
            requests_.push_back(asked);
        }
        if (not reader_)
            reader_.emplace().start([this] { return work(); });
        reader_->request();
    }

    /// Drops what was read, is being read and is to be read of the snapshots for which `is_gone(number)`, and closes the file: its space is free
    /// once nobody has it open.
    template <typename IsGone>
    void drop_snapshots(IsGone is_gone)
    {
        if (not reader_)
            return;
        {
            auto const lock = std::lock_guard{mutex_};
            auto const is_of_one = [&](Block const& block) {
                return block.begin.is_snapshot and is_gone(block.begin.number);
            };
            std::erase_if(blocks_, is_of_one);
            std::erase_if(requests_, is_of_one);
            closes_ = true;
        }
        reader_->request();
    }

    /// Waits for the read that is running, and drops the others.
    void stop()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            stopping_ = true;
        }
        if (reader_)
            reader_->stop();
    }

private:
    /// Reads the next block. Returns whether there are more.
    [[nodiscard]] bool work()
    {
        auto lock = std::unique_lock{mutex_};
        if (std::exchange(closes_, false))
            file_.reset();
        if (requests_.empty())
            return false;
        auto block = requests_.front(); // It stays there, so that it is not asked for twice.
        lock.unlock();
        if (auto const thrown = attempt("reading what is cold", [&] { fill(block); }))
            block.failure = {ENOMEM, *thrown}; // Nothing here throws but for want of memory.
        lock.lock();
        // What was dropped meanwhile is of no use to anybody.
        if (not requests_.empty() and requests_.front().begin.is_in_file_of(block.begin) and
            requests_.front().begin.offset == block.begin.offset) {
            requests_.pop_front();
            static_cast<void>(attempt("keeping it", [&] { keep(std::move(block)); }));
        }
        auto const more = not requests_.empty() or closes_;
        lock.unlock();
        auto const in_wake = std::lock_guard{wake_mutex_}; // One that was taken back is not called.
        if (wake_)
            wake_();
        return more;
    }

    void fill(Block& block)
    {
        auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(block.size));
        if (not file_ or not of_file_.is_in_file_of(block.begin)) {
            file_.reset();
            auto opened = files_.open(block.begin.file_name());
            if (not opened) {
                block.failure = opened.error();
                return;
            }
            file_.emplace(std::move(*opened));
            of_file_ = block.begin;
        }
        auto const got = file_->read(block.begin.offset, *bytes);
        if (not got) {
            block.failure = got.error();
            return;
        }
        block.got = *got;
        block.bytes = std::move(bytes);
    }

    /// Without the memory for it the block is lost, and asked for again.
    void keep(Block block)
    {
        blocks_.push_back(std::move(block));
        evict();
    }

    static constexpr std::uint64_t unused_factor = 8;

    /// Drops the oldest blocks that were used, and of the others only what nobody asks for any more: if they were bounded like the used ones,
    /// readers of large entries would drop each other's.
    void evict()
    {
        auto bytes = std::uint64_t{0};
        auto unused = std::size_t{0};
        auto unused_bytes = std::uint64_t{0};
        for (auto const& block : blocks_) {
            (block.is_used ? bytes : unused_bytes) += block.size;
            unused += block.is_used ? 0U : 1U;
        }
        for (auto at = blocks_.begin(); at != blocks_.end();) {
            auto const is_much =
                unused > 1 and (unused > requests_max or unused_bytes > mul_sat(unused_factor, bytes_max_));
            auto const is_dropped = at->is_used ? bytes > bytes_max_ : is_much;
            if (is_dropped) {
                (at->is_used ? bytes : unused_bytes) -= at->size;
                unused -= at->is_used ? 0U : 1U;
            }
            at = is_dropped ? blocks_.erase(at) : at + 1;
        }
    }

    Files&                              files_;
    std::uint64_t                       bytes_max_;
    std::mutex                          mutex_;
    std::mutex                          wake_mutex_;
    std::function<void()>               wake_;
    std::deque<Block>                   requests_; ///< The first is being read.
    std::vector<Block>                  blocks_;   ///< The one that was used last is the last.
    bool                                stopping_ = false;
    bool                                closes_ = false; ///< The file may be gone.
    std::optional<typename Files::File> file_;           ///< The last one read from; the thread's, and so is the next.
    BlockPlace                          of_file_;
    std::optional<Reader>               reader_;
};

} // namespace totora::inline v0
