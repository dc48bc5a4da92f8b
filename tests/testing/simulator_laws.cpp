// SPDX-License-Identifier: BSL-1.0
// Laws of the simulator about one server and what it sends, writes and applies, each with what it must detect. More of
// them
// are in simulator_checks.cpp; simulator_laws_of_runs.cpp has those that need a whole cluster.
#include "support/builders.hpp"
#include "support/log/recovered.hpp"
#include "support/log_entries.hpp"
#include "totora/log/memory_log.hpp"
#include "totora/testing/simulate/checks.hpp"
#include "totora/testing/simulate/checks/checking_log.hpp"
#include "totora/testing/simulate/checks/checking_machine.hpp"
#include "totora/testing/simulate/checks/checking_transport.hpp"
#include "totora/testing/simulate/clients/store.hpp"
#include "totora/testing/simulate/network/wire.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace totora::test::simulator_laws_tests
{
namespace
{

using boost::unit_test::label;
using simulate::Checks;

void makes(Checks& checks, ServerId id, LogPosition previous, Term term, std::uint64_t count)
{
    checks.appended(id.value - 1, previous, entries_of(term, next(previous.index), count));
}

/// A write of entries, durable at once.
void keeps(Checks& checks, ServerId id, WriteNumber write, LogPosition last)
{
    checks.append_written(id.value - 1, write, last);
    checks.durable_reported(id.value - 1, write);
}

/// S1 in term 1, with so many entries of which so many are committed and applied.
[[nodiscard]] State applied_through(Index index, std::uint64_t entries)
{
    auto state = follower(S1, Term{1}, {{Term{1}, Index{1}, entries}});
    state.commit_index = state.apply_index = index;
    return state;
}

// --- What a server becomes -----------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_server_that_changes_its_vote_within_a_term_is_seen, *label("case_1"))
{
    auto checks = Checks{};
    auto state = follower(S1, Term{3}, {});
    checks.after_event(0, state);
    state.voted_for = std::optional<ServerId>{S2};
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "");
    state.voted_for = std::optional<ServerId>{S3};
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "a vote is given once in a term");
}

BOOST_AUTO_TEST_CASE(a_server_that_applies_again_what_it_had_applied_is_seen)
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 3);
    checks.after_event(0, applied_through(Index{2}, 3));
    BOOST_TEST(checks.broken() == "");
    auto state = applied_through(Index{2}, 3);
    state.apply_index = Index{1};
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "what is applied stays applied");
}

BOOST_AUTO_TEST_CASE(a_broken_invariant_of_the_core_is_seen)
{
    auto checks = Checks{};
    auto state = follower(S1, Term{1}, {});
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "");
    state.writes.durable_index = Index{1};
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "what is durable is in the log");
}

BOOST_AUTO_TEST_CASE(a_third_read_round_at_a_time_is_seen, *label("case_91"))
{
    auto  checks = Checks{};
    auto  state = leader(follower(S1, Term{}, {}));
    auto& role = *std::get_if<Leader>(&state.role);
    role.reads.newest.value = role.reads.confirmed.value + 2;
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "");
    ++role.reads.newest.value;
    checks.after_event(0, state);
    BOOST_TEST(checks.broken() == "at most two read rounds are on their way");
}

BOOST_AUTO_TEST_CASE(committing_what_no_leader_made_is_seen)
{
    auto checks = Checks{};
    checks.after_event(0, applied_through(Index{1}, 1));
    BOOST_TEST(checks.broken() == "what is committed was made by a leader");
}

// --- What a start finds --------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(recovering_what_no_leader_made_is_seen, *label("case_63"))
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 1);
    starts(checks, follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}));
    BOOST_TEST(checks.broken() == "");
    starts(checks, follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}));
    BOOST_TEST(checks.broken() == "what is recovered was made by a leader");
}

BOOST_AUTO_TEST_CASE(a_saved_commit_index_above_all_that_was_ever_committed_is_seen, *label("case_16"))
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 2);
    checks.after_event(0, applied_through(Index{1}, 2));
    starts(checks, applied_through(Index{1}, 2));
    BOOST_TEST(checks.broken() == "");
    starts(checks, applied_through(Index{2}, 2));
    BOOST_TEST(checks.broken() == "no server saved as committed what is not");
}

// --- What a log holds
// ----------------------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(entries_that_leave_a_gap_or_go_back_in_term_are_seen, *label("5.3"))
{
    auto const law = std::string{"entries follow each other in index and in term"};
    auto       gap = Checks{};
    makes(gap, S1, {}, Term{2}, 1);
    BOOST_TEST(gap.broken() == "");
    gap.appended(0, {Term{2}, Index{1}}, entries_of(Term{2}, Index{3}, 1));
    BOOST_TEST(gap.broken() == law);

    auto older = Checks{};
    makes(older, S1, {}, Term{2}, 1);
    makes(older, S2, {Term{2}, Index{1}}, Term{1}, 1);
    BOOST_TEST(older.broken() == law);
}

BOOST_AUTO_TEST_CASE(an_entry_before_the_first_one_of_its_term_is_seen, *label("5.3"))
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 2);
    makes(checks, S2, {Term{1}, Index{2}}, Term{2}, 1);
    BOOST_TEST(checks.broken() == "");
    makes(checks, S2, {Term{1}, Index{1}}, Term{2}, 1);
    BOOST_TEST(checks.broken() == "an entry is before the first one of its term");
}

BOOST_AUTO_TEST_CASE(a_log_with_an_entry_that_no_leader_made_is_seen, *label("5.3"))
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 1);
    checks.in_full(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}));
    BOOST_TEST(checks.broken() == "");
    checks.in_full(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}));
    BOOST_TEST(checks.broken() == "all entries of a log were made by the leaders of their terms");
}

BOOST_AUTO_TEST_CASE(a_log_in_which_a_committed_entry_is_another_one_is_seen, *label("5.4"))
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 1);
    makes(checks, S2, {}, Term{2}, 1);
    checks.after_event(0, applied_through(Index{1}, 1));
    checks.in_full(applied_through(Index{1}, 1));
    BOOST_TEST(checks.broken() == "");
    auto other = follower(S2, Term{2}, {{Term{2}, Index{1}, 1}});
    other.commit_index = Index{1};
    checks.in_full(other);
    BOOST_TEST(checks.broken() == "committed entries never change");
}

BOOST_AUTO_TEST_CASE(a_log_that_reads_another_term_than_the_core_has_is_seen)
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 1);
    makes(checks, S2, {}, Term{2}, 1);
    auto const state = follower(S1, Term{2}, {{Term{2}, Index{1}, 1}});
    checks.read_back(state, entries_of(Term{2}, Index{1}, 1));
    BOOST_TEST(checks.broken() == "");
    checks.read_back(state, entries_of(Term{1}, Index{1}, 1));
    BOOST_TEST(checks.broken() == "log and core agree on the term of each entry");
}

BOOST_AUTO_TEST_CASE(a_payload_that_does_not_fit_its_checksum_is_seen)
{
    auto checks = Checks{};
    makes(checks, S1, {}, Term{1}, 1);
    auto const made = entries_of(Term{1}, Index{1}, 1);
    auto const bytes = made.slice(0).bytes;
    auto const block = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
    block->back() ^= std::byte{1};
    auto changed = Entries{};
    changed.add({block, *block}, 1);
    checks.read_back(follower(S1, Term{1}, {{Term{1}, Index{1}, 1}}), changed);
    BOOST_TEST(checks.broken() == "a log gives back the bytes that were put into it");
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_of_what_is_not_durable_may_leave_only_if_a_later_durable_term_removed_it,
                     *label("case_22"))
{
    constexpr auto law = "what is acknowledged is durable at its sender";
    // Entry 2 of term 4 waits for the disk, when a leader of term 5 has it removed.
    auto const send = [](Index match, Term term, WriteNumber durable) {
        auto checks = Checks{};
        checks.vote_written(0, WriteNumber{1}, Term{4}, nobody);
        checks.append_written(0, WriteNumber{2}, {Term{3}, Index{1}});
        checks.durable_reported(0, WriteNumber{2});
        checks.append_written(0, WriteNumber{3}, {Term{4}, Index{2}});
        checks.vote_written(0, WriteNumber{4}, Term{5}, nobody);
        checks.truncated(0, {Term{3}, Index{1}});
        checks.durable_reported(0, durable);
        checks.sent(0, S2, accepted(term, match));
        return checks.broken();
    };
    BOOST_TEST(send(Index{2}, Term{4}, WriteNumber{4}) == "");
    BOOST_TEST(send(Index{2}, Term{4}, WriteNumber{3}) == law, "the later term is not durable");
    BOOST_TEST(send(Index{3}, Term{4}, WriteNumber{4}) == law, "it was never there");
    BOOST_TEST(send(Index{2}, Term{5}, WriteNumber{4}) == law, "it was removed in this term");
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_in_a_term_that_is_not_durable_is_seen, *label("case_1"))
{
    auto       checks = Checks{};
    auto const answer = accepted(Term{4}, Index{});
    checks.vote_written(0, WriteNumber{1}, Term{4}, nobody);
    checks.sent(0, S2, accepted(Term{}, Index{}));
    BOOST_TEST(checks.broken() == "");
    checks.sent(0, S2, answer);
    BOOST_TEST(checks.broken() == "the term of what is acknowledged is durable at its sender");
}

BOOST_AUTO_TEST_CASE(taking_a_damaged_frame_or_one_of_another_cluster_is_seen, *label("case_96"))
{
    auto flipped = simulate::FrameInFlight{};
    flipped.flipped = true;
    auto damaged = Checks{};
    damaged.accepted(simulate::FrameInFlight{});
    BOOST_TEST(damaged.broken() == "");
    damaged.accepted(flipped);
    BOOST_TEST(damaged.broken() == "a frame of which bits were flipped is refused");

    auto from_elsewhere = simulate::FrameInFlight{};
    from_elsewhere.foreign = true;
    auto foreign = Checks{};
    foreign.accepted(from_elsewhere);
    BOOST_TEST(foreign.broken() == "a frame of another cluster is refused");
}

// --- What is applied, and what clients receive
// ---------------------------------------------------------------------------

/// Two entries are committed, and a client has made a proposal.
struct TwoCommands
{
    TwoCommands()
    {
        makes(checks, S1, {}, Term{1}, 2);
        checks.after_event(0, applied_through(Index{2}, 2));
        number = checks.proposed();
    }

    void applies(Index index, std::uint64_t of) { checks.applied(*entries_of(Term{1}, index, 1).begin(), of); }

    Checks        checks;
    std::uint64_t number = 0;
};

BOOST_AUTO_TEST_CASE(applying_what_no_client_proposed_is_seen)
{
    auto seen = TwoCommands{};
    seen.applies(Index{1}, seen.number);
    BOOST_TEST(seen.checks.broken() == "");
    seen.applies(Index{2}, seen.number + 1);
    BOOST_TEST(seen.checks.broken() == "what is applied was proposed by a client");
}

BOOST_AUTO_TEST_CASE(a_proposal_that_is_applied_at_two_places_is_seen)
{
    auto seen = TwoCommands{};
    seen.applies(Index{1}, seen.number);
    seen.applies(Index{1}, seen.number); // By another server.
    BOOST_TEST(seen.checks.broken() == "");
    seen.applies(Index{2}, seen.number);
    BOOST_TEST(seen.checks.broken() == "a proposal is applied once");
}

BOOST_AUTO_TEST_CASE(refusing_what_was_applied_is_seen)
{
    auto seen = TwoCommands{};
    seen.applies(Index{1}, seen.number);
    seen.checks.refused(seen.number);
    BOOST_TEST(seen.checks.broken() == "what was refused was never applied");
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_ahead_of_what_is_committed_is_seen)
{
    auto seen = TwoCommands{};
    seen.checks.machine_is(Index{2}, 7);
    BOOST_TEST(seen.checks.broken() == "");
    seen.checks.machine_is(Index{3}, 7);
    BOOST_TEST(seen.checks.broken() == "nothing is applied before it is committed");
}

// --- What a leader sends -------------------------------------------------------------------------------------------------

/// Takes everything, and sends nothing.
struct Nowhere
{
    void                                        send(Released const&, Entries const&) {}
    [[nodiscard]] std::optional<TransportEvent> receive() { return std::nullopt; }
    void                                        update(ServerId, Incarnation, std::string_view) {}
};

/// What a simulated process has beside its policies.
struct Surroundings
{
    std::uint64_t         now_us = 0;
    simulate::LocalTime   time{now_us};
    simulate::FaultCounts counts;
    simulate::Burdens     burdens{time, counts, 0};
    Checks                checks;
};

/// S1 leads term 2, with three entries of 50 bytes and its no-op; S2 has acknowledged nothing.
struct Sender : Surroundings
{
    Sender()
    {
        makes(checks, S1, {}, Term{1}, 3);
        log.append(WriteNumber{1}, entries_of(Term{1}, Index{1}, 3));
        transport.belongs_to(state, 150);
        state.settings.window = 3;
    }

    [[nodiscard]] Progress& progress() { return *find_progress(state, S2); }

    /// Sends S2 so many entries from here on.
    void sends(Index first, std::uint64_t count)
    {
        auto const envelope =
            Envelope{S2, append_of(Term{2}, {Term{1}, before(first)}, Term{1}, count), Release::at_once()};
        transport.send(*envelope.open(), entries_of(Term{1}, first, count));
    }

    State                                           state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    MemoryLog                                       log{identity_of_first()};
    Nowhere                                         nowhere;
    simulate::CheckingTransport<Nowhere, MemoryLog> transport{nowhere, log, burdens, checks, 0};
};

constexpr auto window_law = "what was sent to a follower and is not matched is bounded by the window";

BOOST_AUTO_TEST_CASE(more_entries_in_flight_than_the_window_allows_are_seen, *label("case_91"))
{
    auto at_once = Sender{};
    at_once.sends(Index{1}, 3);
    BOOST_TEST(at_once.checks.broken() == "");

    auto one_more = Sender{};
    one_more.state.settings.window = 2;
    one_more.sends(Index{1}, 2);
    BOOST_TEST(one_more.checks.broken() == "");
    one_more.sends(Index{3}, 1); // Alone it would fit.
    BOOST_TEST(one_more.checks.broken() == window_law);

    auto matched = Sender{};
    matched.state.settings.window = 2;
    matched.sends(Index{1}, 2);
    matched.progress().match = Index{1};
    matched.sends(Index{3}, 1);
    BOOST_TEST(matched.checks.broken() == "", "what is matched is not on its way");
}

BOOST_AUTO_TEST_CASE(more_bytes_in_flight_than_the_window_allows_are_seen, *label("case_91"))
{
    auto too_many = Sender{};
    too_many.transport.belongs_to(too_many.state, 149);
    too_many.sends(Index{1}, 2);
    BOOST_TEST(too_many.checks.broken() == "");
    too_many.sends(Index{3}, 1);
    BOOST_TEST(too_many.checks.broken() == window_law);

    auto one_alone = Sender{};
    one_alone.transport.belongs_to(one_alone.state, 49);
    one_alone.sends(Index{1}, 1);
    BOOST_TEST(one_alone.checks.broken() == "", "an entry that is larger than the window goes alone");
}

BOOST_AUTO_TEST_CASE(entries_for_a_follower_without_room_are_seen, *label("case_90"))
{
    auto sender = Sender{};
    sender.progress().no_room = true;
    auto const envelope = Envelope{S2, heartbeat_of(Term{2}, {}), Release::at_once()};
    sender.transport.send(*envelope.open(), {});
    BOOST_TEST(sender.checks.broken() == "");
    sender.sends(Index{1}, 1);
    BOOST_TEST(sender.checks.broken() == "a follower without room is sent no entries");
}

BOOST_AUTO_TEST_CASE(appends_of_several_entries_that_a_follower_has_are_counted, *label("case_89"))
{
    auto sender = Sender{};
    keeps(sender.checks, S2, WriteNumber{1}, {Term{1}, Index{2}});
    sender.sends(Index{1}, 1);
    sender.sends(Index{1}, 3);
    BOOST_TEST(sender.checks.entry_bytes().appends_known == 0U,
               "one entry alone may be a probe, and the third is lacking");
    sender.sends(Index{1}, 2);
    BOOST_TEST(sender.checks.entry_bytes().appends_known == 1U);
    BOOST_TEST(sender.checks.entry_bytes().appends == 3U);
    BOOST_TEST(sender.checks.entry_bytes().sent == 300U);
}

// --- What a server writes ------------------------------------------------------------------------------------------------

/// S1 leads term 2, or follows in it, with an empty log and room for 100 bytes, or two entries.
struct Writer : Surroundings
{
    explicit Writer(bool leads)
    {
        if (leads)
            state = leader(std::move(state));
        log.belongs_to(state, 100);
    }

    /// Requests room first, as a node does.
    void appends(Entries const& entries)
    {
        BOOST_TEST(log.has_room(entries.bytes()));
        log.append(write = next(write), entries);
    }

    State                            state = follower(S1, Term{1}, {});
    MemoryLog                        memory{identity_of_first()};
    simulate::CheckingLog<MemoryLog> log{memory, burdens, checks, 0};
    WriteNumber                      write;
};

BOOST_AUTO_TEST_CASE(a_leader_that_accepts_more_than_may_be_uncommitted_is_seen, *label("case_91"))
{
    auto leads = Writer{true};
    leads.appends(entries_of(Term{2}, Index{1}, 1));
    leads.appends(entries_of(Term{2}, Index{2}, 1));
    auto no_op = Entries{};
    no_op.add(entry_slice(Index{3}, Term{2}, {}, EntryKind::no_op), 1);
    leads.appends(no_op);
    BOOST_TEST(leads.checks.broken() == "", "the entry with which a term begins goes in any case");
    leads.appends(entries_of(Term{2}, Index{4}, 1));
    BOOST_TEST(leads.checks.broken() ==
               "what waits for its commitment or for the disk stays below uncommitted_bytes_max");

    auto alone = Writer{true};
    alone.appends(entries_of(Term{2}, Index{1}, 3));
    BOOST_TEST(alone.checks.broken() == "", "one proposal alone may be larger than the bound");

    auto follows = Writer{false};
    for (auto index = Index{1}; index <= Index{3}; index = next(index))
        follows.appends(entries_of(Term{2}, index, 1));
    BOOST_TEST(follows.checks.broken() == "");
}

BOOST_AUTO_TEST_CASE(saving_as_committed_what_is_not_durable_here_is_seen, *label("case_83"))
{
    auto writer = Writer{false};
    writer.memory.hold_syncs();
    writer.appends(entries_of(Term{2}, Index{1}, 1));
    writer.log.sync();
    BOOST_TEST((writer.log.durable().through() == WriteNumber{}));
    writer.log.save_commit(Index{1});
    BOOST_TEST(writer.checks.broken() == "a server applies and saves as committed what is durable in its own log");
}

// --- What a machine is given ---------------------------------------------------------------------------------------------

/// S1 has two commands of which clients proposed both, committed and durable; a third is neither.
struct Applier : Surroundings
{
    Applier()
    {
        for (auto index = Index{1}; index <= Index{3}; index = next(index)) {
            auto payload = std::vector<std::byte>(simulate::store_command_size);
            simulate::encode_command(payload, {.number = checks.proposed()});
            entries.add(entry_slice(index, Term{1}, payload), 1);
        }
        checks.appended(0, {}, entries);
        keeps(checks, S1, WriteNumber{1}, {Term{1}, Index{2}});
        state.commit_index = Index{2};
        machine.belongs_to(state);
    }

    /// Gives the machine the command at each of these places, in one batch.
    void applies(std::vector<std::size_t> const& places)
    {
        auto const all = std::vector<EntryView>(entries.begin(), entries.end());
        auto       batch = std::vector<EntryView>{};
        for (auto const place : places)
            batch.push_back(all[place - 1]);
        auto responses = std::vector<std::uint64_t>{};
        machine.apply(batch, responses);
    }

    State                                      state = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}});
    Entries                                    entries;
    simulate::Store                            store;
    simulate::OneByOne<simulate::Store>        reference;
    simulate::CheckingMachine<simulate::Store> machine{store, reference, burdens, checks, 0};
};

BOOST_AUTO_TEST_CASE(a_machine_that_is_given_commands_twice_in_disorder_or_too_early_is_seen)
{
    auto const law = std::string{"a machine is given what is committed, in order, once"};
    auto       in_order = Applier{};
    in_order.applies({1, 2});
    BOOST_TEST(in_order.checks.broken() == "");
    in_order.applies({2});
    BOOST_TEST(in_order.checks.broken() == law);

    auto in_disorder = Applier{};
    in_disorder.applies({2, 1});
    BOOST_TEST(in_disorder.checks.broken() == law);

    auto too_early = Applier{};
    too_early.applies({1, 2, 3});
    BOOST_TEST(too_early.checks.broken() == law);
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_given_what_is_not_durable_here_is_seen, *label("case_83"))
{
    auto applier = Applier{};
    applier.state.commit_index = Index{3};
    applier.applies({1, 2});
    BOOST_TEST(applier.checks.broken() == "");
    applier.applies({3});
    BOOST_TEST(applier.checks.broken() == "a server applies and saves as committed what is durable in its own log");
}

} // namespace
} // namespace totora::test::simulator_laws_tests
