// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bucket.hpp"
#include "shared.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace kv
{

/// The buckets of a table, which grows without moving what it holds. A copy shares all of them, and takes a pointer for each chunk of 64:
/// of 4 million keys a copy of 64,000 pointers.
class BucketTable
{
public:
    BucketTable() = default;
    BucketTable(BucketTable&&) = default;
    BucketTable& operator=(BucketTable&&) = default;

    [[nodiscard]] std::size_t   size() const { return size_; }
    [[nodiscard]] Bucket const& operator[](std::size_t index) const
    {
        return chunks_[index / chunk_size]->buckets[index % chunk_size];
    }

    /// A bucket to be changed.
    [[nodiscard]] Bucket& own(std::size_t index)
    {
        return chunks_[index / chunk_size].own().buckets[index % chunk_size];
    }

    /// Adds an empty bucket.
    void add()
    {
        if (size_ % chunk_size == 0)
            chunks_.emplace_back(new Chunk);
        ++size_;
    }

    /// The same buckets once more.
    [[nodiscard]] BucketTable share() const
    {
        auto copy = BucketTable{};
        copy.size_ = size_;
        for (auto const& chunk : chunks_)
            copy.chunks_.push_back(chunk.share());
        return copy;
    }

    /// Frees the memory of about `count` keys, from the end on. How many were not needed; the table is empty then.
    [[nodiscard]] std::size_t free_some(std::size_t count)
    {
        for (; count > 0 and not chunks_.empty(); --count) {
            if (not chunks_.back().is_sole()) {
                drop_last();
                continue;
            }
            auto& bucket = chunks_.back().own().buckets[freed_];
            if (not bucket.empty())
                bucket.free_some();
            else if (++freed_ == chunk_size)
                drop_last();
        }
        return count;
    }

private:
    static constexpr std::size_t chunk_size = 64;

    struct Chunk : Owners
    {
        std::array<Bucket, chunk_size> buckets;
    };

    void drop_last()
    {
        chunks_.pop_back();
        freed_ = 0;
    }

    std::deque<Shared<Chunk>> chunks_;
    std::size_t               size_ = 0;
    std::size_t               freed_ = 0; ///< Buckets of the last chunk that are empty, while the table is freed.
};

/// Tables that nobody reads any more. Freeing a large one takes seconds, so it is done bit by bit by who owns the store.
class RemovedTables
{
public:
    /// Any thread may call it.
    void add(BucketTable table)
    {
        auto const lock = std::lock_guard{mutex_};
        added_.push_back(std::move(table));
    }

    [[nodiscard]] bool empty()
    {
        collect();
        return tables_.empty();
    }

    /// Frees the memory of about `count` keys. Whether there are more.
    [[nodiscard]] bool free_some(std::size_t count)
    {
        collect();
        while (count > 0 and not tables_.empty()) {
            count = tables_.back().free_some(count);
            if (count > 0)
                tables_.pop_back();
        }
        return not tables_.empty();
    }

private:
    void collect()
    {
        auto const lock = std::lock_guard{mutex_};
        for (auto& table : added_)
            tables_.push_back(std::move(table));
        added_.clear();
    }

    std::mutex               mutex_;
    std::vector<BucketTable> added_;
    std::vector<BucketTable> tables_; ///< Only for who frees.
};

} // namespace kv
