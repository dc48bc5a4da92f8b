// SPDX-License-Identifier: BSL-1.0
// Snapshots every few dozen entries, over a network and disks that fail: whatever is lost with the power, in whichever phase of
// taking, sending and installing, what was acknowledged is on every server, and all machines are equal.
#include "support/sanitized.hpp"
#include "support/seeded_cluster.hpp"
#include "support/snapshot/drawn_settings.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <random>

namespace totora::test::seeded_snapshots_tests
{
namespace
{

using boost::unit_test::label;

/// What the runs of all seeds go through.
constexpr auto wanted =
    std::array{Decision::log_compacted,      Decision::chunk_stored,        Decision::chunk_out_of_order,
               Decision::snapshot_installed, Decision::snapshot_superseded, Decision::transfer_restarted};
using Seen = std::array<std::uint64_t, wanted.size()>;

void run_seed(std::uint64_t seed, std::uint64_t events, Seen& seen)
{
    auto random = std::mt19937_64{seed};
    auto cluster = SeededCluster{seed, 2 + random() % 3, settings_with_snapshots(random)};
    cluster.network.faults = {static_cast<std::uint32_t>(random() % 100), static_cast<std::uint32_t>(random() % 100),
                              static_cast<std::uint32_t>(random() % 200)};
    cluster.longest_pause_ms = std::array{20U, 50U, 100U}[random() % 3];
    auto const crashes = random() % 4 * 3;
    for (auto& server : cluster.servers)
        if (random() % 2 == 0)
            server->storage.hold_syncs();
    for (auto event = std::uint64_t{0}; event < events; ++event) {
        cluster.happen();
        auto const fate = random() % 1000;
        auto&      server = cluster.any();
        if (fate < crashes and server.node)
            cluster.crash(server);
        else if (fate < 40 and not server.node)
            cluster.start(server);
        else if (fate >= 40 and fate < 60)
            server.storage.hold_snapshots();
        else if (fate >= 60 and fate < 160)
            server.storage.complete_snapshots();
        else if (fate == 990)
            cluster.network.partition({server.id});
        else if (fate > 990 and fate < 994)
            cluster.network.partition({});
    }
    cluster.network.heal();
    for (auto& server : cluster.servers)
        server->storage.complete_snapshots();
    cluster.start_all();
    cluster.run_healthy_ms(3000);
    cluster.propose(*cluster.leader());
    cluster.run_healthy_ms(300);
    cluster.check_converged();
    for (auto const& server : cluster.servers)
        cluster.decisions.add(server->node);
    for (auto at = std::size_t{0}; at < wanted.size(); ++at)
        seen[at] += cluster.decisions[wanted[at]];
}

BOOST_AUTO_TEST_CASE(servers_with_snapshots_agree_whatever_is_lost_in_whichever_phase,
                     *label("7") * label("case_29") * label("case_33") * label("case_68"))
{
    auto seen = Seen{};
    for (auto seed = std::uint64_t{1}; seed <= (is_sanitized ? 20 : 100); ++seed)
        try {
            run_seed(seed, 6000, seen);
        } catch (std::exception const& broken) {
            BOOST_ERROR("seed " << seed << ": " << broken.what());
        }
    for (auto at = std::size_t{0}; at < wanted.size(); ++at) {
        BOOST_TEST(seen[at] > 0U, to_string(wanted[at]));
        BOOST_TEST_MESSAGE(to_string(wanted[at]) << ": " << seen[at]);
    }
}

} // namespace
} // namespace totora::test::seeded_snapshots_tests
