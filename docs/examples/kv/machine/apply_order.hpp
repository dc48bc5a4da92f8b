// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace kv
{

/// Who looks at the state machine right before a command is applied: the reads that a client sent before that command.
///
/// A command is known by its index and term, before it is applied. If another command comes to stand at its index, or none at
/// all, nobody looks.
class ApplyOrder
{
public:
    /// To be called once, on the node's thread, from within its turn: it must not throw, and calls nothing of the node.
    using Action = std::function<void()>;

    using Key = std::pair<totora::LogPosition, std::uint64_t>;

    /// A place in the order; it is given up with its owner.
    class Place
    {
    public:
        Place() = default;
        Place(Place&& other) noexcept : order_(std::exchange(other.order_, nullptr)), key_(other.key_) {}
        Place& operator=(Place&& other) noexcept
        {
            std::swap(order_, other.order_);
            std::swap(key_, other.key_);
            return *this;
        }
        ~Place()
        {
            if (order_ != nullptr)
                order_->waiting_.erase(key_);
        }

    private:
        friend ApplyOrder;

        Place(ApplyOrder& order, Key const& key) : order_(&order), key_(key) {}

        ApplyOrder* order_ = nullptr;
        Key         key_;
    };

    ApplyOrder() = default;
    ApplyOrder(ApplyOrder const&) = delete;
    ApplyOrder& operator=(ApplyOrder const&) = delete;

    /// Calls `action` right before the command at `position` is applied, after those who asked before. The order outlives the place.
    [[nodiscard]] Place before(totora::LogPosition position, Action action)
    {
        auto const key = Key{position, ++count_};
        waiting_.emplace(key, std::move(action));
        return Place{*this, key};
    }

    /// To be called before each command is applied, on every server, with its position.
    void reach(totora::LogPosition position)
    {
        while (not waiting_.empty() and waiting_.begin()->first.first.index <= position.index) {
            auto const one = waiting_.extract(waiting_.begin());
            if (one.key().first == position)
                one.mapped()();
        }
    }

    [[nodiscard]] std::size_t size() const { return waiting_.size(); }

private:
    struct ByIndex
    {
        [[nodiscard]] bool operator()(Key const& one, Key const& other) const
        {
            auto const index = one.first.index;
            return index < other.first.index or (index == other.first.index and one.second < other.second);
        }
    };

    std::map<Key, Action, ByIndex> waiting_;
    std::uint64_t                  count_ = 0;
};

} // namespace kv
