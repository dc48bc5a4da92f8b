// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/types.hpp"
#include "totora/node/status.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kv
{

/// The answer to RAFT.SNAPSHOT.
struct SnapshotAnswer
{
    bool        is_durable = false; ///< All that was applied when it was asked for is in a durable snapshot.
    std::string what;               ///< Otherwise why not.
};

/// Those who have asked for a snapshot: each until one of all that was applied then is durable, or an attempt has ended without one.
///
/// What happens is noted in the middle of a turn of the node, and answered after it.
class SnapshotWaits
{
public:
    using Done = std::function<void(SnapshotAnswer const&)>;

    void add(totora::Index applied, Done done) { waiting_.push_back({applied, std::move(done)}); }

    void note(totora::SnapshotSaved const& saved) { keep(saved.snapshot.last.index); }
    void note(totora::MachineRestored const& restored) { keep(restored.snapshot.last.index); }
    void note(totora::SnapshotFailed const& failed)
    {
        if (failed.step != totora::SnapshotStep::capture and failed.step != totora::SnapshotStep::write)
            return;
        failure_ = failed.what;
        std::replace_if(
            failure_->begin(), failure_->end(), [](char letter) { return letter == '\r' or letter == '\n'; }, ' ');
    }

    /// Answers those for whom something has happened in this turn.
    void answer()
    {
        auto const failure = std::exchange(failure_, std::nullopt);
        for (auto& one : std::exchange(waiting_, {})) {
            if (one.applied <= kept_)
                one.done({true, "a snapshot up to entry " + std::to_string(kept_.value) + " is durable"});
            else if (failure)
                one.done({false, *failure});
            else
                waiting_.push_back(std::move(one));
        }
    }

    /// There will be no more snapshots.
    void end(std::string const& why)
    {
        for (auto const& one : std::exchange(waiting_, {}))
            one.done({false, why});
    }

private:
    void keep(totora::Index last) { kept_ = std::max(kept_, last); }

    struct Waiting
    {
        totora::Index applied;
        Done          done;
    };

    std::vector<Waiting>       waiting_;
    totora::Index              kept_;    ///< The last entry of the newest snapshot that was noted.
    std::optional<std::string> failure_; ///< Of an attempt, in this turn.
};

} // namespace kv
