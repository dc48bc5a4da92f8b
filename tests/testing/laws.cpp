// SPDX-License-Identifier: BSL-1.0
// The laws of testing/laws/ can be broken, each of them, and no step of the core breaks one (core/totality.cpp). Steps are made by the
// core, and then one thing about them is changed.
#include "support/builders.hpp"
#include "support/random/messages.hpp"
#include "totora/testing/laws/step.hpp"
#include "totora/testing/prng.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace totora::test::laws_tests
{
namespace
{

using boost::unit_test::label;

struct Made
{
    State    before;
    Message  message;
    State    after;
    Outgoing outgoing;
};

using Tamper = void (*)(Made&, testing::Prng&);

/// Another number, mostly close by.
std::uint64_t other_than(std::uint64_t number, testing::Prng& random)
{
    return random.below(2) == 0 or number == 0 ? number + random.between(1, 3) : number - 1;
}

template <typename T>
void change(T& number, testing::Prng& random)
{
    number.value = other_than(number.value, random);
}

void change(bool& flag, testing::Prng&) { flag = not flag; }

void change(Abilities& can, testing::Prng& random)
{
    can.machine = static_cast<std::uint32_t>(other_than(can.machine, random));
}

/// Changes a message in flight, if it is of this kind.
template <typename OneRpc, typename Change>
void change_message(Made& made, testing::Prng& random, Change change)
{
    auto& messages = made.outgoing.messages;
    for (auto& envelope : messages)
        if (auto const* rpc = std::get_if<OneRpc>(&envelope.rpc()); rpc != nullptr and random.below(2) == 0) {
            auto other = *rpc;
            change(other, random);
            envelope = Envelope{envelope.to(), Rpc{other}, envelope.release()};
            return;
        }
}

template <auto Field, typename OneRpc>
void change_field(Made& made, testing::Prng& random)
{
    change_message<OneRpc>(made, random, [](OneRpc& rpc, testing::Prng& dice) { change(rpc.*Field, dice); });
}

template <typename Change>
void change_follower(Made& made, testing::Prng& random, Change change)
{
    auto& followers = made.after.followers;
    if (not followers.empty())
        change(followers[random.below(followers.size())], random);
}

template <auto Field>
void change_progress(Made& made, testing::Prng& random)
{
    change_follower(made, random, [](Progress& progress, testing::Prng& dice) { change(progress.*Field, dice); });
}

template <auto Field>
void change_state(Made& made, testing::Prng& random)
{
    change(made.after.*Field, random);
}

template <auto Field>
void change_writes(Made& made, testing::Prng& random)
{
    change(made.after.writes.*Field, random);
}

/// Removes one of a kind of write.
template <typename Kind>
void drop_write(Made& made, testing::Prng&)
{
    auto kept = InplaceVector<Write, writes_max>{};
    for (auto const& write : made.outgoing.writes)
        if (not std::holds_alternative<Kind>(write))
            kept.push_back(write);
    made.outgoing.writes = kept;
}

/// Changes what a leader sends a follower in place of entries.
template <typename Change>
void change_sending(Made& made, Change change)
{
    for (auto& progress : made.after.followers)
        if (auto* sending = std::get_if<SendSnapshot>(&progress.mode))
            return change(progress, *sending);
}

/// What has to do with snapshots.
constexpr Tamper snapshot_tampers[] = {
    change_field<&InstallSnapshotResponse::match, InstallSnapshotResponse>,
    change_field<&InstallSnapshotResponse::term, InstallSnapshotResponse>,
    change_field<&InstallSnapshot::term, InstallSnapshot>,
    [](Made& made, testing::Prng& random) {
        change_message<InstallSnapshotResponse>(
            made, random, [](InstallSnapshotResponse& response, testing::Prng&) { ++response.next; });
    },
    [](Made& made, testing::Prng& random) {
        change_message<InstallSnapshotResponse>(
            made, random, [](InstallSnapshotResponse& response, testing::Prng&) { ++response.snapshot.checksum; });
    },
    [](Made& made, testing::Prng& random) {
        change_message<InstallSnapshot>(made, random, [](InstallSnapshot& chunk, testing::Prng& dice) {
            (dice.below(2) == 0 ? chunk.bytes : chunk.offset) += 1;
        });
    },
    [](Made& made, testing::Prng& random) {
        change_message<InstallSnapshot>(
            made, random, [](InstallSnapshot& chunk, testing::Prng&) { ++chunk.snapshot.last.index.value; });
    },
    [](Made& made, testing::Prng&) {
        change_sending(made, [](Progress&, SendSnapshot& sending) { ++sending.received; });
    },
    [](Made& made, testing::Prng&) {
        change_sending(made, [](Progress&, SendSnapshot& sending) { ++sending.snapshot.checksum; });
    },
    [](Made& made, testing::Prng&) {
        change_sending(made, [](Progress&, SendSnapshot& sending) { sending.snapshot = {{Term{1}, Index{1}}, 1, 1}; });
    },
    [](Made& made, testing::Prng&) {
        change_sending(made, [](Progress& progress, SendSnapshot&) { progress.mode = ProgressMode{Probe{}}; });
    },
    [](Made& made, testing::Prng& random) {
        change_follower(made, random,
                        [](Progress& progress, testing::Prng&) { progress.mode = ProgressMode{SendSnapshot{}}; });
    },
    [](Made& made, testing::Prng& random) {
        for (auto const& progress :
             made.after.followers) // Somebody is asked who is sent no snapshot, or one of another entry.
            made.outgoing.messages.emplace_back(progress.server,
                                                InstallSnapshot{.term = made.after.current_term,
                                                                .snapshot = {{Term{1}, Index{random.below(4)}}, 1, 1},
                                                                .offset = 0,
                                                                .bytes = random.below(2)},
                                                Release::at_once());
    },
    [](Made& made, testing::Prng&) {
        change_sending(made, [&](Progress& progress, SendSnapshot& sending) {
            made.outgoing.messages.emplace_back(progress.server,
                                                InstallSnapshot{.term = made.after.current_term,
                                                                .snapshot = sending.snapshot,
                                                                .offset = sending.received,
                                                                .bytes = 0},
                                                Release::at_once());
        });
    },
    [](Made& made, testing::Prng&) {
        change_sending(made, [](Progress& progress, SendSnapshot&) { progress.link_full = true; });
    },
    [](Made& made, testing::Prng&) {
        made.outgoing.messages.emplace_back(
            S2, InstallSnapshotResponse{.term = made.after.current_term, .snapshot = {}, .next = 0, .match = {}},
            Release::at_once());
    },
    [](Made& made, testing::Prng&) { made.outgoing.chunks_wanted.clear(); },
    [](Made& made, testing::Prng&) {
        made.outgoing.chunks_wanted.push_back({S2, Index{1}, {}, 0});
    },
    [](Made& made, testing::Prng&) { made.outgoing.store_chunk.reset(); },
    [](Made& made, testing::Prng&) { made.outgoing.store_chunk = StoreChunk{}; },
    [](Made& made, testing::Prng&) { made.outgoing.restore.reset(); },
    [](Made& made, testing::Prng&) {
        made.outgoing.restore = LogPosition{Term{1}, Index{1}};
    },
    [](Made& made, testing::Prng&) { ++made.after.reception.received; },
    [](Made& made, testing::Prng&) { made.after.reception = SnapshotReception{}; },
    [](Made& made, testing::Prng&) {
        made.after.reception.snapshot = {{Term{1}, Index{1}}, 1, 1};
    },
    [](Made& made, testing::Prng&) { made.after.reception = made.before.reception; },
    [](Made& made, testing::Prng&) { made.after.configurations = made.before.configurations; },
    [](Made& made, testing::Prng&) { ++made.after.configurations.in_force.index.value; },
    [](Made& made, testing::Prng&) { made.after.log.restore(made.after.log.last()); },
    [](Made& made, testing::Prng&) {
        made.after.log.restore({Term{1}, next(last_index(made.after))});
    },
    drop_write<Install>,
    drop_write<Compact>,
};

void drop_order(Made& made, testing::Prng& random)
{
    auto const alarm = static_cast<Alarm>(random.below(alarm_kinds));
    auto       kept = InplaceVector<AlarmOrder, alarm_kinds>{};
    for (auto const& order : made.outgoing.alarms)
        if (order.alarm != alarm)
            kept.push_back(order);
    made.outgoing.alarms = kept;
}

template <typename NewRole>
void take_role(Made& made, testing::Prng&)
{
    change_role(made.after, Role{NewRole{}});
}

/// The state of the server.
constexpr Tamper state_tampers[] = {
    change_state<&State::current_term>,
    change_state<&State::commit_index>,
    change_state<&State::apply_index>,
    change_writes<&WritePipeline::durable_index>,
    change_writes<&WritePipeline::durable>,
    change_state<&State::pre_vote_round>,
    change_state<&State::leader_recently_active>,
    change_state<&State::replaying>,
    change_writes<&WritePipeline::of_term>,
    [](Made& made, testing::Prng& random) { change(made.after.writes.watch.late, random); },
    [](Made& made, testing::Prng&) { made.after.writes.watch = StorageWatch{}; },
    [](Made& made, testing::Prng&) {
        made.after.writes.watch = StorageWatch{made.after.writes.durable, true};
    },
    [](Made& made, testing::Prng& random) { made.after.room = static_cast<LogRoom>(random.below(3)); },
    [](Made& made, testing::Prng&) { made.after.voted_for = std::optional<ServerId>{}; },
    [](Made& made, testing::Prng& random) { made.after.voted_for = ServerId{random.between(1, 4)}; },
    [](Made& made, testing::Prng&) { made.after = made.before; },
    [](Made& made, testing::Prng&) {
        made.after.role = made.before.role;
        made.after.votes = made.before.votes;
        made.after.followers = made.before.followers;
    },
    [](Made& made, testing::Prng&) { made.after.log = made.before.log; },
    [](Made& made, testing::Prng&) {
        made.after.log.append({made.after.current_term, next(last_index(made.after)), 1});
    },
    [](Made& made, testing::Prng&) {
        if (last_index(made.after) > Index{})
            made.after.log.truncate(last_index(made.after));
    },
    [](Made& made, testing::Prng&) { made.after.writes.pending.push_back({}); },
    take_role<Follower>,
    take_role<PreCandidate>,
    take_role<Candidate>,
    take_role<Leader>,
    [](Made& made, testing::Prng&) {
        if (std::holds_alternative<PreCandidate>(made.after.role))
            made.after.votes.insert(S5);
    },
    [](Made& made, testing::Prng&) {
        if (std::holds_alternative<Candidate>(made.after.role))
            made.after.votes.insert(made.after.own.id);
    },
};

/// The progress of a leader's followers.
constexpr Tamper progress_tampers[] = {
    change_progress<&Progress::match>,
    change_progress<&Progress::round>,
    change_progress<&Progress::no_room>,
    change_progress<&Progress::next>,
    change_progress<&Progress::sent>,
    change_progress<&Progress::link_full>,
    change_progress<&Progress::paused>,
    change_progress<&Progress::recently_active>,
    change_progress<&Progress::acknowledged>,
    change_progress<&Progress::moving>,
    [](Made& made, testing::Prng& random) {
        change_follower(made, random,
                        [](Progress& progress, testing::Prng&) { progress.recently_active = progress.moving; });
        if (auto* leader = std::get_if<Leader>(&made.after.role))
            ++leader->stalled;
    },
    [](Made& made, testing::Prng& random) {
        change_follower(made, random, [](Progress& progress, testing::Prng&) { progress.next = Index{}; });
    },
    [](Made& made, testing::Prng& random) {
        if (auto* leader = std::get_if<Leader>(&made.after.role))
            change(random.below(2) == 0 ? leader->reads.newest : leader->reads.confirmed, random);
    },
};

/// What it sends.
constexpr Tamper message_tampers[] = {
    [](Made& made, testing::Prng&) { made.outgoing.messages.clear(); },
    [](Made& made, testing::Prng& random) {
        auto& messages = made.outgoing.messages;
        if (not messages.empty())
            messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(random.below(messages.size())));
    },
    [](Made& made, testing::Prng& random) {
        for (auto& envelope : made.outgoing.messages)
            envelope = Envelope{ServerId{random.between(1, 5)}, envelope.rpc(), envelope.release()};
    },
    [](Made& made, testing::Prng&) {
        for (auto& envelope : made.outgoing.messages)
            envelope = Envelope{envelope.to(), envelope.rpc(), Release::at_once()};
    },
    [](Made& made, testing::Prng&) {
        for (auto& envelope : made.outgoing.messages)
            envelope = Envelope{envelope.to(), envelope.rpc(), Release::once_durable(WriteNumber{1'000'000})};
    },
    change_field<&RequestVoteResponse::vote_granted, RequestVoteResponse>,
    change_field<&RequestVoteResponse::term, RequestVoteResponse>,
    change_field<&RequestPreVoteResponse::vote_granted, RequestPreVoteResponse>,
    change_field<&RequestPreVoteResponse::round, RequestPreVoteResponse>,
    change_field<&RequestVote::term, RequestVote>,
    [](Made& made, testing::Prng& random) {
        change_message<RequestVote>(
            made, random, [](RequestVote& request, testing::Prng& dice) { change(request.last_log.index, dice); });
    },
    change_field<&RequestPreVote::round, RequestPreVote>,
    change_field<&RequestPreVote::term, RequestPreVote>,
    change_field<&AppendEntriesResponse::success, AppendEntriesResponse>,
    change_field<&AppendEntriesResponse::match, AppendEntriesResponse>,
    change_field<&AppendEntriesResponse::term, AppendEntriesResponse>,
    change_field<&AppendEntriesResponse::number, AppendEntriesResponse>,
    change_field<&AppendEntriesResponse::no_room, AppendEntriesResponse>,
    [](Made& made, testing::Prng& random) {
        change_message<AppendEntriesResponse>(made, random, [](AppendEntriesResponse& response, testing::Prng& dice) {
            change(response.conflict_hint.index, dice);
        });
    },
    change_field<&AppendEntries::term, AppendEntries>,
    change_field<&AppendEntries::leader_commit, AppendEntries>,
    change_field<&AppendEntries::round, AppendEntries>,
    change_field<&AppendEntries::number, AppendEntries>,
    change_field<&AppendEntries::committed, AppendEntries>,
    [](Made& made, testing::Prng& random) {
        change_message<AppendEntries>(made, random, [](AppendEntries& append, testing::Prng& dice) {
            change(append.previous.index, dice);
            append.entries.first = next(append.previous.index);
            append.previous.term = Term{dice.below(4)};
        });
    },
    [](Made& made, testing::Prng& random) {
        change_message<AppendEntries>(made, random, [](AppendEntries& append, testing::Prng& dice) {
            append.entries.count = other_than(append.entries.count, dice);
        });
    },
    [](Made&          made,
       testing::Prng& random) { // What is known to be there is sent again, by a leader that does not know it.
        auto& messages = made.outgoing.messages;
        if (auto const* progress = laws::progress_of(made.after, ServerId{random.between(1, 4)}))
            messages.emplace_back(
                progress->server,
                AppendEntries{.term = made.after.current_term,
                              .previous = {},
                              .entries = {made.after.log.term_at(Index{1}).value_or(Term{1}), Index{1}, 0},
                              .leader_commit = {},
                              .round = std::get_if<Leader>(&made.after.role)->reads.newest,
                              .number = progress->sent,
                              .committed = made.after.commit_index},
                Release::at_once());
    },
};

/// What it does.
constexpr Tamper effect_tampers[] = {
    drop_write<SaveVote>,
    drop_write<Append>,
    drop_write<Truncate>,
    drop_order,
    drop_order,
    [](Made& made, testing::Prng&) {
        made.outgoing.writes.push_back(Write{Truncate{made.after.writes.last, Index{1}}});
    },
    [](Made& made, testing::Prng&) {
        for (auto& write : made.outgoing.writes)
            if (auto* saved = std::get_if<SaveVote>(&write))
                ++saved->term.value;
    },
    [](Made& made, testing::Prng&) {
        for (auto& write : made.outgoing.writes)
            if (auto* append = std::get_if<Append>(&write))
                append->kind = EntryKind::no_op;
    },
    [](Made& made, testing::Prng&) {
        for (auto& order : made.outgoing.alarms)
            order.delay = order.delay ? std::optional<Delay>{} : std::optional<Delay>{Delay{1, 2}};
    },
    [](Made& made, testing::Prng&) {
        for (auto& order : made.outgoing.alarms)
            if (order.delay)
                ++order.delay->at_most_ms;
    },
    [](Made& made, testing::Prng&) { made.outgoing.decisions.clear(); },
    [](Made& made, testing::Prng& random) {
        made.outgoing.decisions.clear();
        made.outgoing.decisions.push_back(static_cast<Decision>(random.below(decision_count)));
    },
    [](Made& made, testing::Prng&) { made.outgoing.apply_through.reset(); },
    [](Made& made, testing::Prng&) { made.outgoing.answer.reset(); },
    [](Made& made, testing::Prng& random) {
        made.outgoing.answer = random.below(2) == 0 ? Answer{Accepted{}} : Answer{ReadStarted{}};
    },
    [](Made& made, testing::Prng&) { made.outgoing.read_allowed = ReadAllowed{}; },
    [](Made& made, testing::Prng&) { made.outgoing.read_allowed.reset(); },
    [](Made& made, testing::Prng& random) { made.outgoing.links_to_renew.push_back(ServerId{random.between(1, 3)}); },
};

/// What has to do with members, and with handing over.
constexpr Tamper membership_tampers[] = {
    [](Made& made, testing::Prng&) {
        made = Made{made.before, made.message, made.before, {}};
        made.outgoing.answer = Answer{Refused{}};
    },
    [](Made& made, testing::Prng& random) {
        change_message<TimeoutNow>(
            made, random, [](TimeoutNow& request, testing::Prng& dice) { change(request.last_log.term, dice); });
    },
    [](Made& made, testing::Prng& random) {
        change_message<RequestPreVoteResponse>(made, random, [](RequestPreVoteResponse& response, testing::Prng&) {
            ++response.not_a_member.index.value;
        });
    },
    [](Made& made, testing::Prng&) { made.after.configurations.previous = made.after.configurations.in_force; },
    [](Made& made, testing::Prng& random) { change(made.after.configurations.in_force.agreed, random); },
    [](Made& made, testing::Prng& random) { change(made.after.settings.can, random); },
    [](Made& made, testing::Prng&) {
        for (auto& progress : made.after.followers)
            progress.announced.reset();
    },
    [](Made& made, testing::Prng&) { ++made.after.configurations.in_force.index.value; },
    [](Made& made, testing::Prng& random) {
        for (auto& member : made.after.configurations.in_force.members)
            member.kind = static_cast<MemberKind>(random.between(1, 2));
    },
};

/// Ways to make a step wrong.
std::vector<Tamper> tampers()
{
    auto all = std::vector<Tamper>{};
    for (auto const some : {std::span<Tamper const>{state_tampers}, std::span<Tamper const>{progress_tampers},
                            std::span<Tamper const>{message_tampers}, std::span<Tamper const>{effect_tampers},
                            std::span<Tamper const>{snapshot_tampers}, std::span<Tamper const>{membership_tampers}})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

/// The texts of all laws in the headers.
std::set<std::string> law_texts()
{
    auto       found = std::set<std::string>{};
    auto const law = std::regex{"\"([a-z][^\"]* [^\"]* [^\"]*)\""};
    for (auto const& file : std::filesystem::directory_iterator{TOTORA_SOURCE_DIR "/include/totora/testing/laws"}) {
        auto       stream = std::ifstream{file.path()};
        auto const text = std::string{std::istreambuf_iterator<char>{stream}, {}};
        for (auto at = std::sregex_iterator{text.begin(), text.end(), law}; at != std::sregex_iterator{}; ++at)
            found.insert((*at)[1]);
    }
    return found;
}

BOOST_AUTO_TEST_CASE(each_law_is_broken_by_a_step_that_is_made_wrong, *label("5.1"))
{
    constexpr auto lives_max = std::uint64_t{20'000};
    constexpr auto messages_of_a_life = 1'000;
    auto           missing = law_texts();
    BOOST_TEST(missing.size() > 100U);
    auto const ways = tampers();
    auto       random = testing::Prng{1};
    for (auto seed = std::uint64_t{1}; seed <= lives_max and not missing.empty(); ++seed) {
        auto messages = RandomMessages{seed};
        auto server = messages.any_server();
        for (auto count = 0; count < messages_of_a_life; ++count) {
            auto made = Made{server, messages.any_message(server), server, {}};
            advance(made.after, made.message, made.outgoing);
            server = made.after;
            ways[random.below(ways.size())](made, random);
            if (auto const broken = laws::find_violated_law(made.before, made.message.from, made.message.body,
                                                            made.after, made.outgoing))
                missing.erase(std::string{*broken});
        }
    }
    for (auto const& law : missing)
        BOOST_ERROR("no step breaks it: " << law);
}

} // namespace
} // namespace totora::test::laws_tests
