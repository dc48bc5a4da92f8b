// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/conformance/call_watch.hpp"
#include "totora/testing/conformance/lent_entries.hpp"
#include "totora/testing/conformance/sample_messages.hpp"
#include "totora/testing/conformance/transport_network.hpp"
#include "totora/testing/conformance/transport_record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0::conformance
{

/// Uses three servers that communicate: records what each sent, and compares with it what arrives.
template <typename Network>
class TransportUser
{
public:
    TransportUser(Network& network, CallWatch& watch) : network_(network), watch_(watch) {}

    /// Entries that were received may be read when the transport has been destroyed: their pins keep them.
    ~TransportUser() = default;
    TransportUser(TransportUser const&) = delete;
    TransportUser& operator=(TransportUser const&) = delete;

    /// Whether its transports, or those that they wrap, carry chunks of snapshots.
    static constexpr bool carries_chunks =
        offers<std::remove_reference_t<decltype(std::declval<Network&>().at(ServerId{}))>, CarriesChunks>();

    static constexpr auto servers = {ServerId{1}, ServerId{2}, ServerId{3}};

    /// Gives every server the addresses of all others, but not that of `but_not` to `whom`.
    void introduce(ServerId but_not = nobody, ServerId whom = nobody)
    {
        for (auto const at : servers)
            for (auto const other : servers)
                if (at != other and not(at == but_not and other == whom))
                    update(at, other, network_.incarnation_of(other));
    }

    // --- Calls -------------------------------------------------------------------------------------------------------

    void update(ServerId at, ServerId server, Incarnation incarnation)
    {
        update(at, server, incarnation, network_.address_of(server));
    }

    void update(ServerId at, ServerId server, Incarnation incarnation, std::string const& address)
    {
        note("server " + number(at) + ": update(" + number(server) + ", incarnation " +
             std::to_string(incarnation.value) + ", \"" + address.substr(0, 40) + "\")");
        watch_.call("update", [&] { network_.at(at).update(server, incarnation, address); });
    }

    /// Sends a message, and returns its number, by which `has_arrived` knows it.
    std::uint64_t send(ServerId from, ServerId to, Message message, std::optional<Unwanted> unwanted = {})
    {
        keep(from, to, std::move(message), std::move(unwanted));
        send_again(sent_.size() - 1);
        return sent_.size() - 1;
    }

    void send_again(std::uint64_t which)
    {
        auto const& sent = sent_[which];
        note("server " + number(sent.from) + " sends message " + std::to_string(which) + " to " + number(sent.to));
        hand_over(network_.at(sent.from), sent.to,
                  {sent.message.rpc, lender_.lend(sent.message.entries), lender_.lend(sent.message.chunk)});
    }

    /// Passes a message to a transport. What it keeps of the message without a copy is overwritten afterwards.
    template <typename Transport>
    void hand_over(Transport& transport, ServerId to, Message message)
    {
        envelope_ = Envelope{to, message.rpc, Release::at_once()};
        watch_.call("send", [&] {
            if constexpr (offers<Transport, CarriesChunks>())
                if (not message.chunk.bytes.empty())
                    return refined<CarriesChunks>(transport).send_chunk(*envelope_.open(), message.chunk);
            transport.send(*envelope_.open(), message.entries);
        });
        message = {};
        envelope_ = Envelope{nobody, RequestVoteResponse{Term{number_max}, true}, Release::at_once()};
    }

    /// Sends entries that do not match their checksums. What is carried by reference has not travelled, and may arrive.
    void send_damaged(ServerId from, ServerId to, Message message)
    {
        remember(from, to, std::move(message), "damaged entries do not arrive");
        sent_.back().by_reference = sent_.back().message.entries.slice(0).bytes.data();
        note("server " + number(from) + " sends message " + std::to_string(sent_.size() - 1) + ", which is damaged");
        hand_over(network_.at(from), to, sent_.back().message);
    }

    /// What was forbidden so far may be late, and arrive from now on.
    void forgive()
    {
        for (auto& sent : sent_)
            if (sent.unwanted)
                sent.is_forgiven = true;
    }

    /// A message that was sent by other means than `send`; it must not arrive.
    void remember(ServerId from, ServerId to, Message message, std::string law)
    {
        keep(from, to, std::move(message), Unwanted{std::move(law)});
    }

    /// Lets messages travel, and checks those that arrive.
    void travel()
    {
        network_.settle();
        for (auto const at : servers)
            receive_all(at);
    }

    void receive_all(ServerId at)
    {
        // A transport may repeat, but not endlessly.
        auto const most = watch_.violations.is_broken("receive ends") ? 100 : 10'000;
        for (auto taken = 0; taken < most; ++taken)
            if (not receive(at))
                return;
        expect(false, "receive ends", "It gave 10,000 events, and still another one, while nothing was sent.");
    }

    /// Takes an event, and checks it. False if there was none.
    bool receive(ServerId at)
    {
        auto event = std::optional<TransportEvent>{};
        watch_.call("receive", [&] { event = network_.at(at).receive(); });
        if (event and std::holds_alternative<LinkChanged>(*event))
            links_[{at, std::get<LinkChanged>(*event).server}] = std::get<LinkChanged>(*event).link;
        if (event and std::holds_alternative<Received>(*event))
            look_at(at, std::get<Received>(*event));
        return event.has_value();
    }

    /// Sends a message until it has arrived once. Patient: the check is whether it can arrive at all.
    [[nodiscard]] bool arrives(ServerId from, ServerId to, Message message)
    {
        auto const which = send(from, to, std::move(message));
        for (auto tries = 0; tries < 20; ++tries) {
            for (auto waited = 0; waited < 100; ++waited) {
                travel();
                if (has_arrived(which))
                    return true;
            }
            send_again(which);
        }
        return false;
    }

    // --- State ------------------------------------------------------------------------------------------------------

    /// The term of the next message: no two have the same.
    [[nodiscard]] Term next_term() const { return Term{first_term + sent_.size()}; }

    [[nodiscard]] bool          has_arrived(std::uint64_t which) const { return sent_[which].arrived; }
    [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
    [[nodiscard]] std::uint64_t sent() const { return sent_.size(); }

    /// The last reported state of the link from one server to another.
    [[nodiscard]] std::optional<Link> link(ServerId at, ServerId server) const
    {
        auto const found = links_.find({at, server});
        return found == links_.end() ? std::optional<Link>{} : found->second;
    }

    /// The largest payload that a node may pass: what the transport declares, and otherwise what a node accepts by
    /// default.
    [[nodiscard]] std::size_t payload_max()
    {
        auto most = NodeSettings{}.entry_bytes_max;
        if constexpr (requires { std::uint64_t{network_.at(ServerId{1}).entry_bytes_max()}; })
            most = std::min(most, std::uint64_t{network_.at(ServerId{1}).entry_bytes_max()});
        return static_cast<std::size_t>(most);
    }

    /// What was received early, for when the transport has been destroyed.
    using Kept = std::vector<KeptPayload>;
    [[nodiscard]] Kept take_kept() { return std::exchange(kept_, {}); }

    /// The messages that a node passes to such a transport.
    [[nodiscard]] static std::vector<NamedMessage> kinds()
    {
        auto all = messages_of_all_kinds();
        if constexpr (carries_chunks)
            for (auto& kind : snapshot_messages())
                all.push_back(std::move(kind));
        return all;
    }

    [[nodiscard]] Network& network() { return network_; }
    [[nodiscard]] auto&    at(ServerId server) { return network_.at(server); }
    void                   settle() { network_.settle(); }

    void expect(bool kept, std::string const& law, std::string const& what)
    {
        watch_.violations.expect(kept, law, what);
    }
    template <typename Call>
    void call(std::string const& what, Call make_it)
    {
        note(what);
        watch_.call(what, make_it);
    }

    [[nodiscard]] static std::string number(ServerId server) { return std::to_string(server.value); }

private:
    static constexpr auto first_term = std::uint64_t{1}
                                       << 60U; ///< No field fits into 32 bits, nor exactly into a double.

    void keep(ServerId from, ServerId to, Message message, std::optional<Unwanted> unwanted)
    {
        auto entries = bytes_of(message.entries);
        auto chunk = bytes_of(Payload{message.chunk});
        sent_.push_back({from, to, std::move(message), std::move(entries), std::move(chunk), std::move(unwanted)});
    }

    void note(std::string line)
    {
        if (++notes_ < 60)
            watch_.violations.call(std::move(line));
    }

    void look_at(ServerId at, Received const& received)
    {
        ++arrived_;
        auto const term = std::visit([](auto const& message) { return message.term.value; }, received.rpc);
        auto*      sent = term >= first_term and term - first_term < sent_.size() ? &sent_[term - first_term] : nullptr;
        expect(sent != nullptr and sent->message.rpc == received.rpc, "what arrives was sent",
               "Server " + number(at) + " received a message that was never sent.");
        if (sent == nullptr or sent->message.rpc != received.rpc)
            return;
        auto const what = "Message " + std::to_string(sent - sent_.data()) + ", from " + number(sent->from) + " to " +
                          number(sent->to) + ", ";
        if (sent->by_reference != nullptr and received.entries.slice(0).bytes.data() == sent->by_reference)
            return;
        if (sent->is_forgiven)
            return;
        if (sent->unwanted)
            return expect(false, sent->unwanted->law, what + "arrived at " + number(at) + ".");
        expect(received.from == sent->from, "no sender is invented",
               what + "arrived as one of " + number(received.from) + ".");
        expect(at == sent->to, "only the addressee receives", what + "arrived at " + number(at) + ".");
        auto bytes = bytes_of(received.entries);
        expect(bytes == sent->entries and received.entries.count() == sent->message.entries.count(),
               "entries arrive as they were sent", what + "has other entries now.");
        auto chunk = bytes_of(Payload{received.chunk});
        expect(chunk == sent->chunk, "chunks arrive as they were sent", what + "has another chunk now.");
        sent->arrived = sent->arrived or (received.from == sent->from and at == sent->to);
        if (kept_.size() < 20 and not bytes.empty() and bytes == sent->entries)
            kept_.push_back({received.entries, std::move(bytes), "received entries do not change"});
        if (chunks_kept_ < 20 and not chunk.empty() and chunk == sent->chunk and ++chunks_kept_ > 0)
            kept_.push_back({Payload{received.chunk}, std::move(chunk), "received chunks do not change"});
    }

    Network&                                      network_;
    CallWatch&                                    watch_;
    Lender                                        lender_;
    Envelope                                      envelope_; ///< Of the message that is sent.
    std::vector<SentMessage>                      sent_;
    std::map<std::pair<ServerId, ServerId>, Link> links_;
    std::uint64_t                                 arrived_ = 0;
    std::uint64_t                                 notes_ = 0;
    Kept                                          kept_; ///< Of messages that were received early.
    std::uint64_t                                 chunks_kept_ = 0;
};

} // namespace totora::inline v0::conformance
