// SPDX-License-Identifier: BSL-1.0
#pragma once

// Boost 1.74's Asio uses std::exchange without including it.
#include <utility>

#include "totora/data/identity.hpp"
#include "totora/transport/tcp/backoff.hpp"
#include "totora/transport/tcp/connection.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/names.hpp"
#include "totora/transport/tcp/repeat_filter.hpp"
#include "totora/transport/tcp_address.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace totora::inline v0
{

/// A server to send to: dials it, and redials until the transport ends.
///
/// Invariant: at most one connection, one lookup and one pending timer.
class TcpPeer : public std::enable_shared_from_this<TcpPeer>
{
public:
    /// The owner of its connections, and what they share; all of it outlives the peer.
    struct Surroundings
    {
        boost::asio::io_context& context;
        TcpConnectionOwner&      owner;
        TcpSettings const&       settings;
        TcpCounters&             counters;
        NameLookups&             names;
    };

    TcpPeer(Surroundings const& around, Party party, std::string_view address)
        : around_(around), party_(party), address_(address), timer_(around.context),
          backoff_(around.settings.backoff_min_ms, around.settings.backoff_max_ms,
                   around.settings.seed ^ (party.id.value << 32U)),
          log_(around.settings.log, around.counters.log_lines_suppressed)
    {}

    [[nodiscard]] Party                                 party() const { return party_; }
    [[nodiscard]] std::string const&                    address() const { return address_; }
    [[nodiscard]] std::shared_ptr<TcpConnection> const& connection() const { return connection_; }

    /// How many bytes of bulk have arrived over its connections, this one and those before it.
    [[nodiscard]] std::uint64_t bulk_bytes_arrived() const
    {
        return bulk_bytes_arrived_ + (connection_ == nullptr ? 0 : connection_->bulk_bytes_arrived());
    }

    [[nodiscard]] TcpPeerStatus status() const
    {
        return {.party = party_,
                .address = address_,
                .open = connection_ != nullptr and connection_->is_open(),
                .full = full_,
                .refused = refused_,
                .what = log_.last()};
    }

    void dial()
    {
        if (auto const endpoint = parse_address(address_))
            return connect({*endpoint});
        auto const name = split_address(address_);
        if (not name)
            return log_.log(to_string(party_) + ": \"" + address_ + "\" is no host and port");
        if (lookup_ == nullptr) {
            lookup_ = around_.names.begin(name->host);
            asked_at_ = std::chrono::steady_clock::now();
        }
        if (lookup_ == nullptr) {
            log("there can be no thread to look up the name");
            return retry();
        }
        await_addresses(*name);
    }

    /// Redials after a delay.
    void retry()
    {
        ++around_.counters.retries;
        timer_.expires_after(patience_of(backoff_.next_ms()));
        timer_.async_wait([weak = weak_from_this()](Error error) {
            auto const peer = weak.lock();
            if (peer != nullptr and not error)
                peer->dial();
        });
    }

    /// Releases the connection. True if it was open.
    [[nodiscard]] bool let_go()
    {
        auto const connection = std::exchange(connection_, nullptr);
        full_ = false;
        if (connection == nullptr)
            return false;
        refused_ = connection->was_refused();
        bulk_bytes_arrived_ += connection->bulk_bytes_arrived();
        // A connection that ends as soon as it begins does not reset it, or the server would be dialed without a delay.
        if (connection->age() > patience_of(around_.settings.backoff_max_ms))
            backoff_.reset();
        return connection->agreed().version != 0;
    }

    /// Notes whether the queue to it is full. True if that changed.
    [[nodiscard]] bool note_full(bool full) { return std::exchange(full_, full) != full; }

    /// Notes that the connection is open.
    void opened()
    {
        refused_ = false;
        full_ = false;
        log("connected");
    }

    /// Logs a line about it for the operator.
    void log(std::string_view what) { log_.log(to_string(party_) + " at " + address_ + ": " + std::string{what}); }

    /// Logs what was held back, once the limit allows it.
    void catch_up(RepeatFilter::Moment now) { log_.catch_up(now); }

private:
    using Error = boost::system::error_code;
    using Moment = std::chrono::steady_clock::time_point;

    static constexpr auto look_interval = std::chrono::milliseconds{10};

    /// Polls the lookup of the name. Without a result in time, the addresses found last are used.
    void await_addresses(HostAndPort const& name)
    {
        if (auto const found = lookup_->take()) {
            lookup_ = nullptr;
            auto endpoints = endpoints_of(*found, name.port);
            if (endpoints.empty() and endpoints_.empty()) {
                log(found->failure);
                return retry();
            }
            if (not endpoints.empty())
                endpoints_ = std::move(endpoints);
            return connect(endpoints_);
        }
        if (std::chrono::steady_clock::now() - asked_at_ > patience_of(around_.settings.handshake_ms)) {
            log("nobody answers who knows the addresses of this name");
            if (not endpoints_.empty())
                return connect(endpoints_);
        }
        timer_.expires_after(look_interval);
        timer_.async_wait([weak = weak_from_this(), name](Error error) {
            auto const peer = weak.lock();
            if (peer != nullptr and not error)
                peer->await_addresses(name);
        });
    }

    [[nodiscard]] static TcpConnection::Endpoints endpoints_of(FoundAddresses const& found, std::string const& port)
    {
        auto endpoints = TcpConnection::Endpoints{};
        for (auto const& address : found.addresses)
            if (auto const endpoint = endpoint_of(address, port))
                endpoints.push_back(*endpoint);
        return endpoints;
    }

    /// Connects; each attempt begins with another address, since one that does not respond takes all the time.
    void connect(TcpConnection::Endpoints endpoints)
    {
        std::rotate(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(attempts_++ % endpoints.size()),
                    endpoints.end());
        connection_ = std::make_shared<TcpConnection>(around_.owner, around_.settings, around_.counters,
                                                      TcpConnection::Socket{around_.context}, party_);
        connection_->dial(endpoints);
    }

    Surroundings                   around_;
    Party                          party_;
    std::string                    address_;
    boost::asio::steady_timer      timer_;     ///< Until the next attempt to connect, or the next look at `lookup_`.
    std::shared_ptr<NameLookup>    lookup_;    ///< Null if none is pending.
    Moment                         asked_at_;  ///< When the lookup began.
    TcpConnection::Endpoints       endpoints_; ///< Found last for the name.
    std::size_t                    attempts_ = 0;
    std::shared_ptr<TcpConnection> connection_;
    Backoff                        backoff_;
    RepeatFilter                   log_;
    std::uint64_t                  bulk_bytes_arrived_ = 0; ///< Over connections that are gone.
    bool                           full_ = false;           ///< The queue was reported full.
    bool                           refused_ = false;        ///< The handshake of the last connection.
};

} // namespace totora::inline v0
