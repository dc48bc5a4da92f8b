// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "shared.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kv
{

/// 64 bits in reverse.
[[nodiscard]] constexpr std::uint64_t reversed(std::uint64_t bits)
{
    bits = (bits >> 1U & 0x5555555555555555U) | (bits & 0x5555555555555555U) << 1U;
    bits = (bits >> 2U & 0x3333333333333333U) | (bits & 0x3333333333333333U) << 2U;
    bits = (bits >> 4U & 0x0F0F0F0F0F0F0F0FU) | (bits & 0x0F0F0F0F0F0F0F0FU) << 4U;
    bits = (bits >> 8U & 0x00FF00FF00FF00FFU) | (bits & 0x00FF00FF00FF00FFU) << 8U;
    bits = (bits >> 16U & 0x0000FFFF0000FFFFU) | (bits & 0x0000FFFF0000FFFFU) << 16U;
    return bits >> 32U | bits << 32U;
}

/// The keys of one bucket of `Values`, in the order of a scan: by the hash with its bits in reverse, then by the key.
///
/// Almost all buckets hold a few keys. But the hash is the same on every server, so anybody can compute keys that share one, and a
/// list of 20,000 such keys made a single EXISTS of all of them outlast an election timeout. Hence a treap (Seidel and Aragon
/// 1996): a search tree that is also a heap by random priorities, whose depth is logarithmic whatever keys are chosen and in
/// whatever order they come. The shape differs from server to server; the order does not.
///
/// A copy shares all nodes, and each change copies the nodes on its way that are shared (path copying: Driscoll, Sarnak, Sleator and
/// Tarjan 1989). So a copy stays as it is, at the price of one pointer.
class Bucket
{
public:
    struct Node : Owners
    {
        Node(std::uint32_t drawn, std::uint64_t hash_of_key, std::string_view new_key, std::string_view new_value)
            : priority(drawn), hash(hash_of_key), key(new_key), value(new_value)
        {}
        Node(Node const& other)
            : Owners(), priority(other.priority), hash(other.hash), before(other.before.share()),
              after(other.after.share()), key(other.key), value(other.value)
        {}
        Node& operator=(Node const&) = delete;

        std::uint32_t priority;
        std::uint64_t hash;
        Shared<Node>  before;
        Shared<Node>  after;
        std::string   key;
        std::string   value;
    };

    /// Makes priorities that nobody can predict: SplitMix64 (Steele, Lea and Flood 2014) of a number that the process keeps secret.
    class Priorities
    {
    public:
        Priorities()
        {
            auto device = std::random_device{};
            state_ = std::uint64_t{device()} << 32U | device();
        }

        [[nodiscard]] std::uint32_t draw()
        {
            auto mixed = state_ += 0x9E3779B97F4A7C15U;
            mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
            mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
            return static_cast<std::uint32_t>(mixed >> 32U);
        }

    private:
        std::uint64_t state_ = 0;
    };

    Bucket() = default;
    Bucket(Bucket const& other) : root_(other.root_.share()) {}
    Bucket& operator=(Bucket const&) = delete;

    [[nodiscard]] bool empty() const { return root_ == nullptr; }

    /// The value of a key, or null.
    [[nodiscard]] std::string const* find(std::string_view key, std::uint64_t hash) const
    {
        auto const* node = root_.get();
        while (node != nullptr) {
            if (node->hash == hash) {
                auto const order = key.compare(node->key);
                if (order == 0)
                    return &node->value;
                node = order < 0 ? node->before.get() : node->after.get();
            } else {
                node = precedes(hash, node->hash) ? node->before.get() : node->after.get();
            }
        }
        return nullptr;
    }

    /// The value of a key, to be changed. The key is there.
    [[nodiscard]] std::string& own_value(std::string_view key, std::uint64_t hash)
    {
        auto* link = &root_;
        while (true) {
            auto& node = link->own();
            if (node.hash == hash and node.key == key)
                return node.value;
            link = precedes(key, hash, node) ? &node.before : &node.after;
        }
    }

    /// Adds a key that is not there.
    void insert(std::string_view key, std::uint64_t hash, std::string_view value, Priorities& priorities)
    {
        auto* const node = new Node(priorities.draw(), hash, key, value);
        auto        made = Link{node};
        auto*       link = &root_;
        while (*link != nullptr and (*link)->priority >= node->priority) {
            auto& passed = link->own();
            link = precedes(key, hash, passed) ? &passed.before : &passed.after;
        }
        divide(std::move(*link), node->before, node->after,
               [&](Node const& other) { return not precedes(key, hash, other); });
        *link = std::move(made);
    }

    /// Removes a key that is there.
    void erase(std::string_view key, std::uint64_t hash)
    {
        auto* link = &root_;
        while ((*link)->hash != hash or (*link)->key != key) {
            auto& passed = link->own();
            link = precedes(key, hash, passed) ? &passed.before : &passed.after;
        }
        auto node = std::move(*link);
        auto before = Link{};
        auto after = Link{};
        if (node.is_sole()) {
            auto& removed = node.own();
            before = std::move(removed.before);
            after = std::move(removed.after);
        } else {
            before = node->before.share();
            after = node->after.share();
        }
        node = Link{}; // What follows is no longer shared with it.
        join(*link, std::move(before), std::move(after));
    }

    /// Moves the keys whose hashes have this bit to another bucket, which is empty. All lower bits of the hashes here are alike, so
    /// these keys are the last in the order.
    void split(std::uint64_t bit, Bucket& to)
    {
        divide(std::move(root_), root_, to.root_, [&](Node const& node) { return (node.hash & bit) == 0; });
    }

    /// Frees one node, brings the first one closer to the root, or lets go of some that are shared: as often as there are nodes, twice
    /// at most. Nothing recurses.
    void free_some()
    {
        if (not root_.is_sole()) {
            root_ = Link{};
            return;
        }
        auto& root = root_.own();
        if (root.before == nullptr) {
            auto rest = std::move(root.after);
            root_ = std::move(rest);
        } else if (not root.before.is_sole()) {
            root.before = Link{};
        } else {
            auto  first = std::move(root.before);
            auto& raised = first.own();
            root.before = std::move(raised.after);
            raised.after = std::move(root_);
            root_ = std::move(first);
        }
    }

    /// Calls `visit(node)` in the order of the keys until it returns false. Keys for which `is_before(node)` holds are left out: the
    /// first ones in the order.
    template <typename IsBefore, typename Visit>
    void walk(IsBefore is_before, Visit visit) const
    {
        auto path = std::vector<Node const*>{}; // To be visited, and then what comes after each.
        for (auto const* node = root_.get(); node != nullptr;) {
            auto const left_out = is_before(*node);
            if (not left_out)
                path.push_back(node);
            node = left_out ? node->after.get() : node->before.get();
        }
        while (not path.empty()) {
            auto const* const node = path.back();
            path.pop_back();
            if (not visit(*node))
                return;
            for (auto const* next = node->after.get(); next != nullptr; next = next->before.get())
                path.push_back(next);
        }
    }

    [[nodiscard]] std::size_t size() const
    {
        auto count = std::size_t{0};
        walk([](Node const&) { return false; }, [&](Node const&) { return ++count > 0; });
        return count;
    }

    /// The length of the longest way from the root to a key.
    [[nodiscard]] std::size_t depth() const
    {
        auto deepest = std::size_t{0};
        auto level = std::vector<Node const*>{};
        if (root_ != nullptr)
            level.push_back(root_.get());
        for (; not level.empty(); ++deepest) {
            auto next = std::vector<Node const*>{};
            for (auto const* const node : level)
                for (auto const* const child : {node->before.get(), node->after.get()})
                    if (child != nullptr)
                        next.push_back(child);
            level = std::move(next);
        }
        return deepest;
    }

private:
    using Link = Shared<Node>;

    /// The order of different hashes: the lowest bit in which they differ decides.
    [[nodiscard]] static bool precedes(std::uint64_t hash, std::uint64_t other)
    {
        auto const different = hash ^ other;
        return (other & (different & (~different + 1))) != 0;
    }
    [[nodiscard]] static bool precedes(std::string_view key, std::uint64_t hash, Node const& other)
    {
        return hash == other.hash ? key < other.key : precedes(hash, other.hash);
    }

    /// Divides a tree in two: the nodes that are first in the order, by `is_first(node)`, and the others.
    template <typename IsFirst>
    static void divide(Link tree, Link& first, Link& rest, IsFirst is_first)
    {
        auto* end_of_first = &first;
        auto* begin_of_rest = &rest;
        while (tree != nullptr) {
            auto& node = tree.own();
            if (is_first(node)) {
                auto after = std::move(node.after);
                *end_of_first = std::move(tree);
                end_of_first = &node.after;
                tree = std::move(after);
            } else {
                auto before = std::move(node.before);
                *begin_of_rest = std::move(tree);
                begin_of_rest = &node.before;
                tree = std::move(before);
            }
        }
    }

    /// Makes one tree of two, of which one comes first.
    static void join(Link& to, Link first, Link rest)
    {
        auto* link = &to;
        while (first != nullptr and rest != nullptr) {
            auto& higher = first->priority > rest->priority ? first : rest;
            auto& node = higher.own();
            auto& child = &higher == &first ? node.after : node.before;
            auto  remaining = std::move(child);
            *link = std::move(higher);
            link = &child;
            higher = std::move(remaining);
        }
        *link = first != nullptr ? std::move(first) : std::move(rest);
    }

    Link root_;
};

} // namespace kv
