// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/progress.hpp"

#include "support/prove.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

// The machine of a follower's progress alone: each arrow of its drawing. When the rules take which is in progress.cpp.

namespace totora::test
{
namespace
{

constexpr auto is_probe = [](Progress const& progress) { return std::holds_alternative<Probe>(progress.mode); };

constexpr auto entries = [](std::uint64_t first, std::uint64_t count) { return Run{Term{2}, Index{first}, count}; };

/// The leader's log ends at 9, its no-op, which the first append carries.
constexpr auto begun = [] {
    auto progress = Progress{};
    progress.begin(ServerId{2}, Index{9});
    return progress;
};

/// The follower has 8, and 9 to 11 are on their way in appends 1 and 2.
constexpr auto flowing = [] {
    auto progress = begun();
    (void)progress.on_sent(entries(9, 1));
    progress.accepted(Index{8}, true);
    (void)progress.on_sent(entries(10, 2));
    return progress;
};

constexpr auto a_leader_begins_with_a_search_at_the_end_of_its_log = [] {
    auto progress = begun();
    require(is_probe(progress) and progress.next == Index{9} and in_flight(progress) == 0, "nothing is sent");
    require(may_send_append(progress, 1), "one append may be");
    require(progress.on_sent(entries(9, 1)) == AppendNumber{1}, "it is numbered");
    require(not may_send_append(progress, 100), "no second one before it is answered");
    require(progress.next == Index{10} and in_flight(progress) == 1, "its entry is on the way");
};
TOTORA_PROVE(a_leader_begins_with_a_search_at_the_end_of_its_log, "Figure 2", "5.3");

constexpr auto an_accepted_append_ends_the_search_if_it_is_current = [] {
    auto progress = begun();
    (void)progress.on_sent(entries(9, 1));
    progress.accepted(Index{5}, false);
    require(is_probe(progress) and progress.match == Index{5}, "the answer to a heartbeat only matches");
    progress.accepted(Index{8}, true);
    require(not is_probe(progress) and progress.match == Index{8} and progress.next == Index{10},
            "the flow goes on after what was sent");
    require(may_send_append(progress, 2) and not may_send_append(progress, 1), "within the window");
};
TOTORA_PROVE(an_accepted_append_ends_the_search_if_it_is_current, "5.3");

constexpr auto a_rejected_append_moves_the_search_down = [] {
    auto progress = flowing();
    require(is_outstanding(progress, Index{9}, AppendNumber{2}), "the append that follows 9 can be rejected");
    require(not is_outstanding(progress, Index{8}, AppendNumber{2}), "what matches cannot");
    require(not is_outstanding(progress, Index{9}, AppendNumber{1}), "nor is an append of the search outstanding");

    progress.rejected(Index{9}, Index{9});
    require(is_probe(progress) and progress.next == Index{9}, "9 goes again, also if both logs seem to hold it");
    progress.rejected(Index{8}, Index{3});
    require(progress.next == Index{9} and progress.match == Index{8}, "nothing that matches goes again");
    auto searching = begun();
    searching.rejected(Index{8}, Index{3});
    require(searching.next == Index{4} and searching.first == Index{4}, "the search goes on after what may agree");
};
TOTORA_PROVE(a_rejected_append_moves_the_search_down, "5.3", "case_12");

constexpr auto a_follower_without_room_is_sent_what_it_lacks_once_it_has_room = [] {
    auto progress = flowing();
    require(progress.on_room(true) and not progress.on_room(true), "that it has none is news once");
    progress.rejected_for_room(Index{9});
    require(is_probe(progress) and progress.next == Index{10}, "it stored 9 and no more");
    require(not may_send_append(progress, 100), "nothing goes to it");
    require(progress.on_room(false) and may_send_append(progress, 100), "until it has room");
    progress.rejected_for_room(Index{30});
    require(progress.next == Index{10}, "what was never sent is not skipped");
};
TOTORA_PROVE(a_follower_without_room_is_sent_what_it_lacks_once_it_has_room, "5.3", "case_90");

constexpr auto a_link_that_changes_asks_about_what_was_in_flight = [] {
    auto progress = flowing();
    progress.link_filled();
    require(not may_send_append(progress, 100) and not is_probe(progress), "a full queue takes nothing");
    progress.link_reset();
    require(is_probe(progress) and progress.next == Index{12}, "it asks where it was sending");
    require(std::get_if<Probe>(&progress.mode)->only_asks, "with no entry: what was sent may have arrived");

    auto idle = flowing();
    idle.accepted(Index{11}, true);
    idle.link_reset();
    require(not is_probe(idle), "nothing on the way, nothing lost");
};
TOTORA_PROVE(a_link_that_changes_asks_about_what_was_in_flight, "5.3", "case_88");

constexpr auto next_moves_back_to_what_the_shell_has_sent = [] {
    auto progress = flowing();
    progress.cut_after(Index{10});
    require(progress.next == Index{11} and in_flight(progress) == 2, "11 was not sent");
    require(not may_send_append(progress, 100), "and nothing is");
    progress.cut_after(Index{40});
    require(progress.next == Index{11}, "a cut never moves it up");
    progress.resume();
    require(may_send_append(progress, 100), "until the shell can send again");

    auto searching = begun();
    (void)searching.on_sent(entries(9, 1));
    searching.cut_after(Index{8});
    searching.resume();
    require(searching.next == Index{9} and may_send_append(searching, 100),
            "a search that was not sent is not awaited");
};
TOTORA_PROVE(next_moves_back_to_what_the_shell_has_sent, "5.3", "case_89");

constexpr auto what_was_answered_is_remembered_until_it_is_asked_for = [] {
    auto progress = flowing();
    progress.on_response(Round{3}, false);
    require(progress.recently_active and not progress.moving and not progress.take_acknowledged(),
            "any answer counts for the quorum check, a current one for the flow");
    progress.on_response(Round{2}, true);
    require(progress.round == Round{3} and progress.moving, "rounds never go back");
    require(progress.take_acknowledged() and not progress.take_acknowledged(), "asked once in a heartbeat");
    progress.forget_activity();
    require(not progress.recently_active and not progress.moving, "asked once in a quorum check");
    progress.moved();
    require(progress.moving and not progress.recently_active, "bytes taken are no answer");
};
TOTORA_PROVE(what_was_answered_is_remembered_until_it_is_asked_for, "dissertation 6.2", "case_54", "case_94");

constexpr auto each_broken_invariant_of_a_progress_is_named = [] {
    auto const found = [](auto plant) {
        auto progress = flowing();
        require(not find_broken_invariant(progress, Index{11}, Round{}), "it is sane");
        plant(progress);
        return find_broken_invariant(progress, Index{11}, Round{});
    };
    require(found([](Progress& progress) { progress.first = Index{8}; }) == "what matches lies below what is sent next",
            "8 matches, and is in flight");
    require(found([](Progress& progress) { ++progress.next.value; }) ==
                "what is sent next lies at most one after the end of the log",
            "13 after 11");
    require(found([](Progress& progress) { progress.round = Round{1}; }) == "an answered round has begun", "round 1");
    require(found([](Progress& progress) { progress.sent = AppendNumber{0}; }) ==
                "a flow begins at most with the next append",
            "it begins with append 2");
    require(found([](Progress& progress) {
                progress.probe_from(Index{9});
                std::get_if<Probe>(&progress.mode)->carries = true;
            }) == "a search that carries an entry awaits its answer",
            "an entry that is not on its way");
};
TOTORA_PROVE(each_broken_invariant_of_a_progress_is_named, "5.3");

} // namespace
} // namespace totora::test
