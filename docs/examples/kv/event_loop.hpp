// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "handler_room.hpp"

#include "totora/node/driver.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>

namespace kv
{

/// Runs a node on Boost.Asio: when something woke it, and when its next alarm is due.
template <typename Node>
class EventLoop
{
public:
    /// `context` is run by one thread, the node's. `after_turn` is called after each turn of the node.
    EventLoop(boost::asio::io_context& context, Node& node, std::function<void()> after_turn)
        : context_(context), timer_(context), after_turn_(std::move(after_turn)), driver_(node, [this] { wake(); })
    {}

    /// Lets the node have a turn soon. All that happens until then shares it. From any thread, also when no memory is left:
    /// a wake-up that is lost is a node that stands still.
    void wake()
    {
        if (not is_due_.exchange(true))
            boost::asio::post(context_, Turn{this});
    }

private:
    using Clock = std::chrono::steady_clock;

    struct Turn
    {
        using allocator_type = RoomAllocator<void>;

        [[nodiscard]] allocator_type get_allocator() const { return allocator_type{loop->room_}; }
        void                         operator()() const { loop->turn(); }

        EventLoop* loop;
    };

    void turn()
    {
        is_due_ = false;
        auto const wait_ms = driver_.poll();
        after_turn_();
        if (wait_ms == std::uint64_t{0})
            wake();
        else if (wait_ms)
            wake_at(Clock::now() + std::chrono::milliseconds{*wait_ms});
    }

    /// An earlier wake-up that is set already is as good: the node then returns again how long it may wait. So alarms that
    /// are put off again and again cost nothing.
    void wake_at(Clock::time_point moment)
    {
        if (wakes_at_ <= moment)
            return;
        try {
            timer_.expires_at(moment);
            timer_.async_wait([this](boost::system::error_code failure) {
                if (failure)
                    return;
                wakes_at_ = Clock::time_point::max();
                wake();
            });
            wakes_at_ = moment;
        } catch (std::exception const&) { // No memory for the timer: until there is, the loop does not sleep.
            wakes_at_ = Clock::time_point::max();
            wake();
        }
    }

    boost::asio::io_context&  context_;
    boost::asio::steady_timer timer_;
    Clock::time_point         wakes_at_ = Clock::time_point::max();
    std::atomic<bool>         is_due_ = false;
    HandlerRoom               room_; ///< For the turn that is due.
    std::function<void()>     after_turn_;
    totora::Driver<Node>      driver_;
};

} // namespace kv
