// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "clients/connection.hpp"
#include "clients/snapshot_waits.hpp"
#include "commands/topology.hpp"
#include "event_loop.hpp"
#include "machine/apply_order.hpp"
#include "machine/key_value.hpp"
#include "membership.hpp"
#include "report/membership_text.hpp"

#include "totora/node/outcomes.hpp"

#include <utility>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
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

/// What a client is answered about a write that may still happen.
inline constexpr std::string_view leadership_lost =
    "ERR outcome unknown: leadership was lost while the write was on its way; it may happen later, or never";
inline constexpr std::string_view write_too_slow =
    "ERR outcome unknown: the write was not committed and applied in time; it may happen later, or never";

/// This server as one of the cluster, as clients' connections see it: turns the ends of proposals and reads into
/// answers, and announces where clients find this server when it leads (as a follower, `Introduction` asks the leader to).
template <typename Node>
class Member
{
public:
    /// After `timeout_ms` a client is answered whatever happens: a quorum may have no room or hang, and still answer heartbeats.
    /// `order` is the machine's, and outlives the node.
    Member(Node& node, KeyValue const& machine, ApplyOrder& order, EventLoop<Node>& loop, std::uint64_t timeout_ms)
        : node_(node), machine_(machine), order_(order), loop_(loop), membership_(node, machine, loop),
          timeout_ms_(timeout_ms)
    {}

    template <typename Done>
    void write(std::span<std::byte const> payload, ApplyOrder::Action before, Done done)
    {
        auto place = before ? order_.before(node_.next_proposal(), std::move(before)) : ApplyOrder::Place{};
        auto ended = [this, place = std::move(place),
                      done = std::move(done)](totora::ProposalOutcome<Answer> outcome) mutable {
            if (auto* const applied = std::get_if<totora::AppliedWith<Answer>>(&outcome))
                done(std::variant<Answer, Refusal>{std::move(applied->response)});
            else if (auto const* const refused = std::get_if<totora::RefusedBecause>(&outcome))
                done(std::variant<Answer, Refusal>{refusal(*refused)});
            else if (std::holds_alternative<totora::Cancelled>(outcome))
                done(std::variant<Answer, Refusal>{Refusal{write_too_slow}});
            else
                done(std::variant<Answer, Refusal>{Refusal{leadership_lost}});
        };
        node_.propose(payload, std::move(ended), timeout_ms_);
        loop_.wake();
    }

    template <typename Done>
    void read(Done done)
    {
        auto ended = [this, done = std::move(done)](totora::ReadOutcome outcome) mutable {
            if (std::holds_alternative<totora::ReadableNow>(outcome))
                done(std::optional<Refusal>{});
            else if (auto const* const refused = std::get_if<totora::RefusedBecause>(&outcome))
                done(std::optional{refusal(*refused)});
            else
                done(std::optional{Refusal{"ERR the read took too long"}});
        };
        node_.read(std::move(ended), timeout_ms_);
        loop_.wake();
    }

    [[nodiscard]] KeyValue const& machine() const { return machine_; }
    [[nodiscard]] std::string     info() const { return describe_ ? describe_() : std::string{}; }

    /// Sets what INFO answers.
    void set_info(std::function<std::string()> describe) { describe_ = std::move(describe); }

    /// Sets what stops this server.
    void set_shut_down(std::function<void()> stop) { stop_ = std::move(stop); }
    void shut_down() const
    {
        if (stop_)
            stop_();
    }

    /// Asks for a snapshot of all that is applied now. `done` is called once: when one is durable, or with why there is none.
    void take_snapshot(SnapshotWaits::Done done)
    {
        if constexpr (requires { node_.take_snapshot(); }) {
            auto const status = node_.status();
            auto const last = status.snapshot ? status.snapshot->last.index : totora::Index{};
            if (not status.running)
                return done({false, std::string{stopped}});
            if (status.applied == totora::Index{})
                return done({false, "no entry was applied yet"});
            if (status.applied <= last)
                return done({true, "nothing was applied since the snapshot up to entry " + std::to_string(last.value) +
                                       ", which is durable"});
            snapshots_.add(status.applied, std::move(done));
            node_.take_snapshot();
            loop_.wake();
        } else {
            done({false, "this server's log keeps none"});
        }
    }

    /// Who waits for them: it is to be given what the node says of snapshots.
    [[nodiscard]] SnapshotWaits& snapshots() { return snapshots_; }

    /// The node was stopped.
    void end_snapshots() { snapshots_.end(std::string{stopped}); }

    void set_identity(totora::ClusterId cluster, totora::Incarnation incarnation)
    {
        cluster_ = cluster;
        incarnation_ = incarnation;
    }

    /// Sets what asks at an address which server runs there.
    void set_probe(typename Membership<Node>::Probe probe) { membership_.set_probe(std::move(probe)); }

    void change(ChangeWish wish, typename Membership<Node>::Done done)
    {
        membership_.change(std::move(wish), std::move(done));
    }

    /// The text of RAFT.STATUS.
    [[nodiscard]] std::string members() const
    {
        auto const status = node_.status();
        return membership_text(status, known_members(node_, status));
    }

    /// The servers as clients of a cluster see them.
    [[nodiscard]] Topology topology() const
    {
        auto const status = node_.status();
        auto       topology = topology_of(cluster_, known_members(node_, status), status, machine_);
        topology.is_loading = is_loading_;
        topology.self.incarnation = incarnation_;
        return topology;
    }

    /// Whether this server was never ready since its start (`Status::ready`): what its log holds is not applied yet. Later
    /// elections do not matter: what the client asks waits for them.
    [[nodiscard]] bool is_loading() const { return is_loading_; }
    void               set_ready() { is_loading_ = false; }

    /// Lets the node have a turn soon.
    void wake() { loop_.wake(); }

    /// Sets where the clients of this server find it.
    void set_client_address(std::string address) { client_address_ = std::move(address); }

    /// Announces that to all servers, after this turn. Each leader does so as its term begins, by an entry of the log, as it does for a
    /// follower that asks (ANNOUNCE): there is no second list of addresses that could disagree with the first.
    void announce() { announces_at_ = Clock::now(); }

    /// To be called after each turn of the node: answers who waits for snapshots, and announces what is to be announced, again if it could
    /// not be proposed.
    void begin_turn()
    {
        snapshots_.answer();
        if (Clock::now() < announces_at_)
            return;
        announces_at_ = Clock::now() + pause;
        try {
            propose_announcement();
            announces_at_ = Clock::time_point::max();
        } catch (std::exception const&) { // No memory: after the pause there may be some.
        }
    }

private:
    using Clock = std::chrono::steady_clock;

    static constexpr auto             pause = std::chrono::milliseconds{100};
    static constexpr std::string_view stopped = "this server has stopped";

    void propose_announcement()
    {
        auto payload = std::vector<std::byte>{};
        encode_announcement(payload, node_.status().id, client_address_);
        node_.propose(payload, [this](auto const& outcome) {
            using enum totora::ProposalError;
            auto const* const refused = std::get_if<totora::RefusedBecause>(&outcome);
            auto const is_refused = refused != nullptr and refused->why != not_leader and refused->why != not_running;
            if (is_refused)
                announces_at_ = Clock::now() + pause;
        });
        loop_.wake();
    }

    [[nodiscard]] Refusal refusal(totora::RefusedBecause const& refused) const
    {
        using enum totora::ProposalError;
        switch (refused.why) {
        case not_leader: {
            auto const address = machine_.client_address(refused.leader);
            return address.empty() ? Refusal{"CLUSTERDOWN no leader"} : Refusal{"MOVED 0 ", address};
        }
        case too_much_pending:
            return {"BUSY too much is waiting to be committed: try again"};
        case entry_too_large:
            return {"ERR the request is larger than an entry of the log may be"};
        case no_room:
            return {"BUSY the log has no room now, its disk may be full: nothing was written"};
        case transfer_under_way: // Clients of clusters try again by themselves.
            return {"TRYAGAIN another server is about to lead: nothing was written"};
        case not_running:
            return {"ERR this server has stopped: nothing was done"};
        case empty_proposal:
        case log_exhausted:
            break;
        }
        return {"ERR refused: ", to_string(refused.why)};
    }

    Node&                        node_;
    KeyValue const&              machine_;
    ApplyOrder&                  order_;
    EventLoop<Node>&             loop_;
    Membership<Node>             membership_;
    std::uint64_t                timeout_ms_;
    std::function<std::string()> describe_;
    std::function<void()>        stop_;
    totora::ClusterId            cluster_;
    SnapshotWaits                snapshots_;
    totora::Incarnation          incarnation_;
    bool                         is_loading_ = true;
    std::string                  client_address_;
    Clock::time_point            announces_at_ = Clock::time_point::max();
};

} // namespace kv
