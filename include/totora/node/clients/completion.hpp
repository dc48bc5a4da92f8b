// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace totora::inline v0
{

/// A callable `void(Outcome)` that is called exactly once. Movable only; small ones are stored in place.
///
/// `std::function` would ask for copies, and `std::move_only_function` is C++23.
template <typename Outcome>
class Completion
{
public:
    Completion() = default;

    template <typename F>
        requires(not std::same_as<std::remove_cvref_t<F>, Completion> and std::invocable<F&, Outcome>)
    Completion(F&& function)
    {
        using Stored = std::remove_cvref_t<F>;
        if constexpr (fits<Stored>) {
            ::new (static_cast<void*>(room_)) Stored(std::forward<F>(function));
            does_ = &in_place<Stored>;
        } else {
            ::new (static_cast<void*>(room_)) Stored*(new Stored(std::forward<F>(function)));
            does_ = &on_heap<Stored>;
        }
    }

    Completion(Completion&& other) noexcept { take(other); }

    Completion& operator=(Completion&& other) noexcept
    {
        if (this != &other) {
            drop();
            take(other);
        }
        return *this;
    }

    Completion(Completion const&) = delete;
    Completion& operator=(Completion const&) = delete;
    ~Completion() { drop(); }

    [[nodiscard]] explicit operator bool() const { return does_ != nullptr; }

    /// Calls it and forgets it. Nothing happens if it was called before.
    void operator()(Outcome outcome)
    {
        if (does_ == nullptr)
            return;
        auto once = std::move(*this);
        once.does_(Act::call, once.room_, nullptr, std::addressof(outcome));
    }

private:
    static constexpr std::size_t room = 48;

    enum class Act
    {
        call,
        move,
        destroy,
    };

    using Passed = std::remove_reference_t<Outcome>;
    using Does = void (*)(Act, std::byte*, std::byte*, Passed*);

    template <typename F>
    static constexpr bool fits = sizeof(F) <= room and
                                 alignof(F) <= alignof(std::max_align_t) and std::is_nothrow_move_constructible_v<F>;

    template <typename F>
    static void in_place(Act act, std::byte* here, std::byte* there, Passed* outcome)
    {
        auto* function = std::launder(reinterpret_cast<F*>(here));
        if (act == Act::call)
            (*function)(static_cast<Outcome&&>(*outcome));
        else if (act == Act::move) {
            ::new (static_cast<void*>(there)) F(std::move(*function));
            std::destroy_at(function);
        } else
            std::destroy_at(function);
    }

    template <typename F>
    static void on_heap(Act act, std::byte* here, std::byte* there, Passed* outcome)
    {
        auto* function = *std::launder(reinterpret_cast<F**>(here));
        if (act == Act::call)
            (*function)(static_cast<Outcome&&>(*outcome));
        else if (act == Act::move)
            ::new (static_cast<void*>(there)) F*(function);
        else
            delete function;
    }

    void take(Completion& other) noexcept
    {
        does_ = other.does_;
        if (does_ != nullptr)
            does_(Act::move, other.room_, room_, nullptr);
        other.does_ = nullptr;
    }

    void drop() noexcept
    {
        if (does_ != nullptr)
            does_(Act::destroy, room_, nullptr, nullptr);
        does_ = nullptr;
    }

    alignas(std::max_align_t) std::byte room_[room];
    Does does_ = nullptr;
};

} // namespace totora::inline v0
