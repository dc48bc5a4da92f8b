// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bucket.hpp"

#include "totora/data/entry.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv
{

/// Keys and their values: a hash table of which no call takes long, however many keys there are.
///
/// A hash table that grows moves all its keys at once: at 3 million of them that took longer than an election timeout, on all
/// servers with the same entry, and the leader was deposed. This one grows by linear hashing (Litwin 1980): each new key
/// splits one bucket, in steps that grow with the logarithm of what it holds. Likewise all keys are removed at once, and
/// their memory is freed bit by bit (`sweep`).
///
/// A scan visits the keys in the order of their hashes with the bits in reverse. A bucket goes by the lower bits of the
/// hash, so it is a range in that order, and its halves are too when it is split. So a position is all that is to know of how far a
/// scan is, whatever was written since, and on any server.
class Values
{
public:
    /// Positions have 53 bits, as some clients read a cursor as a floating-point number. They are below this.
    static constexpr std::uint64_t positions = std::uint64_t{1} << 53U;

    Values() { buckets_.emplace_back(); }

    Values(Values const&) = delete;
    Values& operator=(Values const&) = delete;
    ~Values()
    {
        clear();
        static_cast<void>(sweep(~std::size_t{0}));
    }

    /// The value of a key, or null.
    [[nodiscard]] std::string const* find(std::string_view key) const
    {
        auto const hash = hash_of(key);
        return buckets_[place_of(hash).index].find(key, hash);
    }
    [[nodiscard]] std::string* find(std::string_view key)
    {
        return const_cast<std::string*>(std::as_const(*this).find(key));
    }

    void put(std::string_view key, std::string_view value)
    {
        auto const hash = hash_of(key);
        auto&      bucket = buckets_[place_of(hash).index];
        if (auto const* const known = bucket.find(key, hash); known != nullptr) {
            const_cast<std::string*>(known)->assign(value);
            return;
        }
        bucket.insert(key, hash, value, priorities_);
        if (++size_ > buckets_.size())
            split();
    }

    /// Whether the key was there.
    bool erase(std::string_view key)
    {
        auto const hash = hash_of(key);
        auto const was_there = buckets_[place_of(hash).index].erase(key, hash, priorities_);
        size_ -= was_there ? 1 : 0;
        return was_there;
    }

    /// Removes all keys; `sweep` frees their memory.
    void clear()
    {
        auto none = Buckets(1);
        removed_.push_back(std::exchange(buckets_, std::move(none)));
        size_ = 0;
    }

    /// Frees the memory of keys that `clear` removed: of about `count` at most. Whether there are more.
    [[nodiscard]] bool sweep(std::size_t count)
    {
        if (removed_.empty())
            return false;
        while (count > 0 and not removed_.empty()) {
            auto& buckets = removed_.back();
            if (buckets.empty()) {
                removed_.pop_back();
                continue;
            }
            if (buckets.back().empty())
                buckets.pop_back();
            else
                buckets.back().free_some();
            --count;
        }
        merge_freed();
        return not removed_.empty();
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
        for (auto const& bucket : buckets_)
            largest = std::max(largest, bucket.size());
        return largest;
    }

    /// The most nodes that a search may look at.
    [[nodiscard]] std::size_t deepest_bucket() const
    {
        auto deepest = std::size_t{0};
        for (auto const& bucket : buckets_)
            deepest = std::max(deepest, bucket.depth());
        return deepest;
    }

private:
    using Buckets = std::deque<Bucket>; ///< It grows without moving what it holds.

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
        auto&      from = buckets_[buckets_.size() - bit];
        from.split(bit, buckets_.emplace_back());
    }

    Bucket::Priorities   priorities_;
    Buckets              buckets_;
    std::size_t          size_ = 0;
    std::vector<Buckets> removed_; ///< What `clear` removed and `sweep` has not freed.
};

} // namespace kv
