// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// Figure 3: the five properties. `Cluster` asks all of them after every step; each of these scenarios would break one of
// them if one rule were missing.

namespace totora::test::figure_3_logs_tests
{
namespace
{

/// Leader Append-Only: "a leader never overwrites or deletes entries in its log; it only appends new entries." Not at the
/// word of another leader of its term either.
constexpr auto a_leader_never_removes_its_entries = [] {
    auto const server = leader(follower(S1, Term{1}, {{Term{1}, Index{1}, 2}}));

    for (auto const& message :
         {from(S2, append_of(Term{2}, {Term{1}, Index{1}}, Term{2}, 5)), from(S2, append_of(Term{2}, {}, Term{2}, 1)),
          from(S2, append_of(Term{1}, {Term{1}, Index{1}}, Term{1}, 5))}) {
        auto const after = checked_step(server, message).state;

        require(after.log == server.log and is_leader(after), "the log stays, and so does the leader");
    }
};
TOTORA_PROVE(a_leader_never_removes_its_entries, "Figure 3", "5.3");

/// Log Matching: "if two logs contain an entry with the same index and term, then the logs are identical in all entries up
/// through the given index." Leaders that come and go, each with entries nobody else has.
constexpr auto logs_that_share_an_entry_share_all_before_it = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.happens(S1, Proposed{2});
    cluster.persists(S1);
    cluster.drop_all();
    cluster.campaigns(S2, {S2, S3});
    cluster.happens(S2, Proposed{3});
    cluster.persists(S2);
    cluster.drop(S2, S1);
    cluster.deliver_all(S2, S3);
    cluster.loses_power(S3);
    cluster.drop_all();
    cluster.rings(S1, Alarm::quorum_check); // It received responses in this interval,
    cluster.rings(S1, Alarm::quorum_check); // and not in the next.
    cluster.campaigns(S1, {S1, S3});        // It learns that there was a newer term.
    cluster.campaigns(S3, {S1, S3});
    cluster.rings(S3, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});

    require(cluster[S1].log == cluster[S3].log and cluster[S2].log == cluster[S3].log, "all logs are one");
    require(cluster[S3].log == log_of({{Term{1}, Index{1}, 1}, {Term{2}, Index{2}, 1}, {Term{3}, Index{3}, 1}}),
            "without the entries that only S1 or S2 had");
    require(cluster[S3].commit_index == Index{3}, "and committed");
};
TOTORA_PROVE(logs_that_share_an_entry_share_all_before_it, "Figure 3", "5.3");

} // namespace
} // namespace totora::test::figure_3_logs_tests
