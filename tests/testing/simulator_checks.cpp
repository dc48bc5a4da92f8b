// SPDX-License-Identifier: BSL-1.0
// Each check of the simulator, with what it must detect.
#include "support/builders.hpp"
#include "support/log/recovered.hpp"
#include "support/log_entries.hpp"
#include "totora/testing/simulate/checks.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace totora::test::simulator_checks_tests
{
namespace
{

using boost::unit_test::label;

/// The entries are there, made by S1; so are the servers.
struct Witness
{
    simulate::Checks checks;

    /// A server as it is seen after an event.
    void sees(ServerId id, State const& state) { checks.after_event(id.value - 1, state); }

    void makes(ServerId id, LogPosition previous, Term term, std::uint64_t count)
    {
        checks.appended(id.value - 1, previous, entries_of(term, next(previous.index), count));
    }

    /// A vote, durable at once.
    void votes(ServerId id, Term term, ServerId candidate)
    {
        write = next(write);
        checks.vote_written(id.value - 1, write, term, candidate);
        checks.durable_reported(id.value - 1, write);
    }

    /// Entries of a log, durable at once.
    void keeps(ServerId id, LogPosition last)
    {
        write = next(write);
        checks.append_written(id.value - 1, write, last);
        checks.durable_reported(id.value - 1, write);
    }

    [[nodiscard]] std::string const& broken() const { return checks.broken(); }

    WriteNumber write;
};

[[nodiscard]] State committed_through(State state, Index index)
{
    state.commit_index = state.apply_index = index;
    return state;
}

BOOST_AUTO_TEST_CASE(a_term_that_goes_back_is_seen)
{
    auto witness = Witness{};
    witness.sees(S1, follower(S1, Term{3}, {}));
    BOOST_TEST(witness.broken() == "");
    witness.sees(S1, follower(S1, Term{2}, {}));
    BOOST_TEST(witness.broken() == "terms never go back");
}

BOOST_AUTO_TEST_CASE(a_commit_index_that_goes_back_is_seen, *label("case_16"))
{
    auto       witness = Witness{};
    auto const log = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}});
    witness.makes(S1, {}, Term{1}, 3);
    witness.sees(S1, committed_through(log, Index{2}));
    BOOST_TEST(witness.broken() == "");
    witness.sees(S1, committed_through(log, Index{1}));
    BOOST_TEST(witness.broken() == "what is committed stays committed");
}

BOOST_AUTO_TEST_CASE(two_leaders_of_one_term_are_seen, *label("5.2"))
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 1);
    witness.sees(S1, leader(follower(S1, Term{}, {})));
    BOOST_TEST(witness.broken() == "");
    witness.sees(S2, leader(follower(S2, Term{}, {})));
    BOOST_TEST(witness.broken() == testing::figure_3::election_safety);
}

BOOST_AUTO_TEST_CASE(a_leader_that_removes_an_entry_is_seen, *label("5.3"))
{
    auto witness = Witness{};
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    witness.sees(S1, state);
    BOOST_TEST(witness.broken() == "");
    state.log.truncate(Index{4});
    state.writes.durable_index = Index{3};
    for (auto& progress : state.followers)
        progress.begin(progress.server, Index{4});
    witness.sees(S1, state);
    BOOST_TEST(witness.broken() == testing::figure_3::leader_append_only);
}

BOOST_AUTO_TEST_CASE(a_leader_without_what_was_committed_is_seen, *label("5.4.3"))
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 3);
    witness.sees(S1, committed_through(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}), Index{3}));
    witness.sees(S2, leader(follower(S2, Term{1}, {{Term{1}, Index{1}, 2}})));
    BOOST_TEST(witness.broken() == testing::figure_3::leader_completeness);
}

BOOST_AUTO_TEST_CASE(different_entries_at_one_place_are_seen, *label("5.3"))
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 3);
    witness.makes(S2, {}, Term{1}, 3);
    BOOST_TEST(witness.broken() == "");
    witness.checks.appended(1, {Term{1}, Index{1}}, entries_of(Term{1}, Index{2}, 1, 20));
    BOOST_TEST(witness.broken() == "two entries of one index and one term differ");
}

BOOST_AUTO_TEST_CASE(equal_entries_after_different_ones_are_seen, *label("5.3"))
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 1);
    witness.makes(S2, {}, Term{2}, 1);
    witness.makes(S1, {Term{1}, Index{1}}, Term{3}, 1);
    BOOST_TEST(witness.broken() == "");
    witness.makes(S2, {Term{2}, Index{1}}, Term{3}, 1);
    BOOST_TEST(witness.broken() == testing::figure_3::log_matching);
}

BOOST_AUTO_TEST_CASE(an_entry_that_its_leader_never_made_is_seen)
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 1);
    witness.makes(S2, {Term{1}, Index{1}}, Term{1}, 1);
    BOOST_TEST(witness.broken() == "an entry was made by no leader of its term");
}

BOOST_AUTO_TEST_CASE(servers_that_commit_different_entries_are_seen, *label("5.4"))
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 1);
    witness.makes(S2, {}, Term{2}, 1);
    witness.sees(S1, committed_through(follower(S1, Term{2}, {{Term{1}, Index{1}, 1}}), Index{1}));
    BOOST_TEST(witness.broken() == "");
    witness.sees(S2, committed_through(follower(S2, Term{2}, {{Term{2}, Index{1}, 1}}), Index{1}));
    BOOST_TEST(witness.broken() == testing::figure_3::state_machine_safety);
}

BOOST_AUTO_TEST_CASE(a_second_vote_in_a_term_is_seen, *label("case_1"))
{
    auto witness = Witness{};
    witness.votes(S1, Term{4}, S2);
    witness.checks.sent(0, S2, RequestVoteResponse{Term{4}, true});
    witness.checks.sent(0, S3, RequestVoteResponse{Term{4}, false});
    BOOST_TEST(witness.broken() == "");
    witness.votes(S1, Term{4}, S3);
    witness.checks.sent(0, S3, RequestVoteResponse{Term{4}, true});
    BOOST_TEST(witness.broken() == "a server votes once in a term, also across crashes");
}

BOOST_AUTO_TEST_CASE(a_vote_and_a_term_that_a_crash_took_are_seen, *label("case_1"))
{
    auto forgot_vote = Witness{};
    forgot_vote.votes(S1, Term{4}, S2);
    forgot_vote.checks.sent(0, S2, RequestVoteResponse{Term{4}, true});
    starts(forgot_vote.checks, follower(S1, Term{4}, {}));
    BOOST_TEST(forgot_vote.broken() == "a vote survives a crash");

    auto forgot_term = Witness{};
    forgot_term.votes(S1, Term{4}, S2);
    forgot_term.checks.sent(0, S2, AppendEntriesResponse{Term{4}, true, {}, {}, {}, {}});
    starts(forgot_term.checks, follower(S1, Term{3}, {}));
    BOOST_TEST(forgot_term.broken() == "a term in which something was promised survives a crash");
}

BOOST_AUTO_TEST_CASE(a_vote_that_leaves_before_it_is_durable_is_seen, *label("case_1"))
{
    auto granted = Witness{};
    granted.checks.vote_written(0, WriteNumber{1}, Term{4}, S2);
    granted.checks.sent(0, S2, RequestVoteResponse{Term{4}, true});
    BOOST_TEST(granted.broken() == "a vote is durable before it leaves");

    auto asked = Witness{};
    asked.checks.vote_written(0, WriteNumber{1}, Term{4}, S1);
    asked.checks.sent(0, S2, RequestVote{Term{4}, {}});
    BOOST_TEST(asked.broken() == "a vote is durable before it leaves");
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_that_leaves_before_it_is_durable_is_seen, *label("case_63"))
{
    auto       witness = Witness{};
    auto const answer = AppendEntriesResponse{Term{1}, true, Index{2}, {}, {}, {}};
    witness.votes(S1, Term{1}, S2);
    witness.keeps(S1, {Term{1}, Index{2}});
    witness.checks.sent(0, S2, answer);
    BOOST_TEST(witness.broken() == "");
    witness.checks.truncated(0, {Term{1}, Index{1}});
    witness.checks.sent(0, S2, answer);
    BOOST_TEST(witness.broken() == "what is acknowledged is durable at its sender");
}

BOOST_AUTO_TEST_CASE(a_write_that_was_cut_and_is_confirmed_later_makes_nothing_durable, *label("case_22"))
{
    auto witness = Witness{};
    witness.votes(S1, Term{1}, S2);
    witness.checks.append_written(0, WriteNumber{2}, {Term{1}, Index{2}});
    witness.checks.truncated(0, {Term{1}, Index{1}});
    witness.checks.durable_reported(0, WriteNumber{2});
    witness.checks.relies_on(0, Index{1});
    BOOST_TEST(witness.broken() == "");
    witness.checks.relies_on(0, Index{2});
    BOOST_TEST(witness.broken() == "a server applies and saves as committed what is durable in its own log");
}

BOOST_AUTO_TEST_CASE(a_commit_that_is_durable_on_a_minority_is_seen, *label("case_17"))
{
    auto const log = committed_through(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}), Index{2});
    auto       minority = Witness{};
    minority.checks.has_servers(3);
    minority.makes(S1, {}, Term{1}, 2);
    minority.keeps(S1, {Term{1}, Index{2}});
    minority.keeps(S2, {Term{1}, Index{1}});
    minority.sees(S1, log);
    BOOST_TEST(minority.broken() == "what is committed is durable on a majority");

    auto majority = Witness{};
    majority.checks.has_servers(3);
    majority.makes(S1, {}, Term{1}, 2);
    majority.makes(S1, {Term{1}, Index{2}}, Term{2}, 1);
    majority.keeps(S1, {Term{1}, Index{2}});
    majority.keeps(S3, {Term{2}, Index{3}});
    majority.sees(S1, log);
    BOOST_TEST(majority.broken() == "");
}

BOOST_AUTO_TEST_CASE(durable_entries_that_a_crash_took_are_seen, *label("case_63"))
{
    auto witness = Witness{};
    witness.makes(S1, {}, Term{1}, 2);
    witness.keeps(S1, {Term{1}, Index{2}});
    starts(witness.checks, follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}));
    BOOST_TEST(witness.broken() == "what a log reported durable survives a crash");
}

/// One entry, committed; a proposal of which it can be.
struct OneCommand : Witness
{
    OneCommand()
    {
        makes(S1, {}, Term{1}, 1);
        sees(S1, committed_through(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}), Index{1}));
        number = checks.proposed();
    }

    void applies(std::uint64_t digest, std::size_t payload_size = 10)
    {
        auto const entries = entries_of(Term{1}, Index{1}, 1, payload_size);
        checks.applied(*entries.begin(), number);
        checks.machine_is(Index{1}, digest);
    }

    std::uint64_t number = 0;
};

BOOST_AUTO_TEST_CASE(machines_that_differ_are_seen)
{
    auto witness = OneCommand{};
    witness.applies(7);
    witness.applies(7);
    BOOST_TEST(witness.broken() == "");
    witness.applies(8);
    BOOST_TEST(witness.broken() == "machines that have applied the same entries are equal");
}

BOOST_AUTO_TEST_CASE(applying_something_else_is_seen)
{
    auto witness = OneCommand{};
    witness.applies(7, 11);
    BOOST_TEST(witness.broken() == "servers apply the same entry at each index");
}

BOOST_AUTO_TEST_CASE(applying_what_is_not_committed_is_seen)
{
    auto       witness = OneCommand{};
    auto const entries = entries_of(Term{1}, Index{2}, 1);
    witness.checks.applied(*entries.begin(), witness.number);
    BOOST_TEST(witness.broken() == "nothing is applied before it is committed");
}

BOOST_AUTO_TEST_CASE(a_proposal_that_ends_twice_is_seen)
{
    auto witness = OneCommand{};
    witness.applies(7);
    witness.checks.acknowledged(witness.number, {Term{1}, Index{1}});
    BOOST_TEST(witness.broken() == "");
    witness.checks.left_open(witness.number);
    BOOST_TEST(witness.broken() == "every proposal ends exactly once");
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_of_what_is_not_there_is_seen)
{
    auto witness = OneCommand{};
    witness.checks.acknowledged(witness.number, {Term{1}, Index{1}});
    BOOST_TEST(witness.broken() == "what is acknowledged is committed, at the position that was acknowledged");
}

BOOST_AUTO_TEST_CASE(a_refused_proposal_that_is_applied_is_seen)
{
    auto witness = OneCommand{};
    witness.checks.refused(witness.number);
    BOOST_TEST(witness.broken() == "");
    witness.applies(7);
    BOOST_TEST(witness.broken() == "what was refused is never applied");
}

BOOST_AUTO_TEST_CASE(bytes_that_a_log_reads_changed_are_seen)
{
    auto witness = OneCommand{};
    witness.checks.read_back(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}), entries_of(Term{1}, Index{1}, 1));
    BOOST_TEST(witness.broken() == "");
    witness.checks.read_back(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}), entries_of(Term{1}, Index{1}, 1, 11));
    BOOST_TEST(witness.broken() == "a log gives back the bytes that were put into it");
}

} // namespace
} // namespace totora::test::simulator_checks_tests
