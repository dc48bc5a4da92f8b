// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client_budget.hpp"
#include "client_limits.hpp"
#include "client_socket.hpp"
#include "connection.hpp"
#include "half_requests.hpp"

#include "totora/core/values/result.hpp"
#include "totora/policy/files.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kv
{

/// The port that clients speak to. `Member` is that of its connections; `wake` lets the node have a turn soon.
///
/// When there are as many clients as there may be, one that has never asked for anything gives way to the next one: the oldest.
template <typename Member>
class Server
{
public:
    using One = Connection<Member, Server>;
    using Clock = std::chrono::steady_clock;

    Server(boost::asio::io_context& context, Member& member, ClientLimits const& limits = {})
        : acceptor_(context), pause_(context), member_(member), limits_(limits), budget_(limits.memory_bytes)
    {}

    /// Opens the port; the error is a text for the operator.
    [[nodiscard]] totora::Result<totora::Done, std::string> listen(std::string const& host, std::uint16_t port)
    {
        auto       failure = boost::system::error_code{};
        auto const address = boost::asio::ip::make_address(host, failure);
        if (failure)
            return totora::Unexpected{"the client host '" + host + "' is not an IP address"};
        auto const endpoint = Tcp::endpoint{address, port};
        acceptor_.open(endpoint.protocol(), failure);
        if (not failure)
            acceptor_.set_option(Tcp::acceptor::reuse_address{true}, failure);
        if (not failure)
            acceptor_.bind(endpoint, failure);
        if (not failure)
            acceptor_.listen(Tcp::acceptor::max_listen_connections, failure);
        if (failure)
            return totora::Unexpected{"cannot listen for clients on " + host + ":" + std::to_string(port) + ": " +
                                      failure.message()};
        accept();
        return totora::Done{};
    }

    /// To be called after each turn of the node: those who have waited for it go on, in their order.
    void begin_turn()
    {
        budget_.begin_turn();
        for (auto left = waiting_.size(); left > 0 and budget_.has_work(); --left) {
            auto const connection = std::move(waiting_.front());
            waiting_.pop_front();
            connection->resume();
        }
        if (not waiting_.empty())
            member_.wake();
        if (auto const now = Clock::now(); now - looked_for_slow_ >= slow_pause) {
            looked_for_slow_ = now;
            close_slow(now);
        }
        if (not is_accepting_ and acceptor_.is_open())
            accept();
    }

    /// Closes clients whose requests have been arriving for the longest time, if all slow ones hold too much.
    void close_slow(Clock::time_point now)
    {
        auto const slow = halves_.slow(now);
        auto       bytes = std::size_t{0};
        for (auto const& connection : slow)
            bytes += connection->held();
        for (auto at = std::size_t{0}; at + 1 < slow.size() and bytes > slow_bytes_max; ++at) {
            bytes -= slow[at]->held();
            ++evictions_;
            slow[at]->give_up("ERR outcome unknown: a request takes too long to arrive, and others need the memory");
        }
    }

    /// The port that was opened, also if 0 was asked for.
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    [[nodiscard]] std::size_t         connections() const { return connections_.size(); }
    [[nodiscard]] ClientLimits const& limits() const { return limits_; }

    /// How many clients found no place.
    [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }

    /// How many connections and requests there were since the start.
    [[nodiscard]] std::uint64_t connections_taken() const { return connections_taken_; }
    [[nodiscard]] std::uint64_t requests() const { return requests_; }

    /// A line for each client, in the order in which they came.
    [[nodiscard]] std::string client_list() const
    {
        auto clients = std::vector<ClientState const*>{};
        for (auto const& connection : connections_)
            clients.push_back(&connection->client());
        std::sort(clients.begin(), clients.end(),
                  [](auto const* one, auto const* other) { return one->id < other->id; });
        auto text = std::string{};
        for (auto const* const client : clients)
            text += client_line(*client);
        return text;
    }

    /// The bytes that are held for all clients.
    [[nodiscard]] std::size_t memory_bytes() const { return budget_.memory_bytes(); }

    /// How many clients were closed because they held too much.
    [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

    /// Of how many clients the rest of a request is waited for.
    [[nodiscard]] std::size_t half_requests() const { return halves_.size(); }

    /// How many clients were closed because they sent HTTP.
    [[nodiscard]] std::uint64_t http_refused() const { return http_refused_; }

    /// Takes no more connections and requests; those that are here are answered.
    void finish()
    {
        auto ignored = boost::system::error_code{};
        acceptor_.close(ignored);
        pause_.cancel();
        for_each([](One& connection) { connection.finish(); });
    }

    void close()
    {
        finish();
        for_each([](One& connection) { connection.close(); });
    }

    // What connections notify their owner of:
    void counted() { ++requests_; }

    void closed(One& connection)
    {
        silent_.erase(connection.number());
        half_here(connection, false);
        connections_.erase(connection.shared_from_this());
    }

    /// Has asked for something.
    void made_first_request(One& connection) { silent_.erase(connection.number()); }

    /// The rest of a request is waited for from now on, or no more.
    void half_here(One& connection, bool is_half_here) { halves_.set(connection, is_half_here, Clock::now()); }

    /// Where a client's bytes are read to first, so that one that sends nothing needs no memory for them.
    [[nodiscard]] std::span<char> scratch() { return scratch_; }

    void refused_http() { ++http_refused_; }

    void work_later(std::shared_ptr<One> connection)
    {
        waiting_.push_back(std::move(connection));
        member_.wake();
    }

    /// Closes the client that holds the most, and the next, until the rest is within the limit.
    void grown()
    {
        while (budget_.is_memory_full() and not connections_.empty()) {
            auto const holds_less = [](auto const& one, auto const& other) { return one->held() < other->held(); };
            auto const largest = *std::max_element(connections_.begin(), connections_.end(), holds_less);
            if (largest->held() == 0)
                return;
            ++evictions_;
            largest->give_up("ERR outcome unknown: this client holds too much of the server's memory, and is closed");
        }
    }

private:
    using Tcp = boost::asio::ip::tcp;

    static constexpr auto slow_pause = std::chrono::milliseconds{100};

    /// Each may close, and go, meanwhile.
    template <typename Action>
    void for_each(Action action)
    {
        for (auto next = connections_.begin(); next != connections_.end();) {
            auto const connection = *next++;
            action(*connection);
        }
    }

    void accept()
    {
        is_accepting_ = false;
        try {
            acceptor_.async_accept([this](boost::system::error_code failure, Tcp::socket socket) {
                is_accepting_ = false;
                if (not acceptor_.is_open())
                    return;
                if (failure)
                    return accept_later();
                admit(std::move(socket));
                if (budget_.has_work())
                    accept();
                else
                    member_.wake(); // After a turn of the node.
            });
            is_accepting_ = true;
        } catch (std::exception const&) { // No memory: after the node's next turn there may be some.
        }
    }

    /// When file descriptors run out, the waiting client would be reported again at once, permanently.
    void accept_later()
    {
        try {
            pause_.expires_after(std::chrono::milliseconds{100});
            pause_.async_wait([this](boost::system::error_code failure) {
                is_accepting_ = false;
                if (not failure)
                    accept();
            });
            is_accepting_ = true;
        } catch (std::exception const&) { // As above.
        }
    }

    /// A client for whom there is no memory is turned away.
    void admit(Tcp::socket socket)
    {
        constexpr auto full = std::string_view{"ERR max number of clients reached"};
        budget_.spend(admission_units);
        if (connections_.size() >= limits_.connections and not silent_.empty()) {
            auto const oldest = silent_.begin()->second->shared_from_this();
            ++turned_away_;
            oldest->give_up(full);
        }
        auto ignored = boost::system::error_code{};
        socket.non_blocking(true, ignored);
        if (connections_.size() >= limits_.connections) {
            ++turned_away_;
            send_error_at_once(socket, full);
            return;
        }
        set_socket_options(socket);
        try {
            auto const connection =
                std::make_shared<One>(std::move(socket), member_, *this, budget_, ++connections_taken_);
            connections_.insert(connection);
            silent_.emplace(connection->number(), connection.get());
            connection->resume();
        } catch (std::exception const&) {}
    }

    static constexpr std::size_t admission_units = 64; ///< What a new client costs, in the units of `ClientBudget`.
    static constexpr std::size_t scratch_bytes = std::size_t{128} << 10U;

    Tcp::acceptor                    acceptor_;
    boost::asio::steady_timer        pause_;
    Member&                          member_;
    ClientLimits                     limits_;
    ClientBudget                     budget_;
    std::set<std::shared_ptr<One>>   connections_;
    std::uint64_t                    connections_taken_ = 0; ///< The last one's id.
    std::uint64_t                    requests_ = 0;
    std::map<std::uint64_t, One*>    silent_; ///< Of these, those that have asked for nothing yet, by their number.
    HalfRequests<One>                halves_;
    Clock::time_point                looked_for_slow_;
    std::vector<char>                scratch_ = std::vector<char>(scratch_bytes);
    std::uint64_t                    turned_away_ = 0;
    std::deque<std::shared_ptr<One>> waiting_; ///< For the node's next turn.
    std::uint64_t                    evictions_ = 0;
    std::uint64_t                    http_refused_ = 0;
    bool                             is_accepting_ = false;
};

} // namespace kv
