// SPDX-License-Identifier: BSL-1.0
#include "../../docs/examples/kv/member.hpp"
#include "process/kv_cluster.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kv::member_tests
{

using namespace totora::process;

namespace
{

/// A node whose every end the test gives, when it wants.
struct ScriptedNode
{
    struct Clock
    {
        [[nodiscard]] static std::uint64_t now_ms() { return 0; }
    };

    void set_wake(std::function<void()> const&) {}
    template <typename Task>
    void run(Task&& task)
    {
        task(*this);
    }
    [[nodiscard]] static bool                         turn() { return false; }
    [[nodiscard]] static std::optional<std::uint64_t> next_turn_ms() { return std::nullopt; }
    [[nodiscard]] Clock&                              clock() { return clock_; }
    [[nodiscard]] totora::Status                      status() const { return present; }
    [[nodiscard]] totora::LogPosition                 next_proposal() const { return next; }

    template <typename Done>
    void propose(std::span<std::byte const>, Done done, std::uint64_t timeout_ms = 0)
    {
        timeouts_ms.push_back(timeout_ms);
        end_write = std::move(done);
        next.index = next.index + 1;
    }
    template <typename Done>
    void read(Done done, std::uint64_t timeout_ms)
    {
        timeouts_ms.push_back(timeout_ms);
        end_read = std::move(done);
    }

    std::vector<std::uint64_t>                          timeouts_ms;
    totora::Completion<totora::ProposalOutcome<Answer>> end_write;
    totora::Completion<totora::ReadOutcome>             end_read;
    totora::LogPosition                                 next{totora::Term{3}, totora::Index{8}};
    totora::Status                                      present;
    Clock                                               clock_;
};

/// One whose log keeps snapshots.
struct SnapshotNode : ScriptedNode
{
    template <typename Task>
    void run(Task&& task)
    {
        task(*this);
    }
    void take_snapshot() { ++asked; }

    int asked = 0;
};

[[nodiscard]] totora::SnapshotId snapshot_up_to(std::uint64_t index)
{
    return {.last = {totora::Term{1}, totora::Index{index}}, .bytes = 100};
}

struct Fixture
{
    boost::asio::io_context context{1};
    ScriptedNode            node;
    ApplyOrder              order;
    KeyValue                machine;
    EventLoop<ScriptedNode> loop{context, node, [] {}};
    Member<ScriptedNode>    member{node, machine, order, loop, 1234};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(member_of_a_cluster, Fixture, *boost::unit_test::timeout(300))

BOOST_AUTO_TEST_CASE(what_clients_ask_has_a_deadline)
{
    auto answer = std::variant<Answer, Refusal>{};
    auto refusal = std::optional<Refusal>{};
    member.write({}, {}, [&](auto end) { answer = end; });
    member.read([&](auto end) { refusal = end; });
    BOOST_TEST((node.timeouts_ms == std::vector<std::uint64_t>{1234, 1234}));

    node.end_write(totora::Cancelled{});
    node.end_read(totora::Cancelled{});

    BOOST_REQUIRE(std::holds_alternative<Refusal>(answer));
    BOOST_TEST(std::get<Refusal>(answer).error.starts_with("ERR outcome unknown: "));
    BOOST_TEST(std::get<Refusal>(answer).error.find("in time") != std::string_view::npos);
    BOOST_REQUIRE(refusal.has_value());
    BOOST_TEST(refusal->error == "ERR the read took too long");
}

BOOST_AUTO_TEST_CASE(a_log_without_snapshots_takes_none)
{
    auto answer = SnapshotAnswer{true, ""};
    member.take_snapshot([&](SnapshotAnswer const& end) { answer = end; });
    BOOST_TEST(not answer.is_durable);
    BOOST_TEST(answer.what == "this server's log keeps none");
}

BOOST_AUTO_TEST_CASE(who_asks_for_a_snapshot_waits_until_one_of_what_was_applied_is_durable_or_an_attempt_fails)
{
    auto       taking = SnapshotNode{};
    auto       its_loop = EventLoop<SnapshotNode>{context, taking, [] {}};
    auto       one = Member<SnapshotNode>{taking, machine, order, its_loop, 1234};
    auto       answers = std::vector<SnapshotAnswer>{};
    auto const ask = [&](std::uint64_t applied) {
        taking.present.applied = totora::Index{applied};
        one.take_snapshot([&](SnapshotAnswer const& end) { answers.push_back(end); });
    };
    auto const is_answered = [&](bool is_durable, std::string_view what) {
        one.begin_turn();
        BOOST_REQUIRE(answers.size() == 1U);
        BOOST_TEST(answers[0].is_durable == is_durable);
        BOOST_TEST(answers[0].what.find(what) != std::string::npos, answers[0].what);
        answers.clear();
    };
    ask(0);
    is_answered(false, "has stopped");
    taking.present.running = true;
    ask(0);
    is_answered(false, "no entry was applied yet");
    BOOST_TEST(taking.asked == 0);

    ask(7);
    BOOST_TEST(taking.asked == 1);
    one.snapshots().note(totora::SnapshotSaved{snapshot_up_to(6)}); // It had begun before.
    one.snapshots().note(totora::SnapshotFailed{totora::SnapshotStep::read, "of another"});
    one.begin_turn();
    BOOST_TEST(answers.empty());
    one.snapshots().note(totora::SnapshotSaved{snapshot_up_to(8)});
    BOOST_TEST(answers.empty()); // In the middle of a turn.
    is_answered(true, "up to entry 8");

    taking.present.snapshot = snapshot_up_to(8);
    ask(8);
    is_answered(true, "nothing was applied since the snapshot up to entry 8");
    ask(9);
    one.snapshots().note(totora::SnapshotFailed{totora::SnapshotStep::write, "no space\nis left"});
    is_answered(false, "no space is left");
    ask(9);
    one.end_snapshots();
    is_answered(false, "has stopped");
    BOOST_TEST(taking.asked == 3);
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_write_looks_right_before_its_own_entry_is_applied)
{
    using totora::Index;
    using totora::Term;
    auto       looked = 0;
    auto       ended = 0;
    auto const write = [&] {
        member.write(
            {}, [&] { ++looked; }, [&](auto const&) { ++ended; });
    };
    write();
    order.reach({Term{3}, Index{7}});
    BOOST_TEST(looked == 0);
    order.reach({Term{3}, Index{8}});
    BOOST_TEST(looked == 1);
    node.end_write(totora::AppliedWith<Answer>{{Term{3}, Index{8}}, Stored{}});
    BOOST_TEST(ended == 1);

    write(); // The entry at its index is another leader's.
    order.reach({Term{4}, Index{9}});
    BOOST_TEST(looked == 1);
    BOOST_TEST(order.size() == 0U);

    write(); // It is refused: nobody looks, and nothing is kept for it.
    node.end_write(totora::RefusedBecause{totora::ProposalError::too_much_pending, {}});
    node.end_write = {};
    BOOST_TEST(order.size() == 0U);
    order.reach({Term{3}, Index{10}});
    BOOST_TEST(looked == 1);
}

BOOST_AUTO_TEST_CASE(a_write_that_a_majority_does_not_store_is_answered_in_time)
{
    auto cluster = KvCluster{3};
    cluster.start_all({"--election-ms", "4000..5000", "--timeout-ms", "100"});
    auto const leader = cluster.await_leader();
    for (auto server = std::size_t{0}; server < cluster.size(); ++server)
        if (server != leader)
            cluster.process(server).signal(SIGSTOP);

    auto       client = Client::connect(cluster.client_port(leader), patience).value();
    auto const written = client.ask({"SET", "a", "1"});
    auto const read = client.ask({"GET", "a"});

    BOOST_REQUIRE(written.has_value());
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(written->text == write_too_slow);
    BOOST_TEST(read->text == "ERR the read took too long");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace kv::member_tests
