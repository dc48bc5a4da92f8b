// SPDX-License-Identifier: BSL-1.0
#include "support/seeded_cluster.hpp"
#include "support/sanitized.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

namespace totora::test::seeded_cluster_tests
{
namespace
{

/// Faults drawn from the seed, then a healed network: whatever happened, nothing acknowledged is lost.
void run_seed(std::uint64_t seed, std::uint64_t events)
{
    auto random = std::mt19937_64{seed};
    auto settings = NodeSettings{};
    settings.core.append_entries_max = 1 + random() % 4;
    settings.core.window = 1 + random() % 8;
    settings.core.pre_vote = random() % 4 != 0;
    settings.core.check_quorum = random() % 4 != 0;
    settings.core.sticky = random() % 4 != 0 and settings.core.check_quorum;
    settings.append_bytes_max = 1 + random() % 200;
    auto cluster = SeededCluster{seed, 1 + random() % 5, settings};
    cluster.network.faults = {static_cast<std::uint32_t>(random() % 200), static_cast<std::uint32_t>(random() % 200),
                              static_cast<std::uint32_t>(random() % 300)};
    cluster.longest_pause_ms = std::array{20U, 100U, 300U, 600U}[random() % 4];
    auto const crashes = random() % 4 * 4;
    for (auto& server : cluster.servers)
        if (random() % 2 == 0)
            server->storage.hold_syncs();
    for (auto event = std::uint64_t{0}; event < events; ++event) {
        cluster.happen();
        auto const fate = random() % 1000;
        auto&      server = cluster.any();
        if (fate < crashes and server.node)
            cluster.crash(server);
        else if (fate < 80 and not server.node)
            cluster.start(server);
        else if (fate == 990)
            cluster.network.partition({server.id, cluster.any().id});
        else if (fate > 990 and fate < 994)
            cluster.network.partition({});
    }
    cluster.network.heal();
    cluster.start_all();
    cluster.run_healthy_ms(3000);
    cluster.propose(*cluster.leader());
    cluster.run_healthy_ms(300);
    cluster.check_converged();
    BOOST_TEST(not cluster.acknowledged.empty());
}

BOOST_AUTO_TEST_CASE(figure_3_holds_under_loss_reordering_partitions_and_power_failures,
                     *boost::unit_test::label("5.4.3") * boost::unit_test::label("case_63"))
{
    for (auto seed = std::uint64_t{1}; seed <= (is_sanitized ? 60 : 300); ++seed)
        try {
            run_seed(seed, 5000);
        } catch (std::exception const& broken) {
            BOOST_ERROR("seed " << seed << ": " << broken.what());
        }
}

BOOST_AUTO_TEST_CASE(a_healthy_cluster_of_any_size_elects_commits_and_reads, *boost::unit_test::label("case_79"))
{
    for (auto size = std::uint64_t{1}; size <= 7; ++size) {
        auto cluster = SeededCluster{size, size};
        cluster.run_healthy_ms(2000);
        BOOST_REQUIRE(cluster.leader() != nullptr);
        for (auto round = 0; round < 100; ++round) {
            cluster.propose(*cluster.leader());
            cluster.read(*cluster.leader());
            cluster.run_healthy_ms(2);
        }
        cluster.run_healthy_ms(100);
        BOOST_TEST(cluster.acknowledged.size() == 100U);
        BOOST_TEST(cluster.reads == 100U);
        BOOST_TEST(cluster.open == 0);
        cluster.check_converged();
    }
}

} // namespace
} // namespace totora::test::seeded_cluster_tests
