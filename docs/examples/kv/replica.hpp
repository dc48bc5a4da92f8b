// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/server.hpp"
#include "event_loop.hpp"
#include "hand_over.hpp"
#include "introduction.hpp"
#include "machine/key_value.hpp"
#include "member.hpp"
#include "replica_settings.hpp"
#include "report/event_lines.hpp"
#include "report/information.hpp"
#include "report/notices.hpp"
#include "report/operator_log.hpp"
#include "start/addresses.hpp"
#include "start/arguments.hpp"
#include "start/stop_signals.hpp"

#include "totora/clock/steady_clock.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/tcp.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace kv
{

/// One server of the store from its start to its end: the node out of its four policies, and the clients' port.
template <typename Log>
class Replica
{
public:
    /// `identity` is the log's; `resolve` finds the addresses of this server's own names, and may wait for that.
    Replica(Run const& run, totora::Identity const& identity, Log& log, OperatorLog& lines,
            Resolve resolve = resolve_here)
        : run_(run), identity_(identity), log_(log), lines_(lines), resolve_(std::move(resolve))
    {}

    /// Runs until a signal stops it (exit code 0), or cannot go on (1). 2 if it cannot begin.
    ///
    /// An exception that nobody expected, for want of memory most likely, ends this server too: what the transport or the
    /// node was about to do may be half done.
    [[nodiscard]] int run()
    {
        auto const recovered = log_.recover();
        if (not recovered)
            return lines_.print(recovered.error().what), 2;
        auto addresses = AddressPlan{run_, identity_, resolve_, recovered->peers.in_force}.work_out();
        if (not addresses)
            return lines_.print(addresses.error()), 2;
        addresses_ = *std::move(addresses);
        if (not addresses_.caution.empty())
            lines_.print(addresses_.caution);
        // Not earlier: until then nothing would end this while name servers are silent.
        StopSignals::serve();
        auto transport = totora::TcpTransport::open(context_, transport_settings());
        if (not transport)
            return lines_.print(transport.error().what), 2;
        try {
            serve(*transport);
        } catch (std::exception const& failure) {
            fail({"cannot go on: ", reason_of(failure)});
            abandon();
        }
        introduction_.reset();
        hand_over_.reset();
        server_.reset(); // Everything in the reverse order, while the transport is there.
        member_.reset();
        loop_.reset();
        node_.reset();
        return exit_code_;
    }

private:
    void serve(totora::TcpTransport& transport)
    {
        machine_.set_order(order_);
        node_.emplace(machine_, log_, transport, clock_, node_settings(run_), Observer{this});
        loop_.emplace(context_, *node_, [this] { noticed_turn(); });
        member_.emplace(*node_, machine_, order_, *loop_, run_.timeout_ms);
        member_->set_info([this, &transport] {
            return information(node_->status(), machine_, facts(), transport.peers(), transport.counters(),
                               transport.load());
        });
        member_->set_identity(identity_.cluster, identity_.incarnation);
        member_->set_probe([this](totora::ServerId server, std::string_view address, totora::TcpProbe::Done done) {
            totora::probe_peer(context_, transport_settings(), server, address, std::move(done));
        });
        member_->set_shut_down([this] { is_stop_due_ = true, loop_->wake(); });
        server_.emplace(context_, *member_, allowed_limits(run_, lines_));
        // The port comes first: a node that has started may be elected, and would have nobody to serve.
        auto const listening = server_->listen(addresses_.client_listen_host, addresses_.client_listen_port);
        if (not listening)
            return refuse(listening.error());
        member_->set_client_address(client_address());
        auto const started = node_->start();
        if (not started and started.error().machine_threw)
            return fail({"cannot go on: ", started.error().what});
        if (not started)
            return refuse(started.error().what);
        // After the node has named those of its log. When a configuration is appended later, it names its addresses again.
        for (auto const& moved : run_.peer_addresses)
            if (moved.member.id != identity_.id)
                transport.update(moved.member.id, addresses_.incarnation_of(moved.member.id), moved.address);
        lines_.print("server " + std::to_string(identity_.id.value) + " listens for clients on " +
                     addresses_.client_listen_host + ":" + std::to_string(server_->port()) +
                     ", where they find it as " + client_address());
        call_on_stop_signal(stop_requested_, [this] { stop(); });
        introduction_.emplace(
            context_,
            [this] {
                return question_for_leader(node_->status(), machine_, identity_, client_address(),
                                           member_->is_loading());
            },
            [this](std::string_view line) { lines_.print(line); });
        introduction_->start();
        loop_->wake();
        context_.run();
    }

    void refuse(std::string_view line)
    {
        lines_.print(line);
        exit_code_ = 2;
    }

    /// Lets go of the clients and closes the log, as far as that is still possible.
    void abandon()
    {
        try {
            if (server_)
                server_->close();
            if (node_)
                node_->stop();
        } catch (std::exception const& failure) {
            lines_.print({"the log was not closed: ", reason_of(failure)});
        }
    }

    /// Is called in the middle of what the node does: it only notes and prints.
    struct Observer
    {
        Replica* replica;

        void operator()(totora::NodeEvent const& event) const noexcept
        {
            try {
                std::visit([&](auto const& one) { replica->noticed(one); }, event);
            } catch (std::exception const& failure) {
                replica->lines_.print({"cannot report what happened: ", reason_of(failure)});
            }
        }
    };

    void fail(std::initializer_list<std::string_view> parts)
    {
        lines_.print(parts);
        exit_code_ = 1;
        is_stop_due_ = true;
    }

    void noticed_turn()
    {
        if (is_stop_due_)
            stop();
        if (hand_over_ and hand_over_->is_over())
            end();
        member_->begin_turn();
        server_->begin_turn();
        if (machine_.sweep())
            loop_->wake();
    }

    using Node = totora::RaftNode<KeyValue, Log, totora::TcpTransport, totora::SteadyClock, Observer>;

    [[nodiscard]] totora::TcpSettings transport_settings() const
    {
        auto settings = kv::transport_settings(identity_, addresses_.listen);
        if constexpr (requires { log_.start(); })
            settings.life.start = log_.start();
        // What another server answers ends no process: this server may be one of a majority that serves.
        settings.log = [this](std::string_view line) { lines_.print(line); };
        return settings;
    }

    [[nodiscard]] std::string client_address() const { return addresses_.for_clients(server_->port()); }

    [[nodiscard]] ServerFacts facts() const
    {
        auto const uptime = std::chrono::steady_clock::now() - began_;
        return facts_of(*server_, identity_, client_address(), member_->is_loading(), uptime);
    }

    template <typename Event>
    void noticed(Event const& event)
    {
        lines_.print(line_of(event));
        if constexpr (requires { member_->snapshots().note(event); })
            member_->snapshots().note(event);
    }

    void noticed(totora::RoleChanged const& now)
    {
        lines_.print(line_of(now));
        if (now.role == totora::RoleName::leader)
            member_->announce();
    }

    void noticed(totora::PressureEnded const&) {} // Clients were refused, and try again when they like.

    void noticed(totora::ReadinessChanged const& now)
    {
        if (not now.ready or not member_->is_loading())
            return;
        member_->set_ready();
        lines_.print("is ready: what was committed when it came is applied");
    }

    void noticed(totora::DecisionNoted const& noted)
    {
        if (auto const line = notices_.line(noted); not line.empty())
            lines_.print(line);
    }

    void noticed(totora::Failed const& failed) { fail({"cannot go on (", to_string(failed.why), "): ", failed.what}); }

    /// Hands over if it leads, and ends in a later turn.
    void stop()
    {
        if (hand_over_)
            return;
        hand_over_.emplace(context_, *node_, *loop_);
        hand_over_->begin();
    }

    /// Ends all proposals and reads, answers the clients, and ends. Clients that do not read are not waited for.
    void end()
    {
        if (std::exchange(is_ending_, true))
            return;
        node_->stop();
        member_->end_snapshots();
        server_->finish();
        leave(std::chrono::steady_clock::now() + std::chrono::seconds{1});
    }

    void leave(std::chrono::steady_clock::time_point deadline)
    {
        if (server_->connections() == 0 or std::chrono::steady_clock::now() >= deadline) {
            server_->close();
            return context_.stop();
        }
        patience_.expires_after(std::chrono::milliseconds{5});
        patience_.async_wait([this, deadline](boost::system::error_code) { leave(deadline); });
    }

    Run const&                                  run_;
    totora::Identity const&                     identity_;
    Addresses                                   addresses_;
    Log&                                        log_;
    OperatorLog&                                lines_;
    Resolve                                     resolve_;
    Notices                                     notices_;
    ApplyOrder                                  order_;
    KeyValue                                    machine_;
    totora::SteadyClock                         clock_;
    boost::asio::io_context                     context_{1};
    std::optional<Node>                         node_;
    std::optional<EventLoop<Node>>              loop_;
    std::optional<Member<Node>>                 member_;
    std::optional<Server<Member<Node>>>         server_;
    std::optional<Introduction>                 introduction_;
    std::optional<HandOver<Node>>               hand_over_;                ///< Once it is to stop.
    boost::asio::posix::stream_descriptor       stop_requested_{context_}; ///< Readable when a signal to stop has come.
    boost::asio::steady_timer                   patience_{context_};
    std::chrono::steady_clock::time_point const began_ = std::chrono::steady_clock::now();
    bool                                        is_stop_due_ = false; ///< After this turn of the node.
    bool                                        is_ending_ = false;
    int                                         exit_code_ = 0;
};

} // namespace kv
