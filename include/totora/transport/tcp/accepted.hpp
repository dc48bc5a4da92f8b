// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/data/identity.hpp"
#include "totora/transport/tcp/connection.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The incoming connections of a server, and the choice of one that gives way when there are too many.
///
/// Three kinds: before its handshake a connection may come from any process; after it, the server at the other end is
/// known, that is named by `update`, or it is not: a new member, or any process that has the cluster's id. A known one
/// never gives way.
class TcpAccepted
{
public:
    using Connection = std::shared_ptr<TcpConnection>;

    void add(Connection connection) { all_.push_back(std::move(connection)); }

    void remove(TcpConnection const& connection)
    {
        std::erase_if(all_, [&](Connection const& one) { return one.get() == &connection; });
    }

    void clear() { all_.clear(); }

    [[nodiscard]] std::vector<Connection> const& all() const { return all_; }

    /// The connection that must end so that fewer than `places` are without a handshake. Null if fewer are.
    ///
    /// Those that have not sent the hello of a server of this cluster end first, whether they sent nothing or part of a frame:
    /// a member's hello may be late, since packets are lost. Of those the address with most of them loses one, so
    /// that a faulty machine takes no place of another; and of its connections the oldest, so that each has had the
    /// most time to send a hello.
    [[nodiscard]] Connection to_end_for_handshake(std::size_t places) const
    {
        auto waiting = select([](TcpConnection const& one) { return not one.is_open(); });
        if (waiting.size() < places)
            return nullptr;
        auto const accepted = std::partition(waiting.begin(), waiting.end(),
                                             [](Connection const& one) { return not one->has_accepted_hello(); });
        if (accepted != waiting.begin())
            waiting.erase(accepted, waiting.end());
        auto of_source = std::map<TcpConnection::Address, std::size_t>{};
        for (auto const& one : waiting)
            ++of_source[one->source()];
        return *std::max_element(waiting.begin(), waiting.end(), [&](Connection const& a, Connection const& b) {
            return std::pair{of_source[a->source()], b->began()} < std::pair{of_source[b->source()], a->began()};
        });
    }

    /// The connection of an unknown server that must end so that there are no more than `places`: the one longest
    /// without a frame, except `newest`. Null if none must.
    template <typename IsKnown>
    [[nodiscard]] Connection to_end_of_unknown(std::size_t places, TcpConnection const& newest, IsKnown is_known) const
    {
        auto unknown = select([&](TcpConnection const& one) { return one.is_open() and not is_known(one.remote()); });
        if (unknown.size() <= places)
            return nullptr;
        std::erase_if(unknown, [&](Connection const& one) { return one.get() == &newest; });
        return *std::min_element(unknown.begin(), unknown.end(), [](Connection const& a, Connection const& b) {
            return a->last_frame() < b->last_frame();
        });
    }

    /// The connection of an unknown server that must end if together they hold more than `bytes_max` of unfinished
    /// frames: the one that holds most. Null if they do not.
    template <typename IsKnown>
    [[nodiscard]] Connection to_end_for_memory(std::uint64_t bytes_max, IsKnown is_known) const
    {
        auto const unknown =
            select([&](TcpConnection const& one) { return one.is_open() and not is_known(one.remote()); });
        auto held = std::uint64_t{0};
        for (auto const& one : unknown)
            held += one->unfinished_bytes();
        if (held <= bytes_max)
            return nullptr;
        return *std::max_element(unknown.begin(), unknown.end(), [](Connection const& a, Connection const& b) {
            return a->unfinished_bytes() < b->unfinished_bytes();
        });
    }

private:
    template <typename Is>
    [[nodiscard]] std::vector<Connection> select(Is is) const
    {
        auto selected = std::vector<Connection>{};
        for (auto const& one : all_)
            if (not one->is_closed() and is(*one))
                selected.push_back(one);
        return selected;
    }

    std::vector<Connection> all_;
};

} // namespace totora::inline v0
