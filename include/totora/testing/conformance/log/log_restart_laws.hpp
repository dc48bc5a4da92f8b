// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configuration.hpp"
#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/configuration_entry.hpp"
#include "totora/data/entry.hpp"
#include "totora/data/identity.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/log/log_workload.hpp"
#include "totora/testing/conformance/log_storage.hpp"
#include "totora/testing/conformance/sample_entries.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// The laws of a log that is stopped and started again. See `check_log`.
template <typename Storage>
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
            for (auto step = 0; step < 40; ++step) {
                workload.step(**found);
                user_.look(**found, workload);
            }
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
        auto*      log = user_.start();
        auto const first = first_configuration(sample_identity());
        auto const servers = std::vector<std::vector<std::uint64_t>>{{1, 2}, {1, 3}, {1, 2, 3, 4}};
        auto       configurations = std::vector<Configuration>{first};
        auto       peers = std::vector<std::vector<Peer>>{first_peers(sample_identity())};
        auto const append = [&](std::size_t which) {
            auto const entries = configuration_entry(Term{1}, next(log->last().index), servers[which]);
            configurations.push_back(*decode_configuration(*entries.begin()));
            peers.push_back(decode_named_configuration(*entries.begin())->peers);
            user_.append(*log, entries);
            user_.append(*log, Term{1}, 40); // Far from each other.
        };
        auto const expect = [&](std::size_t newest, std::size_t before) {
            log = user_.restart(*log, found_);
            user_.expect(log == nullptr or (found_.configuration == configurations[newest] and
                                            found_.previous_configuration == configurations[before]),
                         "the two newest configurations are recovered",
                         "In the log the newest ones are those of the indexes " +
                             std::to_string(configurations[newest].index.value) + " and " +
                             std::to_string(configurations[before].index.value) + ", and others were named.");
            user_.expect(log == nullptr or found_.peers == KnownPeers{peers[newest], peers[before]},
                         "the addresses of members are recovered", "Others were found than stand in these entries.");
            return log != nullptr;
        };
        if (log == nullptr)
            return;
        append(0);
        if (not expect(1, 0))
            return;
        append(1);
        append(2);
        if (not expect(3, 2))
            return;
        user_.truncate(*log, configurations[3].index);
        if (not expect(2, 1))
            return;
        user_.truncate(*log, next(configurations[1].index));
        if (not expect(1, 0))
            return;
        user_.truncate(*log, Index{1});
        (void)expect(0, 0);
    }

    /// The mark of a clean stop is that of the preceding start, and of no earlier one.
    void a_clean_stop_leaves_its_mark()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        auto const expect = [&](bool marked, std::string const& what) {
            auto const started = user_.open();
            log = started ? started->log : nullptr;
            user_.expect(not started or started->found.cleanly_stopped == marked, "a clean stop leaves its mark", what);
            return started.has_value();
        };
        auto const stop = [&] {
            user_.call("stop()");
            user_.storage().stop();
        };
        user_.append(*log, Term{1}, 3);
        user_.sync(*log);
        user_.settle(*log);
        stop();
        if (not expect(false, "It was never closed, and is reported as stopped cleanly."))
            return;
        close(*log);
        if (not expect(true, "It was closed, and is reported as stopped otherwise."))
            return;
        stop();
        if (not expect(false, "It was closed, started again and then stopped otherwise, without a write between, and "
                              "the mark is there."))
            return;
        user_.vote(*log, Term{2});
        close(*log);
        (void)expect(true, "It was closed, and is reported as stopped otherwise.");
    }

    void a_saved_commit_index_is_remembered()
    {
        auto* log = user_.start();
        if (log == nullptr)
            return;
        auto const save = [&](std::uint64_t index) {
            user_.call("save_commit(" + std::to_string(index) + ")");
            log->save_commit(Index{index});
            user_.vote(*log, Term{2 + index});
            user_.sync(*log);
            user_.settle(*log);
        };
        auto const expect = [&](std::uint64_t index) {
            user_.call("stop()");
            user_.storage().stop();
            auto const started = user_.open();
            log = started ? started->log : nullptr;
            auto const found = started ? started->found.commit_index.value : index;
            user_.expect(found <= index, "a recovered commit index was saved and is in the log",
                         "It is " + std::to_string(found) + ", and " + std::to_string(index) + " was saved.");
            user_.expect(found >= index, "a saved commit index is remembered",
                         "It is " + std::to_string(found) + ", and before a write that is durable " +
                             std::to_string(index) + " was saved.");
            return started.has_value();
        };
        user_.append(*log, Term{1}, 6);
        user_.sync(*log);
        user_.settle(*log);
        if (not expect(0))
            return;
        save(4);
        if (not expect(4))
            return;
        user_.append(*log, Term{9}, 6); // Carries no commit index.
        user_.sync(*log);
        user_.settle(*log);
        if (not expect(4))
            return;
        save(12);
        (void)expect(12);
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
                auto const is_found_by_reading = not content and (**opened).failure();
                user_.expect(not recovered or content == workload.current() or is_found_by_reading,
                             "damage is reported",
                             "A bit that was durable was flipped, and the log started with something else in it.");
            }
        }
    }

private:
    using Log = typename Storage::Log;

    void close(Log& log)
    {
        user_.call("close(), stop()");
        log.close();
        user_.storage().stop();
    }

    LogUser<Storage>& user_;
    Recovered         found_; ///< At the last start.
};

} // namespace totora::inline v0::conformance
