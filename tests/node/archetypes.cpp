// A node requires of its policies what the concepts name, and nothing else.
#include "support/archetypes.hpp"
#include "support/snapshot/snapshot_archetypes.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/log/syncer.hpp"
#include "totora/node/driver.hpp"
#include "totora/node/raft_node.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace totora::test::archetypes_tests
{
namespace
{

using ArchetypeNode = RaftNode<ArchetypeMachine, ArchetypeLog, ArchetypeTransport, ArchetypeClock>;

BOOST_AUTO_TEST_CASE(a_node_runs_with_policies_that_offer_exactly_what_the_concepts_require)
{
    auto machine = ArchetypeMachine{0};
    auto log = ArchetypeLog{
        Identity{cluster_of("archetypes"), ServerId{1}, first_incarnation, {{{ServerId{1}, first_incarnation}, {}}}}};
    auto transport = ArchetypeTransport{0};
    auto clock = ArchetypeClock{0};
    auto node = ArchetypeNode{machine, log, transport, clock};
    auto driver = Driver<ArchetypeNode>{node, [] {}};
    BOOST_REQUIRE(node.start().has_value());
    while (node.status().role != RoleName::leader and node.turn()) {}
    driver.poll();
    BOOST_TEST((node.status().role == RoleName::leader));

    auto const payload = std::array<std::byte, 3>{};
    auto const payloads = std::array<std::span<std::byte const>, 2>{payload, payload};
    auto       sizes = std::vector<std::size_t>{};
    auto       reads = 0;
    node.propose(payload, [&](ProposalOutcome<ArchetypeResponse> outcome) {
        if (auto const* applied = std::get_if<AppliedWith<ArchetypeResponse>>(&outcome))
            sizes.push_back(applied->response.size());
    });
    node.propose(payloads, [&](ProposalOutcome<std::vector<ArchetypeResponse>> outcome) {
        if (auto const* applied = std::get_if<AppliedWith<std::vector<ArchetypeResponse>>>(&outcome))
            sizes.push_back(applied->response.size());
    });
    node.read([&](ReadOutcome const& outcome) { reads += std::holds_alternative<ReadableNow>(outcome) ? 1 : 0; });
    while (node.turn()) {}

    BOOST_TEST(sizes == (std::vector<std::size_t>{3, 2}), boost::test_tools::per_element());
    BOOST_TEST(reads == 1);
    node.stop();
}

/// Whether a node of these policies can be asked for a snapshot.
template <typename Node>
concept takes_snapshots = requires(Node& node)
{
    node.take_snapshot();
};

static_assert(not takes_snapshots<ArchetypeNode>);
static_assert(
    not takes_snapshots<RaftNode<ArchetypeMachine, ArchetypeSnapshotLog, ArchetypeChunkTransport, ArchetypeClock>>);
static_assert(
    not takes_snapshots<RaftNode<ArchetypeSnapshotMachine, ArchetypeLog, ArchetypeChunkTransport, ArchetypeClock>>);
static_assert(
    not takes_snapshots<RaftNode<ArchetypeSnapshotMachine, ArchetypeSnapshotLog, ArchetypeTransport, ArchetypeClock>>);

BOOST_AUTO_TEST_CASE(a_node_takes_snapshots_with_policies_that_offer_exactly_what_the_refinements_require)
{
    auto log = ArchetypeSnapshotLog{
        Identity{cluster_of("archetypes"), ServerId{1}, first_incarnation, {{{ServerId{1}, first_incarnation}, {}}}}};
    auto const payload = std::array<std::byte, 3>{};
    auto       counts = std::vector<std::size_t>{};
    for (auto run = 0; run < 2; ++run) {
        auto machine = ArchetypeSnapshotMachine{0};
        auto transport = ArchetypeChunkTransport{0};
        auto clock = ArchetypeClock{0};
        auto settings = NodeSettings{};
        settings.snapshots.trailing_entries = 0;
        auto node = RaftNode{machine, log, transport, clock, settings};
        BOOST_REQUIRE(node.start().has_value());
        while (node.status().role != RoleName::leader and node.turn()) {}
        node.propose(payload, [&](ProposalOutcome<ArchetypeResponse> outcome) {
            if (auto const* applied = std::get_if<AppliedWith<ArchetypeResponse>>(&outcome))
                counts.push_back(applied->response.size());
        });
        while (node.turn()) {}
        node.take_snapshot();
        while (node.turn()) {}
        BOOST_TEST((node.status().base == node.status().applied));
        node.stop();
    }
    BOOST_TEST(counts == (std::vector<std::size_t>{1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_node_compacts_without_snapshots_with_a_machine_that_offers_exactly_what_the_refinement_requires)
{
    auto log = ArchetypeSnapshotLog{
        Identity{cluster_of("archetypes"), ServerId{1}, first_incarnation, {{{ServerId{1}, first_incarnation}, {}}}}};
    auto const payload = std::array<std::byte, 3>{};
    auto       machine = ArchetypeDurableMachine{0};
    auto       transport = ArchetypeChunkTransport{0};
    auto       clock = ArchetypeClock{0};
    auto       settings = NodeSettings{};
    settings.snapshots.trailing_entries = 0;
    auto node = RaftNode{machine, log, transport, clock, settings};
    BOOST_REQUIRE(node.start().has_value());
    while (node.status().role != RoleName::leader and node.turn()) {}
    node.propose(payload, [](ProposalOutcome<ArchetypeResponse> const&) {});
    while (node.turn()) {}
    node.take_snapshot();
    while (node.turn()) {}
    BOOST_TEST((node.status().base == machine.durable_index()));
    BOOST_TEST(log.snapshots().empty());
    node.stop();
}

BOOST_AUTO_TEST_CASE(a_segmented_log_requires_of_its_files_exactly_what_the_concept_names)
{
    using Log = SegmentedLog<ArchetypeFiles, InlineSyncer>;
    auto const disk = std::make_shared<ForgetfulDisk>();
    auto const identity =
        Identity{cluster_of("archetypes"), ServerId{1}, first_incarnation, {{{ServerId{1}, first_incarnation}, {}}}};
    auto files = ArchetypeFiles{disk};
    BOOST_REQUIRE(Log::create(files, identity).has_value());

    for (auto const run : {1U, 2U}) {
        auto log = Log::open(ArchetypeFiles{disk});
        BOOST_REQUIRE(log.has_value());
        auto machine = ArchetypeMachine{0};
        auto transport = ArchetypeTransport{0};
        auto clock = ArchetypeClock{0};
        auto node = RaftNode{machine, *log, transport, clock};
        BOOST_REQUIRE(node.start().has_value());
        while (node.status().role != RoleName::leader and node.turn()) {}

        BOOST_TEST((node.status().applied == Index{run})); // The no-op of each term.
        node.stop();
    }
}

} // namespace
} // namespace totora::test::archetypes_tests
