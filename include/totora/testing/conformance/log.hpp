// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/node/snapshots/has_snapshots.hpp"
#include "totora/policy/adapter.hpp"
#include "totora/testing/conformance/law_violation.hpp"
#include "totora/testing/conformance/log/log_content_laws.hpp"
#include "totora/testing/conformance/log/log_restart_laws.hpp"
#include "totora/testing/conformance/log/log_room_laws.hpp"
#include "totora/testing/conformance/log/log_use_laws.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/snapshot/check_snapshots.hpp"
#include "totora/testing/conformance/violations.hpp"

#include <cstdint>
#include <exception>
#include <string>

namespace totora::inline v0::conformance
{

/// The laws of `durable_log` that the compiler cannot check. For a log that keeps its data in files of ours
/// (`policy/files.hpp`), `LogCrashes` (log_crashes.hpp) also checks every crash.
///
/// Of a `snapshot_log` its laws are checked, too: what is kept of snapshots, and where the log begins.
///
/// `make()` gives a new `log_storage`. With threads, or a real disk, it takes some seconds.
template <typename Make>
[[nodiscard]] LawViolations check_log(Make make, std::uint64_t workloads = 20)
{
    using Storage = decltype(make());
    static_assert(log_storage<Storage>, "testing/conformance/log_storage.hpp lists what a storage needs");
    auto       violations = Violations{};
    auto const check = [&](auto what) {
        auto storage = make();
        auto user = LogUser<Storage>{storage, violations};
        auto thrown = std::string{};
        try {
            what(user);
        } catch (std::exception const& exception) {
            thrown = std::string{"A call threw: "} + exception.what();
        } catch (...) {
            thrown = "A call threw.";
        }
        violations.expect(thrown.empty(), "no call throws", thrown);
        storage.stop();
    };
    check([](auto& user) { LogUseLaws{user}.what_is_written_is_seen_at_once(); });
    check([](auto& user) { LogUseLaws{user}.a_read_beyond_the_end_is_empty(); });
    check([](auto& user) { LogUseLaws{user}.what_replaces_a_suffix_is_read_in_its_place(); });
    check([](auto& user) { LogUseLaws{user}.what_is_synced_becomes_durable(); });
    check([](auto& user) { LogUseLaws{user}.what_becomes_durable_wakes(); });
    check([](auto& user) { LogUseLaws{user}.pinned_entries_do_not_change(); });
    check([](auto& user) { LogRestartLaws{user}.configurations_come_back(); });
    check([](auto& user) { LogContentLaws{user}.entries_come_back_byte_for_byte(); });
    check([](auto& user) { LogContentLaws{user}.numbers_of_any_size_are_kept(); });
    check([](auto& user) { LogContentLaws{user}.a_long_log_is_kept(); });
    check([](auto& user) { LogRestartLaws{user}.a_saved_commit_index_is_remembered(); });
    check([](auto& user) { LogRestartLaws{user}.a_clean_stop_leaves_its_mark(); });
    check([](auto& user) { LogUseLaws{user}.a_failure_is_permanent(); });
    check([](auto& user) { LogRoomLaws{user}.no_room_can_end(); });
    check([](auto& user) { LogRoomLaws{user}.what_there_is_room_for_is_written(); });
    for (auto seed = std::uint64_t{1}; seed <= workloads; ++seed)
        check([&](auto& user) { LogRestartLaws{user}.starts_find_what_was_durable(seed); });
    check([](auto& user) { LogRestartLaws{user}.damage_is_reported(); });
    if constexpr (offers<typename Storage::Log, KeepsSnapshots>())
        check_snapshots_of_log(check, workloads);
    return violations.broken();
}

} // namespace totora::inline v0::conformance
