// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <cassert>

namespace totora::inline v0
{

/// Notices calls from another thread than the one that runs a node. Only builds without NDEBUG look; all have the same layout.
class ThreadCheck
{
public:
    /// This thread runs the node.
    void bind() noexcept
    {
#if not defined(NDEBUG)
        owner_.store(this_thread(), std::memory_order_relaxed);
#endif
    }

    /// The next thread that runs the node may be another one.
    void release() noexcept { owner_.store(nullptr, std::memory_order_relaxed); }

    /// Whether no other thread runs the node.
    [[nodiscard]] bool is_here() const noexcept
    {
        auto const* owner = owner_.load(std::memory_order_relaxed);
        return owner == nullptr or owner == this_thread();
    }

    void expect_here() const noexcept
    {
        assert(is_here() and "a RaftNode was called from another thread than the one that runs it: use Driver::post");
    }

private:
    /// An address that no other running thread has: cheaper than <thread>, which who includes the node need not read.
    [[nodiscard]] static void const* this_thread() noexcept
    {
        thread_local auto const mark = char{};
        return &mark;
    }

    std::atomic<void const*> owner_ = nullptr;
};

} // namespace totora::inline v0
