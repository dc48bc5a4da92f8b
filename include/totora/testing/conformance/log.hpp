// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/testing/conformance/broken_law.hpp"
#include "totora/testing/conformance/findings.hpp"
#include "totora/testing/conformance/log_restart_laws.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/log_use_laws.hpp"
#include "totora/testing/conformance/log_user.hpp"

#include <cstdint>
#include <string>

namespace totora::conformance
{

/// The laws of `durable_log` that the compiler cannot check. For a log that keeps its data in files of ours
/// (`policy/files.hpp`), `LogCrashes` (log_crashes.hpp) looks at every crash besides.
///
/// `make()` gives a new `log_storage`. With threads, or a real disk, it takes some seconds.
template <typename Make>
[[nodiscard]] BrokenLaws check_log(Make make, std::uint64_t workloads = 20)
{
    auto       findings = Findings{};
    auto const check = [&](auto what) {
        auto storage = make();
        auto user = LogUser{storage, findings};
        what(user);
        storage.stop();
    };
    check([](auto& user) { LogUseLaws{user}.what_is_written_is_seen_at_once(); });
    check([](auto& user) { LogUseLaws{user}.what_is_synced_becomes_durable(); });
    check([](auto& user) { LogUseLaws{user}.pinned_entries_do_not_change(); });
    check([](auto& user) { LogRestartLaws{user}.configurations_come_back(); });
    check([](auto& user) { LogUseLaws{user}.a_failure_is_for_ever(); });
    check([](auto& user) { LogUseLaws{user}.no_room_can_end(); });
    for (auto seed = std::uint64_t{1}; seed <= workloads; ++seed)
        check([&](auto& user) { LogRestartLaws{user}.starts_find_what_was_durable(seed); });
    check([](auto& user) { LogRestartLaws{user}.damage_is_reported(); });
    return findings.broken();
}

} // namespace totora::conformance
