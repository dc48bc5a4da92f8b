// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/administration.hpp"
#include "totora/core/messages/announced.hpp"
#include "totora/core/messages/local.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/values/fields.hpp"
#include "totora/core/values/types.hpp"
#include "totora/core/values/with_alternative.hpp"

#include <utility>
#include <variant>

namespace totora::inline v0
{

/// A variant with more alternatives.
template <typename Variant, typename... More>
struct Extended;

template <typename... Ts, typename... More>
struct Extended<std::variant<Ts...>, More...>
{
    using Type = std::variant<Ts..., More...>;
};

/// Everything that can happen to a server: what other servers send (core/messages/rpc.hpp), and what happens here
/// (core/messages/local.hpp).
using MessageBody = Extended<Rpc, AppendConfiguration, Started, AlarmRang, Persisted, Halted, Proposed, ReadRequested,
                             RoomChanged, Replayed, Announced, AppendsCut, AppendsResumed, LinkMoved, LinkChanged,
                             SnapshotTaken, ChunkReady, SnapshotReceived, SnapshotDamaged, ChangeRequested,
                             ChangeCancelled, TransferRequested, CampaignRequested>::Type;

static_assert(alternatives_list_their_fields<MessageBody>);

/// One step's input.
struct Message
{
    ServerId    from; ///< Who sent it; `nobody` if it happened on this server itself.
    MessageBody body; ///< What was sent, or what happened.

    friend constexpr bool operator==(Message const&, Message const&) = default;
};

/// A message that came from another server.
[[nodiscard]] constexpr Message message_from(ServerId sender, Rpc const& rpc)
{
    auto message = Message{.from = sender, .body = {}};
    with_alternative(rpc, [&]<typename AnyRpc>(AnyRpc const& body) {
        message.body = MessageBody{std::in_place_type<AnyRpc>, body};
    });
    return message;
}

} // namespace totora::inline v0
