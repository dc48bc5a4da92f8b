// A completion or an observer may call everything that a node has, `stop` included; it may not destroy it.
#include "support/stage.hpp"
#include "totora/node/driver.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::re_entrance_tests
{
namespace
{

/// Counts the calls of completions: each is called exactly once, in the end.
struct Calls
{
    std::vector<int> of;

    [[nodiscard]] bool all_once() const
    {
        return std::all_of(of.begin(), of.end(), [](int count) { return count == 1; });
    }
};

/// A callable that calls a node from within one of its own calls.
template <typename Stop>
void stop_in_first_completion_of(Stage& stage, Calls& calls, Stop make_work)
{
    auto       stopped = false;
    auto const ended = [&](std::size_t which) {
        return [&, which](auto const&) {
            ++calls.of[which];
            if (not std::exchange(stopped, true))
                stage.node->stop();
        };
    };
    make_work(ended);
    stage.run();
    BOOST_TEST(stopped);
    BOOST_TEST(calls.all_once());
    BOOST_TEST(stage.log.closes == 1);
    BOOST_TEST(stage.log.calls_after_close == 0);
    BOOST_TEST(not stage.status().running);
    BOOST_TEST(not stage.status().failed);
    stage.node.reset();
    BOOST_TEST(calls.all_once());
}

auto const one = std::vector<std::byte>(1);

BOOST_AUTO_TEST_CASE(the_completion_of_an_applied_proposal_may_stop_the_node)
{
    auto stage = Stage{1};
    auto calls = Calls{{0, 0, 0, 0, 0}};
    stage.lead();
    stop_in_first_completion_of(stage, calls, [&](auto const& ended) {
        auto const two = std::vector<std::span<std::byte const>>{one, one};
        stage.node->propose(one, ended(0));
        stage.node->propose(two, ended(1));
        stage.node->propose(one, ended(2));
        stage.node->read(ended(3));
        stage.node->read(ended(4), 0);
    });
}

BOOST_AUTO_TEST_CASE(the_completion_of_an_applied_batch_may_stop_the_node)
{
    auto stage = Stage{1};
    auto calls = Calls{{0, 0, 0}};
    stage.lead();
    stop_in_first_completion_of(stage, calls, [&](auto const& ended) {
        auto const two = std::vector<std::span<std::byte const>>{one, one};
        stage.node->propose(two, ended(0));
        stage.node->propose(two, ended(1));
        stage.node->propose(one, ended(2));
    });
}

BOOST_AUTO_TEST_CASE(the_completion_of_a_read_may_stop_the_node)
{
    auto stage = Stage{1};
    auto calls = Calls{{0, 0}};
    stage.lead();
    stop_in_first_completion_of(stage, calls, [&](auto const& ended) {
        stage.node->read(ended(0));
        stage.node->read(ended(1));
    });
}

BOOST_AUTO_TEST_CASE(the_completion_of_a_refused_proposal_may_stop_the_node)
{
    auto stage = Stage{1};
    auto calls = Calls{{0, 0, 0}};
    stage.lead();
    stop_in_first_completion_of(stage, calls, [&](auto const& ended) {
        stage.node->propose(std::vector<std::span<std::byte const>>{}, ended(0));
        stage.node->propose(std::vector<std::span<std::byte const>>{}, ended(1));
        stage.node->propose(one, ended(2));
    });
}

BOOST_AUTO_TEST_CASE(the_completion_of_an_expired_request_may_stop_the_node)
{
    for (auto const reads_first : {false, true}) {
        auto stage = Stage{};
        auto calls = Calls{{0, 0, 0, 0, 0, 0}};
        stage.lead_with_follower();
        stop_in_first_completion_of(stage, calls, [&](auto const& ended) {
            for (auto which = std::size_t{0}; which < 3; ++which) {
                if (not reads_first)
                    stage.node->propose(one, ended(which), 5);
                stage.node->read(ended(3 + which), 5);
            }
            stage.run();
            if (reads_first)
                for (auto which = std::size_t{0}; which < 3; ++which)
                    stage.node->propose(one, ended(which));
            stage.clock.advance_ms(5);
        });
    }
}

BOOST_AUTO_TEST_CASE(the_completion_of_a_lost_proposal_may_stop_the_node)
{
    auto stage = Stage{};
    auto calls = Calls{{0, 0, 0, 0}};
    stage.lead_with_follower();
    stop_in_first_completion_of(stage, calls, [&](auto const& ended) {
        stage.node->propose(one, ended(0));
        stage.node->propose(one, ended(1));
        stage.node->read(ended(2));
        stage.node->read(ended(3));
        stage.run();
        stage.wire.arriving.push_back(Received{S2, Rpc{heartbeat_of(Term{2}, {Term{1}, Index{1}})}, {}});
        stage.wire.arriving.push_back(Received{S2, Rpc{heartbeat_of(Term{2}, {Term{1}, Index{1}})}, {}});
    });
    BOOST_TEST(stage.wire.arriving.size() == 1U); // The step that ended leadership was the last.
}

BOOST_AUTO_TEST_CASE(what_is_proposed_or_read_while_the_node_stops_is_refused_before_stop_returns)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto       inner = std::vector<ProposalEnd>{};
    auto       inner_reads = std::vector<ReadEnd>{};
    auto const again = [&](auto const&) {
        inner.push_back(stage.propose("again"));
        inner_reads.push_back(stage.read());
        stage.node->stop();
        BOOST_TEST(not stage.node->turn());
    };
    stage.node->propose(one, again);
    stage.node->read(again);
    stage.run();
    stage.node->propose(one, again);
    stage.node->read(again);
    stage.node->stop();

    BOOST_TEST(inner.size() == 4U);
    for (auto const& end : inner)
        BOOST_TEST(end->refused(ProposalError::not_running, nobody));
    for (auto const& end : inner_reads)
        BOOST_TEST(end->refused(ProposalError::not_running, nobody));
    BOOST_TEST(stage.log.closes == 1);
    BOOST_TEST(stage.log.calls_after_close == 0);
}

BOOST_AUTO_TEST_CASE(what_is_proposed_or_read_after_stop_is_refused_at_once)
{
    auto stage = Stage{1};
    stage.lead();
    stage.node->stop();

    BOOST_TEST(stage.propose("late")->refused(ProposalError::not_running, nobody));
    BOOST_TEST(stage.propose_batch({})->refused(ProposalError::not_running, nobody));
    BOOST_TEST(stage.read()->refused(ProposalError::not_running, nobody));
    auto chained = 0;
    stage.node->propose(one, [&](auto const&) {
        ++chained;
        stage.node->propose(one, [&](auto const&) { ++chained; });
        stage.node->read([&](auto const&) { ++chained; });
    });
    BOOST_TEST(chained == 3);
}

BOOST_AUTO_TEST_CASE(a_turn_within_a_turn_does_nothing)
{
    auto stage = Stage{1};
    stage.lead();
    auto const within = stage.propose("a");
    auto       turned = std::optional<bool>{};
    auto       applied = std::size_t{0};
    stage.node->propose(one, [&](auto const&) {
        auto const later = stage.propose("b");
        turned = stage.node->turn();
        applied = stage.machine.applied.size();
    });
    stage.run();

    BOOST_TEST((turned == false));
    BOOST_TEST(applied == 2U);
    BOOST_TEST(stage.machine.applied.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_completion_that_requests_again_at_once_is_called_in_a_later_turn)
{
    auto stage = Stage{};
    auto refusals = 0;
    auto retry = std::function<void()>{};
    retry = [&] {
        stage.node->read([&](ReadOutcome const&) {
            ++refusals;
            retry();
        });
    };
    retry();
    for (auto turn = 1; turn <= 10; ++turn) {
        BOOST_TEST(stage.node->turn());
        BOOST_TEST(refusals == turn);
    }
    retry = [] {};
    stage.run();
    auto cancelled = 0;
    stage.lead_with_follower();
    retry = [&] {
        stage.node->read(
            [&](ReadOutcome const&) {
                ++cancelled;
                retry();
            },
            0);
    };
    retry();
    for (auto turn = 1; turn <= 10; ++turn)
        static_cast<void>(stage.node->turn());
    BOOST_TEST(cancelled > 0);
    BOOST_TEST(cancelled <= 10);
    retry = [] {}; // Otherwise `stop` would not come to its end.
    stage.node->stop();
}

BOOST_AUTO_TEST_CASE(a_poll_within_a_poll_does_nothing)
{
    auto stage = Stage{1};
    stage.lead();
    auto driver = Driver<Stage::Node>{*stage.node, [] {}};
    auto ran = std::vector<int>{};
    driver.post([&](auto&) {
        ran.push_back(1);
        driver.post([&](auto&) { ran.push_back(3); });
        BOOST_TEST(not driver.poll().has_value());
    });
    driver.post([&](auto&) { ran.push_back(2); });
    static_cast<void>(driver.poll());
    BOOST_TEST(ran == (std::vector<int>{1, 2}), boost::test_tools::per_element());
    static_cast<void>(driver.poll());
    BOOST_TEST(ran == (std::vector<int>{1, 2, 3}), boost::test_tools::per_element());
}

/// One server whose completions and observer call anything, whenever they are called.
class Everything
{
public:
    struct Observer
    {
        Everything* everything;

        void operator()(NodeEvent const&) const
        {
            ++everything->events;
            everything->act();
        }
    };

    using Node = RaftNode<Recorder, CheckingLog, Wire, ManualClock, Observer>;

    Everything(std::uint64_t seed, std::uint64_t voters)
        : log(Identity{cluster_of("everything"), S1, first_incarnation, peers_of(voters)}), random_(seed)
    {
        node.emplace(machine, log, wire, clock, NodeSettings{}, Observer{this});
    }

    Recorder            machine;
    CheckingLog         log;
    Wire                wire;
    ManualClock         clock{1};
    std::optional<Node> node;
    Calls               calls;
    int                 events = 0;
    int                 stops_within = 0;
    int                 turns_within = 0;
    int                 thrown = 0;

    void live()
    {
        act();
        static_cast<void>(node->start());
        for (auto round = 0; round < 60; ++round) {
            budget_ = 6;
            switch (random_() % 6) {
            case 0:
                clock.advance_ms(random_() % 700);
                break;
            case 1:
                receive_from_newer_leader();
                break;
            case 2:
            case 3:
                answer_everything();
                break;
            default:
                act();
                break;
            }
            depth_ = 1; // What is called now is called from within the node.
            node->turn();
            depth_ = 0;
        }
        budget_ = 20;
        depth_ = 1;
        node->stop();
        depth_ = 0;
        budget_ = 3;
        act();
        budget_ = 0;
        node->stop();
        while (node->turn()) {}
    }

    /// One call, from anywhere. Deep within calls there are no more.
    void act()
    {
        if (budget_ == 0 or not node)
            return;
        --budget_;
        ++depth_;
        if (auto const kind = random_() % 14; kind < 7)
            ask(kind);
        else
            call(kind);
        --depth_;
    }

private:
    /// A proposal or a read.
    void ask(std::uint64_t kind)
    {
        switch (kind) {
        case 0:
        case 1:
            node->propose(one, completion());
            break;
        case 2:
            node->propose(one, completion(), random_() % 100);
            break;
        case 3: {
            auto const spans = std::vector<std::span<std::byte const>>(random_() % 4, one);
            node->propose(spans, completion(), 50 + random_() % 100);
            break;
        }
        case 4:
        case 5:
            node->read(completion());
            break;
        default:
            node->read(completion(), random_() % 100);
            break;
        }
    }

    /// Anything else that a node can be called for.
    void call(std::uint64_t kind)
    {
        switch (kind) {
        case 7:
            turns_within += depth_ > 1 ? 1 : 0;
            static_cast<void>(node->turn());
            break;
        case 8:
            static_cast<void>(node->status());
            static_cast<void>(node->next_turn_ms());
            break;
        case 9:
            node->set_wake([] {});
            break;
        case 10:
            node->run([this](Node&) { act(); });
            break;
        case 11:
            static_cast<void>(node->start());
            break;
        case 12:
            if (random_() % 8 != 0)
                break;
            stops_within += depth_ > 1 ? 1 : 0;
            node->stop();
            break;
        default:
            if (depth_ > 1 and random_() % 8 == 0) {
                ++thrown;
                --depth_;
                throw std::runtime_error("enough");
            }
            break;
        }
    }

    struct Completes
    {
        Everything* everything;
        std::size_t which;

        void operator()(auto const&) const
        {
            ++everything->calls.of[which];
            everything->act();
            everything->act();
        }
    };

    [[nodiscard]] Completes completion()
    {
        calls.of.push_back(0);
        return {this, calls.of.size() - 1};
    }

    void receive_from_newer_leader()
    {
        auto const& state = node->state();
        wire.arriving.push_back(
            Received{S2, Rpc{heartbeat_of(Term{state.current_term.value + 1}, last_position(state))}, {}});
    }

    /// The other servers do what this one requests.
    void answer_everything()
    {
        for (auto const& sent : std::exchange(wire.sent, {})) {
            auto answer = std::optional<Rpc>{};
            if (auto const* pre_vote = std::get_if<RequestPreVote>(&sent.rpc))
                answer = RequestPreVoteResponse{pre_vote->term, pre_vote->round, true};
            else if (auto const* vote = std::get_if<RequestVote>(&sent.rpc))
                answer = RequestVoteResponse{vote->term, true};
            else if (auto const* append = std::get_if<AppendEntries>(&sent.rpc))
                answer = AppendEntriesResponse{.term = append->term,
                                               .success = true,
                                               .match = last_of(append->entries),
                                               .conflict_hint = {},
                                               .round = append->round,
                                               .number = append->number};
            if (answer)
                wire.arriving.push_back(Received{sent.to, *answer, {}});
        }
    }

    std::mt19937_64 random_;
    int             budget_ = 4;
    int             depth_ = 0;
};

BOOST_AUTO_TEST_CASE(everything_may_be_called_from_every_completion_and_from_the_observer)
{
    auto ended = std::size_t{0};
    auto stops = 0;
    auto turns = 0;
    auto thrown = 0;
    auto applied = std::size_t{0};
    for (auto seed = std::uint64_t{1}; seed <= 3000; ++seed) {
        auto everything = Everything{seed, seed % 2 == 0 ? 1U : 3U};
        everything.live();
        BOOST_TEST_INFO("seed " << seed);
        BOOST_TEST(everything.calls.all_once());
        BOOST_TEST(everything.log.calls_after_close == 0);
        BOOST_TEST(everything.log.closes <= 1);
        ended += everything.calls.of.size();
        stops += everything.stops_within;
        turns += everything.turns_within;
        thrown += everything.thrown;
        applied += everything.machine.applied.size();
        everything.node.reset();
        BOOST_TEST(everything.calls.all_once());
    }
    BOOST_TEST(ended > 50'000U);
    BOOST_TEST(applied > 3'000U);
    BOOST_TEST(stops > 500);
    BOOST_TEST(turns > 1'000);
    BOOST_TEST(thrown > 300);
}

} // namespace
} // namespace totora::test::re_entrance_tests
