// SPDX-License-Identifier: BSL-1.0
// Five servers over logs in segments, on disks of which each read takes 200 ms: two need a snapshot, and nobody is elected meanwhile.
#include "support/history_machine.hpp"
#include "support/log/desk_syncer.hpp"
#include "support/log/watched_files.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace totora::test::slow_snapshot_reads_tests
{
namespace
{

using boost::unit_test::label;

constexpr auto read_takes_ms = std::uint64_t{200};

/// A server whose disk is slow: a read on the node's thread stops the node for so long, and each piece of work on another thread takes as long.
class Server
{
public:
    using Log = SegmentedLog<WatchedFiles, DeskSyncer>;
    using Node = RaftNode<HistoryMachine, Log, Loopback, ManualClock>;

    Server(Identity const& identity, LoopbackNetwork& network)
        : clock(identity.id.value), identity_(identity), network_(network)
    {
        auto files = ForgetfulFiles{disk_};
        BOOST_REQUIRE(create_log(files, identity).has_value());
    }

    void start()
    {
        DeskSyncer::desk() = &desk_;
        auto files = WatchedFiles{ForgetfulFiles{disk_}, [this](auto, auto) { reads_on_node += runs_ ? 1 : 0; }};
        auto opened = Log::open(std::move(files));
        BOOST_REQUIRE(opened.has_value());
        log_.emplace(*std::move(opened));
        transport_.emplace(network_.join(identity_.id, first_incarnation));
        machine = HistoryMachine{};
        node = std::make_unique<Node>(machine, *log_, *transport_, clock, settings());
        BOOST_REQUIRE(node->start().has_value());
    }

    void stop()
    {
        node.reset();
        log_.reset();
    }

    void pass_ms()
    {
        clock.advance_ms(1);
        if (not node)
            return;
        DeskSyncer::desk() = &desk_;
        work();
        if (stopped_until_ms_ > clock.now_ms())
            return;
        auto const reads_before = reads_on_node;
        runs_ = true;
        while (node->turn()) {}
        runs_ = false;
        stopped_until_ms_ = clock.now_ms() + read_takes_ms * (reads_on_node - reads_before);
    }

    ManualClock           clock;
    HistoryMachine        machine;
    std::unique_ptr<Node> node;
    std::uint64_t         reads_on_node = 0;

private:
    [[nodiscard]] static NodeSettings settings()
    {
        auto settings = NodeSettings{};
        settings.snapshots.entries_max = 200;
        settings.snapshots.trailing_entries = 5;
        settings.snapshots.follower_bytes_max = 0;
        settings.snapshots.chunk_bytes = 512;
        return settings;
    }

    /// The writes of the log are done at once; all else takes as long as a read.
    void work()
    {
        for (auto at = std::size_t{0}; at < desk_.size(); ++at) {
            auto* const syncer = desk_[at];
            if (not syncer->is_requested())
                continue;
            auto& due_ms = due_ms_[syncer];
            if (at > 0 and due_ms == 0)
                due_ms = clock.now_ms() + read_takes_ms;
            if (due_ms > clock.now_ms())
                continue;
            due_ms = 0;
            syncer->work();
        }
    }

    Identity                             identity_;
    LoopbackNetwork&                     network_;
    std::shared_ptr<ForgetfulDisk>       disk_ = std::make_shared<ForgetfulDisk>();
    Desk                                 desk_;
    std::map<DeskSyncer*, std::uint64_t> due_ms_;
    std::optional<Log>                   log_;
    std::optional<Loopback>              transport_;
    bool                                 runs_ = false;
    std::uint64_t                        stopped_until_ms_ = 0;
};

class Five
{
public:
    Five()
    {
        auto peers = std::vector<Peer>{};
        for (auto id = std::uint64_t{1}; id <= 5; ++id)
            peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
        for (auto const& peer : peers)
            servers.push_back(std::make_unique<Server>(
                Identity{cluster_of("five"), peer.member.id, peer.member.incarnation, peers}, network_));
        for (auto const& server : servers)
            server->start();
    }

    void pass_ms(std::uint64_t ms)
    {
        for (; ms > 0; --ms)
            for (auto const& server : servers)
                server->pass_ms();
    }

    [[nodiscard]] Server& leader()
    {
        for (auto const& server : servers)
            if (server->node and server->node->status().role == RoleName::leader)
                return *server;
        BOOST_FAIL("nobody leads");
        return *servers.front();
    }

    void propose(std::uint64_t count)
    {
        for (; count > 0; --count) {
            auto payload = std::array<std::byte, 8>{};
            put(payload.data(), ++proposed_);
            leader().node->propose(payload, [](auto const&) {});
        }
        pass_ms(100);
    }

private:
    LoopbackNetwork network_{Carry::values};
    std::uint64_t   proposed_ = 0;

public:
    std::vector<std::unique_ptr<Server>> servers;
};

} // namespace

BOOST_AUTO_TEST_CASE(two_followers_are_sent_a_snapshot_from_a_disk_that_reads_slowly_and_nobody_is_elected,
                     *label("7") * label("case_94"))
{
    auto five = Five{};
    five.pass_ms(3000);
    auto& leader = five.leader();
    five.propose(5);
    auto away = std::vector<Server*>{};
    for (auto const& server : five.servers)
        if (server.get() != &leader and away.size() < 2)
            away.push_back(server.get());
    for (auto* const server : away)
        server->stop();
    for (auto round = 0; round < 6; ++round)
        five.propose(50);
    five.pass_ms(3000);
    BOOST_REQUIRE((leader.node->status().base > Index{100}));
    auto const term = leader.node->status().term;

    for (auto* const server : away)
        server->start();
    five.pass_ms(15'000);

    BOOST_TEST((leader.node->status().term == term));
    BOOST_TEST((&five.leader() == &leader));
    for (auto* const server : away) {
        auto const status = server->node->status();
        BOOST_TEST(status.decisions[static_cast<std::size_t>(Decision::snapshot_installed)] == 1U);
        BOOST_TEST((server->machine.history == leader.machine.history));
    }
    for (auto const& server : five.servers)
        BOOST_TEST(server->reads_on_node == 0U);
    five.propose(5); // And they go on with entries.
    five.pass_ms(500);
    for (auto* const server : away)
        BOOST_TEST((server->machine.history == leader.machine.history));
}

} // namespace totora::test::slow_snapshot_reads_tests
