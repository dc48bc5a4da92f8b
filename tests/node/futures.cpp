// A node from other threads, by futures.
#include "totora/node/futures.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::futures_tests
{
namespace
{

using Node = Stage::Node;

template <typename T>
[[nodiscard]] bool is_ready(std::future<T> const& future)
{
    return future.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
}

/// A stage with a driver and what other threads use.
struct Driven
{
    explicit Driven(std::uint64_t voters = 1) : stage(voters) {}

    Stage         stage;
    Driver<Node>  driver{*stage.node, [] {}};
    Futures<Node> futures{driver};

    void poll()
    {
        for (auto polls = 0; driver.poll() == std::optional<std::uint64_t>{0} and polls < 1000; ++polls) {}
    }
};

BOOST_AUTO_TEST_CASE(a_proposal_from_another_thread_gives_its_outcome)
{
    auto driven = Driven{};
    driven.stage.lead();
    auto future = std::future<ProposalOutcome<std::string>>{};
    auto client = std::thread{[&] { future = driven.futures.propose(bytes_of("reed")); }};
    client.join();
    BOOST_TEST(not is_ready(future));
    driven.poll();

    BOOST_REQUIRE(is_ready(future));
    auto const  outcome = future.get();
    auto const* applied = std::get_if<AppliedWith<std::string>>(&outcome);
    BOOST_REQUIRE(applied != nullptr);
    BOOST_TEST(applied->response == "reed");
}

BOOST_AUTO_TEST_CASE(a_proposal_to_a_follower_is_refused_and_times_out_elsewhere)
{
    auto driven = Driven{3};
    auto refused = driven.futures.propose(bytes_of("reed"));
    driven.poll();
    BOOST_REQUIRE(is_ready(refused));
    BOOST_TEST((std::get<RefusedBecause>(refused.get()).why == ProposalError::not_leader));

    driven.stage.lead_with_follower();
    auto late = driven.futures.propose(bytes_of("reed"), 10);
    driven.poll();
    BOOST_TEST(not is_ready(late));
    driven.stage.clock.advance_ms(10);
    driven.poll();
    BOOST_REQUIRE(is_ready(late));
    BOOST_TEST(std::holds_alternative<Cancelled>(late.get()));
}

BOOST_AUTO_TEST_CASE(a_read_looks_at_the_state_machine_on_the_nodes_thread)
{
    auto driven = Driven{};
    driven.stage.lead();
    auto written = driven.futures.propose(bytes_of("reed"));
    auto looked_on = std::thread::id{};
    auto look = [&, only_moved = std::make_unique<int>(1)] {
        looked_on = std::this_thread::get_id();
        return driven.stage.machine.applied.size();
    };
    auto read = driven.futures.read(std::move(look));
    driven.poll();

    BOOST_REQUIRE(is_ready(read));
    BOOST_TEST(std::get<std::size_t>(read.get()) == 1U);
    BOOST_TEST((looked_on == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(a_look_that_returns_nothing_has_nothing_in_its_future)
{
    auto driven = Driven{};
    driven.stage.lead();
    auto looks = 0;
    auto read = driven.futures.read([&] { ++looks; });
    driven.poll();

    BOOST_REQUIRE(is_ready(read));
    BOOST_TEST(std::holds_alternative<std::monostate>(read.get()));
    BOOST_TEST(looks == 1);
}

BOOST_AUTO_TEST_CASE(what_a_read_throws_its_future_throws)
{
    auto driven = Driven{};
    driven.stage.lead();
    auto read = driven.futures.read([]() -> int { throw std::runtime_error{"no such key"}; });
    driven.poll();

    BOOST_CHECK_THROW(static_cast<void>(read.get()), std::runtime_error);
    BOOST_TEST(driven.stage.status().running);
}

BOOST_AUTO_TEST_CASE(a_read_is_refused_by_a_follower_and_times_out_without_a_majority)
{
    auto       driven = Driven{3};
    auto const look = [] { return 1; };
    auto       refused = driven.futures.read(look);
    driven.poll();
    BOOST_TEST(std::holds_alternative<RefusedBecause>(refused.get()));

    driven.stage.lead_with_follower();
    auto late = driven.futures.read(look, 10);
    driven.poll();
    driven.stage.clock.advance_ms(10);
    driven.poll();
    BOOST_REQUIRE(is_ready(late));
    BOOST_TEST(std::holds_alternative<Cancelled>(late.get()));
}

BOOST_AUTO_TEST_CASE(the_status_is_copied_on_the_nodes_thread)
{
    auto driven = Driven{3};
    driven.stage.lead_with_follower();
    auto status = std::future<Status>{};
    auto watcher = std::thread{[&] { status = driven.futures.status(); }};
    watcher.join();
    driven.poll();

    BOOST_REQUIRE(is_ready(status));
    auto const copy = status.get();
    BOOST_TEST((copy.role == RoleName::leader));
    BOOST_TEST(copy.followers.size() == 2U);
}

BOOST_AUTO_TEST_CASE(any_leader_ends_a_wait_for_a_leader)
{
    auto driven = Driven{3};
    auto own = driven.futures.leader();
    driven.poll();
    BOOST_TEST(not is_ready(own));
    driven.stage.receive(S2, heartbeat_of(Term{1}, {}));
    auto other = driven.futures.leader();
    driven.poll();

    BOOST_REQUIRE(is_ready(own));
    BOOST_REQUIRE(is_ready(other));
    BOOST_TEST(own.get() == S2);
    BOOST_TEST(other.get() == S2);

    driven.stage.pass_ms(2000); // Without heartbeats no server leads.
    auto again = driven.futures.leader();
    driven.poll();
    BOOST_TEST(not is_ready(again));
    driven.stage.lead();
    driven.poll();
    BOOST_REQUIRE(is_ready(again));
    BOOST_TEST(again.get() == S1);
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_leader_ends_with_the_node)
{
    for (auto const fails : {false, true}) {
        auto driven = Driven{3};
        auto leader = driven.futures.leader();
        driven.poll();
        if (fails)
            driven.stage.log.fails_now = LogError{LogFailure::write_failed, "the disk is gone"};
        else
            driven.stage.node->stop();
        driven.poll();
        BOOST_REQUIRE(is_ready(leader));
        BOOST_TEST(leader.get() == nobody);
    }
}

BOOST_AUTO_TEST_CASE(what_waits_when_the_driver_is_destroyed_is_a_broken_promise)
{
    auto stage = Stage{3};
    auto leader = std::future<ServerId>{};
    auto proposal = std::future<ProposalOutcome<std::string>>{};
    {
        auto driver = Driver<Node>{*stage.node, [] {}};
        auto futures = Futures{driver};
        leader = futures.leader();
        static_cast<void>(driver.poll());
        proposal = futures.propose(bytes_of("reed"));
    }
    BOOST_CHECK_THROW(static_cast<void>(leader.get()), std::future_error);
    BOOST_CHECK_THROW(static_cast<void>(proposal.get()), std::future_error);
}

BOOST_AUTO_TEST_CASE(a_condition_that_throws_ends_the_node_and_is_not_called_again)
{
    auto driven = Driven{};
    auto asked = 0;
    driven.driver.await([&](Node&) -> bool {
        ++asked;
        throw std::runtime_error{"no"};
    });
    driven.poll();
    driven.poll();

    BOOST_TEST(asked == 1);
    BOOST_REQUIRE(driven.stage.status().failed.has_value());
    BOOST_TEST((driven.stage.status().failed->why == NodeFailure::callback));
}

} // namespace
} // namespace totora::test::futures_tests
