// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "client.hpp"
#include "resp.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace kv
{

/// Whether a server answered that it did nothing, because it does not lead or has not applied its log.
[[nodiscard]] inline bool is_redirected(Reply const& reply)
{
    return reply.is_error("MOVED ") or reply.is_error("CLUSTERDOWN ") or reply.is_error("LOADING ");
}

/// The port that a "MOVED 0 host:port" names.
[[nodiscard]] inline std::optional<std::uint16_t> moved_to(Reply const& reply)
{
    auto const colon = reply.text.rfind(':');
    if (not reply.is_error("MOVED ") or colon == std::string::npos)
        return std::nullopt;
    auto const port = parse_integer(std::string_view{reply.text}.substr(colon + 1));
    if (not port or *port < 1 or *port > 65'535)
        return std::nullopt;
    return static_cast<std::uint16_t>(*port);
}

/// The client ports of a cluster on this machine, and who leads it as far as its clients know.
class Ports
{
public:
    explicit Ports(std::vector<std::uint16_t> ports) : ports_(std::move(ports)), leader_(ports_.front()) {}

    [[nodiscard]] std::uint16_t leader() const { return leader_; }

    /// Goes where a server that does not lead redirects, or tries the next one if it did not answer.
    void look_elsewhere(std::uint16_t asked, std::optional<Reply> const& reply)
    {
        auto next = reply ? moved_to(*reply) : std::nullopt;
        for (auto at = std::size_t{0}; at < ports_.size() and not next; ++at)
            if (ports_[at] == asked)
                next = ports_[(at + 1) % ports_.size()];
        // A late caller with the same complaint changes nothing.
        leader_.compare_exchange_strong(asked, next.value_or(ports_.front()));
    }

    [[nodiscard]] std::vector<std::uint16_t> const& all() const { return ports_; }

private:
    std::vector<std::uint16_t> ports_;
    std::atomic<std::uint16_t> leader_;
};

/// A client of the whole cluster: it finds the leader and asks it, again if need be.
class Session
{
public:
    using Milliseconds = std::chrono::milliseconds;

    /// `patience` is how long one server may let it wait.
    explicit Session(Ports& ports, Milliseconds patience = Milliseconds{2'000}) : ports_(ports), patience_(patience) {}

    /// Asks the server that seems to lead, once. Nothing if the connection failed: a write may then happen or not.
    [[nodiscard]] std::optional<Reply> ask_once(std::initializer_list<std::string_view> words)
    {
        was_sent_ = false;
        if (not client_.is_open() or asked_ != ports_.leader()) {
            asked_ = ports_.leader();
            client_ = Client::connect(asked_, patience_).value_or(Client{});
        }
        was_sent_ = client_.is_open();
        auto reply = was_sent_ ? client_.ask(words) : std::nullopt;
        if (not reply or is_redirected(*reply))
            ports_.look_elsewhere(asked_, reply);
        return reply;
    }

    /// Asks until a leader answers. The request may be done more than once.
    [[nodiscard]] std::optional<Reply> ask(std::initializer_list<std::string_view> words, Milliseconds limit)
    {
        auto const deadline = std::chrono::steady_clock::now() + limit;
        while (std::chrono::steady_clock::now() < deadline) {
            auto reply = ask_once(words);
            if (reply and not is_redirected(*reply) and not reply->is_error("ERR outcome unknown") and
                not reply->is_error("BUSY"))
                return reply;
            std::this_thread::sleep_for(Milliseconds{2});
        }
        return std::nullopt;
    }

    /// Whether anything of the last request can have reached a server.
    [[nodiscard]] bool was_sent() const { return was_sent_; }

    [[nodiscard]] std::uint16_t asked() const { return asked_; }

private:
    Ports&        ports_;
    Milliseconds  patience_;
    Client        client_;
    std::uint16_t asked_ = 0;
    bool          was_sent_ = false;
};

/// The value of a line "name:value" of INFO's text; empty if there is none.
[[nodiscard]] inline std::string_view info_field(std::string_view info, std::string_view name)
{
    while (not info.empty()) {
        auto const line = info.substr(0, info.find("\r\n"));
        info.remove_prefix(std::min(line.size() + 2, info.size()));
        if (line.starts_with(name) and line.substr(name.size()).starts_with(':'))
            return line.substr(name.size() + 1);
    }
    return {};
}

} // namespace kv
