// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../protocol/resp.hpp"
#include "command_table.hpp"
#include "node_name.hpp"
#include "topology.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kv
{

/// How many slots the keys of a cluster are divided into. Here one shard, the leader and its followers, has all.
inline constexpr std::int64_t slot_count = 16'384;

/// The slot of a key: CRC-16/XMODEM of it, or of the part between the first braces if there is one.
[[nodiscard]] inline std::int64_t slot_of(std::string_view key)
{
    auto const open = key.find('{');
    auto const close = open == std::string_view::npos ? open : key.find('}', open);
    if (close != std::string_view::npos and close > open + 1)
        key = key.substr(open + 1, close - open - 1);
    auto sum = std::uint16_t{0};
    for (auto const letter : key) {
        sum = static_cast<std::uint16_t>(sum ^ static_cast<unsigned char>(letter) << 8U);
        for (auto bit = 0; bit < 8; ++bit)
            sum = static_cast<std::uint16_t>(unsigned{sum} << 1U ^ ((sum & 0x8000U) != 0 ? 0x1021U : 0U));
    }
    return sum % slot_count;
}

/// The answers about who the servers are. Those whose clients' address is not known are left out where it is asked for.
class ClusterAnswers
{
public:
    ClusterAnswers(std::string& to, Topology const& topology, Protocol protocol)
        : to_(to), topology_(topology), protocol_(protocol)
    {}

    void role() const
    {
        auto const* const leader = topology_.leader();
        if (not topology_.is_leader) {
            write_array(to_, 5);
            write_bulk(to_, "slave");
            write_bulk(to_, leader == nullptr ? "" : leader->host);
            write_integer(to_, leader == nullptr ? 0 : leader->port);
            write_bulk(to_, leader == nullptr ? "connect" : "connected");
            return write_integer(to_, static_cast<std::int64_t>(topology_.offset));
        }
        write_array(to_, 3);
        write_bulk(to_, "master");
        write_integer(to_, static_cast<std::int64_t>(topology_.offset));
        write_array(to_, followers());
        for_each_follower([this](Seat const& seat) {
            write_array(to_, 3);
            write_bulk(to_, seat.host);
            write_bulk(to_, std::to_string(seat.port));
            write_bulk(to_, std::to_string(seat.offset));
        });
    }

    /// CLUSTER and what follows it.
    void answer(std::span<std::string_view const> words) const
    {
        auto const what = words[1];
        if (is_word(what, "keyslot") and words.size() == 3)
            return write_integer(to_, slot_of(words[2]));
        auto const known = {"myid", "slots", "shards", "info", "nodes"};
        auto const is_known =
            is_word(what, "keyslot") or
            std::any_of(known.begin(), known.end(), [&](auto const* name) { return is_word(what, name); });
        if (not is_known)
            return write_error(
                to_, "ERR unknown subcommand " + quoted(what) +
                         ": CLUSTER answers INFO, KEYSLOT, MYID, NODES, SHARDS and SLOTS, and changes nothing");
        if (words.size() != 2 or is_word(what, "keyslot"))
            return write_error(to_, wrong_number_of_arguments("cluster"));
        if (is_word(what, "myid"))
            return write_bulk(to_, own_name());
        if (is_word(what, "slots"))
            return slots();
        if (is_word(what, "shards"))
            return shards();
        write_text(to_, is_word(what, "info") ? info() : nodes(), protocol_);
    }

private:
    template <typename Action>
    void for_each_follower(Action action) const
    {
        for (auto const& seat : topology_.seats)
            if (not seat.is_leader and seat.has_address())
                action(seat);
    }

    [[nodiscard]] std::size_t followers() const
    {
        auto count = std::size_t{0};
        for_each_follower([&count](Seat const&) { ++count; });
        return count;
    }

    [[nodiscard]] std::string to_string(Seat const& seat) const { return node_name(topology_.cluster, seat.member); }

    [[nodiscard]] std::string own_name() const
    {
        for (auto const& seat : topology_.seats)
            if (seat.is_self)
                return to_string(seat);
        return node_name(topology_.cluster, topology_.self);
    }

    /// Nothing as long as no leader is known: a client then asks again.
    void slots() const
    {
        auto const* const leader = topology_.leader();
        if (leader == nullptr)
            return write_array(to_, 0);
        auto const write_seat = [this](Seat const& seat) {
            write_array(to_, 4);
            write_bulk(to_, seat.host);
            write_integer(to_, seat.port);
            write_bulk(to_, to_string(seat));
            write_map(to_, 0, protocol_);
        };
        write_array(to_, 1);
        write_array(to_, 3 + followers());
        write_integer(to_, 0);
        write_integer(to_, slot_count - 1);
        write_seat(*leader);
        for_each_follower(write_seat);
    }

    void shards() const
    {
        auto const* const leader = topology_.leader();
        auto const        write_seat = [this](Seat const& seat) {
            auto const text = [this](std::string_view name, std::string_view value) {
                write_bulk(to_, name);
                write_bulk(to_, value);
            };
            write_map(to_, 7, protocol_);
            text("id", to_string(seat));
            write_bulk(to_, "port");
            write_integer(to_, seat.port);
            text("ip", seat.host);
            text("endpoint", seat.host);
            text("role", seat.is_leader ? "master" : "replica");
            write_bulk(to_, "replication-offset");
            write_integer(to_, static_cast<std::int64_t>(seat.offset));
            text("health", seat.is_self and topology_.is_loading ? "loading" : "online");
        };
        write_array(to_, 1);
        write_map(to_, 2, protocol_);
        write_bulk(to_, "slots");
        write_array(to_, 2);
        write_integer(to_, 0);
        write_integer(to_, slot_count - 1);
        write_bulk(to_, "nodes");
        write_array(to_, followers() + (leader == nullptr ? 0 : 1));
        if (leader != nullptr)
            write_seat(*leader);
        for_each_follower(write_seat);
    }

    [[nodiscard]] std::string info() const
    {
        auto const is_ok = topology_.leader() != nullptr;
        auto const slots = std::to_string(slot_count);
        auto const term = std::to_string(topology_.term);
        auto       text = std::string{};
        auto const line = [&text](std::string_view name, std::string_view value) {
            text.append(name).append(":").append(value).append("\r\n");
        };
        line("cluster_enabled", "1");
        line("cluster_state", is_ok ? "ok" : "fail");
        line("cluster_slots_assigned", slots);
        line("cluster_slots_ok", is_ok ? slots : "0");
        line("cluster_slots_pfail", "0");
        line("cluster_slots_fail", is_ok ? "0" : slots);
        line("cluster_known_nodes", std::to_string(topology_.seats.size()));
        line("cluster_size", "1");
        line("cluster_current_epoch", term);
        line("cluster_my_epoch", term);
        return text;
    }

    [[nodiscard]] std::string nodes() const
    {
        auto const leader = std::find_if(topology_.seats.begin(), topology_.seats.end(),
                                         [](Seat const& seat) { return seat.is_leader; });
        auto const leader_name = leader == topology_.seats.end() ? "-" : to_string(*leader);
        auto       text = std::string{};
        for (auto const& seat : topology_.seats) {
            text.append(to_string(seat)).append(" ").append(seat.host).append(":").append(std::to_string(seat.port));
            text.append("@").append(std::to_string(seat.peer_port)).append(" ");
            text.append(seat.is_self ? "myself," : "").append(seat.is_leader ? "master" : "slave");
            text.append(seat.has_address() ? " " : ",noaddr ").append(seat.is_leader ? "-" : leader_name);
            text.append(" 0 0 ").append(std::to_string(topology_.term)).append(" connected");
            text.append(seat.is_leader ? " 0-" + std::to_string(slot_count - 1) : "").append("\n");
        }
        return text;
    }

    std::string&    to_;
    Topology const& topology_;
    Protocol        protocol_;
};

} // namespace kv
