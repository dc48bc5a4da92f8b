// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <memory>
#include <utility>

namespace totora::inline v0
{

/// A failure on its way into a `Result`.
template <typename E>
struct Unexpected
{
    E error;
};

template <typename E>
Unexpected(E) -> Unexpected<E>;

/// Thrown by `Result::value()` where there is none; `error` is the reason.
template <typename E>
class BadResultAccess : public std::exception
{
public:
    explicit BadResultAccess(E failure) : error(std::move(failure)) {}

    E error;

    [[nodiscard]] char const* what() const noexcept override { return "a Result has no value"; }
};

/// A value, or the reason why there is none. Borrows the names of `std::expected` (C++23) until we have it.
///
/// A union of our own, because a `std::variant` of a type that owns memory is no constant expression to clang.
template <typename T, typename E>
class [[nodiscard]] Result
{
public:
    constexpr Result(T value) : value_(std::move(value)), has_value_(true) {}
    constexpr Result(Unexpected<E> failure) : error_(std::move(failure.error)), has_value_(false) {}

    constexpr Result(Result const& other) : has_value_(other.has_value_)
    {
        if (has_value_)
            std::construct_at(std::addressof(value_), other.value_);
        else
            std::construct_at(std::addressof(error_), other.error_);
    }

    constexpr Result(Result&& other) noexcept : has_value_(other.has_value_)
    {
        if (has_value_)
            std::construct_at(std::addressof(value_), std::move(other.value_));
        else
            std::construct_at(std::addressof(error_), std::move(other.error_));
    }

    constexpr Result& operator=(Result other) noexcept
    {
        std::destroy_at(this);
        std::construct_at(this, std::move(other));
        return *this;
    }

    constexpr ~Result()
    {
        if (has_value_)
            std::destroy_at(std::addressof(value_));
        else
            std::destroy_at(std::addressof(error_));
    }

    [[nodiscard]] constexpr bool     has_value() const { return has_value_; }
    [[nodiscard]] constexpr explicit operator bool() const { return has_value_; }

    /// The value. Only if `has_value()`.
    [[nodiscard]] constexpr T&       operator*() & { return value_; }
    [[nodiscard]] constexpr T const& operator*() const& { return value_; }
    [[nodiscard]] constexpr T&&      operator*() && { return std::move(value_); }
    [[nodiscard]] constexpr T*       operator->() { return std::addressof(value_); }
    [[nodiscard]] constexpr T const* operator->() const { return std::addressof(value_); }

    /// The value. If there is none, throws `BadResultAccess<E>`; compiled without exceptions, only if `has_value()`. For programs and
    /// tests that have no other use for an error: nothing in the library calls it.
    [[nodiscard]] constexpr T&       value() & { return expect_value(), value_; }
    [[nodiscard]] constexpr T const& value() const& { return expect_value(), value_; }
    [[nodiscard]] constexpr T&&      value() && { return expect_value(), std::move(value_); }

    /// The reason. Only if not `has_value()`.
    [[nodiscard]] constexpr E const& error() const { return error_; }

private:
    constexpr void expect_value() const
    {
#if defined(__cpp_exceptions)
        if (not has_value_)
            throw BadResultAccess<E>{error_};
#endif
    }

    union
    {
        T value_;
        E error_;
    };
    bool has_value_;
};

} // namespace totora::inline v0
