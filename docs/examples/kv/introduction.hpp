// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "commands/node_name.hpp"
#include "machine/key_value.hpp"
#include "protocol/resp.hpp"

#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/node/status.hpp"
#include "totora/transport/tcp/names.hpp"
#include "totora/transport/tcp_address.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace kv
{

/// How a follower announces where its clients find it: only a leader can propose that, so the follower asks it, as a client
/// does. It asks again, ever more rarely, until the state machine holds it; nothing depends on when that is. A leader that does
/// not do it is reported after the third attempt.
class Introduction
{
public:
    /// Whom to ask, as clients find it ("host:port", also "::1:6001", as Redis spells it), and the words to send.
    struct Question
    {
        totora::ServerId           server;
        std::string                leader;
        std::array<std::string, 3> words;
    };

    using Print = std::function<void(std::string_view)>;

    /// `next` is the question, nothing as long as there is none; `print` takes lines for the operator; `find` finds a leader by its
    /// name (`TcpSettings::find_addresses`). The context is run by one thread and outlives this; none of its handlers runs after that.
    Introduction(boost::asio::io_context& context, std::function<std::optional<Question>()> next, Print print,
                 totora::NameLookups::Ask find = {})
        : names_(std::move(find)), looks_(context), socket_(context), timer_(context), next_(std::move(next)),
          print_(std::move(print))
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
    static constexpr auto attempts_in_silence = std::uint64_t{3};

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

    /// Ends the attempt: why it has not succeeded.
    void fail(std::string why)
    {
        end();
        reason_ = std::move(why);
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
        if (not question or question->leader != leader_)
            attempts_ = 0;
        leader_ = question ? question->leader : std::string{};
        if (not question)
            return wait(pause_ = pause_min);
        if (attempts_ == attempts_in_silence)
            complain(question->server);
        ++attempts_;
        reason_ = "no answer in time";
        pause_ = std::min(2 * pause_, pause_max);
        wait(std::max(pause_, patience)); // Whatever has become of the question by then.
        request_.clear();
        write_array(request_, question->words.size());
        for (auto const& word : question->words)
            write_bulk(request_, word);
        reach(question->leader);
    }

    /// Reports why the leader did not take the address, unless that was the last report.
    void complain(totora::ServerId server)
    {
        auto line = "cannot announce to server " + std::to_string(server.value) + " at " + leader_ +
                    " where clients find this server: " + reason_;
        if (print_ and line != last_line_)
            print_(line);
        last_line_ = std::move(line);
    }

    /// A name is looked up beside the context, which would not end before name servers that are silent have answered.
    void reach(std::string const& address)
    {
        auto const colon = std::min(address.rfind(':'), address.size());
        auto       host = address.substr(0, colon);
        auto const port = address.substr(std::min(colon + 1, address.size()));
        if (host.starts_with('[') and host.ends_with(']'))
            host = host.substr(1, host.size() - 2);
        if (auto const endpoint = totora::endpoint_of(host, port))
            return connect(*endpoint);
        if (host.empty())
            return fail("this is no address");
        lookup_ = names_.begin(host);
        if (lookup_ == nullptr)
            return fail("there can be no thread to look up the name");
        await_address(port);
    }

    void await_address(std::string const& port)
    {
        if (auto const found = lookup_->take()) {
            lookup_ = nullptr;
            if (found->addresses.empty())
                return fail(found->failure);
            auto const endpoint = totora::endpoint_of(found->addresses.front(), port);
            return endpoint ? connect(*endpoint) : fail("this is no address");
        }
        looks_.expires_after(look_interval);
        looks_.async_wait([this, port](Error failure) {
            if (not failure)
                guarded([&] { await_address(port); });
        });
    }

    void connect(Tcp::endpoint const& endpoint)
    {
        socket_.async_connect(endpoint, [this](Error failure) { proceed(failure, [this] { ask(); }); });
    }

    void ask()
    {
        boost::asio::async_write(socket_, boost::asio::buffer(request_),
                                 [this](Error failure, std::size_t) { proceed(failure, [this] { receive(); }); });
    }

    /// The state machine shows success; but a client that leaves at once may not be read, and a refusal is worth a line.
    void receive()
    {
        socket_.async_read_some(boost::asio::buffer(received_), [this](Error failure, std::size_t count) {
            proceed(failure, [&] {
                auto const text = std::string_view{received_.data(), count};
                fail("it answered '" + printable(text.substr(0, text.find('\r'))) + "'");
            });
        });
    }

    /// The next part of an attempt, unless the one before it failed or was ended.
    template <typename Action>
    void proceed(Error failure, Action action)
    {
        if (failure == boost::asio::error::operation_aborted)
            return;
        guarded([&] { failure ? fail(failure.message()) : action(); });
    }

    [[nodiscard]] static std::string printable(std::string_view text)
    {
        auto line = std::string{text};
        std::replace_if(
            line.begin(), line.end(), [](char letter) { return letter < ' ' or letter > '~'; }, '?');
        return line;
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
    Print                                    print_;
    std::string                              leader_;       ///< Who is asked.
    std::uint64_t                            attempts_ = 0; ///< To ask it.
    std::string                              reason_;       ///< Why the last one did not succeed.
    std::string                              last_line_;    ///< The last line for the operator.
    Milliseconds                             pause_ = pause_min;
    std::string                              request_;
    std::array<char, 512>                    received_{};
};

/// The question for the leader, as long as the cluster does not know where clients find this server, at `own`.
[[nodiscard]] inline std::optional<Introduction::Question>
question_for_leader(totora::Status const& status, KeyValue const& machine, totora::Identity const& identity,
                    std::string const& own, bool is_loading)
{
    auto const leader = machine.client_address(status.leader);
    if (is_loading or status.leader == identity.id or leader.empty() or machine.client_address(identity.id) == own)
        return std::nullopt;
    auto const self = totora::Member{identity.id, identity.incarnation};
    return Introduction::Question{
        status.leader, std::string{leader}, {"ANNOUNCE", node_name(identity.cluster, self), own}};
}

} // namespace kv
