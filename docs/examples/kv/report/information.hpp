// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../commands/server_commands.hpp"
#include "../machine/key_value.hpp"
#include "membership_text.hpp"
#include "server_facts.hpp"

#include "totora/node/status.hpp"
#include "totora/transport/tcp_settings.hpp"
#include "totora/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <unistd.h>

namespace kv
{

/// The memory of this process that is in RAM, in bytes.
[[nodiscard]] inline std::uint64_t resident_bytes()
{
    auto statm = std::ifstream{"/proc/self/statm"};
    auto all = std::uint64_t{0};
    auto resident = std::uint64_t{0};
    statm >> all >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// How often another server, or a policy, was found to be broken.
[[nodiscard]] inline std::uint64_t violations(totora::Status const& status)
{
    auto sum = std::uint64_t{0};
    for (auto at = std::size_t{0}; at < status.decisions.size(); ++at)
        if (is_violation(static_cast<totora::Decision>(at)))
            sum += status.decisions[at];
    return sum;
}

/// How entries get to a follower, in a word.
[[nodiscard]] inline std::string_view state_of(totora::FollowerStatus const& follower)
{
    return follower.set_back      ? "set_back"
           : follower.no_room     ? "no_room"
           : follower.full        ? "queue_full"
           : follower.replicating ? "replicating"
                                  : "probing";
}

/// The text of INFO: "name:value" lines in sections, as Redis has them, and a section of our own.
class InformationText
{
public:
    void add_server(ServerFacts const& facts)
    {
        section("Server");
        line("redis_version", redis_version);
        line("redis_mode", "cluster");
        line("totora_version", totora::version_string);
        line("process_id", ::getpid());
        line("tcp_port", facts.client_port);
        line("uptime_in_seconds", facts.uptime_seconds);
        section("Clients");
        line("connected_clients", facts.connections);
        line("maxclients", facts.connections_max);
        line("clients_turned_away", facts.clients_turned_away);
        line("clients_memory", facts.clients_memory_bytes);
        line("clients_memory_max", facts.clients_memory_bytes_max);
        line("clients_evicted", facts.clients_evicted);
        line("http_refused", facts.http_refused);
        line("blocked_clients", 0);
    }

    void add_process(ServerFacts const& facts)
    {
        section("Memory");
        auto const bytes = resident_bytes();
        line("used_memory", bytes);
        line("used_memory_human", std::to_string(bytes >> 20U) + "M");
        line("used_memory_rss", bytes);
        section("Persistence");
        line("loading", facts.loading ? "1" : "0");
        section("Stats");
        line("total_connections_received", facts.connections_taken);
        line("total_commands_processed", facts.requests);
    }

    void add_replication(totora::Status const& status, KeyValue const& machine, ServerFacts const& facts)
    {
        section("Replication");
        line("role", status.role == totora::RoleName::leader ? "master" : "slave");
        line("connected_slaves", status.followers.size());
        line("leader_client_address", machine.client_address(status.leader));
        line("own_client_address", facts.client_address);
    }

    /// The first part of the section about Raft.
    void add_membership(totora::Status const& status, ServerFacts const& facts)
    {
        section("Raft");
        line("raft_cluster_id", to_hexadecimal(facts.cluster.value));
        line("raft_incarnation", facts.incarnation.value);
        line("raft_membership", membership_of(status));
        line("raft_configuration", status.configuration.index.value);
        line("raft_voters", ids_of_members(status, true));
        line("raft_learners", ids_of_members(status, false));
        line("raft_change", to_string(status.change));
    }

    void add_raft(totora::Status const& status)
    {
        line("raft_id", status.id.value);
        line("raft_role", to_string(status.role));
        line("raft_term", status.term.value);
        line("raft_leader", status.leader.value);
        line("raft_ready", status.ready ? "1" : "0");
        line("raft_last", status.last.value);
        line("raft_durable", status.durable.value);
        line("raft_commit", status.commit.value);
        line("raft_applied", status.applied.value);
        line("raft_room", to_string(status.room));
        line("raft_disk_hangs", status.disk_hangs ? "1" : "0");
        line("raft_base", status.base.value);
        if (status.snapshot) {
            line("raft_snapshot_index", status.snapshot->last.index.value);
            line("raft_snapshot_bytes", status.snapshot->bytes);
        }
        if (status.reception)
            line("raft_reception", text_of(*status.reception));
        for (auto const& follower : status.followers)
            if (follower.transfer)
                line("raft_transfer_" + std::to_string(follower.server.value), text_of(*follower.transfer));
        line("raft_entry_bytes_sent", status.entry_bytes_sent);
        line("raft_entry_bytes_received", status.entry_bytes_received);
        line("raft_entry_bytes_stored", status.entry_bytes_stored);
        line("raft_violations", violations(status));
        for (auto const& row : status.violations)
            line("raft_violations_of_" + std::to_string(row.server.value),
                 "count=" + std::to_string(row.count) + ",last=" + std::string{to_string(row.last)});
        line("raft_payload_mismatches", status.payload_mismatches);
        for (auto const& follower : status.followers)
            line("raft_follower_" + std::to_string(follower.server.value),
                 "match=" + std::to_string(follower.match.value) + ",next=" + std::to_string(follower.next.value) +
                     ",in_flight=" + std::to_string(follower.in_flight) + "," + lag_of(follower) +
                     ",address=" + follower.address + ",state=" + std::string{state_of(follower)});
        if (status.scrub) {
            line("raft_scrub_bytes", status.scrub->bytes);
            line("raft_scrub_bytes_total", status.scrub->bytes_total);
            line("raft_scrub_passes", status.scrub->passes);
        }
        if (status.failed)
            line("raft_failed", status.failed->what);
    }

    void add_peers(std::vector<totora::TcpPeerStatus> const& peers)
    {
        section("Peers");
        for (auto const& peer : peers) {
            auto const name = "peer_" + std::to_string(peer.party.id.value);
            auto const link = peer.open ? "open" : peer.refused ? "refused" : "closed";
            line(name, "address=" + peer.address + ",link=" + link);
            if (peer.refused)
                line(name + "_error", peer.what);
        }
    }

    void add_transport(totora::TcpCounters const& counters, totora::TcpLoad const& load)
    {
        line("peer_handshakes_refused", counters.handshakes_refused);
        line("peer_two_lives", counters.two_lives);
        line("peer_frames_refused",
             std::accumulate(counters.refused.begin(), counters.refused.end(), std::uint64_t{0}));
        line("peer_connections_lost", counters.lost);
        line("peer_messages_dropped",
             counters.dropped_full + counters.dropped_unconnected + counters.dropped_oversized);
        line("peer_connections_gave_way", counters.gave_way);
        line("peer_connections_handshaking", load.handshaking);
        line("peer_connections_known", load.known);
        line("peer_connections_unknown", load.unknown);
        line("peer_unfinished_bytes", load.unfinished_bytes);
        line("peer_unfinished_bytes_most", std::max(counters.unfinished_bytes_most, load.unfinished_bytes));
        line("peer_unknown_unfinished_bytes", load.unknown_unfinished_bytes);
        line("peer_inbox_bytes", load.inbox_bytes);
        line("peer_queued_bytes", load.queued_bytes);
    }

    void add_keys(KeyValue const& machine)
    {
        section("Cluster");
        line("cluster_enabled", 1);
        section("Keyspace");
        line("db0", "keys=" + std::to_string(machine.size()) + ",expires=0,avg_ttl=0");
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    [[nodiscard]] static std::string text_of(totora::TransferStatus const& transfer)
    {
        return "received=" + std::to_string(transfer.bytes) + ",of=" + std::to_string(transfer.snapshot.bytes);
    }

    void section(std::string_view name) { text_.append(text_.empty() ? "# " : "\r\n# ").append(name).append("\r\n"); }

    template <typename Value>
    void line(std::string_view name, Value const& value)
    {
        text_.append(name).append(":");
        if constexpr (std::is_integral_v<Value>)
            text_.append(std::to_string(value));
        else
            text_.append(value);
        text_.append("\r\n");
    }

    std::string text_;
};

/// What INFO answers.
[[nodiscard]] inline std::string information(totora::Status const& status, KeyValue const& machine,
                                             ServerFacts const& facts, std::vector<totora::TcpPeerStatus> const& peers,
                                             totora::TcpCounters const& counters, totora::TcpLoad const& load = {})
{
    auto text = InformationText{};
    text.add_server(facts);
    text.add_process(facts);
    text.add_replication(status, machine, facts);
    text.add_membership(status, facts);
    text.add_raft(status);
    text.add_peers(peers);
    text.add_transport(counters, load);
    text.add_keys(machine);
    return text.take();
}

} // namespace kv
