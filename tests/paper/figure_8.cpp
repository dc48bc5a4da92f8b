// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

// Figure 8 and §5.4.2: why a leader must not take an entry of an older term for committed because it counted its copies.
// In the figure the servers are S1 to S5; here S1 leads first, S5 after it.

namespace totora::test::figure_8_tests
{
namespace
{

/// Settings under which a test decides alone what is sent: one entry in an append, and no questions before a campaign.
constexpr auto one_at_a_time = [] {
    auto settings = Settings{};
    settings.append_entries_max = 1;
    settings.pre_vote = false;
    return settings;
};

/// A server that has 1/1, committed, and then these entries.
constexpr auto server_with = [](ServerId id, std::uint64_t voters, Term term, TermRuns log) {
    auto state = server(id, term, std::move(log), voters);
    state.settings = one_at_a_time();
    state.commit_index = Index{1};
    state.apply_index = Index{1};
    return state;
};

/// Figure 8 (b): S1 led term 2 and left 2/2 on S1 and S2; S5 led term 3 by the votes of S3 and S4, and wrote 2/3.
constexpr auto after_two_leaders = [] {
    auto const first = log_of({{Term{1}, Index{1}, 1}});
    auto const by_s1 = log_of({{Term{1}, Index{1}, 1}, {Term{2}, Index{2}, 1}});
    auto const by_s5 = log_of({{Term{1}, Index{1}, 1}, {Term{3}, Index{2}, 1}});
    auto       servers = std::vector<State>{};
    servers.push_back(server_with(S1, 5, Term{2}, by_s1));
    servers.push_back(server_with(S2, 5, Term{2}, by_s1));
    servers.push_back(server_with(S3, 5, Term{3}, first));
    servers.push_back(server_with(S4, 5, Term{3}, first));
    servers.push_back(server_with(S5, 5, Term{3}, by_s5));
    return Cluster{std::move(servers)};
};

/// S1 campaigns until it leads term 4 with the votes of S2 and S3; nothing that it then sent has arrived.
constexpr void s1_leads_term_4(Cluster& cluster)
{
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    cluster.drop_all(); // Term 3 was S5's.
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    for (auto const voter : {S2, S3}) {
        cluster.deliver(S1, voter);
        cluster.persists(voter);
        cluster.deliver(voter, S1);
    }
    cluster.drop(S1, S4);
    cluster.drop(S1, S5);
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{4}, "S1 leads term 4");
    require(last_position(cluster[S1]) == LogPosition{Term{4}, Index{3}}, "with 3/4 after 2/2");
}

/// S1 brings 2/2 to S3, and S2 and S3 answer; 3/4 is on its way to S3, and waits at S1 for a place in the window of S2.
constexpr void the_entry_of_term_2_reaches_a_majority(Cluster& cluster)
{
    cluster.persists(S1);
    cluster.drop(S1, S2);
    cluster.happens(S1, AppendsCut{S2, Index{2}});
    cluster.deliver(S1, S3); // 3/4, refused: S3 ends at 1/1.
    cluster.deliver(S3, S1);
    cluster.deliver(S1, S3); // 2/2.
    cluster.persists(S3);
    cluster.deliver(S3, S1);
    // S1 does not know yet that S2 holds 2/2: a heartbeat asks.
    cluster.rings(S1, Alarm::heartbeat);
    cluster.deliver_all(S1, S2);
    cluster.deliver_all(S2, S1);
    require(cluster[S3].log.holds({Term{2}, Index{2}}), "2/2 is on S1, S2 and S3");
    require(progress_of(cluster[S1], S2).match == Index{2} and progress_of(cluster[S1], S3).match == Index{2},
            "and S1 knows");
}

/// Figure 8 (c), (d): 2/2 is on a majority and not committed; S5 still wins, and overwrites it.
constexpr auto an_old_entry_on_a_majority_can_still_be_overwritten = [] {
    auto cluster = after_two_leaders();
    s1_leads_term_4(cluster);
    the_entry_of_term_2_reaches_a_majority(cluster);

    require(cluster[S1].commit_index == Index{1}, "three copies of 2/2 commit nothing");

    cluster.drop_all();
    cluster.rings(S5, Alarm::election);
    cluster.settle({S5}); // Term 4 was S1's.
    for (auto const server : {S2, S3})
        cluster.finds_leader_silent(server);
    cluster.rings(S5, Alarm::election);
    cluster.settle({S2, S3, S4, S5});
    require(is_leader(cluster[S5]) and cluster[S5].current_term == Term{5}, "S5 leads term 5 by S2, S3 and S4");
    for (auto const server : {S2, S3, S4, S5})
        require(cluster[server].log.holds({Term{3}, Index{2}}), "2/3 stands where 2/2 stood");
    require(cluster[S5].commit_index == Index{3}, "committed with the first entry of term 5");
};
TOTORA_PROVE(an_old_entry_on_a_majority_can_still_be_overwritten, "Figure 8", "5.4.2", "case_14");

/// Figure 8 (e): if 3/4 reaches a majority first, both are committed and S5 cannot win.
constexpr auto an_old_entry_is_committed_by_one_of_the_current_term = [] {
    auto cluster = after_two_leaders();
    s1_leads_term_4(cluster);
    the_entry_of_term_2_reaches_a_majority(cluster);

    cluster.happens(S1, AppendsResumed{S2});
    cluster.settle({S1, S2, S3});
    require(cluster[S1].commit_index == Index{3} and cluster[S1].apply_index == Index{3}, "2/2 and 3/4, together");

    cluster.rings(S5, Alarm::election);
    cluster.settle({S5});
    for (auto const server : {S2, S3})
        cluster.finds_leader_silent(server);
    cluster.rings(S5, Alarm::election);
    cluster.settle({S2, S3, S4, S5});
    require(not is_leader(cluster[S5]) and cluster[S5].current_term == Term{5}, "only S4 votes for S5");
    require(cluster[S2].current_term == Term{5} and not cluster[S2].voted_for,
            "S2 received the request and did not vote");
};
TOTORA_PROVE(an_old_entry_is_committed_by_one_of_the_current_term, "Figure 8", "5.4.2", "case_14");

/// The same in three servers: S1 leads term 2 (2/2 on S1), S2 term 3 with S3 (2/3 on S2), S1 term 4 with S3, and sends 2/2
/// to S3 without 3/4.
constexpr auto three_servers_s1_leads_term_4 = [] {
    auto servers = std::vector<State>{};
    servers.push_back(server_with(S1, 3, Term{3}, log_of({{Term{1}, Index{1}, 1}, {Term{2}, Index{2}, 1}})));
    servers.push_back(server_with(S2, 3, Term{3}, log_of({{Term{1}, Index{1}, 1}, {Term{3}, Index{2}, 1}})));
    servers.push_back(server_with(S3, 3, Term{3}, log_of({{Term{1}, Index{1}, 1}})));
    auto cluster = Cluster{std::move(servers)};
    cluster.rings(S1, Alarm::election);
    cluster.persists(S1);
    cluster.drop(S1, S2);
    cluster.deliver(S1, S3);
    cluster.persists(S3);
    cluster.deliver(S3, S1);
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{4}, "S1 leads term 4");
    cluster.persists(S1);
    cluster.drop(S1, S2);
    cluster.deliver(S1, S3); // 3/4, refused.
    cluster.deliver(S3, S1);
    cluster.deliver(S1, S3); // 2/2.
    cluster.persists(S3);
    cluster.deliver(S3, S1);
    require(progress_of(cluster[S1], S3).match == Index{2}, "2/2 is on two of three, and S1 knows");
    return cluster;
};

constexpr auto in_three_servers_an_old_entry_is_not_committed_by_counting = [] {
    auto cluster = three_servers_s1_leads_term_4();

    require(cluster[S1].commit_index == Index{1}, "two copies of 2/2 commit nothing");

    cluster.drop_all();
    cluster.rings(S2, Alarm::election);
    cluster.settle({S2}); // Term 4 was S1's.
    cluster.finds_leader_silent(S3);
    cluster.rings(S2, Alarm::election);
    cluster.settle({S2, S3});
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{5},
            "S2 leads term 5 by S3: 2/3 is newer than 2/2");
    require(cluster[S3].log.holds({Term{3}, Index{2}}) and cluster[S3].apply_index >= Index{1}, "and overwrites 2/2");
};
TOTORA_PROVE(in_three_servers_an_old_entry_is_not_committed_by_counting, "Figure 8", "5.4.2", "case_14");

constexpr auto in_three_servers_the_next_entry_commits_the_old_one = [] {
    auto cluster = three_servers_s1_leads_term_4();

    cluster.settle({S1, S3});
    require(cluster[S1].commit_index == Index{3}, "2/2 and 3/4, together");

    cluster.rings(S2, Alarm::election);
    cluster.settle({S2});
    cluster.finds_leader_silent(S3);
    cluster.rings(S2, Alarm::election);
    cluster.settle({S2, S3});
    require(not is_leader(cluster[S2]), "S3 does not vote for S2");
};
TOTORA_PROVE(in_three_servers_the_next_entry_commits_the_old_one, "Figure 8", "5.4.2", "case_14");

} // namespace
} // namespace totora::test::figure_8_tests
