// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/core/values/types.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented_log_options.hpp"
#include "totora/policy/files.hpp"
#include "totora/policy/log.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/disk/virtual_syncer.hpp"
#include "totora/testing/simulate/faults/faults.hpp"

#include <concepts>
#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// The storage of one simulated server: a log over a disk with faults. It outlives the processes of its server and
/// exists until the end of the run; everything is called on one thread.
///
/// The log does its file calls through a `DiskFiles` on `disk`, and passes what is to be synced to `desk`, as a
/// `VirtualSyncer` does. A call may throw `PowerFailed`, which the log lets through or takes for its end: the process
/// ends there.
// clang-format off: version 14 cannot format requires-expressions.
template <typename T>
concept simulated_storage = durable_log<typename T::Log> and
    std::constructible_from<T, Identity const&, SegmentedLogOptions const&, FaultCounts&> and requires(T& storage)
{
    /// A process begins: from now on there is a log, which was not recovered yet. An error if there can be none.
    {
        storage.open()
        } -> std::same_as<Result<Done, LogError>>;
    /// The process has ended, however; also called where `open` failed.
    {
        storage.close()
        } -> std::same_as<void>;
    /// Between the two.
    {
        storage.log()
        } -> std::same_as<typename T::Log&>;
    {
        storage.disk()
        } -> std::convertible_to<SimulatedDisk&>;
    {
        storage.desk()
        } -> std::convertible_to<SyncDesk&>;
};
// clang-format on

/// Puts the log of a server that has not begun yet into a term, in which it has not voted.
template <simulated_storage Storage>
void begin_in(Storage& storage, Term term)
{
    auto const at_once = std::exchange(storage.desk().at_once, true);
    if (storage.open() and storage.log().recover()) {
        storage.log().save_vote(WriteNumber{1}, term, std::nullopt);
        storage.log().sync();
    }
    storage.close();
    storage.desk().at_once = at_once;
}

} // namespace totora::inline v0::simulate
