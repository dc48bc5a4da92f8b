// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>

namespace totora::inline v0
{

/// A sequence of at most `capacity` values, stored in place and trivially copyable if `T` is.
///
/// What follows `size()` is always `T{}`, so that equal sequences are equal byte for byte.
template <typename T, std::size_t capacity>
class InplaceVector
{
public:
    using value_type = T;

    constexpr InplaceVector() = default;

    /// At most as many values as it can hold; others are left out.
    constexpr InplaceVector(std::initializer_list<T> values)
    {
        for (auto const& value : values)
            push_back(value);
    }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr bool        empty() const { return size_ == 0; }
    [[nodiscard]] constexpr bool        full() const { return size_ == capacity; }

    [[nodiscard]] constexpr T*       begin() { return values_.data(); }
    [[nodiscard]] constexpr T*       end() { return values_.data() + size_; }
    [[nodiscard]] constexpr T const* begin() const { return values_.data(); }
    [[nodiscard]] constexpr T const* end() const { return values_.data() + size_; }

    [[nodiscard]] constexpr T&       operator[](std::size_t position) { return values_[position]; }
    [[nodiscard]] constexpr T const& operator[](std::size_t position) const { return values_[position]; }
    [[nodiscard]] constexpr T&       back() { return values_[size_ - 1]; }
    [[nodiscard]] constexpr T const& back() const { return values_[size_ - 1]; }

    /// Appends a value; false, and nothing done, if the sequence is full.
    constexpr bool push_back(T const& value)
    {
        if (full())
            return false;
        values_[size_] = value;
        ++size_;
        return true;
    }

    /// Removes the first `count` values.
    constexpr void pop_front(std::size_t count)
    {
        std::move(begin() + count, end(), begin());
        truncate(size_ - count);
    }

    /// Keeps the first `count` values.
    constexpr void truncate(std::size_t count)
    {
        for (; size_ > count; --size_)
            values_[size_ - 1] = T{};
    }

    constexpr void clear() { truncate(0); }

    friend constexpr bool operator==(InplaceVector const& a, InplaceVector const& b)
    {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

private:
    std::array<T, capacity> values_{};
    std::size_t             size_ = 0;
};

} // namespace totora::inline v0
