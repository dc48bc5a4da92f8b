// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
/// whatever order they come. A node's priority is computed from its address and a number that the process keeps secret,
/// so it takes no memory. The shape differs from server to server; the order does not.
class Bucket
{
public:
    struct Node
    {
        Node(std::uint64_t hash_of_key, std::string_view new_key, std::string_view new_value)
            : hash(hash_of_key), key(new_key), value(new_value)
        {}

        std::unique_ptr<Node> before;
        std::unique_ptr<Node> after;
        std::uint64_t         hash;
        std::string           key;
        std::string           value;
    };

    /// Makes priorities that nobody can predict.
    class Priorities
    {
    public:
        Priorities()
        {
            auto device = std::random_device{};
            secret_ = std::uint64_t{device()} << 32U | device();
        }

        /// The mixing function of SplitMix64 (Steele, Lea and Flood 2014).
        [[nodiscard]] std::uint64_t of(Node const* node) const
        {
            auto mixed = reinterpret_cast<std::uintptr_t>(node) ^ secret_;
            mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
            mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
            return mixed ^ mixed >> 31U;
        }

    private:
        std::uint64_t secret_ = 0;
    };

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

    /// Adds a key that is not there.
    void insert(std::string_view key, std::uint64_t hash, std::string_view value, Priorities const& priorities)
    {
        auto  node = std::make_unique<Node>(hash, key, value);
        auto* link = &root_;
        if (*link != nullptr) {
            auto const priority = priorities.of(node.get());
            while (*link != nullptr and priorities.of(link->get()) >= priority)
                link = precedes(key, hash, **link) ? &(*link)->before : &(*link)->after;
            if (*link != nullptr)
                divide(std::move(*link), node->before, node->after,
                       [&](Node const& other) { return not precedes(key, hash, other); });
        }
        *link = std::move(node);
    }

    /// Whether the key was there.
    bool erase(std::string_view key, std::uint64_t hash, Priorities const& priorities)
    {
        auto* link = &root_;
        while (*link != nullptr and ((*link)->hash != hash or (*link)->key != key))
            link = precedes(key, hash, **link) ? &(*link)->before : &(*link)->after;
        if (*link == nullptr)
            return false;
        auto const node = std::move(*link);
        join(*link, std::move(node->before), std::move(node->after), priorities);
        return true;
    }

    /// Moves the keys whose hashes have this bit to another bucket, which is empty. All lower bits of the hashes here are alike, so
    /// these keys are the last in the order.
    void split(std::uint64_t bit, Bucket& to)
    {
        divide(std::move(root_), root_, to.root_, [&](Node const& node) { return (node.hash & bit) == 0; });
    }

    /// Frees one node, or brings the first one closer to the root: as often as there are nodes, at most. Nothing recurses.
    void free_some()
    {
        if (root_->before == nullptr) {
            root_ = std::move(root_->after);
            return;
        }
        auto first = std::move(root_->before);
        root_->before = std::move(first->after);
        first->after = std::move(root_);
        root_ = std::move(first);
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
    using Link = std::unique_ptr<Node>;

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
            if (is_first(*tree)) {
                *end_of_first = std::move(tree);
                auto& after = (*end_of_first)->after;
                tree = std::move(after);
                end_of_first = &after;
            } else {
                *begin_of_rest = std::move(tree);
                auto& before = (*begin_of_rest)->before;
                tree = std::move(before);
                begin_of_rest = &before;
            }
        }
    }

    /// Makes one tree of two, of which one comes first.
    static void join(Link& to, Link first, Link rest, Priorities const& priorities)
    {
        auto* link = &to;
        while (first != nullptr and rest != nullptr) {
            if (priorities.of(first.get()) > priorities.of(rest.get())) {
                *link = std::move(first);
                link = &(*link)->after;
                first = std::move(*link);
            } else {
                *link = std::move(rest);
                link = &(*link)->before;
                rest = std::move(*link);
            }
        }
        *link = first != nullptr ? std::move(first) : std::move(rest);
    }

    Link root_;
};

} // namespace kv
