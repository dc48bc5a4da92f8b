// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/search.hpp"
#include "totora/data/queue.hpp"

#include <cstddef>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// Messages that are not to leave before a write is durable, in the order of the writes they wait for; those that wait for the same
/// one stay in the order in which they were made. Only a `Durable`, which the log alone can make, lets one out.
///
/// Of the answers to one leader's appends that wait for the same write the last one contains all others, so that it takes the place
/// of the one before: while a disk hangs, heartbeats and read rounds go on arriving.
class Outbox
{
public:
    /// Keeps an envelope that may not leave yet.
    void hold(Envelope const& envelope)
    {
        auto const awaited = awaited_by(envelope);
        auto const comes_before = [&](Envelope const& held) { return awaited_by(held) <= awaited; };
        auto const place = held_.empty() or comes_before(held_.back())
                               ? held_.size()
                               : core::count_while(held_, held_.size(), comes_before);
        for (auto at = place; at > 0 and awaited_by(held_[at - 1]) == awaited; --at)
            if (contains(envelope, held_[at - 1])) {
                held_[at - 1] = envelope;
                return;
            }
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
    [[nodiscard]] static WriteNumber awaited_by(Envelope const& envelope)
    {
        return envelope.release().awaits().value_or(WriteNumber{});
    }

    /// Whether nothing is lost if `later` leaves and `earlier` does not. A heartbeat's answer has number 0, and replaces none that
    /// a leader waits for.
    [[nodiscard]] static bool contains(Envelope const& later, Envelope const& earlier)
    {
        auto const* now = std::get_if<AppendEntriesResponse>(&later.rpc());
        auto const* then = std::get_if<AppendEntriesResponse>(&earlier.rpc());
        return now != nullptr and then != nullptr and later.to() == earlier.to() and now->success and then->success and
               now->term == then->term and now->match >= then->match and now->round >= then->round and
               now->number >= then->number and (now->number > AppendNumber{}) == (then->number > AppendNumber{});
    }

    Queue<Envelope> held_;
};

} // namespace totora::inline v0
