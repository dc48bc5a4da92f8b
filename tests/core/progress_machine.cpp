// SPDX-License-Identifier: BSL-1.0
#include "totora/core/values/progress_flow.hpp"

#include "support/prove.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

// The machine of a follower's progress alone: each arrow of its drawing. When the rules take which is in progress.cpp.

namespace totora::test::progress_machine_tests
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

constexpr auto what_is_compacted_is_replaced_by_a_snapshot = [] {
    auto const known = SnapshotId{{Term{2}, Index{20}}, 10, 7};
    auto       progress = flowing();
    progress.send_snapshot();
    require(is_sent_snapshot(progress) and in_flight(progress) == 0 and progress.next == Index{9}, "no entry flows");
    require(not may_send_append(progress, 100), "nor may one");
    require(not is_current(progress, AppendNumber{2}) and not is_outstanding(progress, Index{9}, AppendNumber{2}),
            "answers to appends are outdated");
    require(waits_for_snapshot(progress), "none is known yet");
    require(not progress.on_chunk_sent(known) and not progress.on_chunk_sent(known), "the first is no other one");
    progress.on_chunk_received(known, 4, Index{});
    require(progress.recently_active and progress.moving and progress.take_acknowledged(), "an answer is contact");
    require(not waits_for_snapshot(progress) and progress.match == Index{8}, "4 of 10 bytes are there");
    progress.on_chunk_received(SnapshotId{{Term{2}, Index{19}}, 10, 7}, 9, Index{});
    require(std::get_if<SendSnapshot>(&progress.mode)->received == 4, "9 of another one are not");
    progress.link_reset();
    require(is_sent_snapshot(progress), "what was lost of it is asked for again");
    progress.on_chunk_received(known, 10, Index{});
    require(waits_for_snapshot(progress), "all of it is being installed");
    progress.on_chunk_received(known, 10, Index{20});
    progress.probe_after_match();
    require(is_probe(progress) and progress.match == Index{20} and progress.next == Index{21}, "21 comes after it");

    auto other = flowing();
    other.send_snapshot();
    require(not other.on_chunk_sent(known) and other.on_chunk_sent(SnapshotId{{Term{2}, Index{30}}, 10, 7}),
            "one takes the place of another");
};
TOTORA_PROVE(what_is_compacted_is_replaced_by_a_snapshot, "7", "case_28", "case_103");

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
    require(found([](Progress& progress) {
                progress.send_snapshot();
                progress.mode = ProgressMode{SendSnapshot{{}, 1, AppendNumber{1}}};
            }) == "no entry is on the way beside a snapshot, of which the follower has a part at most",
            "a byte of no snapshot");
};
TOTORA_PROVE(each_broken_invariant_of_a_progress_is_named, "5.3");

} // namespace
} // namespace totora::test::progress_machine_tests
