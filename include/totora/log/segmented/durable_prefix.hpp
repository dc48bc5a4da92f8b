// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/queue.hpp"

#include <algorithm>

namespace totora::inline v0
{

/// The part of the present log that is durable.
///
/// A completed write does not make all that it appended durable in this sense: an entry may have been truncated since
/// and appended again, as another or the same entry, in a write that is still pending. Only what no later truncation
/// has removed counts.
///
/// Invariant: `last` and the expected ends never lie above the present log.
class DurablePrefix
{
public:
    explicit DurablePrefix(Index last = {}) : last_(last) {}

    /// The last durable entry.
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
