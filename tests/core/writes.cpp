// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"
#include "support/random/messages.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

// Numbered writes: what is durable of a log whose entries are replaced while they are being written (case 22), and when an
// acknowledgement may leave.

namespace totora::test::writes_tests
{
namespace
{

/// A follower of term 1 that got `count` entries one by one, none of them confirmed; write k holds entry k.
constexpr auto with_pending_appends = [](std::uint64_t count) {
    auto state = follower(S2, Term{1}, {});
    for (auto index = std::uint64_t{1}; index <= count; ++index)
        state = step(state, from(S1, append_of(Term{1}, last_position(state), Term{1}, 1, {}, index))).state;
    return state;
};

/// Whatever number of them there is, and whichever of them is the newest that is confirmed.
constexpr auto each_pending_append_is_confirmed_by_its_own_write = [] {
    auto const written = std::uint64_t{100};
    auto const state = with_pending_appends(written);
    require(last_index(state) == Index{written} and state.writes.durable_index == Index{}, "all are under way");
    for (auto write = std::uint64_t{1}; write <= written; ++write) {
        auto const after = checked_step(state, local(Persisted{WriteNumber{write}})).state;
        require(after.writes.durable_index == Index{write}, "up to the entry of that write");
        require(after.writes.pending.size() == written - write, "the others are still under way");
        require(once_log_durable(state, Index{write}) == Release::once_durable(WriteNumber{write}),
                "and so long an acknowledgement waits");
    }
};
TOTORA_PROVE(each_pending_append_is_confirmed_by_its_own_write, "dissertation 10.2.1", "case_22");

/// Entries 1 to 6 in writes 1 to 6, cut at `first` by write 7.
constexpr auto cut_at = [](std::uint64_t first) {
    auto state = with_pending_appends(6);
    state = step(state, local(Persisted{WriteNumber{2}})).state;
    auto outgoing = Outgoing{};
    truncate(state, outgoing, Index{first});
    require(not find_broken_invariant(state), "every invariant of a state holds");
    return state;
};

constexpr auto what_is_cut_is_confirmed_by_no_write = [] {
    for (auto first = std::uint64_t{1}; first <= 6; ++first) {
        auto const state = cut_at(first);
        auto const last = first - 1;
        require(state.writes.durable_index == Index{std::min<std::uint64_t>(2, last)},
                "what was durable and is not cut");
        require(state.writes.pending.size() == (last > 2 ? last - 2 : 0), "one for each entry that is not durable");
        for (auto write = std::uint64_t{3}; write <= 7; ++write)
            require(step(state, local(Persisted{WriteNumber{write}})).state.writes.durable_index ==
                        Index{std::min(write, last)},
                    "as far as the write goes, and never beyond the cut");
    }
};
TOTORA_PROVE(what_is_cut_is_confirmed_by_no_write, "dissertation 10.2.1", "case_22");

/// One write of six entries, cut in its midst: it is the one that makes the rest durable, not the cut.
constexpr auto what_is_left_of_a_cut_write_is_confirmed_by_that_write = [] {
    auto state = follower(S2, Term{1}, {});
    auto outgoing = Outgoing{};
    append(state, outgoing, Run{Term{1}, Index{1}, 6}, std::nullopt);
    truncate(state, outgoing, Index{4});
    append(state, outgoing, Run{Term{1}, Index{4}, 1}, std::nullopt);
    require(step(state, local(Persisted{WriteNumber{1}})).state.writes.durable_index == Index{3}, "by its own write");
    require(step(state, local(Persisted{WriteNumber{2}})).state.writes.durable_index == Index{3},
            "by no more than that");
    require(step(state, local(Persisted{WriteNumber{3}})).state.writes.durable_index == Index{4},
            "what was written since");
};
TOTORA_PROVE(what_is_left_of_a_cut_write_is_confirmed_by_that_write, "dissertation 10.2.1", "case_22");

constexpr auto term_and_vote_are_one_write_of_a_step = [] {
    auto const voter = follower(S2, Term{1}, {});
    auto const voted = checked_step(voter, from(S1, RequestVote{Term{5}, {}}));
    require(voted.outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{5}, S1}}), "a term and a vote in it");
    require(voted.state.writes.of_term == WriteNumber{1} and voted.state.writes.last == WriteNumber{1}, "one number");
    auto const appended = checked_step(voter, from(S1, append_of(Term{5}, {}, Term{5}, 2)));
    require(appended.outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{5}, std::nullopt},
                                                   Append{WriteNumber{2}, {Term{5}, Index{1}, 2}}}),
            "a term and entries are two, in this order");
    require(appended.outgoing.messages == just(S1, accepted(Term{5}, Index{2}), Release::once_durable(WriteNumber{2})),
            "and the answer rests on the later one");
};
TOTORA_PROVE(term_and_vote_are_one_write_of_a_step, "5.1", "case_63");

/// Confirmations out of order, repeated, and of nothing.
constexpr auto confirmations_only_go_forward = [] {
    auto const state = checked_step(with_pending_appends(4), local(Persisted{WriteNumber{3}})).state;
    for (auto const write : {WriteNumber{0}, WriteNumber{2}, WriteNumber{3}}) {
        auto const [after, outgoing] = checked_step(state, local(Persisted{write}));
        require(after == state and outgoing == Outgoing{}, "what is known already changes nothing");
    }
};
TOTORA_PROVE(confirmations_only_go_forward, "5.3", "case_22");

/// What else such a log confirmed is worth as little: the server promises nothing any more, whatever it was.
constexpr auto a_log_that_confirms_what_was_never_written_ends_the_server = [] {
    for (auto const& sane : {with_pending_appends(4), leader(follower(S1, Term{1}, {}))})
        for (auto const write : {WriteNumber{sane.writes.last.value + 1}, WriteNumber{~std::uint64_t{0}}}) {
            auto const [after, outgoing] = step(sane, local(Persisted{write}));
            require(outgoing.failed == FaultSite{"the log confirmed a write that was never made", 0},
                    "it names the reason");
            require(outgoing.messages.empty() and not outgoing.apply_through, "and nothing else");
            require(is_follower(after) and after.writes.durable_index == sane.writes.durable_index,
                    "nothing counts as durable by it");
            require(step(after, from(S3, RequestVote{Term{9}, {Term{9}, Index{9}}})).outgoing.messages.empty(),
                    "no vote is ever given again");
        }
};
TOTORA_PROVE(a_log_that_confirms_what_was_never_written_ends_the_server, "dissertation 3.8");

/// The disk as it is: every write in order, and the log after each of them.
class CheckingDisk
{
public:
    constexpr explicit CheckingDisk(State const& state) : logs_{state.log}, first_(state.writes.last) {}

    constexpr void take(Outgoing const& outgoing)
    {
        for (auto const& write : outgoing.writes) {
            auto log = logs_.back();
            if (auto const* append = std::get_if<Append>(&write))
                log.append(append->entries);
            else if (auto const* truncate = std::get_if<Truncate>(&write))
                log.truncate(truncate->first);
            logs_.push_back(log);
        }
    }

    /// How much of `log` is there after write `write`, and stays there whatever is written after it.
    [[nodiscard]] constexpr Index survives(TermRuns const& log, WriteNumber write) const
    {
        auto index = log.last().index;
        for (auto at = static_cast<std::size_t>(write.value - first_.value); at < logs_.size(); ++at)
            while (not agree_through(logs_[at], log, index)) {
                auto const shared = std::min(logs_[at].last().index, index);
                index = shared < index ? shared : start_of_last_run(log, index);
            }
        return index;
    }

    [[nodiscard]] constexpr TermRuns const& newest() const { return logs_.back(); }

private:
    /// The last index before the run that holds `index`: no faster way down is needed.
    [[nodiscard]] static constexpr Index start_of_last_run(TermRuns const& log, Index index)
    {
        auto start = Index{1};
        for (auto const& run : log.starts())
            if (run.first <= index)
                start = run.first;
        return index > start ? before(index) : before(start);
    }

    std::vector<TermRuns> logs_;
    WriteNumber           first_;
};

/// What a server takes for durable is what its disk cannot lose any more, and all of it.
constexpr char const* find_fault(State const& state, Outgoing const& outgoing, CheckingDisk const& disk)
{
    if (disk.newest() != state.log)
        return "the writes make the log";
    auto const survives = disk.survives(state.log, state.writes.durable);
    if (state.writes.durable_index > survives)
        return "what counts as durable survives any power loss";
    if (state.writes.durable_index < survives)
        return "what is durable counts as such";
    for (auto const& envelope : outgoing.messages) {
        auto const* answer = std::get_if<AppendEntriesResponse>(&envelope.rpc());
        if (answer == nullptr or not answer->success)
            continue;
        auto const write = envelope.release().awaits().value_or(state.writes.durable);
        if (write < state.writes.of_term and state.writes.durable < state.writes.of_term)
            return "an acknowledgement waits for its term";
        if (disk.survives(state.log, std::max(write, state.writes.durable)) < answer->match)
            return "an acknowledgement waits for its entries";
    }
    return nullptr;
}

/// A follower whose leaders come and go, and whose disk is slow.
constexpr char const* find_fault_in_a_life(std::uint64_t seed, int messages)
{
    auto random = RandomMessages{seed};
    auto state = follower(S2, Term{1}, {{Term{1}, Index{1}, 3}});
    auto disk = CheckingDisk{state};
    auto outgoing = Outgoing{};
    for (auto count = 0; count < messages; ++count) {
        advance(state, random.any_append_or_confirmation(state, seed % 4 == 0 ? 60 : 4), outgoing);
        disk.take(outgoing);
        if (auto const* fault = find_fault(state, outgoing, disk))
            return fault;
        if (find_broken_invariant(state))
            return "every invariant of a state holds";
    }
    return nullptr;
}

constexpr auto what_counts_as_durable_survives = [] {
    for (auto seed = std::uint64_t{1}; seed <= 6; ++seed)
        require(find_fault_in_a_life(seed, 40) == nullptr, "the disk agrees");
};
TOTORA_PROVE(what_counts_as_durable_survives, "dissertation 10.2.1", "case_22", "case_63");

BOOST_AUTO_TEST_CASE(what_counts_as_durable_survives_many_restarts,
                     TOTORA_LABELS("dissertation 10.2.1", "case_22", "case_63"))
{
    for (auto seed = std::uint64_t{1}; seed <= 2'000; ++seed)
        if (auto const* fault = find_fault_in_a_life(seed, 150)) {
            BOOST_ERROR(std::string{fault} + ", seed " + std::to_string(seed));
            return;
        }
}

/// Whatever else a step writes stays where it is in the sequence: a vote joins the write before it, and no earlier one.
constexpr auto a_vote_joins_only_the_write_right_before_it = [] {
    auto state = follower(S2, Term{1}, {{Term{1}, Index{1}, 3}});
    auto outgoing = Outgoing{};

    save_vote(state, outgoing);
    truncate(state, outgoing, Index{3});
    state.current_term = Term{2};
    save_vote(state, outgoing);
    state.voted_for = S1;
    save_vote(state, outgoing);

    require(outgoing.writes == writes_of({SaveVote{WriteNumber{1}, Term{1}, std::nullopt},
                                          Truncate{WriteNumber{2}, Index{3}}, SaveVote{WriteNumber{3}, Term{2}, S1}}),
            "three writes, in the order in which they were made");
    require(state.writes.of_term == WriteNumber{3}, "and term and vote are durable with the last of them");
};
TOTORA_PROVE(a_vote_joins_only_the_write_right_before_it, "5.1", "case_63");

} // namespace
} // namespace totora::test::writes_tests
