// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/release.hpp"
#include "totora/core/rpc.hpp"
#include "totora/core/types.hpp"
#include "totora/policy/entry.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/conformance/findings.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::conformance
{

/// Servers 1, 2 and 3 of one cluster, for `check_transport`.
template <typename T>
concept transport_network = requires(T& network, ServerId server)
{
    {
        network.at(server).receive()
        } -> std::same_as<std::optional<TransportEvent>>;
    /// What `update` is told of a server.
    {
        network.incarnation_of(server)
        } -> std::convertible_to<Incarnation>;
    {
        network.address_of(server)
        } -> std::convertible_to<std::string>;
    /// Lets what was sent travel, for some milliseconds if it is real.
    {
        network.settle()
        } -> std::same_as<void>;
};

/// What a call of `send` may take: a limit that no machine reaches by being busy, and the clock that it is taken by.
struct SendLimit
{
    std::chrono::milliseconds                 most{250};
    std::function<std::chrono::nanoseconds()> now = [] { return std::chrono::steady_clock::now().time_since_epoch(); };
};

/// The checks of a transport. Use `check_transport`.
template <transport_network Network>
class TransportChecks
{
public:
    TransportChecks(Network& network, SendLimit const& limit, Findings& findings)
        : network_(network), limit_(limit), findings_(findings)
    {
        for (auto const at : servers)
            for (auto const other : servers)
                if (at != other)
                    update(at, other, network.incarnation_of(other));
    }

    /// Everybody sends everything to everybody, several times.
    void what_arrives_was_sent()
    {
        for (auto round = 0; round < 30; ++round) {
            for (auto const from : servers)
                for (auto const to : servers)
                    if (from != to)
                        send_one_of_each(from, to);
            travel();
        }
        for (auto waited = 0; waited < 200 and arrived_ == 0; ++waited)
            travel();
        findings_.expect(arrived_ > 0, "not everything is lost",
                         "Of " + std::to_string(sent_.size()) + " messages between connected servers none arrived.");
        for (auto const& [received, expected] : kept_)
            findings_.expect(bytes_of(received) == expected, "received entries do not change",
                             "The entries of a message that was received are not the same any more.");
    }

    /// Nobody receives, and one server does not even exist.
    void sending_does_not_block()
    {
        auto const big = std::size_t{8000};
        for (auto count = 0; count < 200; ++count)
            for (auto const to : {ServerId{2}, ServerId{9}}) {
                auto const begin = limit_.now();
                send(ServerId{1}, to, append(1), entries_of(Term{++term_}, Index{1}, 1, big));
                auto const took = limit_.now() - begin;
                findings_.expect(took < limit_.most, "sending does not block",
                                 "A call of send took " + std::to_string(limit_.most.count()) + " ms or more.");
            }
    }

    /// A server hears the answers of the incarnation that was asked, and of no other.
    void an_answer_of_another_life_does_not_count()
    {
        update(ServerId{1}, ServerId{2}, Incarnation{network_.incarnation_of(ServerId{2}).value + 1000});
        for (auto round = 0; round < 20; ++round) {
            send(ServerId{2}, ServerId{1}, RequestVoteResponse{Term{++term_}, true}, {});
            network_.settle();
            while (auto const event = network_.at(ServerId{1}).receive())
                if (auto const* const received = std::get_if<Received>(&*event))
                    findings_.expect(received->from != ServerId{2} or not is_response(received->rpc),
                                     "an answer of another life does not count",
                                     "Another incarnation of server 2 was named, and an answer of this one arrived.");
        }
    }

private:
    static constexpr auto servers = {ServerId{1}, ServerId{2}, ServerId{3}};

    using Bytes = std::vector<std::byte>;

    struct Sent
    {
        ServerId from;
        ServerId to;
        Rpc      rpc;
        Bytes    bytes; ///< Of its entries.
    };

    [[nodiscard]] static Bytes bytes_of(Entries const& entries)
    {
        auto bytes = Bytes{}; // Taken as they are: it is not known yet whether they are entries.
        for (auto at = std::size_t{0}; at < entries.slice_count(); ++at)
            bytes.insert(bytes.end(), entries.slice(at).bytes.begin(), entries.slice(at).bytes.end());
        return bytes;
    }

    [[nodiscard]] static std::string number(ServerId server) { return std::to_string(server.value); }

    void update(ServerId at, ServerId server, Incarnation incarnation)
    {
        findings_.call("server " + number(at) + ": update(" + number(server) + ", incarnation " +
                       std::to_string(incarnation.value) + ")");
        network_.at(at).update(server, incarnation, network_.address_of(server));
    }

    /// An append of `count` entries of the newest term.
    [[nodiscard]] AppendEntries append(std::uint64_t count) const
    {
        auto request = AppendEntries{};
        request.term = Term{term_ + 1};
        request.entries = Run{Term{term_ + 1}, Index{1}, count};
        return request;
    }

    void send_one_of_each(ServerId from, ServerId to)
    {
        send(from, to, RequestVote{.term = Term{++term_}, .last_log = {}}, {});
        send(from, to, RequestVoteResponse{Term{++term_}, term_ % 2 == 0}, {});
        for (auto const payload_size : {std::size_t{0}, std::size_t{700}}) {
            auto const request = append(3);
            send(from, to, request, entries_of(Term{++term_}, Index{1}, 3, payload_size, 2));
        }
    }

    void send(ServerId from, ServerId to, Rpc const& rpc, Entries const& entries)
    {
        sent_.push_back({from, to, rpc, bytes_of(entries)});
        if (sent_.size() < 40)
            findings_.call("server " + number(from) + " sends message " + std::to_string(sent_.size()) + " to " +
                           number(to));
        auto const envelope = Envelope{to, rpc, Release::at_once()};
        network_.at(from).send(*envelope.open(), entries);
    }

    /// Lets messages travel, and looks at those that arrive.
    void travel()
    {
        network_.settle();
        for (auto const at : servers)
            while (auto event = network_.at(at).receive())
                if (auto* const received = std::get_if<Received>(&*event))
                    look_at(at, *received);
    }

    void look_at(ServerId at, Received const& received)
    {
        ++arrived_;
        auto const sent =
            std::find_if(sent_.begin(), sent_.end(), [&](Sent const& one) { return one.rpc == received.rpc; });
        findings_.expect(sent != sent_.end(), "what arrives was sent",
                         "Server " + number(at) + " received a message that nobody sent.");
        if (sent == sent_.end())
            return;
        auto const what = "Message " + std::to_string(sent - sent_.begin() + 1) + ", from " + number(sent->from) +
                          " to " + number(sent->to) + ", ";
        findings_.expect(received.from == sent->from, "no sender is invented",
                         what + "arrived as one of " + number(received.from) + ".");
        findings_.expect(at == sent->to, "only the addressee receives", what + "arrived at " + number(at) + ".");
        auto bytes = bytes_of(received.entries);
        findings_.expect(bytes == sent->bytes, "entries arrive as they were sent", what + "has other entries now.");
        if (kept_.size() < 20 and not bytes.empty())
            kept_.emplace_back(received.entries, std::move(bytes));
    }

    Network&                               network_;
    SendLimit const&                       limit_;
    Findings&                              findings_;
    std::uint64_t                          term_ = 0; ///< Of the newest message: no two have the same.
    std::vector<Sent>                      sent_;
    std::uint64_t                          arrived_ = 0;
    std::vector<std::pair<Entries, Bytes>> kept_; ///< Of messages that were received early.
};

/// The laws of `message_transport` that the compiler cannot check: it never corrupts, never invents a sender, delivers to the
/// addressee only, lets answers through only from the incarnation that `update` named, and never blocks. It may lose,
/// repeat, delay and reorder, but not lose everything.
///
/// `make()` gives a `transport_network` of three servers that nobody has told of each other. A call of `send` that waits for
/// somebody who never reads may not return at all.
template <typename Make>
[[nodiscard]] BrokenLaws check_transport(Make make, SendLimit const& limit = {})
{
    auto       findings = Findings{};
    auto const check = [&](auto what) {
        findings.begin("three new servers");
        auto network = make();
        auto checks = TransportChecks{network, limit, findings};
        what(checks);
    };
    check([](auto& checks) { checks.what_arrives_was_sent(); });
    check([](auto& checks) { checks.sending_does_not_block(); });
    check([](auto& checks) { checks.an_answer_of_another_life_does_not_count(); });
    return findings.broken();
}

} // namespace totora::conformance
