// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/queue.hpp"

#include <algorithm>

namespace totora::inline v0
{

/// How far the log as it is now is durable.
///
/// A completed write says less than its number suggests: what it appended may have been truncated since and appended again,
/// as another entry or as the same one, in a write that is still on its way. The index counts for what no later truncation
/// has touched.
class DurablePrefix
{
public:
    explicit DurablePrefix(Index last = {}) : last_(last) {}

    /// The last entry that is durable.
    [[nodiscard]] Index last() const { return last_; }

    /// A sync covers the writes up to this one, after which the log ended at `end`.
    void expect(WriteNumber through, Index end) { expected_.push_back({through, end}); }

    void truncate(Index from)
    {
        last_ = std::min(last_, before(from));
        for (auto& expected : expected_)
            expected.end = std::min(expected.end, before(from));
    }

    void advance(WriteNumber durable)
    {
        for (; not expected_.empty() and expected_.front().through <= durable; expected_.pop_front())
            last_ = std::max(last_, expected_.front().end);
    }

private:
    struct Expected
    {
        WriteNumber through;
        Index       end;
    };

    Index           last_;
    Queue<Expected> expected_;
};

} // namespace totora::inline v0
