// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/log/held_syncer.hpp"
#include "support/log_workload.hpp"
#include "totora/core/state.hpp"
#include "totora/log/segmented_log.hpp"
#include "totora/testing/disk/forgetful_files.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <utility>

/// The storage of servers that lose their power together.
namespace totora::test
{

/// Thrown from within the call of a file during which the power failed: not one instruction more is executed.
struct PowerFailed
{};

/// What all disks of a room hang on. It fails at a certain call of any of them.
struct Mains
{
    std::uint64_t calls_left = std::numeric_limits<std::uint64_t>::max();
    bool          failed = false;

    void use()
    {
        failed = failed or calls_left == 0;
        if (failed)
            throw PowerFailed{};
        --calls_left;
    }
};

/// A log in segments, on a disk that forgets what was not synced when the power fails.
class ForgetfulStorage
{
public:
    using Log = SegmentedLog<ForgetfulFiles, HeldSyncer>;

    explicit ForgetfulStorage(Identity const& identity)
    {
        auto files = ForgetfulFiles{disk};
        if (not create_log(files, identity))
            throw std::runtime_error("no log can be made");
    }

    Disk disk = std::make_shared<ForgetfulDisk>();

    void plug_in(Mains& mains)
    {
        mains_ = &mains;
        disk->interfere([&mains](FileCall, std::string_view) {
            mains.use();
            return 0;
        });
    }

    /// A node lets no exception through: its caller asks here.
    void throw_if_power_failed() const
    {
        if (mains_ != nullptr and mains_->failed)
            throw PowerFailed{};
    }

    void open()
    {
        auto opened = Log::open(ForgetfulFiles{disk}, small_options());
        if (not opened)
            throw std::runtime_error("the log does not open again: " + opened.error().what);
        log_.emplace(*std::move(opened));
        syncer_ = HeldSyncer::newest();
        syncer_->held = held_;
    }

    [[nodiscard]] Log& log() { return *log_; }

    void hold_syncs() { hold(true); }

    void release_syncs()
    {
        hold(false);
        if (syncer_ != nullptr)
            syncer_->work();
    }

    /// Everything that waits becomes durable with one sync.
    void complete_syncs(State const& /*state*/, std::mt19937_64& /*random*/) { syncer_->work(); }

    /// Of what was not synced nothing is kept, everything, or any sectors.
    void lose_power(std::mt19937_64& random)
    {
        syncer_ = nullptr;
        log_.reset();
        torn = not disk->unsynced().empty();
        auto const how = random() % 3;
        disk->lose_power({.keeps = [&](auto, auto) { return how == 1 or (how == 2 and random() % 2 == 0); },
                          .names_kept = random() % 4});
    }

    bool torn = false; ///< Something was written and not synced when the power failed last.

private:
    void hold(bool held)
    {
        held_ = held;
        if (syncer_ != nullptr)
            syncer_->held = held;
    }

    Mains const*       mains_ = nullptr;
    std::optional<Log> log_;
    HeldSyncer*        syncer_ = nullptr; ///< The log's.
    bool               held_ = false;
};

} // namespace totora::test
