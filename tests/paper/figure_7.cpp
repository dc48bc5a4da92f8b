// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// Figure 7: "When the leader at the top comes to power, it is possible that any of scenarios (a-f) could occur in follower logs."

namespace totora::test::figure_7_tests
{
namespace
{

/// The leader's ten entries, of terms 1 1 1 4 4 5 5 6 6 6.
constexpr auto log_at_the_top = [] {
    return log_of({{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 2}, {Term{5}, Index{6}, 2}, {Term{6}, Index{8}, 3}});
};

/// A leader of term 8 brings a follower with this log to its own; with so many appends that looked for the place of
/// agreement, the last of which found it at `agreement`.
constexpr void converges(TermRuns follower_log, std::uint64_t probes, Index agreement)
{
    auto servers = std::vector<State>{};
    servers.push_back(leader(server(S1, Term{7}, log_at_the_top())));
    servers.push_back(server(S2, Term{7}, std::move(follower_log)));
    servers.push_back(server(S3, Term{7}, TermRuns{}));
    auto cluster = Cluster{std::move(servers)};
    require(cluster[S1].log.last() == LogPosition{Term{8}, Index{11}}, "its term begins with an entry of its own");

    auto outstanding = from(S1, append_of(Term{8}, {Term{6}, Index{10}}, Term{8}, 1)); // With which S1 began.
    auto seen = std::uint64_t{0};
    auto last_probe = Index{};
    while (seen < 20) {
        ++seen;
        last_probe = std::get_if<AppendEntries>(&outstanding.body)->previous.index;
        cluster.arrives(S2, outstanding);
        cluster.persists(S2);
        cluster.deliver(S2, S1);
        if (not is_probing(cluster[S1], S2))
            break;
        outstanding = cluster.take(S1, S2);
        cluster.drop(S1, S2);
    }
    require(seen == probes, "so many probes are needed");
    require(last_probe == agreement, "and the last one finds this place");

    cluster.settle({S1, S2});
    require(cluster[S2].log == cluster[S1].log, "the follower's log is the leader's");
    require(cluster[S1].commit_index == Index{11}, "and all of it is committed");
}

constexpr auto follower_a_lacks_an_entry = [] {
    converges(log_of({{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 2}, {Term{5}, Index{6}, 2}, {Term{6}, Index{8}, 2}}),
              2, Index{9});
};
TOTORA_PROVE(follower_a_lacks_an_entry, "Figure 7", "5.3");

constexpr auto follower_b_lacks_many_entries = [] {
    converges(log_of({{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 1}}), 2, Index{4});
};
TOTORA_PROVE(follower_b_lacks_many_entries, "Figure 7", "5.3");

constexpr auto follower_c_has_an_entry_too_many = [] {
    converges(log_of({{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 2}, {Term{5}, Index{6}, 2}, {Term{6}, Index{8}, 4}}),
              1, Index{10});
};
TOTORA_PROVE(follower_c_has_an_entry_too_many, "Figure 7", "5.3");

constexpr auto follower_d_has_entries_of_a_later_term_too_many = [] {
    converges(log_of({{Term{1}, Index{1}, 3},
                      {Term{4}, Index{4}, 2},
                      {Term{5}, Index{6}, 2},
                      {Term{6}, Index{8}, 3},
                      {Term{7}, Index{11}, 2}}),
              1, Index{10});
};
TOTORA_PROVE(follower_d_has_entries_of_a_later_term_too_many, "Figure 7", "5.3");

constexpr auto follower_e_lacks_entries_and_has_others = [] {
    converges(log_of({{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 4}}), 2, Index{5});
};
TOTORA_PROVE(follower_e_lacks_entries_and_has_others, "Figure 7", "5.3");

constexpr auto follower_f_has_whole_terms_that_the_leader_lacks = [] {
    converges(log_of({{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 3}, {Term{3}, Index{7}, 5}}), 2, Index{3});
};
TOTORA_PROVE(follower_f_has_whole_terms_that_the_leader_lacks, "Figure 7", "5.3");

/// The text under the figure's question (§5.4.1): who of them votes for the leader at the top.
constexpr auto the_leader_gets_the_votes_of_all_but_those_with_more_up_to_date_logs = [] {
    auto const request = RequestVote{Term{8}, log_at_the_top().last()};
    auto const votes = [&](TermRuns log) {
        return checked_step(server(S2, Term{7}, std::move(log)), from(S1, request)).state.voted_for == S1;
    };
    auto c = log_at_the_top();
    c.append({Term{6}, Index{11}, 1});
    auto d = log_at_the_top();
    d.append({Term{7}, Index{11}, 2});

    require(votes(log_of({{Term{1}, Index{1}, 3}, {Term{4}, Index{4}, 1}})), "(b) is shorter");
    require(votes(log_of({{Term{1}, Index{1}, 3}, {Term{2}, Index{4}, 3}, {Term{3}, Index{7}, 5}})),
            "(f) is longer, and of an older term");
    require(not votes(std::move(c)), "(c) is longer, and of the same term");
    require(not votes(std::move(d)), "(d) is of a later term");
};
TOTORA_PROVE(the_leader_gets_the_votes_of_all_but_those_with_more_up_to_date_logs, "Figure 7", "5.4.1");

} // namespace
} // namespace totora::test::figure_7_tests
