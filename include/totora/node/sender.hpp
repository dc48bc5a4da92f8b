// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/release.hpp"
#include "totora/core/rpc.hpp"
#include "totora/node/outbox.hpp"
#include "totora/node/settings.hpp"
#include "totora/node/split.hpp"
#include "totora/policy/entry.hpp"
#include "totora/policy/log.hpp"

#include <cstdint>
#include <optional>

namespace totora
{

/// Takes the core's messages to the transport: at once, or when the log has given its word. The payload of an append is
/// pinned in the turn in which the append was made (case 82).
template <typename Log, typename Transport>
class Sender
{
public:
    Sender(Log& log, Transport& transport, NodeSettings const& settings)
        : log_(log), transport_(transport), settings_(settings)
    {}

    /// Sends or holds a message. `own` are the entries of the step that made it: what is exactly those need not be read.
    /// An error if the log cannot give back what it holds.
    [[nodiscard]] std::optional<LogError> send(Envelope const& envelope, Entries const& own)
    {
        auto const released = envelope.open();
        if (not released)
            outbox_.hold(envelope);
        else if (envelope.entries() == nullptr)
            transport_.send(*released, {});
        else
            return send_append(*released, *std::get_if<AppendEntries>(&released->rpc()), own);
        return std::nullopt;
    }

    /// Sends every message whose promise is durable now.
    void release(Durable durable)
    {
        outbox_.release(durable, [&](Released const& message) { transport_.send(message, {}); });
    }

    /// Forgets the promises that wait: this server makes none any more.
    void clear() { outbox_.clear(); }

private:
    [[nodiscard]] std::optional<LogError>
    send_append(Released const& message, AppendEntries const& append, Entries const& own)
    {
        if (own.count() != append.entries.count or own.bytes() > settings_.append_bytes_max or
            (*own.begin()).index != append.entries.first)
            return send_in_parts(message, append);
        transport_.send(message, own);
        return std::nullopt;
    }

    /// Cuts an append by bytes. What goes beyond a burst is left to the next heartbeat, like a message that was lost.
    [[nodiscard]] std::optional<LogError> send_in_parts(Released const& message, AppendEntries const& whole)
    {
        auto const last = last_of(whole.entries);
        auto       sent = std::uint64_t{0};
        for (auto first = whole.entries.first; first <= last and sent < settings_.burst_bytes_max;) {
            auto const payload = log_.read(first, last, settings_.append_bytes_max);
            if (not payload)
                return payload.error();
            if (payload->empty())
                return LogError{LogFailure::read_failed, "the log does not hold an entry that it said it held"};
            if (payload->count() == whole.entries.count)
                transport_.send(message, *payload);
            else
                send_part(message.to(), part_of(whole, first, payload->count()), *payload);
            sent += payload->bytes();
            first = first + payload->count();
        }
        return std::nullopt;
    }

    void send_part(ServerId to, AppendEntries const& part, Entries const& payload)
    {
        auto const envelope = Envelope{to, part, Release::at_once()};
        transport_.send(*envelope.open(), payload);
    }

    Log&                log_;
    Transport&          transport_;
    NodeSettings const& settings_;
    Outbox              outbox_;
};

} // namespace totora
