// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/identity.hpp"
#include "totora/transport/tcp/accepted.hpp"
#include "totora/transport/tcp/connection.hpp"
#include "totora/transport/tcp/connection_owner.hpp"
#include "totora/transport/tcp/frame_reader.hpp"
#include "totora/transport/tcp/repeat_filter.hpp"
#include "totora/transport/tcp/routes.hpp"
#include "totora/transport/tcp_settings.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace totora::inline v0
{

/// The connections that other servers dialed, within the bounds of `TcpSettings`: at each bound one connection is
/// dropped for the others, and never one of a known member.
class TcpIncoming
{
public:
    TcpIncoming(TcpSettings const& settings, TcpCounters& counters, TcpRoutes const& routes)
        : settings_(settings), counters_(counters), routes_(routes), log_(settings.log, counters.log_lines_suppressed)
    {}

    [[nodiscard]] std::vector<std::shared_ptr<TcpConnection>> const& all() const { return accepted_.all(); }

    /// Adds a connection, and waits for its hello.
    void add(std::shared_ptr<TcpConnection> const& connection)
    {
        drop(accepted_.to_end_for_handshake(settings_.handshakes_max), "gave way to others before its handshake");
        accepted_.add(connection);
        connection->accept();
    }

    /// A handshake is complete. A server that dials again has given up its earlier connection, even if this side has
    /// not noticed.
    void opened(TcpConnection const& connection)
    {
        for (auto const& other : std::vector{accepted_.all()})
            if (other.get() != &connection and other->is_open() and other->remote() == connection.remote())
                other->close("replaced by a newer connection", TcpEnding::usual);
        drop(accepted_.to_end_of_unknown(settings_.unknown_max, connection, KnownTo{&routes_}),
             "was idle longest of the servers that are no known members");
    }

    /// A connection of no known member holds more of an unfinished frame.
    void grown(TcpConnection const& connection)
    {
        if (connection.is_dialed() or routes_.knows(connection.remote()))
            return;
        auto const one_frame =
            std::uint64_t{connection.agreed().frame_bytes_max} + FrameReader::part_max + FrameReader::block_size;
        drop(accepted_.to_end_for_memory(std::max(settings_.unknown_bytes_max, one_frame), KnownTo{&routes_}),
             "held too much of an unfinished frame, and is of no known member");
    }

    /// A connection has ended.
    void ended(TcpConnection const& connection, std::string_view what)
    {
        if (connection.agreed().version == 0 or connection.ending() == TcpEnding::unusual)
            log_.log(origin_of(connection) + ": " + std::string{what});
        accepted_.remove(connection);
    }

    /// Drops a connection of no known member that has been idle too long.
    void check_idle(TcpConnection& connection, TcpConnection::Time now)
    {
        if (not connection.is_dialed() and connection.is_open() and not routes_.knows(connection.remote()) and
            now - connection.last_frame() > patience_of(settings_.unknown_idle_ms))
            drop(connection.shared(), "is of no known member, and sends nothing");
    }

    /// Logs what was held back, once the limit allows it.
    void catch_up(RepeatFilter::Moment now) { log_.catch_up(now); }

    /// Ends all connections without notice, and forgets them. Needs no memory.
    void abandon_all()
    {
        for (auto const& connection : accepted_.all())
            connection->abandon();
        accepted_.clear();
    }

private:
    /// Drops a connection, if any, so that others have its place.
    void drop(std::shared_ptr<TcpConnection> const& connection, std::string_view why)
    {
        if (connection == nullptr)
            return;
        ++counters_.gave_way;
        connection->drop(why);
    }

    /// The server at the other end, as far as known, and its address, for the operator.
    [[nodiscard]] static std::string origin_of(TcpConnection const& connection)
    {
        auto const is_known = connection.agreed().version != 0;
        auto       name = is_known ? to_string(connection.remote()) : std::string{"an incoming connection"};
        return connection.source().is_unspecified() ? name : name + " from " + connection.source().to_string();
    }

    TcpSettings const& settings_;
    TcpCounters&       counters_;
    TcpRoutes const&   routes_;
    TcpAccepted        accepted_;
    RepeatFilter       log_;
};

} // namespace totora::inline v0
