// SPDX-License-Identifier: BSL-1.0
// When a node reports that it has caught up, and until when it leaves the lead to others.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace totora::test::readiness_tests
{
namespace
{

/// The reports to the observer, in order.
[[nodiscard]] std::vector<bool> reported_ready(Stage const& stage)
{
    auto reported = std::vector<bool>{};
    for (auto const& changed : stage.events.of<ReadinessChanged>())
        reported.push_back(changed.ready);
    return reported;
}

using Reports = std::vector<bool>;

BOOST_AUTO_TEST_CASE(a_leader_is_ready_when_the_first_entry_of_its_term_is_applied)
{
    auto stage = Stage{};
    BOOST_TEST(not stage.status().ready);
    stage.lead();
    BOOST_TEST((stage.status().role == RoleName::leader));
    BOOST_TEST(not stage.status().ready);

    stage.accept_all(S2);

    BOOST_TEST(stage.status().ready);
    BOOST_TEST(reported_ready(stage) == Reports{true}, boost::test_tools::per_element());
    (void)stage.propose("more");
    stage.run();
    BOOST_TEST(stage.status().ready); // What comes later does not count.
}

/// The leader had two entries committed when it first reached this server, whatever it sends of them.
BOOST_AUTO_TEST_CASE(a_follower_is_ready_when_what_was_committed_when_its_leader_reached_it_is_applied)
{
    auto stage = Stage{};
    auto first = heartbeat_of(Term{1}, {}, Index{});
    first.committed = Index{2};
    stage.receive(S2, first);
    BOOST_TEST(not stage.status().ready);
    auto append = append_of(Term{1}, {}, Term{1}, 1, Index{1});
    append.committed = Index{9}; // It was no more when the leader reached this server.
    stage.receive(S2, append, command_entry(Term{1}, Index{1}, "a"));
    BOOST_TEST((stage.status().applied == Index{1}));
    BOOST_TEST(not stage.status().ready);

    append = append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, Index{2});
    append.committed = Index{10};
    stage.receive(S2, append, command_entry(Term{1}, Index{2}, "b"));

    BOOST_TEST((stage.status().applied == Index{2}));
    BOOST_TEST(stage.status().ready);
    stage.pass_ms(10'000);
    BOOST_TEST((stage.status().role != RoleName::follower));
    BOOST_TEST(stage.status().ready); // The leader has failed, and what is applied stays applied.
    BOOST_TEST(reported_ready(stage) == Reports{true}, boost::test_tools::per_element());

    auto next = heartbeat_of(Term{5}, {Term{1}, Index{2}}, Index{2});
    next.committed = Index{3};
    stage.receive(S3, next);
    BOOST_TEST(not stage.status().ready); // The next leader had more.
    BOOST_TEST(reported_ready(stage) == (Reports{true, false}), boost::test_tools::per_element());
}

/// An append of an older term, of a leader that this server does not follow: it is no information on the current one.
BOOST_AUTO_TEST_CASE(only_the_current_leader_determines_what_is_to_be_applied)
{
    auto stage = Stage{};
    stage.receive(S2, heartbeat_of(Term{5}, {}, Index{}));
    BOOST_TEST(stage.status().ready);
    auto late = heartbeat_of(Term{4}, {}, Index{});
    late.committed = Index{7};
    stage.receive(S3, late);
    BOOST_TEST(stage.status().ready);
}

/// A restart of a server that has applied nothing: it leaves the lead to others until it has.
BOOST_AUTO_TEST_CASE(a_node_that_has_yet_to_apply_its_log_campaigns_later)
{
    auto settings = NodeSettings{};
    settings.apply_entries_max = 1;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    for (auto at = 0; at < 5; ++at)
        (void)stage.propose("x");
    stage.run();
    stage.accept_all(S2);
    (void)stage.propose("y"); // Takes the commit index to the disk.
    stage.run();
    stage.restart();
    BOOST_TEST(stage.node->state().replaying);
    auto const maximum = settings.core.election.at_most_ms;
    stage.clock.advance_ms(maximum);
    (void)stage.node->turn(); // One entry is applied.
    BOOST_TEST((stage.status().role == RoleName::follower));
    BOOST_TEST(stage.node->state().replaying);

    stage.run();

    BOOST_TEST(not stage.node->state().replaying);
    BOOST_TEST(not stage.status().ready); // No leader has reached it.
    stage.pass_ms(2 * maximum);
    BOOST_TEST((stage.status().role == RoleName::pre_candidate));
}

} // namespace
} // namespace totora::test::readiness_tests
