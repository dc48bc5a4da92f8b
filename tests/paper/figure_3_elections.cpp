// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// Figure 3: the five properties. `Cluster` asks all of them after every step; each of these scenarios would break one of
// them if one rule were missing.

namespace totora::test::figure_3_elections_tests
{
namespace
{

/// Election Safety: "at most one leader can be elected in a given term." Two candidates of one term, two voters that receive
/// them in opposite order, one that receives both twice.
constexpr auto two_candidates_of_one_term_are_not_both_elected = [] {
    auto settings = Settings{};
    settings.pre_vote = false;
    auto cluster = Cluster{5, settings};
    for (auto const server : {S1, S2, S3, S4, S5})
        cluster.finds_leader_silent(server);
    cluster.rings(S1, Alarm::election);
    cluster.rings(S2, Alarm::election);
    cluster.persists(S1);
    cluster.persists(S2);

    cluster.deliver(S1, S3);
    cluster.deliver(S2, S3);
    cluster.deliver(S2, S4);
    cluster.deliver(S1, S4);
    cluster.deliver(S1, S5);
    cluster.loses_power(S5); // Its vote never became durable, and its answer never left.
    cluster.finds_leader_silent(S5);
    cluster.deliver(S2, S5);
    cluster.settle({S1, S2, S3, S4, S5});

    require(is_follower(cluster[S1]) and known_leader(cluster[S1]) == S2, "one of them follows");
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{1}, "the other leads");
};
TOTORA_PROVE(two_candidates_of_one_term_are_not_both_elected, "Figure 3", "5.2");

/// Leader Completeness: "if a log entry is committed in a given term, then that entry will be present in the logs of the
/// leaders for all higher-numbered terms." The one server that lacks it cannot win, whatever its term.
constexpr auto a_server_without_a_committed_entry_is_not_elected = [] {
    auto cluster = Cluster{3};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.happens(S1, Proposed{1});
    cluster.settle({S1, S2});
    require(cluster[S1].commit_index == Index{2}, "committed by S1 and S2");
    require(last_index(cluster[S3]) == Index{1}, "S3 lacks it");

    cluster.campaigns(S3, {S2, S3});
    require(not is_leader(cluster[S3]), "S2 refuses S3");
    cluster.campaigns(S2, {S2, S3});

    require(is_leader(cluster[S2]), "S3 does not refuse S2");
    require(cluster[S2].log.holds({Term{1}, Index{2}}), "which has the entry");
    require(cluster[S3].log == cluster[S2].log, "and brings it to S3");
};
TOTORA_PROVE(a_server_without_a_committed_entry_is_not_elected, "Figure 3", "5.4", "5.4.3");

} // namespace
} // namespace totora::test::figure_3_elections_tests
