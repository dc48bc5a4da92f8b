// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "resp.hpp"

#include "totora/transport/tcp/names.hpp"
#include "totora/transport/tcp_address.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// How a follower tells where its clients find it: only a leader can propose that, so the follower asks it, as a client
/// does. It asks again, ever more rarely, until the state machine says so; nothing depends on when that is.
class Introduction
{
public:
    /// Whom to ask, "host:port", and the words to say.
    struct Question
    {
        std::string                leader;
        std::array<std::string, 3> words;
    };

    /// `next` is the question, nothing as long as there is none; `find` finds a leader by its name (`TcpSettings::find_addresses`). The
    /// context is run by one thread and outlives this; none of its handlers runs after that.
    Introduction(boost::asio::io_context& context, std::function<std::optional<Question>()> next,
                 totora::NameLookups::Ask find = {})
        : names_(std::move(find)), looks_(context), socket_(context), timer_(context), next_(std::move(next))
    {}

    /// Begins to look from time to time.
    void start() { wait(pause_min); }

private:
    using Tcp = boost::asio::ip::tcp;
    using Error = boost::system::error_code;
    using Milliseconds = std::chrono::milliseconds;

    static constexpr auto pause_min = Milliseconds{200};
    static constexpr auto pause_max = Milliseconds{30'000};
    static constexpr auto patience = Milliseconds{2'000};
    static constexpr auto look_interval = Milliseconds{20};

    /// What fails, for want of memory too, is tried again.
    template <typename Action>
    void guarded(Action action)
    {
        try {
            action();
        } catch (std::exception const&) {
            end();
        }
    }

    void wait(Milliseconds pause)
    {
        timer_.expires_after(pause);
        timer_.async_wait([this](Error failure) {
            if (not failure)
                guarded([this] { look(); });
        });
    }

    void look()
    {
        end();
        auto question = next_();
        if (not question)
            return wait(pause_ = pause_min);
        pause_ = std::min(2 * pause_, pause_max);
        wait(std::max(pause_, patience)); // Whatever has become of the question by then.
        said_.clear();
        write_array(said_, question->words.size());
        for (auto const& word : question->words)
            write_bulk(said_, word);
        reach(question->leader);
    }

    /// A name is looked up beside the context, which would not end before name servers that are silent have answered.
    void reach(std::string const& address)
    {
        if (auto const endpoint = totora::parse_address(address))
            return connect(*endpoint);
        auto const name = totora::split_address(address);
        lookup_ = name ? names_.begin(name->host) : nullptr;
        if (lookup_ != nullptr)
            await_address(name->port);
    }

    void await_address(std::string const& port)
    {
        if (auto const found = lookup_->take()) {
            lookup_ = nullptr;
            auto const endpoint =
                found->addresses.empty() ? std::nullopt : totora::endpoint_of(found->addresses.front(), port);
            return endpoint ? connect(*endpoint) : void();
        }
        looks_.expires_after(look_interval);
        looks_.async_wait([this, port](Error failure) {
            if (not failure)
                guarded([&] { await_address(port); });
        });
    }

    void connect(Tcp::endpoint const& endpoint)
    {
        socket_.async_connect(endpoint, [this](Error failure) {
            if (not failure)
                guarded([this] { ask(); });
        });
    }

    void ask()
    {
        boost::asio::async_write(socket_, boost::asio::buffer(said_), [this](Error failure, std::size_t) {
            if (not failure)
                guarded([this] { hear(); });
        });
    }

    /// The answer says nothing that the state machine does not say too; but a client that leaves at once may not be heard.
    void hear()
    {
        socket_.async_read_some(boost::asio::buffer(heard_), [this](Error, std::size_t) { end(); });
    }

    void end()
    {
        auto ignored = Error{};
        looks_.cancel();
        lookup_ = nullptr;
        socket_.close(ignored);
    }

    totora::NameLookups                      names_;
    std::shared_ptr<totora::NameLookup>      lookup_; ///< Null if no name is looked up.
    boost::asio::steady_timer                looks_;  ///< Until the next look at it.
    Tcp::socket                              socket_;
    boost::asio::steady_timer                timer_;
    std::function<std::optional<Question>()> next_;
    Milliseconds                             pause_ = pause_min;
    std::string                              said_;
    std::array<char, 512>                    heard_{};
};

} // namespace kv
