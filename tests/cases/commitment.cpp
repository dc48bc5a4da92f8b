// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// docs/cases.md, chapter C: what is committed, and who decides it. A is S1, B is S2, C is S3. Case 14 is Figure 8.

namespace totora::test::commitment_tests
{
namespace
{

constexpr auto a_follower_commits_only_what_was_compared = [] {
    auto const b = follower(S2, Term{2}, {{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}});

    auto const [after, outgoing] = checked_step(b, from(S1, heartbeat_of(Term{3}, {Term{1}, Index{2}}, Index{4})));

    require(after.commit_index == Index{2}, "commit(B) = 2");
    require(outgoing.apply_through == Index{2}, "3/2 and 4/2 are not applied");
    require(after.log == b.log, "nor are they cut before anything conflicts");
};
TOTORA_PROVE(a_follower_commits_only_what_was_compared, "5.3", "case_15");

constexpr auto the_commit_index_never_goes_back = [] {
    auto b = follower(S2, Term{2}, {{Term{1}, Index{1}, 5}, {Term{2}, Index{6}, 3}});
    b = step(b, from(S1, heartbeat_of(Term{2}, {Term{2}, Index{8}}, Index{7}))).state;
    require(b.commit_index == Index{7} and b.apply_index == Index{7}, "commit(B) = 7");

    for (auto const& append :
         {append_of(Term{2}, {Term{1}, Index{3}}, Term{1}, 2, Index{3}),
          heartbeat_of(Term{2}, {Term{2}, Index{8}}, Index{5}), heartbeat_of(Term{3}, {Term{2}, Index{8}}, Index{6})}) {
        auto const transition = checked_step(b, from(append.term == Term{3} ? S3 : S1, append));
        b = transition.state;
        require(b.commit_index == Index{7} and b.apply_index == Index{7}, "commit(B) = 7 throughout");
        require(not transition.outgoing.apply_through, "and nothing is applied again");
    }

    auto c = follower(S3, Term{2}, {{Term{1}, Index{1}, 5}, {Term{2}, Index{6}, 3}});
    c.commit_index = Index{6};
    c.apply_index = Index{6};
    c = leader(std::move(c));
    auto const committed = checked_step(c, from(S2, accepted(Term{3}, Index{9}))).state;
    require(c.commit_index == Index{6} and committed.commit_index == Index{9},
            "the new leader passes 7 with its no-op");
};
TOTORA_PROVE(the_commit_index_never_goes_back, "5.3", "case_16");

/// Case 17: A (term 2) has appended 5/2; its own write is under way, and B's acknowledgement is there.
constexpr auto leader_whose_write_is_slow = [] {
    auto servers = std::vector<State>{};
    for (auto const id : {S1, S2, S3})
        servers.push_back(follower(id, Term{1}, {{Term{1}, Index{1}, 3}}));
    auto cluster = Cluster{std::move(servers)};
    cluster.campaigns(S1, {S1, S2, S3});
    require(cluster[S1].commit_index == Index{4}, "the no-op of term 2 is 4/2");
    cluster.happens(S1, Proposed{1});
    require(cluster.messages_in_flight(S1, S2).size() == 1, "1: the append leaves at once");
    cluster.drop(S1, S3);
    cluster.deliver(S1, S2);
    cluster.persists(S2);
    cluster.deliver(S2, S1);
    return cluster;
};

constexpr auto a_leader_counts_its_own_copy_only_when_it_is_durable = [] {
    auto cluster = leader_whose_write_is_slow();
    require(cluster[S1].commit_index == Index{4} and not cluster.outgoing().apply_through,
            "3: {B} alone is no majority");

    cluster.persists(S1);
    require(cluster[S1].commit_index == Index{5} and cluster.outgoing().apply_through == Index{5},
            "with A's own it is");
};
TOTORA_PROVE(a_leader_counts_its_own_copy_only_when_it_is_durable, "dissertation 10.2.1", "case_17");

constexpr auto an_unacknowledged_entry_that_only_a_follower_has_may_be_lost = [] {
    auto cluster = leader_whose_write_is_slow();

    cluster.loses_power(S1);
    cluster.campaigns(S3, {S1, S3});
    cluster.settle({S1, S3});

    require(is_leader(cluster[S3]) and cluster[S3].commit_index == Index{5}, "5: A and C elect C, which writes 5/3");
    require(cluster[S1].log.holds({Term{3}, Index{5}}), "5/2 is gone, and was never committed");
};
TOTORA_PROVE(an_unacknowledged_entry_that_only_a_follower_has_may_be_lost, "dissertation 10.2.1", "case_17");

/// The legal half, and case 83: followers may commit without the leader's disk; it then applies nothing that it could lose.
constexpr auto a_leader_applies_only_what_its_own_disk_has = [] {
    auto cluster = leader_whose_write_is_slow();
    cluster.rings(S1, Alarm::heartbeat); // C did not get 5/2, and answers so.
    cluster.rings(S1, Alarm::heartbeat);
    cluster.deliver_all(S1, S3);
    cluster.deliver_all(S3, S1);
    cluster.deliver_all(S1, S3);
    cluster.persists(S3);
    cluster.deliver_all(S3, S1);

    require(cluster[S1].commit_index == Index{5}, "B and C have it: it is committed");
    require(cluster[S1].apply_index == Index{4} and cluster[S1].writes.durable_index == Index{4},
            "and not applied at A");
    cluster.persists(S1);
    require(cluster.outgoing().apply_through == Index{5}, "before A's own write is durable");
};
TOTORA_PROVE(a_leader_applies_only_what_its_own_disk_has, "dissertation 10.2.1", "case_17", "case_83");

/// Case 70: a quorum of one is one durable copy.
constexpr auto a_single_server_applies_nothing_before_it_is_durable = [] {
    auto servers = std::vector<State>{};
    servers.push_back(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}, 1));
    auto cluster = Cluster{std::move(servers)};
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    cluster.persists(S1);
    require(cluster[S1].apply_index == Index{3}, "its no-op is applied, when it is durable");

    auto const& proposed = cluster.happens(S1, Proposed{1});
    require(proposed.answer == Answer{Accepted{{Term{2}, Index{4}, 1}}} and not proposed.apply_through,
            "1: not answered");
    require(cluster[S1].commit_index == Index{3}, "while the write is in progress");
    auto powerless = cluster;
    powerless.loses_power(S1);
    require(last_index(powerless[S1]) == Index{3}, "2: what is lost was not applied");

    cluster.persists(S1);
    require(cluster.outgoing().apply_through == Index{4}, "when it is durable, it is applied");
    cluster.loses_power(S1);
    require(cluster[S1].log.holds({Term{2}, Index{4}}), "and it survives");
};
TOTORA_PROVE(a_single_server_applies_nothing_before_it_is_durable, "5.3", "case_70");

/// Five servers, whose logs are durable up to 5, 4, 5, 0 and 0. In whatever order the leader receives that.
constexpr auto of_five_servers_the_third_highest_decides = [] {
    auto const leading = [] {
        auto a = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 3}}, 5)); // 4/2 is its no-op.
        a = step(a, local(Proposed{1})).state;
        a = step(a, persisted(a)).state;
        require(a.writes.durable_index == Index{5} and a.commit_index == Index{}, "A has 5/2, and nobody has answered");
        return a;
    };
    auto const answers = [](State const& a, ServerId server, Index match) {
        return checked_step(a, from(server, accepted(Term{2}, match, 0))).state;
    };

    require(answers(answers(leading(), S2, Index{4}), S3, Index{5}).commit_index == Index{4}, "4, then 5: commit 4");
    require(answers(answers(leading(), S3, Index{5}), S2, Index{4}).commit_index == Index{4}, "5, then 4: commit 4");
    require(answers(answers(leading(), S4, Index{4}), S5, Index{5}).commit_index == Index{4}, "of whichever servers");
    require(answers(leading(), S2, Index{5}).commit_index == Index{}, "two of five: nothing");
    auto const four = answers(answers(leading(), S2, Index{4}), S3, Index{5});
    require(answers(four, S2, Index{5}).commit_index == Index{5}, "5, 5, 5: commit 5");
};
TOTORA_PROVE(of_five_servers_the_third_highest_decides, "5.3", "5.4");

/// `committed` is for the shell: how far the cluster is. The core goes by `leader_commit`, which the leader may cap.
constexpr auto a_follower_commits_by_the_commit_of_the_append = [] {
    auto const b = follower(S2, Term{2}, {{Term{1}, Index{1}, 2}, {Term{2}, Index{3}, 2}});
    auto       append = heartbeat_of(Term{2}, {Term{2}, Index{4}}, Index{2});
    append.committed = Index{4};

    auto const after = checked_step(b, from(S1, append)).state;

    require(after.commit_index == Index{2}, "not more");
};
TOTORA_PROVE(a_follower_commits_by_the_commit_of_the_append, "5.3", "case_15");

} // namespace
} // namespace totora::test::commitment_tests
