// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "arguments.hpp"
#include "event_loop.hpp"
#include "information.hpp"
#include "key_value.hpp"
#include "member.hpp"
#include "server.hpp"

#include "totora/clock/steady_clock.hpp"
#include "totora/node/raft_node.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace kv {

/// A line for the operator.
inline void say(std::string const& sentence)
{
    std::fprintf(stderr, "kv: %s\n", sentence.c_str());
}

/// Where clients are listened to: what the operator said, or the host of the server's own address among its peers.
[[nodiscard]] inline std::string
client_host(Run const& run, std::span<totora::Peer const> peers, totora::ServerId own)
{
    auto const address = parse_address(address_of(peers, own));
    return not run.client_host.empty() or not address ? run.client_host : std::string{address->host};
}

/// One server of the store from its start to its end: the node out of its four policies, and the clients' port.
template <typename Log, typename Transport>
class Replica
{
public:
    Replica(boost::asio::io_context& context, Run const& run, Log& log, Transport& transport, std::string host)
        : context_(context), run_(run), host_(std::move(host)),
          node_(machine_, log, transport, clock_, settings_of(run), Observer{this}), loop_(context, node_),
          member_(context, node_, machine_, loop_), server_(context, member_), signals_(context, SIGINT, SIGTERM),
          patience_(context)
    {
        member_.set_info([this] { return information(node_.status(), machine_, facts()); });
    }

    /// Runs until it is told to stop (exit code 0), or the node has failed (1). 2 if it cannot begin.
    [[nodiscard]] int run()
    {
        // The port comes first: a node that has started may be elected, and would have nobody to serve.
        auto const listening = server_.listen(host_, run_.client_port);
        if (not listening)
            return say(listening.error()), 2;
        auto const identity = node_.start();
        if (not identity)
            return say(identity.error().sentence), 2;
        say("server " + std::to_string(identity->id.value) + " listens for clients on " + client_address());
        signals_.async_wait([this](boost::system::error_code failure, int) {
            if (not failure)
                stop();
        });
        loop_.wake();
        context_.run();
        return exit_code_;
    }

private:
    struct Observer
    {
        Replica* replica;

        void operator()(totora::NodeEvent const& event) const
        {
            std::visit([&](auto const& one) { replica->noticed(one); }, event);
        }
    };

    using Node = totora::RaftNode<KeyValue, Log, Transport, totora::SteadyClock, Observer>;

    [[nodiscard]] static totora::NodeSettings settings_of(Run const& run)
    {
        auto settings = totora::NodeSettings{};
        settings.core.election = {run.election_ms_min, run.election_ms_max};
        settings.core.heartbeat_ms = run.heartbeat_ms;
        return settings;
    }

    [[nodiscard]] std::string client_address() const { return host_ + ":" + std::to_string(server_.port()); }

    [[nodiscard]] ServerFacts facts() const
    {
        auto const up = std::chrono::steady_clock::now() - began_;
        return {.client_port = server_.port(),
                .uptime_seconds =
                    static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(up).count()),
                .connections = server_.connections()};
    }

    void noticed(totora::RoleChanged const& now)
    {
        auto const term = " in term " + std::to_string(now.term.value);
        if (now.role == totora::RoleName::leader) {
            say("leads" + term);
            boost::asio::post(context_, [this] { member_.announce(client_address()); });
        } else if (now.leader != totora::nobody) {
            say("follows server " + std::to_string(now.leader.value) + term);
        } else {
            say("is " + std::string{name_of(now.role)} + ", knows no leader" + term);
        }
    }

    void noticed(totora::OutcomeNoted const& noted)
    {
        if (is_breach(noted.outcome))
            say("server " + std::to_string(noted.from.value) +
                " broke the protocol: " + std::string{name_of(noted.outcome)});
    }

    void noticed(totora::TornTailCut const& cut)
    {
        say("cut off the torn end of the log, " + std::to_string(cut.tail.bytes) + " bytes from index " +
            std::to_string(cut.tail.first.value) + " on: a crash interrupted a write that nobody relied on");
    }

    void noticed(totora::Failed const& failed)
    {
        say("cannot go on (" + std::string{name_of(failed.why)} + "): " + failed.sentence);
        exit_code_ = 1;
        boost::asio::post(context_, [this] { stop(); });
    }

    /// Ends all promises, tells the clients, and leaves. Clients that do not listen are not waited for.
    void stop()
    {
        if (std::exchange(is_stopping_, true))
            return;
        node_.stop();
        server_.finish();
        say("stopped");
        leave(std::chrono::steady_clock::now() + std::chrono::seconds{1});
    }

    void leave(std::chrono::steady_clock::time_point deadline)
    {
        if (server_.connections() == 0 or std::chrono::steady_clock::now() >= deadline) {
            server_.close();
            return context_.stop();
        }
        patience_.expires_after(std::chrono::milliseconds{5});
        patience_.async_wait([this, deadline](boost::system::error_code) { leave(deadline); });
    }

    boost::asio::io_context&                    context_;
    Run const&                                  run_;
    std::string                                 host_;
    KeyValue                                    machine_;
    totora::SteadyClock                         clock_;
    Node                                        node_;
    EventLoop<Node>                             loop_;
    Member<Node>                                member_;
    Server<Member<Node>>                        server_;
    boost::asio::signal_set                     signals_;
    boost::asio::steady_timer                   patience_;
    std::chrono::steady_clock::time_point const began_ = std::chrono::steady_clock::now();
    bool                                        is_stopping_ = false;
    int                                         exit_code_ = 0;
};

template <typename Log, typename Transport>
[[nodiscard]] int
run_replica(boost::asio::io_context& context, Run const& run, Log& log, Transport& transport, std::string host)
{
    return Replica<Log, Transport>{context, run, log, transport, std::move(host)}.run();
}

} // namespace kv
