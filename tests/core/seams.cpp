// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

// What is asserted where one part of the core relies on another, in every build: each assertion fails on a state that was planted.
// In a proof none would compile, so that all of it runs.

namespace totora::test::seams_tests
{
namespace
{

/// Which condition a step finds broken; empty if none.
std::string_view fault_of(State const& state, Message const& message)
{
    return step(state, message).state.fault.condition;
}

/// A follower of term 3 with 1/1 to 3/1, and 4/3 and 5/3 on their way to the disk.
State writing_follower()
{
    return step(follower(S1, Term{3}, {{Term{1}, Index{1}, 3}}),
                from(S2, append_of(Term{3}, {Term{1}, Index{3}}, Term{3}, 2)))
        .state;
}

/// An append of 6/3 with a configuration in it.
Message with_configuration()
{
    auto append = AppendConfiguration{append_of(Term{3}, {Term{3}, Index{5}}, Term{3}, 1), cluster(5)};
    append.configuration.index = Index{6};
    return from(S2, append);
}

BOOST_AUTO_TEST_CASE(a_durable_notice_makes_nothing_durable_that_is_not_in_the_log, TOTORA_LABELS("Figure 2"))
{
    auto const sane = writing_follower();
    BOOST_TEST(fault_of(sane, persisted(sane)) == "");

    auto longer = sane;
    longer.writes.pending.back().last = Index{6};
    BOOST_TEST(fault_of(longer, persisted(longer)) == "state.writes.durable_index <= last_index(state)");

    auto outgoing = Outgoing{};
    auto unwritten = sane;
    on_persisted(unwritten, outgoing, next(sane.writes.last));
    BOOST_TEST(unwritten.fault.condition == "state.writes.durable <= state.writes.last");
}

BOOST_AUTO_TEST_CASE(nothing_is_applied_that_is_not_in_the_log, TOTORA_LABELS("Figure 2"))
{
    auto ahead = writing_follower();
    ahead.commit_index = ahead.writes.durable_index = Index{9};
    BOOST_TEST(fault_of(ahead, from(S2, heartbeat_of(Term{3}, {Term{3}, Index{5}}))) == "through <= last_index(state)");
}

BOOST_AUTO_TEST_CASE(a_configuration_comes_into_force_after_the_one_before, TOTORA_LABELS("6"))
{
    auto const sane = writing_follower();
    BOOST_TEST(fault_of(sane, with_configuration()) == "");

    auto later = sane;
    later.configurations.in_force.index = Index{6};
    BOOST_TEST(fault_of(later, with_configuration()) ==
               "configuration->index > follower.configurations.in_force.index");
    auto       outgoing = Outgoing{};
    auto const append = append_of(Term{3}, {Term{3}, Index{5}}, Term{3}, 1);
    auto       beyond = sane;
    auto       configuration = cluster(5);
    configuration.index = Index{7};
    accept_append(beyond, outgoing, S2, append, &configuration);
    BOOST_TEST(beyond.fault.condition == "configuration->index <= last_index(follower)");
}

BOOST_AUTO_TEST_CASE(no_configuration_in_force_is_truncated, TOTORA_LABELS("6"))
{
    auto const sane = step(writing_follower(), with_configuration()).state;
    auto       outgoing = Outgoing{};
    auto       cut = sane;
    truncate(cut, outgoing, Index{6});
    BOOST_TEST(cut.fault.condition == "");

    auto both = sane;
    both.configurations.previous.index = Index{5};
    truncate(both, outgoing, Index{5});
    BOOST_TEST(both.fault.condition == "state.configurations.in_force.index < first");
}

BOOST_AUTO_TEST_CASE(a_progress_is_sane_before_and_after_it_moves, TOTORA_LABELS("5.3"))
{
    auto const sane = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto const broken_by = [&](auto plant, Message const& message) {
        auto state = sane;
        plant(*find_progress(state, S2));
        return fault_of(state, message);
    };
    auto const moves = {from(S2, accepted(Term{2}, Index{4})), local(LinkChanged{S2, Link::open}),
                        local(AppendsCut{S2, Index{4}}), local(AppendsResumed{S2})};
    for (auto const& message : moves) {
        BOOST_TEST(broken_by([](Progress&) {}, message) == "");
        BOOST_TEST(broken_by([](Progress& progress) { progress.next = Index{9}; }, message) ==
                   "progress.next <= next(last_index(state))");
    }
    BOOST_TEST(broken_by([](Progress& progress) { progress.first = progress.match; }, *moves.begin()) ==
               "progress.match < progress.first");
    BOOST_TEST(broken_by([](Progress& progress) { progress.first = next(progress.next); }, *moves.begin()) ==
               "progress.first <= progress.next");
}

} // namespace
} // namespace totora::test::seams_tests
