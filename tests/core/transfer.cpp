// SPDX-License-Identifier: BSL-1.0
#include "support/cluster.hpp"
#include "support/prove.hpp"

#include <cstdint>
#include <optional>
#include <variant>

// Dissertation 3.10: a leader hands over. It changes when an election is, and nothing else.

namespace totora::test::transfer_tests
{
namespace
{

[[nodiscard]] constexpr bool is_refused(Outgoing const& outgoing, Refusal why)
{
    auto const* refused = outgoing.answer ? std::get_if<Refused>(&*outgoing.answer) : nullptr;
    return refused != nullptr and refused->why == why and outgoing.writes.empty() and outgoing.messages.empty();
}

[[nodiscard]] constexpr bool is_started(Outgoing const& outgoing, ServerId to)
{
    return outgoing.answer == std::optional<Answer>{TransferStarted{to}};
}

[[nodiscard]] constexpr bool has_ended(Outgoing const& outgoing, TransferEnd how)
{
    return outgoing.transfer_ended == std::optional<TransferEnd>{how};
}

/// S1 leads in term 1, and everything is everywhere.
[[nodiscard]] constexpr Cluster led_by_a(Settings const& settings = {})
{
    auto cluster = Cluster{3, settings};
    cluster.campaigns(S1, {S1, S2, S3});
    cluster.happens(S1, Proposed{1});
    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S1]) and cluster[S1].commit_index == Index{2}, "S1 leads");
    return cluster;
}

constexpr auto the_target_campaigns_at_once_and_is_elected = [] {
    auto cluster = led_by_a();
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S2, S3});
    require(cluster[S3].leader_recently_active, "S3 is sticky to S1");

    cluster.happens(S1, TransferRequested{S2});
    require(is_started(cluster.outgoing(), S2) and arms(cluster.outgoing(), Alarm::transfer), "the transfer begins");
    require(sent<TimeoutNow>(cluster.outgoing(), S2).size() == 1, "S2 has everything, and is asked");

    cluster.deliver(S1, S2);
    require(is_candidate(cluster[S2]) and cluster[S2].current_term == Term{2}, "there is no pre-vote");
    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S2]) and is_follower(cluster[S1]), "and S1 and S3 vote, sticky as they are");
    require(cluster[S2].commit_index == Index{3}, "S2 commits");
};
TOTORA_PROVE(the_target_campaigns_at_once_and_is_elected, "dissertation 3.10", "case_61");

/// A heartbeat of the old term is delivered right after: the candidate is in the new term, and ignores it.
constexpr auto a_late_heartbeat_does_not_end_the_campaign = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, TransferRequested{S2});
    auto const asks = cluster.take(S1, S2);
    cluster.rings(S1, Alarm::heartbeat);
    auto const beat = cluster.take(S1, S2);

    cluster.arrives(S2, asks);
    cluster.arrives(S2, beat);
    require(is_candidate(cluster[S2]) and cluster[S2].current_term == Term{2}, "S2 goes on");
};
TOTORA_PROVE(a_late_heartbeat_does_not_end_the_campaign, "dissertation 3.10", "case_61");

constexpr auto a_target_that_lacks_entries_is_brought_up_to_date_first = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, Proposed{5});
    cluster.drop(S1, S2);
    cluster.settle({S1, S3});

    cluster.happens(S1, TransferRequested{S2});
    require(sent<TimeoutNow>(cluster.outgoing(), S2).empty(), "what was sent, and is not acknowledged, is not enough");
    require(is_refused(cluster.happens(S1, Proposed{1}), Refusal::transfer_under_way), "proposals are refused");
    require(std::get_if<Refused>(&*cluster.outgoing().answer)->leader == S2, "and S2 is named");

    for (auto beats = 0; beats < 2; ++beats) { // Of the second it is known that nothing was answered since the first.
        cluster.rings(S1, Alarm::heartbeat);
        cluster.settle({S1, S2, S3});
    }
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{2}, "one election, and S2 leads");
    require(cluster[S2].commit_index == Index{8}, "with all that was proposed");
};
TOTORA_PROVE(a_target_that_lacks_entries_is_brought_up_to_date_first, "dissertation 3.10", "case_59");

constexpr auto a_transfer_that_takes_too_long_ends_with_normal_service = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, TransferRequested{S2});
    cluster.drop_all();

    cluster.rings(S1, Alarm::transfer);
    require(has_ended(cluster.outgoing(), TransferEnd::timed_out), "S2 did not take over");
    cluster.happens(S1, Proposed{1});
    require(std::holds_alternative<Accepted>(*cluster.outgoing().answer), "proposals are accepted again");
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{1}, "in the same term");
};
TOTORA_PROVE(a_transfer_that_takes_too_long_ends_with_normal_service, "dissertation 3.10", "case_60");

constexpr auto a_transfer_goes_to_another_voter_or_is_refused_by_name = [] {
    auto cluster = led_by_a();
    require(is_refused(cluster.happens(S1, TransferRequested{S1}), Refusal::leads_already), "to itself");
    require(is_refused(cluster.happens(S1, TransferRequested{S5}), Refusal::no_successor), "to nobody it knows");
    require(is_refused(cluster.happens(S2, TransferRequested{S3}), Refusal::not_leader), "by a follower");

    cluster.happens(S1, TransferRequested{S2});
    cluster.drop_all();
    cluster.happens(S1, TransferRequested{S2});
    require(is_started(cluster.outgoing(), S2) and not arms(cluster.outgoing(), Alarm::transfer), "again: it goes on");
    cluster.happens(S1, TransferRequested{S3});
    require(is_started(cluster.outgoing(), S3) and has_ended(cluster.outgoing(), TransferEnd::replaced),
            "to another: in place of the first");
    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S3]), "which takes over");
};
TOTORA_PROVE(a_transfer_goes_to_another_voter_or_is_refused_by_name, "dissertation 3.10", "case_60");

constexpr auto without_a_name_it_goes_to_who_has_most_of_the_log = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, Proposed{5});
    cluster.drop(S1, S2);
    cluster.settle({S1, S3});

    cluster.happens(S1, TransferRequested{nobody});
    require(is_started(cluster.outgoing(), S3) and sent<TimeoutNow>(cluster.outgoing(), S3).size() == 1, "S3 has all");
};
TOTORA_PROVE(without_a_name_it_goes_to_who_has_most_of_the_log, "dissertation 3.10");

constexpr auto the_question_is_asked_again_with_each_heartbeat = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, TransferRequested{S2});
    cluster.drop_all();

    cluster.rings(S1, Alarm::heartbeat);
    require(sent<TimeoutNow>(cluster.outgoing(), S2).size() == 1, "the first may be lost");
    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S2]), "and S2 leads");
};
TOTORA_PROVE(the_question_is_asked_again_with_each_heartbeat, "dissertation 3.10", "case_59");

constexpr auto of_a_question_that_is_late_or_comes_again_nothing_follows = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, TransferRequested{S2});
    auto const asks = cluster.take(S1, S2);
    cluster.arrives(S2, asks);
    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S2]) and cluster[S2].current_term == Term{2}, "S2 took over");

    cluster.arrives(S2, asks);
    require(noted(cluster.outgoing(), Decision::timeout_now_outdated) and cluster[S2].current_term == Term{2},
            "again: one campaign only");
    cluster.campaigns(S3, {S1, S2, S3});
    require(is_leader(cluster[S3]) and cluster[S3].current_term == Term{3}, "S3 leads by now");
    cluster.arrives(S2, asks);
    require(noted(cluster.outgoing(), Decision::timeout_now_outdated) and is_follower(cluster[S2]),
            "late: a healthy leader stays");
};
TOTORA_PROVE(of_a_question_that_is_late_or_comes_again_nothing_follows, "dissertation 3.10", "case_62");

constexpr auto a_question_of_an_earlier_term_of_the_same_leader_is_outdated = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, TransferRequested{S2});
    auto const asks = cluster.take(S1, S2);
    cluster.rings(S1, Alarm::transfer);
    cluster.campaigns(S3, {S1, S2, S3});
    cluster.campaigns(S1, {S1, S2, S3});
    require(is_leader(cluster[S1]) and known_leader(cluster[S2]) == S1, "S1 leads again");
    require(cluster[S1].current_term == Term{3}, "in a later term");

    cluster.arrives(S2, asks);
    require(noted(cluster.outgoing(), Decision::timeout_now_outdated) and is_follower(cluster[S2]),
            "what it asked in the first term counts no more");
};
TOTORA_PROVE(a_question_of_an_earlier_term_of_the_same_leader_is_outdated, "dissertation 3.10", "case_62");

constexpr auto a_question_before_the_entries_are_durable_is_not_obeyed = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, Proposed{1});
    cluster.deliver(S1, S2);

    cluster.arrives(S2, from(S1, TimeoutNow{Term{1}, {Term{1}, Index{3}}}));
    require(noted(cluster.outgoing(), Decision::timeout_now_premature) and is_follower(cluster[S2]),
            "its disk has yet to write the last entry");
    cluster.persists(S2);
    cluster.arrives(S2, from(S1, TimeoutNow{Term{1}, {Term{1}, Index{4}}}));
    require(noted(cluster.outgoing(), Decision::timeout_now_premature), "of an entry that it lacks it knows nothing");
    cluster.arrives(S2, from(S1, TimeoutNow{Term{1}, {Term{1}, Index{3}}}));
    require(is_candidate(cluster[S2]), "now it campaigns");
};
TOTORA_PROVE(a_question_before_the_entries_are_durable_is_not_obeyed, "dissertation 3.10", "case_62");

/// The fourth run of case 62: the transfer has timed out, and then its question arrives. The term is the current one: it is obeyed.
constexpr auto a_question_of_a_transfer_that_timed_out_is_obeyed = [] {
    auto cluster = led_by_a();
    cluster.happens(S1, TransferRequested{S2});
    cluster.rings(S1, Alarm::transfer);

    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S2]) and is_follower(cluster[S1]), "votes and logs decide, as ever");
};
TOTORA_PROVE(a_question_of_a_transfer_that_timed_out_is_obeyed, "dissertation 3.10", "case_62");

constexpr auto nobody_else_may_ask = [] {
    auto cluster = led_by_a();
    cluster.arrives(S2, from(S3, TimeoutNow{Term{1}, {Term{1}, Index{2}}}));
    require(noted(cluster.outgoing(), Decision::timeout_now_outdated) and is_follower(cluster[S2]), "S3 does not lead");
    cluster.arrives(S1, from(S3, TimeoutNow{Term{1}, {Term{1}, Index{2}}}));
    require(noted(cluster.outgoing(), Decision::violation_second_leader) and is_leader(cluster[S1]),
            "S1 leads, and no correct server asks it");
};
TOTORA_PROVE(nobody_else_may_ask, "dissertation 3.10", "case_62");

constexpr auto a_server_campaigns_by_hand_and_asks_first = [] {
    auto cluster = led_by_a();
    cluster.happens(S2, CampaignRequested{});
    require(is_pre_candidate(cluster[S2]), "it asks whether it would win, as ever");
    cluster.settle({S1, S2, S3});
    require(is_leader(cluster[S1]) and cluster[S1].current_term == Term{1}, "it would not: S1 is active");
    cluster.happens(S1, CampaignRequested{});
    require(is_leader(cluster[S1]) and did_nothing(cluster.outgoing()), "a leader leads on");
};
TOTORA_PROVE(a_server_campaigns_by_hand_and_asks_first, "5.2");

/// What the leader itself appends waits for no transfer: a joint configuration is left as soon as it is committed.
constexpr auto leaving_a_joint_configuration_waits_for_no_transfer = [] {
    auto cluster = Cluster{3, Settings{}, 2};
    cluster.campaigns(S1, {S1, S2, S3});
    auto target = ServerId{1};
    auto members = Members{};
    for (auto const id : {target, S4, S5})
        members.push_back({id, Incarnation{1}, MemberKind::voter});
    cluster.happens(S1, ChangeRequested{Index{}, members, false});
    cluster.settle({S1, S2, S3}); // The newcomers are learners, which is committed.
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S4, S5});
    require(is_joint(cluster[S1].configurations.in_force), "both halves have to agree, and S2 and S3 are away");

    cluster.happens(S1, TransferRequested{S2});
    require(is_started(cluster.outgoing(), S2), "S2 is a voter still");
    cluster.rings(S1, Alarm::heartbeat);
    cluster.settle({S1, S3, S4, S5});
    require(not is_joint(cluster[S1].configurations.in_force), "S3 is enough: the new members are appended");
    require(std::get_if<Leader>(&cluster[S1].role)->successor == nobody,
            "and S2 is none of them: the transfer is given up at once");
};
BOOST_AUTO_TEST_CASE(leaving_a_joint_configuration_waits_for_no_transfer_at_run_time,
                     TOTORA_LABELS("dissertation 3.10", "case_108"))
{
    leaving_a_joint_configuration_waits_for_no_transfer();
}

} // namespace
} // namespace totora::test::transfer_tests
