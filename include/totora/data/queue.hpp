// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// Makes room for `count` more, so that adding them cannot fail. Grows as a vector does.
template <typename T>
void make_room(std::vector<T>& items, std::size_t count)
{
    if (items.capacity() - items.size() < count)
        items.reserve(std::max(items.size() + count, 2 * items.capacity()));
}

/// First in, first out, in one block that is used again: what is emptied every turn stops allocating after a few. (A
/// `std::deque` allocates and frees a block every few elements, permanently.) References last until the next push or pop.
template <typename T>
class Queue
{
public:
    [[nodiscard]] bool        empty() const { return first_ == items_.size(); }
    [[nodiscard]] std::size_t size() const { return items_.size() - first_; }

    [[nodiscard]] T&       front() { return items_[first_]; }
    [[nodiscard]] T const& front() const { return items_[first_]; }
    [[nodiscard]] T&       back() { return items_.back(); }
    [[nodiscard]] T const& back() const { return items_.back(); }

    [[nodiscard]] T&       operator[](std::size_t at) { return items_[first_ + at]; }
    [[nodiscard]] T const& operator[](std::size_t at) const { return items_[first_ + at]; }

    [[nodiscard]] auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
    [[nodiscard]] auto end() { return items_.end(); }
    [[nodiscard]] auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
    [[nodiscard]] auto end() const { return items_.end(); }

    /// Makes room for `count` more, so that adding them cannot fail.
    void make_room(std::size_t count)
    {
        if (items_.capacity() - items_.size() < count and first_ > items_.size() / 2)
            close_gap();
        totora::make_room(items_, count);
    }

    void push_back(T const& item) { emplace_back(item); }
    void push_back(T&& item) { emplace_back(std::move(item)); }

    template <typename... Arguments>
    void emplace_back(Arguments&&... arguments)
    {
        if (items_.size() == items_.capacity() and first_ > items_.size() / 2)
            close_gap();
        items_.emplace_back(std::forward<Arguments>(arguments)...);
    }

    /// Puts an item before the one that is at this place now, or after the last one.
    void insert(std::size_t place, T item)
    {
        items_.push_back(std::move(item));
        for (auto at = size() - 1; at > place; --at)
            std::swap((*this)[at], (*this)[at - 1]);
    }

    /// Takes the first one out: what it holds is the caller's now, and no longer kept here.
    T pop_front()
    {
        auto item = std::move(items_[first_]);
        if (++first_ == items_.size())
            clear();
        return item;
    }

    /// Forgets the first one, which nobody needs any more. What it holds goes when the queue is empty, or makes room.
    void drop_front()
    {
        if (++first_ == items_.size())
            clear();
    }

    T pop_back()
    {
        auto item = std::move(items_.back());
        items_.pop_back();
        if (first_ == items_.size())
            clear();
        return item;
    }

    /// Takes out all for which `unwanted` holds.
    template <typename Unwanted>
    void erase_if(Unwanted unwanted)
    {
        items_.erase(std::remove_if(begin(), end(), unwanted), end());
        if (first_ == items_.size())
            clear();
    }

    void clear()
    {
        items_.clear();
        first_ = 0;
    }

private:
    void close_gap()
    {
        for (auto at = first_; at < items_.size(); ++at)
            items_[at - first_] = std::move(items_[at]);
        for (; first_ > 0; --first_)
            items_.pop_back();
    }

    std::vector<T> items_;
    std::size_t    first_ = 0; ///< Those before it were taken out.
};

} // namespace totora::inline v0
