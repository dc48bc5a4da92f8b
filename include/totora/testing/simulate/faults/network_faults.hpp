// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/policy/transport.hpp"
#include "totora/testing/prng.hpp"
#include "totora/testing/simulate/faults/aim.hpp"
#include "totora/testing/simulate/faults/faults.hpp"
#include "totora/testing/simulate/network/links.hpp"
#include "totora/testing/simulate/scenario.hpp"
#include "totora/testing/simulate/timer_kind.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace totora::inline v0::simulate
{

/// Injects the faults of the network that last for a while.
template <typename Run>
class NetworkFaults
{
public:
    explicit NetworkFaults(Run& run) : run_(run) {}

    /// Whether a fault is to be counted now; nothing if it is not one of the network.
    [[nodiscard]] std::optional<bool> carry_out(PlannedFault const& fault, testing::Prng& random)
    {
        switch (fault.kind) {
        case Fault::isolate_one:
        case Fault::split_in_halves:
        case Fault::one_way:
        case Fault::bridge:
        case Fault::ring:
            cut_links(fault.kind, random);
            run_.plan(fault.lasts_us, TimerKind::mend, partitions_.size() - 1);
            return true;
        case Fault::flapping_link:
            cut_links(fault.kind, random);
            run_.plan(fault.lasts_us / 8, TimerKind::flap, partitions_.size() - 1, 7);
            return true;
        case Fault::queue_full:
            return fill_queue(fault.server, random.below(run_.cluster.size()), fault.lasts_us);
        case Fault::link_slow:
            slow_links_down(fault, random);
            return true;
        case Fault::bulk_stopped:
            stop_bulk(leader_or(run_, fault.server), random);
            return false;
        case Fault::other_members:
            run_.cluster.network.residents.set_foreign(fault.server, true);
            run_.plan(fault.lasts_us, TimerKind::own_members, fault.server);
            return true;
        default:
            return std::nullopt;
        }
    }

    /// Ends a partition. What is permanent does not end, here and below.
    void mend(std::size_t partition)
    {
        if (not run_.is_healed())
            run_.cluster.network.links.mend(partitions_[partition]);
    }

    /// Cuts a link that flaps, or mends it, and does so again until nothing is left to do.
    void flap(std::size_t partition, std::uint32_t left)
    {
        if (run_.is_healed())
            return;
        if (left % 2 == 1)
            run_.cluster.network.links.mend(partitions_[partition]);
        else
            run_.cluster.network.links.cut(partitions_[partition]);
        if (left > 0)
            run_.plan(run_.random.between(1'000, 50'000), TimerKind::flap, partition, left - 1);
    }

private:
    void cut_links(Fault shape, testing::Prng& random)
    {
        auto const servers = run_.cluster.size();
        auto const one = random.below(2) == 0 ? random.below(servers) : leader_or(run_, random.below(servers));
        partitions_.push_back(links_cut_by(shape, servers, one, random));
        run_.cluster.network.links.cut(partitions_.back());
    }

    /// All links from a server, or one of them.
    void slow_links_down(PlannedFault const& fault, testing::Prng& random)
    {
        auto const servers = run_.cluster.size();
        auto const from = random.below(2) == 0 ? fault.server : leader_or(run_, fault.server);
        auto const only = random.below(2) == 0 ? random.below(servers) : servers;
        auto const bytes_per_ms = std::uint64_t{8} << random.below(8);
        for (auto to = std::size_t{0}; to < servers; ++to)
            if (to != from and (only == servers or only == to))
                run_.cluster.network.slow_down(from, to, bytes_per_ms, fault.lasts_us);
    }

    void stop_bulk(std::size_t from, testing::Prng& random)
    {
        auto const servers = run_.cluster.size();
        auto const only = random.below(4) == 0 ? random.below(servers) : servers;
        auto const lasts_us = random.between(2, 24) * longest_election_us(run_);
        auto const renewal_helps = random.below(2) == 0;
        for (auto to = std::size_t{0}; to < servers; ++to)
            if (to != from and (only == servers or only == to))
                run_.cluster.network.stop_bulk(from, to, lasts_us, renewal_helps);
    }

    bool fill_queue(std::size_t number, std::size_t to, std::uint64_t lasts_us)
    {
        auto& server = run_.cluster[number];
        if (not server.process or number == to)
            return false;
        server.process->endpoint.arrive(TransportEvent{LinkChanged{ServerId{to + 1}, Link::full}});
        run_.plan(lasts_us, TimerKind::open_link, number * simulated_servers_max + to);
        return true;
    }

    Run&                 run_;
    std::vector<LinkSet> partitions_; ///< All that ever were.
};

} // namespace totora::inline v0::simulate
