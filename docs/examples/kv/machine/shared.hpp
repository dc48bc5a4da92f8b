// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace kv
{

/// How many own a value: a base of what `Shared` points to. A copy begins with one owner.
class Owners
{
public:
    Owners() = default;
    Owners(Owners const&) {}
    Owners& operator=(Owners const&) = delete;

private:
    template <typename T>
    friend class Shared;

    mutable std::atomic<std::uint32_t> count_{1};
};

/// One of the owners of a value, or of none. The only owner may change it; it is copied before that if there are others
/// (copy on write). Owners may be on different threads: one that lets go is done with reading.
template <typename T>
class Shared
{
public:
    Shared() = default;
    explicit Shared(T* made) : value_(made) {}
    Shared(Shared&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
    Shared& operator=(Shared&& other) noexcept
    {
        auto const before = Shared{std::exchange(value_, std::exchange(other.value_, nullptr))};
        return *this;
    }
    ~Shared()
    {
        if (value_ != nullptr and value_->Owners::count_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete value_;
    }

    /// One more owner.
    [[nodiscard]] Shared share() const
    {
        if (value_ != nullptr)
            value_->Owners::count_.fetch_add(1, std::memory_order_relaxed);
        return Shared{value_};
    }

    /// Whether there is no other owner. Only owners make owners, so that this stays true.
    [[nodiscard]] bool is_sole() const { return value_->Owners::count_.load(std::memory_order_acquire) == 1; }

    /// The value to be changed: a copy of its own, if there are other owners. Not for an owner of nothing.
    [[nodiscard]] T& own()
    {
        if (not is_sole())
            *this = Shared{new T(std::as_const(*value_))};
        return *value_;
    }

    [[nodiscard]] T const* get() const { return value_; }
    [[nodiscard]] T const& operator*() const { return *value_; }
    [[nodiscard]] T const* operator->() const { return value_; }

    friend bool operator==(Shared const& one, std::nullptr_t) { return one.value_ == nullptr; }

private:
    T* value_ = nullptr;
};

} // namespace kv
