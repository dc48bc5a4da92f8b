// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/attempt.hpp"
#include "totora/log/segmented/entry_index.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/policy/files.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Reads parts of segments on a thread of its own, so that a slow disk does not hold up the node, and keeps them until they are
/// used.
///
/// A block is named by its place, and a place is written once: so it does not matter which entries were truncated, compacted or
/// replaced while it was read. Who takes entries out of a block checks them.
///
/// The thread begins with the first request. The node calls all functions; `stop` before the files are gone. At most
/// `requests_max` blocks that nobody has used wait, of eight times `bytes_max` at most, and of the used ones as many as fit into `bytes_max`.
template <log_files Files>
class ColdBlocks
{
public:
    /// More than there can be readers: the followers and the state machine, each with a block at hand and one ahead.
    static constexpr std::size_t requests_max = 34;

    struct Block
    {
        EntryPlace                                    begin;
        std::uint64_t                                 size = 0;
        std::shared_ptr<std::vector<std::byte> const> bytes; ///< Null if it could not be read.
        FileError                                     failure;
        bool                                          is_used = false;

        [[nodiscard]] bool holds(EntryPlace place, std::uint64_t bytes_from_there) const
        {
            return begin.segment == place.segment and begin.offset <= place.offset and
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
    [[nodiscard]] std::optional<Block> find(EntryPlace place, std::uint64_t bytes)
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
    void request(EntryPlace begin, std::uint64_t size)
    {
        auto const asked = Block{begin, size, nullptr, {}, false};
        auto const holds = [&](Block const& block) { return block.holds(begin, size); };
        {
            auto const lock = std::lock_guard{mutex_};
            if (stopping_ or std::any_of(blocks_.begin(), blocks_.end(), holds) or
                std::any_of(requests_.begin(), requests_.end(), holds))
                return;
            if (requests_.size() == requests_max)
                requests_.pop_back();
            requests_.push_back(asked);
            if (not thread_.joinable())
                thread_ = std::thread{[this] { run(); }};
        }
        changed_.notify_one();
    }

    /// Waits for the read that is running, and drops the others.
    void stop()
    {
        {
            auto const lock = std::lock_guard{mutex_};
            stopping_ = true;
        }
        changed_.notify_one();
        if (thread_.joinable())
            thread_.join();
    }

private:
    void run()
    {
        auto lock = std::unique_lock{mutex_};
        while (true) {
            changed_.wait(lock, [&] { return stopping_ or not requests_.empty(); });
            if (stopping_)
                return;
            auto block = requests_.front(); // It stays there, so that it is not asked for twice.
            lock.unlock();
            if (auto const thrown = attempt("reading entries", [&] { fill(block); }))
                block.failure = {ENOMEM, *thrown}; // Nothing here throws but for want of memory.
            lock.lock();
            requests_.pop_front();
            static_cast<void>(attempt("keeping entries", [&] { keep(std::move(block)); }));
            lock.unlock();
            {
                auto const in_wake = std::lock_guard{wake_mutex_}; // One that was taken back is not called.
                if (wake_)
                    wake_();
            }
            lock.lock();
        }
    }

    void fill(Block& block)
    {
        auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(block.size));
        if (not file_ or generation_ != block.begin.segment) {
            file_.reset();
            auto opened = files_.open(segment_name(block.begin.segment));
            if (not opened) {
                block.failure = opened.error();
                return;
            }
            file_.emplace(std::move(*opened));
            generation_ = block.begin.segment;
        }
        if (auto const got = file_->read(block.begin.offset, *bytes); got)
            block.bytes = std::move(bytes);
        else
            block.failure = got.error();
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
            auto const is_much = unused > 1 and (unused > requests_max or unused_bytes > unused_factor * bytes_max_);
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
    std::condition_variable             changed_;
    std::mutex                          wake_mutex_;
    std::function<void()>               wake_;
    std::deque<Block>                   requests_; ///< The first is being read.
    std::vector<Block>                  blocks_;   ///< The one that was used last is the last.
    bool                                stopping_ = false;
    std::optional<typename Files::File> file_; ///< The last one read from; the thread's.
    std::uint64_t                       generation_ = 0;
    std::thread                         thread_;
};

} // namespace totora::inline v0
