// SPDX-License-Identifier: BSL-1.0
// Simulated disks that hang or are full, and what leaders do about theirs.
#include "support/builders.hpp"
#include "support/calm_scenario.hpp"
#include "support/log_entries.hpp"
#include "support/simulated.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/log/segmented/segment_name.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/checks/checking_log.hpp"
#include "totora/testing/simulate/checks/checking_machine.hpp"
#include "totora/testing/simulate/checks/checking_transport.hpp"
#include "totora/testing/simulate/disk/disk_bound.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace totora::test::simulator_disks_tests
{
namespace
{

using boost::unit_test::label;

BOOST_AUTO_TEST_CASE(a_log_of_many_small_segments_may_take_what_their_headers_take)
{
    auto       counts = simulate::FaultCounts{};
    auto const holds = [&](std::uint64_t segments, std::uint64_t bytes_each) {
        auto disk = simulate::SimulatedDisk{counts};
        for (auto generation = std::uint64_t{1}; generation <= segments; ++generation) {
            auto const name = segment_name(generation);
            disk.truncate(*disk.create(name), name, bytes_each);
        }
        return simulate::DiskBound{}.holds(disk, 1'895'056, 16'384); // Of seed 4093.
    };
    BOOST_TEST(holds(914, 19'960));
    BOOST_TEST(not holds(100, 182'436), "as many bytes in fewer segments");
    BOOST_TEST(not holds(914, 40'000));
}

/// Three servers of which S1 led term 2, up to entry 3.
struct Cluster
{
    simulate::Checks checks;
    State            state = follower(S1, Term{2}, {{Term{2}, Index{1}, 3}});

    Cluster()
    {
        checks.has_servers(3);
        state.room = LogRoom::reserve_only;
    }

    void answers(ServerId id, Index match, bool no_room)
    {
        checks.sent(id.value - 1, S1,
                    AppendEntriesResponse{.term = Term{2},
                                          .success = true,
                                          .match = match,
                                          .conflict_hint = {},
                                          .round = {},
                                          .number = AppendNumber{1},
                                          .no_room = no_room});
    }

    void has_durably(ServerId id, Index last)
    {
        checks.vote_written(id.value - 1, WriteNumber{1}, Term{2}, nobody);
        checks.append_written(id.value - 1, WriteNumber{1}, {Term{2}, last});
        checks.durable_reported(id.value - 1, WriteNumber{1});
    }

    [[nodiscard]] std::string steps_down(Decision why)
    {
        checks.noted(0, state, why);
        return checks.broken();
    }
};

BOOST_AUTO_TEST_CASE(stepping_down_for_a_disk_that_hangs_where_no_server_is_ahead_is_seen, *label("case_58"))
{
    auto hangs = Cluster{};
    hangs.state.writes.durable_index = Index{2};
    hangs.has_durably(S2, Index{3});
    BOOST_TEST(hangs.steps_down(Decision::stepped_down_disk_hangs) ==
               "a leader steps down for its disk only where a quorum has durably what it has not");

    auto others_are_ahead = Cluster{};
    others_are_ahead.state.writes.durable_index = Index{2};
    others_are_ahead.has_durably(S2, Index{3});
    others_are_ahead.has_durably(S3, Index{3});
    BOOST_TEST(others_are_ahead.steps_down(Decision::stepped_down_disk_hangs) == "");
}

BOOST_AUTO_TEST_CASE(stepping_down_for_lack_of_room_where_no_quorum_has_any_is_seen, *label("case_67"))
{
    auto cluster = Cluster{};
    for (auto const id : {S2, S3})
        cluster.has_durably(id, Index{3});
    cluster.answers(S2, Index{3}, false);
    cluster.answers(S3, Index{3}, true);
    BOOST_TEST(cluster.steps_down(Decision::stepped_down_no_room) ==
               "a leader steps down for want of room only where a quorum has reported room");
}

BOOST_AUTO_TEST_CASE(stepping_down_for_lack_of_room_where_no_server_has_everything_is_seen, *label("case_67"))
{
    auto cluster = Cluster{};
    for (auto const id : {S2, S3}) {
        cluster.has_durably(id, Index{3});
        cluster.answers(id, Index{2}, false);
    }
    BOOST_TEST(cluster.steps_down(Decision::stepped_down_no_room) ==
               "a leader steps down for want of room only where another has acknowledged everything");

    auto one_has = Cluster{};
    for (auto const id : {S2, S3})
        one_has.has_durably(id, Index{3});
    one_has.answers(S2, Index{3}, false);
    one_has.answers(S3, Index{2}, false);
    BOOST_TEST(one_has.steps_down(Decision::stepped_down_no_room) == "");
}

BOOST_AUTO_TEST_CASE(a_moment_without_room_that_counts_is_seen, *label("case_67"))
{
    auto cluster = Cluster{};
    cluster.checks.has_servers(0);
    auto led = leader(follower(S1, Term{1}, {}));
    cluster.checks.appended(0, {}, entries_of(Term{2}, Index{1}, 1));
    cluster.checks.after_event(0, led);
    led.room = LogRoom::reserve_only;
    cluster.checks.lacks_room(0, led.settings.election.at_most_ms * 1000);
    cluster.checks.noted(0, led, Decision::room_exhausted);
    BOOST_TEST(cluster.checks.broken() == "");
    cluster.checks.lacks_room(0, 1);
    cluster.checks.noted(0, led, Decision::room_exhausted);
    BOOST_TEST(cluster.checks.broken() == "a leader whose log has no room for a moment has room");
}

/// A follower's log that reports how much room it has.
struct FollowersLog
{
    std::uint64_t                    now_us = 1'000;
    simulate::LocalTime              time{now_us};
    simulate::FaultCounts            faults;
    simulate::Burdens                burdens{time, faults, 0};
    simulate::Checks                 checks;
    MemoryLog                        log{identity_of_first()};
    State                            state = follower(S1, Term{1}, {});
    simulate::CheckingLog<MemoryLog> watched{log, burdens, checks, 0};

    FollowersLog() { watched.belongs_to(state, 1'000); }
};

BOOST_AUTO_TEST_CASE(entries_that_are_stored_though_they_do_not_fit_are_seen, *label("case_90"))
{
    auto       follows = FollowersLog{};
    auto const entries = entries_of(Term{1}, Index{1}, 2);
    BOOST_TEST(follows.watched.has_room(entries.bytes()));
    follows.watched.append(WriteNumber{1}, entries);
    BOOST_TEST(follows.checks.broken() == "");

    follows.burdens.limit_room(entries.bytes() - 1, true, 2'000);
    BOOST_TEST(not follows.watched.has_room(entries.bytes()));
    BOOST_TEST(follows.watched.has_room(entries.bytes() - 1));
    follows.watched.append(WriteNumber{2}, entries_of(Term{1}, Index{3}, 2));
    BOOST_TEST(follows.checks.broken() == "entries are appended to a log that reported room for them");
}

BOOST_AUTO_TEST_CASE(a_write_without_the_reserve_for_it_is_seen, *label("case_67"))
{
    auto follows = FollowersLog{};
    follows.burdens.limit_room(0, true, 2'000);
    BOOST_TEST(not follows.watched.has_room(1));
    BOOST_TEST(follows.watched.has_room(0));
    follows.watched.save_vote(WriteNumber{1}, Term{1}, S1);
    BOOST_TEST(follows.checks.broken() == "");

    follows.burdens.limit_room(0, false, 2'000);
    BOOST_TEST(not follows.watched.has_room(0));
    follows.watched.save_vote(WriteNumber{2}, Term{1}, S1);
    BOOST_TEST(follows.checks.broken() == "a server whose log has not even its reserve writes nothing");
}

BOOST_AUTO_TEST_CASE(entries_for_a_follower_that_has_reported_no_room_are_seen, *label("case_90"))
{
    auto       checks = simulate::Checks{};
    auto const leads = leader(follower(S1, Term{1}, {}));
    checks.appended(0, {}, entries_of(Term{2}, Index{1}, 1));
    checks.noted(0, leads, Decision::follower_without_room, S2);
    checks.entries_sent_to(0, S3, Term{2});
    checks.entries_sent_to(0, S2, Term{3}); // A later leader must be notified again.
    checks.after_event(0, leads);
    checks.entries_sent_to(0, S2, Term{2}); // It has room again: that is noted when the step is done.
    checks.noted(0, leads, Decision::follower_with_room_again, S2);
    checks.after_event(0, leads);
    BOOST_TEST(checks.broken() == "");

    checks.noted(0, leads, Decision::follower_without_room, S2);
    checks.entries_sent_to(0, S2, Term{2});
    checks.after_event(0, leads);
    BOOST_TEST(checks.broken() == "a follower that reported no room is sent no entries");
}

BOOST_AUTO_TEST_CASE(entries_that_are_dropped_without_a_reply_for_lack_of_room_are_seen, *label("case_90"))
{
    auto checks = simulate::Checks{};
    checks.refused_entries(false);
    BOOST_TEST(checks.broken() == "");
    checks.refused_entries(true);
    BOOST_TEST(checks.broken() == "entries for which there is no room are answered");
}

/// Servers to which nothing happens but that the disks of leaders are full or hang.
[[nodiscard]] simulate::SimulationReport run(simulate::Fault kind)
{
    auto scenario = calm_scenario(2, 40'000);
    plan_often(scenario, kind, 10);
    return simulated(scenario);
}

[[nodiscard]] std::uint64_t count(simulate::SimulationReport const& report, Decision outcome)
{
    return report.decisions[static_cast<std::size_t>(outcome)];
}

BOOST_AUTO_TEST_CASE(leaders_whose_logs_are_full_are_replaced_where_that_helps, *label("case_67"))
{
    auto const report = run(simulate::Fault::log_full);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.worse_leaders > 0U);
    for (auto const outcome : {Decision::stepped_down_no_room, Decision::leading_without_room, Decision::room_exhausted,
                               Decision::room_regained, Decision::follower_without_room})
        BOOST_TEST(count(report, outcome) > 0U, to_string(outcome) << " never happened");
}

BOOST_AUTO_TEST_CASE(leaders_whose_disks_hang_are_replaced, *label("case_58"))
{
    auto const report = run(simulate::Fault::leader_disk_hangs);

    BOOST_TEST(report.broken == "");
    BOOST_TEST(report.worse_leaders > 0U);
    BOOST_TEST(count(report, Decision::stepped_down_disk_hangs) > 0U);
}

BOOST_AUTO_TEST_CASE(leaders_that_do_not_watch_their_disks_are_detected, *label("case_58"))
{
    auto scenario = calm_scenario(2, 40'000);
    scenario.settings.core.watch_storage = false;
    plan_often(scenario, simulate::Fault::leader_disk_hangs, 10);

    BOOST_TEST(simulated(scenario).broken ==
               "a leader whose disk hangs steps down where a quorum is durably ahead of it");
}

} // namespace
} // namespace totora::test::simulator_disks_tests
