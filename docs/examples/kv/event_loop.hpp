// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/driver.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace kv
{

/// Runs a node on Boost.Asio: when something woke it, and when its next alarm is due.
template <typename Node>
class EventLoop
{
public:
    /// `context` is run by one thread, the node's.
    EventLoop(boost::asio::io_context& context, Node& node)
        : context_(context), timer_(context), driver_(node, [this] { wake(); })
    {}

    /// Lets the node have a turn soon. All that happens until then shares it. From any thread.
    void wake()
    {
        if (not is_due_.exchange(true))
            boost::asio::post(context_, [this] { turn(); });
    }

private:
    using Clock = std::chrono::steady_clock;

    void turn()
    {
        is_due_ = false;
        auto const wait_ms = driver_.poll();
        if (wait_ms == std::uint64_t{0})
            wake();
        else if (wait_ms)
            wake_at(Clock::now() + std::chrono::milliseconds{*wait_ms});
    }

    /// An earlier wake-up that is set already is as good: the node tells anew how long it may wait then. So alarms that
    /// are put off again and again cost nothing.
    void wake_at(Clock::time_point moment)
    {
        if (wakes_at_ <= moment)
            return;
        wakes_at_ = moment;
        timer_.expires_at(moment);
        timer_.async_wait([this](boost::system::error_code failure) {
            if (failure)
                return;
            wakes_at_ = Clock::time_point::max();
            wake();
        });
    }

    boost::asio::io_context&  context_;
    boost::asio::steady_timer timer_;
    Clock::time_point         wakes_at_ = Clock::time_point::max();
    std::atomic<bool>         is_due_ = false;
    totora::Driver<Node>      driver_;
};

} // namespace kv
