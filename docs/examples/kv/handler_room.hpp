// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>

namespace kv
{

/// Memory for one handler of Boost.Asio at a time, so that what must happen does not depend on memory being left. A second
/// handler at the same time, or a larger one, is allocated as usual.
///
/// Asio gives the memory back before it calls the handler. If each is posted only after the one before was called,
/// no lock is needed.
class HandlerRoom
{
public:
    HandlerRoom() = default;
    HandlerRoom(HandlerRoom const&) = delete;
    HandlerRoom& operator=(HandlerRoom const&) = delete;

    [[nodiscard]] void* take(std::size_t bytes)
    {
        if (is_taken_ or bytes > sizeof room_)
            return ::operator new(bytes);
        is_taken_ = true;
        return room_;
    }

    void give_back(void* memory)
    {
        if (memory == room_)
            is_taken_ = false;
        else
            ::operator delete(memory);
    }

private:
    alignas(std::max_align_t) std::byte room_[256];
    bool is_taken_ = false;
};

/// The allocator of a handler that is kept in a `HandlerRoom`.
template <typename T>
struct RoomAllocator
{
    using value_type = T;

    explicit RoomAllocator(HandlerRoom& place) : room(&place) {}
    template <typename U>
    RoomAllocator(RoomAllocator<U> const& other) : room(other.room)
    {}

    [[nodiscard]] T* allocate(std::size_t count) const { return static_cast<T*>(room->take(count * sizeof(T))); }
    void             deallocate(T* memory, std::size_t) const { room->give_back(memory); }

    template <typename U>
    friend bool operator==(RoomAllocator const& one, RoomAllocator<U> const& other)
    {
        return one.room == other.room;
    }

    HandlerRoom* room;
};

} // namespace kv
