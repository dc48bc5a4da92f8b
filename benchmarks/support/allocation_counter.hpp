// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace totora::benchmarks
{

/// How often this thread has asked the global allocator for memory, since it began.
inline thread_local std::uint64_t allocations = 0;

/// Counts, and hands out what `free` takes back.
inline void* allocate_counted(std::size_t size, std::size_t alignment)
{
    ++allocations;
    auto const  rounded = (size / alignment + 1) * alignment;
    auto* const memory =
        alignment <= alignof(std::max_align_t) ? std::malloc(size) : std::aligned_alloc(alignment, rounded);
    if (memory == nullptr)
        throw std::bad_alloc{};
    return memory;
}

} // namespace totora::benchmarks

// The global allocator of the program is replaced, which is why only one source file of a program may include this.
// The forms that are not here (arrays, without exceptions) call those that are.

void* operator new(std::size_t size)
{
    return totora::benchmarks::allocate_counted(size == 0 ? 1 : size, alignof(std::max_align_t));
}

void* operator new(std::size_t size, std::align_val_t alignment)
{
    return totora::benchmarks::allocate_counted(size == 0 ? 1 : size, static_cast<std::size_t>(alignment));
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
