// SPDX-License-Identifier: BSL-1.0
// What a cluster agrees on, through whole nodes: programs of two versions, and state machines that go on by the same one (case 110).
#include "support/builders.hpp"
#include "support/bytes.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/policy/versioned_machine.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::node_agreement_tests
{
namespace
{

using boost::unit_test::label;

/// Remembers by which version it applied each command.
class Versions
{
public:
    using Response = std::uint32_t;

    explicit Versions(std::uint32_t newest) : newest_(newest) {}

    void apply(std::span<EntryView const> commands, std::vector<Response>& responses)
    {
        for (auto const& command : commands) {
            applied.push_back(std::string{text_of(command.payload)} + " by " + std::to_string(version_));
            responses.push_back(version_);
        }
    }
    [[nodiscard]] static Index  applied_index() { return {}; }
    [[nodiscard]] std::uint32_t version() const { return newest_; }
    void                        use_version(std::uint32_t version) { version_ = version; }

    std::vector<std::string> applied;

private:
    std::uint32_t newest_;
    std::uint32_t version_ = 1;
};

static_assert(versioned_machine<Versions>);

/// What a node reported.
struct Noted
{
    std::vector<Decision>* decisions;
    std::optional<Failed>* failed;

    void operator()(NodeEvent const& event) const
    {
        if (auto const* noted = std::get_if<DecisionNoted>(&event))
            decisions->push_back(noted->decision);
        if (auto const* ended = std::get_if<Failed>(&event))
            *failed = *ended;
    }
};

/// Three servers; each runs a program of some version, and is replaced with another over the same log.
class Upgraded
{
public:
    using Node = RaftNode<Versions, MemoryLog, Loopback, ManualClock, Noted>;

    struct Server
    {
        std::unique_ptr<MemoryLog>   log;
        std::unique_ptr<Versions>    machine;
        std::unique_ptr<Loopback>    transport;
        std::unique_ptr<ManualClock> clock;
        std::vector<Decision>        decisions;
        std::optional<Failed>        failed;
        std::unique_ptr<Node>        node;
    };

    Upgraded()
    {
        for (auto const id : {S1, S2, S3}) {
            auto identity = Identity{cluster_of("sedge"), id, first_incarnation, {}};
            for (auto const& member : cluster(3).members)
                identity.first_members.push_back({member, "host:" + std::to_string(member.id.value)});
            (*this)[id].log = std::make_unique<MemoryLog>(identity);
        }
    }

    [[nodiscard]] Server& operator[](ServerId id) { return servers_[id.value - 1]; }

    /// A server comes back with a program that can this. Why it did not start, if it did not.
    [[nodiscard]] std::optional<StartError>
    start(ServerId id, std::uint32_t machine, std::uint64_t entry_bytes_max = NodeSettings{}.entry_bytes_max)
    {
        auto& server = (*this)[id];
        server.node.reset();
        server.failed.reset();
        server.machine = std::make_unique<Versions>(machine);
        server.transport = std::make_unique<Loopback>(network_.join(id, first_incarnation));
        server.clock = std::make_unique<ManualClock>(id.value);
        auto settings = NodeSettings{};
        settings.entry_bytes_max = entry_bytes_max;
        server.node = std::make_unique<Node>(*server.machine, *server.log, *server.transport, *server.clock, settings,
                                             Noted{&server.decisions, &server.failed});
        auto started = server.node->start();
        return started ? std::nullopt : std::optional{started.error()};
    }

    void stop(ServerId id) { (*this)[id].node.reset(); }

    void start_all(std::uint32_t machine)
    {
        for (auto const id : {S1, S2, S3})
            BOOST_REQUIRE(not start(id, machine));
    }

    [[nodiscard]] LoopbackNetwork& network() { return network_; }

    void pass_ms(std::uint64_t ms)
    {
        for (auto passed = std::uint64_t{0}; passed < ms; passed += 5)
            for (auto& server : servers_)
                if (server.node) {
                    server.clock->advance_ms(5);
                    while (server.node->turn()) {}
                }
    }

    [[nodiscard]] Server& leader()
    {
        for (auto rounds = 0; rounds < 2'000; ++rounds) {
            for (auto& server : servers_)
                if (server.node and server.node->status().role == RoleName::leader and server.node->status().ready)
                    return server;
            pass_ms(5);
        }
        BOOST_FAIL("nobody leads");
        return servers_[0];
    }

    /// How a command of this size ended.
    [[nodiscard]] std::optional<ProposalOutcome<std::uint32_t>> propose(std::string const& command)
    {
        auto ended = std::optional<ProposalOutcome<std::uint32_t>>{};
        leader().node->propose(bytes_of(command), [&](auto const& outcome) { ended.emplace(outcome); });
        pass_ms(200);
        return ended;
    }

    [[nodiscard]] std::uint32_t applied_by(std::string const& command)
    {
        auto const  outcome = propose(command);
        auto const* applied = outcome ? std::get_if<AppliedWith<std::uint32_t>>(&*outcome) : nullptr;
        BOOST_REQUIRE(applied != nullptr);
        return applied->response;
    }

    [[nodiscard]] Abilities agreed_by(ServerId id) { return agreed((*this)[id].node->state()); }

private:
    LoopbackNetwork       network_;
    std::array<Server, 3> servers_;
};

} // namespace

BOOST_AUTO_TEST_CASE(the_last_server_that_is_upgraded_has_all_apply_by_the_next_version, *label("case_110"))
{
    auto cluster = Upgraded{};
    cluster.start_all(1);
    BOOST_TEST(cluster.applied_by("a") == 1U);
    for (auto const id : {S1, S2}) {
        BOOST_REQUIRE(not cluster.start(id, 2));
        cluster.pass_ms(2'000);
        BOOST_TEST(cluster.applied_by("b") == 1U);
    }
    BOOST_REQUIRE(not cluster.start(S3, 2));
    cluster.pass_ms(2'000);
    BOOST_TEST(cluster.applied_by("c") == 2U);

    auto const all = std::vector<std::string>{"a by 1", "b by 1", "b by 1", "c by 2"};
    for (auto const id : {S1, S2, S3}) {
        BOOST_TEST((cluster.agreed_by(id).machine == 2U));
        BOOST_TEST(cluster[id].machine->applied == all);
    }

    for (auto const id : {S1, S2, S3}) // A replay from the log applies by the same ones.
        BOOST_REQUIRE(not cluster.start(id, 3));
    cluster.pass_ms(3'000);
    auto replayed = all;
    BOOST_TEST(cluster.applied_by("d") == 3U);
    replayed.push_back("d by 3");
    for (auto const id : {S1, S2, S3})
        BOOST_TEST(cluster[id].machine->applied == replayed);
}

BOOST_AUTO_TEST_CASE(a_server_that_comes_back_with_an_older_program_says_so_and_does_not_start, *label("case_110"))
{
    auto cluster = Upgraded{};
    cluster.start_all(2);
    BOOST_TEST(cluster.applied_by("a") == 2U);
    cluster.pass_ms(500);

    auto const refused = cluster.start(S3, 1);
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->what.find("version of the state machine 2") != std::string::npos, refused->what);
    BOOST_TEST(cluster.applied_by("b") == 2U);
}

/// It learns only as it follows that the others have gone on.
BOOST_AUTO_TEST_CASE(a_server_that_was_away_ends_where_its_older_program_cannot_follow, *label("case_110"))
{
    auto cluster = Upgraded{};
    cluster.network().disconnect(S1, S3);
    cluster.network().disconnect(S2, S3);
    cluster.start_all(2); // What S3 can is announced before it is cut off.
    BOOST_TEST(cluster.applied_by("a") == 2U);

    BOOST_REQUIRE(not cluster.start(S3, 1));
    cluster.network().connect(S1, S3);
    cluster.network().connect(S2, S3);
    cluster.pass_ms(1'000);
    auto const& late = cluster[S3];
    BOOST_REQUIRE(late.failed.has_value());
    BOOST_TEST((late.failed->why == NodeFailure::outdated));
    BOOST_TEST(late.failed->what.find("start a program") != std::string::npos, late.failed->what);
    BOOST_TEST(late.machine->applied.empty(), "nothing is applied by a version that it is not of");
    BOOST_TEST(cluster.applied_by("b") == 2U);
}

BOOST_AUTO_TEST_CASE(a_larger_entry_is_taken_when_all_servers_can_carry_it, *label("case_84") * label("case_110"))
{
    constexpr auto more = std::uint64_t{9} << 20U;
    auto const     large = std::string((std::size_t{8} << 20U) + 1, 'l');
    auto           cluster = Upgraded{};
    for (auto const id : {S1, S2})
        BOOST_REQUIRE(not cluster.start(id, 1, more));
    static_cast<void>(cluster.leader()); // One that could.
    BOOST_REQUIRE(not cluster.start(S3, 1));
    auto const refused = cluster.propose(large);
    BOOST_REQUIRE(refused.has_value());
    auto const* why = std::get_if<RefusedBecause>(&*refused);
    BOOST_REQUIRE(why != nullptr);
    BOOST_TEST((why->why == ProposalError::entry_too_large));

    BOOST_REQUIRE(not cluster.start(S3, 1, more));
    cluster.pass_ms(2'000);
    BOOST_TEST((cluster.agreed_by(S3).entry_bytes_max == more));
    BOOST_TEST(cluster.applied_by(large) == 1U);
}

} // namespace totora::test::node_agreement_tests
