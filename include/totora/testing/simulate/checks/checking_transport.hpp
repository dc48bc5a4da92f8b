// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/messages/release.hpp"
#include "totora/core/messages/rpc.hpp"
#include "totora/core/role.hpp"
#include "totora/core/state.hpp"
#include "totora/core/values/progress.hpp"
#include "totora/data/payload.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/simulate/burdens.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/network/links.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace totora::inline v0::simulate
{

/// Reports every message that a server sends, and checks whether a leader sends too much.
template <message_transport Transport, typename Log>
class CheckingTransport : public TransportAdapter<Transport>
{
public:
    CheckingTransport(Transport& transport, Log const& log, Burdens& burdens, Checks& checks, std::size_t server)
        : TransportAdapter<Transport>(transport), transport_(transport), log_(log), burdens_(burdens), checks_(checks),
          server_(server)
    {
        checks.knows_nobody(server);
    }

    /// The state of the node that owns it, which outlives the last message, and how much it may have in flight.
    void belongs_to(State const& state, std::uint64_t window_bytes)
    {
        state_ = &state;
        window_bytes_ = window_bytes;
    }

    void send(Released const& message, Entries const& entries)
    {
        burdens_.call();
        checks_.sent(server_, message.to(), message.rpc());
        if (not checks_.is_member(message.to()))
            return;
        checks_.entries_sent(entries.bytes());
        if (not entries.empty())
            if (auto const* progress = find_progress(*state_, message.to()))
                look_at(*progress, std::get_if<AppendEntries>(&message.rpc())->entries);
        transport_.send(message, entries);
    }

    void send_chunk(Released const& message, PinnedBytes const& chunk) requires chunk_transport<Transport>
    {
        burdens_.call();
        checks_.sent(server_, message.to(), message.rpc());
        if (not checks_.is_member(message.to()))
            return;
        checks_.chunk_sent(chunk.bytes.size());
        transport_.send_chunk(message, chunk);
    }

    void update(ServerId server, Incarnation incarnation, std::string_view address)
    {
        checks_.introduced(server_, {{server, incarnation, {}}, std::string{address}});
        transport_.update(server, incarnation, address);
    }

    void remove(ServerId server)
    {
        checks_.forgotten(server_, server);
        if constexpr (requires { transport_.remove(server); })
            transport_.remove(server);
    }

    [[nodiscard]] std::uint64_t bytes_taken(ServerId server)
    {
        auto const bytes = std::uint64_t{transport_.bytes_taken(server)};
        checks_.link_has_taken(server_, server, bytes);
        return bytes;
    }

    void renew(ServerId server)
    {
        checks_.link_renewed(server_, server, state_->current_term);
        transport_.renew(server);
    }

private:
    /// What this leader has sent a follower.
    struct Sent
    {
        Term          term;       ///< Of this leader.
        std::uint32_t let_in = 0; ///< How often it had let this follower in.
        Index         lowest;     ///< Entry.
    };

    void look_at(Progress const& progress, Run const& run)
    {
        auto&      sent = sent_[progress.server.value - 1];
        auto const let_in = checks_.let_in(server_, progress.server);
        if (sent.term != state_->current_term or sent.let_in != let_in)
            sent = {state_->current_term, let_in, run.first};
        sent.lowest = std::min(sent.lowest, run.first);
        auto const last = last_of(run);
        auto const first = std::max(next(progress.match), sent.lowest);
        checks_.expect(last < first or (last.value - first.value < state_->settings.window and
                                        (last == first or log_.bytes(std::max(first, next(state_->log.base().index)),
                                                                     last) <= window_bytes_)),
                       "what was sent to a follower and is not matched is bounded by the window");
        checks_.expect(not progress.no_room, "a follower without room is sent no entries");
        checks_.append_sent(progress.server, run);
        checks_.entries_sent_to(server_, progress.server, state_->current_term);
    }

    Transport&                              transport_;
    Log const&                              log_;
    Burdens&                                burdens_;
    Checks&                                 checks_;
    std::size_t                             server_;
    State const*                            state_ = nullptr;
    std::uint64_t                           window_bytes_ = 0;
    std::array<Sent, simulated_servers_max> sent_{};
};

} // namespace totora::inline v0::simulate
