// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/conformance/log/log_content.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"
#include "totora/testing/conformance/snapshot/snapshot_log_user.hpp"
#include "totora/testing/conformance/snapshot/snapshot_workload.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// Several lives of a log that takes snapshots, compacts and installs, each ended in the middle. See `check_log`.
template <typename Storage>
class SnapshotRestartLaws
{
public:
    using Log = typename Storage::Log;

    SnapshotRestartLaws(LogUser<Storage>& user, std::uint64_t seed)
        : user_(user), snapshots_(user), seed_(seed), workload_(seed, sample_identity())
    {}

    void starts_find_what_was_durable()
    {
        user_.begin("a new log, and the workload with snapshots " + std::to_string(seed_));
        for (auto life = 1; life <= 5; ++life) {
            auto const started = user_.open();
            if (not started or not is_right(*started->log, started->found))
                return;
            auto& log = *started->log;
            for (auto step = 0; step < 40; ++step) {
                if (not write(log))
                    return;
                workload_.note(log);
                user_.expect(log.last() == workload_.current().last(), "what is written is seen at once",
                             "last() is another one than after the last write.");
                user_.expect(not log.failure(), "a log does not fail by itself",
                             log.failure() ? log.failure()->what : "");
            }
            user_.call("40 writes and syncs, of which " + std::to_string(workload_.durable()) + " of " +
                       std::to_string(workload_.writes()) + " writes are durable; stop()");
            user_.storage().stop();
        }
    }

private:
    struct Kept
    {
        SampleSnapshot sample;
        bool           was_received = false;
    };

    /// One step; false if a snapshot could not be stored.
    [[nodiscard]] bool write(Log& log)
    {
        auto const chance = workload_.random().below(100);
        if (chance < 25)
            log.sync();
        else if (chance < 33)
            workload_.vote(log);
        else if (chance < 40)
            workload_.truncate(log);
        else if (chance < 45)
            workload_.save_commit(log);
        else if (chance < 55)
            return take_and_compact(log);
        else if (chance < 61)
            return receive_and_install(log);
        else if (chance < 65)
            remove_one(log);
        else
            workload_.append(log);
        return true;
    }

    [[nodiscard]] bool take_and_compact(Log& log)
    {
        auto const base = workload_.position_to_compact();
        if (not base)
            return true;
        auto const sample = sample_snapshot(*base, workload_.current().configurations_at(base->index), 1500);
        if (not has(sample.id)) {
            if (not snapshots_.keep_own(log, sample))
                return false;
            kept_.push_back({sample, false});
        }
        if (workload_.random().below(4) > 0)
            workload_.compact(SnapshotLogUser<Storage>::files(log), *base);
        return true;
    }

    [[nodiscard]] bool receive_and_install(Log& log)
    {
        auto const sample = sample_snapshot(workload_.position_to_install(), 2500);
        if (has(sample.id))
            return true;
        if (not snapshots_.keep_received(log, sample))
            return false;
        kept_.push_back({sample, true});
        if (workload_.random().below(3) > 0)
            workload_.install(SnapshotLogUser<Storage>::files(log), sample);
        return true;
    }

    /// None from which a server could have to be restored: those below the base of every state that a crash may leave.
    void remove_one(Log& log)
    {
        auto const at = std::find_if(kept_.begin(), kept_.end(), [&](auto const& one) {
            return one.sample.id.last.index < found_base_ and one.sample.id.last.index < workload_.current().base.index;
        });
        if (at == kept_.end())
            return;
        SnapshotLogUser<Storage>::files(log).remove_snapshot(at->sample.id);
        kept_.erase(at);
    }

    [[nodiscard]] bool has(SnapshotId const& id) const
    {
        return std::any_of(kept_.begin(), kept_.end(), [&](auto const& one) { return one.sample.id == id; });
    }

    [[nodiscard]] static bool is_received(Log& log, SnapshotId const& id)
    {
        auto const& all = SnapshotLogUser<Storage>::files(log).snapshots();
        return std::any_of(all.begin(), all.end(), [&](auto const& one) { return one.id == id and one.is_received; });
    }

    /// Compares what a start found with what may be there; the workload continues after that.
    [[nodiscard]] bool is_right(Log& log, Recovered const& found)
    {
        auto content = content_of(log, found);
        user_.expect(content.has_value(), "what was recovered can be read", "An entry is not there, or not as it was.");
        if (not content)
            return false;
        auto const base = found.entries.base();
        auto&      entries = content->entries;
        entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(base.index.value));
        content->base = {};
        auto       state = workload_.find(base, *content, workload_.durable());
        auto const what = std::to_string(content->entries.size()) + " entries after " +
                          std::to_string(base.index.value) + " in term " + std::to_string(content->term.value) +
                          " were found.";
        auto const is_older = not state and workload_.find(base, *content, 0);
        user_.expect(not is_older, "durable writes survive",
                     "A write is missing that had been reported durable: " + what);
        user_.expect(state or is_older, "recovery gives a prefix", "After none of the writes was this there: " + what);
        if (not state)
            return false;
        auto const in_force = state->configurations_at(state->last_index());
        user_.expect(Configurations{found.configuration, found.previous_configuration} == in_force,
                     "a boundary keeps its configurations", "Others are recovered than the log held.");
        user_.expect(has_sample_peers(found), "the addresses of members are recovered",
                     "Others are recovered than the configurations of the log have.");
        found_base_ = base.index;
        for (auto const& [sample, was_received] : kept_) {
            auto const installed = std::find(state->installed.begin(), state->installed.end(), sample.id);
            // One that the log has been compacted past is either: its install would change nothing.
            auto const is_passed = sample.id.last.index <= base.index and not is_received(log, sample.id);
            snapshots_.expect_listed(log, sample,
                                     was_received and installed == state->installed.end() and not is_passed);
        }
        workload_.restart(*std::move(state));
        return true;
    }

    LogUser<Storage>&        user_;
    SnapshotLogUser<Storage> snapshots_;
    std::uint64_t            seed_;
    SnapshotWorkload         workload_;
    std::vector<Kept>        kept_;
    Index                    found_base_;
};

} // namespace totora::inline v0::conformance
