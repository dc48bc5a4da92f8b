// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace totora::inline v0
{

/// A wake-up that ends with its owner: what was handed out may be called for longer, from any thread, and does nothing then.
///
///     auto wake = WakeUp{[&] { loop.wake(); }};         // Declared after the loop, so that it ends before.
///     auto driver = Driver<Node>{node, wake.handle()};
class WakeUp
{
public:
    /// `call` is called from any thread, one call at a time. It must not block or throw, nor end this wake-up.
    explicit WakeUp(std::function<void()> call) : shared_(std::make_shared<Shared>())
    {
        shared_->call = std::move(call);
    }

    WakeUp(WakeUp const&) = delete;
    WakeUp& operator=(WakeUp const&) = delete;

    /// When this returns, no call is being made, and none will be.
    ~WakeUp()
    {
        auto const lock = std::scoped_lock{shared_->mutex};
        shared_->call = nullptr;
    }

    /// Calls what was given, as long as this wake-up lasts.
    [[nodiscard]] std::function<void()> handle() const
    {
        return [shared = shared_] {
            auto const lock = std::scoped_lock{shared->mutex};
            if (shared->call)
                shared->call();
        };
    }

private:
    struct Shared
    {
        std::mutex            mutex;
        std::function<void()> call; ///< Guarded by `mutex`.
    };

    std::shared_ptr<Shared> shared_;
};

} // namespace totora::inline v0
