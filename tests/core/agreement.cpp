// SPDX-License-Identifier: BSL-1.0
#include "totora/core/rules/agreement.hpp"

#include "support/cluster.hpp"
#include "support/prove.hpp"

#include <initializer_list>

// What a cluster has agreed on (docs/cases.md, case 110): raised by an entry of its log when all members have announced that they can more.

namespace totora::test::agreement_tests
{
namespace
{

constexpr auto first = Abilities{};
constexpr auto second =
    Abilities{.formats = 2, .machine = 3, .entry_bytes_max = first.entry_bytes_max, .servers_max = 16};
constexpr auto between =
    Abilities{.formats = 1, .machine = 2, .entry_bytes_max = first.entry_bytes_max, .servers_max = 16};

/// S1 leads {S1, S2, S3} in term 1, and its no-op is committed. All run a newer program.
[[nodiscard]] constexpr Cluster led_by_a(std::uint64_t joiners = 0)
{
    auto settings = Settings{};
    settings.can = second;
    auto cluster = Cluster{3, settings, joiners};
    cluster.campaigns(S1, {S1, S2, S3});
    require(is_leader(cluster[S1]) and cluster[S1].commit_index == Index{1}, "S1 leads");
    return cluster;
}

[[nodiscard]] constexpr Configuration const& newest(Cluster const& cluster, ServerId server)
{
    return cluster[server].configurations.in_force;
}

/// S2 and S3 announce to S1 that they can what it can.
constexpr void announce_second(Cluster& cluster)
{
    cluster.happens(S1, Announced{S2, second});
    cluster.happens(S1, Announced{S3, second});
}

/// A change, asked of S1, that lets S4 in.
[[nodiscard]] constexpr ChangeRequested with_d(Cluster const& cluster, MemberKind kind)
{
    auto members = newest(cluster, S1).members;
    members.push_back({S4, Incarnation{1}, kind});
    return {newest(cluster, S1).index, members, false};
}

constexpr auto what_all_members_have_announced_is_agreed_by_an_entry = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, Announced{S2, second});
    require(newest(cluster, S1).agreed == first, "one is missing");
    cluster.happens(S1, Announced{S3, between});
    require(noted(cluster.outgoing(), Decision::agreement_raised), "all can more");
    require(newest(cluster, S1) == Configuration{Index{2}, newest(cluster, S2).members, between},
            "as much as each of them");
    require(agreed(cluster[S1]) == first, "and nothing is in force before it is committed");

    cluster.settle({S1, S2, S3});
    require(agreed(cluster[S1]) == between and not cluster[S1].membership.is_under_way(), "then it is");
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    require(agreed(cluster[S2]) == between and agreed(cluster[S3]) == between, "everywhere");

    cluster.happens(S1, Announced{S3, second});
    cluster.settle({S1, S2, S3});
    require(agreed(cluster[S1]) == second, "and more when the last one can more");
    cluster.happens(S1, Announced{S3, first});
    cluster.happens(S1, Announced{S2, second});
    require(newest(cluster, S1).agreed == second, "it is never lowered");
};
TOTORA_PROVE(what_all_members_have_announced_is_agreed_by_an_entry, "case_110");

constexpr auto a_learner_has_a_say_too = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, with_d(cluster, MemberKind::learner));
    cluster.settle({S1, S2, S3, S4});
    announce_second(cluster);
    require(newest(cluster, S1).agreed == first, "a learner stores what the others store");
    cluster.happens(S1, Announced{S4, second});
    require(newest(cluster, S1).agreed == second, "and has announced it");
};
TOTORA_PROVE(a_learner_has_a_say_too, "case_110");

constexpr auto no_change_begins_while_an_agreement_is_not_committed = [] {
    auto       cluster = led_by_a();
    auto const members = newest(cluster, S1).members;
    announce_second(cluster);
    auto const asked = ChangeRequested{newest(cluster, S1).index, members, false};
    cluster.happens(S1, asked);
    require(cluster.outgoing().answer == std::optional<Answer>{Refused{Refusal::change_under_way, S1}},
            "it is refused");

    cluster.settle({S1, S2, S3});
    cluster.happens(S1, asked);
    require(cluster.outgoing().answer == std::optional<Answer>{ChangeStarted{}}, "until it is");
};
TOTORA_PROVE(no_change_begins_while_an_agreement_is_not_committed, "case_110");

constexpr auto nothing_is_agreed_while_the_members_change = [] {
    auto cluster = led_by_a(1);
    cluster.happens(S1, with_d(cluster, MemberKind::voter));
    cluster.settle({S1, S2, S3});
    require(newest(cluster, S1).index <= cluster[S1].commit_index, "S4 is a learner that has caught up with nothing");
    for (auto const server : {S2, S3, S4})
        cluster.happens(S1, Announced{server, second});
    require(cluster[S1].membership.is_under_way() and newest(cluster, S1).agreed == first, "first the change");
    for (auto beats = 0; beats < 3; ++beats) {
        cluster.rings(S1, Alarm::heartbeat);
        cluster.settle({S1, S2, S3, S4});
    }
    require(newest(cluster, S1).members.size() == 4 and newest(cluster, S1).agreed == second, "then the agreement");
    require(agreed(cluster[S1]) == second, "which is committed");
};
TOTORA_PROVE(nothing_is_agreed_while_the_members_change, "case_110");

constexpr auto who_can_less_holds_up_the_others_until_it_is_removed = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, Announced{S2, second});
    cluster.happens(S1, Announced{S3, first});
    cluster.settle({S1, S2, S3});
    require(newest(cluster, S1).agreed == first, "S3 cannot more");
    auto members = Members{};
    for (auto const& member : newest(cluster, S1).members)
        if (member.id != S3)
            members.push_back(member);
    cluster.happens(S1, ChangeRequested{newest(cluster, S1).index, members, false});
    cluster.settle({S1, S2});
    require(newest(cluster, S1).members.size() == 2 and agreed(cluster[S1]) == second, "and is no member any more");
};
TOTORA_PROVE(who_can_less_holds_up_the_others_until_it_is_removed, "case_110");

constexpr auto an_agreement_that_is_truncated_was_never_in_force = [] {
    auto cluster = led_by_a();
    announce_second(cluster);
    cluster.persists(S1);
    cluster.drop_all();
    cluster.runs(S2, first);
    cluster.runs(S3, first);
    for (auto const server : {S2, S3})
        cluster.finds_leader_silent(server);
    cluster.campaigns(S2, {S2, S3});
    require(is_leader(cluster[S2]) and newest(cluster, S1).agreed == second, "others go on with what they had");
    require(agreed(cluster[S1]) == first, "which was in force everywhere");

    cluster.rings(S2, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    require(newest(cluster, S1).agreed == first and agreed(cluster[S1]) == first, "the entry is gone");
};
TOTORA_PROVE(an_agreement_that_is_truncated_was_never_in_force, "case_110", "5.3");

constexpr auto a_new_leader_is_told_again_and_goes_on = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, Announced{S2, second});
    for (auto const server : {S2, S3})
        cluster.finds_leader_silent(server);
    cluster.campaigns(S2, {S2, S3});
    cluster.happens(S2, Announced{S3, second});
    require(newest(cluster, S2).agreed == first, "what was announced to the last leader does not count");
    cluster.happens(S2, Announced{S1, second});
    cluster.settle({S2, S3});
    require(agreed(cluster[S2]) == second, "a majority commits it");
};
TOTORA_PROVE(a_new_leader_is_told_again_and_goes_on, "case_110");

constexpr auto a_configuration_that_lowers_what_is_committed_is_a_violation = [] {
    auto cluster = led_by_a();
    announce_second(cluster);
    cluster.settle({S1, S2, S3});
    cluster.happens(S1, with_d(cluster, MemberKind::learner));
    cluster.settle({S1, S2, S3});
    require(newest(cluster, S1).members.size() == 4 and newest(cluster, S1).agreed == second,
            "a change leaves it as it is");
    cluster.happens(S1, Proposed{1});
    auto message = cluster.take(S1, S2);
    auto lowered = AppendConfiguration{std::get<AppendEntries>(message.body), newest(cluster, S1)};
    lowered.configuration.index = lowered.entries.first;
    lowered.configuration.agreed = first;
    cluster.arrives(S2, from(S1, lowered));
    require(noted(cluster.outgoing(), Decision::violation_configuration), "by no correct leader");
};
TOTORA_PROVE(a_configuration_that_lowers_what_is_committed_is_a_violation, "case_110");

constexpr auto a_cluster_holds_no_more_members_than_all_of_them_can_name = [] {
    auto settings = Settings{};
    auto cluster = Cluster{3, settings, 1};
    auto recovered = cluster[S1];
    recovered.configurations.in_force.agreed.servers_max = 3;
    recovered.configurations.previous = recovered.configurations.in_force;
    auto lone = Cluster{{recovered, cluster[S2], cluster[S3]}};
    lone.campaigns(S1, {S1, S2, S3});
    lone.happens(S1, with_d(lone, MemberKind::learner));
    require(lone.outgoing().answer == std::optional<Answer>{Refused{Refusal::too_many_members, S1}}, "it is refused");
};
TOTORA_PROVE(a_cluster_holds_no_more_members_than_all_of_them_can_name, "case_110");

} // namespace
} // namespace totora::test::agreement_tests
