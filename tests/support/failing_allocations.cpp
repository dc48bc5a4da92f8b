// SPDX-License-Identifier: BSL-1.0
#include "support/failing_allocations.hpp"

#if defined(__cpp_exceptions)
#include <cstddef>
#include <cstdlib>
#include <new>

namespace totora::test
{

Allocations& allocations()
{
    thread_local auto own = Allocations{};
    return own;
}

namespace
{

[[nodiscard, maybe_unused]] bool fails_now()
{
    auto& own = allocations();
    if (not own.watched)
        return false;
    auto const number = own.count++;
    return number == own.fails_at or (own.lasts and number > own.fails_at);
}

} // namespace
} // namespace totora::test

// The thread sanitizer has its own, which cannot be replaced: there no allocation fails.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TOTORA_OTHER_OPERATOR_NEW
#endif
#endif
#if not defined(__SANITIZE_THREAD__) and not defined(TOTORA_OTHER_OPERATOR_NEW)
void* operator new(std::size_t size)
{
    if (not totora::test::fails_now())
        if (auto* const memory = std::malloc(size > 0 ? size : 1))
            return memory;
    throw std::bad_alloc{};
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
#endif
