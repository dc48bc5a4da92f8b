// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/configurations.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/sample_entries.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace totora::inline v0::conformance
{

/// A snapshot that a workload wrote into a log.
struct WrittenSnapshot
{
    using Bytes = std::shared_ptr<std::vector<std::byte> const>;

    SnapshotId     id;
    Configurations configurations;
    bool           is_received = false;
    bool           is_reported = false; ///< It is durable, as the log said.
    bool           is_removed = false;
    Bytes          bytes;
};

/// A snapshot of so many bytes between header and checksum.
[[nodiscard]] inline WrittenSnapshot
written_snapshot(LogPosition last, Configurations const& configurations, bool is_received, std::size_t size)
{
    auto sample = sample_snapshot(last, configurations, size);
    return {sample.id, configurations, is_received,
            false,     false,          std::make_shared<std::vector<std::byte> const>(std::move(sample.bytes))};
}

/// The snapshots that a workload wrote into a log: what may be found after a loss of power, and what must be.
class SnapshotHistory
{
public:
    [[nodiscard]] std::vector<WrittenSnapshot> const& all() const { return all_; }

    /// Goes up with everything that the log has promised of them.
    [[nodiscard]] std::uint64_t promises() const { return promises_; }

    /// It is written from now on, and may be found. What had the same identity is the same.
    void add(WrittenSnapshot const& sample)
    {
        if (auto* const known = find(sample.id))
            known->is_received = sample.is_received;
        else
            all_.push_back(sample);
    }

    /// Returns whether one that was received was reported as damaged.
    template <snapshot_log Log>
    bool note_ends(Log& log)
    {
        auto damaged = false;
        while (auto const end = log.snapshot_end()) {
            if (auto* const known = find(end->id); known != nullptr and not end->failure) {
                known->is_reported = true;
                known->is_removed = false;
                ++promises_;
            }
            damaged = damaged or (end->is_received and end->failure and end->failure->failure == LogFailure::damaged);
        }
        return damaged;
    }

    /// Receives the rest of what a recovery found of one: what is wrong with the result; empty if nothing is, or it is not known yet.
    template <snapshot_log Log>
    [[nodiscard]] std::string finish_reception(Log& log)
    {
        auto const reception = log.reception();
        if (not reception.is_under_way())
            return {};
        auto const known = *find(reception.snapshot);
        auto const rest = std::span{*known.bytes}.subspan(static_cast<std::size_t>(reception.received));
        log.store_chunk(known.id, reception.received, rest);
        log.finish_chunks(known.id);
        return note_ends(log) ? "With what was there of a snapshot the rest of it makes no whole one." : std::string{};
    }

    void note_removal(SnapshotId const& id)
    {
        find(id)->is_removed = true;
        ++promises_;
    }

    /// Goes on with what a recovery found.
    template <snapshot_log Log>
    void restart(Log& log)
    {
        auto const received = log.reception().snapshot;
        std::erase_if(all_, [&](WrittenSnapshot const& one) { return not lists(log, one.id) and one.id != received; });
        for (auto& one : all_) {
            one.is_reported = lists(log, one.id);
            one.is_removed = false;
        }
    }

    /// What is wrong with the snapshots of a log that begins after `base`; empty if nothing is.
    template <snapshot_log Log>
    [[nodiscard]] std::string find_fault(Log& log, Index base)
    {
        auto reached = base == Index{};
        for (auto const& stored : log.snapshots()) {
            auto const* const known = find(stored.id);
            auto const        what = "A snapshot up to " + std::to_string(stored.id.last.index.value);
            if (known == nullptr)
                return what + " is listed that was never written.";
            if (stored.configurations != known->configurations or stored.peers != sample_peers(known->configurations) or
                stored.is_received != (known->is_received and stored.id.last.index > base))
                return what + " is listed as another than it is.";
            if (read_all(log, stored.id) != *known->bytes)
                return what + " is not read as it was written.";
            reached = reached or (not stored.is_received and stored.id.last.index >= base);
        }
        for (auto const& one : all_)
            if (one.is_reported and not one.is_removed and not lists(log, one.id))
                return "A snapshot up to " + std::to_string(one.id.last.index.value) +
                       " was reported durable, and is not listed.";
        if (not reached)
            return "No snapshot reaches the beginning of the log.";
        return find_fault_of(log.reception());
    }

private:
    [[nodiscard]] std::string find_fault_of(SnapshotReception const& reception)
    {
        auto const* const known = find(reception.snapshot);
        if (not reception.is_under_way() or
            (known != nullptr and known->is_received and reception.received < known->bytes->size()))
            return {};
        return "Of a snapshot up to " + std::to_string(reception.snapshot.last.index.value) + " " +
               std::to_string(reception.received) + " bytes are there that were never received.";
    }

    [[nodiscard]] WrittenSnapshot* find(SnapshotId const& id)
    {
        auto const found = std::find_if(all_.begin(), all_.end(), [&](auto const& one) { return one.id == id; });
        return found == all_.end() ? nullptr : &*found;
    }

    template <typename Log>
    [[nodiscard]] static bool lists(Log const& log, SnapshotId const& id)
    {
        auto const& stored = log.snapshots();
        return std::any_of(stored.begin(), stored.end(), [&](auto const& one) { return one.id == id; });
    }

    template <typename Log>
    [[nodiscard]] static std::vector<std::byte> read_all(Log& log, SnapshotId const& id)
    {
        auto bytes = std::vector<std::byte>{};
        while (bytes.size() < id.bytes) {
            auto const part = log.read_snapshot(id, bytes.size(), 700);
            if (not part or part->bytes.empty())
                break;
            bytes.insert(bytes.end(), part->bytes.begin(), part->bytes.end());
        }
        return bytes;
    }

    std::vector<WrittenSnapshot> all_;
    std::uint64_t                promises_ = 0;
};

} // namespace totora::inline v0::conformance
