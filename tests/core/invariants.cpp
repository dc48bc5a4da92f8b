// SPDX-License-Identifier: BSL-1.0
#include "totora/core/rules/invariants.hpp"

#include "support/builders.hpp"
#include "support/prove.hpp"

#include <optional>
#include <string_view>

// Each invariant is there because a state can break it: a planted fault is found, and named by its condition.

namespace totora::test::invariants_tests
{
namespace
{

constexpr auto follower_of_term_3 = [] {
    auto state = follower(S1, Term{3}, {{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 2}});
    return step(state, from(S2, heartbeat_of(Term{3}, {Term{2}, Index{5}}, Index{4}))).state;
};

constexpr auto leader_of_term_3 = [] { return leader(follower(S1, Term{2}, {{Term{1}, Index{1}, 3}})); };

/// The violation found in a sane state after something was done to it.
template <typename Plant>
constexpr std::optional<std::string_view> found_in(State state, Plant plant)
{
    require(not find_broken_invariant(state), "it was sane before");
    plant(state);
    return find_broken_invariant(state);
}

constexpr auto a_broken_state_is_named_by_its_condition = [] {
    auto const sane = follower_of_term_3();
    require(found_in(sane, [](State& state) { state.current_term = Term{number_max + 1}; }) ==
                "terms are at most number_max",
            "term out of range");
    require(found_in(sane, [](State& state) { state.current_term = Term{1}; }) ==
                "no entry is of a later term than the current one",
            "an old term");
    require(found_in(sane,
                     [](State& state) {
                         state.log.append({Term{3}, Index{6}, number_max});
                     }) == "indexes are at most number_max",
            "index out of range");
    require(found_in(sane, [](State& state) { state.commit_index = Index{6}; }) == "what is committed is in the log",
            "a commit index beyond");
    require(found_in(sane, [](State& state) { state.writes.durable_index = Index{6}; }) ==
                "what is durable is in the log",
            "a durable index beyond");
    require(found_in(sane, [](State& state) { state.apply_index = Index{5}; }) ==
                "what is applied is committed, and durable here",
            "applied, not committed");
    require(found_in(sane, [](State& state) { state.writes.durable_index = Index{3}; }) ==
                "what is applied is committed, and durable here",
            "applied, not durable");
    require(found_in(sane, [](State& state) { state.writes.durable = WriteNumber{9}; }) ==
                "what is durable was written",
            "a write never made");
    require(found_in(sane, [](State& state) { state.writes.of_term = WriteNumber{9}; }) ==
                "what is durable was written",
            "a term write never made");
    require(found_in(sane, [](State& state) { state.configurations.in_force.index = Index{6}; }) ==
                "the configuration in force is in the log",
            "a configuration beyond");
    require(found_in(sane, [](State& state) { state.configurations.previous.index = Index{1}; }) ==
                "the configuration in force is in the log",
            "the one before is after it");
};
TOTORA_PROVE(a_broken_state_is_named_by_its_condition, "Figure 3");

constexpr auto broken_writes_and_logs_are_named_by_their_condition = [] {
    auto waiting = follower_of_term_3();
    waiting = step(waiting, from(S2, append_of(Term{3}, {Term{2}, Index{5}}, Term{3}, 1))).state;
    waiting = step(waiting, from(S2, append_of(Term{3}, {Term{3}, Index{6}}, Term{3}, 1))).state;
    auto const order =
        std::optional<std::string_view>{"pending appends are in order, above what is durable, and in the log"};
    require(found_in(waiting, [](State& state) { std::swap(state.writes.pending[0], state.writes.pending[1]); }) ==
                order,
            "in another order");
    require(found_in(waiting, [](State& state) { state.writes.durable = state.writes.last; }) == order,
            "durable and pending");
    require(found_in(waiting, [](State& state) { state.writes.pending[0].last = Index{9}; }) == order,
            "longer than the log");
    require(found_in(waiting, [](State& state) { state.writes.pending[0].last = state.writes.durable_index; }) == order,
            "durable already");
    require(found_in(waiting, [](State& state) { state.writes.pending.pop_back(); }) ==
                "what is not durable is being written",
            "an entry that no write brings to the disk");

    auto const terms = std::optional<std::string_view>{"terms go up along the log"};
    auto const with_log = [&](std::initializer_list<TermStart> starts, Index last) {
        return found_in(follower_of_term_3(), [&](State& state) {
            state.log = TermRuns{LogPosition{Term{2}, Index{4}}};
            state.writes.durable_index = last;
            for (auto const& start : starts)
                state.log.append({start.term, start.first, 1 + last.value - start.first.value});
        });
    };
    require(with_log({{Index{5}, Term{3}}, {Index{6}, Term{2}}}, Index{6}) == terms, "terms that fall");
    require(with_log({{Index{5}, Term{1}}}, Index{6}) == terms, "a term below the base's");
    require(with_log({{Index{4}, Term{3}}}, Index{6}) == terms, "a run that begins at the base");
    require(with_log({{Index{6}, Term{2}}, {Index{5}, Term{3}}}, Index{6}) == terms, "indexes that fall");
    require(not with_log({{Index{5}, Term{2}}, {Index{6}, Term{3}}}, Index{6}), "the term of the base may go on");
};
TOTORA_PROVE(broken_writes_and_logs_are_named_by_their_condition, "Figure 3");

constexpr auto broken_roles_are_named_by_their_condition = [] {
    auto const sane = leader_of_term_3();
    auto const with_progress = [&](auto plant) {
        return found_in(sane, [&](State& state) { plant(*find_progress(state, S2)); });
    };
    auto const with_leader = [&](auto plant) {
        return found_in(sane, [&](State& state) { plant(*std::get_if<Leader>(&state.role)); });
    };
    require(found_in(sane, [](State& state) { state.voted_for = std::optional<ServerId>{S2}; }) ==
                "a leader voted for itself",
            "somebody else's vote");
    require(with_leader([](Leader& role) { role.reads.confirmed = Round{1}; }) == "a confirmed round has begun",
            "round 1");
    require(with_progress([](Progress& known) { known.match = known.next; }) ==
                "what matches lies below what is sent next",
            "match = next");
    require(with_progress([](Progress& known) { known.next = Index{6}; }) ==
                "what is sent next lies at most one after the end of the log",
            "a gap");
    require(with_progress([](Progress& known) { known.round = Round{1}; }) == "an answered round has begun", "round 1");
    require(with_progress([](Progress& known) { known.server = S1; }) == "a leader does not follow itself", "itself");
    require(with_progress([](Progress& known) { known.server = nobody; }) == "a leader does not follow itself",
            "nobody");

    auto const follower = follower_of_term_3();
    require(found_in(candidate(follower), [](State& state) { state.voted_for = std::optional<ServerId>{}; }) ==
                "a candidate voted for itself",
            "no vote");
    require(found_in(step(follower, ring(follower, Alarm::election)).state,
                     [](State& state) { state.pre_vote_round = Round{7}; }) ==
                "a pre-candidate asks in its newest round",
            "another round");
};
TOTORA_PROVE(broken_roles_are_named_by_their_condition, "Figure 3", "Figure 4");

/// The violation found in a step that ends in a sane state to which something was done.
template <typename Plant>
constexpr std::optional<std::string_view> found_after(State const& earlier, Plant plant)
{
    auto later = earlier;
    require(not find_broken_invariant(earlier, later), "nothing happened, and nothing was broken");
    plant(later);
    return find_broken_invariant(earlier, later);
}

constexpr auto a_broken_step_is_named_by_its_condition = [] {
    auto sane = follower_of_term_3();
    sane.voted_for = std::optional<ServerId>{S2};
    require(found_after(sane, [](State& state) { state.current_term = Term{2}; }) == "terms never go back", "term 2");
    require(found_after(sane, [](State& state) { state.voted_for = std::optional<ServerId>{S3}; }) ==
                "a vote is given once in a term",
            "another vote");
    require(found_after(sane, [](State& state) { state.voted_for = std::optional<ServerId>{}; }) ==
                "a vote is given once in a term",
            "a vote taken back");
    require(not found_after(sane,
                            [](State& state) {
                                state.current_term = Term{4};
                                state.voted_for = std::optional<ServerId>{S3};
                            }),
            "a later term has another vote");
    require(found_after(sane, [](State& state) { state.commit_index = Index{3}; }) ==
                "what is committed stays committed",
            "commit 3");
    require(found_after(sane, [](State& state) { state.apply_index = Index{3}; }) == "what is applied stays applied",
            "applied 3");
    auto written = step(sane, from(S2, append_of(Term{3}, {Term{2}, Index{5}}, Term{3}, 1))).state;
    written = step(written, persisted(written)).state;
    require(found_after(written, [](State& state) { state.writes.last = WriteNumber{0}; }) == "writes never go back",
            "forgotten");
    require(found_after(written, [](State& state) { state.writes.durable = WriteNumber{0}; }) == "writes never go back",
            "lost");
    require(found_after(sane,
                        [](State& state) {
                            state.log = log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 3}});
                        }) == "committed entries never change",
            "3/2 for 3/1");
    require(found_after(sane, [](State& state) { state.log.truncate(Index{4}); }) == "committed entries never change",
            "4 is gone");
    require(not found_after(sane, [](State& state) { state.log.truncate(Index{5}); }), "5 was not committed");
    require(found_after(leader_of_term_3(), [](State& state) { state.log.truncate(Index{4}); }) ==
                "a leader only appends to its log",
            "a leader's entry is gone");
    require(found_after(sane, [](State& state) { state.settings.sticky = false; }) == "a server stays who it is",
            "settings");
    require(found_after(sane, [](State& state) { state.own.id = S2; }) == "a server stays who it is", "its id");
};
TOTORA_PROVE(a_broken_step_is_named_by_its_condition, "Figure 3");

/// A server that fail-stops at run time reports only that, whatever it was about to send.
BOOST_AUTO_TEST_CASE(a_server_that_finds_an_invariant_broken_reports_only_that, TOTORA_LABELS("Figure 3"))
{
    auto state = candidate(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    state.voted_for = std::optional<ServerId>{S3}; // Planted: a candidate that voted for another.

    auto const [broken, outgoing] = step(state, from(S2, RequestVoteResponse{Term{2}, true}));

    BOOST_TEST(static_cast<bool>(broken.fault));
    BOOST_TEST(broken.fault.condition == "state.voted_for == state.own.id");
    auto only_failed = Outgoing{};
    only_failed.failed = broken.fault;
    BOOST_TEST((outgoing == only_failed));
    auto const [after, later] = step(broken, from(S2, RequestVote{Term{9}, {Term{1}, Index{9}}}));
    BOOST_TEST((after == broken and later == only_failed));
}

} // namespace
} // namespace totora::test::invariants_tests
