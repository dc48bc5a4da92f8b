// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/queue.hpp"
#include "totora/policy/transport.hpp"
#include "totora/wire/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace totora::inline v0
{

class Loopback;

/// How messages travel through a `LoopbackNetwork`.
enum class Carry : std::uint8_t
{
    values, ///< Unchanged.
    frames, ///< Encoded and decoded, as through a socket; a frame that the receiver refuses is lost and counted.
};

/// A network in memory for servers of one thread: for tests and examples.
///
/// Deterministic: messages wait at their addressee, in the order of sending, until it receives. Every server reaches
/// every other until they are disconnected. The network outlives its endpoints.
class LoopbackNetwork
{
public:
    LoopbackNetwork() = default; ///< Carries values.
    explicit LoopbackNetwork(Carry how) : codec_(how == Carry::frames ? &through_codec : nullptr) {}
    LoopbackNetwork(LoopbackNetwork const&) = delete;
    LoopbackNetwork& operator=(LoopbackNetwork const&) = delete;

    /// Adds a server to this network. An earlier endpoint of the same id receives nothing any more.
    [[nodiscard]] Loopback join(ServerId id, Incarnation incarnation);

    /// Loses what two servers send each other from now on; what already waits is still received.
    void disconnect(ServerId a, ServerId b)
    {
        disconnect_one_way(a, b);
        disconnect_one_way(b, a);
    }

    void disconnect_one_way(ServerId from, ServerId to)
    {
        auto& place = place_of(to);
        if (not place.is_cut_from(from))
            place.cut_from.push_back(from);
    }

    void connect(ServerId a, ServerId b)
    {
        connect_one_way(a, b);
        connect_one_way(b, a);
    }

    void connect_one_way(ServerId from, ServerId to) { std::erase(place_of(to).cut_from, from); }

    /// How many messages wait for servers that still exist.
    [[nodiscard]] std::size_t waiting() const
    {
        auto count = std::size_t{0};
        for (auto const& place : places_)
            if (auto const inbox = place.inbox.lock())
                count += inbox->messages.size();
        return count;
    }

    /// How many messages were lost: disconnected, without an addressee, or to or from another incarnation.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

    /// How many messages the codec refused. Above 0, a server sent what no correct server sends.
    [[nodiscard]] std::uint64_t refused() const { return refused_; }

private:
    friend class Loopback;

    struct Waiting
    {
        Waiting(Incarnation incarnation, Received received) : sender(incarnation), message(std::move(received)) {}
        Waiting(Incarnation incarnation, ServerId from, Rpc const& rpc, Entries const& entries)
            : sender(incarnation), message{from, rpc, entries}
        {}
        Waiting(Incarnation incarnation, ServerId from, Rpc const& rpc, PinnedBytes const& chunk)
            : sender(incarnation), message{from, rpc, {}, chunk}
        {}

        Incarnation sender;
        Received    message;
    };

    struct Inbox
    {
        Incarnation              incarnation;
        Queue<Waiting>           messages;
        Queue<Announced>         announced; ///< By others.
        std::optional<Abilities> can;       ///< What this server has announced.
    };

    /// A server that may be there. They are few: a loop over them is faster than a map, and compiles in less time.
    struct Place
    {
        ServerId              id;
        std::weak_ptr<Inbox>  inbox;    ///< Null without the server.
        std::vector<ServerId> cut_from; ///< Whose messages are lost.

        [[nodiscard]] bool is_cut_from(ServerId from) const
        {
            for (auto const other : cut_from)
                if (other == from)
                    return true;
            return false;
        }
    };

    [[nodiscard]] Place* find_place(ServerId id)
    {
        for (auto& place : places_)
            if (place.id == id)
                return &place;
        return nullptr;
    }

    [[nodiscard]] Place& place_of(ServerId id)
    {
        auto* const place = find_place(id);
        return place != nullptr ? *place : places_.emplace_back(Place{id, {}, {}});
    }

    /// A server announces what it can to those that are there, and is notified of what they can, disconnected or not.
    void announce(ServerId id, Inbox& own, Abilities const& can)
    {
        own.can = can;
        for (auto const& place : places_)
            if (auto const other = place.inbox.lock(); other != nullptr and place.id != id) {
                other->announced.emplace_back(Announced{id, can});
                if (other->can)
                    own.announced.emplace_back(Announced{place.id, *other->can});
            }
    }

    [[nodiscard]] static Payload const& payload_of(Entries const& entries) { return entries; }
    [[nodiscard]] static Payload        payload_of(PinnedBytes const& chunk) { return Payload{chunk}; }

    /// `carried` are entries, or a chunk.
    template <typename Carried>
    void
    carry(ServerId from, Incarnation sender, Incarnation const* meant, Released const& message, Carried const& carried)
    {
        auto const* const place = find_place(message.to());
        auto const        inbox = place == nullptr ? nullptr : place->inbox.lock();
        if (inbox == nullptr or place->is_cut_from(from) or (meant != nullptr and *meant != inbox->incarnation)) {
            ++lost_;
            return;
        }
        if (codec_ == nullptr)
            return inbox->messages.emplace_back(sender, from, message.rpc(), carried);
        auto received = codec_(
            {.cluster = {}, .group = 0, .sender = {from, sender}, .addressee = {message.to(), inbox->incarnation}},
            message.rpc(), payload_of(carried));
        if (received)
            inbox->messages.emplace_back(sender, *std::move(received));
        else
            ++refused_;
    }

    [[nodiscard]] static std::optional<Received>
    through_codec(Route const& route, Rpc const& rpc, Payload const& payload)
    {
        auto const head = encode(route, rpc, payload, FrameLimits{}.frame_bytes_max);
        if (not head)
            return std::nullopt;
        auto const block = std::make_shared<std::vector<std::byte>>(join_frame(*head, payload));
        auto       frame = decode(*block, block);
        if (not frame)
            return std::nullopt;
        return Received{frame->route.sender.id, std::get<Rpc>(frame->content), std::move(frame->entries),
                        std::move(frame->chunk)};
    }

    /// Null if values are carried. A program that asks for no frames refers to no codec, and does not compile one.
    std::optional<Received> (*codec_)(Route const&, Rpc const&, Payload const&) = nullptr;

    std::vector<Place> places_;
    std::uint64_t      lost_ = 0;
    std::uint64_t      refused_ = 0;
};

/// One server's endpoint in a `LoopbackNetwork`. After its end, what is sent to it is lost.
class Loopback
{
public:
    void send(Released const& message, Entries const& entries)
    {
        network_->carry(id_, inbox_->incarnation, find_incarnation(message.to()), message, entries);
    }

    void send_chunk(Released const& message, PinnedBytes const& chunk)
    {
        network_->carry(id_, inbox_->incarnation, find_incarnation(message.to()), message, chunk);
    }

    [[nodiscard]] std::optional<TransportEvent> receive()
    {
        auto event = std::optional<TransportEvent>{};
        if (not inbox_->announced.empty()) {
            event.emplace(inbox_->announced.front());
            inbox_->announced.drop_front();
        }
        while (not event and not inbox_->messages.empty()) {
            auto&             first = inbox_->messages.front();
            auto const* const known = find_incarnation(first.message.from);
            if (known == nullptr or *known == first.sender or not is_response(first.message.rpc)) {
                event.emplace(std::move(first.message));
                inbox_->messages.drop_front();
            } else {
                // A response counts for the member that was asked, and another incarnation of the server is another
                // member.
                inbox_->messages.pop_front();
                ++network_->lost_;
            }
        }
        return event;
    }

    /// The most bytes of entries in a message (`message_transport`).
    [[nodiscard]] std::uint64_t entry_bytes_max() const
    {
        return network_->codec_ == nullptr ? number_max : entry_bytes_through(FrameLimits{});
    }

    /// What this server can, for the others (`message_transport`).
    void announce(Abilities const& can) { network_->announce(id_, *inbox_, can); }

    /// Sets the incarnation of a server. Without it the server is reached in any incarnation.
    void update(ServerId server, Incarnation incarnation, std::string_view /*address*/)
    {
        if (auto* const known = find_incarnation(server))
            *known = incarnation;
        else
            known_.push_back({server, incarnation});
    }

    /// Forgets the incarnation of a server (`message_transport`).
    void remove(ServerId server)
    {
        std::erase_if(known_, [server](Known const& known) { return known.server == server; });
    }

private:
    friend class LoopbackNetwork;

    Loopback(LoopbackNetwork& network, ServerId id, std::shared_ptr<LoopbackNetwork::Inbox> inbox)
        : network_(&network), id_(id), inbox_(std::move(inbox))
    {}

    struct Known
    {
        ServerId    server;
        Incarnation incarnation;
    };

    [[nodiscard]] Incarnation* find_incarnation(ServerId server)
    {
        for (auto& known : known_)
            if (known.server == server)
                return &known.incarnation;
        return nullptr;
    }

    LoopbackNetwork*                        network_;
    ServerId                                id_;
    std::shared_ptr<LoopbackNetwork::Inbox> inbox_;
    std::vector<Known>                      known_; ///< The incarnations that `update` has set.
};

inline Loopback LoopbackNetwork::join(ServerId id, Incarnation incarnation)
{
    auto const inbox = std::make_shared<Inbox>(Inbox{incarnation, {}, {}, {}});
    place_of(id).inbox = inbox;
    return Loopback{*this, id, inbox};
}

static_assert(chunk_transport<Loopback>);

} // namespace totora::inline v0
