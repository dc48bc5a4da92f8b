// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/local.hpp"
#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/values/inplace_vector.hpp"
#include "totora/core/values/search.hpp"
#include "totora/data/entry.hpp"
#include "totora/node/links/cold_reads.hpp"
#include "totora/node/links/outbox.hpp"
#include "totora/node/links/part_of.hpp"
#include "totora/node/settings.hpp"
#include "totora/policy/log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace totora::inline v0
{

/// Takes the core's messages to the transport: at once, or when the log has reported durable what they rest on. The payload of
/// an append is pinned in the turn in which the append was made (case 82).
///
/// The core bounds what is on its way to a follower in entries; this bounds it in bytes (case 91). Of an append that goes beyond
/// the bound only the first part is sent, and the core is notified how far (`AppendsCut`), so that it goes on there (case 89).
template <typename Log, typename Transport>
class Sender
{
public:
    using Servers = InplaceVector<ServerId, servers_max>;
    using Cuts = InplaceVector<AppendsCut, servers_max>;

    Sender(Log& log, Transport& transport, NodeSettings const& settings, ColdReads& cold_reads)
        : log_(log), transport_(transport), settings_(settings), cold_reads_(cold_reads)
    {}

    /// Sends or holds a message. `own` are the entries of the step that made it: what is exactly those need not be read. `state`
    /// is this server's. An error if the log cannot give back what it holds.
    [[nodiscard]] std::optional<LogError> send(Envelope const& envelope, Entries const& own, State const& state)
    {
        auto const released = envelope.open();
        if (not released)
            outbox_.hold(envelope);
        else if (envelope.entries() == nullptr)
            transport_.send(*released, Entries{});
        else if (auto const* progress = find_progress(state, envelope.to()))
            return send_append(*released, *std::get_if<AppendEntries>(&released->rpc()), own, *progress);
        return std::nullopt;
    }

    /// Sends every held message whose write is durable now.
    void release(Durable durable)
    {
        outbox_.release(durable, [&](Released const& message) { transport_.send(message, Entries{}); });
    }

    /// What was cut off the messages of the last step, for the core.
    [[nodiscard]] Cuts take_cuts() { return cuts_.empty() ? Cuts{} : std::exchange(cuts_, {}); }

    /// The followers to which more can be sent now, for the core (`AppendsResumed`).
    [[nodiscard]] Servers take_resumed(State const& state)
    {
        if (paused_.empty())
            return {};
        auto resumed = Servers{};
        auto waiting = Servers{};
        for (auto const server : paused_)
            if (auto const* progress = find_progress(state, server))
                (has_window(*progress) ? resumed : waiting).push_back(server);
        paused_ = waiting;
        got_nothing_ = static_cast<std::ptrdiff_t>(waiting.size());
        return resumed;
    }

    /// Whether a follower waits for nothing but the next turn.
    [[nodiscard]] bool can_resume(State const& state) const
    {
        return core::any_of(paused_, [&](ServerId server) {
            auto const* progress = find_progress(state, server);
            return progress != nullptr and has_window(*progress);
        });
    }

    /// Forgets the messages that wait for the disk: this server promises nothing any more.
    void clear() { outbox_.clear(); }

    /// The bytes of entries sent since the start, headers included, to all followers.
    [[nodiscard]] std::uint64_t entry_bytes_sent() const { return entry_bytes_sent_; }

private:
    [[nodiscard]] std::optional<LogError>
    send_append(Released const& message, AppendEntries const& append, Entries const& own, Progress const& progress)
    {
        if (was_cut(message.to()))
            return std::nullopt; // What comes before it was not sent.
        auto const outstanding = log_.bytes(progress.first, before(append.entries.first));
        if (own.count() != append.entries.count or own.bytes() > settings_.append_bytes_max or
            (*own.begin()).index != append.entries.first or outstanding + own.bytes() > settings_.window_bytes)
            return send_in_parts(message, append, outstanding);
        transport_.send(message, own);
        entry_bytes_sent_ += own.bytes();
        return std::nullopt;
    }

    /// Cuts an append by bytes, as far as the window and the disk allow. An entry larger than the window goes alone.
    [[nodiscard]] std::optional<LogError>
    send_in_parts(Released const& message, AppendEntries const& whole, std::uint64_t outstanding)
    {
        auto const last = last_of(whole.entries);
        for (auto first = whole.entries.first; first <= last;) {
            auto const left = settings_.window_bytes - std::min(settings_.window_bytes, outstanding);
            auto const wanted = std::min(settings_.append_bytes_max, left);
            auto const fits = outstanding == 0 or log_.bytes(first, first) <= left;
            auto const allowed = fits ? cold_reads_.allowed(log_, ColdReads::Reader::appends, first, wanted) : 0;
            if (allowed == 0) {
                cut(message.to(), before(first), first > whole.entries.first);
                return std::nullopt;
            }
            auto const payload = log_.read(first, last, allowed);
            if (not payload and payload.error().failure == LogFailure::not_now) {
                cold_reads_.stop(ColdReads::Reader::appends, payload.error().what);
                cut(message.to(), before(first), first > whole.entries.first);
                return std::nullopt;
            }
            if (not payload)
                return payload.error();
            if (payload->empty())
                return LogError{LogFailure::read_failed, "the log does not hold an entry below its last one"};
            if (payload->count() == whole.entries.count)
                transport_.send(message, *payload);
            else
                send_part(message.to(), part_of(whole, first, payload->count()), *payload);
            auto const after = first + payload->count();
            cold_reads_.count(log_, ColdReads::Reader::appends, first, before(after));
            entry_bytes_sent_ += payload->bytes();
            outstanding += payload->bytes();
            first = after;
        }
        return std::nullopt;
    }

    void send_part(ServerId to, AppendEntries const& part, Entries const& payload)
    {
        auto const envelope = Envelope{to, part, Release::at_once()};
        transport_.send(*envelope.open(), payload);
    }

    [[nodiscard]] bool was_cut(ServerId server) const
    {
        return core::any_of(cuts_, [&](AppendsCut const& cut) { return cut.server == server; });
    }

    /// Followers that got nothing come before those that got something, so that all have their turn.
    void cut(ServerId server, Index sent, bool got_something)
    {
        cuts_.push_back({server, sent});
        if (std::find(paused_.begin(), paused_.end(), server) != paused_.end() or not paused_.push_back(server))
            return;
        if (not got_something)
            std::rotate(paused_.begin() + got_nothing_++, paused_.end() - 1, paused_.end());
    }

    /// Whether there is a place for the next entry, and for more than a crumb: a window that is filled entry by entry makes many
    /// small appends.
    [[nodiscard]] bool has_window(Progress const& progress) const
    {
        auto const outstanding = log_.bytes(progress.first, before(progress.next));
        auto const next_bytes = log_.bytes(progress.next, progress.next);
        return outstanding == 0 or
               (outstanding <= settings_.window_bytes / 2 and next_bytes <= settings_.window_bytes - outstanding);
    }

    Log&                log_;
    Transport&          transport_;
    NodeSettings const& settings_;
    ColdReads&          cold_reads_;
    Outbox              outbox_;
    Cuts                cuts_;
    Servers             paused_;          ///< Followers whose last append was cut.
    std::ptrdiff_t      got_nothing_ = 0; ///< The first so many of them got nothing of it.
    std::uint64_t       entry_bytes_sent_ = 0;
};

} // namespace totora::inline v0
