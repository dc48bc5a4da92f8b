// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/conformance/snapshot/snapshot_attempt_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_boundary_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_chunk_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_file_laws.hpp"
#include "totora/testing/conformance/snapshot/snapshot_restart_laws.hpp"

#include <cstdint>

namespace totora::inline v0::conformance
{

/// The laws of `snapshot_log`. `check` calls what it is given with a user of a new log.
template <typename Check>
void check_snapshots_of_log(Check const& check, std::uint64_t workloads)
{
    check([](auto& user) { SnapshotFileLaws{user}.a_snapshot_that_is_whole_is_kept(); });
    check([](auto& user) { SnapshotFileLaws{user}.a_snapshot_is_read_as_it_was_written(); });
    check([](auto& user) { SnapshotAttemptLaws{user}.what_was_dropped_leaves_nothing(); });
    check([](auto& user) { SnapshotFileLaws{user}.a_snapshot_survives_until_it_is_removed(); });
    check([](auto& user) { SnapshotFileLaws{user}.snapshots_are_in_order(); });
    check([](auto& user) { SnapshotFileLaws{user}.what_was_read_of_a_snapshot_does_not_change(); });
    check([](auto& user) { SnapshotAttemptLaws{user}.snapshots_do_not_hinder_each_other(); });
    check([](auto& user) { SnapshotAttemptLaws{user}.the_end_of_a_snapshot_wakes(); });
    check([](auto& user) { SnapshotAttemptLaws{user}.no_room_for_a_snapshot_can_end(); });
    check([](auto& user) { SnapshotChunkLaws{user}.a_received_snapshot_is_kept(); });
    check([](auto& user) { SnapshotChunkLaws{user}.what_was_received_is_verified(); });
    check([](auto& user) { SnapshotChunkLaws{user}.a_failed_reception_leaves_nothing(); });
    check([](auto& user) { SnapshotChunkLaws{user}.another_snapshot_drops_what_was_received(); });
    check([](auto& user) { SnapshotChunkLaws{user}.dropped_chunks_are_gone(); });
    check([](auto& user) { SnapshotChunkLaws{user}.a_reception_continues_where_it_says(); });
    check([](auto& user) { SnapshotBoundaryLaws{user}.a_compacted_log_begins_after_its_base(); });
    check([](auto& user) { SnapshotBoundaryLaws{user}.a_boundary_keeps_its_configurations(); });
    check([](auto& user) { SnapshotBoundaryLaws{user}.an_install_takes_the_place_of_the_log(); });
    check([](auto& user) { SnapshotBoundaryLaws{user}.boundaries_are_writes_of_the_sequence(); });
    check([](auto& user) { SnapshotBoundaryLaws{user}.an_install_that_had_begun_is_finished(); });
    check([](auto& user) { SnapshotBoundaryLaws{user}.boundaries_of_any_size_are_kept(); });
    for (auto seed = std::uint64_t{1}; seed <= workloads; ++seed)
        check([&](auto& user) { SnapshotRestartLaws{user, seed}.starts_find_what_was_durable(); });
}

} // namespace totora::inline v0::conformance
