// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/result.hpp"
#include "totora/data/identity.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/simulate/disk/disk_files.hpp"
#include "totora/testing/simulate/disk/simulated_disk.hpp"
#include "totora/testing/simulate/disk/simulated_storage.hpp"
#include "totora/testing/simulate/disk/virtual_syncer.hpp"

#include <optional>
#include <utility>

namespace totora::inline v0::simulate
{

/// The storage of one simulated server: the shipped log in segments, over a disk and a syncer that obey virtual time.
///
/// `TheLog` may be one that derives from the shipped one and is made from it. For a log of another kind see
/// `simulated_storage`.
template <typename TheLog = SegmentedLog<DiskFiles, VirtualSyncer>>
class BasicSegmentedStorage
{
public:
    using Log = TheLog;

    BasicSegmentedStorage(Identity const& identity, SegmentedLogOptions const& options, FaultCounts& counts)
        : disk_(counts), options_(options)
    {
        auto files = DiskFiles{disk_};
        (void)Log::create(files, identity);
    }

    /// A process begins. Throws `PowerFailed` if the power fails meanwhile.
    [[nodiscard]] Result<Done, LogError> open()
    {
        auto const seated = AtDesk{desk_};
        auto       opened = Log::open(DiskFiles{disk_}, options_);
        if (not opened)
            return Unexpected{opened.error()};
        log_.emplace(*std::move(opened));
        return Done{};
    }

    /// The process has ended, however.
    void close()
    {
        log_.reset();
        desk_.dismiss();
    }

    [[nodiscard]] Log&           log() { return *log_; }
    [[nodiscard]] SimulatedDisk& disk() { return disk_; }
    [[nodiscard]] SyncDesk&      desk() { return desk_; }

private:
    SimulatedDisk       disk_;
    SyncDesk            desk_;
    SegmentedLogOptions options_;
    std::optional<Log>  log_;
};

using SegmentedStorage = BasicSegmentedStorage<>;

static_assert(simulated_storage<SegmentedStorage>);

} // namespace totora::inline v0::simulate
