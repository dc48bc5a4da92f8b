// What a node reports while it happens, and what its status shows afterwards.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace totora::test::observers_tests
{
namespace
{

using boost::unit_test::label;

// An observer that observes nothing takes no room.
struct WithNothing
{
    [[no_unique_address]] NoObserver observer;
    int                              value = 0;
};
static_assert(sizeof(WithNothing) == sizeof(int));

BOOST_AUTO_TEST_CASE(every_change_of_role_term_and_leader_is_reported_once_and_in_order)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.pass_ms(50);
    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{1}}));
    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{1}}, {}, 2));

    struct Expected
    {
        RoleName role;
        Term     term;
        ServerId leader;
    };
    auto const expected = std::vector<Expected>{{RoleName::pre_candidate, Term{0}, nobody},
                                                {RoleName::candidate, Term{1}, nobody},
                                                {RoleName::leader, Term{1}, S1},
                                                {RoleName::follower, Term{2}, S2}};
    auto const reported = stage.events.of<RoleChanged>();
    BOOST_REQUIRE(reported.size() == expected.size());
    for (auto at = std::size_t{0}; at < reported.size(); ++at) {
        BOOST_TEST((reported[at].role == expected[at].role));
        BOOST_TEST((reported[at].term == expected[at].term));
        BOOST_TEST((reported[at].leader == expected[at].leader));
    }
}

BOOST_AUTO_TEST_CASE(a_violation_is_reported_with_its_sender_and_counted_and_changes_nothing)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const before = stage.node->state();
    stage.wire.sent.clear();

    stage.receive(S3, heartbeat_of(stage.term(), {})); // A second leader of one term.

    auto const reported = stage.events.of<DecisionNoted>();
    BOOST_TEST((reported.back().decision == Decision::violation_second_leader));
    BOOST_TEST((reported.back().from == S3));
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::violation_second_leader)] == 1U);
    BOOST_TEST((stage.node->state() == before));
    BOOST_TEST(stage.wire.sent.empty());
    BOOST_TEST(stage.status().running);
}

BOOST_AUTO_TEST_CASE(every_noted_decision_is_counted)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.accept_all(S3);

    auto const reported = stage.events.of<DecisionNoted>();
    auto       counted = std::uint64_t{0};
    for (auto const count : stage.status().decisions)
        counted += count;
    BOOST_TEST(counted == reported.size());
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::election_won)] == 1U);
}

BOOST_AUTO_TEST_CASE(an_alarm_that_was_cancelled_does_not_ring)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    for (auto heartbeats = 0; heartbeats < 30; ++heartbeats) {
        stage.pass_ms(50);
        stage.accept_all(S2);
    }

    BOOST_TEST((stage.status().role == RoleName::leader));
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::ring_outdated)] == 0U);
}

BOOST_AUTO_TEST_CASE(a_cut_tail_is_reported_at_the_start, *label("case_64"))
{
    auto stage = Stage{};
    stage.log.torn = TornTail{Index{7}, 123};
    stage.restart();

    auto const reported = stage.events.of<TornTailCut>();
    BOOST_REQUIRE(reported.size() == 1U);
    BOOST_TEST((reported[0].tail.first == Index{7}));
    BOOST_TEST(reported[0].tail.bytes == 123U);
}

BOOST_AUTO_TEST_CASE(the_status_of_a_leader_shows_how_far_every_follower_is)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const end = stage.propose_batch({"a", "b"});
    stage.run();

    auto const status = stage.status();
    BOOST_TEST(status.running);
    BOOST_TEST(not status.failed);
    BOOST_TEST(status.admitted);
    BOOST_TEST((status.id == S1 and status.leader == S1 and status.role == RoleName::leader));
    BOOST_TEST((status.term == Term{1}));
    BOOST_TEST((status.last == Index{3}));
    BOOST_TEST((status.commit == Index{1}));
    BOOST_TEST((status.applied == Index{1}));
    BOOST_TEST((status.durable == Index{1}));
    BOOST_REQUIRE(status.followers.size() == 2U);
    BOOST_TEST((status.followers[0].server == S2 and status.followers[0].match == Index{1} and
                status.followers[0].next == Index{4}));
    BOOST_TEST(status.followers[0].replicating);
    BOOST_TEST(status.followers[0].in_flight == 2U);
    BOOST_TEST((status.followers[1].server == S3 and status.followers[1].match == Index{0}));
    BOOST_TEST(not status.followers[1].replicating);
    BOOST_TEST(end->times == 0);
}

} // namespace
} // namespace totora::test::observers_tests
