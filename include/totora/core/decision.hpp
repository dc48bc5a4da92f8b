// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace totora::inline v0
{

/// What can happen in a step, by name. The world's behaviour is answered or ignored; a violation is what no correct
/// server can send: it changes nothing and is not answered. Not exhaustive: a `switch` over it needs a default.
enum class Decision : std::uint8_t
{
    // The course of elections.
    campaign_started,
    pre_vote_won,
    election_won,
    vote_granted,
    vote_withheld_stale_term,
    vote_withheld_already_cast,
    vote_withheld_log_outdated,
    vote_withheld_sticky_to_leader,
    vote_withheld_not_admitted,
    vote_withheld_no_room,
    stepped_down_newer_term,
    stepped_down_no_quorum,
    stepped_down_disk_hangs, ///< A quorum has durably what the own disk does not.
    stepped_down_no_room,    ///< A quorum has room, and one of it the whole log.
    leading_without_room,    ///< Nobody would do better: reads are served, proposals are refused.
    stepped_down_no_progress,
    stepped_down_removed, ///< The configuration that is committed names it as no voter.
    campaign_withheld_not_electable,
    campaign_withheld_removed, ///< Others have notified it that it is no member any more.
    campaign_withheld_exhausted,
    campaign_withheld_disk_hangs,
    campaign_withheld_no_room,
    newer_term_ignored_no_room, ///< It cannot be written, and so not be adopted.
    // The course of replication.
    append_accepted,
    append_refused_stale_term,
    append_refused_mismatch,
    conflict_truncated,
    refusal_outdated,
    probe_moved_back,
    room_exhausted,
    room_regained,
    follower_without_room,
    follower_with_room_again,
    link_renewed,
    // The course of snapshots.
    log_compacted,
    compaction_refused, ///< What is not applied, or what was in force there is forgotten.
    snapshot_needed,    ///< What a follower needs next is compacted.
    transfer_restarted, ///< Another snapshot than the one that a follower has parts of.
    chunk_unwanted,     ///< The follower needs none, or none of this snapshot.
    chunk_stored,
    chunk_out_of_order, ///< Answered with what is needed.
    chunk_outdated,     ///< Of an older snapshot than the leader sends by now.
    chunk_refused_no_room,
    snapshot_refused_stale_term,
    snapshot_superseded, ///< What it stands for is committed here, or in the log.
    snapshot_unexpected, ///< Another one is being received.
    snapshot_damaged,
    snapshot_installed,
    // The course of membership changes.
    change_started,
    change_given_up, ///< By who asked for it, or because newcomers or the new voters do not keep up.
    configuration_appended,
    joint_configuration_appended,
    agreement_raised,
    asker_not_a_member, ///< The sender of a pre-vote is notified of it.
    removal_learned,
    // The course of transfers.
    transfer_started,
    transfer_given_up, ///< The target did not take over, may not any more, or another one is to.
    timeout_now_sent,
    timeout_now_outdated,  ///< Of an earlier term, or of no leader of this one.
    timeout_now_premature, ///< What it speaks of is not durable here.
    // The world's behaviour.
    response_outdated,
    response_from_non_member,
    ring_outdated,
    // Violations.
    violation_sender,             ///< A message from nobody, or from this server itself.
    violation_number,             ///< A term, index or count that no server can have reached.
    violation_term_jump,          ///< A term so far above the own one that no cluster can have reached it since.
    violation_shape,              ///< Fields that contradict each other.
    violation_second_leader,      ///< Two leaders claim one term.
    violation_conflict_committed, ///< Asks to remove what is committed.
    violation_never_sent,         ///< Answers what was never asked.
    violation_configuration,      ///< A configuration that no log may hold, or one too many.
};

inline constexpr std::size_t decision_count = static_cast<std::size_t>(Decision::violation_configuration) + 1;

/// Whether a decision proves that another server, or a policy, is broken.
[[nodiscard]] constexpr bool is_violation(Decision decision) { return decision >= Decision::violation_sender; }

/// The names of the decisions in their order.
inline constexpr std::string_view decision_names[] = {
    "campaign_started",
    "pre_vote_won",
    "election_won",
    "vote_granted",
    "vote_withheld_stale_term",
    "vote_withheld_already_cast",
    "vote_withheld_log_outdated",
    "vote_withheld_sticky_to_leader",
    "vote_withheld_not_admitted",
    "vote_withheld_no_room",
    "stepped_down_newer_term",
    "stepped_down_no_quorum",
    "stepped_down_disk_hangs",
    "stepped_down_no_room",
    "leading_without_room",
    "stepped_down_no_progress",
    "stepped_down_removed",
    "campaign_withheld_not_electable",
    "campaign_withheld_removed",
    "campaign_withheld_exhausted",
    "campaign_withheld_disk_hangs",
    "campaign_withheld_no_room",
    "newer_term_ignored_no_room",
    "append_accepted",
    "append_refused_stale_term",
    "append_refused_mismatch",
    "conflict_truncated",
    "refusal_outdated",
    "probe_moved_back",
    "room_exhausted",
    "room_regained",
    "follower_without_room",
    "follower_with_room_again",
    "link_renewed",
    "log_compacted",
    "compaction_refused",
    "snapshot_needed",
    "transfer_restarted",
    "chunk_unwanted",
    "chunk_stored",
    "chunk_out_of_order",
    "chunk_outdated",
    "chunk_refused_no_room",
    "snapshot_refused_stale_term",
    "snapshot_superseded",
    "snapshot_unexpected",
    "snapshot_damaged",
    "snapshot_installed",
    "change_started",
    "change_given_up",
    "configuration_appended",
    "joint_configuration_appended",
    "agreement_raised",
    "asker_not_a_member",
    "removal_learned",
    "transfer_started",
    "transfer_given_up",
    "timeout_now_sent",
    "timeout_now_outdated",
    "timeout_now_premature",
    "response_outdated",
    "response_from_non_member",
    "ring_outdated",
    "violation_sender",
    "violation_number",
    "violation_term_jump",
    "violation_shape",
    "violation_second_leader",
    "violation_conflict_committed",
    "violation_never_sent",
    "violation_configuration",
};
static_assert(sizeof decision_names / sizeof *decision_names == decision_count);

/// The name of a decision, as metrics and traces spell it.
[[nodiscard]] constexpr std::string_view to_string(Decision decision)
{
    return decision_names[static_cast<std::size_t>(decision)];
}

} // namespace totora::inline v0
