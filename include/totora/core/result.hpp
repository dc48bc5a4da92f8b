// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>
#include <variant>

namespace totora
{

/// A failure on its way into a `Result`.
template <typename E>
struct Unexpected
{
    E error;
};

template <typename E>
Unexpected(E) -> Unexpected<E>;

/// A value, or the reason why there is none. Borrows the names of `std::expected` (C++23) until we have it.
template <typename T, typename E>
class [[nodiscard]] Result
{
public:
    constexpr Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
    constexpr Result(Unexpected<E> failure) : held_(std::in_place_index<1>, std::move(failure.error)) {}

    [[nodiscard]] constexpr bool has_value() const { return held_.index() == 0; }
    [[nodiscard]] constexpr explicit operator bool() const { return has_value(); }

    /// The value. Only if `has_value()`.
    [[nodiscard]] constexpr T& operator*() & { return *std::get_if<0>(&held_); }
    [[nodiscard]] constexpr T const& operator*() const& { return *std::get_if<0>(&held_); }
    [[nodiscard]] constexpr T&& operator*() && { return std::move(*std::get_if<0>(&held_)); }
    [[nodiscard]] constexpr T* operator->() { return std::get_if<0>(&held_); }
    [[nodiscard]] constexpr T const* operator->() const { return std::get_if<0>(&held_); }

    /// The reason. Only if not `has_value()`.
    [[nodiscard]] constexpr E const& error() const { return *std::get_if<1>(&held_); }

private:
    std::variant<T, E> held_;
};

} // namespace totora
