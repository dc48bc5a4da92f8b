// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "held_syncer.hpp"

namespace totora::test
{

/// Works at every third request only, so that several batches share a sync; and rests after every second work.
class SlowSyncer : HeldSyncer
{
public:
    using HeldSyncer::start;
    using HeldSyncer::stop;

    void request()
    {
        if (++requests_ % 3 == 0)
            work();
        if (requests_ % 6 == 0)
            rest();
    }

private:
    int requests_ = 0;
};

} // namespace totora::test
