// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/payload.hpp"
#include "totora/log/reading/cold_blocks.hpp"
#include "totora/log/segmented/log_image.hpp"
#include "totora/log/snapshots/list_snapshots.hpp"
#include "totora/log/snapshots/snapshot_file_header.hpp"
#include "totora/log/snapshots/snapshot_store.hpp"
#include "totora/log/syncer.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The snapshots of one log: who writes them, and what the log's segments need to know of them.
///
/// Snapshots are long. Where the log has a thread, they have one of their own to be written, from the first job on, and are read on that of
/// the log's cold reads; any other syncer does their jobs with the log's work, one at a time.
template <log_files Files, log_syncer Syncer>
class LogSnapshots : public SnapshotStore<Files>
{
public:
    /// `aside` reads what is not to be waited for, if it is not null.
    LogSnapshots(Files& files, LogImage& image, std::uint64_t sync_bytes, ColdBlocks<Files, Syncer>* aside)
        : Store(files, image.identity, sync_bytes), image_(image), aside_(aside)
    {}

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

    /// As `read`; `not_now` until it was read on the thread of cold reads, which reads the next bytes ahead. What was read in vain is reported once.
    [[nodiscard]] Result<PinnedBytes, LogError>
    read_aside(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
    {
        auto const number = Store::number_of(id);
        if (aside_ == nullptr or not number or offset >= id.bytes)
            return Store::read(id, offset, bytes_max);
        auto const size = std::min(bytes_max, id.bytes - offset);
        auto const place = BlockPlace{true, *number, snapshot_file_header_size + offset};
        auto const block = aside_->find(place, size);
        if (not block) {
            aside_->request(place, size);
            return Unexpected{LogError{LogFailure::not_now, {}}};
        }
        if (block->bytes == nullptr)
            return Store::failure(block->failure);
        auto const skipped = place.offset - block->begin.offset;
        if (block->got < skipped + size)
            return Store::too_short(*number);
        if (auto const left = id.bytes - offset - size; left > 0)
            aside_->request({true, *number, place.offset + size}, std::min(bytes_max, left));
        return PinnedBytes{block->bytes, std::span{*block->bytes}.subspan(static_cast<std::size_t>(skipped),
                                                                          static_cast<std::size_t>(size))};
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
        if (writer_)
            writer_->stop();
    }

private:
    using Store = SnapshotStore<Files>;

    static constexpr bool has_thread = is_threaded<Syncer>;

    void request(Syncer& syncer)
    {
        if constexpr (has_thread) {
            if (not writer_)
                writer_.emplace().start([this] { return Store::work(); });
            writer_->request();
        } else {
            syncer.request();
        }
    }

    void note_change()
    {
        image_.newest_snapshot = Store::newest();
        for (auto const& one : Store::all())
            if (one.is_received) // An install asks for no room.
                image_.note_configurations(one.configurations, one.peers);
        if (aside_ != nullptr)
            aside_->drop_snapshots([this](std::uint64_t number) { return not Store::has(number); });
        if (show_)
            show_(Store::files());
    }

    LogImage&                  image_;
    ColdBlocks<Files, Syncer>* aside_;

    std::function<void(std::vector<SnapshotFile>)> show_;
    std::optional<Syncer>                          writer_; ///< Where the log has a thread.
};

} // namespace totora::inline v0
