// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/queue.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace totora::inline v0
{

/// The snapshots of a log in memory. What is finished is durable at once, unless a test holds it back; the rest is lost with the power.
class MemorySnapshots
{
public:
    /// A run of the server begins: what the last one had not finished is gone, but for the chunks that it received.
    void begin_run()
    {
        writing_.clear();
        finishing_.clear();
        ends_.clear();
    }

    void begin() { writing_.clear(); }
    void write(std::span<std::byte const> bytes) { writing_.insert(writing_.end(), bytes.begin(), bytes.end()); }
    void finish(SnapshotId const& id) { finish(id, std::exchange(writing_, {}), false); }
    void drop() { writing_.clear(); }

    void store_chunk(SnapshotId const& id, std::uint64_t offset, std::span<std::byte const> bytes)
    {
        if (offset == 0 or receiving_ != id)
            chunks_.clear();
        receiving_ = id;
        chunks_.insert(chunks_.end(), bytes.begin(), bytes.end());
    }

    void finish_chunks(SnapshotId const& id)
    {
        receiving_ = SnapshotId{};
        finish(id, std::exchange(chunks_, {}), true);
    }

    void drop_chunks()
    {
        receiving_ = SnapshotId{};
        chunks_.clear();
    }

    [[nodiscard]] std::optional<SnapshotEnd> next_end()
    {
        if (ends_.empty())
            return std::nullopt;
        return ends_.pop_front();
    }

    [[nodiscard]] std::vector<StoredSnapshot> const& all() const { return all_; }
    [[nodiscard]] SnapshotReception                  reception() const { return {receiving_, chunks_.size(), Term{}}; }

    [[nodiscard]] Result<PinnedBytes, LogError>
    read(SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max) const
    {
        auto const at = place_of(id);
        if (at == all_.size() or offset > bytes_[at]->size())
            return Unexpected{LogError{LogFailure::read_failed, "the log in memory does not keep that snapshot"}};
        auto const whole = std::span<std::byte const>{*bytes_[at]}.subspan(static_cast<std::size_t>(offset));
        return PinnedBytes{bytes_[at],
                           whole.first(static_cast<std::size_t>(std::min<std::uint64_t>(whole.size(), bytes_max)))};
    }

    void remove(SnapshotId const& id)
    {
        auto const at = static_cast<std::ptrdiff_t>(place_of(id));
        if (static_cast<std::size_t>(at) == all_.size())
            return;
        all_.erase(all_.begin() + at);
        bytes_.erase(bytes_.begin() + at);
    }

    /// Null if it is not kept.
    [[nodiscard]] StoredSnapshot const* find(SnapshotId const& id) const
    {
        auto const at = place_of(id);
        return at < all_.size() ? &all_[at] : nullptr;
    }

    /// Whether one of the server's own, or one of another server, whose install is not written.
    void mark(SnapshotId const& id, bool is_received)
    {
        if (auto const at = place_of(id); at < all_.size())
            all_[at].is_received = is_received;
    }

    /// From now on what is finished waits for `complete`.
    void hold() { held_ = true; }

    /// What was finished is durable, and from now on again at once.
    void complete()
    {
        held_ = false;
        while (not finishing_.empty())
            settle(finishing_.pop_front());
    }

    /// The next snapshot that is finished cannot be stored.
    void fail_next() { fails_next_ = true; }

    /// Changes the byte at `offset` of a snapshot, as a disk may.
    void damage(SnapshotId const& id, std::uint64_t offset)
    {
        auto const at = place_of(id);
        auto       bytes = std::make_shared<std::vector<std::byte>>(*bytes_[at]);
        (*bytes)[static_cast<std::size_t>(offset)] ^= std::byte{1};
        bytes_[at] = std::move(bytes);
    }

    /// Cuts the power.
    void crash()
    {
        begin_run();
        drop_chunks();
    }

private:
    struct Finishing
    {
        SnapshotId             id;
        std::vector<std::byte> bytes;
        bool                   is_received = false;
    };

    [[nodiscard]] std::size_t place_of(SnapshotId const& id) const
    {
        auto at = std::size_t{0};
        while (at < all_.size() and all_[at].id != id)
            ++at;
        return at;
    }

    void finish(SnapshotId const& id, std::vector<std::byte> bytes, bool is_received)
    {
        auto finishing = Finishing{id, std::move(bytes), is_received};
        if (held_)
            finishing_.push_back(std::move(finishing));
        else
            settle(std::move(finishing));
    }

    void settle(Finishing finishing)
    {
        auto check = SnapshotCheck{finishing.id};
        check.add(finishing.bytes);
        auto const header = decode_snapshot_header(finishing.bytes);
        auto const is_sound = check.is_whole() and header and header->header.last == finishing.id.last;
        auto       end = SnapshotEnd{finishing.id, finishing.is_received, std::nullopt};
        if (std::exchange(fails_next_, false))
            end.failure = LogError{LogFailure::no_space, "the log in memory was told to fail"};
        else if (not is_sound)
            end.failure = LogError{LogFailure::damaged, "the snapshot is not the one that its identity names"};
        else
            keep({finishing.id, header->header.configurations, header->header.peers, finishing.is_received},
                 std::move(finishing.bytes));
        ends_.push_back(std::move(end));
    }

    void keep(StoredSnapshot const& stored, std::vector<std::byte> bytes)
    {
        remove(stored.id);
        auto at = std::ptrdiff_t{0};
        while (static_cast<std::size_t>(at) < all_.size() and
               all_[static_cast<std::size_t>(at)].id.last.index <= stored.id.last.index)
            ++at;
        all_.insert(all_.begin() + at, stored);
        bytes_.insert(bytes_.begin() + at, std::make_shared<std::vector<std::byte> const>(std::move(bytes)));
    }

    std::vector<StoredSnapshot>                                all_;
    std::vector<std::shared_ptr<std::vector<std::byte> const>> bytes_;   ///< Of each of them.
    std::vector<std::byte>                                     writing_; ///< Of the server's own.
    SnapshotId                                                 receiving_;
    std::vector<std::byte>                                     chunks_;
    Queue<Finishing>                                           finishing_;
    Queue<SnapshotEnd>                                         ends_;
    bool                                                       held_ = false;
    bool                                                       fails_next_ = false;
};

} // namespace totora::inline v0
