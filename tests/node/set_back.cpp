// SPDX-License-Identifier: BSL-1.0
// Members whose disk was lost or set back, as their leader finds them; and senders of what no correct server can send.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <vector>

namespace totora::test::set_back_tests
{
namespace
{

using boost::unit_test::label;

/// Answers the newest append as a follower does whose log lacks the entry before it.
void refuse(Stage& stage, ServerId follower, Index found)
{
    auto answer = refused(stage.term(), last_index(stage.node->state()), {stage.term(), found});
    answer.number = stage.sent_to(follower);
    stage.receive(follower, answer);
}

/// A follower answers a heartbeat, and holds the whole log.
void answer_heartbeat(Stage& stage, ServerId follower)
{
    stage.receive(follower, accepted(stage.term(), last_index(stage.node->state()), 0));
}

/// Leads three servers, of which S2 has acknowledged the no-op and a command, both committed.
struct AcknowledgedByOne : Stage
{
    AcknowledgedByOne()
    {
        lead_with_follower();
        (void)propose("held by S2");
        run();
        accept_all(S2);
        answer_heartbeat(*this, S2);
        (void)propose("asked of S2");
        run();
    }
};

BOOST_AUTO_TEST_CASE(a_follower_that_lacks_what_it_had_acknowledged_is_named_and_counts_no_more, *label("case_68"))
{
    auto stage = AcknowledgedByOne{};
    BOOST_REQUIRE((stage.status().commit == Index{2}));

    refuse(stage, S2, Index{1});
    refuse(stage, S2, Index{1});

    auto const reported = stage.events.of<SetBack>();
    BOOST_REQUIRE(reported.size() == 1U);
    BOOST_TEST((reported[0] == SetBack{S2, first_incarnation, Index{2}, Index{1}}));
    BOOST_TEST((stage.status().followers[0].server == S2 and stage.status().followers[0].set_back));
    BOOST_TEST(not stage.status().followers[1].set_back);
    stage.accept_all(S2);
    BOOST_TEST((stage.status().commit == Index{2})); // Its acknowledgements count no more.
    stage.accept_all(S3);
    BOOST_TEST((stage.status().commit == Index{3}));
}

/// Otherwise it would go unnoticed for as long as there are no proposals.
BOOST_AUTO_TEST_CASE(a_heartbeat_finds_a_follower_that_lacks_what_it_had_acknowledged, *label("case_68"))
{
    auto stage = AcknowledgedByOne{};

    stage.receive(S2, refused(stage.term(), Index{2}, {stage.term(), Index{1}}, 0));

    auto const reported = stage.events.of<SetBack>();
    BOOST_REQUIRE(reported.size() == 1U);
    BOOST_TEST((reported[0] == SetBack{S2, first_incarnation, Index{2}, Index{1}}));
}

BOOST_AUTO_TEST_CASE(a_refused_heartbeat_of_before_the_acknowledgement_is_no_proof, *label("case_68"))
{
    auto stage = AcknowledgedByOne{};

    stage.receive(S2, refused(stage.term(), Index{1}, {}, 0));

    BOOST_TEST(stage.events.of<SetBack>().empty());
}

BOOST_AUTO_TEST_CASE(a_log_that_ends_where_its_committed_acknowledgements_end_was_not_set_back, *label("case_68"))
{
    auto stage = AcknowledgedByOne{};

    refuse(stage, S2, Index{2});

    BOOST_TEST(stage.events.of<SetBack>().empty());
    stage.accept_all(S2);
    BOOST_TEST((stage.status().commit == Index{3}));
}

/// It was in flight while the follower's log grew.
BOOST_AUTO_TEST_CASE(a_refusal_of_what_was_sent_before_the_acknowledgement_is_no_proof, *label("case_68"))
{
    auto stage = Stage{};
    stage.lead();
    (void)stage.propose("asked early");
    stage.run();
    auto late = refused(stage.term(), Index{2}, {});
    late.number = stage.sent_to(S2);
    stage.accept_all(S2);
    answer_heartbeat(stage, S2);

    stage.receive(S2, late);

    BOOST_TEST(stage.events.of<SetBack>().empty());
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_and_not_committed_may_be_gone, *label("case_68"))
{
    auto stage = Stage{5};
    stage.lead();
    stage.accept_all(S2);
    stage.accept_all(S3);
    (void)stage.propose("on two of five servers");
    stage.run();
    stage.accept_all(S2);
    answer_heartbeat(stage, S2);
    (void)stage.propose("asked");
    stage.run();

    refuse(stage, S2, Index{1});

    BOOST_TEST(stage.events.of<SetBack>().empty());
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_is_remembered_by_a_server_that_leads_again, *label("case_68"))
{
    auto stage = AcknowledgedByOne{};
    stage.receive(S3, heartbeat_of(Term{stage.term().value + 1}, {}));
    BOOST_REQUIRE((stage.status().role == RoleName::follower));
    stage.pass_ms(600);
    stage.receive(S3, RequestPreVoteResponse{stage.term(), stage.node->state().pre_vote_round, true});
    stage.receive(S3, RequestVoteResponse{stage.term(), true});
    BOOST_REQUIRE((stage.status().role == RoleName::leader));

    auto first = refused(stage.term(), Index{3}, LogPosition{});
    first.number = stage.sent_to(S2);
    stage.receive(S2, first);

    BOOST_REQUIRE(stage.events.of<SetBack>().size() == 1U);
    BOOST_TEST((stage.events.of<SetBack>()[0] == SetBack{S2, first_incarnation, Index{2}, Index{0}}));
}

BOOST_AUTO_TEST_CASE(the_vote_of_a_server_that_was_set_back_elects_no_leader, *label("case_68"))
{
    auto stage = AcknowledgedByOne{};
    refuse(stage, S2, Index{});
    stage.receive(S3, heartbeat_of(Term{stage.term().value + 1}, {}));
    stage.pass_ms(600);

    stage.receive(S2, RequestPreVoteResponse{stage.term(), stage.node->state().pre_vote_round, true});
    BOOST_TEST((stage.status().role == RoleName::pre_candidate));
    stage.receive(S3, RequestPreVoteResponse{stage.term(), stage.node->state().pre_vote_round, true});
    stage.receive(S2, RequestVoteResponse{stage.term(), true});
    BOOST_TEST((stage.status().role == RoleName::candidate));
    stage.receive(S3, RequestVoteResponse{stage.term(), true});
    BOOST_TEST((stage.status().role == RoleName::leader));
}

BOOST_AUTO_TEST_CASE(another_incarnation_of_a_server_has_acknowledged_nothing, *label("case_68"))
{
    auto const state = leader(follower(S1, Term{2}, {{Term{2}, Index{1}, 5}}));
    auto       leads = state;
    leads.commit_index = Index{5};
    auto progress = progress_of(leads, S2);
    progress.match = Index{5};
    auto const first = Member{S2, first_incarnation, MemberKind::voter};
    auto const second = Member{S2, Incarnation{2}, MemberKind::voter};
    auto       refusal = refused(leads.current_term, Index{5}, LogPosition{});
    refusal.number = AppendNumber{progress.sent.value + 1};
    auto known = AcknowledgedEntries{};
    known.note(first, progress, leads);

    BOOST_TEST(not known.check(second, leads, refusal));
    BOOST_TEST(known.check(first, leads, refusal).has_value());
    BOOST_TEST(known.is_set_back(first));
    BOOST_TEST(not known.is_set_back(second));
    known.note(second, progress, leads);
    BOOST_TEST(not known.is_set_back(first));
}

BOOST_AUTO_TEST_CASE(violations_are_counted_by_their_sender)
{
    auto stage = Stage{};
    stage.receive(S2, heartbeat_of(Term{number_max}, {}));
    stage.receive(S2, RequestVote{Term{number_max}, {}});
    stage.receive(S3, heartbeat_of(Term{number_max + 1}, {}));

    auto const violations = stage.status().violations;
    BOOST_REQUIRE(violations.size() == 2U);
    BOOST_TEST((violations[0] == ViolationsOf{S2, 2, Decision::violation_term_jump}));
    BOOST_TEST((violations[1] == ViolationsOf{S3, 1, Decision::violation_number}));
}

BOOST_AUTO_TEST_CASE(no_number_of_senders_lets_the_table_of_violations_grow)
{
    auto counts = ViolationCounts{};
    for (auto id = std::uint64_t{1}; id <= 1'000; ++id)
        counts.add(ServerId{id}, Decision::violation_number);

    BOOST_TEST(counts.rows().size() == ViolationCounts::rows_max);
    BOOST_TEST(
        (counts.rows().back() == ViolationsOf{nobody, 1'001 - ViolationCounts::rows_max, Decision::violation_number}));
}

} // namespace
} // namespace totora::test::set_back_tests
