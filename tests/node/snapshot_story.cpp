// SPDX-License-Identifier: BSL-1.0
// Three servers over a loopback: one was away while the others compacted their logs, and is brought back by a snapshot.
#include "support/history_machine.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace totora::test::snapshot_story_tests
{
namespace
{

using boost::unit_test::label;

class Trio
{
public:
    using Node = RaftNode<HistoryMachine, MemoryLog, Loopback, ManualClock>;

    explicit Trio(Carry how) : network(how)
    {
        for (auto id = std::uint64_t{1}; id <= 3; ++id)
            peers_.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
        for (auto at = std::size_t{0}; at < 3; ++at) {
            auto const& member = peers_[at].member;
            logs[at].emplace(Identity{cluster_of("trio"), member.id, member.incarnation, peers_});
            start(at);
        }
    }

    void start(std::size_t at)
    {
        nodes[at].reset();
        transports_[at].emplace(network.join(ServerId{at + 1}, first_incarnation));
        machines[at] = HistoryMachine{};
        clocks_[at].emplace(at + 1);
        nodes[at] = std::make_unique<Node>(machines[at], *logs[at], *transports_[at], *clocks_[at], settings());
        BOOST_REQUIRE(nodes[at]->start().has_value());
    }

    void pass_ms(std::uint64_t ms)
    {
        for (auto passed = std::uint64_t{0}; passed < ms; ++passed)
            for (auto at = std::size_t{0}; at < 3; ++at) {
                clocks_[at]->advance_ms(1);
                if (nodes[at])
                    while (nodes[at]->turn()) {}
            }
    }

    [[nodiscard]] std::optional<std::size_t> leader() const
    {
        for (auto at = std::size_t{0}; at < 3; ++at)
            if (nodes[at] and nodes[at]->status().role == RoleName::leader)
                return at;
        return std::nullopt;
    }

    void propose(std::size_t at, std::uint64_t count)
    {
        for (auto left = count; left > 0; --left) {
            auto payload = std::array<std::byte, 8>{};
            put(payload.data(), ++proposed_);
            nodes[at]->propose(payload, [](auto const&) {});
        }
        pass_ms(60); // A heartbeat later the followers know what is committed.
    }

    LoopbackNetwork                         network;
    std::array<HistoryMachine, 3>           machines;
    std::array<std::optional<MemoryLog>, 3> logs;
    std::array<std::unique_ptr<Node>, 3>    nodes;

private:
    [[nodiscard]] static NodeSettings settings()
    {
        auto settings = NodeSettings{};
        settings.snapshots.entries_max = 50;
        settings.snapshots.trailing_entries = 5;
        settings.snapshots.chunk_bytes = 512;
        return settings;
    }

    std::vector<Peer>                         peers_;
    std::array<std::optional<Loopback>, 3>    transports_;
    std::array<std::optional<ManualClock>, 3> clocks_;
    std::uint64_t                             proposed_ = 0;
};

BOOST_AUTO_TEST_CASE(a_follower_that_was_away_is_brought_back_by_a_snapshot, *label("7") * label("case_25"))
{
    for (auto const how : {Carry::values, Carry::frames}) {
        auto trio = Trio{how};
        trio.pass_ms(2000);
        BOOST_REQUIRE(trio.leader().has_value());
        auto const leader = *trio.leader();
        auto const away = (leader + 1) % 3;
        trio.propose(leader, 20);
        BOOST_TEST((trio.machines[away].history == trio.machines[leader].history));

        trio.nodes[away].reset();
        for (auto round = 0; round < 30; ++round)
            trio.propose(leader, 10);
        auto const compacted = trio.nodes[leader]->status();
        BOOST_TEST((compacted.base > Index{100}));
        BOOST_REQUIRE(compacted.snapshot.has_value());

        trio.start(away);
        trio.pass_ms(200);
        auto const back = trio.nodes[away]->status();
        BOOST_TEST((back.base >= compacted.base));
        BOOST_TEST((back.applied == trio.nodes[leader]->status().applied));
        BOOST_TEST((trio.machines[away].history == trio.machines[leader].history));
        BOOST_TEST(back.decisions[static_cast<std::size_t>(Decision::snapshot_installed)] == 1U);
        BOOST_TEST(trio.network.refused() == 0U);

        trio.propose(leader, 3); // It goes on with entries.
        BOOST_TEST((trio.machines[away].history == trio.machines[leader].history));
        BOOST_TEST(trio.nodes[leader]->status().term.value == compacted.term.value); // And nobody was elected.

        trio.start(away); // And after a restart it is where it was.
        trio.pass_ms(200);
        BOOST_TEST((trio.machines[away].history == trio.machines[leader].history));
    }
}

} // namespace
} // namespace totora::test::snapshot_story_tests
