// A node requires of its policies what the concepts name, and nothing else.
#include "support/archetypes.hpp"
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
