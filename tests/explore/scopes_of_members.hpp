// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/explore/replica.hpp"
#include "totora/testing/explore/scope.hpp"

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace totora::test
{

/// Members that can be asked for.
[[nodiscard]] inline Members members_of(std::initializer_list<std::uint64_t> voters)
{
    auto members = Members{};
    for (auto const id : voters)
        members.push_back({ServerId{id}, Incarnation{1}, MemberKind::voter});
    return members;
}

/// A scope in which the members change to one of these sets: entry by entry, and forced, so that states which differ in what one append
/// holds, or in who answered lately, are one.
[[nodiscard]] inline explore::Scope changing(explore::Scope scope, std::vector<Members> targets)
{
    scope.duplicates = 0;
    scope.entries_per_append = 1;
    scope.forced = true;
    scope.targets = std::move(targets);
    return scope;
}

/// The scopes in which one set of voters takes the place of another by way of a joint configuration.
[[nodiscard]] inline std::vector<explore::Scope> joint_scopes()
{
    auto const one_of_two = std::vector{members_of({1, 3}), members_of({2, 3})};
    auto const back_and_forth = std::vector{members_of({1, 3}), members_of({2, 3}), members_of({1, 2})};
    auto const all_but_one = std::vector{members_of({1})};
    auto const one_of_three = std::vector{members_of({1, 2, 4})};
    auto const both = std::vector{members_of({3, 4})};
    return {
        changing({.name = "a-joint-change", .voters = 2, .elections = 2, .changes = 1}, one_of_two),
        changing({.name = "a-joint-change-that-may-be-cancelled-and-a-crash",
                  .voters = 2,
                  .elections = 2,
                  .crashes = 1,
                  .changes = 1,
                  .cancels = 1},
                 one_of_two),
        changing({.name = "a-joint-change-and-three-elections", .voters = 2, .elections = 3, .changes = 1}, one_of_two),
        changing({.name = "two-joint-changes", .voters = 2, .elections = 2, .changes = 2}, back_and_forth),
        changing({.name = "a-joint-removal", .elections = 2, .changes = 1}, all_but_one),
        changing({.name = "a-joint-removal-that-may-be-cancelled", .elections = 2, .changes = 1, .cancels = 1},
                 all_but_one),
        changing({.name = "a-joint-change-of-both", .servers = 4, .voters = 2, .elections = 2, .changes = 1}, both),
        changing({.name = "a-joint-change-of-both-and-a-crash",
                  .servers = 4,
                  .voters = 2,
                  .elections = 2,
                  .crashes = 1,
                  .changes = 1},
                 both),
        changing({.name = "a-joint-change-of-one-of-three", .servers = 4, .voters = 3, .elections = 1, .changes = 1},
                 one_of_three),
        changing({.name = "a-joint-change-of-one-of-three-and-a-crash",
                  .servers = 4,
                  .voters = 3,
                  .elections = 2,
                  .crashes = 1,
                  .changes = 1},
                 one_of_three),
    };
}

/// The scopes in which a leader changes the members as its term begins (the erratum of 2015 to dissertation §4.1).
[[nodiscard]] inline std::vector<explore::Scope> removal_scopes()
{
    auto const one_of_four = std::vector{members_of({1, 3, 4}), members_of({2, 3, 4})};
    auto const at_speed = [](explore::Scope scope) {
        scope.eager_writes = true;
        scope.entries_per_append = explore::Scope{}.entries_per_append;
        return scope;
    };
    return {
        changing(
            {.name = "removals-at-the-start-of-a-term", .servers = 4, .candidates = 2, .elections = 3, .changes = 2},
            one_of_four),
        at_speed(changing({.name = "hunt-removals-at-the-start-of-a-term",
                           .servers = 4,
                           .candidates = 2,
                           .elections = 3,
                           .changes = 2},
                          one_of_four)),
    };
}

/// The same with all that is on by default.
[[nodiscard]] inline explore::Scope as_it_runs(explore::Scope scope)
{
    scope.pre_vote = scope.sticky = scope.check_quorum = true;
    scope.forced = false;
    return scope;
}

/// The other scopes in which the members change.
[[nodiscard]] inline std::vector<explore::Scope> membership_scopes()
{
    auto const either = std::vector{members_of({1}), members_of({2})};
    auto const out_and_in = std::vector{members_of({1}), members_of({1, 2})};
    auto const one_more = std::vector{members_of({1, 2, 3})};
    auto const one_less = std::vector{members_of({1, 2})};
    return {
        changing(
            {.name = "two-servers-of-which-one-is-removed", .servers = 2, .elections = 2, .crashes = 1, .changes = 1},
            either),
        changing({.name = "two-servers-of-which-one-is-removed-and-let-in-again",
                  .servers = 2,
                  .elections = 3,
                  .crashes = 2,
                  .changes = 2,
                  .cancels = 1},
                 out_and_in),
        changing({.name = "one-of-three-is-removed", .elections = 2, .changes = 1}, one_less),
        changing({.name = "one-of-three-is-removed-and-a-crash", .elections = 2, .crashes = 1, .changes = 1}, one_less),
        changing({.name = "a-newcomer-is-promoted", .voters = 2, .elections = 2, .changes = 1, .catch_ups = 1},
                 one_more),
        changing(
            {.name = "a-newcomer-is-promoted-and-a-crash", .voters = 2, .elections = 2, .crashes = 1, .changes = 1},
            one_more),
        as_it_runs(changing({.name = "features-a-removal", .elections = 2, .changes = 1}, one_less)),
    };
}

/// The scopes in which the members change and logs are compacted: a snapshot brings the configuration in force at its last entry (cases 26
/// and 31).
[[nodiscard]] inline std::vector<explore::Scope> member_snapshot_scopes()
{
    auto const one_more = std::vector{members_of({1, 2, 3})};
    auto const one_less = std::vector{members_of({1, 2})};
    auto const one_of_two = std::vector{members_of({1, 3}), members_of({2, 3})};
    return {
        changing({.name = "a-newcomer-gets-a-snapshot", .voters = 2, .elections = 1, .snapshots = 1, .changes = 1},
                 one_more),
        changing({.name = "a-newcomer-gets-a-snapshot-and-two-elections",
                  .voters = 2,
                  .elections = 2,
                  .snapshots = 1,
                  .changes = 1},
                 one_more),
        changing({.name = "a-newcomer-gets-a-snapshot-and-a-crash",
                  .voters = 2,
                  .elections = 1,
                  .crashes = 1,
                  .snapshots = 1,
                  .changes = 1},
                 one_more),
        changing(
            {.name = "a-newcomer-gets-one-of-two-snapshots", .voters = 2, .elections = 1, .snapshots = 2, .changes = 1},
            one_more),
        changing({.name = "a-removal-and-a-snapshot", .elections = 2, .snapshots = 1, .changes = 1}, one_less),
        changing({.name = "a-joint-removal-and-a-snapshot", .elections = 2, .snapshots = 1, .changes = 1},
                 std::vector{members_of({1})}),
        changing({.name = "a-joint-change-and-a-snapshot", .voters = 2, .elections = 2, .snapshots = 1, .changes = 1},
                 one_of_two),
        changing({.name = "a-joint-change-a-snapshot-and-a-crash",
                  .voters = 2,
                  .elections = 1,
                  .crashes = 1,
                  .snapshots = 1,
                  .changes = 1},
                 one_of_two),
    };
}

/// The scopes in which the last server loses its disk and begins again as another life (case 86); it may be removed, and let in again.
[[nodiscard]] inline std::vector<explore::Scope> wipe_scopes()
{
    auto again = members_of({1, 2, 3});
    again.back().incarnation = explore::incarnation_after(again.back().incarnation);
    auto const out_and_in = std::vector{members_of({1, 2}), again};
    auto const begun = [](explore::Scope scope) {
        scope.members_in_log = true;
        return scope;
    };
    return {
        begun(changing({.name = "a-disk-is-lost", .candidates = 2, .elections = 2, .wipes = 1}, {})),
        begun(
            changing({.name = "a-disk-is-lost-and-three-elections", .candidates = 2, .elections = 3, .wipes = 1}, {})),
        changing({.name = "a-wiped-server-is-let-in-again", .elections = 1, .changes = 2, .wipes = 1}, out_and_in),
        changing({.name = "a-wiped-server-is-let-in-again-and-a-proposal",
                  .elections = 1,
                  .proposals = 1,
                  .changes = 2,
                  .wipes = 1},
                 out_and_in),
        changing({.name = "a-wiped-server-is-let-in-again-and-two-elections", .elections = 2, .changes = 2, .wipes = 1},
                 out_and_in),
        changing({.name = "a-wiped-server-is-let-in-again-and-a-crash",
                  .elections = 1,
                  .crashes = 1,
                  .changes = 2,
                  .wipes = 1},
                 out_and_in),
    };
}

} // namespace totora::test
