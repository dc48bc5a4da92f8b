// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <utility>

namespace totora::test
{

/// Works at every third request only, so that several batches share a sync.
class SlowSyncer
{
public:
    void start(std::function<bool()> work) { work_ = std::move(work); }
    void request()
    {
        if (++requests_ % 3 == 0)
            while (work_ and work_()) {}
    }
    void stop() { work_ = nullptr; }

private:
    std::function<bool()> work_;
    int                   requests_ = 0;
};

} // namespace totora::test
