// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/rpc.hpp"
#include "totora/policy/transport.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

namespace totora::inline v0
{

/// What was received and not taken yet, within bounds: above them nothing is read from sockets until half is taken.
///
/// What may overtake (`may_overtake`), and changes of links, are taken before the rest: a node with much to store
/// receives its leader's heartbeats first.
///
/// Invariant: `bytes` is the sum over both queues.
class TcpInbox
{
public:
    explicit TcpInbox(TcpSettings const& settings) : settings_(settings) {}

    /// Sets the function called when the inbox is no longer empty.
    void set_wake(std::function<void()> wake)
    {
        wake_ = std::move(wake);
        if (size() > 0 and wake_)
            wake_();
    }

    void put(TransportEvent event)
    {
        auto const bytes = bytes_of(event);
        (is_urgent(event) ? urgent_ : bulk_).push_back(std::move(event));
        bytes_ += bytes;
        if (size() >= settings_.inbox_events_max or bytes_ >= settings_.inbox_bytes_max)
            has_room_ = false;
        if (size() == 1 and wake_)
            wake_();
    }

    [[nodiscard]] std::optional<TransportEvent> take()
    {
        if (size() == 0)
            return std::nullopt;
        auto& events = urgent_.empty() ? bulk_ : urgent_;
        auto  event = std::move(events.front());
        events.pop_front();
        bytes_ -= bytes_of(event);
        if (size() <= settings_.inbox_events_max / 2 and bytes_ <= settings_.inbox_bytes_max / 2)
            has_room_ = true;
        return event;
    }

    [[nodiscard]] bool has_room() const { return has_room_; }

    /// Of the entries and chunks in it.
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    void clear()
    {
        urgent_.clear();
        bulk_.clear();
        bytes_ = 0;
    }

private:
    [[nodiscard]] std::size_t size() const { return urgent_.size() + bulk_.size(); }

    [[nodiscard]] static bool is_urgent(TransportEvent const& event)
    {
        auto const* const message = std::get_if<Received>(&event);
        return message == nullptr or may_overtake(message->rpc);
    }

    [[nodiscard]] static std::uint64_t bytes_of(TransportEvent const& event)
    {
        auto const* const message = std::get_if<Received>(&event);
        return message == nullptr ? 0 : message->entries.bytes() + message->chunk.bytes.size();
    }

    TcpSettings const&         settings_;
    std::deque<TransportEvent> urgent_;
    std::deque<TransportEvent> bulk_;
    std::uint64_t              bytes_ = 0;
    bool                       has_room_ = true;
    std::function<void()>      wake_;
};

} // namespace totora::inline v0
