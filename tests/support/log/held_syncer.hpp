// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <utility>

namespace totora::test
{

/// Works at once, or, while it is held, when a test calls for it: then several batches share a sync. It rests when a test calls
/// for that.
class HeldSyncer
{
public:
    HeldSyncer() { newest() = this; }
    HeldSyncer(HeldSyncer const&) = delete;
    HeldSyncer& operator=(HeldSyncer const&) = delete;

    bool held = false;

    /// The one that was made last: a log makes its own and shows it to nobody.
    [[nodiscard]] static HeldSyncer*& newest()
    {
        static auto* one = static_cast<HeldSyncer*>(nullptr);
        return one;
    }

    void start(
        std::function<bool()> work, std::function<void()> rest = [] {})
    {
        work_ = std::move(work);
        rest_ = std::move(rest);
    }

    void request()
    {
        if (not held)
            work();
    }

    void work()
    {
        while (work_ and work_()) {}
    }

    void rest()
    {
        if (work_)
            rest_();
    }

    void stop() { work_ = nullptr; }

private:
    std::function<bool()> work_;
    std::function<void()> rest_;
};

} // namespace totora::test
