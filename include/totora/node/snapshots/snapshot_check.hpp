// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/snapshot.hpp"
#include "totora/data/payload.hpp"
#include "totora/data/snapshot_format.hpp"
#include "totora/node/snapshots/snapshot_file.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace totora::inline v0
{

/// Whether a log reads snapshots aside, and answers `not_now` meanwhile.
template <typename Log>
inline constexpr bool reads_aside = requires(Log& log, SnapshotId const& id, std::uint64_t number)
{
    {
        log.read_snapshot_aside(id, number, number)
        } -> std::same_as<Result<PinnedBytes, LogError>>;
};

/// Bytes of a snapshot, if they are at hand, or the log reads nothing aside.
template <typename Log>
[[nodiscard]] Result<PinnedBytes, LogError>
read_if_at_hand(Log& log, SnapshotId const& id, std::uint64_t offset, std::uint64_t bytes_max)
{
    if constexpr (reads_aside<Log>)
        return log.read_snapshot_aside(id, offset, bytes_max);
    else
        return log.read_snapshot(id, offset, bytes_max);
}

/// Checks all of a snapshot before a machine is given any of it. It goes on whenever the next bytes are at hand.
///
/// Of a log that reads aside it keeps the first bytes that it has checked, `kept_max` at most: a machine that is not larger is restored without
/// another read.
template <typename Log>
class SnapshotInspection
{
public:
    static constexpr std::uint64_t kept_max = std::uint64_t{16} << 20U;

    explicit SnapshotInspection(SnapshotId const& id) : content_(id) {}

    [[nodiscard]] SnapshotId const& snapshot() const { return content_.id(); }

    /// The header, if every byte was checked; `not_now` if it is to go on later.
    [[nodiscard]] Result<ReadSnapshotHeader, LogError> go_on(Log& log)
    {
        while (not content_.ends()) {
            auto block = read_if_at_hand(log, content_.id(), content_.seen(), block_size);
            if (not block)
                return Unexpected{block.error()};
            content_.add(block->bytes);
            if (reads_aside<Log> and content_.seen() <= kept_max)
                kept_.push_back(*std::move(block));
        }
        return content_.header();
    }

    /// What was kept, from the beginning of the snapshot on.
    [[nodiscard]] SnapshotBlocks take_kept() { return std::move(kept_); }

private:
    static constexpr std::uint64_t block_size = reads_aside<Log> ? std::uint64_t{1} << 20U : snapshot_block_size;

    CheckedContent content_;
    SnapshotBlocks kept_;
};

} // namespace totora::inline v0
