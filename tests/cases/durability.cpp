// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter J, the core's part: acknowledgements wait for the disk, and a server without one is silent.

namespace totora::test::durability_tests
{
namespace
{

/// Case 63: A is S1, B is S2, C is S3; A has appended 5/1, which is 3/1 here.
constexpr auto a_whole_rack_may_lose_power_and_no_committed_entry_is_lost = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.happens(S1, Proposed{1});
    cluster.persists(S1);
    cluster.drop(S1, S3);
    cluster.deliver(S1, S2);
    require(cluster.messages_in_flight(S2, S1).empty(), "1: B has only buffered it, and does not acknowledge");
    require(cluster[S1].commit_index == Index{1}, "so that A commits nothing");

    auto acknowledged = cluster;
    acknowledged.persists(S2);
    acknowledged.deliver(S2, S1);
    require(acknowledged[S1].commit_index == Index{2}, "were it durable, A would commit it");
    for (auto const server : {S1, S2})
        acknowledged.loses_power(server); // 2: the whole rack.
    acknowledged.campaigns(S3, {S2, S3});
    require(not is_leader(acknowledged[S3]), "3: and C could not win without it");

    for (auto const server : {S1, S2})
        cluster.loses_power(server);
    cluster.campaigns(S3, {S2, S3});
    require(is_leader(cluster[S3]) and cluster[S2].log == cluster[S3].log,
            "as it is, C may win: nothing was acknowledged");
};
TOTORA_PROVE(a_whole_rack_may_lose_power_and_no_committed_entry_is_lost, "5.3", "case_63");

constexpr auto an_acknowledgement_waits_for_entries_and_term = [] {
    auto const b = follower(S2, Term{1}, {{Term{1}, Index{1}, 4}});

    auto const first = checked_step(b, from(S1, append_of(Term{2}, {Term{1}, Index{4}}, Term{2}, 1, {}, 1)));
    require(first.outgoing.messages == just(S1, accepted(Term{2}, Index{5}), Release::once_durable(WriteNumber{2})),
            "new entries wait for their write, which comes after that of the term");
    auto const again = checked_step(first.state, from(S1, append_of(Term{2}, {Term{1}, Index{4}}, Term{2}, 1, {}, 2)));
    require(again.outgoing.writes.empty() and again.outgoing.messages == just(S1, accepted(Term{2}, Index{5}, 2),
                                                                              Release::once_durable(WriteNumber{2})),
            "a repetition writes nothing, and waits as well");
    auto const beat = checked_step(again.state, from(S1, heartbeat_of(Term{2}, {Term{2}, Index{5}}, {}, 3)));
    require(beat.outgoing.messages == just(S1, accepted(Term{2}, Index{4}, 3), Release::once_durable(WriteNumber{1})),
            "a heartbeat's answer waits for the term alone, and acknowledges what is durable");
    auto const term = checked_step(beat.state, local(Persisted{WriteNumber{1}}));
    auto const next_beat = checked_step(term.state, from(S1, heartbeat_of(Term{2}, {Term{2}, Index{5}}, {}, 4)));
    require(next_beat.outgoing.messages == just(S1, accepted(Term{2}, Index{4}, 4)), "then it leaves at once");
    auto const entries = checked_step(next_beat.state, local(Persisted{WriteNumber{2}}));
    auto const last = checked_step(entries.state, from(S1, heartbeat_of(Term{2}, {Term{2}, Index{5}}, {}, 5)));
    require(last.outgoing.messages == just(S1, accepted(Term{2}, Index{5}, 5)), "and acknowledges all");
};
TOTORA_PROVE(an_acknowledgement_waits_for_entries_and_term, "5.3", "case_63");

/// Case 71: after a storage failure no acknowledgement, no vote, no heartbeat as leader.
constexpr auto a_server_whose_storage_failed_sends_nothing_any_more = [] {
    auto const log = log_of({{Term{1}, Index{1}, 3}});
    auto const settings = [] {
        auto without = Settings{};
        without.sticky = false;
        return without;
    }();
    for (auto base :
         {server(S2, Term{1}, log), candidate(server(S2, Term{1}, log)), leader(server(S2, Term{1}, log))}) {
        base.settings = settings;
        auto const failed = step(base, local(Halted{HaltReason::storage}));
        require(not is_leader(failed.state), "3: it leads no more");
        require(failed.outgoing.failed.has_value(), "the error reaches its owner");
        require(failed.outgoing.messages.empty() and failed.outgoing.writes.empty(), "and nobody else");

        for (auto const& message :
             {from(S1, RequestVote{Term{9}, {Term{1}, Index{9}}}),
              from(S1, RequestPreVote{Term{9}, {Term{1}, Index{9}}, Round{1}}),
              from(S1, append_of(Term{9}, {Term{1}, Index{3}}, Term{9}, 1)), from(S1, accepted(Term{2}, Index{4})),
              from(S1, RequestVoteResponse{Term{2}, true}), ring(base, Alarm::heartbeat), ring(base, Alarm::election),
              persisted(base), local(Proposed{1}), local(ReadRequested{}), local(Started{}),
              local(LinkChanged{S1, Link::open})}) {
            auto const [after, outgoing] = step(failed.state, message);
            auto only_failed = Outgoing{};
            only_failed.failed = failed.outgoing.failed;
            require(outgoing == only_failed, "2: whatever arrives, it reports only that it failed");
            require(after == failed.state, "and changes no more");
        }
    }
};
TOTORA_PROVE(a_server_whose_storage_failed_sends_nothing_any_more, "5.1", "case_71");

} // namespace
} // namespace totora::test::durability_tests
