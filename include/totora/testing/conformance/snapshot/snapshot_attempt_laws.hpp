// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "totora/core/values/snapshot.hpp"
#include "totora/core/values/types.hpp"
#include "totora/policy/log.hpp"
#include "totora/policy/snapshot_log.hpp"
#include "totora/testing/conformance/log/log_user.hpp"
#include "totora/testing/conformance/sample_snapshots.hpp"
#include "totora/testing/conformance/snapshot/snapshot_log_user.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace totora::inline v0::conformance
{

/// The laws of attempts to store a snapshot: dropped, beside each other, in the background, and without room. See `check_log`.
template <typename Storage>
class SnapshotAttemptLaws
{
public:
    using Log = typename Storage::Log;

    explicit SnapshotAttemptLaws(LogUser<Storage>& user) : user_(user), snapshots_(user) {}

    /// A second begin drops the first; so does `drop_snapshot`.
    void what_was_dropped_leaves_nothing()
    {
        auto* const log = user_.start();
        if (log == nullptr)
            return;
        auto const first = sample_snapshot({Term{2}, Index{9}}, 5000);
        for (auto const drops : {false, true}) {
            auto const second = sample_snapshot({Term{2}, Index{drops ? 11U : 10U}}, 3000);
            snapshots_.begin(*log);
            snapshots_.write(*log, std::span{first.bytes}.first(4000));
            if (drops) {
                user_.call("drop_snapshot()");
                files(*log).drop_snapshot();
            }
            snapshots_.write_own(*log, second);
            auto const end = snapshots_.await_end(*log);
            user_.expect(end and end->id == second.id and not end->failure, "what was dropped leaves nothing",
                         "A snapshot that was begun after another one is not whole.");
            if (not end or end->failure)
                return;
            snapshots_.expect_kept(*log, second, false, "what was dropped leaves nothing");
        }
        snapshots_.expect_not_kept(*log, first, "what was dropped leaves nothing");
        snapshots_.expect_no_end(*log);
    }

    /// One that is being written, one that is being finished, and one that is received.
    void snapshots_do_not_hinder_each_other()
    {
        constexpr auto law = "snapshots do not hinder each other";
        auto* const    log = user_.start();
        if (log == nullptr)
            return;
        auto const finished = sample_snapshot({Term{2}, Index{9}}, 90'000);
        auto const own = sample_snapshot({Term{2}, Index{12}}, 6000);
        auto const received = sample_snapshot({Term{3}, Index{40}}, 7000);
        snapshots_.write_own(*log, finished);
        snapshots_.begin(*log);
        snapshots_.store(*log, received, 0, 3000);
        snapshots_.write(*log, std::span{own.bytes}.first(4000));
        snapshots_.store(*log, received, 3000, received.id.bytes);
        snapshots_.write(*log, std::span{own.bytes}.subspan(4000));
        snapshots_.finish(*log, own.id);
        snapshots_.finish_chunks(*log, received.id);
        for (auto left = 3; left > 0; --left) {
            auto const end = snapshots_.await_end(*log);
            user_.expect(end and not end->failure, law,
                         "Of three snapshots, written at the same time, one has no end or a failure.");
            if (not end or end->failure)
                return;
        }
        for (auto const* sample : {&finished, &own, &received})
            snapshots_.expect_kept(*log, *sample, sample == &received, law);
    }

    /// A log that goes on in the background.
    void the_end_of_a_snapshot_wakes()
    {
        auto* const log = user_.start();
        if constexpr (requires { log->set_wake(std::function<void()>{}); }) {
            if (log == nullptr)
                return;
            auto const woken = std::make_shared<std::atomic<std::uint64_t>>();
            log->set_wake([woken] { ++*woken; });
            for (auto const is_received : {false, true}) {
                auto const sample = sample_snapshot({Term{2}, Index{is_received ? 12U : 9U}}, 90'000);
                auto const before = woken->load();
                is_received ? snapshots_.receive(*log, sample) : snapshots_.write_own(*log, sample);
                if (files(*log).snapshot_end())
                    continue; // At once: nobody has to be woken.
                if (not snapshots_.await_end(*log))
                    return;
                for (auto waited = 0; waited < 2500 and woken->load() == before; ++waited)
                    user_.let_work();
                user_.expect(woken->load() > before, "the end of a snapshot wakes",
                             "An attempt has ended, and the wake-up was not called.");
            }
            log->set_wake([] {});
        }
    }

    void no_room_for_a_snapshot_can_end()
    {
        constexpr auto law = "no room for a snapshot can end";
        if constexpr (requires { user_.storage().fill(), user_.storage().free(); }) {
            auto* const log = user_.start();
            if (log == nullptr)
                return;
            auto const own = sample_snapshot({Term{2}, Index{9}}, 200'000);
            auto const received = sample_snapshot({Term{2}, Index{12}}, 200'000);
            user_.call("fill()");
            user_.storage().fill();
            for (auto const* sample : {&own, &received}) {
                sample == &own ? snapshots_.write_own(*log, *sample) : snapshots_.receive(*log, *sample);
                auto const is_kept = ends_anyhow(*log, *sample);
                user_.expect(not log->failure(), "no room for a snapshot is no failure of the log",
                             log->failure() ? log->failure()->what : "");
                if (log->failure())
                    return;
                if (is_kept)
                    snapshots_.expect_kept(*log, *sample, sample == &received, law);
                else
                    snapshots_.expect_not_kept(*log, *sample, "a snapshot that failed is not kept");
            }
            user_.call("free()");
            user_.storage().free();
            auto const later = sample_snapshot({Term{2}, Index{15}}, 200'000);
            auto       is_kept = false;
            for (auto tries = 0; tries < 200 and not is_kept; ++tries) {
                snapshots_.write_own(*log, later);
                is_kept = ends_anyhow(*log, later);
                user_.let_work();
            }
            user_.expect(is_kept, law, "There is space again, and a snapshot still cannot be stored.");
        }
    }

private:
    [[nodiscard]] static auto& files(Log& log) { return SnapshotLogUser<Storage>::files(log); }

    /// The attempt has ended, perhaps before it was finished. Whether the snapshot is kept.
    [[nodiscard]] bool ends_anyhow(Log& log, SampleSnapshot const& sample)
    {
        auto end = snapshots_.await_end(log);
        user_.expect(end.has_value(), "every snapshot that is finished has one end",
                     "There was no room for it, and no end was reported.");
        auto is_kept = false;
        for (; end; end = files(log).snapshot_end())
            is_kept = is_kept or (end->id == sample.id and not end->failure);
        return is_kept;
    }

    LogUser<Storage>&        user_;
    SnapshotLogUser<Storage> snapshots_;
};

} // namespace totora::inline v0::conformance
