// How other threads reach a node, and when its own thread has to run it.
#include "totora/node/driver.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace totora::test::driver_tests
{
namespace
{

using Node = Stage::Node;

BOOST_AUTO_TEST_CASE(what_other_threads_post_runs_on_the_nodes_thread_in_order_and_once)
{
    auto stage = Stage{1};
    stage.lead();
    auto       woken = std::atomic<int>{0};
    auto       driver = Driver<Node>{*stage.node, [&] { ++woken; }};
    auto const own = std::this_thread::get_id();
    auto       ran = std::vector<std::vector<int>>(4);
    auto       elsewhere = 0;

    auto threads = std::vector<std::thread>{};
    for (auto thread = std::size_t{0}; thread < ran.size(); ++thread)
        threads.emplace_back([&, thread] {
            for (auto at = 0; at < 500; ++at)
                driver.post([&, thread, at](Node&) {
                    elsewhere += std::this_thread::get_id() == own ? 0 : 1;
                    ran[thread].push_back(at);
                });
        });
    auto done = [&] {
        auto count = std::size_t{0};
        for (auto const& one : ran)
            count += one.size();
        return count == 2000;
    };
    while (not done())
        driver.poll();
    for (auto& thread : threads)
        thread.join();
    driver.poll();

    BOOST_TEST(elsewhere == 0);
    BOOST_TEST(woken.load() > 0);
    for (auto const& one : ran) {
        BOOST_TEST(one.size() == 500U);
        BOOST_TEST(std::is_sorted(one.begin(), one.end()));
    }
}

BOOST_AUTO_TEST_CASE(a_proposal_posted_from_another_thread_ends_on_the_nodes_thread)
{
    auto stage = Stage{1};
    stage.lead();
    auto       driver = Driver<Node>{*stage.node, [] {}};
    auto const end = std::make_shared<ProposalEnd::element_type>();
    auto       ended_on = std::thread::id{};

    auto client = std::thread{[&] {
        driver.post([&](Node& node) {
            node.propose(bytes_of("reed"), [&](ProposalOutcome<std::string> outcome) {
                ended_on = std::this_thread::get_id();
                note_in(end)(std::move(outcome));
            });
        });
    }};
    client.join();
    BOOST_TEST(end->times == 0);
    driver.poll();

    BOOST_TEST(end->as<AppliedWith<std::string>>() != nullptr);
    BOOST_TEST((ended_on == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(what_is_posted_wakes_the_node_and_what_a_task_posts_runs_in_a_later_poll)
{
    auto stage = Stage{1};
    auto woken = 0;
    auto driver = Driver<Node>{*stage.node, [&] { ++woken; }};
    auto ran = std::vector<int>{};

    driver.post([&](Node&) {
        ran.push_back(1);
        driver.post([&](Node&) { ran.push_back(3); });
    });
    BOOST_TEST(woken == 1);
    driver.post([&](Node&) { ran.push_back(2); });
    driver.poll();
    BOOST_TEST(ran == (std::vector<int>{1, 2}), boost::test_tools::per_element());
    BOOST_TEST(woken >= 2);
    driver.poll();
    woken = 0;
    driver.post([](Node&) {});
    BOOST_TEST(woken == 1);

    BOOST_TEST(ran == (std::vector<int>{1, 2, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_poll_returns_how_long_the_thread_may_wait)
{
    auto settings = NodeSettings{};
    settings.core.election = {300, 300};
    settings.receive_max = 1;
    auto stage = Stage{3, settings};
    auto driver = Driver<Node>{*stage.node, [] {}};

    BOOST_TEST(driver.poll().value() == 300U);
    stage.clock.advance_ms(100);
    BOOST_TEST(driver.poll().value() == 200U);

    stage.wire.arriving.push_back(Received{S2, Rpc{heartbeat_of(Term{1}, {})}, {}});
    stage.wire.arriving.push_back(Received{S2, Rpc{heartbeat_of(Term{1}, {}, {}, 2)}, {}});
    BOOST_TEST(driver.poll().value() == 0U); // More has arrived than one turn takes.
    driver.poll();
    BOOST_TEST(driver.poll().value() == 300U);

    stage.clock.advance_ms(1000);
    BOOST_TEST(driver.poll().value() == 300U); // What was due has rung, late; the next is armed.
}

BOOST_AUTO_TEST_CASE(a_deadline_shortens_the_wait)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto       driver = Driver<Node>{*stage.node, [] {}};
    auto const read = stage.read(7);

    BOOST_TEST(driver.poll().value() == 7U);
    stage.clock.advance_ms(7);
    driver.poll();

    BOOST_TEST(read->as<Cancelled>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_failed_node_lets_its_thread_sleep)
{
    auto stage = Stage{};
    auto driver = Driver<Node>{*stage.node, [] {}};
    stage.log.fails_now = LogError{LogFailure::write_failed, "the disk is gone"};

    BOOST_TEST(not driver.poll().has_value());
}

BOOST_AUTO_TEST_CASE(a_stopped_node_lets_its_thread_sleep)
{
    auto stage = Stage{};
    auto driver = Driver<Node>{*stage.node, [] {}};
    stage.node->stop();
    stage.clock.advance_ms(1000);

    BOOST_TEST(not driver.poll().has_value());
}

/// A log that works in the background, as far as its wake-up is concerned.
struct WakingLog : CheckingLog
{
    using CheckingLog::CheckingLog;

    std::function<void()> wake;

    void set_wake(std::function<void()> made) { wake = std::move(made); }
};

BOOST_AUTO_TEST_CASE(a_policy_that_works_in_the_background_is_given_the_wake_up)
{
    auto machine = Recorder{};
    auto log = WakingLog{identity_of_first()};
    auto wire = Wire{};
    auto clock = ManualClock{1};
    auto node = RaftNode{machine, log, wire, clock};
    auto woken = 0;
    auto driver = Driver<decltype(node)>{node, [&] { ++woken; }};

    log.wake();

    BOOST_TEST(woken == 1);
}

BOOST_AUTO_TEST_CASE(a_scope_may_be_left_without_stop)
{
    auto machine = Recorder{};
    auto log = WakingLog{identity_of_first()};
    auto wire = Wire{};
    auto clock = ManualClock{1};
    auto woken = std::make_shared<int>(0);
    {
        auto node = RaftNode{machine, log, wire, clock};
        auto driver = Driver<decltype(node)>{node, [woken] { ++*woken; }};
        BOOST_REQUIRE(node.start().has_value());
        log.wake();
    }
    BOOST_TEST(woken.use_count() == 1); // Nothing holds what the wake-up captured, nor calls it.
    log.wake();
    BOOST_TEST(*woken == 1);
    {
        auto node = RaftNode{machine, log, wire, clock};
        node.set_wake([woken] { ++*woken; }); // Without a driver the node takes it back.
        log.wake();
    }
    BOOST_TEST(woken.use_count() == 1);
    log.wake();
    BOOST_TEST(*woken == 2);
}

BOOST_AUTO_TEST_CASE(an_empty_wake_up_takes_the_last_one_back_and_can_be_called)
{
    auto       machine = Recorder{};
    auto       log = WakingLog{identity_of_first()};
    auto       wire = Wire{};
    auto       clock = ManualClock{1};
    auto       node = RaftNode{machine, log, wire, clock};
    auto       woken = std::make_shared<int>(0);
    auto const is_taken_back = [&] {
        log.wake();
        return woken.use_count() == 1 and std::exchange(*woken, 0) == 1;
    };

    node.set_wake([woken] { ++*woken; });
    log.wake();
    node.set_wake(nullptr);
    BOOST_TEST(is_taken_back());

    node.set_wake([woken] { ++*woken; });
    log.wake();
    node.set_wake(std::function<void()>{});
    BOOST_TEST(is_taken_back());
}

BOOST_AUTO_TEST_CASE(a_stopped_node_does_not_touch_its_log_when_its_driver_is_destroyed)
{
    auto machine = Recorder{};
    auto log = WakingLog{identity_of_first()};
    auto wire = Wire{};
    auto clock = ManualClock{1};
    {
        auto node = RaftNode{machine, log, wire, clock};
        auto driver = Driver<decltype(node)>{node, [] {}};
        BOOST_REQUIRE(node.start().has_value());
        node.stop();
        log.wake = nullptr;
    }
    BOOST_TEST(not log.wake);
}

BOOST_AUTO_TEST_CASE(a_deadline_that_outlives_its_request_keeps_no_thread_busy)
{
    for (auto const fails : {false, true}) {
        auto stage = Stage{};
        auto driver = Driver<Node>{*stage.node, [] {}};
        stage.lead_with_follower();
        auto const proposal = stage.propose("a", 100);
        auto const read = stage.read(100);
        stage.run();
        if (fails)
            stage.log.fails_now = LogError{LogFailure::write_failed, "the disk is gone"};
        else
            stage.node->stop();
        static_cast<void>(driver.poll());
        stage.clock.advance_ms(1000);

        BOOST_TEST(proposal->times == 1);
        BOOST_TEST(read->times == 1);
        BOOST_TEST(not driver.poll().has_value());
    }
}

} // namespace
} // namespace totora::test::driver_tests
