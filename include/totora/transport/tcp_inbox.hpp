// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/policy/transport.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

namespace totora
{

/// What was received and not taken yet, within bounds: above them nothing is read from sockets until half is gone.
class TcpInbox
{
public:
    explicit TcpInbox(TcpSettings const& settings) : settings_(settings) {}

    /// Called when there is something after there was nothing.
    void set_wake(std::function<void()> wake)
    {
        wake_ = std::move(wake);
        if (not events_.empty() and wake_)
            wake_();
    }

    void put(TransportEvent event)
    {
        bytes_ += bytes_of(event);
        events_.push_back(std::move(event));
        if (events_.size() >= settings_.inbox_events_max or bytes_ >= settings_.inbox_bytes_max)
            has_room_ = false;
        if (events_.size() == 1 and wake_)
            wake_();
    }

    [[nodiscard]] std::optional<TransportEvent> take()
    {
        if (events_.empty())
            return std::nullopt;
        auto event = std::move(events_.front());
        events_.pop_front();
        bytes_ -= bytes_of(event);
        if (events_.size() <= settings_.inbox_events_max / 2 and bytes_ <= settings_.inbox_bytes_max / 2)
            has_room_ = true;
        return event;
    }

    [[nodiscard]] bool has_room() const { return has_room_; }

    void clear()
    {
        events_.clear();
        bytes_ = 0;
    }

private:
    [[nodiscard]] static std::uint64_t bytes_of(TransportEvent const& event)
    {
        auto const* const message = std::get_if<Received>(&event);
        return message == nullptr ? 0 : message->entries.bytes();
    }

    TcpSettings const&         settings_;
    std::deque<TransportEvent> events_;
    std::uint64_t              bytes_ = 0;
    bool                       has_room_ = true;
    std::function<void()>      wake_;
};

} // namespace totora
