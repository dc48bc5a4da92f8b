// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

#include <cstdint>
#include <limits>
#include <utility>

// docs/cases.md, chapter L, cases 78 and 85: the end of the range of terms and indexes, and a thousand terms. A is S1.

namespace totora::test::limits_tests
{
namespace
{

constexpr auto highest = std::numeric_limits<std::uint64_t>::max();

/// Every field of every message, one above what a server accepts: nothing changes and nobody is answered.
constexpr void a_number_out_of_range_is_a_violation(State const& a, std::uint64_t beyond)
{
    auto const near = LogPosition{Term{1}, Index{3}};
    auto const far_index = LogPosition{Term{1}, Index{beyond}};
    auto const far_term = LogPosition{Term{beyond}, Index{3}};
    auto       long_append = append_of(Term{9}, near, Term{9}, beyond);
    auto       far_entries = append_of(Term{9}, near, Term{beyond}, 1);
    auto       far_round = heartbeat_of(Term{9}, near, {}, 1, Round{beyond});
    auto const hint = [](LogPosition position) { return refused(Term{2}, Index{3}, position); };
    for (auto const& message : {from(S2, RequestVote{Term{beyond}, near}),
                                from(S2, RequestVote{Term{9}, far_index}),
                                from(S2, RequestVote{Term{9}, far_term}),
                                from(S2, RequestVoteResponse{Term{beyond}, true}),
                                from(S2, RequestPreVote{Term{beyond}, near, Round{1}}),
                                from(S2, RequestPreVote{Term{9}, far_index, Round{1}}),
                                from(S2, RequestPreVote{Term{9}, far_term, Round{1}}),
                                from(S2, RequestPreVote{Term{9}, near, Round{beyond}}),
                                from(S2, RequestPreVoteResponse{Term{beyond}, Round{1}, true}),
                                from(S2, RequestPreVoteResponse{Term{9}, Round{beyond}, true}),
                                from(S2, heartbeat_of(Term{beyond}, near)),
                                from(S2, heartbeat_of(Term{9}, far_index)),
                                from(S2, heartbeat_of(Term{9}, far_term)),
                                from(S2, heartbeat_of(Term{9}, near, Index{beyond})),
                                from(S2, heartbeat_of(Term{9}, near, {}, beyond)),
                                from(S2, long_append),
                                from(S2, far_entries),
                                from(S2, far_round),
                                from(S2, accepted(Term{beyond}, Index{3})),
                                from(S2, accepted(Term{2}, Index{beyond})),
                                from(S2, accepted(Term{2}, Index{3}, beyond)),
                                from(S2, accepted(Term{2}, Index{3}, 1, Round{beyond})),
                                from(S2, hint(far_index)),
                                from(S2, hint(far_term))})
        require_nothing_but(Decision::violation_number, a, checked_step(a, message));
}

constexpr auto a_server_of_each_role = [](TermRuns log) {
    auto asking = server(S1, Term{1}, log);
    asking = step(asking, ring(asking, Alarm::election)).state;
    return std::vector<State>{server(S1, Term{1}, log), asking, candidate(server(S1, Term{1}, log)),
                              leader(server(S1, Term{1}, log))};
};

constexpr auto a_term_or_index_beyond_the_range_is_a_violation_in_every_field = [] {
    for (auto const& a : a_server_of_each_role(log_of({{Term{1}, Index{1}, 3}})))
        for (auto const beyond : {number_max + 1, highest - 1, highest})
            a_number_out_of_range_is_a_violation(a, beyond);
};
TOTORA_PROVE(a_term_or_index_beyond_the_range_is_a_violation_in_every_field, "5.1", "case_78");

/// Each message that carries a term, as a server that follows, asks, campaigns or leads would obey it.
constexpr void a_term_jump_is_a_violation(State const& a, Term far_term)
{
    auto const last = last_position(a);
    for (auto const& message :
         {from(S2, RequestVote{far_term, last}), from(S2, RequestVote{far_term, last, true}),
          from(S2, RequestVoteResponse{far_term, false}), from(S2, RequestPreVote{far_term, last, Round{1}}),
          from(S2, RequestPreVoteResponse{far_term, Round{1}, false}), from(S2, heartbeat_of(far_term, last)),
          from(S2, append_of(far_term, last, far_term, 1)),
          from(S2, AppendConfiguration{append_of(far_term, last, far_term, 1), cluster(3)}),
          from(S2, refused(far_term, Index{3}, last)), from(S2, accepted(far_term, Index{3}))})
        require_nothing_but(Decision::violation_term_jump, a, checked_step(a, message));
}

/// One frame of the last term to each server would end all elections: its term would be adopted and passed on.
constexpr auto a_term_that_elections_cannot_have_reached_is_a_violation_in_every_message = [] {
    for (auto const& a : a_server_of_each_role(log_of({{Term{1}, Index{1}, 3}})))
        for (auto const above : {term_jump_max + 1, number_max - a.current_term.value})
            a_term_jump_is_a_violation(a, Term{a.current_term.value + above});
    for (auto const far_term : {first_term_end, number_max})
        a_term_jump_is_a_violation(server(S1, Term{}, {}), Term{far_term});
};
TOTORA_PROVE(a_term_that_elections_cannot_have_reached_is_a_violation_in_every_message, "5.1", "case_78");

/// The same terms, one lower: they are adopted as any newer term is.
constexpr auto a_term_that_elections_can_have_reached_is_adopted = [] {
    for (auto const& [own, newer] : {std::pair{Term{7}, Term{7 + term_jump_max}},
                                     {Term{}, Term{first_term_end - 1}},
                                     {Term{number_max - 1}, Term{number_max}}}) {
        auto const a = server(S1, own, {});
        require(checked_step(a, from(S2, RequestVoteResponse{newer, false})).state.current_term == newer,
                "by a member");
        require(checked_step(a, from(S2, heartbeat_of(newer, {}))).state.current_term == newer, "by a follower");
    }
    auto const old = follower(S1, Term{number_max}, {});
    auto const refusal = checked_step(old, from(S2, heartbeat_of(Term{1}, {}))).outgoing;
    require(refusal.decisions == decisions_of({Decision::append_refused_stale_term}), "lower ones may be far away");
};
TOTORA_PROVE(a_term_that_elections_can_have_reached_is_adopted, "5.1", "case_78");

constexpr auto a_server_in_the_last_term_campaigns_no_more = [] {
    for (auto const pre_vote : {true, false}) {
        auto a = follower(S1, Term{number_max - 1}, {{Term{1}, Index{1}, 3}});
        a.settings.pre_vote = pre_vote;
        auto last = step(a, ring(a, Alarm::election));
        if (pre_vote)
            last = step(last.state, from(S2, RequestPreVoteResponse{Term{number_max - 1}, Round{1}, true}));
        require(is_candidate(last.state) and last.state.current_term == Term{number_max}, "1: the last term there is");

        auto const beyond = checked_step(last.state, ring(last.state, Alarm::election));
        require(beyond.state.current_term == Term{number_max}, "it does not wrap");
        require(beyond.outgoing.decisions == decisions_of({Decision::campaign_withheld_exhausted}), "by this name");
        require(beyond.outgoing.messages.empty() and beyond.outgoing.writes.empty(), "the others are not disturbed");
    }
};
TOTORA_PROVE(a_server_in_the_last_term_campaigns_no_more, "5.1", "case_78");

constexpr auto a_log_that_is_full_takes_no_more = [] {
    auto a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, number_max - 2}}));
    require(last_index(a) == Index{number_max - 1}, "room for one");

    auto const refusal = Answer{Refused{Refusal::log_exhausted, nobody}};
    for (auto const count : {std::uint64_t{2}, number_max, highest}) {
        auto const [after, outgoing] = checked_step(a, local(Proposed{count}));
        require(after == a and outgoing.answer == refusal, "2: more than there is room for is refused");
        require(outgoing.messages.empty() and outgoing.writes.empty(), "and nothing else happens");
    }
    a = checked_step(a, local(Proposed{1})).state;
    require(last_index(a) == Index{number_max}, "one fits");
    require(checked_step(a, local(Proposed{1})).outgoing.answer == refusal, "then it is full");
    a = checked_step(a, from(S2, accepted(Term{2}, Index{number_max}))).state;
    require(progress_of(a, S2).next == Index{number_max + 1}, "and a follower may have it all");
    a = checked_step(a, ring(a, Alarm::heartbeat)).state;

    auto const b = follower(S2, Term{2}, {{Term{1}, Index{1}, number_max}});
    require(checked_step(b, ring(b, Alarm::election)).outgoing.decisions ==
                decisions_of({Decision::campaign_withheld_exhausted}),
            "a server with a full log, which has no room for a no-op, does not campaign");
};
TOTORA_PROVE(a_log_that_is_full_takes_no_more, "5.3", "case_78");

constexpr auto next_never_falls_below_the_first_index = [] {
    auto const a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto const lowest = checked_step(a, from(S2, refused(Term{2}, Index{3}, {Term{0}, Index{1}}))).state;
    require(progress_of(lowest, S2).next == Index{2} and is_probing(lowest, S2), "3: with the first");
    auto const number = progress_of(lowest, S2).sent.value;

    auto const [after, outgoing] = checked_step(lowest, from(S2, refused(Term{2}, Index{0}, {}, number)));

    require(progress_of(after, S2).next == Index{2}, "there is nothing before it");
    for (auto const& append : sent<AppendEntries>(outgoing, S2))
        require(append.previous == LogPosition{} and append.entries.first == Index{1},
                "nor is anything sent from there");
};
TOTORA_PROVE(next_never_falls_below_the_first_index, "5.3", "case_78");

/// Case 85: leaders come and go, none commits, and the log takes a run of each.
constexpr void takes_a_run_of_each_term(std::uint64_t terms)
{
    auto b = follower(S2, Term{0}, {});
    for (auto term = std::uint64_t{1}; term <= terms; ++term) {
        auto const append = append_of(Term{term}, last_position(b), Term{term}, 1, {}, 1);
        auto const at_b = checked_step(b, from(ServerId{term % 2 == 0 ? 1U : 3U}, append));
        require(at_b.outgoing.messages.size() == 1 and noted(at_b.outgoing, Decision::append_accepted), "accepted");
        b = at_b.state;
    }
    require(b.log.starts().size() == terms, "a run for each term");
    b = leader(step(b, persisted(b)).state);
    require(is_leader(b) and b.log.starts().size() == terms + 1, "and it leads");
    b = checked_step(b, from(S1, accepted(b.current_term, Index{terms + 1}))).state;
    require(b.commit_index == Index{terms + 1}, "and commits all");
}

constexpr auto many_terms_are_no_reason_to_refuse_an_append_or_to_lead = [] { takes_a_run_of_each_term(60); };
TOTORA_PROVE(many_terms_are_no_reason_to_refuse_an_append_or_to_lead, "5.3", "case_85");

BOOST_AUTO_TEST_CASE(a_thousand_terms_are_no_reason_to_refuse_an_append_or_to_lead, TOTORA_LABELS("5.3", "case_85"))
{
    takes_a_run_of_each_term(1000);
}

} // namespace
} // namespace totora::test::limits_tests
