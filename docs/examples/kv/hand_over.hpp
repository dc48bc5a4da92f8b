// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "event_loop.hpp"

#include "totora/node/administration_outcomes.hpp"
#include "totora/node/status.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace kv
{

/// Lets another server lead before this one stops, so that clients need not wait for an election.
template <typename Node>
class HandOver
{
public:
    HandOver(boost::asio::io_context& context, Node& node, EventLoop<Node>& loop)
        : node_(node), loop_(loop), patience_(context)
    {}

    /// Begins, if the node leads. It is over within a second, whatever the disk and the others do.
    void begin()
    {
        if (not node_.is_running() or node_.status().role != totora::RoleName::leader)
            return end();
        patience_.expires_after(std::chrono::seconds{1});
        patience_.async_wait([this](boost::system::error_code failure) {
            if (not failure)
                end();
        });
        node_.transfer_leadership(totora::nobody, [this](totora::TransferOutcome const&) { end(); });
        loop_.wake();
    }

    /// Whether it has handed over, could not, or has waited long enough.
    [[nodiscard]] bool is_over() const { return is_over_ or not node_.is_running(); }

private:
    /// The next turn sees it.
    void end()
    {
        is_over_ = true;
        loop_.wake();
    }

    Node&                     node_;
    EventLoop<Node>&          loop_;
    boost::asio::steady_timer patience_;
    bool                      is_over_ = false;
};

} // namespace kv
