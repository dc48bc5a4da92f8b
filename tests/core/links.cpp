// SPDX-License-Identifier: BSL-1.0
#include "support/builders.hpp"
#include "support/prove.hpp"

// What the state of a link shows, and what it does not: bytes that a link takes are no answer, and room in the shell is no room in
// its queue.

namespace totora::test::links_tests
{
namespace
{

/// Leads term 2 with 1/1 to 3/1 and its no-op; S2 agrees, so that entries flow to it.
constexpr auto leader_in_flow = [](std::uint64_t window = 256) {
    auto state = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    state.settings.window = window;
    return step(state, from(S2, accepted(Term{2}, Index{4}))).state;
};

/// A link that takes bytes may lead to a server that is gone, or that follows another leader by now.
constexpr auto bytes_that_a_link_takes_are_no_answer = [] {
    auto state = leader_in_flow();
    state = step(state, ring(state, Alarm::quorum_check)).state;
    for (auto const server : {S2, S3})
        state = checked_step(state, local(LinkMoved{server})).state;

    auto const check = checked_step(state, ring(state, Alarm::quorum_check));

    require(is_follower(check.state) and noted(check.outgoing, Decision::stepped_down_no_quorum), "nobody answered");
};
TOTORA_PROVE(bytes_that_a_link_takes_are_no_answer, "dissertation 6.2", "case_54");

constexpr auto what_was_sent_is_tested_also_while_its_link_takes_bytes = [] {
    auto state = step(leader_in_flow(), local(Proposed{3})).state;
    state = step(state, ring(state, Alarm::heartbeat)).state; // The answer to the no-op was of this interval.
    state = checked_step(state, local(LinkMoved{S2})).state;

    auto const beat = checked_step(state, ring(state, Alarm::heartbeat));

    require(sent<AppendEntries>(beat.outgoing, S2).size() == 2 and
                sent<AppendEntries>(beat.outgoing, S2)[1].number > AppendNumber{},
            "no append was answered");
};
TOTORA_PROVE(what_was_sent_is_tested_also_while_its_link_takes_bytes, "5.3", "case_76");

constexpr auto that_the_shell_can_send_again_does_not_open_a_full_queue = [] {
    auto state = leader_in_flow();
    state = step(state, local(AppendsCut{S2, Index{4}})).state;
    state = step(state, local(LinkChanged{S2, Link::full})).state;
    state = step(state, local(Proposed{1})).state;

    auto const resumed = checked_step(state, local(AppendsResumed{S2}));
    require(resumed.outgoing.messages.empty(), "its queue takes no entries");
    auto const open = checked_step(resumed.state, local(LinkChanged{S2, Link::open}));
    require(sent<AppendEntries>(open.outgoing, S2).size() == 1, "until the transport reports it open");
};
TOTORA_PROVE(that_the_shell_can_send_again_does_not_open_a_full_queue, "5.3", "case_76");

/// A queue that was full before anything was sent stalls as one does that was filled: nothing gets through to S2 and S3.
constexpr auto a_link_stalls_also_if_nothing_could_be_sent = [] {
    auto state = leader_in_flow();
    state = step(state, from(S3, accepted(Term{2}, Index{4}))).state;
    for (auto const server : {S2, S3})
        state = step(state, local(LinkChanged{server, Link::full})).state;
    state = step(state, local(Proposed{1})).state;
    require(in_flight(progress_of(state, S2)) == 0, "nothing is on its way");

    auto renewed = std::size_t{0};
    for (auto checks = 0; checks < 20 and is_leader(state); ++checks) {
        for (auto const server : {S2, S3})
            state = checked_step(state, from(server, accepted(Term{2}, Index{4}, 0))).state;
        auto const check = checked_step(state, ring(state, Alarm::quorum_check));
        renewed += check.outgoing.links_to_renew.size();
        state = check.state;
    }

    require(renewed == 2, "both are made again");
    require(is_follower(state), "and given up in the end");
};
TOTORA_PROVE(a_link_stalls_also_if_nothing_could_be_sent, "dissertation 6.2", "case_94");

/// What is not on its way need not be asked for before it is sent: a search for it carries the next entry at once.
constexpr auto a_search_after_a_break_carries_an_entry_if_nothing_was_on_its_way = [] {
    auto const start = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto const nothing_left = checked_step(start, local(AppendsCut{S2, Index{3}})).state;
    auto const broken = checked_step(nothing_left, local(LinkChanged{S2, Link::unreachable})).state;
    require(is_probing(broken, S2) and in_flight(progress_of(broken, S2)) == 0, "the no-op never left");

    auto const open = checked_step(broken, local(LinkChanged{S2, Link::open}));

    require(sent<AppendEntries>(open.outgoing, S2).at(0).entries == Run{Term{2}, Index{4}, 1}, "now it does");
};
TOTORA_PROVE(a_search_after_a_break_carries_an_entry_if_nothing_was_on_its_way, "5.3", "case_88");

/// A window of one entry: the shell has sent it, and no more for now; when it can, what is out fills the window.
constexpr auto a_search_keeps_within_the_window_too = [] {
    auto state = follower(S1, Term{1}, {{Term{1}, Index{1}, 3}});
    state.settings.window = 1;
    state = leader(std::move(state));
    require(in_flight(progress_of(state, S2)) == 1, "the no-op is on its way");
    state = step(state, local(Proposed{1})).state;
    state = checked_step(state, local(AppendsCut{S2, Index{4}})).state;

    auto const resumed = checked_step(state, local(AppendsResumed{S2}));

    require(resumed.outgoing.messages == just(S2, heartbeat_of(Term{2}, {Term{2}, Index{4}}, {}, 2)),
            "it asks, and carries nothing");
    require(in_flight(progress_of(resumed.state, S2)) == 1, "one entry, and no more");
};
TOTORA_PROVE(a_search_keeps_within_the_window_too, "5.3", "case_91");

} // namespace
} // namespace totora::test::links_tests
