// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/result.hpp"
#include "totora/core/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log_content.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/log_user.hpp"
#include "totora/testing/conformance/log_workload.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace totora::conformance
{

/// The laws of a log that is stopped and started again. See `check_log`.
template <log_storage Storage>
class LogRestartLaws
{
public:
    explicit LogRestartLaws(LogUser<Storage>& user) : user_(user) {}

    /// Several lives of one log, each ended in the middle.
    void starts_find_what_was_durable(std::uint64_t seed)
    {
        user_.begin("a new log, and the workload " + std::to_string(seed));
        auto workload = Workload{seed};
        for (auto life = 1; life <= 4; ++life) {
            auto const found = user_.restart(workload);
            if (not found)
                return;
            for (auto step = 0; step < 40; ++step)
                workload.step(**found);
            if (life == 3) {
                user_.stop_cleanly(**found, workload);
                continue;
            }
            user_.call("40 writes and syncs, of which " + std::to_string(workload.durable()) + " of " +
                       std::to_string(workload.writes()) + " writes are durable; stop()");
            user_.storage().stop();
        }
        (void)user_.restart(workload);
    }

    void configurations_come_back()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        for (auto const& servers : {std::vector<std::uint64_t>{1, 2}, {1, 3}, {1, 2, 3, 4}}) {
            user_.call("append a configuration");
            log->append(user_.next_write(), configuration_entry(Term{1}, next(log->last().index), servers));
        }
        user_.truncate(*log, Index{3});
        user_.sync(*log);
        log->close();
        user_.storage().stop();
        user_.call("close(), open(), recover()");
        auto       opened = user_.storage().open();
        auto const recovered = opened ? (**opened).recover() : Result<Recovered, LogError>{Recovered{}};
        user_.expect(opened and recovered and recovered->configuration.index == Index{2} and
                         recovered->previous_configuration.index == Index{1},
                     "the two newest configurations are recovered",
                     "Those of the indexes 1 and 2 are in the log, and others were named.");
    }

    void damage_is_reported()
    {
        if constexpr (requires { user_.storage().damaged(std::uint64_t{0}); }) {
            auto workload = Workload{3};
            auto found = user_.restart(workload);
            if (not found)
                return;
            for (auto step = 0; step < 40; ++step)
                workload.step(**found);
            user_.stop_cleanly(**found, workload);
            for (auto place = std::uint64_t{0};; ++place) {
                auto copy = user_.storage().damaged(place);
                if (not copy)
                    return;
                auto opened = copy->open();
                if (not opened)
                    continue;
                auto const recovered = (**opened).recover();
                auto const content = recovered ? content_of(**opened, *recovered) : std::nullopt;
                if (recovered and content != workload.current())
                    user_.call("damaged(" + std::to_string(place) + "), open(), recover()");
                user_.expect(not recovered or content == workload.current(), "damage is reported",
                             "A bit that was durable was flipped, and the log started with something else in it.");
            }
        }
    }

private:
    LogUser<Storage>& user_;
};

} // namespace totora::conformance
