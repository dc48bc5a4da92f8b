// An exception leaves the node as it was, or ends it with a reason; nothing in between (D15).
#include "support/failing_allocations.hpp"
#include "support/stage.hpp"
#include "totora/node/driver.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace totora::test::exceptions_tests
{
namespace
{

using boost::unit_test::label;
using Applied = AppliedWith<std::string>;

void expect_failed(Stage& stage, NodeFailure why, std::string const& what)
{
    auto const status = stage.status();
    BOOST_REQUIRE(status.failed);
    BOOST_TEST((status.failed->why == why), to_string(status.failed->why));
    BOOST_TEST(status.failed->what.find(what) != std::string::npos, status.failed->what);
    BOOST_TEST(not status.running);
    BOOST_TEST((status.role != RoleName::leader));
    BOOST_TEST(stage.events.of<Failed>().size() == 1U);
}

/// Fails the allocation of this number within `act`, and all that follow if it `lasts`. Whether `act` threw.
template <typename Act>
bool throws_without_memory(std::uint64_t fails_at, Act act, bool lasts = false)
{
    allocations() = {.count = 0, .fails_at = fails_at, .lasts = lasts};
    auto thrown = false;
    try {
        watching_allocations(act);
    } catch (std::bad_alloc const&) {
        thrown = true;
    }
    allocations().fails_at = Allocations::none;
    allocations().lasts = false;
    return thrown;
}

BOOST_AUTO_TEST_CASE(a_step_that_throws_sends_no_vote_that_is_not_durable, *label("case_92"))
{
    auto least_one_failed = false;
    for (auto fails_at = std::uint64_t{0}; fails_at < 20; ++fails_at) {
        auto stage = Stage{};
        stage.pass_ms(300);
        stage.wire.arriving.push_back(Received{S2, RequestVote{Term{5}, {Term{3}, Index{3}}}, {}});
        BOOST_TEST(not throws_without_memory(fails_at, [&] { stage.node->turn(); }));
        auto const failed = stage.status().failed;
        least_one_failed = least_one_failed or failed;
        stage.receive(S2, RequestVote{Term{5}, {Term{3}, Index{3}}});
        stage.receive(S2, append_of(Term{5}, {}, Term{3}, 1), command_entry(Term{3}, Index{1}, "reed"));
        auto const votes = stage.messages_to<RequestVoteResponse>(S2);
        stage.crash();

        if (failed and failed->why == NodeFailure::unfinished_step)
            BOOST_TEST(failed->what == "a turn of the node threw: std::bad_alloc");
        if (not votes.empty() and votes.front().vote_granted)
            BOOST_TEST((stage.node->state().voted_for == S2), "after the allocation " << fails_at);
    }
    BOOST_TEST(least_one_failed);
}

BOOST_AUTO_TEST_CASE(a_node_without_any_memory_fails_with_a_reason_and_ends_every_request, *label("case_92"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const in_log = stage.propose("in the log");
    auto const read = stage.read();
    stage.run();
    auto const staged = stage.propose("staged");
    auto const refused = stage.propose(std::string((8U << 20U) + 1, 'x'));
    stage.log.memory.hold_syncs();
    BOOST_TEST(not throws_without_memory(
        0, [&] { stage.node->turn(); }, true));

    auto const status = stage.status();
    BOOST_REQUIRE(status.failed);
    BOOST_TEST(status.failed->what == "out of memory");
    BOOST_TEST(in_log->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(read->refused(ProposalError::not_running, nobody));
    BOOST_TEST(staged->times == 1);
    BOOST_TEST(refused->times == 1);
}

BOOST_AUTO_TEST_CASE(a_log_that_threw_within_a_step_is_left_as_by_a_crash, *label("case_92"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.throws_at_append = true;
    auto const end = stage.propose("a");
    stage.run();
    stage.node->stop();

    expect_failed(stage, NodeFailure::unfinished_step, "a turn of the node threw: the log is wet");
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(stage.log.closes == 0);
}

BOOST_AUTO_TEST_CASE(a_start_that_throws_is_an_error_and_leaves_no_trace, *label("case_92"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose("a");
    stage.run();
    stage.accept_all(S2);
    BOOST_REQUIRE(end->as<Applied>() != nullptr);
    stage.node.reset();

    auto fails_at = std::uint64_t{0};
    for (auto thrown = true; thrown; ++fails_at) {
        auto clock = ManualClock{1};
        auto wire = Wire{};
        auto events = Events{};
        auto node = Stage::Node{stage.machine, stage.log, wire, clock, {}, events};
        auto started = Result<Identity, StartError>{Unexpected{StartError{}}};
        BOOST_TEST(not throws_without_memory(fails_at, [&] { started = node.start(); }));
        thrown = not started.has_value();
        if (not thrown)
            break;
        BOOST_TEST(not started.error().what.empty());
        BOOST_TEST(not node.status().running);
        BOOST_TEST(not node.status().failed);
        BOOST_TEST(not node.next_turn_ms());
        BOOST_TEST(not clock.next_ring_ms());
        BOOST_TEST(events.of<Failed>().empty());

        BOOST_TEST(node.start().has_value()); // There is memory again.
        BOOST_TEST((node.status().term == Term{1} and node.status().last == Index{2}));
    }
    BOOST_TEST(fails_at > 3U);
}

BOOST_AUTO_TEST_CASE(a_proposal_that_throws_has_changed_nothing, *label("case_92"))
{
    auto const text = std::string("transfer 100 from alice to bob, reference 4711, and thank you");
    for (auto fails_at = std::uint64_t{0};; ++fails_at) {
        auto stage = Stage{1};
        stage.lead();
        auto const large = std::string(std::size_t{1} << 20U, 'B');
        auto const payload = bytes_of(large);
        auto const end = std::make_shared<ProposalEnd::element_type>();
        auto const batch = std::make_shared<BatchEnd::element_type>();
        auto const spans = std::vector<std::span<std::byte const>>{payload, payload, payload};
        auto const thrown = throws_without_memory(fails_at, [&] {
            stage.node->propose(payload, note_in(end));
            stage.node->propose(spans, note_in(batch));
        });
        auto const proposed = stage.propose(text);
        stage.run();

        BOOST_TEST(proposed->as<Applied>() != nullptr);
        BOOST_TEST(proposed->as<Applied>()->response == text);
        BOOST_TEST(stage.machine.commands().back() == text);
        BOOST_TEST(stage.status().running);
        BOOST_TEST(stage.machine.applied.size() ==
                   1U + static_cast<std::size_t>(end->times) + 3U * static_cast<std::size_t>(batch->times));
        if (end->times == 1)
            BOOST_TEST(end->as<Applied>()->response == large);
        if (thrown)
            BOOST_TEST(batch->times == 0);
        else {
            BOOST_TEST((end->times == 1 and batch->times == 1));
            BOOST_TEST(fails_at > 3U);
            return;
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_that_throws_has_changed_nothing, *label("case_92"))
{
    auto       stage = Stage{};
    auto const large = bytes_of(std::string((8U << 20U) + 1, 'x'));
    auto const first = std::make_shared<ProposalEnd::element_type>();
    auto const second = std::make_shared<ProposalEnd::element_type>();
    BOOST_TEST(throws_without_memory(0, [&] { stage.node->propose(large, note_in(first)); }));
    stage.node->propose(large, note_in(second));
    stage.run();

    BOOST_TEST(first->times == 0);
    BOOST_TEST(second->refused(ProposalError::entry_too_large, nobody));
}

/// Requests to a server that does not lead are refused in its turn, whichever allocation of that turn fails.
BOOST_AUTO_TEST_CASE(a_turn_without_memory_to_refuse_in_calls_every_completion_once, *label("case_92"))
{
    for (auto fails_at = std::uint64_t{0}; fails_at < 6; ++fails_at) {
        auto stage = Stage{};
        auto ends = std::vector<ProposalEnd>{};
        for (auto count = 0; count < 3; ++count)
            ends.push_back(stage.propose("a"));
        BOOST_TEST(not throws_without_memory(fails_at, [&] { stage.node->turn(); }));
        stage.run();
        for (auto const& end : ends)
            BOOST_TEST(end->times == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_read_that_throws_has_changed_nothing, *label("case_92"))
{
    auto stage = Stage{1};
    stage.lead();
    auto const first = std::make_shared<ReadEnd::element_type>();
    BOOST_TEST(throws_without_memory(0, [&] { stage.node->read(note_in(first), 5); }));
    BOOST_TEST(stage.node->next_turn_ms().value() > 5U);
    auto const second = stage.read();
    stage.run();

    BOOST_TEST(first->times == 0);
    BOOST_TEST(second->as<ReadableNow>() != nullptr);
}

/// What users throw, and the reaction of the node.
struct Thrown
{
    bool        is_exception = true;
    std::string what;

    [[noreturn]] void operator()() const
    {
        if (is_exception)
            throw std::runtime_error("the reeds are wet");
        throw 42;
    }
};

auto const all_thrown = std::vector<Thrown>{{true, "threw: the reeds are wet"}, {false, "threw: something that is no"}};

BOOST_AUTO_TEST_CASE(a_completion_that_throws_fails_the_node_and_the_others_are_called_once)
{
    for (auto const& thrown : all_thrown) {
        auto stage = Stage{};
        stage.lead_with_follower();
        auto const before = stage.propose("a");
        stage.node->propose(bytes_of("b"), [&](auto const&) { thrown(); });
        auto const same_batch = stage.propose("c");
        auto const read = stage.read();
        stage.run();
        auto const in_log = stage.propose("d");
        auto const unread = stage.read();
        stage.run();
        stage.accept(S2, Index{4});

        expect_failed(stage, NodeFailure::callback, "a completion " + thrown.what);
        BOOST_TEST(before->as<Applied>() != nullptr);
        BOOST_TEST(same_batch->as<Applied>()->response == "c"); // It was applied, whatever another client throws.
        BOOST_TEST(in_log->as<OutcomeUnknown>() != nullptr);
        BOOST_TEST(read->times == 1);
        BOOST_TEST(unread->refused(ProposalError::not_running, nobody));
    }
}

BOOST_AUTO_TEST_CASE(every_completion_that_throws_leaves_the_others_their_call)
{
    auto       stage = Stage{};
    auto       ended = 0;
    auto const throws = [&](auto const&) {
        ++ended;
        throw std::runtime_error("the reeds are wet");
    };
    auto const propose_and_read = [&] {
        for (auto count = 0; count < 3; ++count) {
            stage.node->propose(bytes_of("a"), throws);
            stage.node->propose(std::vector<std::span<std::byte const>>{}, throws);
            stage.node->read(throws, 5);
        }
    };
    propose_and_read(); // Of a follower: refused.
    stage.run();
    BOOST_TEST(ended == 9);

    stage.restart();
    stage.lead_with_follower();
    propose_and_read();
    stage.run();
    propose_and_read();
    stage.node->stop();
    BOOST_TEST(ended == 27);
}

BOOST_AUTO_TEST_CASE(an_expired_completion_that_throws_fails_the_node)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.node->propose(
        bytes_of("a"), [](auto const&) { throw std::runtime_error("too late"); }, 5);
    auto const other = stage.propose("b", 5);
    auto const read = stage.read(5);
    stage.run();
    stage.pass_ms(5);

    expect_failed(stage, NodeFailure::callback, "a completion threw: too late");
    BOOST_TEST(other->as<Cancelled>() != nullptr);
    BOOST_TEST(read->as<Cancelled>() != nullptr);
}

/// A response that cannot always be moved.
struct Moody
{
    static inline bool throws = false;

    int value = 0;

    explicit Moody(int made) : value(made) {}
    Moody(Moody&& other) : value(other.value)
    {
        if (throws)
            throw std::runtime_error("not today");
    }
    Moody& operator=(Moody&&) = default;
};

struct MoodyMachine
{
    using Response = Moody;

    int count = 0;

    void apply(std::span<EntryView const> commands, std::vector<Moody>& responses)
    {
        responses.reserve(commands.size());
        for (auto at = std::size_t{0}; at < commands.size(); ++at)
            responses.emplace_back(++count);
        Moody::throws = count >= 3;
    }

    [[nodiscard]] Index applied_index() const { return {}; }
};

BOOST_AUTO_TEST_CASE(a_response_that_throws_when_it_is_moved_leaves_the_outcome_unknown)
{
    auto machine = MoodyMachine{};
    auto log = CheckingLog{Identity{cluster_of("alone"), S1, first_incarnation, peers_of(1)}};
    auto wire = Wire{};
    auto clock = ManualClock{1};
    auto node = RaftNode{machine, log, wire, clock};
    BOOST_REQUIRE(node.start().has_value());
    clock.advance_ms(600);
    while (node.turn()) {}
    auto       single = std::vector<std::size_t>{};
    auto       batch = std::vector<std::size_t>{};
    auto const payload = bytes_of("a");
    node.propose(payload, [&](auto const& outcome) { single.push_back(outcome.index()); });
    while (node.turn()) {}
    BOOST_TEST(single == std::vector<std::size_t>{0}, boost::test_tools::per_element());
    auto const spans = std::vector<std::span<std::byte const>>{payload, payload};
    node.propose(payload, [&](auto const& outcome) { single.push_back(outcome.index()); });
    node.propose(spans, [&](auto const& outcome) { batch.push_back(outcome.index()); });
    while (node.turn()) {}
    Moody::throws = false;

    BOOST_TEST(single == (std::vector<std::size_t>{0, 2}), boost::test_tools::per_element());
    BOOST_TEST(batch == (std::vector<std::size_t>{2}), boost::test_tools::per_element());
    BOOST_REQUIRE(node.status().failed);
    BOOST_TEST((node.status().failed->why == NodeFailure::callback));
}

/// An observer that throws at the first event of one kind.
template <typename Event>
struct ThrowingObserver
{
    Thrown const*                           thrown;
    std::shared_ptr<std::vector<NodeEvent>> all = std::make_shared<std::vector<NodeEvent>>();

    void operator()(NodeEvent const& event) const
    {
        all->push_back(event);
        if (std::holds_alternative<Event>(event))
            (*thrown)();
    }
};

template <typename Event>
void expect_failed_by_its_observer(Thrown const& thrown)
{
    auto machine = Recorder{};
    auto log = CheckingLog{identity_of_first()};
    auto wire = Wire{};
    auto clock = ManualClock{1};
    auto observer = ThrowingObserver<Event>{&thrown};
    auto node = RaftNode{machine, log, wire, clock, NodeSettings{}, observer};
    BOOST_REQUIRE(node.start().has_value());
    clock.advance_ms(600);
    while (node.turn()) {}

    auto const status = node.status();
    BOOST_REQUIRE(status.failed);
    BOOST_TEST((status.failed->why == NodeFailure::callback));
    BOOST_TEST(status.failed->what.starts_with("the observer " + thrown.what), status.failed->what);
    BOOST_TEST((status.role != RoleName::leader));
    BOOST_TEST((std::get_if<Failed>(&observer.all->back()) != nullptr)); // It is reported all the same.
}

BOOST_AUTO_TEST_CASE(an_observer_that_throws_fails_the_node)
{
    for (auto const& thrown : all_thrown) {
        expect_failed_by_its_observer<RoleChanged>(thrown);
        expect_failed_by_its_observer<DecisionNoted>(thrown);
    }
}

BOOST_AUTO_TEST_CASE(a_posted_task_that_throws_fails_the_node_and_the_others_run)
{
    for (auto const& thrown : all_thrown) {
        auto stage = Stage{1};
        stage.lead();
        auto       woken = 0;
        auto       ran = 0;
        auto       driver = Driver<Stage::Node>{*stage.node, [&] { ++woken; }};
        auto const end = stage.propose("a");
        driver.post([&](auto&) { thrown(); });
        driver.post([&](auto&) { ++ran; });
        static_cast<void>(driver.poll());

        expect_failed(stage, NodeFailure::callback, "a posted task " + thrown.what);
        BOOST_TEST(ran == 1);
        BOOST_TEST(end->times == 1);
        woken = 0;
        driver.post([&](auto&) { ++ran; }); // The driver still wakes and runs what is posted.
        BOOST_TEST(woken == 1);
        BOOST_TEST(not driver.poll().has_value());
        BOOST_TEST(ran == 2);
    }
}

} // namespace
} // namespace totora::test::exceptions_tests
