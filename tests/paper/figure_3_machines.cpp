// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// Figure 3: the five properties. `Cluster` asks all of them after every step; each of these scenarios would break one of
// them if one rule were missing.

namespace totora::test::figure_3_machines_tests
{
namespace
{

/// State Machine Safety: "if a server has applied a log entry at a given index to its state machine, no other server will
/// ever apply a different log entry for the same index." A leader cut off, its entries overwritten, then healed.
constexpr auto what_one_server_applied_no_other_applies_differently = [] {
    auto cluster = Cluster{5};
    cluster.campaigns(S1, {S1, S2, S3, S4, S5});
    cluster.happens(S1, Proposed{4});
    cluster.settle({S1, S2}); // On S1 and S2 only: not committed.
    require(cluster[S1].commit_index == Index{1}, "two of five are too few");

    cluster.campaigns(S3, {S3, S4, S5});
    cluster.happens(S3, Proposed{1});
    cluster.settle({S3, S4, S5});
    require(cluster[S3].apply_index == Index{3}, "others are committed in their place, and applied");
    cluster.rings(S3, Alarm::heartbeat);
    cluster.settle({S1, S2, S3, S4, S5});

    for (auto const server : {S1, S2, S3, S4, S5}) {
        require(cluster[server].log == log_of({{Term{1}, Index{1}, 1}, {Term{2}, Index{2}, 2}}), "the same everywhere");
        require(cluster[server].apply_index >= Index{1} and cluster[server].apply_index <= Index{3},
                "and only that is applied");
    }
};
TOTORA_PROVE(what_one_server_applied_no_other_applies_differently, "Figure 3", "5.4.3");

} // namespace
} // namespace totora::test::figure_3_machines_tests
