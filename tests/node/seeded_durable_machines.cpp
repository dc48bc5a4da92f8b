// SPDX-License-Identifier: BSL-1.0
// Machines that keep themselves, each now and then: whatever is lost with the power, in whichever phase of compacting, sending and
// installing, what was acknowledged is on every server, and all machines are equal.
#include "support/log/forgetful_storage.hpp"
#include "support/sanitized.hpp"
#include "support/seeded_cluster.hpp"
#include "support/snapshot/drawn_settings.hpp"
#include "support/snapshot/durable_history.hpp"
#include "totora/log/verify.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <random>

namespace totora::test::seeded_durable_machines_tests
{
namespace
{

using boost::unit_test::label;

constexpr auto wanted = std::array{Decision::log_compacted, Decision::chunk_stored, Decision::snapshot_installed};

/// What the runs of all seeds go through.
struct Seen
{
    std::array<std::uint64_t, wanted.size()> decisions{};
    std::uint64_t                            acknowledged = 0;
    std::uint64_t                            captures = 0;
    std::uint64_t                            restores = 0;
    std::uint64_t compactions_without_file = 0; ///< Servers that have compacted, and end without a file.
};

/// Compactions are frequent.
[[nodiscard]] NodeSettings drawn_settings(std::mt19937_64& random)
{
    auto settings = settings_with_snapshots(random);
    settings.snapshots.entries_max = 5 + random() % 15;
    return settings;
}

template <typename Cluster>
void let_disks_differ(Cluster& cluster, std::mt19937_64& random)
{
    for (auto& server : cluster.servers) {
        server->disk.calls_between_flushes = 1 + random() % 2 * random() % 12;
        if (random() % 2 == 0)
            server->storage.hold_syncs();
    }
    cluster.network.faults = {static_cast<std::uint32_t>(random() % 100), static_cast<std::uint32_t>(random() % 100),
                              static_cast<std::uint32_t>(random() % 200)};
    cluster.longest_pause_ms = std::array{20U, 50U, 100U}[random() % 3];
}

/// A few servers fail and return, alone; networks part.
template <typename Cluster>
void let_happen(Cluster& cluster, std::mt19937_64& random)
{
    cluster.happen();
    auto const fate = random() % 1000;
    auto&      server = cluster.any();
    if (fate < 2 and server.node)
        cluster.crash(server);
    else if (fate < 40 and not server.node)
        cluster.start(server);
    else if (fate == 990)
        cluster.network.partition({server.id});
    else if (fate > 990 and fate < 994)
        cluster.network.partition({});
}

template <typename Cluster>
void end(Cluster& cluster, Seen& seen)
{
    cluster.network.heal();
    cluster.start_all();
    cluster.run_healthy_ms(3000);
    cluster.propose(*cluster.leader());
    cluster.run_healthy_ms(300);
    cluster.check_converged();
    for (auto const& server : cluster.servers) {
        cluster.decisions.add(server->node);
        seen.captures += server->disk.captures;
        seen.restores += server->disk.restores;
        seen.compactions_without_file +=
            server->node->status().base > Index{} and server->storage.log().snapshots().empty() ? 1U : 0U;
    }
    for (auto at = std::size_t{0}; at < wanted.size(); ++at)
        seen.decisions[at] += cluster.decisions[wanted[at]];
    seen.acknowledged += cluster.acknowledged.size();
}

void expect_all_seen(Seen const& seen, std::uint64_t seeds)
{
    for (auto at = std::size_t{0}; at < wanted.size(); ++at) {
        BOOST_TEST(seen.decisions[at] > 0U, to_string(wanted[at]));
        BOOST_TEST_MESSAGE(to_string(wanted[at]) << ": " << seen.decisions[at]);
    }
    BOOST_TEST(seen.acknowledged > 40 * seeds);
    BOOST_TEST(seen.captures > 0U);
    BOOST_TEST(seen.captures * 3 < seen.decisions[0]); // Most compactions need none.
    BOOST_TEST(seen.restores > 0U);
    BOOST_TEST(seen.compactions_without_file > seeds);
    BOOST_TEST_MESSAGE(seen.acknowledged << " acknowledged, " << seen.captures << " captures, " << seen.restores
                                         << " restores, " << seen.compactions_without_file
                                         << " servers that compacted and end without a file");
}

void run_in_memory(std::uint64_t seed, Seen& seen)
{
    auto random = std::mt19937_64{seed};
    auto cluster = SeededCluster<MemoryStorage, DurableHistory>{seed, 2 + random() % 3, drawn_settings(random)};
    let_disks_differ(cluster, random);
    for (auto event = 0; event < 6000; ++event) {
        let_happen(cluster, random);
        auto&      server = cluster.any();
        auto const fate = random() % 100;
        if (fate < 2)
            server.storage.hold_snapshots();
        else if (fate < 12)
            server.storage.complete_snapshots();
    }
    for (auto& server : cluster.servers)
        server->storage.complete_snapshots();
    end(cluster, seen);
}

void run_on_disks(std::uint64_t seed, Seen& seen)
{
    auto random = std::mt19937_64{seed};
    auto mains = Mains{};
    auto cluster = SeededCluster<ForgetfulStorage, DurableHistory>{seed, 2 + random() % 3, drawn_settings(random)};
    let_disks_differ(cluster, random);
    for (auto& server : cluster.servers)
        server->storage.plug_in(mains);
    for (auto loss = 0; loss < 6; ++loss) {
        mains.calls_left = 200 + random() % 8000;
        try {
            cluster.start_all();
            for (auto event = 0; event < 3000; ++event)
                let_happen(cluster, random);
        } catch (PowerFailed const&) {}
        mains = Mains{};
        cluster.crash_all();
    }
    end(cluster, seen);
    for (auto& server : cluster.servers) {
        auto const copy = server->storage.disk->clone();
        auto       files = ForgetfulFiles{copy};
        auto const verdict = verify_log(files);
        BOOST_REQUIRE(verdict.has_value());
        BOOST_TEST(verdict->damage.empty());
    }
}

template <typename Run>
void run_seeds(std::uint64_t seeds, Run run)
{
    auto seen = Seen{};
    for (auto seed = std::uint64_t{1}; seed <= seeds; ++seed)
        try {
            run(seed, seen);
        } catch (std::exception const& broken) {
            BOOST_ERROR("seed " << seed << ": " << broken.what());
        }
    expect_all_seen(seen, seeds);
}

BOOST_AUTO_TEST_CASE(servers_whose_machines_keep_themselves_agree_whatever_is_lost,
                     *label("7") * label("case_33") * label("case_68"))
{
    run_seeds(is_sanitized ? 15 : 60, run_in_memory);
}

BOOST_AUTO_TEST_CASE(servers_whose_machines_keep_themselves_agree_over_segments,
                     *label("7") * label("case_33") * label("case_68") * label("case_75"))
{
    run_seeds(is_sanitized ? 8 : 40, run_on_disks);
}

} // namespace
} // namespace totora::test::seeded_durable_machines_tests
