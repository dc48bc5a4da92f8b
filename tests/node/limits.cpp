// What a node refuses before its core gets it, and that a refusal leaves the log alone.
#include "support/stage.hpp"
#include "totora/transport/loopback.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace totora::test::limits_tests
{
namespace
{

using boost::unit_test::label;
using Applied = AppliedWith<std::string>;

/// A command that takes this many bytes in the log.
[[nodiscard]] std::string command_of(std::size_t encoded_bytes)
{
    return std::string(encoded_bytes - entry_header_size, 'x');
}

BOOST_AUTO_TEST_CASE(the_largest_entry_is_carried_and_applied_and_one_byte_more_is_refused, *label("case_84"))
{
    auto settings = NodeSettings{};
    settings.entry_bytes_max = 100;
    settings.append_bytes_max = 1;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    auto const appends = stage.log.appends;

    auto const too_large = stage.propose(std::string(101, 'x'));
    auto const batch = stage.propose_batch({"small", std::string(101, 'x')});
    stage.run();
    BOOST_TEST(too_large->refused(ProposalError::entry_too_large, S1));
    BOOST_TEST(batch->refused(ProposalError::entry_too_large, S1));
    BOOST_TEST(stage.log.appends == appends);

    stage.wire.sent.clear();
    auto const largest = stage.propose(std::string(100, 'x'));
    stage.run();
    BOOST_REQUIRE(stage.appends_to(S2).size() == 1U);
    BOOST_TEST(stage.appends_to(S2).back().entries.bytes() == 100 + entry_header_size);
    stage.accept_all(S2);
    BOOST_TEST(largest->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(as_much_may_be_uncommitted_as_the_limit_allows_and_not_a_byte_more, *label("case_77"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();

    auto ends = std::vector<ProposalEnd>{};
    for (auto at = 0; at < 4; ++at)
        ends.push_back(stage.propose(command_of(100)));
    stage.run();
    for (auto at = 0; at < 6; ++at)
        ends.push_back(stage.propose(command_of(100)));
    auto const above = stage.propose(command_of(entry_header_size));
    stage.run();

    BOOST_TEST((stage.status().last == Index{11}));
    BOOST_TEST(above->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST((stage.log.last() == LogPosition{Term{1}, Index{11}}));

    stage.accept(S2, Index{2}); // Makes room for exactly one.
    auto const fits = stage.propose(command_of(100));
    auto const no_more = stage.propose(command_of(entry_header_size));
    stage.run();
    BOOST_TEST(no_more->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST((stage.status().last == Index{12}));
    stage.accept_all(S2);
    BOOST_TEST(fits->as<Applied>() != nullptr);
    for (auto const& end : ends)
        BOOST_TEST(end->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(one_proposal_larger_than_the_limit_is_accepted_when_nothing_is_pending, *label("case_77"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};
    stage.lead();

    auto const after_the_no_op = stage.propose(command_of(5000));
    stage.run();
    BOOST_TEST(after_the_no_op->refused(ProposalError::too_much_pending, S1));

    stage.accept_all(S2);
    auto const alone = stage.propose(command_of(5000));
    stage.run();
    auto const after_it = stage.propose("x");
    stage.run();
    BOOST_TEST(alone->times == 0);
    BOOST_TEST(after_it->refused(ProposalError::too_much_pending, S1));
    stage.accept_all(S2);
    BOOST_TEST(alone->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(of_proposals_made_together_the_first_that_fit_are_accepted, *label("case_77"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();

    auto const first = stage.propose(command_of(600));
    auto const second =
        stage.propose(command_of(600)); // Too much beside the first; what follows it waits its turn too.
    auto const third = stage.propose(command_of(100));
    auto const fourth = stage.propose(command_of(100)); // Refused unstaged: the limit is staged already.
    stage.run();

    BOOST_TEST(first->times == 0);
    BOOST_TEST(second->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST(third->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST(fourth->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST((stage.status().last == Index{2}));
    stage.accept_all(S2);
    BOOST_TEST(first->as<Applied>() != nullptr);
    BOOST_TEST(stage.machine.applied.size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_next_turn_is_bounded_too, *label("case_77"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};

    auto const staged = stage.propose(command_of(1000));
    auto const beyond = stage.propose("x");
    stage.run();

    BOOST_TEST(staged->refused(ProposalError::not_leader, nobody));
    BOOST_TEST(beyond->refused(ProposalError::too_much_pending, nobody));
}

BOOST_AUTO_TEST_CASE(what_a_server_left_uncommitted_counts_when_it_leads_again, *label("case_77"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    auto const lost = stage.propose(command_of(500));
    stage.run();

    for (auto term = 2U; term <= 10; term += 2) {
        stage.receive(S2, heartbeat_of(Term{term}, {Term{1}, Index{1}}));
        stage.lead();
    }
    // 500 bytes and five no-ops, none committed: 300 are left.
    auto const above = stage.propose(command_of(301));
    stage.run();
    auto const fits = stage.propose(command_of(300));
    stage.run();

    BOOST_TEST(lost->as<OutcomeUnknown>() != nullptr);
    BOOST_TEST(above->refused(ProposalError::too_much_pending, S1));
    stage.accept_all(S2);
    BOOST_TEST(fits->as<Applied>() != nullptr);

    // And nothing is left of it when all is committed.
    auto const whole = stage.propose(command_of(1000));
    stage.run();
    stage.accept_all(S2);
    BOOST_TEST(whole->as<Applied>() != nullptr);
}

/// A disk that hangs while the others commit: what is not written here is held in memory.
BOOST_AUTO_TEST_CASE(what_is_committed_by_others_counts_until_it_is_durable_here, *label("case_77") * label("case_91"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto ends = std::vector<ProposalEnd>{};
    for (auto at = 0; at < 10; ++at)
        ends.push_back(stage.propose(command_of(100)));
    stage.run();
    stage.accept_all(S2);
    stage.accept_all(S3);
    BOOST_REQUIRE((stage.status().commit == Index{11}));
    BOOST_REQUIRE((stage.status().durable == Index{1}));

    auto const beyond = stage.propose(command_of(entry_header_size));
    stage.run();
    BOOST_TEST(beyond->refused(ProposalError::too_much_pending, S1));

    stage.log.memory.release_syncs();
    stage.run();
    auto const again = stage.propose(command_of(1000));
    stage.run();
    stage.accept_all(S2);
    BOOST_TEST(again->as<Applied>() != nullptr);
    for (auto const& end : ends)
        BOOST_TEST(end->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(what_is_committed_counts_until_it_is_applied_here, *label("case_77") * label("case_91"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    settings.apply_entries_max = 1;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    for (auto at = 0; at < 10; ++at)
        (void)stage.propose(command_of(100));
    stage.run();
    stage.wire.arriving.push_back(Received{S2, accepted(stage.term(), Index{11}, stage.sent_to(S2).value), {}});
    (void)stage.node->turn();
    BOOST_REQUIRE((stage.status().commit == Index{11}));
    auto const applied = stage.status().applied;
    BOOST_REQUIRE((applied < Index{11}));

    auto const beyond = stage.propose(command_of(101 + 100 * (applied.value - 1)));
    (void)stage.node->turn();
    auto const whole = (stage.run(), stage.propose(command_of(1000)));
    stage.run();

    BOOST_TEST(beyond->refused(ProposalError::too_much_pending, S1));
    BOOST_TEST(whole->times == 0); // Accepted: it waits for the others.
}

/// Nor does a limit that is reached keep a server from leading, which is what ends the wait.
BOOST_AUTO_TEST_CASE(the_first_entry_of_a_term_is_refused_by_no_limit, *label("case_77"))
{
    auto settings = NodeSettings{};
    settings.uncommitted_bytes_max = 1000;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    auto const all = stage.propose(command_of(1000));
    stage.run();
    stage.receive(S2, heartbeat_of(Term{2}, {Term{1}, Index{1}}));
    stage.lead();

    BOOST_TEST((stage.log.last() == LogPosition{Term{3}, Index{3}}));
    stage.accept_all(S2);
    BOOST_TEST((stage.status().commit == Index{3}));
    BOOST_TEST(all->as<OutcomeUnknown>() != nullptr); // It lost its leader, and was committed by the next.
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_proposals_until_there_is_room, *label("case_67"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const appends = stage.log.appends;
    stage.log.memory.limit_capacity(stage.log.bytes(Index{1}, Index{1}) + 99);

    auto const refused = stage.propose(command_of(100));
    stage.run();
    BOOST_TEST(refused->refused(ProposalError::no_room, S1));
    BOOST_TEST(stage.log.appends == appends);
    BOOST_TEST((stage.log.last() == LogPosition{Term{1}, Index{1}}));
    BOOST_TEST(stage.status().running);

    auto const fits = stage.propose(command_of(99));
    stage.run();
    stage.accept_all(S2);
    BOOST_TEST(fits->as<Applied>() != nullptr);

    stage.log.memory.limit_capacity(10'000);
    auto const later = stage.propose(command_of(100));
    stage.run();
    stage.accept_all(S2);
    BOOST_TEST(later->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_follower_with_a_full_disk_reports_it_and_accepts_the_append_later, *label("case_67"))
{
    auto stage = Stage{};
    stage.log.memory.limit_capacity(50);
    auto const append = append_of(Term{1}, {}, Term{1}, 1);

    stage.receive(S2, append, command_entry(Term{1}, Index{1}, "reeds and rushes"));
    BOOST_REQUIRE(stage.messages_to<AppendEntriesResponse>(S2).size() == 1U);
    BOOST_TEST(stage.messages_to<AppendEntriesResponse>(S2).back().no_room);
    BOOST_TEST((stage.messages_to<AppendEntriesResponse>(S2).back().match == Index{}));
    BOOST_TEST(stage.log.appends == 0);
    BOOST_TEST(stage.status().running);

    stage.log.memory.limit_capacity(1000);
    stage.pass_ms(Settings{}.heartbeat_ms); // The log is polled once a heartbeat.
    stage.receive(S2, append, command_entry(Term{1}, Index{1}, "reeds and rushes"));
    BOOST_REQUIRE(stage.messages_to<AppendEntriesResponse>(S2).size() == 2U);
    BOOST_TEST((stage.messages_to<AppendEntriesResponse>(S2).back().match == Index{1}));
}

BOOST_AUTO_TEST_CASE(one_turn_takes_no_more_messages_and_applies_no_more_bytes_than_its_limits)
{
    auto settings = NodeSettings{};
    settings.receive_max = 2;
    settings.apply_bytes_max = 100;
    auto stage = Stage{3, settings};
    for (auto index = std::uint64_t{1}; index <= 5; ++index)
        stage.wire.arriving.push_back(Received{
            S2, append_of(Term{1}, {Term{index == 1 ? 0U : 1U}, Index{index - 1}}, Term{1}, 1, Index{index}, index),
            command_entry(Term{1}, Index{index}, command_of(100))});

    BOOST_TEST(stage.node->turn());
    BOOST_TEST(stage.wire.arriving.size() == 3U);
    BOOST_TEST(stage.machine.applied.size() == 1U);
    BOOST_TEST(stage.node->turn());
    BOOST_TEST(stage.wire.arriving.size() == 1U);
    BOOST_TEST(stage.machine.applied.size() == 2U);
    stage.run();
    BOOST_TEST(stage.machine.applied.size() == 5U);
    BOOST_TEST(stage.machine.calls == 5);
    BOOST_TEST(not stage.node->turn());
}

BOOST_AUTO_TEST_CASE(a_machine_is_given_no_more_entries_at_a_time_than_the_limit)
{
    auto settings = NodeSettings{};
    settings.apply_entries_max = 2;
    auto stage = Stage{3, settings};

    stage.receive(S2, append_of(Term{1}, {}, Term{1}, 5, Index{5}), entries_of(Term{1}, Index{1}, 5));

    BOOST_TEST(stage.machine.applied.size() == 5U);
    BOOST_TEST(stage.machine.calls == 3);
}

/// Takes turns until nothing is left to do, while S2 answers heartbeats. How long the longest took.
std::uint64_t longest_turn_ms(Stage& stage)
{
    auto longest_ms = std::uint64_t{0};
    for (auto more = true; more;) {
        auto const before_ms = stage.clock.now_ms();
        more = stage.node->turn();
        longest_ms = std::max(longest_ms, stage.clock.now_ms() - before_ms);
        stage.wire.arriving.push_back(Received{S2, accepted(stage.term(), Index{1001}, 0), {}});
    }
    return longest_ms;
}

/// A millisecond an entry, and a thousand entries are committed at once: heartbeats leave in time all the same.
BOOST_AUTO_TEST_CASE(a_slow_machine_keeps_no_heartbeat_waiting)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch(std::vector<std::string>(1000, "slow"));
    stage.run();
    stage.machine.takes_time = [&](std::size_t entries) { stage.clock.advance_ms(entries); };
    stage.wire.arriving.push_back(Received{S2, accepted(stage.term(), Index{1001}, stage.sent_to(S2).value), {}});
    stage.wire.sent.clear();

    auto const longest_ms = longest_turn_ms(stage);

    BOOST_TEST(longest_ms <= 2 * NodeSettings{}.apply_ms_max + 6); // The first call has 16 entries to learn from.
    BOOST_TEST(end->times == 1);
    auto const beats = stage.messages_to<AppendEntries>(S2).size();
    BOOST_TEST(beats >= 1000U / 50U - 2U);
    BOOST_TEST(is_leader(stage.node->state()));
}

/// A turn may apply for ten seconds, and a heartbeat falls due in between.
BOOST_AUTO_TEST_CASE(a_heartbeat_that_is_due_ends_what_a_turn_applies)
{
    auto settings = NodeSettings{};
    settings.apply_ms_max = 10'000;
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    auto const end = stage.propose_batch(std::vector<std::string>(1000, "slow"));
    stage.run();
    stage.machine.takes_time = [&](std::size_t entries) { stage.clock.advance_ms(entries); };
    stage.wire.arriving.push_back(Received{S2, accepted(stage.term(), Index{1001}, stage.sent_to(S2).value), {}});

    auto const longest_ms = longest_turn_ms(stage);

    BOOST_TEST(longest_ms <= settings.core.heartbeat_ms * 3 / 2); // One call is under way when the alarm rings.
    BOOST_TEST(end->times == 1);
    BOOST_TEST(is_leader(stage.node->state()));
}

/// Appends are rejected before the machine in each turn: they must not take its turn as well.
BOOST_AUTO_TEST_CASE(appends_and_the_machine_take_turns_at_the_disk)
{
    struct ColdLog
    {
        [[nodiscard]] static std::uint64_t cold_bytes(Index first, Index last)
        {
            return 60 * (last.value - first.value + 1);
        }
    };
    using Reader = ColdReads::Reader;
    auto reads = ColdReads{100};
    auto given = std::array<int, 2>{};
    for (auto turn = 0; turn < 100; ++turn) {
        reads.begin_turn();
        for (auto const reader : {Reader::appends, Reader::appends, Reader::appends, Reader::machine})
            if (reads.allowed(ColdLog{}, reader, Index{1}, 60) > 0) {
                reads.count(ColdLog{}, reader, Index{1}, Index{1});
                ++given[reader == Reader::machine ? 1 : 0];
            }
    }
    BOOST_TEST(given[0] >= 49);
    BOOST_TEST(given[1] >= 49);
}

BOOST_AUTO_TEST_CASE(a_fast_machine_is_given_much_at_once)
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const end = stage.propose_batch(std::vector<std::string>(1000, "fast"));
    stage.run();
    stage.machine.calls = 0;
    stage.accept(S2, Index{1001});
    BOOST_TEST(end->times == 1);
    BOOST_TEST(stage.machine.calls <= 7); // 16, 32, 64, ...
}

BOOST_AUTO_TEST_CASE(no_limit_may_be_0)
{
    for (auto const limit :
         {&NodeSettings::entry_bytes_max, &NodeSettings::uncommitted_bytes_max, &NodeSettings::append_bytes_max,
          &NodeSettings::window_bytes, &NodeSettings::cold_bytes_max, &NodeSettings::apply_bytes_max,
          &NodeSettings::apply_entries_max, &NodeSettings::apply_ms_max, &NodeSettings::receive_max}) {
        auto settings = NodeSettings{};
        settings.*limit = 0;
        auto const stage = Stage{3, settings};

        BOOST_REQUIRE(not stage.started.has_value());
        BOOST_TEST(stage.started.error().what.find("no limit may be 0") != std::string::npos);
    }
}

/// A machine of which no snapshots can be taken.
struct Plain
{
    using Response = int;

    void apply(std::span<EntryView const> commands, std::vector<int>& responses) { responses.resize(commands.size()); }
    [[nodiscard]] Index applied_index() const { return {}; }
};

BOOST_AUTO_TEST_CASE(a_node_does_not_accept_what_its_transport_cannot_carry, *label("case_84"))
{
    auto       network = LoopbackNetwork{Carry::frames};
    auto       clock = ManualClock{1};
    auto const starts_with = [&](auto machine, std::uint64_t entry_bytes_max, std::uint64_t append_bytes_max,
                                 std::uint64_t chunk_bytes = 1) {
        auto log = MemoryLog{{cluster_of("stage"), S1, first_incarnation, peers_of(3)}};
        auto transport = network.join(S1, first_incarnation);
        auto settings = NodeSettings{};
        settings.entry_bytes_max = entry_bytes_max;
        settings.append_bytes_max = append_bytes_max;
        settings.snapshots.chunk_bytes = chunk_bytes;
        auto node = RaftNode{machine, log, transport, clock, settings};
        return node.start().has_value();
    };
    auto const most = FrameLimits{}.entry_bytes_max;

    BOOST_TEST(starts_with(Recorder{}, most, most, most));
    BOOST_TEST(not starts_with(Recorder{}, most + 1, most));
    BOOST_TEST(not starts_with(Recorder{}, most, most + 1));
    BOOST_TEST(not starts_with(Recorder{}, most, most, most + 1));
    BOOST_TEST(starts_with(Plain{}, most, most, most + 1)); // There are no chunks.
    BOOST_TEST(network.refused() == 0U);
}

/// The largest entry and its header are more bytes than a number counts.
BOOST_AUTO_TEST_CASE(a_lack_of_room_is_noticed_where_entries_may_have_any_size, *label("case_67"))
{
    auto settings = NodeSettings{};
    settings.entry_bytes_max = ~std::uint64_t{0};
    auto stage = Stage{3, settings};
    stage.lead_with_follower();
    stage.log.memory.limit_capacity(stage.log.bytes(Index{1}, Index{1}) + 99);
    auto const refused = stage.propose(command_of(100));
    stage.run();
    BOOST_TEST(refused->refused(ProposalError::no_room, S1));

    for (auto heartbeats = 0; heartbeats < 15; ++heartbeats) {
        stage.pass_ms(50);
        stage.accept_all(S2);
    }

    BOOST_TEST((stage.status().room == LogRoom::reserve_only));
}

/// A lack of room is reported when it lasts, and its end at once; the log is polled once a heartbeat.
BOOST_AUTO_TEST_CASE(a_lack_of_room_that_lasts_is_reported_and_its_end_at_once, *label("case_67"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    auto const maximum = Settings{}.election.at_most_ms;
    auto const heartbeat = Settings{}.heartbeat_ms;
    auto const used = stage.log.bytes(Index{1}, Index{1});
    stage.log.memory.limit_capacity(used);
    auto const refused = stage.propose("x");
    stage.run();
    BOOST_TEST(refused->refused(ProposalError::no_room, S1));
    auto const passes = [&](std::uint64_t milliseconds) {
        for (auto passed = std::uint64_t{0}; passed < milliseconds; passed += heartbeat) {
            stage.pass_ms(heartbeat);
            stage.accept_all(S2);
        }
    };
    passes(maximum - heartbeat);
    BOOST_TEST((stage.status().room == LogRoom::enough)); // It may be preparing its next file.
    passes(2 * heartbeat);
    BOOST_TEST((stage.status().room == LogRoom::reserve_only));
    BOOST_TEST((stage.status().role == RoleName::leader)); // S2 alone is no quorum.
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::leading_without_room)] == 1U);
    auto const read = stage.read();
    stage.run();
    stage.accept(S2, Index{1}, std::get_if<Leader>(&stage.node->state().role)->reads.newest);
    BOOST_TEST(read->as<ReadableNow>() != nullptr);

    stage.log.memory.limit_capacity(used - 1);
    passes(heartbeat);
    BOOST_TEST((stage.status().room == LogRoom::nothing));

    stage.log.memory.limit_capacity(1'000'000);
    passes(heartbeat);
    BOOST_TEST((stage.status().room == LogRoom::enough));
    auto const accepted = stage.propose("x");
    stage.run();
    stage.accept_all(S2);
    BOOST_TEST(accepted->as<Applied>() != nullptr);
}

BOOST_AUTO_TEST_CASE(a_leader_without_room_steps_down_for_others_that_have_it, *label("case_67"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.limit_capacity(stage.log.bytes(Index{1}, Index{1}));
    auto const refused = stage.propose("x");
    auto const heartbeat = Settings{}.heartbeat_ms;
    for (auto passed = std::uint64_t{0}; passed <= Settings{}.election.at_most_ms + heartbeat; passed += heartbeat) {
        stage.pass_ms(heartbeat);
        for (auto const other : {S2, S3})
            if (is_leader(stage.node->state()))
                stage.accept_all(other);
    }

    BOOST_TEST(refused->refused(ProposalError::no_room, S1));
    BOOST_TEST((stage.status().role == RoleName::follower));
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::stepped_down_no_room)] == 1U);
    stage.wire.sent.clear();
    stage.pass_ms(Settings{}.election.at_most_ms);
    BOOST_TEST(stage.wire.sent.empty()); // It does not campaign for an election maximum longer.
}

BOOST_AUTO_TEST_CASE(a_leader_whose_disk_hangs_steps_down_for_others_that_are_ahead, *label("case_58"))
{
    auto stage = Stage{};
    stage.lead_with_follower();
    stage.log.memory.hold_syncs();
    auto const stalled = stage.propose("x");
    stage.run();
    auto const heartbeat = Settings{}.heartbeat_ms;
    for (auto passed = std::uint64_t{0}; passed <= 3 * Settings{}.election.at_most_ms; passed += heartbeat) {
        stage.pass_ms(heartbeat);
        for (auto const other : {S2, S3})
            if (is_leader(stage.node->state()))
                stage.accept_all(other);
    }

    BOOST_TEST((stage.status().role == RoleName::follower));
    BOOST_TEST(stage.status().disk_hangs);
    BOOST_TEST((stage.status().commit == Index{2})); // By the others: it is not lost.
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::stepped_down_disk_hangs)] == 1U);
    BOOST_TEST(stage.status().decisions[static_cast<std::size_t>(Decision::campaign_started)] ==
               1U); // That of its lead.
    stage.log.memory.release_syncs();
    stage.run();
    BOOST_TEST(not stage.status().disk_hangs);
    BOOST_TEST(stalled->times == 1);
}

} // namespace
} // namespace totora::test::limits_tests
