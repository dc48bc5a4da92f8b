// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <utility>

namespace totora::test
{

/// Works at every third request only, so that several batches share a sync; and rests after every second work.
class SlowSyncer
{
public:
    void start(
        std::function<bool()> work, std::function<void()> rest = [] {})
    {
        work_ = std::move(work);
        rest_ = std::move(rest);
    }
    void request()
    {
        if (++requests_ % 3 == 0)
            while (work_ and work_()) {}
        if (requests_ % 6 == 0 and work_)
            rest_();
    }
    void stop() { work_ = nullptr; }

private:
    std::function<bool()> work_;
    std::function<void()> rest_;
    int                   requests_ = 0;
};

} // namespace totora::test
