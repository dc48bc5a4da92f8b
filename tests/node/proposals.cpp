// Every end of a proposal, and that it has exactly one.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <vector>

namespace totora::test::proposals_tests
{
namespace
{

using boost::unit_test::label;
using Applied = AppliedWith<std::string>;
using BatchApplied = AppliedWith<std::vector<std::string>>;

BOOST_AUTO_TEST_CASE(a_proposal_ends_with_the_response_when_a_majority_holds_it_durably)
{
    auto stage = Stage{};
    stage.lead_with_follower();

    auto const end = stage.propose("reed");
    stage.run();
    BOOST_TEST(end->times == 0);
    stage.accept_all(S2);

    BOOST_REQUIRE(end->as<Applied>() != nullptr);
    BOOST_TEST((end->as<Applied>()->position == LogPosition{Term{1}, Index{2}}));
    BOOST_TEST(end->as<Applied>()->response == "reed");
    stage.accept_all(S3);
    stage.run();
    BOOST_TEST(end->times == 1);
}

BOOST_AUTO_TEST_CASE(an_accepted_proposal_is_at_the_position_that_the_node_predicted)
{
    auto settings = NodeSettings{};
    settings.entry_bytes_max = 100;
    settings.uncommitted_bytes_max = 600;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();

    auto predicted = std::vector<LogPosition>{};
    auto ends = std::vector<ProposalEnd>{};
    for (auto turns = 0; turns < 4; ++turns) {
        for (auto count = 0; count < 6; ++count) { // Every other one is too large; the last ones of all are too much.
            predicted.push_back(stage.node->next_proposal());
            ends.push_back(stage.propose(std::string(count % 2 == 0 ? 80 : 101, 'p')));
        }
        stage.run();
    }
    stage.accept_all(S2);
    stage.run();

    auto applied = 0;
    for (auto at = std::size_t{0}; at < ends.size(); ++at)
        if (auto const* const one = ends[at]->as<Applied>(); one != nullptr) {
            ++applied;
            BOOST_TEST((one->position == predicted[at]));
        }
    BOOST_TEST(applied > 3);
    BOOST_TEST(applied < 12, "some were refused because too much was pending");
    BOOST_TEST((stage.node->next_proposal() == LogPosition{Term{1}, next(last_index(stage.node->state()))}));
}

BOOST_AUTO_TEST_CASE(a_completion_is_never_called_before_the_call_that_handed_it_over_returns)
{
    auto stage = Stage{1};
    stage.lead();

    auto const applied = stage.propose("reed");
    auto const empty = stage.propose_batch({});
    auto const read = stage.read();

    BOOST_TEST(applied->times + empty->times + read->times == 0);
    stage.run();
    BOOST_TEST(applied->times + empty->times + read->times == 3);
}

BOOST_AUTO_TEST_CASE(a_follower_refuses_names_the_leader_and_leaves_its_log_alone, *label("case_87"))
{
    auto stage = Stage{};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), no_op_entry(Term{1}, Index{1}));
    auto const appends = stage.log.appends;

    auto const end = stage.propose("reed");
    auto const batch = stage.propose_batch({"a", "b"});
    stage.run();

    BOOST_TEST(end->refused(ProposalError::not_leader, S2));
    BOOST_TEST(batch->refused(ProposalError::not_leader, S2));
    BOOST_TEST(stage.log.appends == appends);
    BOOST_TEST((stage.log.last() == LogPosition{Term{1}, Index{1}}));
    BOOST_TEST(not stage.status().failed);
}

BOOST_AUTO_TEST_CASE(without_a_leader_a_refusal_names_nobody)
{
    auto stage = Stage{};

    auto const end = stage.propose("reed");
    stage.run();

    BOOST_TEST(end->refused(ProposalError::not_leader, nobody));
}

BOOST_AUTO_TEST_CASE(what_ends_leadership_in_the_same_turn_comes_before_the_proposal, *label("case_87"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const appends = stage.log.appends;

    auto const end = stage.propose("reed");
    stage.receive(S3, RequestVote{Term{2}, {Term{1}, Index{1}}, true}); // In the turn that would propose.

    BOOST_TEST(end->refused(ProposalError::not_leader, nobody));
    BOOST_TEST(stage.log.appends == appends);
    BOOST_TEST((stage.log.last() == LogPosition{Term{1}, Index{1}}));
    BOOST_TEST(not stage.status().failed);
    BOOST_TEST(stage.status().running);
}

BOOST_AUTO_TEST_CASE(when_leadership_is_lost_the_outcome_is_unknown_even_if_the_entry_is_committed_later)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose("reed");
    stage.run();

    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{1}}));
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);

    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{2}}, Index{2}, 2));
    BOOST_TEST(stage.machine.commands() == std::vector<std::string>{"reed"}, boost::test_tools::per_element());
    BOOST_TEST(end->times == 1);
}

BOOST_AUTO_TEST_CASE(what_was_committed_when_leadership_was_lost_still_ends_applied)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const end = stage.propose("reed");
    stage.run();
    stage.accept_all(S2);
    stage.accept_all(S3); // Committed without this server's disk, and not applied here before it is durable.
    BOOST_TEST((stage.status().commit == Index{2}));
    BOOST_TEST(end->times == 0);

    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{2}}, Index{2}));
    BOOST_TEST(end->times == 0);
    stage.log.memory.release_syncs();
    stage.run();

    BOOST_TEST(end->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(another_leaders_command_at_the_same_index_is_not_taken_for_the_proposed_one)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose("reed");
    stage.run();

    // Replaced and committed in one step: the index alone does not show it.
    stage.receive(S2, append_of(Term{2}, {Term{1}, Index{1}}, Term{2}, 1, Index{2}),
                  command_entry(Term{2}, Index{2}, "rush"));

    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(stage.machine.commands() == std::vector<std::string>{"rush"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_proposal_in_whose_place_another_leaders_no_op_is_committed_ends)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose("reed");
    stage.run();

    // The step that ends leadership commits the other entry too, and no command follows it.
    stage.receive(S2, append_of(Term{2}, {Term{1}, Index{1}}, Term{2}, 1, Index{2}), no_op_entry(Term{2}, Index{2}));

    BOOST_TEST((stage.status().applied == Index{2}));
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_replaced_proposal_does_not_block_a_later_one)
{
    auto       guard = Guard{};
    auto       pending = PendingProposals<std::string>{guard};
    auto const replaced = std::make_shared<ProposalEnd::element_type>();
    auto const later = std::make_shared<ProposalEnd::element_type>();
    pending.add({Term{1}, Index{2}, 1}, {PendingProposal<std::string>::Single{note_in(replaced)}, never_ms});
    pending.add({Term{3}, Index{4}, 1}, {PendingProposal<std::string>::Single{note_in(later)}, never_ms});

    // At 2 and 3 there are no-ops of other leaders, so that nothing is reported of them.
    pending.applied({Term{3}, Index{4}}, "reed");

    BOOST_TEST(replaced->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(later->as<Applied>() != nullptr);
    BOOST_TEST(pending.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_leader_without_responses_from_a_quorum_steps_down_and_its_proposals_are_unknown,
                     *label("case_54"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose("reed");
    auto const read = stage.read();
    stage.run();

    stage.pass_ms(300); // S2 has answered in this interval.
    BOOST_TEST((stage.status().role == RoleName::leader));
    BOOST_TEST(end->times == 0);
    stage.pass_ms(300); // No server has in this one.

    BOOST_TEST((stage.status().role != RoleName::leader));
    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(read->refused(ProposalError::not_leader, nobody));
}

BOOST_AUTO_TEST_CASE(a_deadline_cancels_a_proposal_once_and_its_entry_may_still_be_applied)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose("reed", 100);
    auto const batch = stage.propose_batch({"a", "b"}, 100);
    auto const later = stage.propose("rush", 101);
    stage.run();
    BOOST_TEST(stage.node->next_turn_ms().value() <= stage.clock.now_ms() + 100);

    stage.pass_ms(99);
    BOOST_TEST(end->times == 0);
    stage.pass_ms(1);
    BOOST_TEST(end->as<Cancelled>() != nullptr);
    BOOST_TEST(batch->as<Cancelled>() != nullptr);
    BOOST_TEST(later->times == 0);
    BOOST_TEST(stage.node->next_turn_ms().value() <= stage.clock.now_ms() + 1);
    stage.accept_all(S2);

    BOOST_TEST(end->times == 1);
    BOOST_TEST(batch->times == 1);
    BOOST_TEST(later->as<Applied>() != nullptr);
    BOOST_TEST(stage.machine.applied.size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_deadline_beyond_the_end_of_time_never_comes)
{
    auto stage = Stage{1};
    stage.lead();

    auto const end = stage.propose("reed", never_ms - 1);
    stage.run();

    BOOST_TEST(end->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(stopping_ends_what_is_open_and_later_proposals_and_closes_the_log_once)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const accepted = stage.propose("reed");
    stage.run();
    auto const staged = stage.propose("rush");
    auto const batch = stage.propose_batch({"a", "b"});

    stage.node->stop();
    BOOST_TEST(accepted->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(staged->refused(ProposalError::not_running, nobody));
    BOOST_TEST(batch->refused(ProposalError::not_running, nobody));
    BOOST_TEST(stage.log.closes == 1);

    auto const late = stage.propose("late");
    stage.run();
    BOOST_TEST(late->refused(ProposalError::not_running, nobody));
    stage.node->stop();
    BOOST_TEST(stage.log.closes == 1);
    BOOST_TEST(not stage.status().running);
}

BOOST_AUTO_TEST_CASE(what_is_proposed_before_the_start_is_refused)
{
    auto       machine = Recorder{};
    auto       log = CheckingLog{identity_of_first()};
    auto       wire = Wire{};
    auto       clock = ManualClock{1};
    auto       node = RaftNode{machine, log, wire, clock};
    auto const end = std::make_shared<ProposalEnd::element_type>();
    auto const read = std::make_shared<ReadEnd::element_type>();

    node.propose(bytes_of("reed"), note_in(end));
    node.read(note_in(read));
    node.turn();

    BOOST_TEST(end->refused(ProposalError::not_running, nobody));
    BOOST_TEST(read->refused(ProposalError::not_running, nobody));
    BOOST_TEST(log.appends + log.votes == 0);
}

BOOST_AUTO_TEST_CASE(a_batch_succeeds_together_and_only_when_its_last_entry_is_applied)
{
    auto stage = Stage{};
    stage.lead_with_follower();

    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    stage.accept(S2, Index{3}); // Two of the three.
    BOOST_TEST(stage.machine.applied.size() == 2U);
    BOOST_TEST(end->times == 0);
    stage.accept(S2, Index{4});

    BOOST_REQUIRE(end->as<BatchApplied>() != nullptr);
    BOOST_TEST((end->as<BatchApplied>()->position == LogPosition{Term{1}, Index{4}}));
    BOOST_TEST(end->as<BatchApplied>()->response == (std::vector<std::string>{"a", "b", "c"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_batch_of_which_a_part_was_committed_is_unknown_when_leadership_is_lost)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    stage.accept(S2, Index{3});

    stage.receive(S2, append_of(Term{2}, {Term{1}, Index{3}}, Term{2}, 1, Index{4}),
                  command_entry(Term{2}, Index{4}, "rush"));

    BOOST_TEST(end->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(stage.machine.commands() == (std::vector<std::string>{"a", "b", "rush"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_empty_batch_is_refused)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const appends = stage.log.appends;

    auto const end = stage.propose_batch({});
    stage.run();

    BOOST_TEST(end->refused(ProposalError::empty_proposal, S1));
    BOOST_TEST(stage.log.appends == appends);
}

BOOST_AUTO_TEST_CASE(an_empty_command_is_a_command)
{
    auto stage = Stage{1};
    stage.lead();

    auto const end = stage.propose("");
    stage.run();

    BOOST_REQUIRE(end->as<Applied>() != nullptr);
    BOOST_TEST(end->as<Applied>()->response == "");
}

BOOST_AUTO_TEST_CASE(a_completion_may_propose_and_read_again)
{
    auto stage = Stage{1};
    stage.lead();
    auto const second = std::make_shared<ProposalEnd::element_type>();
    auto const read = std::make_shared<ReadEnd::element_type>();

    stage.node->propose(bytes_of("first"), [&](ProposalOutcome<std::string>) {
        stage.node->propose(bytes_of("second"), note_in(second));
        stage.node->read(note_in(read));
    });
    stage.run();

    BOOST_TEST(second->as<Applied>() != nullptr);
    BOOST_TEST(read->as<ReadableNow>() != nullptr);
}

/// A client that requests again, so many times, whatever the outcome.
struct Stubborn
{
    Stage* stage;
    int*   ends;
    int    left;

    void operator()(ProposalOutcome<std::string> const&) const
    {
        ++*ends;
        if (left > 0)
            stage->node->propose(bytes_of("again"), Stubborn{stage, ends, left - 1});
    }
    void operator()(ReadOutcome const&) const
    {
        ++*ends;
        if (left > 0)
            stage->node->read(Stubborn{stage, ends, left - 1});
    }
};

BOOST_AUTO_TEST_CASE(requests_that_completions_make_while_the_node_ends_are_ended_in_further_turns)
{
    for (auto const fails : {true, false}) {
        auto stage = Stage{};
        auto proposals = 0;
        auto reads = 0;
        stage.lead_with_follower();
        stage.node->propose(bytes_of("first"), Stubborn{&stage, &proposals, 10});
        stage.node->read(Stubborn{&stage, &reads, 20});
        stage.run();
        BOOST_TEST(proposals + reads == 0);

        if (fails)
            stage.log.fails_now = LogError{LogFailure::write_failed, "the disk is gone"};
        else
            stage.node->stop();
        stage.run();

        BOOST_TEST(proposals == 11);
        BOOST_TEST(reads == 21);
        BOOST_TEST(not stage.node->turn());
    }
}

} // namespace
} // namespace totora::test::proposals_tests
