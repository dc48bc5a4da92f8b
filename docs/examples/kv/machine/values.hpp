// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bucket.hpp"
#include "bucket_table.hpp"

#include "totora/data/entry.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// Keys and their values: a hash table of which no call takes long, however many keys there are.
///
/// A hash table that grows moves all its keys at once: at 3 million of them that took longer than an election timeout, on all
/// servers with the same entry, and the leader was deposed. This one grows by linear hashing (Litwin 1980): each new key
/// splits one bucket, in steps that grow with the logarithm of what it holds. Likewise all keys are removed at once, and
/// their memory is freed bit by bit (`sweep`). A capture of all keys shares them, and what is changed later is copied then.
///
/// A scan visits the keys in the order of their hashes with the bits in reverse. A bucket goes by the lower bits of the
/// hash, so it is a range in that order, and its halves are too when it is split. So a position is all that is to know of how far a
/// scan is, whatever was written since, and on any server.
class Values
{
public:
    /// Positions have 53 bits, as some clients read a cursor as a floating-point number. They are below this.
    static constexpr std::uint64_t positions = std::uint64_t{1} << 53U;

    /// All keys and values as they were at one moment. Any thread may read it, and let it go.
    class Capture
    {
    public:
        Capture(Capture&& other) = default;
        Capture& operator=(Capture&& other) noexcept
        {
            std::swap(buckets_, other.buckets_);
            std::swap(size_, other.size_);
            std::swap(removed_, other.removed_);
            return *this;
        }
        ~Capture()
        {
            if (removed_ != nullptr)
                removed_->add(std::move(buckets_));
        }

        [[nodiscard]] std::size_t size() const { return size_; }
        [[nodiscard]] std::size_t buckets() const { return buckets_.size(); }

        /// Calls `visit(key, value)` with the keys of a bucket.
        template <typename Visit>
        void walk(std::size_t bucket, Visit visit) const
        {
            buckets_[bucket].walk([](Bucket::Node const&) { return false; },
                                  [&](Bucket::Node const& node) { return visit(node.key, node.value), true; });
        }

    private:
        friend Values;

        Capture(BucketTable buckets, std::size_t size, std::shared_ptr<RemovedTables> removed)
            : buckets_(std::move(buckets)), size_(size), removed_(std::move(removed))
        {}

        BucketTable                    buckets_;
        std::size_t                    size_;
        std::shared_ptr<RemovedTables> removed_; ///< Null once moved from.
    };

    Values() { buckets_.add(); }

    Values(Values const&) = delete;
    Values& operator=(Values const&) = delete;
    ~Values()
    {
        clear();
        static_cast<void>(sweep(~std::size_t{0}));
    }

    /// What is there now. Takes as long as copying a pointer for every 64 keys.
    [[nodiscard]] Capture capture() const { return {buckets_.share(), size_, removed_}; }

    /// Frees another table, bit by bit.
    void discard(Values& other) { removed_->add(std::exchange(other.buckets_, BucketTable{})); }

    /// Puts the keys of another table, which is left with none, in place of these.
    void take(Values& other)
    {
        clear();
        std::swap(buckets_, other.buckets_);
        std::swap(size_, other.size_);
    }

    /// The value of a key, or null.
    [[nodiscard]] std::string const* find(std::string_view key) const
    {
        auto const hash = hash_of(key);
        return buckets_[place_of(hash).index].find(key, hash);
    }

    /// The value of a key, to be changed, or null.
    [[nodiscard]] std::string* find_to_change(std::string_view key)
    {
        auto const hash = hash_of(key);
        auto const index = place_of(hash).index;
        return buckets_[index].find(key, hash) == nullptr ? nullptr : &buckets_.own(index).own_value(key, hash);
    }

    void put(std::string_view key, std::string_view value)
    {
        if (auto* const known = find_to_change(key); known != nullptr) {
            known->assign(value);
            return;
        }
        auto const hash = hash_of(key);
        buckets_.own(place_of(hash).index).insert(key, hash, value, priorities_);
        if (++size_ > buckets_.size())
            split();
    }

    /// Whether the key was there.
    bool erase(std::string_view key)
    {
        auto const hash = hash_of(key);
        auto const index = place_of(hash).index;
        if (buckets_[index].find(key, hash) == nullptr)
            return false;
        buckets_.own(index).erase(key, hash);
        --size_;
        return true;
    }

    /// Removes all keys; `sweep` frees their memory.
    void clear()
    {
        auto none = BucketTable{};
        none.add();
        removed_->add(std::exchange(buckets_, std::move(none)));
        size_ = 0;
    }

    /// Frees the memory of keys that `clear` removed, and of those that only a capture still had: of about `count` at most. Whether
    /// there are more.
    [[nodiscard]] bool sweep(std::size_t count)
    {
        if (removed_->empty())
            return false;
        auto const more = removed_->free_some(count);
        merge_freed();
        return more;
    }

    [[nodiscard]] std::size_t size() const { return size_; }

    /// Calls `visit(key, value)` with the keys from a position on, in their order, until it returns false or the end of a
    /// bucket, which is near. The position to go on at; 0 if there are no more keys.
    template <typename Visit>
    [[nodiscard]] std::uint64_t walk(std::uint64_t position, Visit visit) const
    {
        auto const place = place_of(reversed(position << unused_bits));
        auto const width = std::uint64_t{1} << (64 - unused_bits - place.bits);
        auto const end = (position / width + 1) * width % positions;
        auto       next = end;
        auto       last = position;
        auto       goes_on = true;
        auto const is_before = [&](Bucket::Node const& node) { return position_of(node) < position; };
        buckets_[place.index].walk(is_before, [&](Bucket::Node const& node) {
            // Keys that share a position are visited together: no position lies between them.
            if (not goes_on and position_of(node) != last) {
                next = position_of(node);
                return false;
            }
            last = position_of(node);
            goes_on = visit(node.key, node.value) and goes_on;
            return true;
        });
        return next;
    }

    [[nodiscard]] std::size_t buckets() const { return buckets_.size(); }

    /// The most keys of one bucket.
    [[nodiscard]] std::size_t largest_bucket() const
    {
        auto largest = std::size_t{0};
        for (auto at = std::size_t{0}; at < buckets_.size(); ++at)
            largest = std::max(largest, buckets_[at].size());
        return largest;
    }

    /// The most nodes that a search may look at.
    [[nodiscard]] std::size_t deepest_bucket() const
    {
        auto deepest = std::size_t{0};
        for (auto at = std::size_t{0}; at < buckets_.size(); ++at)
            deepest = std::max(deepest, buckets_[at].depth());
        return deepest;
    }

private:
    struct Place
    {
        std::size_t index;
        unsigned    bits; ///< How many lower bits the hashes of its keys share.
    };

    static constexpr unsigned unused_bits = 11;

    /// The same on every server, so that a scan goes on at another one: MurmurHash64A (Appleby, public domain).
    [[nodiscard]] static std::uint64_t hash_of(std::string_view key)
    {
        constexpr auto factor = std::uint64_t{0xC6A4A7935BD1E995U};
        auto const     mixed = [](std::uint64_t word) {
            word *= factor;
            return (word ^ word >> 47U) * factor;
        };
        auto hash = key.size() * factor;
        auto bytes = std::as_bytes(std::span{key});
        for (; bytes.size() >= 8; bytes = bytes.subspan(8))
            hash = (hash ^ mixed(totora::get<std::uint64_t>(bytes.data()))) * factor;
        if (not bytes.empty()) {
            auto rest = std::uint64_t{0};
            for (auto at = bytes.size(); at-- > 0;)
                rest = rest << 8U | static_cast<std::uint64_t>(bytes[at]);
            hash = (hash ^ rest) * factor;
        }
        hash = (hash ^ hash >> 47U) * factor;
        return hash ^ hash >> 47U;
    }

    [[nodiscard]] static std::uint64_t position_of(Bucket::Node const& node)
    {
        return reversed(node.hash) >> unused_bits;
    }

    /// The bucket of a hash. It goes by one bit more if that distinguishes two buckets that are there.
    [[nodiscard]] Place place_of(std::uint64_t hash) const
    {
        auto const bits = static_cast<unsigned>(std::bit_width(buckets_.size()));
        auto const half = std::size_t{1} << (bits - 1);
        auto const lower = static_cast<std::size_t>(hash) & (half - 1);
        if ((lower | half) >= buckets_.size())
            return {lower, bits - 1};
        return {lower | (static_cast<std::size_t>(hash) & half), bits};
    }

    /// glibc puts small pieces that are freed aside, and merges them all when a large one is asked for or made: at the end of a
    /// million that took 0.3 s at once. So a large one is asked for after a few.
    static void merge_freed() { ::operator delete(::operator new(4'096)); }

    /// Adds a bucket, and moves those keys into it that belong there. They all come from one.
    void split()
    {
        auto const bit = std::bit_floor(buckets_.size());
        auto const from = buckets_.size() - bit;
        buckets_.add();
        buckets_.own(from).split(bit, buckets_.own(buckets_.size() - 1));
    }

    Bucket::Priorities             priorities_;
    BucketTable                    buckets_;
    std::size_t                    size_ = 0;
    std::shared_ptr<RemovedTables> removed_ = std::make_shared<RemovedTables>(); ///< What `sweep` has to free.
};

} // namespace kv
