// What a server does with the state that survived, and what leaves it before that is durable.
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace totora::test::restarts_tests
{
namespace
{

using boost::unit_test::label;
using Applied = AppliedWith<std::string>;

[[nodiscard]] Identity wiped(Incarnation incarnation, std::vector<Peer> members)
{
    return {cluster_of("stage"), S1, incarnation, std::move(members)};
}

BOOST_AUTO_TEST_CASE(a_granted_vote_leaves_when_it_is_durable, *label("case_1"))
{
    auto stage = Stage{};
    stage.log.memory.hold_syncs();
    stage.receive(S2, RequestVote{Term{1}, {}, true});
    BOOST_TEST(stage.wire.sent.empty());
    BOOST_TEST(stage.log.syncs == 1);

    stage.log.memory.release_syncs();
    stage.run();

    BOOST_TEST((stage.messages_to<RequestVoteResponse>(S2) == std::vector{RequestVoteResponse{Term{1}, true}}));
}

BOOST_AUTO_TEST_CASE(a_vote_that_was_lost_with_the_power_never_left, *label("case_1"))
{
    auto stage = Stage{};
    stage.log.memory.hold_syncs();
    stage.receive(S2, RequestVote{Term{1}, {}, true});
    BOOST_TEST(stage.wire.sent.empty());
    stage.crash();
    stage.log.memory.release_syncs();

    stage.receive(S3, RequestVote{Term{1}, {}, true});
    BOOST_TEST((stage.messages_to<RequestVoteResponse>(S3) == std::vector{RequestVoteResponse{Term{1}, true}}));
    stage.crash(); // Now it is on the disk.
    stage.receive(S2, RequestVote{Term{1}, {}, true});
    BOOST_TEST((stage.messages_to<RequestVoteResponse>(S2) == std::vector{RequestVoteResponse{Term{1}, false}}));
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_leaves_when_its_entries_are_durable, *label("case_63"))
{
    auto stage = Stage{};
    stage.receive(S2, heartbeat_of(Term{1}, {}));
    stage.wire.sent.clear();
    stage.log.memory.hold_syncs();

    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1, {}, 2), command_entry(Term{1}, Index{1}, "a"));
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 1, {}, 3),
                  command_entry(Term{1}, Index{2}, "b"));
    BOOST_TEST(stage.wire.sent.empty());
    stage.log.memory.complete_through(WriteNumber{2}); // Term and vote, and the first append.
    stage.run();
    BOOST_REQUIRE(stage.messages_to<AppendEntriesResponse>(S2).size() == 1U);
    BOOST_TEST((stage.messages_to<AppendEntriesResponse>(S2).back().match == Index{1}));

    stage.receive(S2,
                  heartbeat_of(Term{1}, {Term{1}, Index{2}}, {}, 4)); // States what is durable, and waits for nothing.
    BOOST_REQUIRE(stage.messages_to<AppendEntriesResponse>(S2).size() == 2U);
    BOOST_TEST((stage.messages_to<AppendEntriesResponse>(S2).back().match == Index{1}));
}

BOOST_AUTO_TEST_CASE(a_single_server_applies_and_answers_after_its_flush, *label("case_70"))
{
    auto stage = Stage{1};
    stage.lead();
    stage.log.memory.hold_syncs();

    auto const end = stage.propose("reed");
    stage.run();
    BOOST_TEST((stage.status().commit == Index{1}));
    BOOST_TEST(stage.machine.applied.empty());
    BOOST_TEST(end->times == 0);
    stage.log.memory.release_syncs();
    stage.run();

    BOOST_TEST(end->as<Applied>() != nullptr);
    stage.crash();
    stage.lead();
    BOOST_TEST(stage.machine.commands() == std::vector<std::string>{"reed"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_commit_index_above_what_is_durable_here_is_saved, *label("case_83"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const first = stage.propose("a");
    stage.run();
    auto const second = stage.propose("b");
    stage.run();
    stage.accept_all(S2);
    stage.accept_all(S3);
    BOOST_TEST((stage.status().commit == Index{3}));
    BOOST_TEST((stage.log.saved_commits.back() == Index{1}));
    stage.log.memory.complete_through(WriteNumber{stage.node->state().writes.last.value - 1});
    stage.run();
    BOOST_TEST((stage.log.saved_commits.back() == Index{2}));
    BOOST_TEST(first->as<Applied>() != nullptr);
    BOOST_TEST(second->times == 0);
    stage.log.memory.release_syncs();
    stage.run();

    BOOST_TEST((stage.log.saved_commits.back() == Index{3}));
    BOOST_TEST(not stage.log.saved_above_durable);
}

BOOST_AUTO_TEST_CASE(a_power_loss_under_a_committed_entry_is_no_lost_data, *label("case_83"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const end = stage.propose("a");
    stage.run();
    stage.accept_all(S2);
    stage.accept_all(S3); // Committed by the others; its own write is pending.
    stage.crash();

    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST((stage.status().last == Index{1}));
    BOOST_TEST((stage.status().commit <= Index{1}));
    BOOST_TEST(end->times == 0);
}

/// A server of one that has applied four commands, three of which its machine keeps.
BOOST_AUTO_TEST_CASE(a_restart_continues_after_what_the_machine_has_kept, *label("case_75"))
{
    auto stage = Stage{};
    stage.machine.keeps = true;
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 4, Index{4}), entries_of(Term{1}, Index{1}, 4));
    stage.receive(S2, heartbeat_of(Term{1}, {Term{1}, Index{4}}, Index{4}, 2));
    BOOST_TEST(stage.machine.applied.size() == 4U);
    stage.node->stop();
    stage.machine.applied.resize(2); // The machine is saved more rarely than the log.
    stage.machine.kept = Index{2};

    stage.restart();
    stage.run();

    auto indexes = std::vector<std::uint64_t>{};
    for (auto const& one : stage.machine.applied)
        indexes.push_back(one.position.index.value);
    BOOST_TEST((stage.status().commit == Index{4}));
    BOOST_TEST(indexes == (std::vector<std::uint64_t>{1, 2, 3, 4}), boost::test_tools::per_element());
    BOOST_TEST((stage.status().applied == Index{4}));
}

BOOST_AUTO_TEST_CASE(what_the_machine_has_kept_was_committed, *label("case_75"))
{
    auto stage = Stage{};
    stage.machine.keeps = true;
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 4), entries_of(Term{1}, Index{1}, 4));
    stage.node->stop();
    stage.machine.kept = Index{3}; // More than the log knew to be committed.

    stage.restart();
    stage.run();

    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST((stage.status().commit == Index{3}));
    BOOST_TEST(stage.machine.applied.empty());
}

BOOST_AUTO_TEST_CASE(a_machine_that_keeps_nothing_is_given_everything_again, *label("case_75"))
{
    auto stage = Stage{};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 4, Index{4}), entries_of(Term{1}, Index{1}, 4));
    auto const applied = stage.machine.applied;
    stage.node->stop();

    stage.restart();
    stage.run();

    BOOST_TEST((stage.machine.applied == applied));
    BOOST_TEST(stage.machine.applied.size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_cluster_of_one_applies_everything_after_its_election_without_a_proposal, *label("case_75"))
{
    auto stage = Stage{1};
    stage.lead();
    auto const end = stage.propose_batch({"a", "b"});
    stage.run();
    BOOST_TEST(end->times == 1);
    stage.crash();
    BOOST_TEST((stage.status().role == RoleName::follower)); // A follower first, then leader (case 79).

    stage.lead();

    BOOST_TEST(stage.machine.commands() == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_machine_ahead_of_its_log_is_refused_with_an_error_and_without_a_trace)
{
    auto stage = Stage{};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 2), entries_of(Term{1}, Index{1}, 2));
    stage.node->stop();
    stage.machine.keeps = true;
    stage.machine.kept = Index{3};
    auto const writes = stage.log.votes + stage.log.appends + stage.log.truncations;

    stage.restart();

    BOOST_REQUIRE(not stage.started.has_value());
    BOOST_TEST(stage.started.error().what.find("ahead of the log") != std::string::npos);
    BOOST_TEST(not stage.status().running);
    auto const end = stage.propose("a");
    stage.receive(S2, RequestVote{Term{5}, {Term{1}, Index{9}}, true});
    stage.pass_ms(10'000);
    BOOST_TEST(end->times == 1);
    BOOST_TEST(stage.wire.sent.empty());
    BOOST_TEST(stage.log.votes + stage.log.appends + stage.log.truncations == writes);
}

BOOST_AUTO_TEST_CASE(settings_that_contradict_each_other_are_refused_with_an_error)
{
    auto settings = NodeSettings{};
    settings.core.heartbeat_ms = settings.core.election.at_least_ms;
    auto const stage = Stage{3, settings};

    BOOST_REQUIRE(not stage.started.has_value());
    BOOST_TEST(stage.started.error().what.find("heartbeat") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_start_gives_the_transport_the_addresses_of_the_others)
{
    auto const stage = Stage{};

    BOOST_TEST((stage.wire.updates ==
                std::vector<Wire::Update>{{S2, first_incarnation, "host:2"}, {S3, first_incarnation, "host:3"}}));
}

/// What a server does that no log has named: the same for an empty directory and for another incarnation of a member.
void expect_that_it_waits(Stage& stage)
{
    BOOST_REQUIRE(stage.started.has_value());
    BOOST_TEST(not stage.status().admitted);

    stage.pass_ms(10'000);
    BOOST_TEST((stage.status().role == RoleName::follower));
    BOOST_TEST((stage.term() == Term{0}));
    BOOST_TEST(stage.wire.sent.empty());

    stage.receive(S2, RequestPreVote{Term{1}, {Term{1}, Index{9}}, Round{1}});
    stage.receive(S2, RequestVote{Term{2}, {Term{1}, Index{9}}, true});
    BOOST_TEST((stage.messages_to<RequestPreVoteResponse>(S2).at(0).vote_granted == false));
    BOOST_TEST((stage.messages_to<RequestVoteResponse>(S2) == std::vector{RequestVoteResponse{Term{2}, false}}));
    BOOST_TEST(not stage.node->state().voted_for);

    auto const outcomes = stage.status().decisions;
    BOOST_TEST(outcomes[static_cast<std::size_t>(Decision::campaign_withheld_not_electable)] > 0U);
    BOOST_TEST(outcomes[static_cast<std::size_t>(Decision::vote_withheld_not_admitted)] == 2U);
}

BOOST_AUTO_TEST_CASE(a_server_with_an_empty_directory_waits_to_be_admitted_and_does_not_vote, *label("case_86"))
{
    auto stage = Stage{wiped(first_incarnation, {}), {}};
    expect_that_it_waits(stage);
}

BOOST_AUTO_TEST_CASE(another_incarnation_of_a_member_waits_to_be_admitted_and_does_not_vote, *label("case_86"))
{
    auto stage = Stage{wiped(Incarnation{2}, peers_of(3)), {}};
    expect_that_it_waits(stage);
}

BOOST_AUTO_TEST_CASE(a_server_votes_when_the_log_names_it_in_this_incarnation, *label("case_86"))
{
    auto stage = Stage{wiped(first_incarnation, {}), {}};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), configuration_entry(Term{1}, Index{1}, {1, 2, 3}));
    BOOST_TEST(stage.status().admitted);

    stage.receive(S3, RequestVote{Term{2}, {Term{1}, Index{1}}, true});

    BOOST_TEST((stage.messages_to<RequestVoteResponse>(S3) == std::vector{RequestVoteResponse{Term{2}, true}}));
    stage.restart();
    BOOST_TEST(stage.status().admitted); // The log still names it.
}

BOOST_AUTO_TEST_CASE(an_identity_that_fits_no_server_is_refused_with_an_error)
{
    auto const sound = Identity{cluster_of("stage"), S1, first_incarnation, peers_of(3)};
    BOOST_TEST((Stage{sound, {}}.started.has_value()));

    auto nobodys = sound;
    nobodys.id = nobody;
    auto twice = sound;
    twice.first_members[1].member.id = S1;
    auto many = sound;
    many.first_members = peers_of(servers_max + 1);
    for (auto const& wrong : {nobodys, twice, many}) {
        auto const stage = Stage{wrong, {}};
        BOOST_REQUIRE(not stage.started.has_value());
        BOOST_TEST(stage.started.error().what.starts_with("the log is no server's: "));
    }
}

/// A server without members would wait to be admitted, and send nothing; one with other members than its identity's
/// would count wrongly.
BOOST_AUTO_TEST_CASE(a_log_whose_configuration_at_index_0_is_not_its_first_members_is_refused_with_an_error)
{
    auto const expect_refused = [](Stage& stage) {
        stage.restart();
        BOOST_REQUIRE(not stage.started.has_value());
        BOOST_TEST(stage.started.error().what.find("first members") != std::string::npos);
        BOOST_TEST(not stage.status().running);
    };

    auto forgetful = Stage{};
    forgetful.log.recovers_instead = forgetful.log.recovers_before = Configuration{};
    expect_refused(forgetful);

    auto mistaken = Stage{};
    mistaken.log.recovers_instead = configuration_of(Index{}, peers_of(2));
    expect_refused(mistaken);

    auto lacks_the_one_before = Stage{};
    lacks_the_one_before.receive(S2, append_of(Term{1}, {}, Term{1}, 1),
                                 configuration_entry(Term{1}, Index{1}, {1, 2, 3, 4}));
    lacks_the_one_before.restart();
    BOOST_REQUIRE(lacks_the_one_before.started.has_value());
    lacks_the_one_before.log.recovers_before = Configuration{};
    expect_refused(lacks_the_one_before);
}

/// A snapshot brings the configuration in force and the one before, which may be the one that the cluster was made with.
BOOST_AUTO_TEST_CASE(a_server_that_waited_to_be_named_may_know_the_first_members_from_a_snapshot, *label("6"))
{
    auto const others = std::vector<Peer>{{{S2, first_incarnation, MemberKind::voter}, "second"}};
    auto       recovered = Recovered{};
    recovered.identity = wiped(first_incarnation, {});
    recovered.entries.restore({Term{1}, Index{9}});
    recovered.configuration = recovered.previous_configuration = *configuration_of(Index{}, others);
    recovered.peers = {others, others};
    BOOST_TEST(fault_in_configurations(recovered) == "");

    auto without_snapshot = recovered;
    without_snapshot.entries = TermRuns{};
    BOOST_TEST(fault_in_configurations(without_snapshot) != "");

    auto of_others = recovered;
    of_others.identity.first_members = peers_of(3);
    BOOST_TEST(fault_in_configurations(of_others) != "");
}

BOOST_AUTO_TEST_CASE(a_node_starts_once)
{
    auto stage = Stage{};
    stage.lead_with_follower();

    BOOST_TEST(not stage.node->start().has_value());

    BOOST_TEST((stage.status().role == RoleName::leader));
}

} // namespace
} // namespace totora::test::restarts_tests
