// SPDX-License-Identifier: BSL-1.0
// Nodes over logs in segments, which take snapshots, compact, send and install: whatever is lost with the power, in the middle of whatever
// the disks were doing, what was acknowledged is on every server, and all machines are equal.
#include "support/log/forgetful_storage.hpp"
#include "support/sanitized.hpp"
#include "support/seeded_cluster.hpp"
#include "support/snapshot/drawn_settings.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <exception>
#include <random>
#include <string>

namespace totora::test::snapshots_in_segments_tests
{
namespace
{

using boost::unit_test::label;

/// What the runs of all seeds go through.
constexpr auto wanted = std::array{Decision::log_compacted, Decision::chunk_stored, Decision::snapshot_installed};

struct Seen
{
    std::array<std::uint64_t, wanted.size()> decisions{};
    std::uint64_t                            acknowledged = 0;
    std::uint64_t                            torn = 0;
};

using Cluster = SeededCluster<ForgetfulStorage>;

class Room
{
public:
    explicit Room(std::uint64_t seed)
        : random_(seed), cluster_(seed, 2 + random_() % 3, settings_with_snapshots(random_))
    {
        cluster_.network.faults = {static_cast<std::uint32_t>(random_() % 100),
                                   static_cast<std::uint32_t>(random_() % 100),
                                   static_cast<std::uint32_t>(random_() % 200)};
        cluster_.longest_pause_ms = std::array{20U, 50U, 100U}[random_() % 3];
        for (auto& server : cluster_.servers) {
            server->storage.plug_in(mains_);
            if (random_() % 2 == 0)
                server->storage.hold_syncs();
        }
    }

    void live(Seen& seen)
    {
        for (auto loss = 0; loss < 6; ++loss) {
            run_until_dark();
            cluster_.crash_all();
            for (auto const& server : cluster_.servers)
                seen.torn += server->storage.torn ? 1U : 0U;
        }
        cluster_.network.heal();
        cluster_.start_all();
        cluster_.run_healthy_ms(3000);
        cluster_.propose(*cluster_.leader());
        cluster_.run_healthy_ms(300);
        cluster_.check_converged();
        for (auto const& server : cluster_.servers)
            cluster_.decisions.add(server->node);
        for (auto at = std::size_t{0}; at < wanted.size(); ++at)
            seen.decisions[at] += cluster_.decisions[wanted[at]];
        seen.acknowledged += cluster_.acknowledged.size();
    }

private:
    /// Servers fail and return alone, too.
    void run_until_dark()
    {
        mains_.calls_left = 200 + random_() % 8000;
        try {
            cluster_.start_all();
            for (auto event = 0; event < 4000; ++event) {
                cluster_.happen();
                auto const fate = random_() % 1000;
                auto&      server = cluster_.any();
                if (fate < 3 and server.node)
                    cluster_.crash(server);
                else if (fate < 40 and not server.node)
                    cluster_.start(server);
                else if (fate == 990)
                    cluster_.network.partition({server.id});
                else if (fate > 990 and fate < 994)
                    cluster_.network.partition({});
            }
        } catch (PowerFailed const&) {}
        mains_ = Mains{};
    }

    std::mt19937_64 random_;
    Mains           mains_;
    Cluster         cluster_;
};

BOOST_AUTO_TEST_CASE(servers_over_segments_agree_whatever_is_lost_in_whichever_phase,
                     *label("7") * label("case_29") * label("case_33") * label("case_68") * label("case_75"))
{
    auto const seeds = std::uint64_t{is_sanitized ? 12U : 60U};
    auto       seen = Seen{};
    for (auto seed = std::uint64_t{1}; seed <= seeds; ++seed)
        try {
            Room{seed}.live(seen);
        } catch (std::exception const& broken) {
            BOOST_ERROR("seed " << seed << ": " << broken.what());
        }
    for (auto at = std::size_t{0}; at < wanted.size(); ++at) {
        BOOST_TEST(seen.decisions[at] > 0U, to_string(wanted[at]));
        BOOST_TEST_MESSAGE(to_string(wanted[at]) << ": " << seen.decisions[at]);
    }
    BOOST_TEST(seen.acknowledged > 40 * seeds);
    BOOST_TEST(seen.torn > 4 * seeds);
    BOOST_TEST_MESSAGE(seen.acknowledged << " acknowledged, " << seen.torn << " disks that were not synced");
}

} // namespace
} // namespace totora::test::snapshots_in_segments_tests
