// SPDX-License-Identifier: BSL-1.0
// Three servers over logs in segments: the power of one fails while it receives a snapshot, and later that of the sender, too.
#include "support/history_machine.hpp"
#include "support/log_workload.hpp"
#include "totora/clock/manual_clock.hpp"
#include "totora/node/raft_node.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace totora::test::snapshot_resume_tests
{
namespace
{

using boost::unit_test::label;

constexpr auto chunk_bytes = std::uint64_t{512};

class Server
{
public:
    using Node = RaftNode<HistoryMachine, TestLog, Loopback, ManualClock>;

    Server(Identity const& identity, LoopbackNetwork& network)
        : identity_(identity), network_(network), clock_(identity.id.value)
    {
        auto files = ForgetfulFiles{disk_};
        BOOST_REQUIRE(create_log(files, identity).has_value());
    }

    void start()
    {
        auto options = SegmentedLogOptions{};
        options.snapshot_sync_bytes = 1024;
        auto opened = open_log(disk_, options);
        BOOST_REQUIRE(opened.has_value());
        log_.emplace(*std::move(opened));
        transport_.emplace(network_.join(identity_.id, first_incarnation));
        machine = HistoryMachine{};
        node = std::make_unique<Node>(machine, *log_, *transport_, clock_, settings());
        BOOST_REQUIRE(node->start().has_value());
    }

    /// What was not synced is lost.
    void lose_power()
    {
        node.reset();
        log_.reset();
        disk_->lose_power({.keeps = [](auto, auto) { return false; }, .names_kept = 0});
    }

    void pass_ms()
    {
        clock_.advance_ms(1);
        if (node)
            while (node->turn()) {}
    }

    [[nodiscard]] std::uint64_t received() const
    {
        auto const reception = node->status().reception;
        return reception ? reception->bytes : 0;
    }

    [[nodiscard]] std::uint64_t decided(Decision what) const
    {
        return node->status().decisions[static_cast<std::size_t>(what)];
    }

    HistoryMachine        machine;
    std::unique_ptr<Node> node;

private:
    [[nodiscard]] static NodeSettings settings()
    {
        auto settings = NodeSettings{};
        settings.snapshots.entries_max = 200;
        settings.snapshots.trailing_entries = 5;
        settings.snapshots.follower_bytes_max = 0;
        settings.snapshots.chunk_bytes = chunk_bytes;
        settings.snapshots.transfer_bytes_per_second = 4096;
        return settings;
    }

    Identity                identity_;
    LoopbackNetwork&        network_;
    ManualClock             clock_;
    Disk                    disk_ = std::make_shared<ForgetfulDisk>();
    std::optional<TestLog>  log_;
    std::optional<Loopback> transport_;
};

struct Trio
{
    Trio()
    {
        auto peers = std::vector<Peer>{};
        for (auto id = std::uint64_t{1}; id <= 3; ++id)
            peers.push_back({{ServerId{id}, first_incarnation, MemberKind::voter}, {}});
        for (auto const& peer : peers) {
            servers.push_back(std::make_unique<Server>(
                Identity{cluster_of("trio"), peer.member.id, peer.member.incarnation, peers}, network));
            servers.back()->start();
        }
        pass_ms(2000);
        for (auto const& server : servers) {
            auto const leads = server->node->status().role == RoleName::leader;
            (leads ? leader : away != nullptr ? other : away) = server.get();
        }
        BOOST_REQUIRE(leader != nullptr);
    }

    void pass_ms(std::uint64_t ms)
    {
        for (; ms > 0; --ms)
            for (auto const& server : servers)
                server->pass_ms();
    }

    void propose(std::uint64_t count)
    {
        for (; count > 0; --count) {
            auto payload = std::array<std::byte, 8>{};
            put(payload.data(), ++proposed);
            leader->node->propose(payload, [](auto const&) {});
        }
        pass_ms(100);
    }

    /// Until the server that was away has received more than so many bytes.
    void receive_more_than(std::uint64_t bytes)
    {
        for (auto left = 5000; left > 0 and away->received() <= bytes; --left)
            pass_ms(1);
        BOOST_REQUIRE(away->received() > bytes);
    }

    LoopbackNetwork                      network{Carry::values};
    std::vector<std::unique_ptr<Server>> servers;
    Server*                              leader = nullptr;
    Server*                              away = nullptr;
    Server*                              other = nullptr;
    std::uint64_t                        proposed = 0;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_transfer_goes_on_after_the_receiver_and_the_sender_lost_their_power,
                     *label("7") * label("case_29") * label("case_30"))
{
    auto trio = Trio{};
    trio.away->lose_power();
    for (auto round = 0; round < 6; ++round)
        trio.propose(50);
    auto const snapshot = *trio.leader->node->status().snapshot;
    BOOST_REQUIRE(snapshot.bytes > 10 * chunk_bytes / 2);

    trio.away->start();
    trio.receive_more_than(2000);
    auto const before = trio.away->received();
    trio.away->lose_power();
    trio.away->start();
    auto const kept = trio.away->received();
    BOOST_TEST(kept >= 1024U);
    BOOST_TEST(kept <= before);

    trio.receive_more_than(3500);
    auto const chunks = trio.away->decided(Decision::chunk_stored);
    BOOST_TEST(chunks == (trio.away->received() - kept) / chunk_bytes); // None was stored a second time.
    trio.other->lose_power();
    trio.leader->lose_power();
    trio.away->lose_power();
    trio.leader->start();
    trio.away->start();
    auto const kept_again = trio.away->received();
    BOOST_TEST(kept_again > kept);
    trio.pass_ms(5000);

    BOOST_TEST(trio.away->decided(Decision::snapshot_installed) == 1U);
    BOOST_TEST(trio.away->decided(Decision::chunk_stored) ==
               (snapshot.bytes - kept_again + chunk_bytes - 1) / chunk_bytes);
    BOOST_TEST((trio.away->machine.history == trio.leader->machine.history));
    BOOST_TEST(trio.away->machine.history.size() == trio.proposed);
}

} // namespace totora::test::snapshot_resume_tests
