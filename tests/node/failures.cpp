// A failed node sends nothing any more, ends every request, and reports why; the process continues.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

namespace totora::test::failures_tests
{
namespace
{

using boost::unit_test::label;

/// What every failure has in common; `what` is part of the reason for the operator.
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

/// No event makes a failed node send or write anything.
void expect_silence(Stage& stage)
{
    stage.wire.sent.clear();
    auto const& log = stage.log;
    auto const  writes = log.votes + log.appends + log.truncations + log.syncs;
    auto const  applied = stage.machine.calls;
    auto const  term = Term{stage.term().value + 1};
    auto const  last = log.memory.last();

    stage.receive(S2, RequestPreVote{stage.term(), {stage.term(), Index{100}}, Round{1}});
    stage.receive(S2, RequestVote{term, {stage.term(), Index{100}}, true});
    stage.receive(S2, heartbeat_of(term, last));
    stage.receive(S2, append_of(term, last, term, 1, next(last.index)), command_entry(term, next(last.index), "late"));
    stage.receive(S2, RequestVoteResponse{stage.term(), true});
    stage.pass_ms(10'000);
    auto const proposal = stage.propose("late");
    auto const read = stage.read();
    stage.run();
    stage.node->stop();

    BOOST_TEST(stage.wire.sent.empty());
    BOOST_TEST(log.votes + log.appends + log.truncations + log.syncs == writes);
    BOOST_TEST(stage.machine.calls == applied);
    BOOST_TEST(proposal->times == 1);
    BOOST_TEST(read->times == 1);
    BOOST_TEST(not stage.node->next_turn_ms());
    BOOST_TEST(not stage.node->turn());
}

/// A log that reports durable what was never written has confirmed nothing: what waited for it never leaves.
BOOST_AUTO_TEST_CASE(a_log_that_reports_durable_what_was_never_written_ends_the_node, *label("dissertation 3.8"))
{
    for (auto const more : {std::uint64_t{1}, std::uint64_t{1'000}}) {
        auto stage = Stage{};
        stage.lead_with_follower();
        auto const waiting = stage.propose("a");
        stage.run();
        stage.wire.sent.clear();
        stage.log.confirms_instead = WriteNumber{stage.node->state().writes.last.value + more};
        stage.receive(S2, RequestVote{Term{stage.term().value + 1}, {stage.term(), Index{100}}, true});

        expect_failed(stage, NodeFailure::untrusted_log, "confirmed write");
        BOOST_TEST(stage.wire.sent.empty());
        BOOST_TEST(waiting->times == 1);
        expect_silence(stage);
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_takes_back_a_durable_report_ends_the_node, *label("dissertation 3.8"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const waiting = stage.propose("a");
    stage.run();
    stage.wire.sent.clear();
    stage.log.confirms_instead = WriteNumber{stage.node->state().writes.durable.value - 1};
    stage.receive(S2, RequestVote{Term{stage.term().value + 1}, {stage.term(), Index{100}}, true});

    expect_failed(stage, NodeFailure::untrusted_log, "and then only write");
    BOOST_TEST(stage.wire.sent.empty());
    BOOST_TEST(waiting->times == 1);
    expect_silence(stage);
}

BOOST_AUTO_TEST_CASE(a_node_does_not_start_when_its_log_recovers_other_than_it_holds)
{
    auto const refuses = [](auto lie, std::string_view why) {
        auto stage = Stage{};
        stage.lead_with_follower();
        lie(stage.log);
        stage.restart();
        BOOST_REQUIRE(not stage.started.has_value());
        BOOST_TEST(stage.started.error().what.find(why) != std::string::npos);
        BOOST_TEST(not stage.status().running);
        BOOST_TEST(stage.wire.sent.empty());
    };
    refuses([](CheckingLog& log) { log.lies_about_last = LogPosition{Term{1}, Index{2}}; }, "last entry");
    refuses([](CheckingLog& log) { log.confirms_instead = WriteNumber{1}; }, "before the first one was made");
}

BOOST_AUTO_TEST_CASE(a_command_that_throws_is_neither_skipped_nor_retried)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.machine.throws_at = Index{3};
    auto const before = stage.propose("a");
    auto const thrown = stage.propose("b");
    auto const following = stage.propose("c");
    auto const read = stage.read();
    stage.run();
    stage.accept_all(S2);

    expect_failed(stage, NodeFailure::apply, "the reeds are wet");
    // The batch was given as a whole, so that the outcome of every part of it is unknown.
    BOOST_TEST(before->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(thrown->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(following->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(read->refused(ProposalError::not_running, nobody));
    BOOST_TEST((stage.status().applied == Index{1}));
    stage.machine.throws_at.reset();
    expect_silence(stage);
    BOOST_TEST(stage.machine.commands() == std::vector<std::string>{"a"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_no_exception_may_be_thrown_too)
{
    auto stage = Stage{1};
    stage.machine.throws_at = Index{2};
    stage.machine.throws_no_exception = true;
    stage.lead();
    auto const end = stage.propose("a");
    stage.run();

    expect_failed(stage, NodeFailure::apply, "no std::exception");
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    expect_silence(stage);
}

BOOST_AUTO_TEST_CASE(a_machine_gives_one_response_for_each_command)
{
    for (auto const too_many : {1, -1, -2}) {
        auto stage = Stage{1};
        stage.lead();
        stage.machine.responses_too_many = too_many;
        auto const first = stage.propose("a");
        auto const second = stage.propose_batch({"b", "c"});
        stage.run();

        expect_failed(stage, NodeFailure::apply, "responses");
        BOOST_TEST(first->as<OutcomeUnknown>() != nullptr);
        BOOST_TEST(second->as<OutcomeUnknown>() != nullptr);
        expect_silence(stage);
    }
}

BOOST_AUTO_TEST_CASE(log_and_core_agree_on_the_index_and_the_term_of_the_last_entry)
{
    for (auto const lie :
         {LogPosition{Term{1}, Index{3}}, LogPosition{Term{1}, Index{1}}, LogPosition{Term{2}, Index{2}}}) {
        auto stage = Stage{};
        stage.lead_with_follower();
        auto const end = stage.propose("a");
        stage.log.lies_about_last = lie;
        stage.run();

        expect_failed(stage, NodeFailure::seam, "last entry");
        BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
        expect_silence(stage);
    }
}

BOOST_AUTO_TEST_CASE(a_damaged_entry_is_not_applied_and_is_named)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    stage.log.damages = Index{3};
    stage.accept_all(S2);

    expect_failed(stage, NodeFailure::storage, "index 3");
    BOOST_TEST(stage.machine.commands() == std::vector<std::string>{"a"}, boost::test_tools::per_element());
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    expect_silence(stage);
}

BOOST_AUTO_TEST_CASE(a_log_that_reads_other_entries_than_requested_ends_the_node)
{
    auto const broken = std::vector<std::function<void(CheckingLog&)>>{
        [](CheckingLog& log) { log.returns_instead = Index{1}; },
        [](CheckingLog& log) { log.returns_instead = Index{3}; },
        [](CheckingLog& log) { log.returns_nothing = true; },
        [](CheckingLog& log) { log.returns_of_term = Term{7}; },
        [](CheckingLog& log) {
            log.fails_to_read = LogError{LogFailure::read_failed, "the disk cannot be read"};
        },
    };
    for (auto const& breaks : broken) {
        auto stage = Stage{};
        stage.lead_with_follower();
        auto const end = stage.propose_batch({"a", "b", "c"});
        stage.run();
        breaks(stage.log);
        stage.accept_all(S2);

        expect_failed(stage, NodeFailure::storage, "");
        BOOST_TEST(stage.machine.applied.empty());
        BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
        expect_silence(stage);
    }
}

BOOST_AUTO_TEST_CASE(what_a_log_reads_beyond_the_commit_index_is_not_applied)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    stage.log.reads_on = true;
    stage.accept(S2, Index{3});

    BOOST_TEST(stage.machine.commands() == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
    BOOST_TEST((stage.status().applied == Index{3}));
    stage.accept(S2, Index{4});
    BOOST_TEST(stage.machine.applied.size() == 3U);
    BOOST_TEST(end->times == 1);
}

BOOST_AUTO_TEST_CASE(entries_that_cannot_be_read_are_not_sent)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    stage.wire.sent.clear();
    stage.log.fails_to_read = LogError{LogFailure::read_failed, "the disk cannot be read"};
    stage.receive(S3, accepted(stage.term(), Index{0}, stage.sent_to(S3).value)); // Requests everything.

    expect_failed(stage, NodeFailure::storage, "the disk cannot be read");
    BOOST_TEST(stage.appends_to(S3).empty());
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    expect_silence(stage);
}

/// Other processes have taken all descriptors: that ends no healthy server, and keeps none busy.
BOOST_AUTO_TEST_CASE(what_cannot_be_read_now_is_applied_and_sent_later)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    stage.wire.sent.clear();
    stage.log.fails_to_read = LogError{LogFailure::not_now, "there is no descriptor left"};
    stage.accept_all(S2);
    stage.receive(S3, accepted(stage.term(), Index{0}, stage.sent_to(S3).value)); // Requests everything.
    stage.pass_ms(50);

    BOOST_TEST(stage.status().running);
    BOOST_TEST((stage.status().commit == Index{4} and stage.status().applied < Index{4}));
    BOOST_TEST(stage.machine.applied.empty());
    BOOST_TEST(stage.appends_to(S3).empty());
    BOOST_TEST(end->times == 0);
    BOOST_TEST_REQUIRE(stage.events.of<ReadsHeldUp>().size() == 2U, "once for the machine, once for the follower");
    BOOST_TEST(stage.events.of<ReadsHeldUp>()[0].what == "there is no descriptor left");

    stage.log.fails_to_read.reset();
    stage.pass_ms(50);
    BOOST_TEST((stage.machine.commands() == std::vector<std::string>{"a", "b", "c"}));
    BOOST_TEST(end->as<AppliedWith<std::vector<std::string>>>() != nullptr);
    BOOST_TEST(not stage.appends_to(S3).empty());
}

BOOST_AUTO_TEST_CASE(a_leader_whose_storage_failed_sends_nothing_and_ends_its_requests, *label("case_71"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const accepted_one = stage.propose("a");
    auto const read = stage.read();
    stage.run();
    auto const staged = stage.propose("b");
    stage.log.fails_now = LogError{LogFailure::write_failed, "the disk is gone"};
    stage.run();

    expect_failed(stage, NodeFailure::storage, "the disk is gone");
    BOOST_TEST(accepted_one->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(read->refused(ProposalError::not_running, nobody));
    BOOST_TEST(staged->times == 1);
    BOOST_TEST(staged->as<RefusedBecause>() != nullptr);
    expect_silence(stage);
}

BOOST_AUTO_TEST_CASE(a_vote_whose_sync_failed_never_leaves, *label("case_71") * label("case_66"))
{
    auto stage = Stage{};
    stage.log.memory.fail_next_sync();
    stage.receive(S2, RequestVote{Term{1}, {}, true});

    BOOST_TEST(stage.wire.sent.empty());
    expect_failed(stage, NodeFailure::storage, "");
    expect_silence(stage);
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_whose_sync_failed_never_leaves, *label("case_71") * label("case_66"))
{
    auto stage = Stage{};
    stage.log.memory.hold_syncs();
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), command_entry(Term{1}, Index{1}, "a"));
    BOOST_TEST(stage.wire.sent.empty());
    stage.log.fails_now = LogError{LogFailure::sync_failed, "the disk is gone"};
    stage.log.memory.release_syncs(); // What was held could leave now, if the failure were not checked.
    stage.run();

    BOOST_TEST(stage.wire.sent.empty());
    expect_failed(stage, NodeFailure::storage, "the disk is gone");
    expect_silence(stage);
}

BOOST_AUTO_TEST_CASE(a_log_that_fails_while_it_is_closed_is_a_failure_of_the_node, *label("case_71"))
{
    auto stage = Stage{1};
    stage.lead();
    stage.log.fails_at_close = LogError{LogFailure::write_failed, "no mark could be written"};
    stage.node->stop();

    expect_failed(stage, NodeFailure::storage, "no mark could be written");
    BOOST_TEST(stage.log.closes == 1);
    expect_silence(stage);
    BOOST_TEST(stage.log.closes == 1);
}

BOOST_AUTO_TEST_CASE(a_failure_is_reported_once_and_stopping_afterwards_closes_the_log_once)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.fails_now = LogError{LogFailure::write_failed, "the disk is gone"};
    stage.run();
    stage.run();
    stage.node->stop();
    stage.node->stop();

    BOOST_TEST(stage.events.of<Failed>().size() == 1U);
    BOOST_TEST(stage.log.closes == 1);
    BOOST_TEST((stage.status().failed->why == NodeFailure::storage));
}

} // namespace
} // namespace totora::test::failures_tests
