// How a node writes and sends: everything of a turn together, cut by bytes without a gap, and with the bytes of the turn.
#include "support/prove.hpp"
#include "support/stage.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace totora::test::appends_tests
{
namespace
{

using boost::unit_test::label;
using Applied = AppliedWith<std::string>;

[[nodiscard]] AppendEntries append_in(Wire::Sent const& sent) { return *std::get_if<AppendEntries>(&sent.rpc); }

[[nodiscard]] std::vector<std::string> commands_in(Entries const& entries)
{
    auto commands = std::vector<std::string>{};
    for (auto const entry : entries)
        commands.push_back(is_intact(entry) ? text_of(entry.payload) : "damaged");
    return commands;
}

/// What is sent is complete and follows without a gap: each part names the entry before it, and carries exactly the bytes
/// that it names.
void expect_contiguous(std::vector<Wire::Sent> const& parts, Index first, Index last)
{
    auto expected = first;
    for (auto const& part : parts) {
        auto const append = append_in(part);
        BOOST_TEST((append.entries.first == expected));
        BOOST_TEST((append.previous.index == before(expected)));
        BOOST_TEST(append.entries.count == part.entries.count());
        for (auto const entry : part.entries) {
            BOOST_TEST((entry.index == expected));
            BOOST_TEST((entry.term == append.entries.term));
            BOOST_TEST(is_intact(entry));
            expected = next(expected);
        }
    }
    BOOST_TEST((expected == next(last)));
}

BOOST_AUTO_TEST_CASE(everything_proposed_in_a_turn_is_one_write_one_sync_and_one_append_per_follower)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.accept_all(S3);
    stage.wire.sent.clear();
    auto const appends = stage.log.appends;
    auto const syncs = stage.log.syncs;

    auto ends = std::vector<ProposalEnd>{};
    for (auto at = 0; at < 50; ++at)
        ends.push_back(stage.propose(std::to_string(at)));
    auto const batch = stage.propose_batch({"a", "b"});
    stage.run();

    BOOST_TEST(stage.log.appends == appends + 1);
    BOOST_TEST(stage.log.syncs == syncs + 1);
    for (auto const follower : {S2, S3}) {
        BOOST_TEST(stage.messages_to<AppendEntries>(follower).size() == 1U);
        expect_contiguous(stage.appends_to(follower), Index{2}, Index{53});
    }
    stage.accept_all(S2);
    for (auto at = std::size_t{0}; at < ends.size(); ++at)
        BOOST_TEST(ends[at]->as<Applied>()->response == std::to_string(at));
    BOOST_TEST(batch->times == 1);
}

BOOST_AUTO_TEST_CASE(what_arrives_in_a_turn_is_synced_once)
{
    auto stage = Stage{};
    for (auto index = std::uint64_t{1}; index <= 10; ++index)
        stage.wire.arriving.push_back(
            Received{S2, append_of(Term{1}, {Term{index == 1 ? 0U : 1U}, Index{index - 1}}, Term{1}, 1, {}, index),
                     command_entry(Term{1}, Index{index}, "a")});
    stage.run();

    BOOST_TEST(stage.log.syncs == 1);
    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S2).size() == 10U);
}

BOOST_AUTO_TEST_CASE(a_turn_that_writes_nothing_syncs_nothing)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const syncs = stage.log.syncs;

    stage.pass_ms(50);
    auto const read = stage.read();
    stage.run();

    BOOST_TEST(read->times == 0);
    BOOST_TEST(stage.log.syncs == syncs);
}

BOOST_AUTO_TEST_CASE(a_cut_by_bytes_skips_no_entry_and_always_sends_the_first, *label("case_13"))
{
    auto settings = NodeSettings{};
    settings.append_bytes_max = 2 * entry_header_size + 20;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.wire.sent.clear();

    auto const commands = std::vector<std::string>{"small", std::string(500, 'x'), "small", "small", "small"};
    auto const end = stage.propose_batch(commands);
    stage.run();

    auto const parts = stage.appends_to(S2);
    BOOST_REQUIRE(parts.size() == 4U);
    BOOST_TEST(parts[0].entries.count() == 1U); // The small one after the large one would have fitted.
    BOOST_TEST(parts[1].entries.count() == 1U); // Too large, but the first.
    BOOST_TEST(parts[2].entries.count() == 2U);
    BOOST_TEST(parts[3].entries.count() == 1U);
    expect_contiguous(parts, Index{2}, Index{6});
    stage.accept(S2, Index{6});
    BOOST_TEST(end->times == 1);
}

BOOST_AUTO_TEST_CASE(the_parts_of_an_append_bring_a_follower_to_the_same_end_as_the_whole, *label("case_13"))
{
    auto settings = NodeSettings{};
    settings.append_bytes_max = 1;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.wire.sent.clear();
    auto const end = stage.propose_batch({"a", "b", "c"});
    stage.run();
    auto follower = Stage{Identity{cluster_of("stage"), S2, first_incarnation, peers_of(3)}, NodeSettings{}};
    follower.receive(S1, append_of(Term{1}, {}, Term{1}, 1), no_op_entry(Term{1}, Index{1}));

    for (auto const& part : stage.appends_to(S2))
        follower.receive(S1, part.rpc, part.entries);

    BOOST_TEST((follower.status().last == Index{4}));
    auto const answers = follower.messages_to<AppendEntriesResponse>(S1);
    BOOST_TEST((answers.back().success and answers.back().match == Index{4}));
    BOOST_TEST(end->times == 0);
}

constexpr auto a_part_follows_what_comes_before_it = [] {
    auto const whole = append_of(Term{3}, {Term{2}, Index{10}}, Term{3}, 5);

    require(part_of(whole, Index{11}, 2).previous == whole.previous, "the first part follows what the whole followed");
    require(part_of(whole, Index{14}, 2).previous == LogPosition{Term{3}, Index{13}},
            "a later one an entry of the run");
    require(part_of(whole, Index{11}, 5) == whole, "the whole is a part of itself");
};
TOTORA_PROVE(a_part_follows_what_comes_before_it, "5.3");

/// §6: a configuration is in force from the moment its entry is in the log; the core takes them one at a time.
BOOST_AUTO_TEST_CASE(configurations_among_the_entries_that_arrive_are_decoded, *label("6"))
{
    for (auto const& arriving : {std::vector<Index>{Index{2}}, {Index{1}, Index{5}}, {Index{3}, Index{4}}}) {
        auto stage = Stage{};
        auto entries = Entries{};
        for (auto index = Index{1}; index <= Index{5}; index = next(index)) {
            auto const changes = std::find(arriving.begin(), arriving.end(), index) != arriving.end();
            auto const one = changes ? configuration_entry(Term{1}, index, {1, 2, 3, index.value + 10})
                                     : command_entry(Term{1}, index, "c");
            entries.add(one.slice(0), 1);
        }

        stage.receive(S2, append_of(Term{1}, {}, Term{1}, 5), entries);

        auto const& state = stage.node->state();
        BOOST_TEST((stage.status().last == Index{5}));
        BOOST_TEST((state.configurations.in_force.index == arriving.back()));
        BOOST_TEST((find_member(state.configurations.in_force, ServerId{arriving.back().value + 10}) != nullptr));
        BOOST_TEST((state.configurations.previous.index == (arriving.size() > 1 ? arriving.front() : Index{})));
        BOOST_TEST((stage.messages_to<AppendEntriesResponse>(S2).back().match == Index{5}));
        BOOST_TEST((stage.log.read(Index{1}, Index{5}, 1000)->bytes() == entries.bytes()));
    }
}

BOOST_AUTO_TEST_CASE(an_undecodable_configuration_is_a_violation_and_is_not_appended, *label("6"))
{
    auto stage = Stage{};
    auto entries = command_entry(Term{1}, Index{1}, "c");
    entries.add(entry_slice(Index{2}, Term{1}, {}, EntryKind::configuration), 1);

    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 2), entries);

    BOOST_TEST((stage.status().last == Index{}));
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::violation_configuration)] == 1U);
}

/// Entries of 41 bytes, in a window that has room for three of them.
BOOST_AUTO_TEST_CASE(what_goes_beyond_the_window_is_sent_once_and_when_there_is_room,
                     *label("case_89") * label("case_91"))
{
    auto settings = NodeSettings{};
    settings.append_bytes_max = 50;
    settings.window_bytes = 130;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.wire.sent.clear();
    auto const end = stage.propose_batch({"a", "b", "c", "d", "e", "f"});
    stage.run();
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{4});
    BOOST_TEST(stage.status().followers.at(0).in_flight == 3U);
    stage.pass_ms(200);
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{4}); // Heartbeats change nothing.

    stage.wire.sent.clear();
    stage.accept(S2, Index{4});
    expect_contiguous(stage.appends_to(S2), Index{5}, Index{7});
    stage.accept(S2, Index{7});
    BOOST_TEST(end->times == 1);
    BOOST_TEST(stage.status().entry_bytes_sent == 41U * 6U + 2U * 40U); // The no-op to two, and each command once.
}

/// What fills the window is lost with the connection, so that no acknowledgement makes room. Also with one entry left.
BOOST_AUTO_TEST_CASE(a_window_that_was_full_when_the_connection_broke_is_emptied, *label("case_88") * label("case_91"))
{
    for (auto const* commands : {"abc", "abcd", "abcdef"}) {
        auto settings = NodeSettings{};
        settings.append_bytes_max = 50;
        settings.window_bytes = 3 * 41; // Full to the last byte.
        auto stage = Stage{3, settings};
        stage.lead_with_follower();
        auto batch = std::vector<std::string>{};
        for (auto const letter : std::string{commands})
            batch.emplace_back(1, letter);
        auto const end = stage.propose_batch(batch);
        stage.run();
        stage.wire.sent.clear();

        stage.wire.arriving.push_back(LinkChanged{S2, Link::unreachable});
        stage.wire.arriving.push_back(LinkChanged{S2, Link::open});
        stage.run();

        auto const asked = stage.messages_to<AppendEntries>(S2);
        BOOST_REQUIRE(asked.size() == 1U);
        BOOST_TEST((asked[0].previous.index == Index{4} and asked[0].entries.count == 0));
        stage.receive(S2, refused(stage.term(), Index{4}, {stage.term(), Index{1}}, asked[0].number.value));
        stage.accept(S2, Index{2});
        expect_contiguous(stage.appends_to(S2), Index{2}, std::min(stage.status().last, Index{5}));
        stage.accept(S2, std::min(stage.status().last, Index{5}));
        stage.accept(S2, stage.status().last);
        BOOST_TEST(end->times == 1);
    }
}

BOOST_AUTO_TEST_CASE(what_was_sent_before_counts_against_the_window_in_bytes, *label("case_91"))
{
    auto settings = NodeSettings{};
    settings.window_bytes = 130;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.wire.sent.clear();
    auto const first = stage.propose_batch({"a", "b"});
    stage.run();
    auto const second = stage.propose_batch({"c", "d"});
    stage.run();
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{4});
    stage.accept(S2, Index{4});
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{5});
}

/// Entries sent twice are visible: sent and received, and not stored.
BOOST_AUTO_TEST_CASE(bytes_of_entries_are_counted_where_they_leave_arrive_and_are_stored, *label("case_89"))
{
    auto       follower = Stage{};
    auto const some = entries_of(Term{1}, Index{1}, 3);
    auto const all = entries_of(Term{1}, Index{1}, 5);
    follower.receive(S2, append_of(Term{1}, {}, Term{1}, 3), some);
    follower.receive(S2, append_of(Term{1}, {}, Term{1}, 5), all);
    BOOST_TEST(follower.status().entry_bytes_sent == 0U);
    BOOST_TEST(follower.status().entry_bytes_received == some.bytes() + all.bytes());
    BOOST_TEST(follower.status().entry_bytes_stored == all.bytes());

    auto leader = Stage{};
    leader.lead_with_follower();
    auto const before = leader.status().entry_bytes_sent;
    leader.wire.sent.clear();
    (void)leader.propose("a command");
    leader.run();
    auto sent = std::uint64_t{0};
    for (auto const& message : leader.wire.sent)
        sent += message.entries.bytes();
    BOOST_TEST(sent > 0U);
    BOOST_TEST(leader.status().entry_bytes_sent - before == sent);
    BOOST_TEST(leader.status().entry_bytes_stored == 0U); // Of what arrived.
}

BOOST_AUTO_TEST_CASE(an_entry_larger_than_the_window_goes_alone, *label("case_91"))
{
    auto settings = NodeSettings{};
    settings.window_bytes = 100;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.wire.sent.clear();
    auto const end = stage.propose_batch({std::string(500, 'a'), std::string(500, 'b')});
    stage.run();
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{2});
    stage.accept(S2, Index{2});
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{3});
    stage.accept(S2, Index{3});
    BOOST_TEST(end->times == 1);
}

/// Entries that are not in memory: so many bytes are read in a turn, for whichever follower, and none waits
/// permanently.
BOOST_AUTO_TEST_CASE(a_turn_reads_no_more_from_disk_than_it_may, *label("case_94"))
{
    auto settings = NodeSettings{};
    settings.cold_bytes_max = 100;
    settings.window_bytes = 1 << 20;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    auto const end = stage.propose_batch(std::vector<std::string>(20, "c"));
    stage.wire.arriving.push_back(LinkChanged{S2, Link::full});
    stage.wire.arriving.push_back(LinkChanged{S3, Link::full});
    stage.run();
    stage.log.cold_through = stage.status().last;
    stage.wire.sent.clear();
    for (auto const server : {S2, S3})
        stage.accept(server, Index{1});
    stage.wire.sent.clear();
    for (auto const server : {S2, S3})
        stage.wire.arriving.push_back(LinkChanged{server, Link::open});

    auto read_most = std::uint64_t{0};
    for (auto more = true; more;) {
        auto const before = stage.log.bytes_read;
        more = stage.node->turn();
        read_most = std::max(read_most, stage.log.bytes_read - before);
    }

    BOOST_TEST(read_most > 41U);
    BOOST_TEST(read_most <= 100U);
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{21});
    expect_contiguous(stage.appends_to(S3), Index{2}, Index{21});
    for (auto const server : {S2, S3})
        stage.accept(server, Index{21});
    BOOST_TEST(end->times == 1);
}

/// The disk is full: it is found when the next append arrives, and again when there is room.
BOOST_AUTO_TEST_CASE(an_append_without_room_is_answered_and_not_stored, *label("case_90"))
{
    auto stage = Stage{};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 2, Index{1}), entries_of(Term{1}, Index{1}, 2));
    stage.log.room = 0;
    stage.wire.sent.clear();

    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{2}}, Term{1}, 3, Index{4}, 7),
                  entries_of(Term{1}, Index{3}, 3));

    auto const answer = stage.messages_to<AppendEntriesResponse>(S2).at(0);
    BOOST_TEST(answer.success);
    BOOST_TEST(answer.no_room);
    BOOST_TEST((answer.match == Index{2} and answer.conflict_hint == LogPosition{Term{1}, Index{2}}));
    BOOST_TEST((stage.status().last == Index{2} and stage.status().commit == Index{2}));
    BOOST_TEST((stage.status().room == LogRoom::reserve_only));
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::room_exhausted)] == 1U);

    stage.receive(S2, heartbeat_of(Term{1}, {Term{1}, Index{2}}));
    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S2).at(1).no_room);
    stage.log.room.reset();
    stage.pass_ms(50);
    stage.receive(S2, heartbeat_of(Term{1}, {Term{1}, Index{2}}));
    BOOST_TEST(not stage.messages_to<AppendEntriesResponse>(S2).at(2).no_room);
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{2}}, Term{1}, 3, Index{4}, 8),
                  entries_of(Term{1}, Index{3}, 3));
    BOOST_TEST((stage.status().last == Index{5}));
}

/// Where entries are small and appends are not, room for an entry is no room for the append.
BOOST_AUTO_TEST_CASE(an_append_for_which_there_is_no_room_is_not_stored_in_the_room_of_an_entry, *label("case_90"))
{
    auto settings = NodeSettings{};
    settings.entry_bytes_max = 50;
    auto stage = Stage{3, settings};
    stage.log.room = 200;
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 10), entries_of(Term{1}, Index{1}, 10));
    BOOST_TEST((stage.status().last == Index{}));
    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S2).at(0).no_room);
}

/// For a leader a lack of room must last before it counts; what it receives is stored nowhere all the same.
BOOST_AUTO_TEST_CASE(an_append_that_deposes_a_leader_is_not_stored_without_room, *label("case_90"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.room = 200;
    auto const newer = Term{stage.term().value + 1};
    auto const before = LogPosition{stage.term(), Index{1}};
    stage.wire.sent.clear();

    stage.receive(S3, append_of(newer, before, newer, 10), entries_of(newer, Index{2}, 10));

    BOOST_TEST((stage.status().leader == S3));
    BOOST_TEST((stage.status().last == Index{1}));
    BOOST_TEST((stage.messages_to<AppendEntriesResponse>(S3).at(0).match == Index{1}));
    stage.receive(S3, append_of(newer, before, newer, 10), entries_of(newer, Index{2}, 10));
    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S3).at(1).no_room);
    BOOST_TEST((stage.status().last == Index{1}));
}

/// There is no room for a large entry, but for small ones: after a while they are accepted.
BOOST_AUTO_TEST_CASE(lack_of_room_for_a_large_entry_does_not_keep_small_ones_out, *label("case_90"))
{
    auto stage = Stage{};
    stage.log.room = 300;
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), command_entry(Term{1}, Index{1}, std::string(1000, 'x')));
    BOOST_TEST((stage.status().room == LogRoom::reserve_only));
    stage.receive(S3, append_of(Term{2}, {}, Term{2}, 1), entries_of(Term{2}, Index{1}, 1));
    BOOST_TEST((stage.status().last == Index{}));

    stage.pass_ms(10'000);
    stage.receive(S3, append_of(Term{2}, {}, Term{2}, 1), entries_of(Term{2}, Index{1}, 1));
    BOOST_TEST((stage.status().last == Index{1}));
}

/// That small entries are accepted again is no reason to store a large one, whenever it arrives.
BOOST_AUTO_TEST_CASE(a_large_entry_that_comes_when_small_ones_are_let_in_is_not_stored, *label("case_90"))
{
    auto stage = Stage{};
    stage.log.room = 300;
    auto const large = command_entry(Term{1}, Index{1}, std::string(1000, 'x'));
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), large);
    stage.pass_ms(9'980);
    BOOST_TEST((stage.status().room == LogRoom::reserve_only));

    stage.clock.advance_ms(25); // The log is polled at most once a heartbeat, and after each append that did not fit.
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), large);
    BOOST_TEST((stage.status().last == Index{}));
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 1), large);
    BOOST_TEST((stage.status().last == Index{}));
    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S2).back().no_room);
}

BOOST_AUTO_TEST_CASE(a_follower_that_is_behind_is_not_sent_the_newest_bytes_for_older_entries, *label("case_13"))
{
    auto settings = NodeSettings{};
    settings.core.append_entries_max = 1;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.wire.arriving.push_back(LinkChanged{S3, Link::full});
    auto const older = stage.propose_batch({"a", "b", "c", "d", "e", "f", "g", "h"});
    stage.run();
    stage.accept(S3, Index{1}); // From here on entries may flow, and it lacks eight of them.
    stage.wire.sent.clear();
    stage.wire.arriving.push_back(LinkChanged{S3, Link::open});
    stage.run();
    stage.accept(S3, Index{2});

    auto const newest = stage.propose("i"); // One entry; and one entry is what each of the next appends has room for.
    stage.run();

    expect_contiguous(stage.appends_to(S3), Index{2}, Index{10});
    BOOST_TEST(older->times + newest->times == 0);
}

BOOST_AUTO_TEST_CASE(a_full_queue_gets_heartbeats_and_no_entries_until_it_is_open)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.accept_all(S3);
    stage.wire.sent.clear();
    stage.wire.arriving.push_back(LinkChanged{S2, Link::full});
    auto const end = stage.propose("a");
    stage.run();
    BOOST_TEST(stage.appends_to(S2).empty());
    BOOST_TEST(stage.appends_to(S3).size() == 1U);
    BOOST_TEST(stage.status().followers.at(0).full);
    stage.pass_ms(50);
    BOOST_TEST(stage.messages_to<AppendEntries>(S2).size() == 1U);
    BOOST_TEST(stage.appends_to(S2).empty());

    stage.wire.arriving.push_back(LinkChanged{S2, Link::open});
    stage.run();
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{2});
    BOOST_TEST(not stage.status().followers.at(0).full);
    stage.accept_all(S2);
    BOOST_TEST(end->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_queue_that_was_full_before_the_election_gets_no_entries_until_it_is_open)
{
    auto stage = Stage{};
    stage.wire.arriving.push_back(LinkChanged{S2, Link::full});
    stage.wire.arriving.push_back(LinkChanged{S3, Link::full});
    stage.wire.arriving.push_back(LinkChanged{S3, Link::open});
    stage.lead();
    BOOST_TEST(stage.status().followers.at(0).full);
    BOOST_TEST(not stage.status().followers.at(1).full);
    stage.accept_all(S3);
    stage.wire.sent.clear(); // The no-op to S2 was lost in its queue.

    auto const end = stage.propose("a");
    stage.run();
    BOOST_TEST(stage.appends_to(S2).empty());
    BOOST_TEST(stage.appends_to(S3).size() == 1U);

    stage.wire.arriving.push_back(LinkChanged{S2, Link::open});
    stage.run();
    BOOST_TEST(not stage.status().followers.at(0).full);
    BOOST_TEST(stage.messages_to<AppendEntries>(S2).size() == 1U); // The leader probes how far it is.
    BOOST_TEST(end->as<Applied>() == nullptr);
    stage.accept_all(S3);
    BOOST_TEST(end->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_server_that_leads_again_knows_which_queues_are_full)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.wire.arriving.push_back(LinkChanged{S3, Link::full});
    stage.run();
    stage.receive(S2, RequestVoteResponse{Term{stage.term().value + 1}, false});
    BOOST_REQUIRE((stage.status().role == RoleName::follower));

    stage.lead();

    BOOST_TEST(not stage.status().followers.at(0).full);
    BOOST_TEST(stage.status().followers.at(1).full);
}

BOOST_AUTO_TEST_CASE(what_was_in_flight_on_a_broken_link_is_sent_again)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch({"a", "b"});
    stage.run();
    stage.wire.sent.clear();

    stage.wire.arriving.push_back(LinkChanged{S2, Link::unreachable});
    stage.wire.arriving.push_back(LinkChanged{S2, Link::open});
    stage.wire.arriving.push_back(LinkChanged{S5, Link::open}); // Of a non-member: ignored.
    stage.run();

    auto const asked = stage.messages_to<AppendEntries>(S2);
    BOOST_REQUIRE(asked.size() == 1U);
    BOOST_TEST((asked[0].previous.index == Index{3} and asked[0].entries.count == 0));
    stage.receive(S2, refused(stage.term(), Index{3}, {stage.term(), Index{1}}, asked[0].number.value));
    stage.accept(S2, Index{2});
    expect_contiguous(stage.appends_to(S2), Index{2}, Index{3});
    BOOST_TEST(end->times == 0);
}

BOOST_AUTO_TEST_CASE(a_queued_append_keeps_the_bytes_that_it_was_made_with, *label("case_82"))
{
    auto settings = NodeSettings{};
    settings.append_bytes_max = 50; // So that some parts are read back from the log, and one is what was staged.
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.accept_all(S3);
    stage.wire.sent.clear();
    auto const batch = stage.propose_batch({"old reed", "old rush"});
    stage.run();
    auto const single = stage.propose("old sedge");
    stage.run();
    auto const queued = stage.appends_to(S3); // Nothing of it has left the queue.

    // S2 leads the next term and puts other bytes at the same indexes.
    auto rewritten = Staging{};
    for (auto const* command : {"NEW REED", "NEW RUSH", "NEW SEDGE"})
        rewritten.add(bytes_of(command));
    stage.receive(S2, append_of(Term{2}, {Term{1}, Index{1}}, Term{2}, 3, Index{4}),
                  rewritten.seal({Term{2}, Index{2}, 3}, EntryKind::command));
    BOOST_TEST(stage.machine.commands() == (std::vector<std::string>{"NEW REED", "NEW RUSH", "NEW SEDGE"}),
               boost::test_tools::per_element());

    auto commands = std::vector<std::string>{};
    for (auto const& part : queued) {
        BOOST_TEST((append_in(part).entries.term == Term{1}));
        for (auto const entry : part.entries)
            BOOST_TEST((entry.term == Term{1}));
        for (auto const& command : commands_in(part.entries))
            commands.push_back(command);
    }
    stage.node.reset();
    stage.log.memory = MemoryLog{identity_of_first()};
    BOOST_TEST(commands == (std::vector<std::string>{"old reed", "old rush", "old sedge"}),
               boost::test_tools::per_element());
    BOOST_TEST(commands_in(queued.back().entries) == std::vector<std::string>{"old sedge"},
               boost::test_tools::per_element());
    BOOST_TEST(batch->times + single->times == 2);
}

BOOST_AUTO_TEST_CASE(of_an_append_only_what_is_missing_is_written, *label("case_9"))
{
    auto stage = Stage{};
    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 3), entries_of(Term{1}, Index{1}, 3));
    auto const appends = stage.log.appends;

    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 2, {}, 2), entries_of(Term{1}, Index{1}, 2));
    BOOST_TEST(stage.log.appends == appends);
    stage.receive(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 4, {}, 3), entries_of(Term{1}, Index{2}, 4));

    BOOST_TEST(stage.log.appends == appends + 1);
    BOOST_TEST(stage.log.truncations == 0);
    auto       indexes = std::vector<std::uint64_t>{};
    auto const all = stage.log.read(Index{1}, Index{5}, 10'000);
    for (auto const entry : *all)
        indexes.push_back(entry.index.value);
    BOOST_TEST(indexes == (std::vector<std::uint64_t>{1, 2, 3, 4, 5}), boost::test_tools::per_element());
}

} // namespace
} // namespace totora::test::appends_tests
