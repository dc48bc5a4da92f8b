// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/release.hpp"
#include "totora/policy/queue.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace totora
{

/// Promises that wait for the disk, in the order of the writes they wait for; those that wait for the same one stay in the
/// order in which they were made. Nothing gets out without the log's word.
class Outbox
{
public:
    /// Keeps an envelope that may not leave yet.
    void hold(Envelope const& envelope)
    {
        auto const awaited = envelope.release().awaits().value_or(WriteNumber{});
        if (held_.empty() or held_.back().release().awaits().value_or(WriteNumber{}) <= awaited)
            return held_.push_back(envelope);
        auto const place = std::upper_bound(held_.begin(), held_.end(), awaited, [](WriteNumber w, Envelope const& e) {
            return w < e.release().awaits().value_or(WriteNumber{});
        });
        held_.insert(place, envelope);
    }

    /// Gives `deliver` every message that may leave, and forgets it.
    template <typename Deliver>
    void release(Durable durable, Deliver deliver)
    {
        while (not held_.empty()) {
            auto const released = held_.front().open(durable);
            if (not released)
                return;
            deliver(*released);
            held_.pop_front();
        }
    }

    void clear() { held_.clear(); }

    [[nodiscard]] std::size_t size() const { return held_.size(); }

private:
    Queue<Envelope> held_;
};

} // namespace totora
