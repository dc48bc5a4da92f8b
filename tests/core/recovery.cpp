// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

#include <range/v3/view/cartesian_product.hpp>
#include <range/v3/view/iota.hpp>

#include <cstdint>

// How a server starts, and why none can.

namespace totora::test::recovery_tests
{
namespace
{

constexpr auto me = Member{S2, Incarnation{1}, MemberKind::voter};

/// Term 4, voted for S3, 1/1 to 5/1 and 6/3, commit 3, applied 2.
constexpr auto what_survived = [] {
    return RecoveredState{.current_term = Term{4},
                          .voted_for = S3,
                          .log = log_of({{Term{1}, Index{1}, 5}, {Term{3}, Index{6}, 1}}),
                          .configuration = cluster(3),
                          .previous_configuration = cluster(3),
                          .commit_index = Index{3},
                          .applied_index = Index{2}};
};

constexpr auto a_server_starts_as_a_follower_with_what_survived = [] {
    auto const recovered = recover(Settings{}, me, what_survived());
    require(recovered.has_value(), "it starts");
    auto const& state = *recovered;
    require(is_follower(state) and known_leader(state) == nobody, "as a follower of nobody");
    require(state.current_term == Term{4} and state.voted_for == S3, "with its term and its vote");
    require(last_position(state) == LogPosition{Term{3}, Index{6}} and state.writes.durable_index == Index{6},
            "and its log");
    require(state.commit_index == Index{3} and state.apply_index == Index{2}, "knowing what it knew");
    require(not find_broken_invariant(state), "and sane");

    auto const [started, outgoing] = checked_step(state, local(Started{}));
    require(outgoing.apply_through == Index{3}, "what is committed and not applied is applied, once each");
    require(outgoing.messages.empty() and outgoing.writes.empty(), "nothing leaves");
    require(arms(outgoing, Alarm::election) and arms(outgoing, Alarm::leader_silent), "it waits for a leader");
    require(started.leader_recently_active, "as if it had just received from one");
};
TOTORA_PROVE(a_server_starts_as_a_follower_with_what_survived, "Figure 2", "case_75");

/// An applied index above the saved commit index is no error: what was applied was committed.
constexpr auto what_was_applied_was_committed = [] {
    auto survived = what_survived();
    survived.applied_index = Index{5};
    auto const state = *recover(Settings{}, me, survived);
    require(state.commit_index == Index{5} and state.apply_index == Index{5}, "the commit index is raised to it");
    require(not checked_step(state, local(Started{})).outgoing.apply_through, "and nothing is applied again");
};
TOTORA_PROVE(what_was_applied_was_committed, "5.3", "case_75");

constexpr auto an_empty_directory_starts_and_waits = [] {
    auto       survived = RecoveredState{};
    auto const state = *recover(Settings{}, me, survived);
    require(not is_admitted(state) and not is_electable(state), "nobody has named it");
    require(not find_broken_invariant(state), "and that is no error");
};
TOTORA_PROVE(an_empty_directory_starts_and_waits, "dissertation 4.1", "case_86");

/// The reason why no server starts after something was done to what survived.
template <typename Damage>
constexpr RecoveryError error_after(Damage damage)
{
    auto survived = what_survived();
    auto settings = Settings{};
    damage(survived, settings);
    auto const recovered = recover(settings, me, survived);
    require(not recovered.has_value(), "no server starts");
    return recovered.error();
}

constexpr auto nothing_starts_from_what_contradicts_itself = [] {
    using enum RecoveryError;
    require(error_after([](RecoveredState& survived, Settings&) { survived.current_term = Term{2}; }) ==
                log_newer_than_term,
            "a log of a later term than was ever saved");
    require(error_after([](RecoveredState& survived, Settings&) { survived.commit_index = Index{7}; }) ==
                commit_beyond_log,
            "a commit index beyond the log's end: it lost what it had acknowledged");
    require(error_after([](RecoveredState& survived, Settings&) { survived.applied_index = Index{7}; }) ==
                applied_beyond_log,
            "a state machine ahead of its log");
    require(error_after([](RecoveredState& survived, Settings&) { survived.current_term = Term{number_max + 1}; }) ==
                number_out_of_range,
            "a term out of range");
    require(error_after([](RecoveredState& survived, Settings&) {
                survived.log = log_of({{Term{1}, Index{1}, number_max + 1}});
            }) == number_out_of_range,
            "a log out of range");
};
TOTORA_PROVE(nothing_starts_from_what_contradicts_itself, "Figure 2", "case_68");

/// Every combination of small numbers; the entries are of term 2. At run time, because no view of range-v3 works in a proof.
BOOST_AUTO_TEST_CASE(a_server_that_starts_breaks_no_invariant_whatever_its_log_recovered,
                     TOTORA_LABELS("Figure 2", "case_68"))
{
    auto const numbers = ranges::views::iota(std::uint64_t{0}, std::uint64_t{4});
    for (auto const [term, last, commit, applied, in_force, previous] :
         ranges::views::cartesian_product(numbers, numbers, numbers, numbers, numbers, numbers)) {
        auto survived = what_survived();
        survived.current_term = Term{term};
        survived.log = log_of({{Term{2}, Index{1}, last}});
        survived.commit_index = Index{commit};
        survived.applied_index = Index{applied};
        survived.configuration.index = Index{in_force};
        survived.previous_configuration.index = Index{previous};

        auto const recovered = recover(Settings{}, me, survived);

        auto const is_refused =
            (last > 0 and term < 2) or commit > last or applied > last or in_force > last or previous > in_force;
        BOOST_REQUIRE_EQUAL(recovered.has_value(), not is_refused);
        if (recovered)
            BOOST_REQUIRE_EQUAL(find_broken_invariant(*recovered).value_or(""), "");
    }
}

constexpr auto nothing_starts_with_a_configuration_that_no_log_may_hold = [] {
    using enum RecoveryError;
    auto const without_voters = [] {
        auto configuration = cluster(1);
        configuration.members[0].kind = MemberKind::learner;
        return configuration;
    };
    require(error_after([&](RecoveredState& survived, Settings&) { survived.configuration = without_voters(); }) ==
                configuration_unsound,
            "nobody votes in it");
    require(error_after([&](RecoveredState& survived, Settings&) {
                survived.previous_configuration = without_voters();
            }) == configuration_unsound,
            "or in the one before");
    require(error_after([](RecoveredState& survived, Settings&) { survived.configuration.index = Index{7}; }) ==
                configuration_unsound,
            "it is not in the log");
    require(error_after([](RecoveredState& survived, Settings&) {
                survived.previous_configuration.index = Index{1};
            }) == configuration_unsound,
            "the one before comes after it");
};
TOTORA_PROVE(nothing_starts_with_a_configuration_that_no_log_may_hold, "6", "case_44");

constexpr auto nothing_starts_with_settings_that_contradict_each_other = [] {
    using enum RecoveryError;
    require(error_after([](RecoveredState&, Settings& settings) { settings.heartbeat_ms = 0; }) == settings_unsound,
            "no heartbeat");
    require(error_after([](RecoveredState&, Settings& settings) { settings.heartbeat_ms = 150; }) == settings_unsound,
            "a heartbeat that may be missed once");
    require(error_after([](RecoveredState&, Settings& settings) {
                settings.election = {600, 300};
            }) == settings_unsound,
            "a minimum above the maximum");
    require(error_after([](RecoveredState&, Settings& settings) { settings.election.at_most_ms = number_max + 1; }) ==
                settings_unsound,
            "an endless timeout");
    require(error_after([](RecoveredState&, Settings& settings) { settings.append_entries_max = 0; }) ==
                settings_unsound,
            "empty appends");
    require(error_after([](RecoveredState&, Settings& settings) { settings.window = 0; }) == settings_unsound,
            "no window");
    require(is_sound(Settings{}), "the defaults make sense");
    auto const with = [](bool sticky, bool check_quorum) {
        return error_after([&](RecoveredState& survived, Settings& settings) {
            settings.sticky = sticky;
            settings.check_quorum = check_quorum;
            survived.current_term = Term{2}; // Something to refuse for, also if the settings are sound.
        });
    };
    require(with(true, false) == sticky_unchecked, "a leader that is cut off would never give up");
    require(with(true, true) != sticky_unchecked and with(false, false) != sticky_unchecked and
                with(false, true) != sticky_unchecked,
            "either of them is off, or both are on");
    auto tight = Settings{};
    tight.election = {101, 101};
    require(is_sound(tight), "twice the heartbeat is less than the minimum");
    tight.election = {100, 100};
    require(not is_sound(tight), "and not equal to it");
};
TOTORA_PROVE(nothing_starts_with_settings_that_contradict_each_other, "5.6");

/// The newest configuration may yet be truncated, also after a start.
constexpr auto the_configuration_to_go_back_to_survives_a_start = [] {
    auto newest = cluster(5);
    newest.index = Index{3};

    auto const state = recover(Settings{}, Member{S2, Incarnation{1}, MemberKind::voter},
                               {.current_term = Term{2},
                                .voted_for = std::nullopt,
                                .log = log_of({{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 1}}),
                                .configuration = newest,
                                .previous_configuration = cluster(3),
                                .commit_index = Index{2},
                                .applied_index = Index{2}});

    require(state.has_value() and state->configurations == Configurations{newest, cluster(3)}, "both are there");
    auto const cut = checked_step(*state, from(S3, append_of(Term{3}, {Term{1}, Index{2}}, Term{3}, 1))).state;
    require(cut.configurations.in_force == cluster(3), "and the one before is in force when the newest is cut");
};
TOTORA_PROVE(the_configuration_to_go_back_to_survives_a_start, "6");

} // namespace
} // namespace totora::test::recovery_tests
