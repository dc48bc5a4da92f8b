// SPDX-License-Identifier: BSL-1.0
// The laws about leaders that others could do better than, each broken in a simulation of three idle servers.
#include "support/builders.hpp"
#include "totora/node/settings.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/faults/worse_leaders.hpp"
#include "totora/testing/simulate/trace_event.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace totora::test::simulator_worse_leaders_tests
{
namespace
{

using boost::unit_test::label;

/// What the laws read of a run: S1 leads, and S2 and S3 hold all that it has.
struct World
{
    struct Node
    {
        State held;

        [[nodiscard]] State const& state() const { return held; }
    };

    struct Endpoint
    {
        [[nodiscard]] std::size_t waiting() const { return 0; }
    };

    struct Process
    {
        Node     node;
        Endpoint endpoint{};
    };

    struct Burdens
    {
        bool is_full = false;

        [[nodiscard]] bool has_no_room() const { return is_full; }
    };

    struct Server
    {
        std::optional<Process> process;
        bool                   sync_hangs = false;
        bool                   sync_holds_writes = true;
        std::uint64_t          sync_hangs_since_us = 0;
        Burdens                burdens;
    };

    struct Network
    {
        bool takes_no_entries = false;

        [[nodiscard]] bool is_bulk_stopped(std::size_t, std::size_t) const { return takes_no_entries; }
    };

    struct Servers
    {
        std::array<Server, 3> all;
        Network               network;

        [[nodiscard]] std::size_t size() const { return all.size(); }
        [[nodiscard]] Server&     operator[](std::size_t number) { return all[number]; }
    };

    struct Scenario
    {
        NodeSettings settings;
    };

    struct Report
    {
        std::uint64_t worse_leaders = 0;
    };

    World()
    {
        cluster[0].process = Process{{leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}))}};
        for (auto const id : {S2, S3})
            cluster[id.value - 1].process =
                Process{{follower(id, Term{2}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 1}})}};
    }

    [[nodiscard]] State& state(ServerId id) { return cluster[id.value - 1].process->node.held; }

    Servers          cluster;
    Scenario         scenario;
    Report           report;
    simulate::Checks checks;
    std::uint64_t    now_us = 1'000'000;
};

/// All are well, but for what is tested.
struct AllWell
{
    [[nodiscard]] bool is_steady_but_for_disk(std::size_t) const { return true; }
    [[nodiscard]] bool is_with(std::size_t, std::size_t) const { return true; }
    [[nodiscard]] bool is_with_but_for_bulk(std::size_t, std::size_t) const { return true; }
};

/// What is found when S1 has led on for so many election timeouts, and when it still leads a moment later.
struct Verdict
{
    std::string in_time;
    std::string too_late;
};

[[nodiscard]] Verdict leads_on(World& world, std::uint64_t election_timeouts)
{
    auto const calm = AllWell{};
    auto       laws = simulate::WorseLeaders<World, AllWell>{world, calm};
    auto const event = simulate::TraceEvent{};
    laws.notice(event);
    world.now_us += election_timeouts * world.scenario.settings.core.election.at_most_ms * 1000;
    laws.notice(event);
    auto verdict = Verdict{world.checks.broken(), {}};
    ++world.now_us;
    laws.notice(event);
    verdict.too_late = world.checks.broken();
    return verdict;
}

BOOST_AUTO_TEST_CASE(a_leader_that_stays_though_its_disk_hangs_is_seen, *label("case_58"))
{
    auto world = World{};
    world.cluster[0].sync_hangs = true;
    BOOST_TEST(leads_on(world, 4).too_late == "", "nobody has durably what it has not");

    world.state(S1).writes.durable_index = Index{3};
    auto const verdict = leads_on(world, 4);
    BOOST_TEST(verdict.in_time == "");
    BOOST_TEST(verdict.too_late == "a leader whose disk hangs steps down where a quorum is durably ahead of it");
}

BOOST_AUTO_TEST_CASE(a_leader_that_stays_without_room_is_seen, *label("case_67"))
{
    auto world = World{};
    world.cluster[0].burdens.is_full = true;
    for (auto const id : {S2, S3})
        world.state(id).writes.durable_index = Index{3};
    BOOST_TEST(leads_on(world, 4).too_late == "", "nobody else has everything");

    world.state(S3).writes.durable_index = Index{4};
    auto const verdict = leads_on(world, 4);
    BOOST_TEST(verdict.in_time == "");
    BOOST_TEST(verdict.too_late ==
               "a leader without room steps down where a quorum has room, and one of it everything");
}

BOOST_AUTO_TEST_CASE(a_leader_that_stays_though_links_take_no_entries_is_seen, *label("case_94"))
{
    auto world = World{};
    world.cluster.network.takes_no_entries = true;
    BOOST_TEST(leads_on(world, 8).too_late == "", "nobody lacks entries");

    for (auto const id : {S2, S3})
        world.state(id).writes.durable_index = Index{3};
    world.scenario.settings.core.check_quorum = false;
    BOOST_TEST(leads_on(world, 8).too_late == "", "without check-quorum it is not asked to");

    world.scenario.settings.core.check_quorum = true;
    auto const verdict = leads_on(world, 8);
    BOOST_TEST(verdict.in_time == "");
    BOOST_TEST(verdict.too_late == "a leader whose entries get through to no quorum steps down");
}

BOOST_AUTO_TEST_CASE(a_campaign_of_a_server_whose_disk_hangs_is_seen, *label("case_58"))
{
    auto       world = World{};
    auto const calm = AllWell{};
    auto       laws = simulate::WorseLeaders<World, AllWell>{world, calm};
    auto       campaign = simulate::TraceEvent{};
    campaign.server = 1;
    campaign.before.role = RoleName::follower;
    campaign.after.role = RoleName::pre_candidate;
    laws.notice(campaign);
    world.cluster[1].sync_hangs = true;
    world.cluster[1].sync_hangs_since_us = world.now_us;
    world.now_us += 4 * world.scenario.settings.core.election.at_most_ms * 1000;
    laws.notice(campaign);
    BOOST_TEST(world.checks.broken() == "", "it may not have noticed yet");
    ++world.now_us;
    laws.notice(campaign);
    BOOST_TEST(world.checks.broken() == "a server whose disk hangs does not campaign");
}

} // namespace
} // namespace totora::test::simulator_worse_leaders_tests
