// SPDX-License-Identifier: BSL-1.0
#include "support/sanitized.hpp"
#include "support/seeded/changing_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

// Clusters whose members change without pause (§6; dissertation §4), under loss, partitions and losses of power.

namespace totora::test::seeded_membership_tests
{
namespace
{

/// How changes ended, and what was decided, over all seeds.
struct Totals
{
    std::array<std::uint64_t, std::variant_size_v<ChangeOutcome>>   ends{};
    std::array<std::uint64_t, std::variant_size_v<TransferOutcome>> transfer_ends{};
    DecisionTotals                                                  decisions;
};

constexpr auto servers = std::uint64_t{5};

/// Any members that a cluster can have.
std::vector<Peer> draw_members(std::mt19937_64& random)
{
    auto peers = std::vector<Peer>{};
    for (auto id = std::uint64_t{1}; id <= servers; ++id)
        if (auto const fate = random() % 8; fate < 6)
            peers.push_back(
                {{ServerId{id}, first_incarnation, fate == 0 ? MemberKind::learner : MemberKind::voter}, {}});
    return peers;
}

std::vector<Peer> all_members()
{
    auto peers = std::vector<Peer>{};
    for (auto id = std::uint64_t{1}; id <= servers; ++id)
        peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
    return peers;
}

NodeSettings draw_settings(std::mt19937_64& random)
{
    auto settings = NodeSettings{};
    settings.core.append_entries_max = 1 + random() % 4;
    settings.core.window = 1 + random() % 8;
    settings.core.pre_vote = random() % 4 != 0;
    settings.core.check_quorum = random() % 4 != 0;
    settings.core.sticky = random() % 4 != 0 and settings.core.check_quorum;
    return settings;
}

/// The members change, and servers lose their power.
void change_without_pause(ChangingCluster& cluster, std::mt19937_64& random, std::uint64_t events)
{
    auto const crashes = random() % 3 * 3;
    for (auto event = std::uint64_t{0}; event < events; ++event) {
        cluster.happen();
        auto const  fate = random() % 1000;
        auto&       server = cluster.any();
        auto* const leader = cluster.leader();
        if (fate < crashes and server.node)
            cluster.crash(server);
        else if (fate < 60 and not server.node)
            cluster.start(server);
        else if (fate >= 100 and fate < 160 and leader != nullptr)
            cluster.change(*leader, draw_members(random), random() % 8 == 0);
        else if (fate >= 160 and fate < 165 and leader != nullptr)
            cluster.cancel_change(*leader);
        else if (fate >= 170 and fate < 176 and leader != nullptr)
            cluster.transfer(*leader, ServerId{random() % (servers + 1)});
        else if (fate == 990)
            cluster.network.partition({server.id, cluster.any().id});
        else if (fate > 990 and fate < 996)
            cluster.network.partition({});
    }
}

/// All servers become voters, and have everything.
void settle(ChangingCluster& cluster)
{
    cluster.network.heal();
    cluster.start_all();
    cluster.run_healthy_ms(4000);
    for (auto round = 0; round < 10; ++round) {
        if (auto* const leader = cluster.leader(); leader != nullptr)
            cluster.change(*leader, all_members());
        cluster.run_healthy_ms(2000);
    }
    auto* const leader = cluster.leader();
    if (leader == nullptr)
        throw std::runtime_error("a healed cluster has a leader");
    if (members_of(all_members()) != leader->node->status().configuration.members)
        throw std::runtime_error("a healed cluster has the members that were asked for");
    cluster.propose(*leader);
    cluster.run_healthy_ms(500);
    cluster.check_converged();
}

void run_seed(std::uint64_t seed, std::uint64_t events, Totals& totals)
{
    auto random = std::mt19937_64{seed};
    auto cluster = ChangingCluster{seed, 3, draw_settings(random), servers - 3};
    cluster.network.faults = {static_cast<std::uint32_t>(random() % 100), static_cast<std::uint32_t>(random() % 100),
                              static_cast<std::uint32_t>(random() % 200)};
    cluster.longest_pause_ms = std::array{5U, 20U, 100U, 300U}[random() % 4];
    change_without_pause(cluster, random, events);
    settle(cluster);
    for (auto const& server : cluster.servers)
        cluster.decisions.add(server->node);
    for (auto at = std::size_t{0}; at < totals.ends.size(); ++at)
        totals.ends[at] += cluster.change_ends[at];
    for (auto at = std::size_t{0}; at < totals.transfer_ends.size(); ++at)
        totals.transfer_ends[at] += cluster.transfer_ends[at];
    totals.decisions.add(cluster.decisions);
}

BOOST_AUTO_TEST_CASE(figure_3_holds_while_the_members_change,
                     *boost::unit_test::label("6") * boost::unit_test::label("case_40"))
{
    auto totals = Totals{};
    for (auto seed = std::uint64_t{1}; seed <= (is_sanitized ? 40 : 200); ++seed)
        try {
            run_seed(seed, 5000, totals);
        } catch (std::exception const& broken) {
            BOOST_ERROR("seed " << seed << ": " << broken.what());
        }
    for (auto at = std::size_t{0}; at < totals.ends.size(); ++at)
        BOOST_TEST(totals.ends[at] > 0U, "some change ends as number " << at);
    for (auto at = std::size_t{0}; at < totals.transfer_ends.size(); ++at)
        BOOST_TEST(totals.transfer_ends[at] > 0U, "some transfer ends as number " << at);
    for (auto const decision : {Decision::configuration_appended, Decision::joint_configuration_appended,
                                Decision::change_given_up, Decision::stepped_down_removed, Decision::asker_not_a_member,
                                Decision::removal_learned, Decision::transfer_started, Decision::transfer_given_up,
                                Decision::timeout_now_sent, Decision::timeout_now_outdated})
        BOOST_TEST(totals.decisions[decision] > 0U, to_string(decision));
}

} // namespace
} // namespace totora::test::seeded_membership_tests
