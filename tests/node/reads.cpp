// Every end of a linearizable read, and that it has exactly one (§8; dissertation §6.4).
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace totora::test::reads_tests
{
namespace
{

using boost::unit_test::label;

BOOST_AUTO_TEST_CASE(a_read_is_allowed_when_a_majority_has_answered_its_round, *label("8"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.wire.sent.clear();

    auto const end = stage.read();
    stage.run();
    BOOST_TEST(end->times == 0);
    BOOST_REQUIRE(stage.messages_to<AppendEntries>(S3).size() == 1U);
    BOOST_TEST((stage.messages_to<AppendEntries>(S3).back().round == Round{1}));
    stage.accept(S3, Index{0}, Round{1}); // Its log does not matter.

    BOOST_REQUIRE(end->as<ReadableNow>() != nullptr);
    BOOST_TEST((end->as<ReadableNow>()->index == Index{1}));
    stage.accept(S2, Index{1}, Round{1});
    BOOST_TEST(end->times == 1);
}

BOOST_AUTO_TEST_CASE(reads_of_one_turn_share_a_round)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.wire.sent.clear();

    auto ends = std::vector<ReadEnd>{};
    for (auto at = 0; at < 20; ++at)
        ends.push_back(stage.read());
    stage.run();
    BOOST_TEST(stage.messages_to<AppendEntries>(S2).size() == 1U);
    BOOST_TEST(stage.messages_to<AppendEntries>(S3).size() == 1U);
    stage.accept(S2, Index{1}, Round{1});

    for (auto const& end : ends)
        BOOST_TEST(end->as<ReadableNow>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_round_rides_on_the_appends_of_its_turn, *label("case_91"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.wire.sent.clear();

    auto const written = stage.propose("a");
    auto const read = stage.read();
    stage.run();

    BOOST_REQUIRE(stage.appends_to(S2).size() == 1U);
    BOOST_TEST((std::get_if<AppendEntries>(&stage.appends_to(S2).front().rpc)->round == Round{1}));
    stage.accept(S2, Index{2}, Round{1}); // The answer to it is all that arrives.
    BOOST_TEST(written->times == 1);
    BOOST_TEST(read->as<ReadableNow>() != nullptr);
}

BOOST_AUTO_TEST_CASE(an_answer_counts_for_its_round_and_earlier_ones_only, *label("case_47"))
{
    auto stage = Stage{};
    stage.lead_with_follower();

    auto const first = stage.read();
    stage.run();
    auto const second = stage.read();
    stage.run();
    stage.accept(S2, Index{1}); // The answer to an append before both.
    stage.accept(S3, Index{1});
    BOOST_TEST(first->times == 0);
    stage.accept(S2, Index{1}, Round{1});
    BOOST_TEST(first->as<ReadableNow>() != nullptr);
    BOOST_TEST(second->times == 0);
    stage.accept(S2, Index{1}, Round{1}); // Again: it adds nothing.
    BOOST_TEST(second->times == 0);

    auto const third = stage.read();
    stage.run();
    stage.accept(S3, Index{1}, Round{3});
    BOOST_TEST(second->as<ReadableNow>() != nullptr);
    BOOST_TEST(third->as<ReadableNow>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_read_waits_for_a_commit_of_the_leaders_term, *label("case_46"))
{
    auto stage = Stage{};
    stage.lead();

    auto const end = stage.read();
    stage.run();
    stage.accept(S2, Index{0}, Round{1});
    stage.accept(S3, Index{0}, Round{1});
    BOOST_TEST(end->times == 0);
    stage.accept(S3, Index{1}, Round{1});

    BOOST_REQUIRE(end->as<ReadableNow>() != nullptr);
    BOOST_TEST((end->as<ReadableNow>()->index == Index{1}));
}

BOOST_AUTO_TEST_CASE(a_read_waits_until_what_was_committed_is_applied_here, *label("case_48"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const proposal = stage.propose("reed");
    stage.run();
    stage.accept_all(S2);
    stage.accept_all(S3);
    BOOST_TEST((stage.status().commit == Index{2}));

    auto seen = std::vector<std::string>{};
    stage.node->read([&](ReadOutcome const& outcome) {
        if (std::holds_alternative<ReadableNow>(outcome))
            seen = stage.machine.commands();
    });
    stage.run();
    stage.accept(S2, Index{2}, Round{1});
    BOOST_TEST(seen.empty());
    stage.log.memory.release_syncs();
    stage.run();

    BOOST_TEST(seen == std::vector<std::string>{"reed"}, boost::test_tools::per_element());
    BOOST_TEST(proposal->times == 1);
}

BOOST_AUTO_TEST_CASE(a_read_waits_for_all_turns_that_applying_takes, *label("case_48"))
{
    auto settings = NodeSettings{};
    settings.apply_bytes_max = 1;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    auto const batch = stage.propose_batch({"a", "b", "c", "d"});
    auto const end = stage.read();
    stage.node->turn();
    auto const append = accepted(stage.term(), Index{5}, stage.sent_to(S2).value, Round{1});
    stage.wire.arriving.push_back(Received{S2, Rpc{append}, {}});

    auto turns = 0;
    while (end->times == 0 and turns < 100) {
        stage.node->turn();
        ++turns;
        BOOST_TEST((end->times == 0 or stage.machine.applied.size() == 4U));
    }
    BOOST_TEST(turns == 4);
    BOOST_TEST(batch->times == 1);
    BOOST_REQUIRE(end->as<ReadableNow>() != nullptr);
    BOOST_TEST((end->as<ReadableNow>()->index >= Index{5}));
}

BOOST_AUTO_TEST_CASE(a_follower_refuses_a_read_and_names_the_leader)
{
    auto       stage = Stage{};
    auto const early = stage.read();
    stage.run();
    stage.receive(S2, heartbeat_of(Term{1}, {}));

    auto const end = stage.read();
    stage.run();

    BOOST_TEST(early->refused(ProposalError::not_leader, nobody));
    BOOST_TEST(end->refused(ProposalError::not_leader, S2));
}

BOOST_AUTO_TEST_CASE(when_leadership_is_lost_reads_without_their_round_are_refused_and_confirmed_ones_served,
                     *label("case_53"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const proposal = stage.propose("reed");
    stage.run();
    stage.accept_all(S2);
    stage.accept_all(S3);
    auto const confirmed = stage.read();
    stage.run();
    stage.accept(S2, Index{2}, Round{1});
    auto const waiting = stage.read();
    stage.run();
    auto const asked = stage.read();

    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{2}}, Index{2}));
    BOOST_TEST(waiting->refused(ProposalError::not_leader, S2));
    BOOST_TEST(asked->refused(ProposalError::not_leader, S2));
    BOOST_TEST(confirmed->times == 0);
    stage.log.memory.release_syncs();
    stage.run();

    BOOST_TEST(confirmed->as<ReadableNow>() != nullptr);
    BOOST_TEST(proposal->times == 1);
}

BOOST_AUTO_TEST_CASE(a_round_of_an_earlier_leadership_confirms_no_read_of_the_next, *label("case_53"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const before_loss = stage.read();
    stage.run();
    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{1}}));
    stage.lead();
    stage.accept_all(S2);

    auto const end = stage.read();
    stage.run();
    stage.receive(S2, accepted(Term{1}, Index{1}, 1, Round{1}));
    stage.receive(S3, accepted(Term{1}, Index{1}, 1, Round{1}));
    BOOST_TEST(end->times == 0);
    stage.accept(S2, Index{2}, Round{1});

    BOOST_TEST(end->as<ReadableNow>() != nullptr);
    BOOST_TEST(before_loss->times == 1);
}

BOOST_AUTO_TEST_CASE(a_deadline_cancels_a_read_once)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.read(100);
    auto const later = stage.read(101);
    stage.run();

    stage.pass_ms(99);
    BOOST_TEST(end->times == 0);
    BOOST_TEST(stage.node->next_turn_ms().value() <= stage.clock.now_ms() + 1);
    stage.pass_ms(1);
    BOOST_TEST(end->as<Cancelled>() != nullptr);
    BOOST_TEST(later->times == 0);
    stage.accept(S2, Index{1}, Round{1});

    BOOST_TEST(end->times == 1);
    BOOST_TEST(later->as<ReadableNow>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_cancelled_read_may_be_requested_again_at_once)
{
    auto stage = Stage{1};
    stage.lead();
    auto       cancelled = 0;
    auto       readable = 0;
    auto const count = 500; // More than any container has room for without growing.

    // Requested within the turn that cancels them, so that they are where the new ones go.
    stage.node->propose(bytes_of("reed"), [&](ProposalOutcome<std::string>) {
        for (auto at = 0; at < count; ++at)
            stage.node->read(
                [&](ReadOutcome const& outcome) {
                    cancelled += std::holds_alternative<Cancelled>(outcome) ? 1 : 0;
                    stage.node->read([&](ReadOutcome const& again) {
                        readable += std::holds_alternative<ReadableNow>(again) ? 1 : 0;
                    });
                },
                0);
    });
    stage.run();

    BOOST_TEST(cancelled == count);
    BOOST_TEST(readable == count);
}

BOOST_AUTO_TEST_CASE(stopping_ends_every_read)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const waiting = stage.read();
    stage.run();
    auto const asked = stage.read();

    stage.node->stop();

    BOOST_TEST(waiting->refused(ProposalError::not_running, nobody));
    BOOST_TEST(asked->refused(ProposalError::not_running, nobody));
    auto const late = stage.read();
    stage.run();
    BOOST_TEST(late->refused(ProposalError::not_running, nobody));
}

BOOST_AUTO_TEST_CASE(a_single_server_reads_at_once_and_after_what_it_has_acknowledged, *label("case_79"))
{
    auto stage = Stage{1};
    stage.lead();
    auto const proposal = stage.propose("reed");
    stage.run();
    BOOST_TEST(proposal->times == 1);

    auto const end = stage.read();
    stage.run();

    BOOST_REQUIRE(end->as<ReadableNow>() != nullptr);
    BOOST_TEST((end->as<ReadableNow>()->index == Index{2}));
}

BOOST_AUTO_TEST_CASE(a_cancelled_read_leaves_no_trace)
{
    auto       guard = Guard{};
    auto       reads = PendingReads{guard};
    auto       ended = 0;
    auto const ask = [&](std::uint64_t deadline_ms) { reads.ask([&](ReadOutcome const&) { ++ended; }, deadline_ms); };
    ask(1);
    reads.start(Round{1});
    reads.allow(Round{1}, Index{9});
    ask(1);
    reads.start(Round{2});
    ask(1);

    reads.expire(1);

    BOOST_TEST(ended == 3);
    BOOST_TEST(reads.empty());
    BOOST_TEST(reads.earliest_ms() == never_ms);
}

} // namespace
} // namespace totora::test::reads_tests
