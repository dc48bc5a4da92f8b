// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/entry.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
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
/// splits one bucket. Likewise all keys are removed at once, and their memory is freed bit by bit (`sweep`).
///
/// A scan visits the keys in the order of their hashes with the bits in reverse. A bucket goes by the lower bits of the
/// hash, so it is a range in that order, and its halves are too when it is split. So a position says all about how far a
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
        auto const& link = link_to(key, hash_of(key));
        return link == nullptr ? nullptr : &link->value;
    }
    [[nodiscard]] std::string* find(std::string_view key)
    {
        return const_cast<std::string*>(std::as_const(*this).find(key));
    }

    void put(std::string_view key, std::string_view value)
    {
        auto const hash = hash_of(key);
        auto&      link = link_to(key, hash);
        if (link != nullptr) {
            link->value.assign(value);
            return;
        }
        link = std::make_unique<Node>(Node{nullptr, hash, std::string{key}, std::string{value}});
        if (++size_ > buckets_.size())
            split();
    }

    /// Whether the key was there.
    bool erase(std::string_view key)
    {
        auto& link = link_to(key, hash_of(key));
        if (link == nullptr)
            return false;
        link = std::move(link->next);
        --size_;
        return true;
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
            auto& first = buckets.back();
            if (first == nullptr)
                buckets.pop_back();
            else
                first = std::move(first->next); // One by one: a chain that frees itself would recurse.
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
        auto const  place = place_of(reversed(position << unused_bits));
        auto const& first = buckets_[place.index];
        auto const  width = std::uint64_t{1} << (64 - unused_bits - place.bits);
        auto const  end = (position / width + 1) * width % positions;
        auto        nodes = std::vector<Node const*>{};
        for (auto const* node = first.get(); node != nullptr; node = node->next.get())
            if (position_of(*node) >= position)
                nodes.push_back(node);
        std::sort(nodes.begin(), nodes.end(),
                  [](auto const* one, auto const* other) { return position_of(*one) < position_of(*other); });
        auto goes_on = true;
        for (auto at = std::size_t{0}; at < nodes.size(); ++at) {
            // Keys that share a position are visited together: no position lies between them.
            if (not goes_on and position_of(*nodes[at]) != position_of(*nodes[at - 1]))
                return position_of(*nodes[at]);
            goes_on = visit(nodes[at]->key, nodes[at]->value) and goes_on;
        }
        return end;
    }

    [[nodiscard]] std::size_t buckets() const { return buckets_.size(); }

    /// The most keys that one write may move.
    [[nodiscard]] std::size_t largest_bucket() const
    {
        auto largest = std::size_t{0};
        for (auto const& first : buckets_) {
            auto count = std::size_t{0};
            for (auto const* node = first.get(); node != nullptr; node = node->next.get())
                ++count;
            largest = std::max(largest, count);
        }
        return largest;
    }

private:
    struct Node
    {
        std::unique_ptr<Node> next;
        std::uint64_t         hash;
        std::string           key;
        std::string           value;
    };
    using Link = std::unique_ptr<Node>;
    using Buckets = std::deque<Link>; ///< It grows without moving what it holds.

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

    [[nodiscard]] static constexpr std::uint64_t reversed(std::uint64_t bits)
    {
        bits = (bits >> 1U & 0x5555555555555555U) | (bits & 0x5555555555555555U) << 1U;
        bits = (bits >> 2U & 0x3333333333333333U) | (bits & 0x3333333333333333U) << 2U;
        bits = (bits >> 4U & 0x0F0F0F0F0F0F0F0FU) | (bits & 0x0F0F0F0F0F0F0F0FU) << 4U;
        bits = (bits >> 8U & 0x00FF00FF00FF00FFU) | (bits & 0x00FF00FF00FF00FFU) << 8U;
        bits = (bits >> 16U & 0x0000FFFF0000FFFFU) | (bits & 0x0000FFFF0000FFFFU) << 16U;
        return bits >> 32U | bits << 32U;
    }

    [[nodiscard]] static std::uint64_t position_of(Node const& node) { return reversed(node.hash) >> unused_bits; }

    /// The bucket of a hash. It goes by one bit more if that tells apart two buckets that are there.
    [[nodiscard]] Place place_of(std::uint64_t hash) const
    {
        auto const bits = static_cast<unsigned>(std::bit_width(buckets_.size()));
        auto const half = std::size_t{1} << (bits - 1);
        auto const lower = static_cast<std::size_t>(hash) & (half - 1);
        if ((lower | half) >= buckets_.size())
            return {lower, bits - 1};
        return {lower | (static_cast<std::size_t>(hash) & half), bits};
    }

    /// Where a key hangs, or would hang.
    [[nodiscard]] Link const& link_to(std::string_view key, std::uint64_t hash) const
    {
        auto const* link = &buckets_[place_of(hash).index];
        while (*link != nullptr and ((*link)->hash != hash or (*link)->key != key))
            link = &(*link)->next;
        return *link;
    }
    [[nodiscard]] Link& link_to(std::string_view key, std::uint64_t hash)
    {
        return const_cast<Link&>(std::as_const(*this).link_to(key, hash));
    }

    /// glibc puts small pieces that are freed aside, and merges them all when a large one is asked for or made: at the end of a
    /// million that took 0.3 s at once. So a large one is asked for after a few.
    static void merge_freed() { ::operator delete(::operator new(4'096)); }

    /// Adds a bucket, and moves those keys into it that belong there. They all come from one.
    void split()
    {
        auto const bit = std::bit_floor(buckets_.size());
        auto&      from = buckets_[buckets_.size() - bit];
        auto&      to = buckets_.emplace_back();
        auto       rest = std::move(from);
        while (rest != nullptr) {
            auto  node = std::exchange(rest, std::move(rest->next));
            auto& home = (node->hash & bit) != 0 ? to : from;
            node->next = std::move(home);
            home = std::move(node);
        }
    }

    Buckets              buckets_;
    std::size_t          size_ = 0;
    std::vector<Buckets> removed_; ///< What `clear` removed and `sweep` has not freed.
};

} // namespace kv
