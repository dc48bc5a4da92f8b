// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/log/segmented/log_image.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/snapshot_store.hpp"
#include "totora/log/syncer.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The snapshots of one log: who writes them, and what the log's segments need to know of them.
///
/// Snapshots are long. Where the log has a thread, they have one of their own, from the first job on; any other syncer does their jobs
/// with the log's work, one at a time.
template <log_files Files, log_syncer Syncer>
class LogSnapshots : public SnapshotStore<Files>
{
public:
    LogSnapshots(Files& files, LogImage& image) : Store(files, image.identity), image_(image) {}

    /// Sets what is called with all of them whenever they are others than before.
    void on_change(std::function<void(std::vector<SnapshotFile>)> show) { show_ = std::move(show); }

    /// Lists those in files of these names.
    [[nodiscard]] Result<Done, LogError> open(std::vector<std::string> const& names)
    {
        auto opened = Store::open(names, image_.boundary.base.index);
        note_change();
        return opened;
    }

    /// The syncer is about to start. `wake` is called, on another thread, when an attempt has ended.
    void connect(Syncer& syncer, std::function<void()> wake)
    {
        Store::connect([this, &syncer] { request(syncer); }, std::move(wake));
    }

    /// Does the next job, if that is for the syncer to do. Returns whether there are more.
    [[nodiscard]] bool work_for_syncer() noexcept { return not has_thread and Store::work(); }

    [[nodiscard]] std::optional<SnapshotEnd> next_end()
    {
        auto end = Store::next_end();
        if (end)
            note_change();
        return end;
    }

    void remove(SnapshotId const& id)
    {
        Store::remove(id);
        note_change();
    }

    /// Its install was written.
    void note_install(SnapshotId const& id)
    {
        Store::note_install(id);
        note_change();
    }

    /// Ends the thread. What was not done is left undone.
    void stop()
    {
        if (thread_)
            thread_->stop();
    }

private:
    using Store = SnapshotStore<Files>;

    static constexpr bool has_thread = is_threaded<Syncer>;

    void request(Syncer& syncer)
    {
        if constexpr (has_thread) {
            if (not thread_)
                thread_.emplace().start([this] { return Store::work(); });
            thread_->request();
        } else {
            syncer.request();
        }
    }

    void note_change()
    {
        image_.newest_snapshot = Store::newest();
        if (show_)
            show_(Store::files());
    }

    LogImage& image_;

    std::function<void(std::vector<SnapshotFile>)> show_;
    std::optional<ThreadSyncer>                    thread_;
};

} // namespace totora::inline v0
