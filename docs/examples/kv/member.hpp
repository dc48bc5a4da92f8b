// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "connection.hpp"
#include "event_loop.hpp"
#include "key_value.hpp"

#include "totora/node/outcomes.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv
{

/// What a client hears of a write that may still happen.
inline constexpr std::string_view outcome_unknown =
    "ERR outcome unknown: leadership was lost while the write was on its way; it may happen later, or never";

/// This server as one of the cluster, as clients' connections see it: turns the ends of proposals and reads into
/// answers, and tells the cluster where the clients of a leader find it.
template <typename Node>
class Member
{
public:
    Member(boost::asio::io_context& context, Node& node, KeyValue const& machine, EventLoop<Node>& loop)
        : node_(node), machine_(machine), loop_(loop), pause_(context)
    {}

    template <typename Done>
    void write(std::span<std::byte const> payload, Done done)
    {
        node_.propose(payload, [this, done = std::move(done)](totora::ProposalOutcome<Answer> outcome) mutable {
            if (auto* const applied = std::get_if<totora::AppliedWith<Answer>>(&outcome))
                done(std::variant<Answer, Refusal>{std::move(applied->response)});
            else if (auto const* const refused = std::get_if<totora::RefusedBecause>(&outcome))
                done(std::variant<Answer, Refusal>{refusal(*refused)});
            else
                done(std::variant<Answer, Refusal>{Refusal{std::string{outcome_unknown}}});
        });
        loop_.wake();
    }

    template <typename Done>
    void read(Done done)
    {
        node_.read([this, done = std::move(done)](totora::ReadOutcome outcome) mutable {
            if (std::holds_alternative<totora::ReadableNow>(outcome))
                done(std::optional<Refusal>{});
            else if (auto const* const refused = std::get_if<totora::RefusedBecause>(&outcome))
                done(std::optional{refusal(*refused)});
            else
                done(std::optional{Refusal{"ERR the read took too long"}});
        });
        loop_.wake();
    }

    [[nodiscard]] KeyValue const& machine() const { return machine_; }
    [[nodiscard]] std::string     info() const { return tell_ ? tell_() : std::string{}; }

    /// Sets what INFO answers.
    void set_info(std::function<std::string()> tell) { tell_ = std::move(tell); }

    /// Tells all servers where the clients of this one find it. Each leader says it as its term begins, by an entry of
    /// the log: there is no second list of addresses that could disagree with the first.
    void announce(std::string_view client_address)
    {
        auto payload = std::vector<std::byte>{};
        encode_announcement(payload, node_.status().id, client_address);
        node_.propose(payload, [this, address = std::string{client_address}](auto const& outcome) {
            auto const* const refused = std::get_if<totora::RefusedBecause>(&outcome);
            if (refused == nullptr or refused->why == totora::NodeRefusal::not_leader or
                refused->why == totora::NodeRefusal::not_running)
                return;
            pause_.expires_after(std::chrono::milliseconds{100});
            pause_.async_wait([this, address](boost::system::error_code failure) {
                if (not failure)
                    announce(address);
            });
        });
        loop_.wake();
    }

private:
    [[nodiscard]] Refusal refusal(totora::RefusedBecause const& refused) const
    {
        using enum totora::NodeRefusal;
        switch (refused.why) {
        case not_leader: {
            auto const address = machine_.client_address(refused.leader);
            return {address.empty() ? "CLUSTERDOWN no leader" : "MOVED 0 " + std::string{address}};
        }
        case too_much_pending:
            return {"BUSY too much is waiting to be committed: try again"};
        case entry_too_large:
            return {"ERR the request is larger than an entry of the log may be"};
        case no_room:
            return {"BUSY the log has no room now, its disk may be full: nothing was written"};
        case not_running:
            return {"ERR this server has stopped: nothing was done"};
        case empty_proposal:
        case log_exhausted:
            break;
        }
        return {"ERR refused: " + std::string{name_of(refused.why)}};
    }

    Node&                        node_;
    KeyValue const&              machine_;
    EventLoop<Node>&             loop_;
    std::function<std::string()> tell_;
    boost::asio::steady_timer    pause_;
};

} // namespace kv
